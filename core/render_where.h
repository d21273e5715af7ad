/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an address lies in an arena, shown. Nothing where it does not lie in it.
 */
#ifndef ARENA_RENDER_WHERE_H
#define ARENA_RENDER_WHERE_H

#include "allocator.h"
#include "sink.h"
#include "where.h"

/** A heading and a field per line; @shown: others came before. @al is of @a; NULL: not known. */
bool where_table(struct sink *out, const struct arena_snapshot *a, const struct allocator *al,
		 uint64_t address, uint64_t shown);
/** A member of the arena's object: ,"address":{...} */
bool where_json(struct sink *out, const struct arena_snapshot *a, const struct allocator *al,
		uint64_t address);

#endif
