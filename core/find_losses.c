// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What was lost while arenas were looked for, in few sentences: a dump whose filter took slabs has
 * the same to say of dozens of maps.
 */
#include <inttypes.h>
#include <stdio.h>

#include "ladder.h"

enum { LIST = 96 };

/* A list of ids as text: "3, 7 to 9, 12", cut with the number of those that are left. */
struct id_list {
	char text[LIST];
	size_t len;
	uint64_t n, left;	/* ids; those that did not fit */
};

static void add_range(struct id_list *ids, uint32_t first, uint32_t last)
{
	char one[32];
	int len;

	ids->n += (uint64_t)last - first + 1;
	if (first == last)
		len = snprintf(one, sizeof(one), "%s%" PRIu32, ids->len ? ", " : "", first);
	else
		len = snprintf(one, sizeof(one), "%s%" PRIu32 " to %" PRIu32, ids->len ? ", " : "",
			       first, last);
	if (ids->left || ids->len + (size_t)len + 24 > sizeof(ids->text)) {
		ids->left += (uint64_t)last - first + 1;
		return;
	}
	ids->len += (size_t)snprintf(ids->text + ids->len, sizeof(ids->text) - ids->len, "%s", one);
}

static const char *id_text(struct id_list *ids)
{
	if (ids->left)
		snprintf(ids->text + ids->len, sizeof(ids->text) - ids->len, " and %" PRIu64 " more",
			 ids->left);
	return ids->text;
}

/* Why the first of many cannot be had, in a few words. */
static void say_why(struct fault *why, const struct fault *first)
{
	why->kind = first->kind;
	why->space = first->space;
	why->addr = first->addr;
	why->cure = first->cure;
	if (first->kind == STATE_EXCLUDED && first->space == SPACE_PHYS)
		fault_put_after(why, ": excluded from the dump, physical 0x%" PRIx64 " for one",
				first->addr);
	else
		fault_put_after(why, ": %s", first->text);
}

/* Maps that cannot be read and of which nothing says what they are. */
static const struct lost_map *unread_maps(const struct ladder *l, struct id_list *ids)
{
	const struct lost_map *first = NULL;

	for (size_t i = 0; i < l->n_lost; i++) {
		const struct lost_map *lost = &l->lost[i];

		if (lost->listed || lost->is_arena || !lost->has_id ||
		    lost->why.kind == STATE_DAMAGED)
			continue;
		add_range(ids, lost->id, lost->id);
		first = first ? first : lost;
	}
	return first;
}

static void report_map_idr(struct ladder *l)
{
	struct id_list nodes = { 0 }, maps = { 0 };
	const struct lost_map *first = unread_maps(l, &maps);
	struct fault why = { 0 };

	/* ids begin at 1 */
	for (size_t i = 0; i < l->n_ids; i++) {
		uint32_t from = l->ids[i].first ? l->ids[i].first : 1;

		while (i + 1 < l->n_ids && l->ids[i + 1].first == l->ids[i].last + 1)
			i++;
		add_range(&nodes, from, l->ids[i].last);
	}
	if (!nodes.n && !first)
		return;
	if (nodes.n == UINT32_MAX)
		fault_put_after(&why, "map_idr: all maps are lost, arenas among them");
	else if (nodes.n)
		fault_put_after(&why, "map_idr: maps %s are lost, if there are any",
				id_text(&nodes));
	if (first)
		fault_put_after(&why, maps.n > 1 ? "%s%s%s may be arenas" : "%s%s%s may be an arena",
				nodes.n ? "; " : "", maps.n > 1 ? "maps " : "map ",
				id_text(&maps));
	say_why(&why, nodes.n ? &l->ids[0].why : &first->why);
	if (!nodes.n && maps.n == 1)
		problems_add_map(l->problems, &why, first->id, first->map);
	else
		problems_add(l->problems, &why);
}

/* Maps that contradict themselves have a sentence each. */
static void report_damaged(struct ladder *l)
{
	for (size_t i = 0; i < l->n_lost; i++) {
		const struct lost_map *lost = &l->lost[i];
		struct fault why = lost->why;

		if (lost->listed || lost->is_arena || !lost->has_id || why.kind != STATE_DAMAGED)
			continue;
		fault_prefix(&why, "map %" PRIu32 " may be an arena: ", lost->id);
		problems_add_map(l->problems, &why, lost->id, lost->map);
	}
}

