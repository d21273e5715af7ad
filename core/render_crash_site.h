/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the crash has to do with arenas, shown.
 */
#ifndef ARENA_RENDER_CRASH_SITE_H
#define ARENA_RENDER_CRASH_SITE_H

#include "crash_site.h"
#include "sink.h"

/**
 * Two lines for each hit, then an empty one; nothing where no hit is strong. @all: weak ones are
 * enough, and those of CR2 are said, too.
 */
bool crash_site_table(struct sink *out, const struct crash_site *site, bool all);
/** What was looked at, as the sources of -v. */
bool crash_site_sources(struct sink *out, const struct crash_site *site);
/** A member of the whole: ,"crash":{...} */
bool crash_site_json(struct sink *out, const struct crash_site *site);

#endif
