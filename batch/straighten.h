/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flattened dumps (makedumpfile -F, QEMU's kdump files): a stream of pieces, each with its
 * place in the file that it makes. libkdumpfile 0.5.1 does not read them and later versions do
 * it slowly, so they are made plain first, in a temporary file.
 */
#ifndef ARENA_STRAIGHTEN_H
#define ARENA_STRAIGHTEN_H

#include "../core/fault.h"

/* A range of the plain file that was written. */
struct written {
	uint64_t start, end;
};

struct straightened {
	uint64_t size;			/* bytes of the plain file */
	bool cut;			/* the stream has no end mark: pieces are missing */
	struct written *written;	/* ascending, disjoint; only where @cut */
	size_t n, room;
};

/** Is the file on @fd flattened? */
bool is_flattened(int fd);

/** The first @n bytes of the plain file, as far as the first pieces have them. Returns how many. */
size_t flattened_head(int fd, uint64_t size, uint8_t *head, size_t n);

/**
 * Write the plain file of @fd (@size bytes) to @to, an empty file. Later pieces replace earlier
 * ones. The space is checked first. @progress: a terminal, or -1. straightened_free() @s.
 */
bool straighten(int fd, uint64_t size, int to, int progress, struct straightened *s,
		struct fault *why);
void straightened_free(struct straightened *s);

/** As struct dumpfile_io wants it: how far from @offset on all was written, or nothing. */
uint64_t straightened_run(const struct straightened *s, uint64_t offset, bool *written);

/** Copy all @size bytes of @from to @to, an empty file. The space is checked first. */
bool copy_plain(int from, uint64_t size, int to, struct fault *why);

#endif
