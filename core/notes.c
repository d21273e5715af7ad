// SPDX-License-Identifier: GPL-2.0-or-later
#include "notes.h"

#include <string.h>

#include "reader.h"

/* struct elf_prstatus: where the registers begin, and which one is the program counter */
enum { PR_REG = 112, X86_RIP = 16, ARM_PC = 32 };

static uint64_t pad4(uint64_t n)
{
	return (n + 3) & ~UINT64_C(3);
}

bool notes_next(const uint8_t *notes, size_t len, size_t *pos, struct note *note)
{
	struct reader r = reader_init(notes, len);
	uint32_t name_size, size;

	reader_seek(&r, *pos);
	name_size = reader_u32(&r);
	size = reader_u32(&r);
	note->type = reader_u32(&r);
	note->name = (const char *)reader_bytes(&r, name_size);
	if (!note->name || (!name_size && !size))
		return false;
	note->name_len = strnlen(note->name, name_size);
	reader_skip(&r, pad4(name_size) - name_size);
	note->data = reader_bytes(&r, size);
	note->size = size;
	if (r.bad)
		return false;
	/* the padding of the last note may be missing */
	reader_skip(&r, pad4(size) - size);
	*pos = r.bad ? len : r.pos;
	return true;
}

bool notes_find(const uint8_t *notes, size_t len, const char *name, uint32_t type,
		struct note *note)
{
	size_t pos = 0;

	while (notes_next(notes, len, &pos, note))
		if (note->type == type && note->name_len == strlen(name) &&
		    !memcmp(note->name, name, note->name_len))
			return true;
	return false;
}

const uint8_t *note_registers(const struct note *note, enum note_machine *machine)
{
	if (note->type != NOTE_PRSTATUS || note->name_len != 4 || memcmp(note->name, "CORE", 4) ||
	    (note->size != NOTE_X86_64_SIZE && note->size != NOTE_AARCH64_SIZE))
		return NULL;
	*machine = note->size == NOTE_X86_64_SIZE ? NOTE_X86_64 : NOTE_AARCH64;
	return note->data + PR_REG;
}

bool notes_ran_in(const uint8_t *notes, size_t len, uint64_t start, uint64_t end)
{
	enum note_machine machine;
	const uint8_t *registers;
	struct note note;
	size_t pos = 0;
	uint64_t pc;

	while (notes_next(notes, len, &pos, &note)) {
		registers = note_registers(&note, &machine);
		if (!registers)
			continue;
		pc = load_u64(registers + 8 * (machine == NOTE_X86_64 ? X86_RIP : ARM_PC));
		if (pc >= start && pc < end)
			return true;
	}
	return false;
}
