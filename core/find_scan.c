// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a search of all stored pages meets: structs, areas and mappings that nothing else led to.
 * Freed ones look the same; find_windows.c tells which are believed.
 */
#include "array.h"
#include "ladder.h"
#include "scan.h"
#include "vmalloc.h"

static bool virt_of(const struct kernel *k, uint64_t phys, uint64_t *va)
{
	const struct pagetable_linear *linear = &k->format.linear[LINEAR_MEMORY];

	*va = linear->start + (phys - linear->phys);
	return linear->end && *va >= linear->start && *va < linear->end;
}

/* @n of a kind were met: is there room for another? */
static bool has_room(struct ladder *l, size_t n)
{
	l->too_many |= n >= LADDER_MAX;
	return n < LADDER_MAX;
}

static bool scanned_map(void *ctx, uint64_t phys)
{
	struct ladder *l = ctx;
	struct candidate c = { 0 };
	struct arena_struct s;
	struct fault ignored;

	if (!has_room(l, l->n_candidate) || !virt_of(l->k, phys, &c.map) || ladder_row(l, c.map) ||
	    arena_struct_read(l->k, c.map, &s, &ignored) != MAP_ARENA)
		return true;
	if (!array_grow(&l->candidate, &l->candidate_room, l->n_candidate, sizeof(c), l->why))
		return false;
	c.kern_vm = s.kern_vm;
	c.id = s.id;
	c.refcnt = s.refcnt;
	c.user_vm_start = s.user_vm_start;
	l->candidate[l->n_candidate++] = c;
	l->list->search.candidates++;
	return true;
}

static bool is_window_of(const struct ladder *l, uint64_t vm)
{
	for (size_t i = 0; i < l->n_window; i++)
		if (l->window[i].vm == vm)
			return true;
	return false;
}

static bool scanned_vm(void *ctx, uint64_t phys)
{
	struct ladder *l = ctx;
	struct window w = { .by = FOUND_SCAN, .weak = true };
	struct fault ignored;

	/* where all areas were seen, one that is not among them is freed */
	if (l->areas_whole || !has_room(l, l->n_window) || !virt_of(l->k, phys, &w.vm) ||
	    is_window_of(l, w.vm) || !arena_area_read(l->k, w.vm, &w.area, &ignored) ||
	    !window_is_free(l, &w.area) || !window_is_backed(l, &w.area, false))
		return true;
	return ladder_add_window(l, &w);
}

static bool has_area(const struct ladder *l, uint64_t start)
{
	for (size_t i = 0; i < l->n_window; i++)
		if (l->window[i].has_area && l->window[i].area.addr == start)
			return true;
	return false;
}

static bool scanned_neighbour(void *ctx, const struct vmalloc_area *a)
{
	struct ladder *l = ctx;
	struct window w = { .vm = a->vm, .by = FOUND_SCAN, .has_area = true };
	struct arena_area by_vm;
	struct fault why;

	if (!a->vm || !arena_area_shape(l->k, a->start, a->end - a->start, &w.area) ||
	    has_area(l, a->start) || !window_is_free(l, &w.area))
		return true;
	if (arena_area_read(l->k, a->vm, &by_vm, &why) ? by_vm.addr != w.area.addr :
							 why.kind == STATE_DAMAGED)
		return true;
	return ladder_add_window(l, &w);
}

/*
 * A vmap_area that the walk did not reach. One in the list of the busy ones is in use, with all
 * that are in it; another is if its pages are there, or if a struct that is in use has it.
 */
static bool scanned_area(void *ctx, uint64_t phys)
{
	struct ladder *l = ctx;
	const struct vmalloc_visitor visitor = { scanned_neighbour, ladder_area_lost, l };
	struct fault why = { .kind = STATE_STORED };
	size_t first = l->n_window;
	uint64_t va, start;
	bool busy;

	if (l->areas_whole || !has_room(l, l->n_window) || !virt_of(l->k, phys, &va) ||
	    !kernel_member_u64(l->k, va, MEMBER_vmap_area_va_start, &start, &why) ||
	    has_area(l, start))
		return true;
	if (!vmalloc_follow(l->k, va, &visitor, &busy, &why) && why.kind == STATE_STORED)
		return false;
	for (size_t i = first; i < l->n_window; i++) {
		l->window[i].weak = !busy;
		l->window[i].unproved = !busy && !window_is_backed(l, &l->window[i].area, false);
	}
	return true;
}

/* A VMA of arena_vm_ops; whether its process is alive the frames that it maps will tell. */
static bool scanned_vma(void *ctx, uint64_t phys)
{
	struct ladder *l = ctx;
	struct task_mapping m;
	uint64_t va;

	if (!has_room(l, l->n_mapping) || !virt_of(l->k, phys, &va) || !tasks_read_vma(l->k, va, &m))
		return true;
	for (size_t i = 0; i < l->n_mapping; i++)
		if (l->mapping[i].pgd == m.pgd && l->mapping[i].start == m.start)
			return true;
	if (!array_grow(&l->mapping, &l->mapping_room, l->n_mapping, sizeof(m), l->why))
		return false;
	l->mapping[l->n_mapping++] = m;
	return true;
}

/*
 * The first of them is told. That a file is cut is said of the file. It is read once more, so that
 * a reduced dump has the same to tell.
 */
static bool scanned_unread(void *ctx, uint64_t phys, enum state state)
{
	struct ladder *l = ctx;
	struct fault why;
	uint8_t byte;

	if (state == STATE_CUT || l->unread)
		return true;
	l->unread = true;
	if (memory_read(l->k->mem, phys, &byte, 1, &why))
		return true;
	fault_prefix(&why, "the search of all pages passed over some that cannot be read: ");
	problems_add(l->problems, &why);
	return true;
}

/* A live system, or a dump that only crash knows how to read. */
static bool cannot_scan(struct ladder *l)
{
	struct fault why;

	if (l->k->mem->ops->next)
		return false;
	fault_fill(&why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
		   "the source has no map of its pages: they cannot be searched");
	problems_add(l->problems, &why);
	return true;
}

bool ladder_scan(struct ladder *l)
{
	const struct scan_visitor visitor = {
		scanned_map, scanned_vm, scanned_area, scanned_vma, scanned_unread, l,
	};
	struct fault why = { .kind = STATE_STORED };

	if (cannot_scan(l))
		return true;
	l->list->search.scan = true;
	return scan_pages(l->k, &visitor, &why) || ladder_can_go_on(l, &why, NULL);
}

