/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by arena_find.c and its steps (find_*.c): what is known so far while arenas are looked
 * for.
 */
#ifndef ARENA_LADDER_H
#define ARENA_LADDER_H

#include "arena_find.h"
#include "tasks.h"

/* A search of forged memory may meet no end of structs. */
enum { LADDER_MAX = 1 << 14 };

/** A map whose struct cannot be read. */
struct lost_map {
	uint64_t map;
	bool has_id;
	uint32_t id;		/* of map_idr */
	bool is_arena;		/* a program or a mapping says so */
	bool listed;		/* a row has it */
	struct fault why;
};

/** Ids of map_idr below a node that cannot be read. */
struct lost_ids {
	uint32_t first, last;
	struct fault why;
};

/** A kernel area that is an arena's. */
struct window {
	struct arena_area area;
	uint64_t vm;		/* its vm_struct; 0: not known */
	enum found_by by;
	bool unproved;		/* its vm_struct is lost, and no page table says that it is one */
	bool inexact;		/* where it begins is not known: see struct arena_found */
	uint64_t before, behind;
	bool taken;		/* a row has it */
	bool contested;		/* several structs say that it is theirs */
	bool has_area;		/* a vmap_area was read */
	bool weak;		/* by the scan, and in no list: one that is freed looks the same */
};

/** A struct that the scan found and nothing else names. */
struct candidate {
	uint64_t map, kern_vm;
	uint32_t id;
	uint64_t refcnt, user_vm_start;
	bool unproved;		/* in use by its own word alone */
};

struct ladder {
	const struct kernel *k;
	struct arena_list *list;
	struct problems *problems;
	struct fault *why;

	struct lost_map *lost;
	struct lost_ids *ids;
	struct window *window;
	struct arena_area *other;	/* areas that are no arena's: addr and size */
	struct task_mapping *mapping;
	struct candidate *candidate;
	size_t n_lost, n_ids, n_window, n_other, n_mapping, n_candidate;
	size_t lost_room, ids_room, window_room, other_room, mapping_room, candidate_room;
	bool areas_whole;		/* all vmalloc areas were seen */
	bool disagree;			/* something is missing: take the long ways */
	bool unread;			/* the scan met a page that cannot be read */
	bool too_many;			/* the scan met more than LADDER_MAX of a kind */
};

/** The row of the struct at @map, or NULL. */
struct arena_found *ladder_row(const struct ladder *l, uint64_t map);
struct arena_found *ladder_add(struct ladder *l, const struct arena_found *found);
/** What is known of the map at @map that cannot be read, or NULL. */
struct lost_map *ladder_lost(const struct ladder *l, uint64_t map);
/**
 * May the map at @map, which says that its id is @id, be in map_idr, as all are that are in use?
 * It was not met there.
 */
bool ladder_may_be(const struct ladder *l, uint64_t map, uint32_t id);
bool ladder_add_window(struct ladder *l, const struct window *window);
/** What a walk of areas does where some may be missing: a visitor's lost(). */
bool ladder_area_lost(void *ladder, const struct fault *why);
/**
 * A walk ended early, with @why (STATE_STORED: we stopped it). False: so does all. *@not_walked:
 * what it walks cannot be had; may be NULL.
 */
bool ladder_can_go_on(const struct ladder *l, const struct fault *why, bool *not_walked);

/* find_scan.c */

/** Search all stored pages for structs of arenas, areas and mappings. */
bool ladder_scan(struct ladder *l);

/* find_windows.c */

/** No window that is known, weak ones apart, and no other vmalloc area, overlaps @area. */
bool window_is_free(const struct ladder *l, const struct arena_area *area);
/**
 * The page tables have pages there or, with @empty, at least all tables, and no pages in the
 * guards, where all but arenas have theirs.
 */
bool window_is_backed(const struct ladder *l, const struct arena_area *area, bool empty);
/** Does the process of @m map the same frames as the window at @area, at the same offsets? */
bool window_is_mapped(const struct ladder *l, const struct arena_area *area,
		      const struct task_mapping *m);
/** Weak windows give way to others; of two that overlap neither is believed. */
void ladder_settle_windows(struct ladder *l);
/** List the scan's structs that a window proves; with windows of their own where backed. */
bool ladder_take_candidates(struct ladder *l);
/** Find windows by their page tables alone. */
bool ladder_ask_page_tables(struct ladder *l);
/**
 * Tie windows that are left to structs by the frames that a process maps at the same offsets;
 * list the others by their window alone.
 */
bool ladder_list_windows(struct ladder *l);

/** Say what was lost, in few sentences: find_losses.c. */
void ladder_report(struct ladder *l);

#endif
