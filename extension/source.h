/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The waist in crash: physical memory behind crash's reader, with our own map of the dump file
 * in front where the file is one that it knows.
 */
#ifndef ARENA_EXTENSION_SOURCE_H
#define ARENA_EXTENSION_SOURCE_H

#include "../core/memory.h"

struct source;

/** NULL with @why: there is no dump that can be read truly. */
struct source *source_open(struct fault *why);
void source_close(struct source *s);
/** Borrowed until source_close(). */
const struct memory *source_memory(const struct source *s);

#endif
