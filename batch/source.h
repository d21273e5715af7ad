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

/** A vmcore, or one part of a split one. */
struct source_file {
	int fd;			/* a regular file, open for reading, borrowed */
	uint64_t size;		/* bytes */
	int scratch;		/* an empty, unlinked file, for a plain copy if one is needed */
};

/**
 * Open the @n files of one dump; @file is borrowed for the life of the source.
 * @progress: where to show progress (a terminal), or -1.
 * NULL with @why: what a file is instead, or what is wrong with it.
 */
struct source *source_open(const struct source_file *file, size_t n, int progress,
			   struct fault *why);
void source_close(struct source *s);

/** Borrowed until source_close(). */
const struct memory *source_memory(const struct source *s);

#endif
