/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct bpf_arena (kernel/bpf/arena.c) and the vm_struct of its kernel area, read and checked.
 */
#ifndef ARENA_ARENA_STRUCT_H
#define ARENA_ARENA_STRUCT_H

#include "kernel.h"

struct arena_struct {
	uint32_t id, max_entries, map_flags;
	char name[17];
	uint64_t map_extra, user_vm_start, user_vm_end, kern_vm;
	uint64_t refcnt;		/* 1 where that member is not known */
};

/** What there is at an address that may be that of a struct bpf_map. */
enum map_kind {
	MAP_ARENA,
	MAP_OTHER,	/* a map of another type */
	MAP_LOST,	/* it cannot be read */
	MAP_NONE,	/* it contradicts itself */
};

/** Read the struct at @map: *@s with MAP_ARENA, @why with the others. */
enum map_kind arena_struct_read(const struct kernel *k, uint64_t map, struct arena_struct *s,
				struct fault *why);

/** The id of any map, MAP_OTHER too; false: it cannot be read. */
bool arena_struct_id(const struct kernel *k, uint64_t map, uint32_t *id, struct fault *why);

/** Bytes that the window of an arena has, whatever it declares: user addresses by their low half. */
#define ARENA_WINDOW (UINT64_C(4) << 30)

/** Kernel area of an arena: a guard, the window of 4 GiB, a guard, and the guard of vmalloc. */
struct arena_area {
	uint64_t addr;		/* kern_vm->addr; 0: not known */
	uint64_t size;		/* bytes, all guards included */
	uint64_t guard;		/* bytes of one guard, GUARD_SZ/2 */
};

/** Bytes of every arena's area. */
uint64_t arena_area_size(const struct kernel *k);

/** [@addr, @addr + @size) as an area. False: none of an arena has that size or place. */
bool arena_area_shape(const struct kernel *k, uint64_t addr, uint64_t size,
		      struct arena_area *area);

/** The area of the vm_struct at @vm. False: it cannot be read, or is not that of an arena. */
bool arena_area_read(const struct kernel *k, uint64_t vm, struct arena_area *area,
		     struct fault *why);

#endif
