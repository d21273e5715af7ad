// SPDX-License-Identifier: GPL-2.0-or-later
#include "pagetable.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"

/* Cached tables per level: a translation needs one of each. */
enum { CACHED = 8 };

struct cached_table {
	uint64_t tag;		/* physical address + 1; 0: empty */
	uint8_t *data;
};

struct pagetable {
	const struct memory *mem;
	const struct pagetable_format *f;
	uint8_t *pages;
	struct cached_table cache[PAGETABLE_MAX_LEVELS][CACHED];
};

enum entry_kind { ENTRY_NONE, ENTRY_TABLE, ENTRY_MEMORY, ENTRY_BAD };

static bool test(const struct pagetable_test *t, uint64_t entry)
{
	return (entry & t->mask) == t->value;
}

static enum entry_kind entry_kind(const struct pagetable_format *f, unsigned level,
				  uint64_t entry)
{
	if (level + 1 == f->levels)
		return test(&f->page, entry) ? ENTRY_MEMORY : ENTRY_NONE;
	if (!test(&f->present, entry))
		return ENTRY_NONE;
	if (!test(&f->leaf, entry))
		return ENTRY_TABLE;
	return f->level[level].leaf ? ENTRY_MEMORY : ENTRY_BAD;
}

/* What an entry points to: a table, or memory aligned to the size of its mapping. */
static uint64_t entry_phys(const struct pagetable_format *f, unsigned level, uint64_t entry,
			   enum entry_kind kind)
{
	uint64_t phys = (entry & f->addr_mask) |
			(entry >> f->high_from & f->high_mask) << f->high_to;

	if (kind == ENTRY_MEMORY)
		phys &= ~((UINT64_C(1) << f->level[level].shift) - 1);
	return phys;
}

static uint64_t entry_size(const struct pagetable_format *f, unsigned level)
{
	return UINT64_C(1) << f->level[level].shift;
}

static unsigned entry_index(const struct pagetable_format *f, unsigned level, uint64_t va)
{
	return (unsigned)(va >> f->level[level].shift) & (f->level[level].entries - 1);
}

static size_t table_size(const struct pagetable_format *f, unsigned level)
{
	return f->level[level].entries * sizeof(uint64_t);
}

static bool bad_entry(uint64_t va, uint64_t table, uint64_t entry, struct fault *why)
{
	return fault_set(why, STATE_DAMAGED, SPACE_PHYS, table,
		"page table at physical 0x%" PRIx64 " has an impossible entry 0x%" PRIx64
		" for address 0x%" PRIx64, table, entry, va);
}

struct pagetable *pagetable_new(const struct memory *mem, const struct pagetable_format *format)
{
	struct pagetable *pt = calloc(1, sizeof(*pt));
	size_t page = (size_t)1 << format->page_shift;

	if (!pt)
		return NULL;
	pt->mem = mem;
	pt->f = format;
	pt->pages = malloc(page * CACHED * PAGETABLE_MAX_LEVELS);
	if (!pt->pages) {
		free(pt);
		return NULL;
	}
	for (size_t i = 0; i < PAGETABLE_MAX_LEVELS; i++)
		for (size_t j = 0; j < CACHED; j++)
			pt->cache[i][j].data = pt->pages + (i * CACHED + j) * page;
	return pt;
}

void pagetable_free(struct pagetable *pt)
{
	if (pt)
		free(pt->pages);
	free(pt);
}

static bool read_table(struct pagetable *pt, unsigned level, uint64_t table, void *buf,
		       struct fault *why)
{
	return memory_read(pt->mem, table, buf, table_size(pt->f, level), why) ||
	       fault_prefix(why, "page table: ");
}

static const uint8_t *cached_table(struct pagetable *pt, unsigned level, uint64_t table,
				   struct fault *why)
{
	struct cached_table *c = &pt->cache[level][(table >> pt->f->page_shift) % CACHED];

