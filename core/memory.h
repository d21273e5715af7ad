/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The waist: physical memory of a dead (or live) kernel. Everything above asks only this;
 * batch/ (libkdumpfile), extension/ (crash) and the tests (an array) provide it.
 */
#ifndef ARENA_MEMORY_H
#define ARENA_MEMORY_H

#include "fault.h"

/** What the source says of itself. Strings are borrowed for the life of the memory. */
struct memory_facts {
	const char *machine;	/* as uname -m: "x86_64", "aarch64"; NULL: not said */
	const char *format;	/* "kdump, zlib", "ELF", ... */
	const char *vmcoreinfo;	/* KEY=VALUE lines, not NUL-terminated; NULL: none */
	size_t vmcoreinfo_len;
	const char *vmcoreinfo_file;	/* name of what it is from, given by hand; NULL: its note */
	const uint8_t *notes;	/* ELF notes (registers); NULL: none */
	size_t notes_len;
	int level;		/* makedumpfile -d; -1: not said */
	bool incomplete;	/* marked so by its writer */
	bool cut;		/* the file ends at @size but needs @needed bytes */
	bool live;
	bool reduced;		/* by arenasnap: format and what is wrong are the original's */
	uint64_t size, needed;	/* bytes of the file */
	unsigned parts;		/* files that makedumpfile --split made of the dump; 0: not split */
	unsigned empty_parts;	/* of those, without a page */
	bool unended;		/* a flattened dump without its end mark */
	bool gap;		/* a part is missing: the one of physical @gap_start to @gap_end */
	uint64_t gap_start, gap_end;
};

struct memory_ops {
	/**
	 * Copy @n bytes at physical address @phys, all within one page of the kernel.
	 * STATE_STORED: @buf is filled. Else the state that says why not; @buf is garbage.
	 */
	enum state (*read)(void *source, uint64_t phys, void *buf, size_t n);
	/**
	 * State of the @n bytes at @phys (within one page), without reading their contents:
	 * STATE_STORED if all of them are, else the state of the first that is not.
	 * STATE_UNKNOWN where only reading can tell.
	 */
	enum state (*state)(void *source, uint64_t phys, size_t n);
	/**
	 * The next stored range at or after *@phys, ascending by address, neighbours merged:
	 * *@phys is its start (where it was, if that is stored), *@n its bytes (never 0).
	 * False: none. All that is STATE_STORED is in a range; that all of a range can be read
	 * is not promised, nor that its ends are those of pages: see dumpfile_next().
	 * NULL: the source has no map of its pages (a live system).
	 */
	bool (*next)(void *source, uint64_t *phys, uint64_t *n);
	/**
	 * As read(), for searches: what is looked at is not part of the answer until it is read
	 * again. NULL: the same as read().
	 */
	enum state (*peek)(void *source, uint64_t phys, void *buf, size_t n);
	/**
	 * Called now and then during long work. @what: what is being done; @done of @total
	 * (0: not known). Returns false to stop. May be NULL.
	 */
	bool (*progress)(void *source, const char *what, uint64_t done, uint64_t total);
};

struct memory {
	const struct memory_ops *ops;
	void *source;
	struct memory_facts facts;
};

/**
 * Read @n bytes at @phys, within one page. On failure @why gets the state, the address and a
 * sentence with the likely cause; it is the same whoever provides the memory.
 */
bool memory_read(const struct memory *mem, uint64_t phys, void *buf, size_t n,
		 struct fault *why);

/** As memory_read(), by memory_ops.peek. STATE_STORED: @buf is filled. */
enum state memory_peek(const struct memory *mem, uint64_t phys, void *buf, size_t n);

/** By memory_ops.next; false also where the source has none. */
bool memory_next(const struct memory *mem, uint64_t *phys, uint64_t *n);

enum state memory_state(const struct memory *mem, uint64_t phys, size_t n);

/** Fill @why for page @phys that is in @state (not STATE_STORED). Returns false. */
bool memory_fault(const struct memory *mem, enum state state, uint64_t phys, struct fault *why);

/** Report progress; false: stop, and @why says so. */
bool memory_progress(const struct memory *mem, const char *what, uint64_t done, uint64_t total,
		     struct fault *why);

#endif
