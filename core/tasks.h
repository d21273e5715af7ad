/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that map an arena or hold a descriptor of a BPF map: all tasks from init_task on,
 * their VMAs (mm_struct.mm_mt) and their files.
 */
#ifndef ARENA_TASKS_H
#define ARENA_TASKS_H

#include "kernel.h"

struct task_user {
	uint32_t pid;		/* tgid; 0: lost */
	char comm[17];		/* bytes as they are in the dump; empty: lost */
	uint64_t task;		/* struct task_struct */
	uint64_t file;		/* struct file; 0: lost. dup() and fork() share one */
	uint64_t map;		/* file->private_data: struct bpf_map; of a mapping 0: its file is lost */
};

struct task_mapping {
	struct task_user user;
	uint64_t start, end;	/* of the VMA: [start, end) */
	uint64_t pgd;		/* virtual address of the root of the process's page tables; 0: lost */
};

struct tasks_visitor {
	/** A VMA whose vm_ops are arena_vm_ops; each once, also where threads share it. */
	bool (*mapping)(void *ctx, const struct task_mapping *mapping);
	/** A descriptor whose f_op are bpf_map_fops: of a map of any type. */
	bool (*descriptor)(void *ctx, const struct task_user *user, uint32_t fd);
	/**
	 * Tasks, VMAs or files that cannot be read or believed. At most four times for a task,
	 * whatever it loses: itself, what it maps, its files, its threads.
	 */
	bool (*lost)(void *ctx, const struct fault *why);
	void *ctx;
};

/**
 * Visit the mappings and descriptors of all tasks, threads with an mm or files of their own
 * among them. False: init_task cannot be had (@why), or stopped by the visitor (@why untouched).
 */
bool tasks_walk(const struct kernel *k, const struct tasks_visitor *visitor, struct fault *why);

/**
 * The mapping of the struct vm_area_struct at @va, which a search found: no process is known of
 * it (pid 0). False: it is not an arena's, or not readable.
 */
bool tasks_read_vma(const struct kernel *k, uint64_t va, struct task_mapping *mapping);

/**
 * Physical address of the page that a process maps at user address @va, by its page tables.
 * False: not mapped, or not to be read (@why).
 */
bool tasks_translate(const struct kernel *k, uint64_t pgd, uint64_t va, uint64_t *phys,
		     struct fault *why);

#endif
