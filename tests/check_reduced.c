// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/reduced.c: the note of a reduced dump is read back, and one that nobody wrote does no
 * harm.
 */
#include "suite.h"

#include "../core/reduced.h"
#include "../fixtures/synth/notes_writer.h"

static struct bytes notes;
static struct memory_facts facts;
static char format[REDUCED_FORMAT];
static struct reduced_pieces pieces;
static const struct reduced_pieces none;

static void setup(void)
{
	notes = (struct bytes){ 0 };
	memset(format, 0, sizeof(format));
	pieces = none;
}

static void teardown(void)
{
	bytes_free(&notes);
}

/* Read notes as those of a whole zlib kdump of 5000 bytes. */
static void read_notes(void)
{
	facts = (struct memory_facts){
		.format = "kdump, zlib", .level = -1, .size = 5000, .needed = 5000,
		.notes = notes.data, .notes_len = notes.n,
	};
	reduced_read(&facts, format, &pieces);
}

static void read_text(const char *text)
{
	notes.n = 0;
	pieces = none;
	note_write(&notes, REDUCED_NAME, REDUCED_NOTE, text, strlen(text));
	read_notes();
}

static void ck_untouched(void)
{
	ck_assert(!facts.reduced && !facts.cut && !facts.incomplete && !facts.gap);
	ck_assert_str_eq(facts.format, "kdump, zlib");
	ck_assert_int_eq(facts.level, -1);
	ck_u64_eq(facts.size, 5000);
	ck_u64_eq(facts.needed, 5000);
}

static const struct memory_facts originals[] = {
	{ .format = "ELF", .level = -1, .size = 1, .needed = 1 },
	{ .format = "kdump, snappy", .level = 31, .size = UINT64_C(60) << 30,
	  .needed = UINT64_C(60) << 30 },
	{ .format = "ELF", .level = 0, .size = 900, .needed = 1000, .cut = true },
	{ .format = "kdump, zlib", .level = 1, .size = 9, .needed = 9, .unended = true },
	{ .format = "kdump, lzo", .level = 31, .size = 9, .needed = 9, .incomplete = true },
	{ .format = "kdump, zstd", .level = 31, .size = UINT64_MAX, .needed = UINT64_MAX,
	  .gap = true, .gap_start = 0x1000, .gap_end = UINT64_MAX },
	{ .format = NULL, .level = -1, .size = 0, .needed = 7, .cut = true, .incomplete = true,
	  .unended = true, .gap = true, .gap_start = 0, .gap_end = 4096 },
};

START_TEST(reduced__what_was_written_is_read_back)
{
	const struct memory_facts *was = &originals[_i];
	char text[REDUCED_TEXT];
	size_t n = reduced_write(was, &none, text);

	ck_assert_uint_lt(n, REDUCED_TEXT);
	/* other notes are there, too */
	notes_write(&notes, _i % 2, NULL);
	note_write(&notes, REDUCED_NAME, REDUCED_NOTE, text, n);
	note_write(&notes, "CORE", 1, "abc", 3);
	read_notes();
	ck_assert(facts.reduced);
	if (was->format)
		ck_assert_str_eq(facts.format, was->format);
	else
		ck_assert_ptr_null(facts.format);
	ck_assert_int_eq(facts.level, was->level);
	ck_u64_eq(facts.size, was->size);
	ck_u64_eq(facts.needed, was->needed);
	ck_assert_int_eq(facts.cut, was->cut);
	ck_assert_int_eq(facts.incomplete, was->incomplete);
	ck_assert_int_eq(facts.unended, was->unended);
	ck_assert_int_eq(facts.gap, was->gap);
	ck_u64_eq(facts.gap_start, was->gap ? was->gap_start : 0);
	ck_u64_eq(facts.gap_end, was->gap ? was->gap_end : 0);
}
END_TEST

/* A reduced dump that was itself cut: its own end is what matters, not the original's. */
START_TEST(reduced__own_troubles_come_first)
{
	char text[REDUCED_TEXT];
	size_t n = reduced_write(&originals[2], &none, text);

	note_write(&notes, REDUCED_NAME, REDUCED_NOTE, text, n);
	facts = (struct memory_facts){
		.format = "kdump, zlib", .level = 31, .size = 10, .needed = 20, .cut = true,
		.incomplete = true, .notes = notes.data, .notes_len = notes.n,
	};
	reduced_read(&facts, format, &pieces);
	ck_assert(facts.reduced && facts.cut && facts.incomplete);
	ck_u64_eq(facts.size, 10);
	ck_u64_eq(facts.needed, 20);
	ck_assert_str_eq(facts.format, "ELF");
	ck_assert_int_eq(facts.level, 0);
}
END_TEST

