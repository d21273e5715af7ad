/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The note in which a reduced dump (arenasnap --reduce) says what it was made from. The words
 * for what is missing depend on that, and they are to stay the same.
 *
 * ELF note, name "arenasnap", type REDUCED_NOTE; its contents are KEY=VALUE lines, so that
 * strings(1) shows what the file is.
 */
#ifndef ARENA_REDUCED_H
#define ARENA_REDUCED_H

#include "memory.h"

#define REDUCED_NAME "arenasnap"
enum {
	REDUCED_NOTE = 0x64657220,	/* " red"; crash goes by the type alone and knows 1 */
	REDUCED_TEXT = 2048,
	REDUCED_FORMAT = 64,
	REDUCED_PIECES = 16,
};

/*
 * A page of which the original had only some bytes, as at the end of a cut ELF file. A kdump has
 * pages or has them not: here it has the page, and this says that the rest is nothing.
 */
struct reduced_piece {
	uint64_t phys;		/* of the page */
	uint32_t size;		/* bytes of it */
	uint32_t from, to;	/* bytes that were there; end exclusive */
	enum state state;	/* of the others */
};

struct reduced_pieces {
	size_t n;
	struct reduced_piece piece[REDUCED_PIECES];
};

/** Contents of the note for a dump with @facts, not NUL-terminated. Returns their length. */
size_t reduced_write(const struct memory_facts *facts, const struct reduced_pieces *pieces,
		     char text[REDUCED_TEXT]);

/**
 * If facts->notes have the note: set facts->reduced, and those facts that were the original's.
 * @format keeps facts->format, so it lives as long. @pieces is {0} before.
 */
void reduced_read(struct memory_facts *facts, char format[REDUCED_FORMAT],
		  struct reduced_pieces *pieces);

/** State in the original of the @n bytes at @phys, which this file has. */
enum state reduced_state(const struct reduced_pieces *pieces, uint64_t phys, uint64_t n);

/**
 * How many of the @n bytes from @phys on (which do not reach 2^64) the original had all
 * (*@stored), or all had not. Never 0.
 */
uint64_t reduced_run(const struct reduced_pieces *pieces, uint64_t phys, uint64_t n,
		     bool *stored);

#endif
