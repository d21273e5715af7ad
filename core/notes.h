/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF notes, as vmcores carry them: 12-byte header, name and contents padded to 4 bytes.
 */
#ifndef ARENA_NOTES_H
#define ARENA_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct note {
	const char *name;	/* not NUL-terminated */
	size_t name_len;	/* without the NUL */
	uint32_t type;
	const uint8_t *data;
	size_t size;
};

/** The note at *@pos of @notes; moves *@pos on. False at the end or at damage. */
bool notes_next(const uint8_t *notes, size_t len, size_t *pos, struct note *note);

/** The first note of that name and type. */
bool notes_find(const uint8_t *notes, size_t len, const char *name, uint32_t type,
		struct note *note);

/**
 * Was a CPU at an instruction in [@start, @end) when its registers were saved (NT_PRSTATUS of
 * x86_64 and aarch64, by their sizes)? False also where that is not known.
 */
bool notes_ran_in(const uint8_t *notes, size_t len, uint64_t start, uint64_t end);

#endif
