// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/sink.c: whole lines in blocks, an end that says stop, and names that are no names.
 */
#include "sink_rig.h"

enum { LINE = 61 };	/* does not divide SINK_BUFFER */

static void write_lines(size_t n)
{
	char line[LINE + 1];

	for (size_t i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "%0*zu\n", LINE - 1, i);
		if (!sink_puts(&out, line))
			break;
	}
}

START_TEST(sink__nothing_is_handed_on_before_it_must)
{
	ck_assert(sink_puts(&out, "one\n"));
	ck_assert(sink_printf(&out, "%s %d\n", "two", 2));
	ck_assert_uint_eq(blocks, 0);
	ck_assert(sink_flush(&out));
	ck_assert_uint_eq(blocks, 1);
	ck_taken("one\ntwo 2\n");
}
END_TEST

START_TEST(sink__flush_of_nothing_writes_nothing)
{
	ck_assert(sink_flush(&out));
	ck_assert(sink_puts(&out, ""));
	ck_assert(sink_flush(&out));
	ck_assert_uint_eq(blocks, 0);
}
END_TEST

START_TEST(sink__blocks_end_where_lines_end)
{
	size_t lines = 4 * SINK_BUFFER / LINE;

	write_lines(lines);
	sink_flush(&out);
	ck_assert_uint_ge(blocks, 4);
	ck_assert_uint_eq(taken.n, lines * LINE);
	for (size_t i = 0; i < blocks; i++) {
		ck_assert_uint_eq(taken.data[block_end[i] - 1], '\n');
		ck_assert_uint_eq(block_end[i] % LINE, 0);
	}
	for (size_t i = 0; i < lines; i++)
		ck_assert_uint_eq(strtoul((char *)taken.data + i * LINE, NULL, 10), i);
}
END_TEST

/* A line is made of pieces; what is begun stays behind when the lines before it go. */
START_TEST(sink__line_that_is_being_made_is_kept_together)
{
	static char fill[SINK_BUFFER - 10];

	memset(fill, 'x', sizeof(fill) - 2);
	ck_assert(sink_puts(&out, fill));
	ck_assert(sink_puts(&out, "\nbegin"));
	ck_assert_uint_eq(blocks, 0);
	ck_assert(sink_puts(&out, " and the end\n"));
	ck_assert_uint_eq(blocks, 1);
	ck_assert_uint_eq(taken.n, sizeof(fill) - 1);
	taken.n = 0;
	ck_taken("begin and the end\n");
}
END_TEST

START_TEST(sink__line_longer_than_the_buffer_passes_in_pieces)
{
	size_t n = 5 * SINK_BUFFER / 2;

	ck_assert(sink_puts(&out, "short\n"));
	for (size_t i = 0; i < n; i++)
		if (!sink_printf(&out, "%c", 'a' + (int)(i % 26)))
			ck_abort_msg("stopped");
	ck_assert(sink_puts(&out, "\n"));
	ck_assert(sink_flush(&out));
	ck_assert_uint_eq(taken.n, 6 + n + 1);
	for (size_t i = 0; i < n; i++)
		if (taken.data[6 + i] != 'a' + i % 26)
			ck_abort_msg("byte %zu is lost", i);
	ck_assert_uint_eq(taken.data[6 + n], '\n');
}
END_TEST

/* The buffer's own length fits; a longer piece is cut, never written over the end. */
START_TEST(sink__piece_longer_than_the_buffer_is_cut)
{
	static char piece[SINK_BUFFER + 100];

	memset(piece, 'y', sizeof(piece));
	ck_assert(sink_puts(&out, "x"));
	ck_assert(sink_write(&out, piece, SINK_BUFFER));
	ck_assert(sink_flush(&out));
	ck_assert_uint_eq(taken.n, 1 + SINK_BUFFER);
	ck_assert(sink_write(&out, piece, sizeof(piece)));
	ck_assert(sink_flush(&out));
	ck_assert_uint_eq(taken.n, 1 + 2 * SINK_BUFFER);
}
END_TEST

START_TEST(sink__formatted_text_is_at_most_a_kilobyte)
{
	ck_assert(sink_printf(&out, "%0*d", 5000, 0));
	sink_flush(&out);
	ck_assert_uint_eq(taken.n, 1023);
}
END_TEST

