// SPDX-License-Identifier: GPL-2.0-or-later
#include "stretch.h"

#include <inttypes.h>
#include <stdlib.h>

struct walk {
	const struct kernel *k;
	const struct arena_snapshot *a;
	enum where_form form;
	uint8_t *page;			/* contents of one */
};

static void lacks(struct stretch_piece *p, enum stretch_what what, enum state kind,
		  const char *sentence)
{
	p->what = what;
	fault_fill(&p->why, kind, SPACE_NONE, 0, "%s", sentence);
}

static void read_page(const struct walk *w, struct stretch_piece *p)
{
	/* of a page that is there in part it may be the part */
	if (memory_read(w->k->mem, p->where.phys, w->page, p->n, &p->why)) {
		p->what = STRETCH_BYTES;
		p->data = w->page;
	} else {
		p->what = STRETCH_NOT_STORED;
	}
}

/* What is at p->address, p->n bytes of one page. */
static void look(const struct walk *w, struct stretch_piece *p)
{
	if (!where_find(w->a, p->address, &p->where) || p->where.form != w->form) {
		lacks(p, STRETCH_NO_ARENA, STATE_ABSENT, "not in the arena");
		return;
	}
	switch (p->where.what) {
	case WHERE_MAPPED:
		if (p->where.page->kind == KIND_SCRATCH)
			lacks(p, STRETCH_SCRATCH, STATE_ABSENT,
			      "the scratch page is mapped there, not memory of the arena");
		else
			read_page(w, p);
		return;
	case WHERE_NOT_MAPPED:
		lacks(p, STRETCH_NOT_MAPPED, STATE_ABSENT, "no page is mapped there");
		return;
	case WHERE_GUARD:
		lacks(p, STRETCH_GUARD, STATE_ABSENT, "no page is mapped there, in the guard");
		return;
	case WHERE_UNKNOWN:
		p->what = STRETCH_NOT_KNOWN;
		p->why = *p->where.why;
		return;
	}
}

static void count(const struct stretch_piece *p, struct stretch_lack *lack)
{
	if (p->what == STRETCH_BYTES)
		return;
	if (!lack->n) {
		lack->address = p->address;
		lack->why = p->why;
	}
	lack->n += p->n;
}

static bool walk(const struct walk *w, uint64_t address, uint64_t length,
		 const struct stretch_visitor *visitor, struct stretch_lack *lack,
		 struct fault *why)
{
	uint64_t pages = 0;

	while (length) {
		struct stretch_piece p = { .address = address };
		uint64_t left = w->a->page_size - address % w->a->page_size;

		if (pages++ % 256 == 0 && !memory_progress(w->k->mem, "reading", 0, 0, why))
			return false;
		p.n = left < length ? left : length;
		look(w, &p);
		if (p.what == STRETCH_NO_ARENA)
			p.n = length;
		count(&p, lack);
		if (!visitor->piece(visitor->ctx, &p)) {
			why->kind = STATE_STORED;
			return false;
		}
		address += p.n;
		length -= p.n;
	}
	return true;
}

bool stretch_walk(const struct kernel *k, const struct arena_snapshot *a, uint64_t address,
		  uint64_t length, const struct stretch_visitor *visitor,
		  struct stretch_lack *lack, struct fault *why)
{
	struct walk w = { .k = k, .a = a };
	struct where where;
	bool ok;

	*lack = (struct stretch_lack){ 0 };
	if (!where_find(a, address, &where))
		return fault_set(why, STATE_ABSENT, SPACE_NONE, 0, "0x%" PRIx64
			" does not lie in the arena", address);
	w.form = where.form;
	w.page = malloc(a->page_size);
	if (!w.page)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	ok = walk(&w, address, length, visitor, lack, why);
	free(w.page);
	return ok;
}
