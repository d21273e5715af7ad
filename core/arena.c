// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One arena: its struct, its kernel area, its pages.
 */
#include "arena.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

static const char *const field_name[ARENA_FIELDS] = {
	[FIELD_ID] = "id",
	[FIELD_NAME] = "name",
	[FIELD_MAP] = "map",
	[FIELD_MAX_ENTRIES] = "max_entries",
	[FIELD_MAP_EXTRA] = "map_extra",
	[FIELD_MAP_FLAGS] = "map_flags",
	[FIELD_DECLARED_PAGES] = "declared_pages",
	[FIELD_USER_VM_START] = "user_vm_start",
	[FIELD_USER_VM_END] = "user_vm_end",
	[FIELD_KERN_VM_START] = "kern_vm_start",
	[FIELD_SPAN_CAPPED] = "span_capped",
	[FIELD_MAPPED] = "mapped",
	[FIELD_SCRATCH] = "scratch",
	[FIELD_OUTSIDE] = "outside",
	[FIELD_MISSING] = "missing",
	[FIELD_LIFE] = "life",
};

const char *arena_field_name(enum arena_field field)
{
	return field_name[field];
}

bool arena_knows(const struct arena_snapshot *a, enum arena_field field)
{
	return !(a->unknown & 1u << field);
}

static void forget(struct arena_snapshot *a, enum arena_field field)
{
	a->unknown |= 1u << field;
}

const char *arena_life_name(enum arena_life life)
{
	switch (life) {
	case LIFE_LIVE:
		return "live";
	case LIFE_NEW:
		return "new";
	case LIFE_DYING:
		return "dying";
	}
	return "live";
}

void arena_label(const struct arena_snapshot *a, char label[ARENA_LABEL])
{
	if (arena_knows(a, FIELD_ID))
		snprintf(label, ARENA_LABEL, "arena %" PRIu32, a->id);
	else
		snprintf(label, ARENA_LABEL, "arena at 0x%" PRIx64,
			 a->area.addr ? a->area.addr + a->area.guard : a->map);
}

/* The struct and its kernel area. */

static enum arena_life life_of(const struct arena_struct *s)
{
	if (!s->refcnt)
		return LIFE_DYING;
	return s->id ? LIFE_LIVE : LIFE_NEW;
}

static void take_struct(const struct kernel *k, struct arena_snapshot *a,
			const struct arena_struct *s)
{
	uint64_t most = ARENA_WINDOW / k->page_size;

	memcpy(a->name, s->name, sizeof(a->name));
	a->life = life_of(s);
	a->max_entries = s->max_entries;
	a->map_extra = s->map_extra;
	a->map_flags = s->map_flags;
	a->user_vm_start = s->user_vm_start;
	a->user_vm_end = s->user_vm_end;
	a->span_capped = a->max_entries > most;
	a->declared_pages = a->span_capped ? most : a->max_entries;
}

static void forget_struct(struct arena_snapshot *a, const struct arena_found *found)
{
	forget(a, FIELD_NAME);
	forget(a, FIELD_MAX_ENTRIES);
	forget(a, FIELD_MAP_EXTRA);
	forget(a, FIELD_MAP_FLAGS);
	forget(a, FIELD_DECLARED_PAGES);
	forget(a, FIELD_SPAN_CAPPED);
	forget(a, FIELD_LIFE);
	if (!found->map)
		forget(a, FIELD_MAP);
	a->user_vm_start = found->user_vm_start;
	a->user_vm_end = found->user_vm_end;
	if (found->user_vm_end)
		return;
	forget(a, FIELD_USER_VM_START);
	forget(a, FIELD_USER_VM_END);
}

void arena_problem(const struct arena_snapshot *a, const struct fault *why,
		   struct problems *problems)
{
	if (arena_knows(a, FIELD_ID))
		problems_add_map(problems, why, a->id, a->map);
	else
		problems_add_struct(problems, why, a->map);
}

static void forget_window(struct arena_snapshot *a)
{
	forget(a, FIELD_KERN_VM_START);
	forget(a, FIELD_MAPPED);
	forget(a, FIELD_SCRATCH);
	forget(a, FIELD_OUTSIDE);
	forget(a, FIELD_MISSING);
}

static bool read_area(const struct kernel *k, const struct arena_found *found, uint64_t vm,
		      struct arena_area *area, struct fault *why)
{
	if (found->no_area)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, vm, "its vm_struct at 0x%" PRIx64
			" is that of another arena, or of no area that is in use", vm);
	return arena_area_read(k, vm, area, why);
}

