/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The busy vmalloc areas (mm/vmalloc.c, 6.9 to 7.3: vmap_nodes, each with a tree and a list).
 */
#ifndef ARENA_VMALLOC_H
#define ARENA_VMALLOC_H

#include "kernel.h"

struct vmalloc_area {
	uint64_t va;		/* address of its struct vmap_area */
	uint64_t start, end;	/* [start, end) */
	uint64_t vm;		/* struct vm_struct; 0: none (vm_map_ram) */
};

struct vmalloc_visitor {
	/** An area, each once, in no order. False ends the walk. */
	bool (*area)(void *ctx, const struct vmalloc_area *area);
	/** Areas may be missing from here on: a node or area that cannot be read or believed. */
	bool (*lost)(void *ctx, const struct fault *why);
	void *ctx;
};

/**
 * Visit the busy areas of all nodes: by tree and by list, each from the other where one is
 * broken; lost() only for what neither gives.
 * False: vmap_nodes itself cannot be had (@why), or stopped by the visitor (@why untouched).
 */
bool vmalloc_walk(const struct kernel *k, const struct vmalloc_visitor *visitor,
		  struct fault *why);

/**
 * The areas that the struct vmap_area at @va is in a list with, itself first: for a node whose
 * head is lost. *@busy: the list leads to where the head of a node's busy areas is. It does not
 * for one that is freed, and need not where neighbours are lost.
 * False: it cannot be read or believed (@why), or stopped by the visitor (@why untouched).
 */
bool vmalloc_follow(const struct kernel *k, uint64_t va, const struct vmalloc_visitor *visitor,
		    bool *busy, struct fault *why);

#endif