	if (c->tag == table + 1)
		return c->data;
	c->tag = 0;
	if (!read_table(pt, level, table, c->data, why))
		return NULL;
	c->tag = table + 1;
	return c->data;
}

static bool translate_linear(const struct pagetable_format *f, uint64_t va, uint64_t *phys,
			     uint64_t *left)
{
	uint64_t page = UINT64_C(1) << f->page_shift;

	for (size_t i = 0; i < LINEAR_KINDS; i++) {
		const struct pagetable_linear *l = &f->linear[i];

		if (va < l->start || va >= l->end)
			continue;
		*phys = va - l->start + l->phys;
		*left = page - (va & (page - 1));
		return true;
	}
	return false;
}

enum walk_end { WALK_MAPPED, WALK_TABLE_LOST, WALK_FAILED };

/* Down the tables from @table on. WALK_TABLE_LOST: one on the way cannot be read. */
static enum walk_end descend(struct pagetable *pt, uint64_t table, uint64_t va, uint64_t *phys,
			     uint64_t *left, struct fault *why)
{
	const struct pagetable_format *f = pt->f;

	for (unsigned level = 0; level < f->levels; level++) {
		const uint8_t *data = cached_table(pt, level, table, why);
		uint64_t entry, size = entry_size(f, level);
		enum entry_kind kind;

		if (!data)
			return WALK_TABLE_LOST;
		entry = load_u64(data + entry_index(f, level, va) * sizeof(entry));
		kind = entry_kind(f, level, entry);
		switch (kind) {
		case ENTRY_NONE:
			fault_fill(why, STATE_ABSENT, SPACE_VIRT, va, "0x%" PRIx64 " is not mapped by %s",
				   va, va < f->lowest ? "the process" : "the kernel");
			return WALK_FAILED;
		case ENTRY_BAD:
			bad_entry(va, table, entry, why);
			return WALK_FAILED;
		case ENTRY_MEMORY:
			*phys = entry_phys(f, level, entry, kind) + (va & (size - 1));
			*left = size - (va & (size - 1));
			return WALK_MAPPED;
		case ENTRY_TABLE:
			table = entry_phys(f, level, entry, kind);
			break;
		}
	}
	bad_entry(va, table, 0, why);
	return WALK_FAILED;
}

bool pagetable_translate(struct pagetable *pt, uint64_t va, uint64_t *phys, uint64_t *left,
			 struct fault *why)
{
	const struct pagetable_format *f = pt->f;
	enum walk_end end;

	if (va < f->lowest)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va,
			"0x%" PRIx64 " is no kernel address", va);
	end = descend(pt, f->root, va, phys, left, why);
	if (end == WALK_TABLE_LOST)
		return translate_linear(f, va, phys, left) ||
		       fault_prefix(why, "0x%" PRIx64 ": ", va);
	return end == WALK_MAPPED;
}

bool pagetable_translate_user(struct pagetable *pt, uint64_t root, uint64_t va, uint64_t *phys,
			      uint64_t *left, struct fault *why)
{
	enum walk_end end;

	/* the halves are of one size, and the kernel's is the upper one */
	if (va >= -pt->f->lowest)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va,
			"0x%" PRIx64 " is no user address", va);
	if (root & (table_size(pt->f, 0) - 1))
		return fault_set(why, STATE_DAMAGED, SPACE_PHYS, root,
			"page tables of a process cannot begin at physical 0x%" PRIx64, root);
	end = descend(pt, root, va, phys, left, why);
	if (end == WALK_TABLE_LOST)
		return fault_prefix(why, "0x%" PRIx64 ": ", va);
	return end == WALK_MAPPED;
}

