/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of physical pages of 4 KiB, as runs: small where they are neighbours, 8 bytes for each
 * page where they are not.
 */
#ifndef ARENA_PAGESET_H
#define ARENA_PAGESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGESET_RECENT = 64 };

/** {0} is empty. */
struct pageset {
	/* address of the first page; its low 12 bits: how many pages follow it */
	uint64_t *run;
	size_t n, room;
	uint64_t recent[PAGESET_RECENT];	/* of the last ones added: address + 1 */
};

/** Add the page of @phys (below 2^52). False: out of memory. */
bool pageset_add(struct pageset *set, uint64_t phys);
/** Order it; to be called after the last pageset_add(). */
void pageset_sort(struct pageset *set);
void pageset_free(struct pageset *set);

/** {0} is before the first. */
struct pageset_cursor {
	size_t run;
	uint64_t next;		/* pages below are done */
};

/** The next page of @page_size bytes (4096 or more) that has a page of the set; ascending. */
bool pageset_next(const struct pageset *set, struct pageset_cursor *at, uint64_t page_size,
		  uint64_t *phys);

#endif
