// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel areas of arenas: what the page tables say of them, and whose they are.
 */
#include <inttypes.h>

#include "array.h"
#include "ladder.h"

/* Pages of a process that are compared, and pages of a window that are looked for in it. */
enum { MAX_SAME = 1 << 12, MAX_TRIED = 1 << 16 };

struct look {
	const struct arena_area *area;	/* borrowed */
	uint64_t page;			/* bytes */
	uint64_t mapped, guarded;	/* pages; of these in a guard that never has any */
	uint64_t tables;		/* bytes that they can map */
};

static bool look_mapped(void *ctx, uint64_t va, uint64_t phys, uint64_t size)
{
	struct look *look = ctx;
	uint64_t off = va - look->area->addr;

	(void)phys;
	look->mapped += size / look->page;
	/* from 7.2 on the upper guard may have scratch pages */
	if (off < look->area->guard || off + size > look->area->size - look->page)
		look->guarded++;
	return true;
}

static bool look_table(void *ctx, uint64_t va, uint64_t size, bool *skip)
{
	struct look *look = ctx;

	(void)va;
	(void)skip;
	look->tables += size;
	return true;
}

bool window_is_backed(const struct ladder *l, const struct arena_area *area, bool empty)
{
	struct look look = { .area = area, .page = l->k->page_size };
	const struct pagetable_visitor visitor = { look_mapped, NULL, &look, look_table };
	struct fault ignored;

	if (!pagetable_walk(l->k->pt, area->addr, area->addr + area->size, &visitor, &ignored) ||
	    look.guarded)
		return false;
	return look.mapped || (empty && look.tables >= ARENA_WINDOW);
}

static bool overlap(const struct arena_area *a, const struct arena_area *b)
{
	return a->addr < b->addr + b->size && b->addr < a->addr + a->size;
}

bool window_is_free(const struct ladder *l, const struct arena_area *area)
{
	for (size_t i = 0; i < l->n_window; i++)
		if (!l->window[i].weak && overlap(area, &l->window[i].area))
			return false;
	for (size_t i = 0; i < l->n_other; i++)
		if (overlap(area, &l->other[i]))
			return false;
	return true;
}

/* Is the struct in use, by its own word and that of map_idr? */
static bool is_live(const struct ladder *l, const struct candidate *c)
{
	return c->refcnt && c->id && ladder_may_be(l, c->map, c->id);
}

static bool is_claimed(const struct ladder *l, const struct window *w)
{
	for (size_t i = 0; w->vm && i < l->n_candidate; i++)
		if (l->candidate[i].kern_vm == w->vm && is_live(l, &l->candidate[i]))
			return true;
	return false;
}

/* Of two windows at one place, of which @w is weak: does @w give way to @other? */
static bool gives_way(const struct ladder *l, const struct window *w, const struct window *other)
{
	if (!other->weak || w->unproved != other->unproved)
		return !other->weak || w->unproved;
	if (is_claimed(l, w) != is_claimed(l, other))
		return is_claimed(l, other);
	return w->area.addr == other->area.addr && other < w;
}

void ladder_settle_windows(struct ladder *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n_window; i++) {
		struct window *w = &l->window[i];

		for (size_t j = 0; w->weak && j < l->n_window; j++) {
			const struct window *other = &l->window[j];

			if (i == j || !overlap(&w->area, &other->area))
				continue;
			if (gives_way(l, w, other))
				w->taken = true;	/* for now: it goes */
			else if (w->area.addr != other->area.addr && !gives_way(l, other, w))
				w->contested = true;
		}
	}
	for (size_t i = 0; i < l->n_window; i++) {
		struct window *w = &l->window[i];

		if (w->weak && w->taken)
			continue;
		w->unproved |= w->weak && w->contested;
		w->weak = false;
		l->window[kept++] = *w;
	}
	l->n_window = kept;
}

/* Ties by frames. */

/* Where a process that maps the arena at @m has the page at @off of a window. */
static uint64_t user_address(const struct task_mapping *m, uint64_t off)
{
	return (m->start & ~UINT64_C(0xffffffff)) | (uint32_t)off;
}

