/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A range tree (kernel/bpf/range_tree.c, 6.13 to 7.3): the free page offsets of an arena, each
 * struct range_node in two red-black trees, by start and by size.
 */
#ifndef ARENA_RANGE_TREE_H
#define ARENA_RANGE_TREE_H

#include "evidence.h"
#include "kernel.h"
#include "ranges.h"

/** What is asked for. */
struct range_tree_place {
	uint64_t va;		/* struct range_tree */
	uint64_t limit;		/* no free page may be at or beyond this pgoff */
	uint64_t most;		/* pages that any pgoff may have: bounds the number of nodes */
};

/** Free with range_tree_free(). */
struct range_tree {
	struct page_ranges free;	/* ascending, disjoint */
	struct page_ranges unknown;	/* what the nodes that cannot be read or believed hide */
	uint64_t nodes;
};

/** This kernel's range trees can be walked. False: @why names what is not known. */
bool range_tree_known(const struct kernel *k, struct fault *why);

/**
 * Read both trees and hold them against each other. Whatever breaks an invariant of theirs goes
 * to @evidence, as does what cannot be read; a node that one tree does not lead to is taken from
 * the other. Bounded: a node is entered only from the parent that it names, so none twice; 64
 * levels; as many nodes as @place.most can have. Memory grows with nodes that were read.
 * False: out of memory, interrupted, or types are not known (@why).
 */
bool range_tree_read(const struct kernel *k, const struct range_tree_place *place,
		     struct range_tree *t, struct evidence_list *evidence, struct fault *why);
void range_tree_free(struct range_tree *t);

#endif
