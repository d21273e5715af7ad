/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A search through the contents of an arena: for bytes (-f), or for words that point somewhere
 * (--refs). Each page is read once.
 */
#ifndef ARENA_SEARCH_H
#define ARENA_SEARCH_H

#include "where.h"

enum { NEEDLE_MAX = 256 };

/** Bytes to look for, and where they may begin: at multiples of @step. */
struct needle {
	uint8_t byte[NEEDLE_MAX];
	unsigned n, step;
};

/** A place of an arena that words may point to, in each of the forms that it has. */
struct target {
	bool has_id;
	uint32_t id;			/* of its arena */
	uint64_t map, area;		/* the same: struct and kernel area; 0: not known */
	bool has_user, has_kernel, has_low;
	bool shared;			/* another target has the same user address */
	uint64_t user, kernel;
	uint32_t low;
};

/** Words that point to one of @target, to its first byte or @n - 1 behind it. */
struct refs {
	uint64_t n;
	/* what most words are told by: the low half of all, and where kernel addresses lie */
	bool has_low, has_kernel;
	uint32_t low;
	uint64_t first_kernel, last_kernel;
	struct target *target;		/* one for each arena that it may be of */
	size_t n_targets, room;
};

/** Words of --refs begin at multiples of this, or anywhere with --unaligned. */
enum { WORD = 8 };

struct search_hit {
	const struct arena_page *page;	/* where it begins */
	uint64_t offset;		/* bytes into it */
	/* of refs */
	uint64_t word;
	enum where_form form;
	const struct target *target;
	bool certain;			/* false: the word may be something else, or mean another arena */
	bool exact;			/* it points to the target's first byte */
};

struct search_visitor {
	/** False stops the search. */
	bool (*hit)(void *ctx, const struct search_hit *hit);
	void *ctx;
};

/** What was looked at, and what could not be. */
struct search_count {
	uint64_t pages, unread;
	struct fault why;		/* of the first that could not be read */
};

/**
 * Visit each place of @a where @needle is, by pages in the order of the snapshot; also across the
 * border of two that follow each other in that order and in the arena's kernel area. Scratch pages are
 * left out.
 * False: no memory or interrupted (@why), or stopped by the visitor (@why->kind is STATE_STORED).
 */
bool search_bytes(const struct kernel *k, const struct arena_snapshot *a,
		  const struct needle *needle, const struct search_visitor *visitor,
		  struct search_count *count, struct fault *why);

/**
 * Visit each word of @a that points to a target, the same way. User and kernel addresses are 64
 * bits; a word below 4 GiB may be a low half, and then is one of @a itself, as a program has one
 * arena. A user address that lies in the window of @a is not certain to mean another arena.
 */
bool search_refs(const struct kernel *k, const struct arena_snapshot *a, const struct refs *refs,
		 unsigned step, const struct search_visitor *visitor, struct search_count *count,
		 struct fault *why);

/**
 * Make @address of @a, if it lies there, a target of @refs; at the start of a page it means all
 * of it. False: out of memory (@why). refs_free() either way.
 */
bool refs_add(struct refs *refs, const struct arena_snapshot *a, uint64_t address,
	      struct fault *why);
void refs_free(struct refs *refs);

/**
 * What -f is given: a number as C writes it, of @unit bytes (1, 2, 4, 8), or a string, with or
 * without quotes and with the escapes of C. NULL, or the sentence of a usage error.
 */
const char *needle_parse(struct needle *needle, const char *text, unsigned unit, bool unaligned);

#endif
