/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's log (kernel/printk/printk_ringbuffer.c), as far as a crash, or a scheduler's end, is told there.
 */
#ifndef ARENA_PRINTK_H
#define ARENA_PRINTK_H

#include "kernel.h"

/** "BUG: unable to handle page fault for address: ..." and the like: an oops, survived or not. */
struct printk_fault {
	uint64_t address;
	uint64_t time;		/* nanoseconds since boot, as in the log */
};

enum { PRINTK_FAULTS = 8 };

struct printk_faults {
	struct printk_fault fault[PRINTK_FAULTS];	/* the last one first */
	size_t n;
	uint64_t records;	/* that were looked at */
	uint64_t lost;		/* that are there, but cannot be read, or contradict themselves */
	bool more;		/* older records or faults were not looked at */
};

/**
 * Faults of the kernel by its log, by what VMCOREINFO says of the ring (all kernels since 5.10).
 * Only what the kernel itself wrote counts. At most 65536 records are looked at, the newest, and
 * of each only its begin. False: the log cannot be read, was never set up, or memory ran out
 * (@why).
 */
bool printk_faults(const struct kernel *k, struct printk_faults *f, struct fault *why);

/** A line of the kernel, without its end; NUL-terminated, a longer one is cut. */
struct printk_line {
	uint64_t time;
	char text[512];
};

enum { PRINTK_LINES = 8, PRINTK_TEXT = sizeof(((struct printk_line *)0)->text) };

struct printk_lines {
	const char *start;	/* borrowed: what they begin with */
	struct printk_line line[PRINTK_LINES];	/* the newest first */
	size_t n;
	uint64_t lost;		/* records among which may be others */
};

/** The newest lines of the kernel that begin with @start. As printk_faults() otherwise. */
bool printk_lines(const struct kernel *k, const char *start, struct printk_lines *lines,
		  struct fault *why);

#endif
