/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stretch of an arena's memory, read from any of the three forms of an address (-r).
 */
#ifndef ARENA_STRETCH_H
#define ARENA_STRETCH_H

#include "where.h"

enum stretch_what {
	STRETCH_BYTES,
	STRETCH_NOT_MAPPED,
	STRETCH_GUARD,
	STRETCH_SCRATCH,	/* of the scratch page the contents are not the arena's */
	STRETCH_NOT_STORED,	/* mapped, but the dump does not give the contents: @why */
	STRETCH_NOT_KNOWN,	/* whether a page is mapped: @why */
	STRETCH_NO_ARENA,	/* the address has left the arena: all that is left of the stretch */
};

/** Bytes within one page. */
struct stretch_piece {
	uint64_t address;	/* as it was asked, plus what came before */
	uint64_t n;		/* bytes */
	enum stretch_what what;
	const uint8_t *data;	/* STRETCH_BYTES: @n, borrowed for the call; else NULL */
	struct where where;	/* not with STRETCH_NO_ARENA */
	struct fault why;	/* why there are no bytes, as one sentence */
};

struct stretch_visitor {
	bool (*piece)(void *ctx, const struct stretch_piece *piece);
	void *ctx;
};

/** What was not there. */
struct stretch_lack {
	uint64_t n;		/* bytes */
	uint64_t address;	/* of the first of them */
	struct fault why;	/* and why that is not there */
};

/**
 * Visit the @length bytes of @a, a snapshot with all its pages, from @address on, piece by
 * piece; @address must lie in it (where_find()). An address keeps its form: the stretch ends
 * where the next page has no address of the same form.
 * True: all were visited, *@lack is filled. False: no memory or interrupted (@why), or stopped
 * by the visitor (@why->kind is STATE_STORED).
 */
bool stretch_walk(const struct kernel *k, const struct arena_snapshot *a, uint64_t address,
		  uint64_t length, const struct stretch_visitor *visitor,
		  struct stretch_lack *lack, struct fault *why);

#endif
