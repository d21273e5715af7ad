// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arenas by their page tables alone: from 7.0 on a new one gets all tables of its window
 * (populate_pgtable_except_pte()), 4 GiB in a row, which nothing else has. The tables of one that
 * was freed stay, but empty.
 *
 * Tables say where a window begins only to the reach of one of them, and others may have tables
 * beside it. Where a process maps the same frames, that says it exactly; else only those pages
 * are taken that are in the window wherever it begins.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "array.h"
#include "ladder.h"

#define VMALLOC_MAX (UINT64_C(32) << 40)	/* x86_64, 4 levels */

enum { USER_PAGES = 4096, PLACE_PAGES = 512 };

struct range {
	uint64_t start, end;
};

struct runs {
	struct ladder *l;
	struct range *range;
	size_t n, room;
	struct fault *why;
};

static bool run_table(void *ctx, uint64_t va, uint64_t size, bool *skip)
{
	struct runs *runs = ctx;

	*skip = true;
	if (runs->n && runs->range[runs->n - 1].end == va) {
		runs->range[runs->n - 1].end += size;
		return true;
	}
	/* one that is too short to be of use is forgotten */
	if (runs->n && runs->range[runs->n - 1].end - runs->range[runs->n - 1].start < ARENA_WINDOW)
		runs->n--;
	if (!array_grow(&runs->range, &runs->room, runs->n, sizeof(*runs->range), runs->why))
		return false;
	runs->range[runs->n++] = (struct range){ va, va + size };
	return true;
}

static bool vmalloc_range(const struct kernel *k, struct range *r)
{
	const struct vmcoreinfo *vi = &k->vmcoreinfo;

	if (!vmcoreinfo_number(vi, "NUMBER(VMALLOC_START)", &r->start) ||
	    r->start < k->format.lowest || r->start % k->page_size)
		return false;
	if (!vmcoreinfo_number(vi, "NUMBER(VMALLOC_END)", &r->end) &&
	    !vmcoreinfo_symbol(vi, "vmemmap", &r->end))
		r->end = r->start + VMALLOC_MAX;
	r->end &= ~(k->page_size - 1);
	return r->end > r->start;
}

/* Between the areas that are known. */

/* The first known area that ends after @from; none: an empty range at @end. */
static struct range next_area(const struct ladder *l, uint64_t from, uint64_t end)
{
	struct range next = { end, end };

	for (size_t i = 0; i < l->n_window + l->n_other; i++) {
		const struct arena_area *a = i < l->n_window ? &l->window[i].area :
					     &l->other[i - l->n_window];

		if (a->addr + a->size > from && a->addr < next.start)
			next = (struct range){ a->addr, a->addr + a->size };
	}
	return next;
}

/* Pages of a place where an arena may be. */
struct place {
	uint64_t page, table;		/* bytes of one, and that one of the last level maps */
	struct range sure;		/* in the window wherever it begins; may be empty */
	uint64_t before, in, behind;	/* pages there, before it and behind */
	uint64_t used, last;		/* tables with pages there; the last of them */
	uint64_t va[PLACE_PAGES], phys[PLACE_PAGES];
	size_t n;
};

static bool place_mapped(void *ctx, uint64_t va, uint64_t phys, uint64_t size)
{
	struct place *p = ctx;
	uint64_t n = size / p->page;

	if (p->n < PLACE_PAGES) {
		p->va[p->n] = va;
		p->phys[p->n++] = phys;
	}
	if (va < p->sure.start) {
		p->before += n;
	} else if (va >= p->sure.end) {
		p->behind += n;
	} else {
		p->in += n;
		p->used += va / p->table != p->last;
		p->last = va / p->table;
	}
	return true;
}

static bool look_at_place(const struct ladder *l, const struct range *r, struct place *p)
{
	const struct pagetable_format *f = &l->k->format;
	const struct pagetable_level *last = &f->level[f->levels - 1];
	const struct pagetable_visitor visitor = { place_mapped, NULL, p, NULL };
	struct fault ignored;

	p->page = l->k->page_size;
	p->table = (uint64_t)last->entries << last->shift;
	p->sure = (struct range){ r->end - ARENA_WINDOW, r->start + ARENA_WINDOW };
	if (p->sure.start > p->sure.end)
		p->sure.start = p->sure.end = r->start + (r->end - r->start) / 2;
	return pagetable_walk(l->k->pt, r->start, r->end, &visitor, &ignored);
}