START_TEST(sink__stop_is_for_good)
{
	stop_at = 2;
	write_lines(SIZE_MAX);
	ck_assert(out.stopped);
	ck_assert_uint_eq(blocks, 2);
	ck_assert(!sink_puts(&out, "more\n"));
	ck_assert(!sink_printf(&out, "%d\n", 1));
	ck_assert(!sink_safe(&out, "more"));
	ck_assert(!sink_safe(&out, "\x1b"));
	ck_assert(!sink_name(&out, "more"));
	ck_assert(!sink_name(&out, "with blank"));
	ck_assert(!sink_name(&out, ""));
	ck_assert(!sink_write(&out, "", 0));
	ck_assert(!sink_flush(&out));
	/* it is still safe to ask for more than the buffer has */
	for (int i = 0; i < 3 * SINK_BUFFER / LINE; i++)
		ck_assert(!sink_printf(&out, "%0*d\n", LINE - 1, i));
	ck_assert_uint_eq(blocks, 2);
}
END_TEST

START_TEST(sink__stop_at_the_last_flush_is_told)
{
	stop_at = 1;
	ck_assert(sink_puts(&out, "line\n"));
	ck_assert(!sink_flush(&out));
	ck_assert(!sink_flush(&out));
	ck_assert_uint_eq(blocks, 1);
}
END_TEST

START_TEST(sink__stop_in_a_line_without_an_end_is_told)
{
	bool ok = true;

	stop_at = 1;
	for (int i = 0; i <= SINK_BUFFER; i++)
		ok = sink_write(&out, "z", 1);
	ck_assert(!ok);
	ck_assert_uint_eq(blocks, 1);
}
END_TEST

static const struct { const char *text, *safe, *name; } names[] = {
	{ "arena", "arena", "arena" },
	{ "", "", "-" },
	{ "two words", "two words", "two\\x20words" },
	{ " ", " ", "\\x20" },
	{ "a\x1b[2Jb", "a\\x1b[2Jb", "a\\x1b[2Jb" },
	{ "\x1b \x07", "\\x1b \\x07", "\\x1b\\x20\\x07" },
	{ "line\nfeed\r\t", "line\\x0afeed\\x0d\\x09", "line\\x0afeed\\x0d\\x09" },
	{ "\x7f", "\\x7f", "\\x7f" },
	{ "gr\xc3\xb6\xc3\x9f" "e", "gr\xc3\xb6\xc3\x9f" "e", "gr\xc3\xb6\xc3\x9f" "e" },
	{ "gr\xc3\xb6\xc3\x9f e", "gr\xc3\xb6\xc3\x9f e", "gr\xc3\xb6\xc3\x9f\\x20e" },
	{ "\xc2\x9b" "2J", "\\xc2\\x9b" "2J", "\\xc2\\x9b" "2J" },
	{ "\x9b" "2J", "\\x9b" "2J", "\\x9b" "2J" },
	{ "\xc0\xaf\xff\xc3", "\\xc0\\xaf\\xff\\xc3", "\\xc0\\xaf\\xff\\xc3" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
	{ "\xf0\x9f\x90\x9d", "\xf0\x9f\x90\x9d", "\xf0\x9f\x90\x9d" },
};

START_TEST(sink__text_cannot_drive_a_terminal)
{
	ck_assert(sink_safe(&out, names[_i].text));
	ck_taken(names[_i].safe);
}
END_TEST

START_TEST(sink__name_is_one_word)
{
	ck_assert(sink_name(&out, names[_i].text));
	ck_taken(names[_i].name);
}
END_TEST

static void add(TCase *tests)
{
	int n = sizeof(names) / sizeof(names[0]);

	tcase_add_checked_fixture(tests, sink_rig_setup, sink_rig_teardown);
	tcase_add_test(tests, sink__nothing_is_handed_on_before_it_must);
	tcase_add_test(tests, sink__flush_of_nothing_writes_nothing);
	tcase_add_test(tests, sink__blocks_end_where_lines_end);
	tcase_add_test(tests, sink__line_that_is_being_made_is_kept_together);
	tcase_add_test(tests, sink__line_longer_than_the_buffer_passes_in_pieces);
	tcase_add_test(tests, sink__piece_longer_than_the_buffer_is_cut);
	tcase_add_test(tests, sink__formatted_text_is_at_most_a_kilobyte);
	tcase_add_test(tests, sink__stop_is_for_good);
	tcase_add_test(tests, sink__stop_at_the_last_flush_is_told);
	tcase_add_test(tests, sink__stop_in_a_line_without_an_end_is_told);
	tcase_add_loop_test(tests, sink__text_cannot_drive_a_terminal, 0, n);
	tcase_add_loop_test(tests, sink__name_is_one_word, 0, n);
}

int main(void)
{
	return run_suite("sink", add);
}
