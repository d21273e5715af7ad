/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BPF programs that lead to arenas (prog_idr; kernel/bpf/syscall.c), and the schedulers of
 * sched_ext (7.2 and later; scheduler.h).
 */
#ifndef ARENA_PROGRAMS_H
#define ARENA_PROGRAMS_H

#include "kernel.h"

struct programs_visitor {
	/** A program's bpf_prog_aux.arena, or scx_sched.arena_map: @map is an arena's struct. */
	bool (*arena)(void *ctx, uint32_t program, uint64_t map);
	/** A map that a program uses: of any type. */
	bool (*map)(void *ctx, uint32_t program, uint64_t map);
	/** Programs that cannot be read or believed. False ends the walk, as in all of these. */
	bool (*lost)(void *ctx, const struct fault *why);
	void *ctx;
	/** A program, before its maps: its struct bpf_prog and bpf_prog_aux. May be NULL. */
	bool (*program)(void *ctx, uint32_t program, uint64_t prog, uint64_t aux);
};

/**
 * Visit the maps of all programs. The program of the scheduler's arena is 0.
 * False: prog_idr cannot be had at all (@why), or stopped by the visitor (@why untouched).
 */
bool programs_walk(const struct kernel *k, const struct programs_visitor *visitor,
		   struct fault *why);

#endif
