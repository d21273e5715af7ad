// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcoreinfo_find.h"

#include <stdlib.h>
#include <string.h>

#include "reader.h"

enum {
	STEP = 4096,		/* both begin a page, and pages of all sizes begin here */
	ROOM = (64 << 10) + STEP,	/* VMCOREINFO_BYTES is a page, of 64 KiB at most */
	NOTE_HEAD = 12 + 12,	/* struct elf_note, and "VMCOREINFO" padded to words */
	HEAD = NOTE_HEAD + 10,	/* as much as "OSRELEASE=" needs */
	PROGRESS = 1024,	/* steps */
};

static const char first_key[] = "OSRELEASE=";

bool vmcoreinfo_search_begin(struct vmcoreinfo_search *s, const struct memory *mem,
			     struct fault *why)
{
	uint64_t at = 0, n;

	*s = (struct vmcoreinfo_search){ .mem = mem, .text = malloc(ROOM) };
	if (!s->text)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	while (memory_next(mem, &at, &n) && add_ok(at, n, &at))
		s->total += n;
	return true;
}

void vmcoreinfo_search_end(struct vmcoreinfo_search *s)
{
	free(s->text);
	s->text = NULL;
}

/* Go to the next step of stored memory. False: there is none. */
static bool next_step(struct vmcoreinfo_search *s, uint64_t *at)
{
	uint64_t start, n;

	for (;;) {
		start = (s->at + STEP - 1) & ~(uint64_t)(STEP - 1);
		if (start >= s->at && start < s->end) {
			*at = start;
			s->at = start + 1;
			s->done += STEP;
			return true;
		}
		start = s->end;
		if (!memory_next(s->mem, &start, &n) || !add_ok(start, n, &s->end))
			return false;
		s->at = start;
	}
}

/* Where in the step at @phys a text begins; *@size: its length, if a note says so, else 0. */
static bool looks_like_one(const struct vmcoreinfo_search *s, uint64_t phys, uint64_t *offset,
			   uint64_t *size)
{
	uint8_t head[HEAD];

	if (memory_peek(s->mem, phys, head, sizeof(head)) != STATE_STORED)
		return false;
	*offset = *size = 0;
	if (!memcmp(head, first_key, strlen(first_key)))
		return true;
	if (load_u32(head) != sizeof("VMCOREINFO") || load_u32(head + 8) ||
	    memcmp(head + 12, "VMCOREINFO\0", 12) ||
	    memcmp(head + NOTE_HEAD, first_key, strlen(first_key)))
		return false;
	*offset = NOTE_HEAD;
	*size = load_u32(head + 4);
	return true;
}

/* All of it, up to a zero. */
static bool read_text(const struct vmcoreinfo_search *s, uint64_t phys, size_t *len)
{
	size_t have = 0, n;
	const char *end;

	do {
		n = STEP - (size_t)(phys % STEP);
		if (n > ROOM - have ||
		    memory_peek(s->mem, phys, s->text + have, n) != STATE_STORED)
			return false;
		end = memchr(s->text + have, '\0', n);
		have += n;
		phys += n;
	} while (!end);
	*len = (size_t)(end - s->text);
	return true;
}

static bool take_text(const struct vmcoreinfo_search *s, uint64_t phys, uint64_t size,
		      struct vmcoreinfo *vi)
{
	struct fault ignored;
	uint64_t value;
	size_t len;

	return read_text(s, phys, &len) && (!size || size == len) && vmcoreinfo_is_lines(s->text, len) &&
	       s->text[len - 1] == '\n' &&
	       vmcoreinfo_init(vi, s->text, len, &ignored) &&
	       vmcoreinfo_number(vi, "PAGESIZE", &value) &&
	       vmcoreinfo_symbol(vi, "init_uts_ns", &value);
}

bool vmcoreinfo_search_next(struct vmcoreinfo_search *s, struct vmcoreinfo *vi, uint64_t *phys,
			    struct fault *why)
{
	uint64_t offset, size;

	while (next_step(s, phys)) {
		if (s->done / STEP % PROGRESS == 1 &&
		    !memory_progress(s->mem, "looking for VMCOREINFO", s->done, s->total, why))
			return false;
		if (!looks_like_one(s, *phys, &offset, &size))
			continue;
		*phys += offset;
		if (take_text(s, *phys, size, vi))
			return true;
	}
	*vi = (struct vmcoreinfo){ 0 };
	return true;
}
