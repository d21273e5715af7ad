/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses an arena: programs, processes, and how many references they explain.
 */
#ifndef ARENA_USERS_H
#define ARENA_USERS_H

#include "arena_find.h"
#include "streams.h"
#include "tasks.h"

/** A program; what is not known has its bit in @unknown. */
struct users_program {
	uint32_t id;
	uint64_t prog, aux;
	unsigned unknown;
	char name[17];		/* aux->name; empty: it has none */
	uint32_t type;		/* enum bpf_prog_type: users_type_name() */
	uint8_t tag[8];
	uint32_t uid;		/* in the first user namespace */
	uint64_t load_time;	/* nanoseconds since boot */
	uint64_t map;		/* struct of the arena that it uses */
	bool by_arena, by_maps;	/* bpf_prog_aux.arena, used_maps */
	char *text[STREAMS];	/* unread: streams.h */
};

enum { PROGRAM_NAME = 1, PROGRAM_TYPE = 2, PROGRAM_TAG = 4, PROGRAM_UID = 8, PROGRAM_TIME = 16 };

/** A mapping or a descriptor of an arena. */
struct users_hold {
	struct task_user user;
	bool mapped;
	uint64_t start, end;	/* @mapped: [start, end) */
	uint32_t fd;		/* else */
};

struct users {
	struct users_program *program;	/* by map, id; one that uses two arenas is there twice */
	struct users_hold *hold;	/* by map, pid; mappings before descriptors */
	size_t programs, holds, program_room, hold_room;
	bool programs_lost, tasks_lost;	/* some could not be read: there may be more */
	struct users_map *map;		/* of each arena whose struct is known, by address */
	size_t maps;
};

/** Of one arena: what users_of() gives. */
struct users_map {
	uint64_t map;
	bool has_refcnt, has_usercnt;	/* are they known? */
	uint64_t refcnt, usercnt;
	uint32_t schedulers;		/* scx_sched.arena_map: each holds a reference */
	const struct users_program *program;
	const struct users_hold *hold;
	size_t programs, holds;
	bool has_files;			/* all that hold it were seen, and so were their files */
	uint64_t files;			/* struct files: each holds one of both counts */
	/*
	 * References that files, programs and schedulers do not explain: pinned in bpffs (counted in both),
	 * or held elsewhere. Known only where @has_unexplained.
	 */
	bool has_unexplained;
	uint64_t unexplained, unexplained_users;
};

/**
 * Find the users of all arenas in @list, in one walk of programs and one of processes. What
 * cannot be read goes to @problems. kernel/bpf/syscall.c: a struct file and a pin in bpffs hold
 * refcnt and usercnt, a program's used_maps refcnt alone, as a sched_ext scheduler of 7.2 and
 * later (scx_sched.arena_map); a mapping holds its file.
 * False: out of memory or interrupted (@why). users_free() either way.
 */
bool users_find(const struct kernel *k, const struct arena_list *list, struct users *u,
		struct problems *problems, struct fault *why);
void users_free(struct users *u);

/** The users of the arena whose struct is at @map; NULL: nothing was asked of it. */
const struct users_map *users_of(const struct users *u, uint64_t map);

/** enum bpf_prog_type of include/uapi/linux/bpf.h as bpftool names it; NULL: not known. */
const char *users_type_name(uint32_t type);

/** The end of the holds of one process that begin with hold[@i]. */
size_t users_process_end(const struct users_map *m, size_t i);
size_t users_processes(const struct users_map *m);

#endif
