/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --reduce: a small dump that gives the same answers. What is read through the waist is
 * recorded while everything that arenasnap can be asked is asked; those pages are its pages.
 */
#ifndef ARENA_REDUCE_H
#define ARENA_REDUCE_H

#include "../core/kernel.h"

struct recorder;

/** A recorder in front of @mem, which is borrowed. NULL: out of memory. */
struct recorder *recorder_new(const struct memory *mem);
void recorder_free(struct recorder *r);

/** What the kernel is to be opened with; borrowed until recorder_free(). */
const struct memory *recorder_memory(const struct recorder *r);

/**
 * Ask @k, which was opened with recorder_memory(), all there is to ask, and write what was
 * recorded to @fd, an empty file. *@size: bytes of it.
 */
bool reduce(struct recorder *r, const struct kernel *k, int fd, uint64_t *size,
	    struct fault *why);

#endif