START_TEST(reduced__longest_contents_fit)
{
	const struct memory_facts most = {
		.format = "0123456789012345678901234567890123456789012345678901234567890123456789",
		.level = INT32_MIN, .size = UINT64_MAX, .needed = UINT64_MAX, .cut = true,
		.incomplete = true, .unended = true, .gap = true, .gap_start = UINT64_MAX - 1,
		.gap_end = UINT64_MAX,
	};
	struct reduced_pieces all = { .n = REDUCED_PIECES };
	char text[REDUCED_TEXT];

	for (size_t i = 0; i < all.n; i++)
		all.piece[i] = (struct reduced_piece){ UINT64_C(0xffffffffff000), 65536, 32768,
						       65535, STATE_EXCLUDED };
	ck_assert_uint_lt(reduced_write(&most, &all, text), REDUCED_TEXT - 1);
	read_text(text);
	ck_assert(facts.reduced && facts.gap && facts.cut);
	ck_assert_uint_eq(strlen(facts.format), REDUCED_FORMAT - 1);
	ck_assert_int_eq(facts.level, INT32_MIN);
	ck_u64_eq(facts.needed, UINT64_MAX);
	ck_assert_uint_eq(pieces.n, REDUCED_PIECES);
	ck_assert_int_eq(pieces.piece[REDUCED_PIECES - 1].state, STATE_EXCLUDED);
}
END_TEST

/* 0x3000 begins a page that was cut, 0x8000 one of which only the end was there. */
START_TEST(reduced__pieces_rule_the_state_of_their_pages)
{
	const struct reduced_pieces two = { 2, {
		{ 0x3000, 4096, 0, 100, STATE_CUT }, { 0x8000, 4096, 4000, 4096, STATE_ABSENT },
	} };
	char text[REDUCED_TEXT];

	reduced_write(&originals[0], &two, text);
	read_text(text);
	ck_assert_uint_eq(pieces.n, 2);
	ck_assert_int_eq(reduced_state(&pieces, 0x3000, 100), STATE_STORED);
	ck_assert_int_eq(reduced_state(&pieces, 0x3000, 101), STATE_CUT);
	ck_assert_int_eq(reduced_state(&pieces, 0x3fff, 1), STATE_CUT);
	ck_assert_int_eq(reduced_state(&pieces, 0x2000, 0x1000), STATE_STORED);
	ck_assert_int_eq(reduced_state(&pieces, 0x4000, 0x1000), STATE_STORED);
	ck_assert_int_eq(reduced_state(&pieces, 0x8000, 1), STATE_ABSENT);
	ck_assert_int_eq(reduced_state(&pieces, 0x8000 + 3999, 97), STATE_ABSENT);
	ck_assert_int_eq(reduced_state(&pieces, 0x8000 + 4000, 96), STATE_STORED);
	ck_assert_int_eq(reduced_state(&none, 0x8000, 1), STATE_STORED);
}
END_TEST

/* Byte by byte as reduced_state() has it, with pieces of hostile notes too. */
START_TEST(reduced__runs_are_the_bytes_that_were_there)
{
	const struct reduced_pieces sets[] = {
		{ 2, { { 0x300, 256, 0, 100, STATE_CUT }, { 0x800, 256, 200, 256, STATE_CUT } } },
		/* neighbours, and one inside of another */
		{ 3, { { 0x400, 256, 9, 256, STATE_CUT }, { 0x300, 256, 0, 10, STATE_CUT },
		       { 0x380, 64, 1, 2, STATE_ABSENT } } },
		{ 1, { { 0, 0x1000, 0x700, 0x701, STATE_CUT } } },
		{ 1, { { UINT64_MAX - 10, 4096, 0, 1, STATE_CUT } } },
		{ 0 },
	};

	for (uint64_t phys = 0x200; phys < 0xa00;) {
		bool stored;
		uint64_t n = reduced_run(&sets[_i], phys, 0xa00 - phys, &stored);

		ck_assert_uint_gt(n, 0);
		ck_assert_uint_le(n, 0xa00 - phys);
		for (; n; n--, phys++)
			if (stored != (reduced_state(&sets[_i], phys, 1) == STATE_STORED))
				ck_abort_msg("byte 0x%" PRIx64, phys);
	}
}
END_TEST

START_TEST(reduced__damaged_piece_ends_the_list)
{
	static const char *const damaged[] = {
		"0x1000 4096 0 0 cut", "0x1000 4096 9 8 cut", "0x1000 4096 0 4097 cut",
		"0x1000 4096 0 1 stored", "0x1000 4096 0 1", "0x1000", "", "0x1000 4096 0 1 io",
	};
	char text[256];

	snprintf(text, sizeof(text), "FORMAT=ELF\nLEVEL=1\nPIECE0=%s\nPIECE1=0x1000 4096 0 1 cut\n",
		 damaged[_i]);
	read_text(text);
	ck_assert(facts.reduced);
	ck_assert_uint_eq(pieces.n, 0);
}
END_TEST

