/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the allocator of an arena (kernel/bpf/arena.c) says of its page offsets: the maple tree of
 * allocated ranges (up to 6.12) or the range tree of free ones (6.13 and later), its counter,
 * its locks, and frees that were put off.
 */
#ifndef ARENA_ALLOCATOR_H
#define ARENA_ALLOCATOR_H

#include "arena.h"
#include "evidence.h"
#include "ranges.h"

enum allocator_kind {
	ALLOCATOR_UNKNOWN,
	ALLOCATOR_MAPLE,	/* lists allocated pages, of any pgoff */
	ALLOCATOR_RANGE,	/* lists free pages; those beyond max_entries it may not know */
};

/** What is known of one page. */
enum alloc { ALLOC_UNKNOWN, ALLOC_FREE, ALLOC_ALLOCATED };

/** A lock of the arena; @name is its member's. */
struct arena_lock {
	const char *name;
	bool known, held;
	uint64_t value;		/* as in memory */
};

enum { ARENA_LOCKS = 3 };

struct allocator {
	enum allocator_kind kind;
	struct page_ranges listed;	/* what its tree lists; ascending, disjoint */
	struct page_ranges unknown;	/* of these neither is known */
	uint64_t pages;			/* declared: what the range tree speaks of */
	struct arena_lock lock[ARENA_LOCKS];
	unsigned locks;
	bool has_nr_pages;
	uint64_t nr_pages;
	bool has_spans;			/* this kernel puts frees off, and all of them are known */
	struct page_ranges spans;	/* those that wait; in the order of its list, newest first */
	bool moving;			/* it was being changed */
	bool moving_known;		/* false: that cannot be excluded */
};

/**
 * Read it for @a, which must have its struct. What is wrong, or cannot be read, goes to
 * @evidence. Bounded by what is really read; each list and tree is proved to end.
 * False: out of memory, or interrupted (@why). Free with allocator_free() either way.
 */
bool allocator_read(const struct kernel *k, const struct arena_snapshot *a, struct allocator *al,
		    struct evidence_list *evidence, struct fault *why);
void allocator_free(struct allocator *al);

/** Where an ascending walk over all pgoffs is; begins as { 0 }. */
struct allocator_cursor {
	size_t listed, unknown;
};

/** What it says of @pgoff. *@end: the last pgoff of which it says the same, or less far. */
enum alloc allocator_at(const struct allocator *al, struct allocator_cursor *at, uint64_t pgoff,
			uint64_t *end);

/** "maple_tree", "range_tree", or NULL. */
const char *allocator_name(enum allocator_kind kind);
/** "allocated", "free", or NULL. */
const char *alloc_name(enum alloc alloc);

#endif
