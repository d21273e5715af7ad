/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a number from a log, a register or a struct points to in an arena.
 */
#ifndef ARENA_WHERE_H
#define ARENA_WHERE_H

#include "arena.h"

/** How the number means an address of the arena. */
enum where_form {
	FORM_USER,		/* of the processes that map it */
	FORM_KERNEL,		/* in its kernel area, guards included */
	FORM_LOW32,		/* as a program holds it: it may mean this arena, or another */
};

/** What is there. */
enum where_page {
	WHERE_MAPPED,		/* a page: @page, of any kind */
	WHERE_NOT_MAPPED,
	WHERE_GUARD,		/* before or behind the 4 GiB, and no page is mapped there */
	WHERE_UNKNOWN,		/* @why */
};

struct where {
	enum where_form form;
	bool has_pgoff, has_user, has_kernel, has_low;
	uint64_t pgoff;
	uint64_t offset;		/* bytes into the page */
	uint64_t user, kernel;		/* of that byte, as are @low and @phys */
	uint32_t low;			/* the low half of all three forms */
	uint64_t phys;			/* WHERE_MAPPED only */
	enum where_page what;
	const struct arena_page *page;	/* borrowed from the snapshot; NULL: not WHERE_MAPPED */
	const struct fault *why;	/* the same; NULL: not WHERE_UNKNOWN */
};

/**
 * Does @address lie in @a, a snapshot with all its pages? Of the user addresses those of the window
 * do, and those of pages that are mapped outside of it (the arithmetic is the kernel's,
 * kernel/bpf/arena.c:compute_pgoff). A value below 4 GiB, but not 0, is a low half, unless
 * the arena's own user addresses are so low. False: it does not; *@w is not touched.
 */
bool where_find(const struct arena_snapshot *a, uint64_t address, struct where *w);

/** "user", "kernel", "low32". */
const char *where_form_name(enum where_form form);

#endif
