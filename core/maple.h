/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A maple tree (lib/maple_tree.c, 6.9 to 7.3): ranges of indices, each with an entry. Bounded:
 * each node must name its parent and the slot there, and lie inside that slot's range.
 */
#ifndef ARENA_MAPLE_H
#define ARENA_MAPLE_H

#include "kernel.h"

struct maple_visitor {
	/** @value is stored at [@first, @last], inclusive. False ends the walk. */
	bool (*entry)(void *ctx, uint64_t first, uint64_t last, uint64_t value);
	/** Entries in [@first, @last] are not known: a node that cannot be read or believed. */
	bool (*lost)(void *ctx, uint64_t first, uint64_t last, const struct fault *why);
	void *ctx;
};

/** This kernel's maple trees can be walked. False: @why names what is not known. */
bool maple_known(const struct kernel *k, struct fault *why);

/**
 * Visit the entries of the struct maple_tree at @va, ascending; those that the kernel keeps for
 * itself are skipped. False: the tree cannot be had at all (@why), or stopped by the visitor
 * (@why untouched).
 */
bool maple_walk(const struct kernel *k, uint64_t va, const struct maple_visitor *visitor,
		struct fault *why);

#endif
