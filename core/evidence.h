/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What speaks for or against the state of an arena: one sentence each.
 */
#ifndef ARENA_EVIDENCE_H
#define ARENA_EVIDENCE_H

#include "fault.h"

/** What a piece of evidence means. */
enum weight {
	WEIGHT_NOTE,		/* worth knowing; nothing is wrong */
	WEIGHT_MOVING,		/* the arena was being changed at that moment */
	WEIGHT_DOUBT,		/* wrong, unless it was being changed */
	WEIGHT_DAMAGE,		/* wrong at any moment */
	WEIGHT_UNKNOWN,		/* something could not be read */
	WEIGHTS
};

/** E(code in JSON, its weight) */
#define EVIDENCE(E) \
	E(lock_held, MOVING) \
	E(free_pending, MOVING) \
	E(being_made, MOVING) \
	E(being_freed, MOVING) \
	E(live_system, MOVING) \
	/* a pointer of a tree leads nowhere; parent and child disagree; too deep, too many */ \
	E(tree_pointer, DOUBT) \
	E(tree_parent, DOUBT) \
	E(tree_limit, DOUBT) \
	E(tree_color, DOUBT) \
	E(tree_height, DOUBT) \
	E(tree_leftmost, DOUBT) \
	E(tree_order, DOUBT) \
	E(tree_overlap, DOUBT) \
	E(tree_adjacent, DOUBT) \
	E(tree_bounds, DOUBT) \
	E(tree_subtree_last, DOUBT) \
	E(tree_nodes, DOUBT) \
	E(maple_node, DOUBT) \
	E(maple_entry, DOUBT) \
	E(orphan, DOUBT) \
	E(nr_pages, DOUBT) \
	E(shared_frame, DAMAGE) \
	E(span_cycle, DAMAGE) \
	E(span_pointer, DAMAGE) \
	E(span_bounds, DAMAGE) \
	E(scratch_allocated, NOTE) \
	E(lost_range, NOTE) \
	E(untracked, NOTE) \
	E(unreadable, UNKNOWN) \
	E(unknown_type, UNKNOWN) \
	E(struct_lost, UNKNOWN) \
	E(pages_lost, UNKNOWN)

enum evidence_code {
#define E(name, weight) EVIDENCE_##name,
	EVIDENCE(E)
#undef E
	EVIDENCE_CODES
};

enum { EVIDENCE_MAX = 32 };	/* sentences kept; of one code a quarter */

struct evidence {
	enum evidence_code code;
	enum state kind;	/* WEIGHT_UNKNOWN: why it could not be read; else STATE_DAMAGED */
	enum space space;	/* of @addr */
	uint64_t addr;		/* of what the sentence is about; 0 with SPACE_NONE */
	char text[224];
};

/** Plain struct, { 0 } is empty. Needs no freeing. */
struct evidence_list {
	struct evidence item[EVIDENCE_MAX];
	size_t n;
	uint64_t count[EVIDENCE_CODES];		/* of all, kept or not */
	uint64_t weight[WEIGHTS];		/* the same by weight */
};

void evidence_add(struct evidence_list *list, enum evidence_code code, uint64_t addr,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));
/** What could not be read, as its fault says it. @addr of evidence_add() is virtual; 0: none. */
void evidence_add_fault(struct evidence_list *list, const struct fault *why);

/** As in JSON: "orphan", ... */
const char *evidence_name(enum evidence_code code);
enum weight evidence_weight(enum evidence_code code);

/** What is wrong by itself: a page that is not in the dump is not. */
bool fault_is_wrong_pointer(const struct fault *why);

#endif
