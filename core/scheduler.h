/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sched_ext scheduler: a BPF program that schedules, and since 7.2 has an arena of its own
 * (kernel/sched/ext.c, in kernel/sched/ext/ from 7.1 on).
 */
#ifndef ARENA_SCHEDULER_H
#define ARENA_SCHEDULER_H

#include "printk.h"
#include "problems.h"

struct scheduler_visitor {
	/** A struct scx_sched: scx_root's first, then sub-schedulers (scx_sched_all, 7.1). */
	bool (*scheduler)(void *ctx, uint64_t sched, bool root);
	/** One that cannot be read or believed. False ends the walk, as above. */
	bool (*lost)(void *ctx, const struct fault *why);
	void *ctx;
};

/** Visit the schedulers of 6.16 and later. False: stopped by the visitor. */
bool scheduler_walk(const struct kernel *k, const struct scheduler_visitor *visitor);

/** scx_sched.arena_map, 0: none (also before 7.2). */
bool scheduler_arena(const struct kernel *k, uint64_t sched, uint64_t *map, struct fault *why);

/** What is not known has its bit in @unknown. */
struct scheduler {
	uint64_t sched;		/* struct scx_sched; 0 up to 6.15, where variables have it all */
	bool root;
	unsigned unknown;
	char name[128];		/* ops.name */
	uint32_t exit_kind;	/* enum scx_exit_kind; 0: it goes on */
	int64_t exit_code;
	char *reason, *message;	/* owned; NULL: none */
	uint64_t map;		/* struct bpf_map of its arena, 0: none that the kernel names */
	bool has_id;
	uint32_t id;		/* of that map */
};

enum { SCHEDULER_NAME = 1, SCHEDULER_KIND = 2, SCHEDULER_EXIT = 4, SCHEDULER_ARENA = 8 };

struct schedulers {
	bool exists;		/* the kernel has sched_ext, as far as its symbols say */
	bool has_state;
	uint32_t state;		/* scheduler_state_name() */
	struct scheduler *scheduler;
	size_t n, room;
	bool lost;		/* there may be more */
	bool has_log;		/* else the kernel's log cannot be read */
	struct printk_lines log;	/* SCHEDULER_LOG: also of schedulers that have ended */
};

#define SCHEDULER_LOG "sched_ext: "

/**
 * Find the schedulers. What cannot be read goes to @problems.
 * False: out of memory or interrupted (@why). schedulers_free() either way.
 */
bool scheduler_find(const struct kernel *k, struct schedulers *s, struct problems *problems,
		    struct fault *why);
void schedulers_free(struct schedulers *s);

/**
 * "enabling", "enabled", "disabling", "disabled", as /sys/kernel/sched_ext/state has it:
 * enum scx_enable_state, up to 6.15 enum scx_ops_enable_state. NULL: not known.
 */
const char *scheduler_state_name(uint32_t state);

#endif
