/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The note in which a reduced dump (arenasnap --reduce) says what it was made from. The words
 * for what is missing depend on that, and they are to stay the same.
 *
 * ELF note, name "arenasnap", type REDUCED_NOTE; its contents are KEY=VALUE lines, so that
 * strings(1) shows what the file is.
 */
#ifndef ARENA_REDUCED_H
#define ARENA_REDUCED_H

#include "memory.h"

#define REDUCED_NAME "arenasnap"
enum {
	REDUCED_NOTE = 0x64657220,	/* " red"; crash goes by the type alone and knows 1 */
	REDUCED_TEXT = 512,
	REDUCED_FORMAT = 64,
};

/** Contents of the note for a dump with @facts, not NUL-terminated. Returns their length. */
size_t reduced_write(const struct memory_facts *facts, char text[REDUCED_TEXT]);

/**
 * If facts->notes have the note: set facts->reduced, and those facts that were the original's.
 * @format keeps facts->format, so it lives as long.
 */
void reduced_read(struct memory_facts *facts, char format[REDUCED_FORMAT]);

#endif
