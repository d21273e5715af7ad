// SPDX-License-Identifier: GPL-2.0-or-later
#include "contents.h"

#include <inttypes.h>
#include <stdio.h>

/* Pages that are not stored, and why the first of them is not. */
struct holes {
	uint64_t n;
	struct fault first;
};

/* False: @c->why. */
static bool write_page(struct contents_renderer *c, const struct kernel *k,
		       const struct arena_snapshot *a, const struct arena_page *p, uint64_t pgoff,
		       struct holes *holes)
{
	struct fault why;

	if (memory_read(k->mem, p->phys, c->page, a->page_size, &why))
		return c->files.write_at(c->files.ctx, c->page, a->page_size,
					 pgoff * a->page_size, &c->why);
	if (!holes->n++)
		holes->first = why;
	return true;
}

/* In pages from the begin of the file: the pgoff; where none is known, the place in the window. */
static bool place_of(const struct arena_snapshot *a, const struct arena_page *p, uint64_t *pgoff)
{
	uint64_t off = p->index * a->page_size;

	if (arena_knows(a, FIELD_USER_VM_START))
		return arena_page_pgoff(a, p, pgoff);
	if (off < a->area.guard || off - a->area.guard >= ARENA_WINDOW)
		return false;
	*pgoff = (off - a->area.guard) / a->page_size;
	return true;
}

static bool write_pages(struct contents_renderer *c, const struct kernel *k,
			const struct arena_snapshot *a, struct holes *holes)
{
	uint64_t pgoff, end = 0;

	for (size_t i = 0; i < a->n_pages; i++) {
		const struct arena_page *p = &a->pages[i];

		if (p->kind == KIND_SCRATCH || !place_of(a, p, &pgoff))
			continue;
		if (i % 256 == 0 &&
		    !memory_progress(k->mem, "writing contents", i, a->n_pages, &c->why))
			return false;
		if (!write_page(c, k, a, p, pgoff, holes))
			return false;
		if (end < (pgoff + 1) * a->page_size)
			end = (pgoff + 1) * a->page_size;
	}
	/* a page at the end that is not stored is a hole, too */
	return c->files.finish(c->files.ctx, end, &c->why);
}

static bool failed(struct contents_renderer *c, const struct arena_snapshot *a)
{
	char label[ARENA_LABEL];

	c->failed = true;
	arena_label(a, label);
	return fault_prefix(&c->why, "the contents of %s cannot be written: ", label);
}

static bool contents_arena(struct renderer *r, const struct kernel *k,
			   const struct arena_snapshot *a, struct report_result *result)
{
	struct contents_renderer *c = (struct contents_renderer *)r;
	struct holes holes = { 0 };
	char name[CONTENTS_NAME], label[ARENA_LABEL];

	if (arena_knows(a, FIELD_ID))
		snprintf(name, sizeof(name), "%" PRIu32 ".bin", a->id);
	else
		snprintf(name, sizeof(name), "kern-%" PRIx64 ".bin",
			 a->area.addr ? a->area.addr + a->area.guard : a->map);
	if (!c->files.create(c->files.ctx, name, &c->why))
		return failed(c, a);
	if (!write_pages(c, k, a, &holes)) {
		c->files.drop(c->files.ctx);
		return failed(c, a);
	}
	if (holes.n) {
		arena_label(a, label);
		fault_prefix(&holes.first, "%s: contents of %" PRIu64 " pages are not there: ",
			     label, holes.n);
		arena_problem(a, &holes.first, &result->problems);
	}
	return true;
}

static bool nothing_to_begin(struct renderer *r, const struct kernel *k,
			     const struct report_result *result)
{
	(void)r;
	(void)k;
	(void)result;
	return true;
}

static bool nothing_to_end(struct renderer *r, const struct kernel *k,
			   const struct report_result *result)
{
	(void)r;
	(void)k;
	(void)result;
	return true;
}

void contents_renderer_init(struct contents_renderer *c, const struct contents_files *files)
{
	c->renderer = (struct renderer){ nothing_to_begin, contents_arena, nothing_to_end };
	c->files = *files;
	c->failed = false;
}
