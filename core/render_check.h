/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a check of an arena found, shown.
 */
#ifndef ARENA_RENDER_CHECK_H
#define ARENA_RENDER_CHECK_H

#include "check.h"
#include "sink.h"

/** A heading with the verdict and a field per line; @shown: others came before. */
bool check_table(struct sink *out, const struct arena_snapshot *a, const struct check *c,
		 uint64_t shown);
/** A member of the arena's object: ,"check":{...} */
bool check_json(struct sink *out, const struct arena_snapshot *a, const struct check *c);

#endif
