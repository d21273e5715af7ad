// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One arena: its struct, its kernel area, its pages.
 */
#include "arena.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"

/* Not in BTF as numbers that can be asked for; the same in 6.9 to 7.3. */
enum {
	VM_SPARSE_USERMAP = 0x1008,	/* include/linux/vmalloc.h: VM_SPARSE | VM_USERMAP */
	VM_OTHERS = 0x7,		/* VM_IOREMAP | VM_ALLOC | VM_MAP */
	OLD_GUARD_SZ = 1 << 16,		/* GUARD_SZ up to 6.13; round_up(1 << 16, 2 * PAGE_SIZE) later */
};

#define WINDOW (UINT64_C(4) << 30)

static const char *const field_name[ARENA_FIELDS] = {
	[FIELD_USER_VM_START] = "user_vm_start",
	[FIELD_KERN_VM_START] = "kern_vm_start",
	[FIELD_MAPPED] = "mapped",
	[FIELD_SCRATCH] = "scratch",
	[FIELD_OUTSIDE] = "outside",
	[FIELD_MISSING] = "missing",
};

const char *arena_field_name(enum arena_field field)
{
	return field_name[field];
}

static bool knows(const struct arena_snapshot *a, enum arena_field field)
{
	return !(a->unknown & 1u << field);
}

/* The struct and its kernel area. */

static bool read_struct(const struct kernel *k, struct arena_snapshot *a, uint64_t *kern_vm,
			struct fault *why)
{
	const struct members *m = &k->members;
	uint64_t most = WINDOW / k->page_size;

	if (!kernel_member_u32(k, a->map, MEMBER_bpf_map_max_entries, &a->max_entries, why) ||
	    !kernel_member_u64(k, a->map, MEMBER_bpf_map_map_extra, &a->map_extra, why) ||
	    !kernel_member_u32(k, a->map, MEMBER_bpf_map_map_flags, &a->map_flags, why) ||
	    !kernel_read(k, a->map + m->offset[MEMBER_bpf_map_name], a->name, 16, why) ||
	    !kernel_member_u64(k, a->map, MEMBER_bpf_arena_user_vm_start, &a->user_vm_start,
			       why) ||
	    !kernel_member_u64(k, a->map, MEMBER_bpf_arena_user_vm_end, &a->user_vm_end, why) ||
	    !kernel_member_u64(k, a->map, MEMBER_bpf_arena_kern_vm, kern_vm, why))
		return false;
	a->span_capped = a->max_entries > most;
	a->declared_pages = a->span_capped ? most : a->max_entries;
	return true;
}

/* GUARD_SZ by the size of the area; false where no kernel makes an area of that size. */
static bool guard_size(const struct kernel *k, uint64_t requested, uint64_t *guard)
{
	uint64_t rounded = (OLD_GUARD_SZ + 2 * k->page_size - 1) & ~(2 * k->page_size - 1);

	*guard = requested - WINDOW;
	/* unfixed 64K kernels up to 6.13 put the window between pages: nothing there is right */
	return (*guard == rounded || *guard == OLD_GUARD_SZ) && *guard / 2 % k->page_size == 0;
}

static bool read_area(const struct kernel *k, uint64_t vm, struct arena_snapshot *a,
		      struct fault *why)
{
	uint64_t addr, size, flags, requested, guard, end;

	if (!kernel_member_u64(k, vm, MEMBER_vm_struct_addr, &addr, why) ||
	    !kernel_member_u64(k, vm, MEMBER_vm_struct_size, &size, why) ||
	    !kernel_member_u64(k, vm, MEMBER_vm_struct_flags, &flags, why))
		return false;
	requested = size - k->page_size;
	if (kernel_has(k, MEMBER_vm_struct_requested_size)) {
		uint64_t value;

		if (!kernel_member_u64(k, vm, MEMBER_vm_struct_requested_size, &value, why))
			return false;
		if (value != requested)
			requested = 0;
	}
	if ((flags & VM_SPARSE_USERMAP) != VM_SPARSE_USERMAP || flags & VM_OTHERS ||
	    !guard_size(k, requested, &guard) || addr % k->page_size ||
	    addr < k->format.lowest || !add_ok(addr, size, &end))
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, vm,
			"the vm_struct at 0x%" PRIx64 " (address 0x%" PRIx64 ", size 0x%" PRIx64
			", flags 0x%" PRIx64 ") is not that of an arena", vm, addr, size, flags);
	a->area = addr;
	a->area_size = size;
	a->guard = guard / 2;
	a->kern_vm_start = addr + a->guard;
	return true;
}

static void forget_window(struct arena_snapshot *a)
{
	a->unknown |= 1u << FIELD_KERN_VM_START | 1u << FIELD_MAPPED | 1u << FIELD_SCRATCH |
		      1u << FIELD_OUTSIDE | 1u << FIELD_MISSING;
}

bool arena_read(const struct kernel *k, const struct arena_found *found,
		struct arena_snapshot *a, struct problems *problems, struct fault *why)
{
	uint64_t kern_vm;
	struct fault fault;

	*a = (struct arena_snapshot){
		.id = found->id, .map = found->map, .page_size = k->page_size,
	};
	if (!read_struct(k, a, &kern_vm, why))
		return fault_prefix(why, "arena %" PRIu32 ": ", a->id);
	if (a->user_vm_start % k->page_size) {
		fault_fill(&fault, STATE_DAMAGED, SPACE_VIRT, a->map,
			   "arena %" PRIu32 ": user_vm_start 0x%" PRIx64
			   " is not the address of a page", a->id, a->user_vm_start);
		problems_add_map(problems, &fault, a->id, a->map);
		a->user_vm_start = 0;
		a->unknown |= 1u << FIELD_USER_VM_START;
	}
	if (!read_area(k, kern_vm, a, &fault)) {
		a->window = fault;
		fault_prefix(&fault, "arena %" PRIu32 ": its pages are not known: ", a->id);
		problems_add_map(problems, &fault, a->id, a->map);
		forget_window(a);
	}
	return true;
}

