/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of tasks.h: tasks.c finds the tasks, tasks_parts.c reads what they map and hold.
 */
#ifndef ARENA_TASKS_INTERNAL_H
#define ARENA_TASKS_INTERNAL_H

#include "addrset.h"
#include "tasks.h"

/* The bytes of a struct from the first to the last member of interest. */
struct span {
	uint32_t start, size;
};

/* What is lost of one thing: told as one fault, whatever the number. */
struct losses {
	size_t n;
	struct fault first;
};

struct tasks {
	const struct kernel *k;
	const struct tasks_visitor *visitor;
	struct fault *why;		/* of what ends the walk */
	bool stop;			/* by the visitor, or for @why */
	struct addrset nodes, mms, files;
	bool has_vmas, has_files;	/* types and symbols for them are known */
	uint64_t arena_vm_ops, bpf_map_fops;
	struct span vma, file;
	uint64_t fds;			/* looked at */
	/* the current task */
	struct task_user user;
	struct losses losses;
	struct task_mapping mapping;
};

/** More is lost of what the current task is about to tell. */
void tasks_note(struct tasks *w, const struct fault *why);
/** Tell of these losses as one, of @what of the current task. False: the walk is to end. */
bool tasks_tell(struct tasks *w, const char *what);

/** The kernel has all of @m; else @why names what it lacks. */
bool tasks_has_all(const struct tasks *w, const enum member *m, size_t n, struct fault *why);
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/** Mappings, and descriptors, can be read of this kernel. */
bool tasks_know_mappings(struct tasks *w, struct fault *why);
bool tasks_know_files(struct tasks *w, struct fault *why);

/**
 * Visit the arenas that the current task's @mm (struct mm_struct) maps, and the maps in its
 * @files (struct files_struct). False: the walk is to end.
 */
bool tasks_walk_mm(struct tasks *w, uint64_t mm);
bool tasks_walk_files(struct tasks *w, uint64_t files);

#endif
