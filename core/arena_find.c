// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which arenas there are: every map of their type in map_idr.
 */
#include "arena.h"

#include <inttypes.h>
#include <stdlib.h>

#include "idr.h"

/* Not in BTF as numbers that can be asked for; the same in 6.9 to 7.3. */
enum {
	BPF_MAP_TYPE_ARENA = 33,	/* include/uapi/linux/bpf.h */
	BPF_F_MMAPABLE = 1 << 10,	/* arena_map_alloc() demands it */
};

struct finder {
	const struct kernel *k;
	struct arena_list *list;
	struct problems *problems;
	struct fault *why;
	size_t room;
};

static bool append(struct finder *f, uint32_t id, uint64_t map)
{
	struct arena_list *list = f->list;

	if (list->n == f->room) {
		size_t room = f->room ? 2 * f->room : 16;
		void *p = realloc(list->found, room * sizeof(*list->found));

		if (!p)
			return fault_set(f->why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		list->found = p;
		f->room = room;
	}
	list->found[list->n++] = (struct arena_found){ id, map };
	return true;
}

/* A map of another type is none of our business, but it must be the one of that id. */
static bool check_map(const struct kernel *k, uint32_t id, uint64_t map, bool *is_arena,
		      struct fault *why)
{
	uint32_t type, map_id, flags;
	uint64_t ops;

	if (!kernel_member_u32(k, map, MEMBER_bpf_map_map_type, &type, why) ||
	    !kernel_member_u32(k, map, MEMBER_bpf_map_id, &map_id, why))
		return false;
	if (map_id != id)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, map,
			"the struct at 0x%" PRIx64 " says that its id is %" PRIu32, map, map_id);
	*is_arena = type == BPF_MAP_TYPE_ARENA;
	if (!*is_arena)
		return true;
	if (!kernel_member_u64(k, map, MEMBER_bpf_map_ops, &ops, why) ||
	    !kernel_member_u32(k, map, MEMBER_bpf_map_map_flags, &flags, why))
		return false;
	if (ops != k->symbol[SYMBOL_arena_map_ops].addr || !(flags & BPF_F_MMAPABLE))
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, map,
			"the struct at 0x%" PRIx64 " has the type of an arena, but ops 0x%" PRIx64
			" and flags 0x%" PRIx32 " of none", map, ops, flags);
	return true;
}

static bool found_entry(void *ctx, uint32_t id, uint64_t map)
{
	struct finder *f = ctx;
	bool is_arena = false;
	struct fault why;

	f->list->maps++;
	if (!check_map(f->k, id, map, &is_arena, &why)) {
		fault_prefix(&why, "map %" PRIu32 " may be an arena: ", id);
		problems_add_map(f->problems, &why, id, map);
		return true;
	}
	return !is_arena || append(f, id, map);
}

static bool lost_ids(void *ctx, uint32_t first, uint32_t last, const struct fault *why)
{
	struct finder *f = ctx;
	struct fault fault = *why;

	if (!first && last == UINT32_MAX)
		fault_prefix(&fault, "map_idr: all maps are lost, arenas among them: ");
	else if (first == last)
		fault_prefix(&fault, "map_idr: map %" PRIu32 " is lost and may be an arena: ",
			     first);
	else
		/* ids begin at 1 */
		fault_prefix(&fault, "map_idr: maps %" PRIu32 " to %" PRIu32
			     " are lost, if there are any: ", first ? first : 1, last);
	problems_add(f->problems, &fault);
	return true;
}

bool arena_find(const struct kernel *k, struct arena_list *list, struct problems *problems,
		struct fault *why)
{
	struct finder f = { .k = k, .list = list, .problems = problems, .why = why };
	const struct idr_visitor visitor = { found_entry, lost_ids, &f };

	*list = (struct arena_list){ 0 };
	if (!k->has_arenas)
		return true;
	if (!memory_progress(k->mem, "looking for arenas", 0, 0, why))
		return false;
	return idr_walk(k, k->symbol[SYMBOL_map_idr].addr, &visitor, why) ||
	       fault_prefix(why, "map_idr: ");
}

void arena_list_free(struct arena_list *list)
{
	free(list->found);
	*list = (struct arena_list){ 0 };
}
