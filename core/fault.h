/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something could not be had: a kind, an address and one sentence.
 */
#ifndef ARENA_FAULT_H
#define ARENA_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * State of a page of the dump, and, from FAULT_UNKNOWN_TYPE on, what else can go wrong.
 * The names of fault_code() are those of the JSON output.
 */
enum state {
	STATE_STORED,		/* the dump holds the bytes */
	STATE_EXCLUDED,		/* left out by the filter (makedumpfile -d) */
	STATE_ABSENT,		/* no such memory in the dump */
	STATE_CUT,		/* behind the end of a file that is cut, or never written */
	STATE_DAMAGED,		/* contradicts itself, or cannot be decoded */
	STATE_UNKNOWN,		/* the source cannot tell without reading */
	FAULT_UNKNOWN_TYPE,	/* a symbol, a struct or a member is not known */
	FAULT_UNSUPPORTED,	/* a format, machine or kernel that is not read */
	FAULT_LIMIT,		/* a limit was reached, or the user stopped the run */
	FAULT_WORKER,		/* the process that parsed the dump died */
	FAULT_IO,		/* the operating system failed to read or write */
	FAULT_NOMEM,
};

enum space { SPACE_NONE, SPACE_PHYS, SPACE_VIRT, SPACE_FILE };

/** What could help. Not said in @text: each front end names its own options. */
enum cure { CURE_NONE, CURE_DEBUGINFO, CURE_VMCOREINFO, CURE_FILTER };

/** Owned by the caller; never allocates. @text is one sentence without a final full stop. */
struct fault {
	enum state kind;
	enum space space;
	uint64_t addr;		/* in @space; 0 with SPACE_NONE */
	enum cure cure;
	char text[320];
};

static inline bool fault_false(void)
{
	return false;
}

/** fault_set(why, kind, space, addr, format, ...): fill @why, without a
 *  cure. False, so a caller can return it. */
#define fault_set(...) (fault_fill(__VA_ARGS__), fault_false())
void fault_fill(struct fault *why, enum state kind, enum space space, uint64_t addr,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

/** fault_prefix(why, format, ...): put the outer thing in front: "arena 12: ...". False. */
#define fault_prefix(...) (fault_put_before(__VA_ARGS__), fault_false())
void fault_put_before(struct fault *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** fault_add(why, format, ...): put more at the end of the sentence. False. */
#define fault_add(...) (fault_put_after(__VA_ARGS__), fault_false())
void fault_put_after(struct fault *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** The kind as in JSON: "excluded", "absent", ... Never NULL. */
const char *fault_code(enum state kind);

/** "phys", "virt", "file", or NULL for SPACE_NONE. */
const char *fault_space(enum space space);

#endif