/* Arenas of which there is only the window, and those of which not even that is known. */
static void report_structs(struct ladder *l)
{
	const struct arena_found *row = NULL;
	const struct lost_map *lost = NULL;
	struct fault why = { 0 };
	size_t rows = 0, structs = 0, no_window = 0;

	for (size_t i = 0; i < l->list->n; i++) {
		no_window += !l->list->found[i].area.addr;
		if (l->list->found[i].no_struct && !rows++)
			row = &l->list->found[i];
	}
	for (size_t i = 0; i < l->n_lost; i++)
		if (l->lost[i].is_arena && !l->lost[i].listed && !structs++)
			lost = &l->lost[i];
	if (rows)
		fault_fill(&why, STATE_EXCLUDED, SPACE_VIRT, row->area.addr + row->area.guard,
			   rows > 1 ? "%zu arenas are listed without their structs, which are lost" :
			   "%zu arena is listed without its struct, which is lost", rows);
	/* a row may then be the other half of another one */
	if (rows && no_window)
		fault_put_after(&why, " or listed without a window");
	if (structs)
		fault_put_after(&why, "%s%zu arena%s, at 0x%" PRIx64 "%s, cannot be read, and %s not "
				"known which window is %s", rows ? "; " : "", structs,
				structs > 1 ? "s" : "", lost->map, structs > 1 ? " and others" : "",
				"it is", structs > 1 ? "theirs" : "its");
	if (structs && !rows)
		say_why(&why, &lost->why);
	if (structs == 1 && !rows)
		problems_add_struct(l->problems, &why, lost->map);
	else if (rows || structs)
		problems_add(l->problems, &why);
}

static void report_limit(struct ladder *l)
{
	struct fault why;

	if (!l->too_many)
		return;
	fault_fill(&why, FAULT_LIMIT, SPACE_NONE, 0, "more than %d structs look like those of arenas; "
		   "not all were looked at", LADDER_MAX);
	problems_add(l->problems, &why);
}

/* Structs and areas that may be arenas without a page, or what is left of freed ones. */
static void report_unproved(struct ladder *l)
{
	struct fault why = { .kind = STATE_EXCLUDED, .space = SPACE_VIRT };
	struct id_list ids = { 0 };
	size_t areas = 0;

	for (size_t i = 0; i < l->n_candidate; i++) {
		const struct candidate *c = &l->candidate[i];

		if (!c->unproved || ladder_row(l, c->map))
			continue;
		add_range(&ids, c->id, c->id);
		why.addr = c->map;
	}
	for (size_t i = 0; i < l->n_window; i++)
		if (!l->window[i].taken && l->window[i].unproved && !areas++ && !ids.n)
			why.addr = l->window[i].area.addr;
	if (ids.n)
		fault_put_after(&why, "arena %s, without pages, may be in use or freed",
				id_text(&ids));
	if (areas)
		fault_put_after(&why, areas > 1 ? "%s%zu vmalloc areas of an arena's size may be in use "
				"or freed" : "%s%zu vmalloc area of an arena's size may be in use "
				"or freed", ids.n ? "; " : "", areas);
	if (ids.n || areas)
		problems_add(l->problems, &why);
}

/* makedumpfile's level has bit 8: user data is left out. Which version took what for it. */
static const char *likely_cause(const struct kernel *k)
{
	uint64_t ignored;

	if (k->mem->facts.level < 0 || !(k->mem->facts.level & 8))
		return NULL;
	if (vmcoreinfo_number(&k->vmcoreinfo, "OFFSET(page.compound_info)", &ignored))
		return "up to 1.7.9";
	if (vmcoreinfo_number(&k->vmcoreinfo, "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", &ignored))
		return "before 1.7.6";
	return NULL;
}

/* To the last sentence about what was lost: why, and by which makedumpfile. */
static void add_cause(struct ladder *l, size_t first)
{
	const char *cause = likely_cause(l->k);

	for (size_t i = l->problems->n; cause && i > first; i--) {
		struct fault *why = &l->problems->problem[i - 1].why;

		if (why->kind != STATE_EXCLUDED)
			continue;
		fault_put_after(why, "; makedumpfile %s at level %d takes slabs of Linux %s for user "
				"data", cause, l->k->mem->facts.level, l->k->release);
		why->cure = CURE_FILTER;
		return;
	}
}

void ladder_report(struct ladder *l)
{
	size_t first = l->problems->n;

	report_damaged(l);
	report_map_idr(l);
	report_structs(l);
	report_unproved(l);
	report_limit(l);
	add_cause(l, first);
}
