/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses an arena, shown.
 */
#ifndef ARENA_RENDER_USERS_H
#define ARENA_RENDER_USERS_H

#include "arena.h"
#include "sink.h"
#include "users.h"

/** A heading, its programs with what they printed, its processes; @shown: others came before. */
bool users_table(struct sink *out, const struct arena_snapshot *a, const struct users *users,
		 bool headings, uint64_t shown);
/** A member of the arena's object: ,"users":{...} */
bool users_json(struct sink *out, const struct arena_snapshot *a, const struct users *users);

#endif
