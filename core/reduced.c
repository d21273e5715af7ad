// SPDX-License-Identifier: GPL-2.0-or-later
#include "reduced.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "notes.h"
#include "vmcoreinfo.h"

size_t reduced_write(const struct memory_facts *facts, const struct reduced_pieces *pieces,
		     char text[REDUCED_TEXT])
{
	int n = snprintf(text, REDUCED_TEXT,
		"REDUCED=by arenasnap, to what it needs to answer about BPF arenas\n"
		"FORMAT=%.*s\n"
		"LEVEL=%d\n"
		"SIZE=%" PRIu64 "\n"
		"NEEDED=%" PRIu64 "\n"
		"CUT=%d\n"
		"INCOMPLETE=%d\n"
		"UNENDED=%d\n"
		"GAP=%d\n"
		"GAP_START=%" PRIu64 "\n"
		"GAP_END=%" PRIu64 "\n",
		REDUCED_FORMAT - 1, facts->format ? facts->format : "", facts->level, facts->size,
		facts->needed, facts->cut, facts->incomplete, facts->unended, facts->gap,
		facts->gap_start, facts->gap_end);

	for (size_t i = 0; i < pieces->n && n < REDUCED_TEXT; i++) {
		const struct reduced_piece *p = &pieces->piece[i];

		n += snprintf(text + n, (size_t)(REDUCED_TEXT - n),
			      "PIECE%zu=0x%" PRIx64 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %s\n",
			      i, p->phys, p->size, p->from, p->to, fault_code(p->state));
	}
	return n < REDUCED_TEXT ? (size_t)n : REDUCED_TEXT - 1;
}

/* It is printed as it is. */
static bool printable(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static bool flag(const struct vmcoreinfo *lines, const char *key)
{
	uint64_t value;

	return vmcoreinfo_number(lines, key, &value) && value == 1;
}

/* What was wrong with the original's file; this one's own troubles come first. */
static void take_file(struct memory_facts *facts, const struct vmcoreinfo *lines)
{
	uint64_t size, needed, start, end;

	if (flag(lines, "INCOMPLETE"))
		facts->incomplete = true;
	if (vmcoreinfo_number(lines, "GAP_START", &start) &&
	    vmcoreinfo_number(lines, "GAP_END", &end) && start < end && flag(lines, "GAP")) {
		facts->gap = true;
		facts->gap_start = start;
		facts->gap_end = end;
	}
	if (facts->cut || !vmcoreinfo_number(lines, "SIZE", &size) ||
	    !vmcoreinfo_number(lines, "NEEDED", &needed))
		return;
	facts->size = size;
	facts->needed = needed;
	facts->cut = flag(lines, "CUT");
	facts->unended = flag(lines, "UNENDED");
}

static bool parse_piece(const char *text, struct reduced_piece *p)
{
	static const enum state states[] = {
		STATE_EXCLUDED, STATE_ABSENT, STATE_CUT, STATE_DAMAGED,
	};
	char code[16];

	if (sscanf(text, "0x%" SCNx64 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %15s", &p->phys,
		   &p->size, &p->from, &p->to, code) != 5 || p->from >= p->to || p->to > p->size)
		return false;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		p->state = states[i];
		if (!strcmp(code, fault_code(p->state)))
			return true;
	}
	return false;
}

static void take_pieces(struct reduced_pieces *pieces, const struct vmcoreinfo *lines)
{
	char key[32], text[96];

	for (; pieces->n < REDUCED_PIECES; pieces->n++) {
		snprintf(key, sizeof(key), "PIECE%zu", pieces->n);
		if (!vmcoreinfo_string(lines, key, text, sizeof(text)) ||
		    !parse_piece(text, &pieces->piece[pieces->n]))
			return;
	}
}

enum state reduced_state(const struct reduced_pieces *pieces, uint64_t phys, uint64_t n)
{
	for (size_t i = 0; i < pieces->n; i++) {
		const struct reduced_piece *p = &pieces->piece[i];

		if (phys + n <= p->phys || phys >= p->phys + p->size)
			continue;
		if (phys < p->phys + p->from || phys + n > p->phys + p->to)
			return p->state;
	}
	return STATE_STORED;
}

uint64_t reduced_run(const struct reduced_pieces *pieces, uint64_t phys, uint64_t n,
		     bool *stored)
{
	uint64_t end = phys + n;

	*stored = true;
	for (size_t i = 0; i < 2 * pieces->n; i++) {
		const struct reduced_piece *p = &pieces->piece[i / 2];
		/* a piece has a hole before it and one behind it */
		uint64_t from = p->phys + (i % 2 ? p->to : 0);
		uint64_t to = p->phys + (i % 2 ? p->size : p->from);

		if (from >= to || to <= phys || from >= end)
			continue;
		if (from <= phys) {
			*stored = false;
			return (to < end ? to : end) - phys;
		}
		end = from;
	}
	return end - phys;
}

void reduced_read(struct memory_facts *facts, char format[REDUCED_FORMAT],
		  struct reduced_pieces *pieces)
{
	struct vmcoreinfo lines;
	struct fault ignored;
	struct note note;
	uint64_t level;

	if (!notes_find(facts->notes, facts->notes_len, REDUCED_NAME, REDUCED_NOTE, &note) ||
	    !vmcoreinfo_init(&lines, (const char *)note.data, note.size, &ignored) ||
	    !vmcoreinfo_string(&lines, "FORMAT", format, REDUCED_FORMAT) || !printable(format) ||
	    !vmcoreinfo_number(&lines, "LEVEL", &level))
		return;
	facts->reduced = true;
	facts->format = *format ? format : NULL;
	/* a negative one wraps */
	facts->level = (int32_t)(uint32_t)level;
	take_file(facts, &lines);
	take_pieces(pieces, &lines);
}
