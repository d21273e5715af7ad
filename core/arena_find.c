// SPDX-License-Identifier: GPL-2.0-or-later
#include "arena_find.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "array.h"
#include "idr.h"
#include "ladder.h"
#include "programs.h"
#include "vmalloc.h"

const char *found_by_name(enum found_by by)
{
	switch (by) {
	case FOUND_MAP_IDR:
		return "map_idr";
	case FOUND_PROGRAM:
		return "program";
	case FOUND_VMALLOC:
		return "vmalloc";
	case FOUND_TASK:
		return "task";
	case FOUND_SCAN:
		return "scan";
	case FOUND_PAGETABLE:
		return "pagetable";
	}
	return "pagetable";
}

/* What is known so far. */

struct arena_found *ladder_row(const struct ladder *l, uint64_t map)
{
	for (size_t i = 0; i < l->list->n; i++)
		if (map && l->list->found[i].map == map)
			return &l->list->found[i];
	return NULL;
}

struct arena_found *ladder_add(struct ladder *l, const struct arena_found *found)
{
	struct arena_list *list = l->list;

	if (!array_grow(&list->found, &list->room, list->n, sizeof(*found), l->why))
		return NULL;
	list->found[list->n] = *found;
	return &list->found[list->n++];
}

struct lost_map *ladder_lost(const struct ladder *l, uint64_t map)
{
	for (size_t i = 0; i < l->n_lost; i++)
		if (l->lost[i].map == map)
			return &l->lost[i];
	return NULL;
}

/* Note that @map cannot be read; one entry for each. NULL: out of memory. */
static struct lost_map *lose(struct ladder *l, uint64_t map, const struct fault *why)
{
	struct lost_map *lost = ladder_lost(l, map);

	if (lost)
		return lost;
	if (!array_grow(&l->lost, &l->lost_room, l->n_lost, sizeof(*l->lost), l->why))
		return NULL;
	l->lost[l->n_lost] = (struct lost_map){ .map = map, .why = *why };
	return &l->lost[l->n_lost++];
}

bool ladder_may_be(const struct ladder *l, uint64_t map, uint32_t id)
{
	for (size_t i = 0; i < l->n_ids; i++)
		if (id >= l->ids[i].first && id <= l->ids[i].last)
			return true;
	return ladder_lost(l, map);
}

bool ladder_add_window(struct ladder *l, const struct window *window)
{
	if (!array_grow(&l->window, &l->window_room, l->n_window, sizeof(*window), l->why))
		return false;
	l->window[l->n_window++] = *window;
	return true;
}

/* map_idr: an entry is the map of its id, whatever its type. */

static bool lose_entry(struct ladder *l, uint32_t id, uint64_t map, const struct fault *why)
{
	struct lost_map *lost = lose(l, map, why);

	if (!lost)
		return false;
	lost->has_id = true;
	lost->id = id;
	l->disagree = true;
	return true;
}

static bool idr_entry(void *ctx, uint32_t id, uint64_t map)
{
	struct ladder *l = ctx;
	struct arena_struct s;
	struct fault why;
	uint32_t map_id;

	l->list->search.maps++;
	if (!arena_struct_id(l->k, map, &map_id, &why))
		return lose_entry(l, id, map, &why);
	if (map_id != id) {
		fault_fill(&why, STATE_DAMAGED, SPACE_VIRT, map,
			   "the struct at 0x%" PRIx64 " says that its id is %" PRIu32, map, map_id);
		return lose_entry(l, id, map, &why);
	}
	switch (arena_struct_read(l->k, map, &s, &why)) {
	case MAP_OTHER:
		return true;
	case MAP_ARENA:
		return ladder_add(l, &(struct arena_found){ .id = id, .map = map });
	case MAP_LOST:
	case MAP_NONE:
		break;
	}
	return lose_entry(l, id, map, &why);
}

static bool idr_lost(void *ctx, uint32_t first, uint32_t last, const struct fault *why)
{
	struct ladder *l = ctx;

	if (!array_grow(&l->ids, &l->ids_room, l->n_ids, sizeof(*l->ids), l->why))
		return false;
	l->ids[l->n_ids++] = (struct lost_ids){ first, last, *why };
	l->disagree = true;
	return true;
}

/* False: out of memory. Where map_idr itself is lost, that is all ids. */
static bool ask_map_idr(struct ladder *l)
{
	const struct idr_visitor visitor = { idr_entry, idr_lost, l };
	const struct symbol *idr = &l->k->symbol[SYMBOL_map_idr];
	struct fault why = { .kind = STATE_STORED };

	if (idr->count != 1) {
		fault_fill(&why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "there is no symbol of that "
			   "name: a kernel without CONFIG_KALLSYMS_ALL");
		why.cure = CURE_DEBUGINFO;
	} else if (idr_walk(l->k, idr->addr, &visitor, &why)) {
		return true;
	} else if (why.kind == STATE_STORED) {
		return false;	/* stopped by a visitor */
	}
	return idr_lost(l, 0, UINT32_MAX, &why);
}

