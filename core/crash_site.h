/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Did it crash in an arena: what registers, CR2 and oopses of the log have to do with arenas.
 * These are hints, no causes: a register may be old, and a fault may have been handled.
 */
#ifndef ARENA_CRASH_SITE_H
#define ARENA_CRASH_SITE_H

#include "printk.h"
#include "registers.h"
#include "where.h"

enum crash_source {
	CRASH_LOG,		/* the address of an oops, by the kernel's log */
	CRASH_CR2,		/* the last page fault of a CPU, handled ones too; by QEMU */
	CRASH_NOTES,		/* a register, by NT_PRSTATUS of the file */
	CRASH_MEMORY,		/* a register, by the kernel's crash_notes */
};

/** "log", "cr2", "prstatus", "crash_notes". */
const char *crash_source_name(enum crash_source source);

/** One value that has to do with one arena. */
struct crash_hit {
	enum crash_source source;
	uint64_t value;
	const char *name;	/* of the register; NULL: CRASH_LOG */
	bool has_cpu;		/* else @cpu is the place among the notes */
	uint32_t cpu;
	uint64_t time;		/* CRASH_LOG: nanoseconds since boot */
	/*
	 * False: a low half, which may be any number, and is said only of a CPU that holds the
	 * base of this arena, for a page that is mapped; or a user address in CR2, as each first
	 * access of a process leaves it.
	 */
	bool strong;
	/*
	 * r12 or x28 holds kern_vm_start, as in programs of this arena, wherever those call or are
	 * interrupted. It is no address that is accessed: of what follows nothing is set then.
	 */
	bool base;
	struct where where;	/* without @page and @why, which were borrowed */
	enum page_kind kind;	/* WHERE_MAPPED */
	enum state state;	/* WHERE_MAPPED: of its contents */
	/* the arena */
	char label[ARENA_LABEL];
	bool has_id, has_name;
	uint32_t id;
	char arena[17];		/* its name */
	uint64_t map;		/* 0: not known */
};

struct crash_site {
	bool looked;		/* false: there was no arena to look for */
	enum registers_source registers;
	uint64_t cpus;		/* that have registers */
	bool has_cr2;
	bool has_log;		/* else @no_log says why not */
	struct fault no_log;
	struct printk_faults log;
	struct crash_hit *hit;	/* strong ones first; then by source, CPU and register */
	size_t n, strong;
	uint64_t more;		/* hits that are not kept: of more than 4096 */
};

/**
 * Hold what the CPUs and the log say against the arenas of @list. No page's contents are read; a
 * snapshot is taken only of arenas that are hit, one after the other. An arena that cannot be
 * read is not hit, and not said: whoever shows it says so. False: out of memory or interrupted
 * (@why). crash_site_free() either way.
 */
bool crash_site_find(const struct kernel *k, const struct arena_list *list,
		     struct crash_site *site, struct fault *why);
void crash_site_free(struct crash_site *site);

#endif