/* A page that @m maps too: the places of both say where the window begins. 0: none. */
static uint64_t base_by(const struct ladder *l, const struct place *p,
			const struct task_mapping *m)
{
	uint64_t user = m->start, phys;
	struct fault ignored;

	for (size_t n = 0; m->pgd && n < USER_PAGES && user < m->end; n++, user += p->page) {
		if (!tasks_translate(l->k, m->pgd, user, &phys, &ignored))
			continue;
		for (size_t i = 0; i < p->n; i++)
			if (p->phys[i] == phys)
				return p->va[i] - (uint32_t)user;
	}
	return 0;
}

/* The window in @r that a process maps. */
static bool exact_window(const struct ladder *l, const struct range *r, const struct place *p,
			 struct arena_area *area)
{
	const uint64_t size = arena_area_size(l->k), guard = (size - ARENA_WINDOW - p->page) / 2;

	for (size_t i = 0; i < l->n_mapping; i++) {
		uint64_t base = base_by(l, p, &l->mapping[i]);

		if (base >= r->start && base < r->end && r->end - base >= ARENA_WINDOW &&
		    arena_area_shape(l->k, base - guard, size, area) &&
		    window_is_free(l, area) && window_is_mapped(l, area, &l->mapping[i]))
			return true;
	}
	return false;
}

static bool say_unclear(struct ladder *l, const struct range *r, uint64_t n)
{
	struct fault why;

	fault_fill(&why, STATE_EXCLUDED, SPACE_VIRT, r->start, "%" PRIu64 " pages at 0x%" PRIx64
		   " to 0x%" PRIx64 " may be those of arenas: nothing but page tables is known there",
		   n, r->start, r->end - 1);
	problems_add(l->problems, &why);
	return true;
}

/*
 * Other things than arenas have page tables in a row too, but then pages in most of them.
 */
static bool is_sparse(const struct place *p)
{
	return p->in && p->used <= (p->sure.end - p->sure.start) / p->table / 2;
}

/* @r, of which nothing is known but its tables, has room for @n arenas. */
static bool take_place(struct ladder *l, const struct range *r, uint64_t n)
{
	struct place place = { .last = UINT64_MAX };
	struct window w = { .by = FOUND_PAGETABLE };
	uint64_t pages;

	/* empty tables are what a freed arena leaves */
	if (!look_at_place(l, r, &place) || !(pages = place.before + place.in + place.behind))
		return true;
	if (exact_window(l, r, &place, &w.area))
		return ladder_add_window(l, &w);
	if (n > 1 || !is_sparse(&place))
		return say_unclear(l, r, pages);
	w.inexact = true;
	w.area = (struct arena_area){ place.sure.start, place.sure.end - place.sure.start, 0 };
	w.before = place.before ? place.sure.start - r->start : 0;
	w.behind = place.behind ? r->end - place.sure.end : 0;
	return ladder_add_window(l, &w);
}

static bool take_run(struct ladder *l, const struct range *run)
{
	const uint64_t size = arena_area_size(l->k);
	uint64_t at = run->start;

	while (at < run->end) {
		struct range next = next_area(l, at, run->end);
		struct range gap = { at, next.start < run->end ? next.start : run->end };

		/* the guards may lie in tables of their own */
		if (gap.end > gap.start && gap.end - gap.start >= ARENA_WINDOW) {
			size_t windows = l->n_window;

			if (!take_place(l, &gap, (gap.end - gap.start - ARENA_WINDOW) / size + 1))
				return false;
			/* one of several is known now: look at what is left of both sides */
			if (l->n_window > windows && !l->window[windows].inexact)
				continue;
		}
		at = next.end > gap.end ? next.end : gap.end;
	}
	return true;
}

bool ladder_ask_page_tables(struct ladder *l)
{
	struct runs runs = { .l = l, .why = l->why };
	const struct pagetable_visitor visitor = { NULL, NULL, &runs, run_table };
	struct fault why = { .kind = STATE_STORED };
	struct range r;
	bool ok = true;

	/* older ones have tables where there are pages */
	if (!kernel_has(l->k, MEMBER_bpf_arena_spinlock) || !vmalloc_range(l->k, &r))
		return true;
	if (!pagetable_walk(l->k->pt, r.start, r.end, &visitor, &why)) {
		ok = why.kind != STATE_STORED && why.kind != FAULT_LIMIT && why.kind != FAULT_NOMEM;
		if (why.kind != STATE_STORED)
			*l->why = why;
	}
	for (size_t i = 0; ok && i < runs.n; i++)
		if (runs.range[i].end - runs.range[i].start >= ARENA_WINDOW)
			ok = take_run(l, &runs.range[i]);
	free(runs.range);
	return ok;
}