/* Addresses: 32-bit arithmetic inside the window. */

static bool index_in_window(const struct arena_snapshot *a, uint64_t index)
{
	uint64_t off = index * a->page_size;

	return off >= a->guard && off - a->guard < WINDOW;
}

/* pgoff of page @index of the area; it is in the window. */
static uint64_t index_pgoff(const struct arena_snapshot *a, uint64_t index)
{
	uint32_t low = (uint32_t)(index * a->page_size - a->guard);

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
	return a->area + p->index * a->page_size;
}

bool arena_page_pgoff(const struct arena_snapshot *a, const struct arena_page *p,
		      uint64_t *pgoff)
{
	if (!knows(a, FIELD_USER_VM_START) || !index_in_window(a, p->index))
		return false;
	*pgoff = index_pgoff(a, p->index);
	return true;
}

uint64_t arena_user_address(const struct arena_snapshot *a, uint64_t pgoff)
{
	return (a->user_vm_start & ~UINT64_C(0xffffffff)) |
	       (uint32_t)(a->user_vm_start + pgoff * a->page_size);
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

static bool grow(void **array, size_t *room, size_t n, size_t size, struct fault *why)
{
	size_t more = *room ? 2 * *room : 64;
	void *p;

	if (n < *room)
		return true;
	p = realloc(*array, more * size);
	if (!p)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	*array = p;
	*room = more;
	return true;
}

static enum page_kind page_kind(const struct collector *c, const struct arena_page *p)
{
	uint64_t pgoff;

	if (c->has_scratch && p->phys == c->scratch)
		return KIND_SCRATCH;
	if (!index_in_window(c->a, p->index))
		return KIND_OUTSIDE;
	if (arena_page_pgoff(c->a, p, &pgoff) && pgoff >= c->a->declared_pages)
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

		if (!grow((void **)&a->pages, &c->page_room, a->n_pages, sizeof(*p), c->why))
			return false;
		p = &a->pages[a->n_pages++];
		p->phys = phys + at;
		p->index = (uint32_t)((va + at - a->area) / page);
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
		.has_pgoff = index_in_window(a, index) && knows(a, FIELD_USER_VM_START),
		.n = n, .kernel = a->area + index * a->page_size, .table = table, .why = *why,
	};

	if (piece.has_pgoff)
		piece.pgoff = index_pgoff(a, index);
	if (last && last->why.kind == piece.why.kind && last->has_pgoff == piece.has_pgoff &&
	    last->kernel + last->n * a->page_size == piece.kernel &&
	    (!piece.has_pgoff || last->pgoff + last->n == piece.pgoff)) {
		last->n += n;
		return true;
	}
	if (!grow((void **)&a->lost, &c->lost_room, a->n_lost, sizeof(piece), c->why))
		return false;
	a->lost[a->n_lost++] = piece;
	return true;
}

/* First page index after @index where a lost range must be parted: guard, window, ring. */
static uint64_t next_border(const struct arena_snapshot *a, uint64_t index)
{
	uint64_t border[] = {
		a->guard / a->page_size,
		(a->guard + (uint32_t)a->user_vm_start) / a->page_size,
		(a->guard + WINDOW) / a->page_size,
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
	uint64_t index = (va - c->a->area) / c->a->page_size;
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

	if (!kernel_has(k, MEMBER_bpf_arena_scratch_page) ||
	    !kernel_member_u64(k, c->a->map, MEMBER_bpf_arena_scratch_page, &page, &why) ||
	    !vmcoreinfo_symbol(&k->vmcoreinfo, "vmemmap", &vmemmap) ||
	    !vmcoreinfo_number(&k->vmcoreinfo, "SIZE(page)", &size) ||
	    !size || page < vmemmap || (page - vmemmap) % size ||
	    (page - vmemmap) / size > UINT64_MAX >> k->page_shift)
		return;
	c->has_scratch = true;
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
	size_t window = count_below(a, a->guard / a->page_size);
	size_t start = count_below(a, (a->guard + (uint32_t)a->user_vm_start) / a->page_size);
	size_t end = count_below(a, (a->guard + WINDOW) / a->page_size);

	if (!knows(a, FIELD_USER_VM_START))
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
	if (!grow((void **)&a->lost, &c->lost_room, a->n_lost, sizeof(rest), c->why))
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
	if (!grow((void **)&a->lost, &c->lost_room, a->n_lost, sizeof(all), c->why))
		return false;
	a->lost[a->n_lost++] = all;
	return true;
}

bool arena_snapshot(const struct kernel *k, const struct arena_found *found, uint64_t max_pages,
		    struct arena_snapshot *a, struct problems *problems, struct fault *why)
{
	struct collector c = { .k = k, .a = a, .why = why };
	const struct pagetable_visitor visitor = { collect_mapped, collect_lost, &c };

	if (!arena_read(k, found, a, problems, why))
		return false;
	if (!knows(a, FIELD_KERN_VM_START))
		return lose_window(&c);
	find_scratch(&c);
	if (!pagetable_walk(k->pt, a->area, a->area + a->area_size, &visitor, why) ||
	    !guess_scratch(&c))
		return false;
	sort_by_pgoff(a);
	return limit_pages(&c, max_pages) && count_pages(&c);
}

void arena_snapshot_free(struct arena_snapshot *a)
{
	free(a->pages);
	free(a->lost);
	*a = (struct arena_snapshot){ 0 };
}
