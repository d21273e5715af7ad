/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "arenasnap: FILE: sentence" on a descriptor, safe for terminals.
 */
#ifndef ARENA_MESSAGE_H
#define ARENA_MESSAGE_H

/** @about may be NULL. */
void message(int fd, const char *about, const char *sentence);

#endif