struct compare {
	const struct ladder *l;
	const struct task_mapping *m;
	uint64_t base;		/* of the window */
	size_t same, tried;
	bool differs;
};

static bool compare_page(void *ctx, uint64_t va, uint64_t phys, uint64_t size)
{
	struct compare *c = ctx;
	uint64_t user = user_address(c->m, va - c->base), at;
	struct fault ignored;

	(void)size;
	/* what lies in a guard has no user address */
	if (va - c->base >= ARENA_WINDOW || user < c->m->start || user >= c->m->end)
		return true;
	if (!tasks_translate(c->l->k, c->m->pgd, user, &at, &ignored))
		return ++c->tried < MAX_TRIED;
	c->differs = at != phys;
	return !c->differs && ++c->same < MAX_SAME;
}

bool window_is_mapped(const struct ladder *l, const struct arena_area *area,
		      const struct task_mapping *m)
{
	struct compare c = { .l = l, .m = m, .base = area->addr + area->guard };
	const struct pagetable_visitor visitor = { compare_page, NULL, &c, NULL };
	struct fault ignored;

	if (!m->pgd)
		return false;
	pagetable_walk(l->k->pt, area->addr, area->addr + area->size, &visitor, &ignored);
	return c.same && !c.differs;
}

/* Structs that the scan found. */

/* Is all that is in use known? Else one that is not, as @c, may be stale. */
static bool knows_living(const struct ladder *l, const struct candidate *c)
{
	for (size_t i = 0; i < l->n_lost; i++)
		if (!l->lost[i].listed && l->lost[i].map != c->map)
			return false;
	return !l->n_ids;
}

/* The one struct that says that @w is its, and is in use; else one that is being freed or made. */
static const struct candidate *choose(const struct ladder *l, const struct window *w)
{
	const struct candidate *live = NULL, *other = NULL;
	size_t n_live = 0, n_other = 0;

	for (size_t i = 0; i < l->n_candidate; i++) {
		const struct candidate *c = &l->candidate[i];

		if (!w->vm || c->kern_vm != w->vm)
			continue;
		if (is_live(l, c)) {
			live = c;
			n_live++;
		} else if (!c->refcnt || !c->id) {
			other = c;
			n_other++;
		}
	}
	/* of several which is stale cannot be told */
	if (n_live)
		return n_live == 1 ? live : NULL;
	return n_other == 1 && knows_living(l, other) ? other : NULL;
}

/* A process maps the pages of @w as those of another struct, or elsewhere. */
static bool is_denied(const struct ladder *l, const struct window *w, const struct candidate *c)
{
	for (size_t i = 0; i < l->n_mapping; i++) {
		const struct task_mapping *m = &l->mapping[i];

		if (((m->user.map && m->user.map != c->map) || m->start != c->user_vm_start) &&
		    window_is_mapped(l, &w->area, m))
			return true;
	}
	return false;
}

static bool list_candidate(struct ladder *l, struct window *w)
{
	const struct candidate *c = w->contested ? NULL : choose(l, w);
	const struct lost_map *lost;
	bool no_id;

	if (!c || is_denied(l, w, c))
		return true;
	w->taken = true;
	/* map_idr may have it under another id: which is right is not known */
	lost = ladder_lost(l, c->map);
	no_id = !c->id || (lost && lost->has_id && lost->id != c->id);
	return ladder_add(l, &(struct arena_found){
		.by = w->by, .id = no_id ? 0 : c->id, .no_id = no_id, .map = c->map,
		.area = w->area,
	});
}

/* A struct with a window that no vmalloc area names: proved if pages are mapped there. */
static bool add_window_of(struct ladder *l, struct candidate *c)
{
	struct window w = { .vm = c->kern_vm, .by = FOUND_SCAN };
	struct fault ignored;

	if (l->areas_whole || !is_live(l, c) ||
	    !arena_area_read(l->k, c->kern_vm, &w.area, &ignored))
		return true;
	for (size_t i = 0; i < l->n_window; i++)
		if (overlap(&w.area, &l->window[i].area))
			return true;
	if (!window_is_free(l, &w.area))
		return true;
	if (window_is_backed(l, &w.area, false))
		return ladder_add_window(l, &w);
	c->unproved = true;
	return true;
}

