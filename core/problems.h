/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What could not be answered: the "errors" of an output.
 */
#ifndef ARENA_PROBLEMS_H
#define ARENA_PROBLEMS_H

#include "fault.h"

struct problem {
	struct fault why;
	bool has_arena;
	uint32_t arena;		/* id */
	uint64_t map;		/* address of the struct; 0: does not apply */
};

/** Plain struct, {0} is empty. At most PROBLEMS_MAX are kept, the last one says that. */
struct problems {
	struct problem *problem;
	size_t n, room;
};

#define PROBLEMS_MAX 4096

/** Make room for the first ones, so that none goes unsaid. False: out of memory. */
bool problems_reserve(struct problems *list);

/** @why is copied. Out of memory the problem is counted as lost in the last one kept. */
void problems_add(struct problems *list, const struct fault *why);
/** The same for one arena (or map that may be one). */
void problems_add_map(struct problems *list, const struct fault *why, uint32_t id, uint64_t map);
/** The same where its id is not known. */
void problems_add_struct(struct problems *list, const struct fault *why, uint64_t map);
void problems_free(struct problems *list);

#endif
