/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked of each arena: one view of it, and that view's arguments.
 */
#ifndef ARENA_ASK_H
#define ARENA_ASK_H

#include "search.h"

enum view {
	VIEW_LIST,
	VIEW_VERBOSE,
	VIEW_PAGES,
	VIEW_ADDRESS,		/* only arenas that @address lies in: where.h */
	VIEW_READ,		/* the same: stretch.h */
	VIEW_USERS,		/* users.h */
	VIEW_CHECK,		/* check.h */
	VIEW_FIND,		/* search.h */
	VIEW_REFS,		/* who points to @address: search.h */
};

/** Only of arenas that @address lies in. */
static inline bool view_has_address(enum view view)
{
	return view == VIEW_ADDRESS || view == VIEW_READ;
}

/** All pages are needed, whichever are shown. */
static inline bool view_has_all_pages(enum view view)
{
	return view_has_address(view) || view == VIEW_FIND || view == VIEW_REFS ||
	       view == VIEW_CHECK;
}

struct ask {
	enum view view;
	bool runs;		/* VIEW_PAGES in a table: join neighbours */
	uint64_t address;
	uint64_t length;	/* VIEW_READ, in bytes */
	unsigned unit;		/* bytes of a word: 1, 2, 4, 8 */
	bool unaligned;		/* VIEW_FIND, VIEW_REFS: words may begin anywhere */
	struct needle needle;	/* VIEW_FIND */
};

#endif