START_TEST(reduced__other_notes_mean_nothing)
{
	const char text[] = "FORMAT=ELF\nLEVEL=1\n";

	read_notes();
	ck_untouched();
	note_write(&notes, REDUCED_NAME, REDUCED_NOTE + 1, text, sizeof(text) - 1);
	note_write(&notes, "arenasnaq", REDUCED_NOTE, text, sizeof(text) - 1);
	note_write(&notes, "arenasna", REDUCED_NOTE, text, sizeof(text) - 1);
	read_notes();
	ck_untouched();
}
END_TEST

START_TEST(reduced__hostile_note_is_left_alone)
{
	static const char *const hostile[] = {
		"", "\n\n\n", "FORMAT=ELF\n", "LEVEL=1\n", "FORMAT=ELF\nLEVEL=\n",
		"FORMAT=ELF\nLEVEL=one\n", "FORMAT=ELF\nLEVEL=99999999999999999999999\n",
		"FORMAT=\x1b[2J\nLEVEL=1\n", "FORMAT=\x7f\nLEVEL=1\n", "FORMAT=\xc3\xa4\nLEVEL=1\n",
		"FORMAT=0123456789012345678901234567890123456789012345678901234567890123\nLEVEL=1\n",
		"FORMAT\nLEVEL=1\n", "format=ELF\nLEVEL=1\n",
		"a.b.c.d.e.f.g.h.i.j.k=1\nFORMAT=ELF\nLEVEL=1\n",
	};

	read_text(hostile[_i]);
	ck_untouched();
}
END_TEST

START_TEST(reduced__file_is_taken_only_as_a_whole)
{
	read_text("FORMAT=ELF\nLEVEL=3\nCUT=1\nUNENDED=1\nSIZE=9\n");
	ck_assert(facts.reduced && !facts.cut && !facts.unended);
	ck_u64_eq(facts.size, 5000);
	read_text("FORMAT=ELF\nLEVEL=3\nCUT=1\nNEEDED=9\n");
	ck_assert(facts.reduced && !facts.cut);
	ck_u64_eq(facts.needed, 5000);
	read_text("FORMAT=ELF\nLEVEL=3\nGAP=1\nGAP_START=4096\n");
	ck_assert(facts.reduced && !facts.gap);
	read_text("FORMAT=ELF\nLEVEL=3\nGAP=1\nGAP_END=4096\n");
	ck_assert(!facts.gap);
	/* a gap that ends before it begins is none */
	read_text("FORMAT=ELF\nLEVEL=3\nGAP=1\nGAP_START=4096\nGAP_END=0\n");
	ck_assert(!facts.gap);
	read_text("FORMAT=ELF\nLEVEL=3\nINCOMPLETE=2\nGAP=x\nGAP_START=0\nGAP_END=1\n");
	ck_assert(facts.reduced && !facts.incomplete && !facts.gap);
}
END_TEST

/* Cut anywhere: no read outside of it, and no fact that is not there. */
START_TEST(reduced__note_cut_at_any_byte_does_no_harm)
{
	char text[REDUCED_TEXT];
	size_t n = reduced_write(&originals[6], &none, text), whole;

	note_write(&notes, REDUCED_NAME, REDUCED_NOTE, text, n);
	whole = notes.n;
	for (size_t keep = 0; keep < whole - 4; keep++) {
		uint8_t *copy = synth_alloc(keep + 1);

		memcpy(copy, notes.data, keep);
		facts = (struct memory_facts){
			.format = "kdump, zlib", .level = -1, .size = 5000, .needed = 5000,
			.notes = copy, .notes_len = keep,
		};
		reduced_read(&facts, format, &pieces);
		if (facts.reduced)
			ck_abort_msg("taken with %zu of %zu bytes", keep, whole);
		ck_untouched();
		free(copy);
	}
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, reduced__what_was_written_is_read_back, 0, 7);
	tcase_add_test(tests, reduced__own_troubles_come_first);
	tcase_add_test(tests, reduced__longest_contents_fit);
	tcase_add_test(tests, reduced__pieces_rule_the_state_of_their_pages);
	tcase_add_loop_test(tests, reduced__runs_are_the_bytes_that_were_there, 0, 5);
	tcase_add_loop_test(tests, reduced__damaged_piece_ends_the_list, 0, 8);
	tcase_add_test(tests, reduced__other_notes_mean_nothing);
	tcase_add_loop_test(tests, reduced__hostile_note_is_left_alone, 0, 14);
	tcase_add_test(tests, reduced__file_is_taken_only_as_a_whole);
	tcase_add_test(tests, reduced__note_cut_at_any_byte_does_no_harm);
}

int main(void)
{
	return run_suite("reduced", add);
}