/* Where its pages are: its vm_struct, or what else says it. */
static void take_area(const struct kernel *k, const struct arena_found *found,
		      const struct arena_struct *s, struct arena_snapshot *a,
		      struct problems *problems)
{
	char label[ARENA_LABEL];
	struct fault why;

	a->area = found->area;
	if (!found->no_struct && !found->area.addr &&
	    !read_area(k, found, s->kern_vm, &a->area, &why)) {
		a->window = why;
		arena_label(a, label);
		fault_prefix(&why, "%s: its pages are not known: ", label);
		arena_problem(a, &why, problems);
		forget_window(a);
		return;
	}
	a->kern_vm_start = a->area.addr + a->area.guard;
	if (!found->inexact)
		return;
	/* pages are known by their kernel addresses alone */
	a->kern_vm_start = 0;
	forget(a, FIELD_KERN_VM_START);
	forget(a, FIELD_USER_VM_START);
	a->user_vm_start = 0;
}

bool arena_read(const struct kernel *k, const struct arena_found *found,
		struct arena_snapshot *a, struct problems *problems, struct fault *why)
{
	struct arena_struct s = { 0 };
	char label[ARENA_LABEL];
	struct fault fault;

	*a = (struct arena_snapshot){
		.id = found->id, .map = found->map, .page_size = k->page_size,
		.found_by = found->by, .no_struct = found->no_struct,
	};
	if (found->no_id)
		forget(a, FIELD_ID);
	arena_label(a, label);
	if (found->no_struct)
		forget_struct(a, found);
	else if (arena_struct_read(k, found->map, &s, why) != MAP_ARENA)
		return fault_prefix(why, "%s: ", label);
	else
		take_struct(k, a, &s);
	if (a->user_vm_start % k->page_size) {
		fault_fill(&fault, STATE_DAMAGED, SPACE_VIRT, a->map,
			   "%s: user_vm_start 0x%" PRIx64 " is not the address of a page", label,
			   a->user_vm_start);
		arena_problem(a, &fault, problems);
		a->user_vm_start = 0;
		forget(a, FIELD_USER_VM_START);
	}
	take_area(k, found, &s, a, problems);
	return true;
}

/* Addresses: 32-bit arithmetic inside the window. */

static bool index_in_window(const struct arena_snapshot *a, uint64_t index)
{
	uint64_t off = index * a->page_size;

	/* where it begins is not known: guards have no pages of this kind */
	if (!a->area.guard)
		return true;
	return off >= a->area.guard && off - a->area.guard < ARENA_WINDOW;
}

/* pgoff of page @index of the area; it is in the window. */
static uint64_t index_pgoff(const struct arena_snapshot *a, uint64_t index)
{
	uint32_t low = (uint32_t)(index * a->page_size - a->area.guard);

	return (uint32_t)(low - (uint32_t)a->user_vm_start) / a->page_size;
}

const char *arena_page_kind_name(enum page_kind kind)
{
	switch (kind) {
	case KIND_PAGE:
		return "page";
	case KIND_SCRATCH:
		return "scratch";
	case KIND_OUTSIDE:
		return "outside";
	}
	return "outside";
}

uint64_t arena_page_kernel(const struct arena_snapshot *a, const struct arena_page *p)
{
	return a->area.addr + p->index * a->page_size;
}

bool arena_page_pgoff(const struct arena_snapshot *a, const struct arena_page *p,
		      uint64_t *pgoff)
{
	if (!arena_knows(a, FIELD_USER_VM_START) || !index_in_window(a, p->index))
		return false;
	*pgoff = index_pgoff(a, p->index);
	return true;
}

uint64_t arena_user_address(const struct arena_snapshot *a, uint64_t pgoff)
{
	return (a->user_vm_start & ~UINT64_C(0xffffffff)) |
	       (uint32_t)(a->user_vm_start + pgoff * a->page_size);
}

/*
 * Where a page stands in the snapshot's order: those with a pgoff by it, then the others as they
 * lie in the area.
 */
static uint64_t place(const struct arena_snapshot *a, const struct arena_page *p)
{
	uint64_t pgoff;

	return arena_page_pgoff(a, p, &pgoff) ? pgoff : (UINT64_C(1) << 32) + p->index;
}