/*
 * A pointer from elsewhere to what must be an arena. One that is being freed has no references
 * and no id; such a struct may be there for long, but it is none. Nor is one that is not in
 * map_idr, where that can be read.
 */
static bool add_pointed(struct ladder *l, uint64_t map, enum found_by by, bool must_be,
			const char *who)
{
	struct lost_map *lost;
	struct arena_struct s;
	struct fault why;

	if (ladder_row(l, map))
		return true;
	switch (arena_struct_read(l->k, map, &s, &why)) {
	case MAP_ARENA:
		if (s.refcnt && s.id && ladder_may_be(l, map, s.id))
			return ladder_add(l, &(struct arena_found){
				.by = by, .id = s.id, .map = map });
		break;
	case MAP_LOST:
		if (!l->n_ids && !ladder_lost(l, map))
			break;
		lost = must_be ? lose(l, map, &why) : NULL;
		if (lost)
			lost->is_arena = l->disagree = true;
		return lost || !must_be;
	case MAP_OTHER:
	case MAP_NONE:
		break;
	}
	if (!must_be)
		return true;
	fault_fill(&why, STATE_DAMAGED, SPACE_VIRT, map,
		   "%s points to an arena at 0x%" PRIx64 ", but there is none", who, map);
	problems_add(l->problems, &why);
	return true;
}

/* Programs. */

static bool program_arena(void *ctx, uint32_t program, uint64_t map)
{
	struct ladder *l = ctx;
	char who[48] = "the sched_ext scheduler";

	l->list->search.programs++;
	if (program)
		snprintf(who, sizeof(who), "program %" PRIu32, program);
	return add_pointed(l, map, FOUND_PROGRAM, true, who);
}

static bool program_map(void *ctx, uint32_t program, uint64_t map)
{
	(void)program;
	return add_pointed(ctx, map, FOUND_PROGRAM, false, "");
}

/* What only a lost program leads to has a vmalloc area all the same. */
static bool program_lost(void *ctx, const struct fault *why)
{
	(void)ctx;
	(void)why;
	return true;
}

bool ladder_can_go_on(const struct ladder *l, const struct fault *why, bool *not_walked)
{
	if (why->kind == STATE_STORED)
		return false;
	if (why->kind == FAULT_NOMEM || why->kind == FAULT_LIMIT) {
		*l->why = *why;
		return false;
	}
	if (not_walked)
		*not_walked = true;
	return true;
}

static bool ask_programs(struct ladder *l)
{
	const struct programs_visitor visitor = {
		.arena = program_arena, .map = program_map, .lost = program_lost, .ctx = l };
	struct fault why = { .kind = STATE_STORED };

	return programs_walk(l->k, &visitor, &why) ||
	       ladder_can_go_on(l, &why, &l->list->search.no_programs);
}

/* vmalloc areas. */

static bool other_area(struct ladder *l, const struct vmalloc_area *a)
{
	if (!array_grow(&l->other, &l->other_room, l->n_other, sizeof(*l->other), l->why))
		return false;
	l->other[l->n_other++] = (struct arena_area){ a->start, a->end - a->start, 0 };
	return true;
}

static bool one_area(void *ctx, const struct vmalloc_area *a)
{
	struct ladder *l = ctx;
	struct window w = { .vm = a->vm, .by = FOUND_VMALLOC, .has_area = true };
	struct arena_area by_vm;
	struct fault why;

	if (!a->vm || !arena_area_shape(l->k, a->start, a->end - a->start, &w.area))
		return other_area(l, a);
	if (!arena_area_read(l->k, a->vm, &by_vm, &why)) {
		if (why.kind == STATE_DAMAGED)
			return other_area(l, a);
		w.unproved = !window_is_backed(l, &w.area, true);
	} else if (by_vm.addr != w.area.addr || by_vm.size != w.area.size) {
		return other_area(l, a);
	}
	l->list->search.areas++;
	return ladder_add_window(l, &w);
}

bool ladder_area_lost(void *ladder, const struct fault *why)
{
	struct ladder *l = ladder;

	(void)why;
	l->areas_whole = false;
	return true;
}

static bool ask_vmalloc(struct ladder *l)
{
	const struct vmalloc_visitor visitor = { one_area, ladder_area_lost, l };
	struct fault why = { .kind = STATE_STORED };

	l->areas_whole = true;
	if (vmalloc_walk(l->k, &visitor, &why))
		return true;
	l->areas_whole = false;
	return ladder_can_go_on(l, &why, &l->list->search.no_areas);
}

/* Which window is whose. */

/* Two structs say that @w is theirs. map_idr is more than another's word; else none is right. */
static void contest(struct ladder *l, struct window *w, struct arena_found *row)
{
	row->no_area = true;
	if (w->contested || row->by != FOUND_MAP_IDR)
		return;
	w->contested = true;
	w->taken = false;
	for (size_t i = 0; i < l->list->n; i++) {
		struct arena_found *other = &l->list->found[i];

		if (other->area.addr != w->area.addr)
			continue;
		other->area = (struct arena_area){ 0 };
		other->no_area = true;
	}
}

