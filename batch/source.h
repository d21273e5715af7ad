/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vmcore as physical memory: our own map of the file in front, libkdumpfile as the decoder
 * of pages behind it, and nothing else of libkdumpfile.
 */
#ifndef ARENA_SOURCE_H
#define ARENA_SOURCE_H

#include "../core/dumpfile.h"
#include "../core/memory.h"

struct source;

/**
 * @fd is open for reading, borrowed, and a regular file of @size bytes.
 * @progress: where to show progress (a terminal), or -1.
 * NULL with @why: what the file is instead, or what is wrong with it.
 */
struct source *source_open(int fd, uint64_t size, int progress, struct fault *why);
void source_close(struct source *s);

/** Borrowed until source_close(). */
const struct memory *source_memory(const struct source *s);

#endif