const struct arena_page *arena_page_at(const struct arena_snapshot *a, uint64_t index)
{
	const struct arena_page wanted = { .index = (uint32_t)index };
	size_t from = 0, to = a->n_pages;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (place(a, &a->pages[middle]) < place(a, &wanted))
			from = middle + 1;
		else
			to = middle;
	}
	return from < a->n_pages && a->pages[from].index == index ? &a->pages[from] : NULL;
}

/* Walking the page tables of the area. */

struct collector {
	const struct kernel *k;
	struct arena_snapshot *a;
	struct fault *why;
	size_t page_room, lost_room;
	bool has_scratch;
	uint64_t scratch;	/* physical address of the scratch page */
};

static enum page_kind page_kind(const struct collector *c, const struct arena_page *p)
{
	uint64_t pgoff;

	if (c->has_scratch && p->phys == c->scratch)
		return KIND_SCRATCH;
	if (!index_in_window(c->a, p->index))
		return KIND_OUTSIDE;
	if (arena_knows(c->a, FIELD_DECLARED_PAGES) && arena_page_pgoff(c->a, p, &pgoff) &&
	    pgoff >= c->a->declared_pages)
		return KIND_OUTSIDE;
	return KIND_PAGE;
}

static bool collect_mapped(void *ctx, uint64_t va, uint64_t phys, uint64_t size)
{
	struct collector *c = ctx;
	struct arena_snapshot *a = c->a;
	uint64_t page = a->page_size;

	for (uint64_t at = 0; at < size; at += page) {
		struct arena_page *p;

		if (!array_grow(&a->pages, &c->page_room, a->n_pages, sizeof(*p), c->why))
			return false;
		p = &a->pages[a->n_pages++];
		p->phys = phys + at;
		p->index = (uint32_t)((va + at - a->area.addr) / page);
		p->kind = (uint8_t)page_kind(c, p);
		p->state = STATE_UNKNOWN;
	}
	return true;
}

/* A piece of a lost range, all in one guard or all with ascending pgoffs. */
static bool collect_lost_piece(struct collector *c, uint64_t index, uint64_t n, uint64_t table,
			       const struct fault *why)
{
	struct arena_snapshot *a = c->a;
	struct arena_lost *last = a->n_lost ? &a->lost[a->n_lost - 1] : NULL;
	struct arena_lost piece = {
		.has_pgoff = index_in_window(a, index) && arena_knows(a, FIELD_USER_VM_START),
		.n = n, .kernel = a->area.addr + index * a->page_size, .table = table, .why = *why,
	};

	if (piece.has_pgoff)
		piece.pgoff = index_pgoff(a, index);
	if (last && last->why.kind == piece.why.kind && last->has_pgoff == piece.has_pgoff &&
	    last->kernel + last->n * a->page_size == piece.kernel &&
	    (!piece.has_pgoff || last->pgoff + last->n == piece.pgoff)) {
		last->n += n;
		return true;
	}
	if (!array_grow(&a->lost, &c->lost_room, a->n_lost, sizeof(piece), c->why))
		return false;
	a->lost[a->n_lost++] = piece;
	return true;
}

/* First page index after @index where a lost range must be parted: guard, window, ring. */
static uint64_t next_border(const struct arena_snapshot *a, uint64_t index)
{
	uint64_t border[] = {
		a->area.guard / a->page_size,
		(a->area.guard + (uint32_t)a->user_vm_start) / a->page_size,
		(a->area.guard + ARENA_WINDOW) / a->page_size,
	};

	for (size_t i = 0; i < sizeof(border) / sizeof(border[0]); i++)
		if (border[i] > index)
			return border[i];
	return UINT64_MAX;
}

static bool collect_lost(void *ctx, uint64_t va, uint64_t size, uint64_t table,
			 const struct fault *why)
{
	struct collector *c = ctx;
	uint64_t index = (va - c->a->area.addr) / c->a->page_size;
	uint64_t end = index + size / c->a->page_size;

	c->a->truncated = true;
	while (index < end) {
		uint64_t border = next_border(c->a, index);
		uint64_t stop = border < end ? border : end;

		if (!collect_lost_piece(c, index, stop - index, table, why))
			return false;
		index = stop;
	}
	return true;
}