/* The struct of @row names its vm_struct, and that its window. */
static bool claim(struct ladder *l, struct arena_found *row)
{
	struct window own = { .by = row->by, .taken = true };
	struct fault ignored;

	if (row->no_struct || row->area.addr || row->no_area ||
	    !kernel_member_u64(l->k, row->map, MEMBER_bpf_arena_kern_vm, &own.vm, &ignored))
		return true;
	for (size_t i = 0; own.vm && i < l->n_window; i++) {
		struct window *w = &l->window[i];

		if (w->vm != own.vm)
			continue;
		if (w->taken || w->contested) {
			contest(l, w, row);
			return true;
		}
		w->taken = true;
		row->area = w->area;
		return true;
	}
	if (!arena_area_read(l->k, own.vm, &own.area, &ignored))
		return true;
	/* a vm_struct of no area that is in use is freed */
	row->no_area = l->areas_whole || !window_is_free(l, &own.area);
	if (row->no_area)
		return true;
	row->area = own.area;
	return ladder_add_window(l, &own);
}

static bool claim_all(struct ladder *l)
{
	for (size_t i = 0; i < l->list->n; i++)
		if (!claim(l, &l->list->found[i]))
			return false;
	return true;
}

/*
 * May there be arenas that are not listed? All have a vmalloc area; so where every area is that of
 * a struct that was read, whatever else is lost is none.
 */
static bool is_missing(const struct ladder *l)
{
	for (size_t i = 0; i < l->n_window; i++)
		if (!l->window[i].taken)
			return true;
	for (size_t i = 0; i < l->list->n; i++)
		if (!l->list->found[i].area.addr)
			return true;
	return l->disagree && !l->areas_whole;
}

/* Processes. */

static bool task_mapping(void *ctx, const struct task_mapping *m)
{
	struct ladder *l = ctx;
	char who[48];

	l->list->search.mappings++;
	snprintf(who, sizeof(who), "a mapping of process %" PRIu32, m->user.pid);
	if ((m->user.map && !add_pointed(l, m->user.map, FOUND_TASK, true, who)) ||
	    !array_grow(&l->mapping, &l->mapping_room, l->n_mapping, sizeof(*m), l->why))
		return false;
	l->mapping[l->n_mapping++] = *m;
	return true;
}

static bool task_descriptor(void *ctx, const struct task_user *user, uint32_t fd)
{
	(void)fd;
	return add_pointed(ctx, user->map, FOUND_TASK, false, "");
}

static bool task_lost(void *ctx, const struct fault *why)
{
	(void)ctx;
	(void)why;
	return true;
}

static bool ask_tasks(struct ladder *l)
{
	const struct tasks_visitor visitor = { task_mapping, task_descriptor, task_lost, l };
	struct fault why = { .kind = STATE_STORED };

	l->list->search.tasks = true;
	return tasks_walk(l->k, &visitor, &why) || ladder_can_go_on(l, &why, NULL);
}

/* The whole. */

static int by_id(const void *a, const void *b)
{
	const struct arena_found *x = a, *y = b;

	if (x->no_id != y->no_id)
		return x->no_id - y->no_id;
	if (x->no_id)
		return (x->area.addr > y->area.addr) - (x->area.addr < y->area.addr);
	return (x->id > y->id) - (x->id < y->id);
}

static bool take_long_ways(struct ladder *l, bool scan)
{
	if (!ask_tasks(l) || !claim_all(l))
		return false;
	if (!scan && !is_missing(l))
		return true;
	if (!ladder_scan(l))
		return false;
	ladder_settle_windows(l);
	if (!ladder_take_candidates(l) || !claim_all(l))
		return false;
	/* outside of areas that are all known there is none */
	return l->areas_whole || !is_missing(l) || ladder_ask_page_tables(l);
}

static bool look(struct ladder *l, bool scan)
{
	if (!ask_map_idr(l) || !ask_programs(l) || !ask_vmalloc(l) || !claim_all(l))
		return false;
	if ((scan || is_missing(l)) && !take_long_ways(l, scan))
		return false;
	return ladder_list_windows(l);
}

bool arena_find(const struct kernel *k, bool scan, struct arena_list *list,
		struct problems *problems, struct fault *why)
{
	struct ladder l = { .k = k, .list = list, .problems = problems, .why = why };
	bool ok;

	*list = (struct arena_list){ 0 };
	if (!k->has_arenas)
		return true;
	if (!memory_progress(k->mem, "looking for arenas", 0, 0, why))
		return false;
	/* not all that looks at page tables tells where it was stopped */
	ok = look(&l, scan) && memory_progress(k->mem, "looking for arenas", 0, 0, why);
	if (!ok && why->kind == FAULT_LIMIT) {
		problems_add(problems, why);
		list->search.interrupted = ok = true;
	} else if (ok) {
		if (list->n)
			qsort(list->found, list->n, sizeof(*list->found), by_id);
		ladder_report(&l);
	}
	free(l.lost);
	free(l.ids);
	free(l.window);
	free(l.mapping);
	free(l.candidate);
	free(l.other);
	return ok;
}

void arena_list_free(struct arena_list *list)
{
	free(list->found);
	*list = (struct arena_list){ 0 };
}
