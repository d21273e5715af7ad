/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked of each arena: one view of it, and that view's arguments.
 */
#ifndef ARENA_ASK_H
#define ARENA_ASK_H

#include <stdbool.h>
#include <stdint.h>

enum view {
	VIEW_LIST,
	VIEW_VERBOSE,
	VIEW_PAGES,
	VIEW_ADDRESS,		/* only arenas that @address lies in: where.h */
	VIEW_READ,		/* the same: stretch.h */
	VIEW_CHECK,		/* check.h */
};

/** Only of arenas that @address lies in. */
static inline bool view_has_address(enum view view)
{
	return view == VIEW_ADDRESS || view == VIEW_READ;
}

struct ask {
	enum view view;
	bool runs;		/* VIEW_PAGES in a table: join neighbours */
	uint64_t address;
	uint64_t length;	/* VIEW_READ, in bytes */
	unsigned unit;		/* bytes of a word: 1, 2, 4, 8 */
};

#endif
