/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which arenas there are. Several ways lead to them, and each find is proved against the others
 * and the page tables:
 *
 *	map_idr			every map by its id
 *	programs		bpf_prog_aux.arena, their lists of maps, the sched_ext scheduler
 *	vmalloc areas		of an arena's size and flags: all arenas have one
 *	tasks			mappings and descriptors of arenas
 *	scan			all stored pages, for structs of arenas
 *	page tables		4 GiB of page tables in a row (7.0 and later)
 *
 * The first three are always taken; the others where those disagree, or when asked for. Where
 * every area belongs to a struct that was read, there is no other arena to be found.
 */
#ifndef ARENA_ARENA_FIND_H
#define ARENA_ARENA_FIND_H

#include "arena_struct.h"
#include "problems.h"

enum found_by {
	FOUND_MAP_IDR, FOUND_PROGRAM, FOUND_VMALLOC, FOUND_TASK, FOUND_SCAN, FOUND_PAGETABLE
};

/** "map_idr", "program", ... */
const char *found_by_name(enum found_by by);

/** An arena: a struct, or a kernel area whose struct is lost. */
struct arena_found {
	enum found_by by;		/* the first way that led to it */
	bool no_struct;			/* lost: of the rest only what is not 0 is known */
	bool no_id;			/* @id is not known, or it has none */
	uint32_t id;
	uint64_t map;			/* struct bpf_arena; known also of some that are lost */
	struct arena_area area;		/* addr 0: not known */
	bool no_area;			/* its kern_vm is that of another, or of none */
	/*
	 * @area is what of its page tables is surely its own, without guards. Pages are mapped
	 * beside it, too, so many bytes before it and behind: whose they are is not known.
	 */
	bool inexact;
	uint64_t before, behind;
	uint64_t user_vm_start, user_vm_end;	/* of a process's mapping; with no_struct */
};

/** What was looked at. */
struct arena_search {
	uint64_t maps;			/* of all types, in map_idr */
	uint64_t programs, areas;	/* pointers to arenas; areas of an arena's shape */
	bool no_programs, no_areas;	/* they could not be walked */
	bool tasks, scan;		/* were asked, too */
	uint64_t mappings;		/* of arenas, in processes */
	uint64_t candidates;		/* structs that the scan met */
	bool interrupted;		/* by the user */
};

struct arena_list {
	struct arena_found *found;	/* by id; those without one last, by kernel address */
	size_t n, room;
	struct arena_search search;
};

/**
 * Find all arenas. What cannot be read or believed goes to @problems; the rest is listed.
 * @scan: take all ways.
 * Interrupted it lists nothing, and says so; before it began it is false, as out of memory (@why).
 * Free with arena_list_free() either way.
 */
bool arena_find(const struct kernel *k, bool scan, struct arena_list *list,
		struct problems *problems, struct fault *why);
void arena_list_free(struct arena_list *list);

#endif
