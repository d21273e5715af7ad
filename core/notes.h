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

/** Machines whose registers are known, by the size of their struct elf_prstatus. */
enum note_machine { NOTE_X86_64, NOTE_AARCH64 };

enum {
	NOTE_PRSTATUS = 1,		/* type of a note "CORE" */
	NOTE_X86_64_SIZE = 336, NOTE_AARCH64_SIZE = 392,
	/* registers, of 8 bytes, in the order of struct user_regs_struct / user_pt_regs */
	NOTE_X86_64_REGISTERS = 27, NOTE_AARCH64_REGISTERS = 34,
};

/**
 * The registers of a CPU if @note has them (NT_PRSTATUS of x86_64 and aarch64): borrowed,
 * little-endian. NULL: it is another note, or of another size.
 */
const uint8_t *note_registers(const struct note *note, enum note_machine *machine);

/**
 * Was a CPU at an instruction in [@start, @end) when its registers were saved (NT_PRSTATUS of
 * x86_64 and aarch64, by their sizes)? False also where that is not known.
 */
bool notes_ran_in(const uint8_t *notes, size_t len, uint64_t start, uint64_t end);

#endif
