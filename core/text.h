/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of unknown origin: paths, names and sentences that carry them.
 */
#ifndef ARENA_TEXT_H
#define ARENA_TEXT_H

#include <stddef.h>

/** Bytes of the valid UTF-8 character at the NUL-terminated @s; 0 if it is none (RFC 3629). */
size_t utf8_length(const char *s);

/** The same, 0 also for control characters (C0, DEL, C1), which could drive a terminal. */
size_t text_printable(const char *s);

#endif