/* The frame of arena->scratch_page, by the place of its struct page in vmemmap. */
static void find_scratch(struct collector *c)
{
	const struct kernel *k = c->k;
	uint64_t page, vmemmap, size;
	struct fault why;

	c->a->scratch_known = !kernel_has(k, MEMBER_bpf_arena_scratch_page);
	if (c->a->no_struct || !kernel_has(k, MEMBER_bpf_arena_scratch_page) ||
	    !kernel_member_u64(k, c->a->map, MEMBER_bpf_arena_scratch_page, &page, &why) ||
	    !vmcoreinfo_symbol(&k->vmcoreinfo, "vmemmap", &vmemmap) ||
	    !vmcoreinfo_number(&k->vmcoreinfo, "SIZE(page)", &size) ||
	    !size || page < vmemmap || (page - vmemmap) % size ||
	    (page - vmemmap) / size > UINT64_MAX >> k->page_shift)
		return;
	c->has_scratch = c->a->scratch_known = true;
	c->scratch = (page - vmemmap) / size << k->page_shift;
}

static int by_frame(const void *a, const void *b)
{
	const struct arena_page *x = *(const struct arena_page *const *)a;
	const struct arena_page *y = *(const struct arena_page *const *)b;

	return (x->phys > y->phys) - (x->phys < y->phys);
}

/*
 * Where the kernel has scratch pages but this arena's is not known: nothing else is ever mapped
 * at two places, so such frames are it.
 */
static bool guess_scratch(struct collector *c)
{
	struct arena_snapshot *a = c->a;
	struct arena_page **order;

	if (c->has_scratch || !kernel_has(c->k, MEMBER_bpf_arena_scratch_page) || !a->n_pages)
		return true;
	order = malloc(a->n_pages * sizeof(struct arena_page *));
	if (!order)
		return fault_set(c->why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (size_t i = 0; i < a->n_pages; i++)
		order[i] = &a->pages[i];
	qsort(order, a->n_pages, sizeof(struct arena_page *), by_frame);
	for (size_t i = 1; i < a->n_pages; i++)
		if (order[i]->phys == order[i - 1]->phys)
			order[i]->kind = order[i - 1]->kind = KIND_SCRATCH;
	free(order);
	return true;
}

/* Is the frame in use? Its struct page has references. False: not known. */
static bool frame_used(const struct kernel *k, uint64_t phys, bool *used)
{
	uint64_t vmemmap, size, at;
	uint32_t refcount;
	struct fault ignored;

	if (!vmcoreinfo_symbol(&k->vmcoreinfo, "vmemmap", &vmemmap) ||
	    !vmcoreinfo_number(&k->vmcoreinfo, "SIZE(page)", &size) ||
	    !vmcoreinfo_number(&k->vmcoreinfo, "OFFSET(page._refcount)", &at) ||
	    !kernel_read_u32(k, vmemmap + (phys >> k->page_shift) * size + at, &refcount,
			     &ignored))
		return false;
	*used = refcount;
	return true;
}

/*
 * Where the struct is lost its frames tell: arena_map_free() gives pages back before their
 * entries are cleared.
 */
static void find_life(const struct kernel *k, struct arena_snapshot *a)
{
	enum { ENOUGH = 16 };
	size_t asked = 0;
	bool used = false;

	if (!a->no_struct)
		return;
	for (size_t i = 0; i < a->n_pages && asked < ENOUGH && !used; i++)
		if (a->pages[i].kind == KIND_PAGE)
			asked += frame_used(k, a->pages[i].phys, &used);
	if (!asked)
		return;
	a->life = used ? LIFE_LIVE : LIFE_DYING;
	a->unknown &= ~(1u << FIELD_LIFE);
}

/* Order by pgoff. */

static void reverse(struct arena_page *p, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct arena_page swap = p[i];

		p[i] = p[n - 1 - i];
		p[n - 1 - i] = swap;
	}
}

/* Exchange the first @m pages with the others. */
static void rotate(struct arena_page *p, size_t m, size_t n)
{
	reverse(p, m);
	reverse(p + m, n - m);
	reverse(p, n);
}

static size_t count_below(const struct arena_snapshot *a, uint64_t index)
{
	size_t i = 0;

	while (i < a->n_pages && a->pages[i].index < index)
		i++;
	return i;
}

/*
 * The walk gives kernel addresses ascending: lower guard, low part of the ring, high part
 * (which begins with pgoff 0), upper guard. Make that: high, low, guards.
 */
static void sort_by_pgoff(struct arena_snapshot *a)
{
	size_t window = count_below(a, a->area.guard / a->page_size);
	size_t start = count_below(a, (a->area.guard + (uint32_t)a->user_vm_start) / a->page_size);
	size_t end = count_below(a, (a->area.guard + ARENA_WINDOW) / a->page_size);

	if (!arena_knows(a, FIELD_USER_VM_START))
		return;
	rotate(a->pages, start, end);
	rotate(a->pages + (end - start), window, start);
}

