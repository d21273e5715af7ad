// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel areas of arenas: what the page tables say of them, and whose they are.
 */
#include <inttypes.h>

#include "array.h"
#include "ladder.h"

#define WINDOW (UINT64_C(4) << 30)

/* A few pages of a window, to know it by their frames. */
enum { SAMPLES = 64 };

struct sample {
	uint64_t va, phys;
};

struct look {
	const struct arena_area *area;	/* borrowed */
	uint64_t page;			/* bytes */
	uint64_t mapped, guarded;	/* pages; of these in a guard that never has any */
	uint64_t tables;		/* bytes that they can map */
	struct sample sample[SAMPLES];
	size_t samples;
};

static bool look_mapped(void *ctx, uint64_t va, uint64_t phys, uint64_t size)
{
	struct look *look = ctx;
	uint64_t off = va - look->area->addr;

	look->mapped += size / look->page;
	/* from 7.2 on the upper guard may have scratch pages */
	if (off < look->area->guard || off + size > look->area->size - look->page)
		look->guarded++;
	if (look->samples < SAMPLES)
		look->sample[look->samples++] = (struct sample){ va, phys };
	return true;
}

static bool look_lost(void *ctx, uint64_t va, uint64_t size, uint64_t table,
		      const struct fault *why)
{
	(void)ctx;
	(void)va;
	(void)size;
	(void)table;
	(void)why;
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

static bool look_at(const struct ladder *l, const struct arena_area *area, struct look *look)
{
	const struct pagetable_visitor visitor = { look_mapped, look_lost, look, look_table };
	struct fault ignored;

	*look = (struct look){ .area = area, .page = l->k->page_size };
	return pagetable_walk(l->k->pt, area->addr, area->addr + area->size, &visitor, &ignored);
}

bool window_is_backed(const struct ladder *l, const struct arena_area *area, bool empty)
{
	struct look look;

	if (!look_at(l, area, &look) || look.guarded)
		return false;
	return look.mapped || (empty && look.tables >= WINDOW);
}

static bool overlap(const struct arena_area *a, const struct arena_area *b)
{
	return a->addr < b->addr + b->size && b->addr < a->addr + a->size;
}

bool window_is_free(const struct ladder *l, const struct arena_area *area)
{
	for (size_t i = 0; i < l->n_window; i++)
		if (overlap(area, &l->window[i].area))
			return false;
	for (size_t i = 0; i < l->n_other; i++)
		if (overlap(area, &l->other[i]))
			return false;
	return true;
}

/* Structs that the scan found. */

static struct lost_map *lost_at(const struct ladder *l, uint64_t map)
{
	for (size_t i = 0; i < l->n_lost; i++)
		if (l->lost[i].map == map)
			return &l->lost[i];
	return NULL;
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
		if (c->refcnt && c->id) {
			live = c;
			n_live++;
		} else {
			other = c;
			n_other++;
		}
	}
	/* of several which is stale cannot be told */
	if (n_live)
		return n_live == 1 ? live : NULL;
	return n_other == 1 ? other : NULL;
}

static bool list_candidate(struct ladder *l, struct window *w)
{
	const struct candidate *c = choose(l, w);
	const struct lost_map *lost;
	bool no_id;

	if (!c)
		return true;
	w->taken = true;
	/* map_idr may have it under another id: which is right is not known */
	lost = lost_at(l, c->map);
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

	if (l->areas_whole || !c->refcnt || !c->id ||
	    !arena_area_read(l->k, c->kern_vm, &w.area, &ignored) ||
	    !window_is_free(l, &w.area))
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

/* Ties by frames. */

/* Where a process that maps the arena at @m has the page at @va of a window that begins at @base. */
static uint64_t user_address(const struct task_mapping *m, uint64_t base, uint64_t va)
{
	return (m->start & ~UINT64_C(0xffffffff)) | (uint32_t)(va - base);
}

/* Does @m map the same frames as @look at the same offsets? One at least, and no other. */
static bool same_frames(const struct ladder *l, const struct look *look, uint64_t base,
			const struct task_mapping *m)
{
	size_t same = 0;

	for (size_t i = 0; i < look->samples; i++) {
		const struct sample *s = &look->sample[i];
		uint64_t user = user_address(m, base, s->va), phys;
		struct fault ignored;

		if (user < m->start || user >= m->end ||
		    !tasks_translate(l->k, m->pgd, user, &phys, &ignored))
			continue;
		if (phys != s->phys)
			return false;
		same++;
	}
	return same;
}

/* The struct of @m is the one of @w: the row gets the window, or the window its struct's place. */
static bool tie(struct ladder *l, struct window *w, const struct task_mapping *m)
{
	struct arena_found *row = ladder_row(l, m->user.map);
	struct lost_map *lost = lost_at(l, m->user.map);

	w->taken = true;
	if (row) {
		row->area = w->area;
		row->inexact = w->inexact;
		return true;
	}
	if (lost)
		lost->listed = true;
	return ladder_add(l, &(struct arena_found){
		.by = w->by, .no_struct = true, .no_id = !lost || !lost->has_id,
		.id = lost && lost->has_id ? lost->id : 0, .map = m->user.map, .area = w->area,
		.user_vm_start = m->start, .user_vm_end = m->end,
	});
}

/* A mapping whose struct has no window yet. */
static bool is_untied(const struct ladder *l, const struct task_mapping *m)
{
	const struct arena_found *row = ladder_row(l, m->user.map);

	return m->pgd && (!row || !row->area.addr);
}

static bool tie_window(struct ladder *l, struct window *w)
{
	struct look look;

	if (!l->n_mapping || !look_at(l, &w->area, &look))
		return true;
	for (size_t i = 0; i < l->n_mapping; i++)
		if (is_untied(l, &l->mapping[i]) &&
		    same_frames(l, &look, w->area.addr + w->area.guard, &l->mapping[i]))
			return tie(l, w, &l->mapping[i]);
	return true;
}

/* What is left. */

static bool list_alone(struct ladder *l, const struct window *w)
{
	return w->unproved || ladder_add(l, &(struct arena_found){
		.by = w->by, .no_struct = true, .no_id = true, .area = w->area,
		.inexact = w->inexact,
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