bool pagetable_read(struct pagetable *pt, uint64_t va, void *buf, size_t n, struct fault *why)
{
	uint64_t page = UINT64_C(1) << pt->f->page_shift;
	uint8_t *out = buf;

	while (n) {
		uint64_t phys, left, part = page - (va & (page - 1));

		if (!pagetable_translate(pt, va, &phys, &left, why))
			return false;
		if (part > n)
			part = n;
		if (!memory_read(pt->mem, phys, out, (size_t)part, why))
			return fault_prefix(why, "0x%" PRIx64 ": ", va);
		if (__builtin_add_overflow(va, part, &va) && n > part)
			return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va,
				"a read runs over the end of the address space");
		out += part;
		n -= (size_t)part;
	}
	return true;
}

/* A table that is being walked, and how far. */
struct step {
	uint64_t table;		/* physical */
	uint64_t va, end;	/* what is left to visit below it */
	uint8_t *data;
};

struct walk {
	struct pagetable *pt;
	struct fault *why;
	const struct pagetable_visitor *visitor;
	struct step step[PAGETABLE_MAX_LEVELS];
	unsigned level;
};

static bool visit_lost(struct walk *w, uint64_t va, uint64_t size, uint64_t table,
		       const struct fault *why)
{
	return !w->visitor->lost || w->visitor->lost(w->visitor->ctx, va, size, table, why);
}

/* Begin with a table: read it, or report what it would have mapped as lost. */
static bool enter(struct walk *w, unsigned level, uint64_t table, uint64_t va, uint64_t end)
{
	struct step *s = &w->step[level];
	bool skip = false;
	struct fault why;

	if (level + 1 == w->pt->f->levels && w->visitor->table &&
	    !w->visitor->table(w->visitor->ctx, va, end - va, &skip))
		return false;
	if (skip)
		return true;
	s->table = table;
	s->va = va;
	s->end = end;
	w->level = level;
	if (!memory_progress(w->pt->mem, "walking page tables", 0, 0, w->why))
		return false;
	if (read_table(w->pt, level, table, s->data, &why))
		return true;
	s->va = end;
	return visit_lost(w, va, end - va, table, &why);
}

/* Visit one entry of the current table. */
static bool visit(struct walk *w)
{
	const struct pagetable_format *f = w->pt->f;
	struct step *s = &w->step[w->level];
	uint64_t size = entry_size(f, w->level), va = s->va;
	uint64_t next = (va & ~(size - 1)) + size;
	uint64_t entry = load_u64(s->data + entry_index(f, w->level, va) * sizeof(entry));
	enum entry_kind kind = entry_kind(f, w->level, entry);
	struct fault why;

	if (next > s->end || next < va)
		next = s->end;
	s->va = next;
	switch (kind) {
	case ENTRY_NONE:
		return true;
	case ENTRY_TABLE:
		return enter(w, w->level + 1, entry_phys(f, w->level, entry, kind), va, next);
	case ENTRY_MEMORY:
		return !w->visitor->mapped || w->visitor->mapped(w->visitor->ctx, va,
			entry_phys(f, w->level, entry, kind) + (va & (size - 1)), next - va);
	case ENTRY_BAD:
		bad_entry(va, s->table, entry, &why);
		return visit_lost(w, va, next - va, s->table, &why);
	}
	return false;
}

bool pagetable_walk(struct pagetable *pt, uint64_t start, uint64_t end,
		    const struct pagetable_visitor *visitor, struct fault *why)
{
	struct walk w = { .pt = pt, .why = why, .visitor = visitor };
	size_t page = (size_t)1 << pt->f->page_shift;
	bool ok = true;
	uint8_t *data;

	if (start < pt->f->lowest || end < start)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, start,
			"0x%" PRIx64 " to 0x%" PRIx64 " is no range of kernel addresses",
			start, end);
	data = malloc(page * PAGETABLE_MAX_LEVELS);
	if (!data)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (size_t i = 0; i < PAGETABLE_MAX_LEVELS; i++)
		w.step[i].data = data + i * page;
	ok = enter(&w, 0, pt->f->root, start, end);
	while (ok) {
		if (w.step[w.level].va != w.step[w.level].end)
			ok = visit(&w);
		else if (w.level)
			w.level--;
		else
			break;
	}
	free(data);
	return ok;
}