/* --max-pages: forget what comes after, and say so. */
static bool limit_pages(struct collector *c, uint64_t max_pages)
{
	struct arena_snapshot *a = c->a;
	struct arena_lost rest = { 0 };
	uint64_t last;

	if (!max_pages || a->n_pages <= max_pages)
		return true;
	rest.kernel = arena_page_kernel(a, &a->pages[max_pages]);
	rest.has_pgoff = arena_page_pgoff(a, &a->pages[max_pages], &rest.pgoff);
	rest.n = a->n_pages - max_pages;
	if (rest.has_pgoff)
		for (size_t i = max_pages; i < a->n_pages; i++)
			if (arena_page_pgoff(a, &a->pages[i], &last))
				rest.n = last - rest.pgoff + 1;
	fault_fill(&rest.why, FAULT_LIMIT, SPACE_NONE, 0,
		   "%" PRIu64 " pages were asked for at most", max_pages);
	if (!array_grow(&a->lost, &c->lost_room, a->n_lost, sizeof(rest), c->why))
		return false;
	a->lost[a->n_lost++] = rest;
	a->n_pages = (size_t)max_pages;
	a->truncated = true;
	return true;
}

static bool count_pages(struct collector *c)
{
	struct arena_snapshot *a = c->a;

	for (size_t i = 0; i < a->n_pages; i++) {
		struct arena_page *p = &a->pages[i];

		if (i % 4096 == 0 &&
		    !memory_progress(c->k->mem, "looking for pages", i, a->n_pages, c->why))
			return false;
		p->state = (uint8_t)memory_state(c->k->mem, p->phys, a->page_size);
		a->mapped += p->kind == KIND_PAGE;
		a->scratch += p->kind == KIND_SCRATCH;
		a->outside += p->kind == KIND_OUTSIDE;
		a->missing += p->kind == KIND_PAGE && p->state != STATE_STORED &&
			      p->state != STATE_UNKNOWN;
	}
	return true;
}

/* No window: nothing can be enumerated. */
static bool lose_window(struct collector *c)
{
	struct arena_snapshot *a = c->a;
	struct arena_lost all = { .has_pgoff = true, .n = a->declared_pages, .why = a->window };

	a->truncated = true;
	if (!array_grow(&a->lost, &c->lost_room, a->n_lost, sizeof(all), c->why))
		return false;
	a->lost[a->n_lost++] = all;
	return true;
}

/* Where the window begins is not known, and there are pages beside what is surely in it. */
static bool doubt_borders(struct collector *c, const struct arena_found *found)
{
	struct arena_snapshot *a = c->a;
	const struct { uint64_t start, size; } side[] = {
		{ a->area.addr - found->before, found->before },
		{ a->area.addr + a->area.size, found->behind },
	};

	for (size_t i = 0; i < 2; i++) {
		struct arena_lost lost = { .kernel = side[i].start,
					   .n = side[i].size / a->page_size };

		if (!lost.n)
			continue;
		fault_fill(&lost.why, STATE_ABSENT, SPACE_VIRT, lost.kernel,
			   "where the arena begins is not known, and pages from 0x%" PRIx64
			   " on may be its own", lost.kernel);
		if (!array_grow(&a->lost, &c->lost_room, a->n_lost, sizeof(lost), c->why))
			return false;
		a->lost[a->n_lost++] = lost;
		a->truncated = true;
	}
	return true;
}

bool arena_snapshot(const struct kernel *k, const struct arena_found *found, uint64_t max_pages,
		    struct arena_snapshot *a, struct problems *problems, struct fault *why)
{
	struct collector c = { .k = k, .a = a, .why = why };
	const struct pagetable_visitor visitor = { collect_mapped, collect_lost, &c, NULL };

	if (!arena_read(k, found, a, problems, why))
		return false;
	if (!a->area.addr)
		return lose_window(&c);
	find_scratch(&c);
	if (!pagetable_walk(k->pt, a->area.addr, a->area.addr + a->area.size, &visitor, why) ||
	    !guess_scratch(&c) || !doubt_borders(&c, found))
		return false;
	find_life(k, a);
	sort_by_pgoff(a);
	return limit_pages(&c, max_pages) && count_pages(&c);
}

void arena_snapshot_free(struct arena_snapshot *a)
{
	free(a->pages);
	free(a->lost);
	*a = (struct arena_snapshot){ 0 };
}