bool ladder_take_candidates(struct ladder *l)
{
	for (size_t i = 0; i < l->n_candidate; i++)
		if (!add_window_of(l, &l->candidate[i]))
			return false;
	for (size_t i = 0; i < l->n_window; i++)
		if (!l->window[i].taken && !list_candidate(l, &l->window[i]))
			return false;
	return true;
}

/* What a mapping says of its window. */

/*
 * The struct that @m maps, of which no row is: whole, lost, or none where what there is
 * contradicts it.
 */
static enum map_kind struct_of(const struct ladder *l, const struct window *w,
			       const struct task_mapping *m, struct arena_struct *s)
{
	enum map_kind kind = MAP_NONE;
	struct arena_area own;
	struct fault ignored;

	if (m->user.map)
		kind = arena_struct_read(l->k, m->user.map, s, &ignored);
	if (kind == MAP_LOST)
		return l->n_ids || ladder_lost(l, m->user.map) ? MAP_LOST : MAP_NONE;
	if (kind != MAP_ARENA || !s->refcnt || !s->id ||
	    !ladder_may_be(l, m->user.map, s->id) || s->user_vm_start != m->start)
		return MAP_NONE;
	if (w->vm && s->kern_vm != w->vm)
		return MAP_NONE;
	if (arena_area_read(l->k, s->kern_vm, &own, &ignored) && own.addr != w->area.addr)
		return MAP_NONE;
	return MAP_ARENA;
}

/* The struct of @m is the one of @w: the row gets the window, or the window its struct's place. */
static bool tie(struct ladder *l, struct window *w, const struct task_mapping *m)
{
	struct arena_found *row = ladder_row(l, m->user.map);
	struct lost_map *lost = ladder_lost(l, m->user.map);
	struct arena_found found = { .by = w->by, .no_struct = true, .no_id = true, .area = w->area,
				     .user_vm_start = m->start, .user_vm_end = m->end };
	struct arena_struct s;
	enum map_kind kind;

	w->taken = true;
	if (row) {
		row->area = w->area;
		row->no_area = false;
		return true;
	}
	kind = struct_of(l, w, m, &s);
	if (kind == MAP_ARENA || kind == MAP_LOST)
		found.map = m->user.map;
	if (lost) {
		lost->listed = true;
		found.no_id = !lost->has_id;
		found.id = lost->has_id ? lost->id : 0;
	}
	if (kind == MAP_ARENA) {
		found.no_struct = false;
		found.no_id = lost && lost->has_id && lost->id != s.id;
		found.id = found.no_id ? 0 : s.id;
	}
	return ladder_add(l, &found);
}

/* A mapping whose struct has no window yet. */
static bool is_untied(const struct ladder *l, const struct task_mapping *m)
{
	const struct arena_found *row = ladder_row(l, m->user.map);

	return !row || !row->area.addr;
}

static bool tie_window(struct ladder *l, struct window *w)
{
	for (size_t i = 0; i < l->n_mapping; i++) {
		const struct task_mapping *m = &l->mapping[i];

		if (!memory_progress(l->k->mem, "comparing mapped pages", 0, 0, l->why))
			return false;
		if (is_untied(l, m) && window_is_mapped(l, &w->area, m))
			return tie(l, w, m);
	}
	return true;
}

/* What is left. */

static bool list_alone(struct ladder *l, const struct window *w)
{
	return w->unproved || ladder_add(l, &(struct arena_found){
		.by = w->by, .no_struct = true, .no_id = true, .area = w->area,
		.inexact = w->inexact, .before = w->before, .behind = w->behind,
	});
}

bool ladder_list_windows(struct ladder *l)
{
	for (size_t i = 0; i < l->n_window; i++) {
		struct window *w = &l->window[i];

		if ((!w->taken && !w->inexact && !tie_window(l, w)) ||
		    (!w->taken && !list_alone(l, w)))
			return false;
	}
	return true;
}
