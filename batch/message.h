/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "arenasnap: FILE: sentence" on a descriptor, safe for terminals.
 */
#ifndef ARENA_MESSAGE_H
#define ARENA_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/** For a sink: write all of it to the descriptor that @ctx points to. */
bool write_fd(void *ctx, const char *text, size_t n);

/** @about may be NULL. */
void message(int fd, const char *about, const char *sentence);

#endif
