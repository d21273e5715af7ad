/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A search of all stored pages, by ascending address, for what looks like an arena's structs.
 * What it finds is a candidate: freed and copied ones look the same.
 */
#ifndef ARENA_SCAN_H
#define ARENA_SCAN_H

#include "kernel.h"

struct scan_visitor {
	/** Physical address of what looks like a struct bpf_arena. False ends the scan. */
	bool (*map)(void *ctx, uint64_t phys);
	/** Physical address of what looks like an arena's vm_struct. */
	bool (*vm)(void *ctx, uint64_t phys);
	/** Physical address of what looks like the vmap_area of an arena. */
	bool (*area)(void *ctx, uint64_t phys);
	/** Physical address of what looks like the VMA of a process that maps an arena. */
	bool (*vma)(void *ctx, uint64_t phys);
	/** A page that the dump's map has, but that cannot be read: it is in @state. */
	bool (*unread)(void *ctx, uint64_t phys, enum state state);
	void *ctx;
};

/**
 * Pages are looked at by memory_peek(), each once; progress is reported. A candidate may lie
 * across a page border where the next page is stored too; only the members that make it one
 * need be stored. Where memory_ops.next is NULL nothing is looked at.
 * False: out of memory or interrupted (@why), or stopped by the visitor (@why untouched).
 */
bool scan_pages(const struct kernel *k, const struct scan_visitor *visitor, struct fault *why);

#endif
