/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hits of a search in one arena (-f, --refs), shown as they are found. Pages that could not be
 * read are a problem of the report. Both return false to stop.
 */
#ifndef ARENA_RENDER_SEARCH_H
#define ARENA_RENDER_SEARCH_H

#include "report.h"

/** A line for each hit; @count is added to. */
bool search_table(struct sink *out, const struct kernel *k, const struct arena_snapshot *a,
		  const struct ask *ask, bool headings, struct report_result *result,
		  struct hit_count *count);
/** Behind all arenas, where nothing was found. */
bool search_table_end(struct sink *out, const struct ask *ask, const struct hit_count *count);

/** Members of the arena's object: ,"found":[...],"searched":N, or "refs". */
bool search_json(struct sink *out, const struct kernel *k, const struct arena_snapshot *a,
		 const struct ask *ask, struct report_result *result);

#endif
