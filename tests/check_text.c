// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/text.c: every character of Unicode in its one encoding (RFC 3629), and what is none.
 */
#include "suite.h"

#include "../core/text.h"

/* RFC 3629, section 3; @n bytes whether that is the shortest form or not. */
static void encode(uint32_t c, size_t n, char text[5])
{
	static const uint8_t first[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	memset(text, 0, 5);
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		text[i] = (char)(0x80 | (c & 0x3f));
	text[0] = (char)(first[n] | c);
}

static size_t shortest(uint32_t c)
{
	return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static bool is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c < 0xe000;
}

START_TEST(text__every_character_has_its_length)
{
	char text[5];

	for (uint32_t c = 1; c < 0x110000; c++) {
		size_t n = shortest(c);

		encode(c, n, text);
		if (utf8_length(text) != (is_surrogate(c) ? 0 : n))
			ck_abort_msg("U+%04x is %zu bytes long", c, utf8_length(text));
	}
}
END_TEST

START_TEST(text__characters_that_control_are_not_printable)
{
	char text[5];

	for (uint32_t c = 1; c < 0x3000; c++) {
		bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
		size_t n = shortest(c);

		encode(c, n, text);
		if (text_printable(text) != (control ? 0 : n))
			ck_abort_msg("U+%04x gives %zu", c, text_printable(text));
	}
	ck_assert_uint_eq(text_printable(""), 0);
}
END_TEST

/* C0 80 for NUL, C1 9B for ESC-[ and so on: what a careless decoder would take. */
START_TEST(text__longer_forms_are_invalid)
{
	char text[5];

	for (size_t n = 2; n <= 4; n++)
		for (uint32_t c = 0; c < 0x10000; c++) {
			if (shortest(c) >= n || (n == 2 && c >= 0x80) || (n == 3 && c >= 0x800))
				continue;
			encode(c, n, text);
			if (utf8_length(text) || text_printable(text))
				ck_abort_msg("U+%04x in %zu bytes is taken", c, n);
		}
}
END_TEST

START_TEST(text__characters_above_unicode_are_invalid)
{
	static const char *const beyond[] = {
		"\xf4\x90\x80\x80", "\xf4\xbf\xbf\xbf", "\xf5\x80\x80\x80", "\xf7\xbf\xbf\xbf",
		"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xfe", "\xff",
	};

	ck_assert_uint_eq(utf8_length("\xf4\x8f\xbf\xbf"), 4);
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		ck_assert_uint_eq(utf8_length(beyond[i]), 0);
		ck_assert_uint_eq(text_printable(beyond[i]), 0);
	}
}
END_TEST

START_TEST(text__byte_that_only_continues_is_invalid)
{
	for (unsigned c = 0x80; c < 0xc0; c++) {
		const char text[] = { (char)c, 'a', '\0' };

		ck_assert_uint_eq(utf8_length(text), 0);
		ck_assert_uint_eq(text_printable(text), 0);
	}
}
END_TEST

/*
 * The text ends, or goes on with a letter, in the middle of a character. It is copied to the
 * heap, where a read behind the NUL is seen.
 */
START_TEST(text__cut_character_is_invalid_and_is_not_read_over)
{
	static const uint32_t some[] = { 0xa0, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000,
					 0x10ffff };

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		for (size_t keep = 1; keep < shortest(some[i]); keep++) {
			char text[5], *end;

			encode(some[i], shortest(some[i]), text);
			end = strndup(text, keep);
			ck_assert_uint_eq(utf8_length(end), 0);
			free(end);
			text[keep] = 'a';
			ck_assert_uint_eq(utf8_length(text), 0);
			text[keep] = (char)0xc3;
			ck_assert_uint_eq(utf8_length(text), 0);
		}
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, text__every_character_has_its_length);
	tcase_add_test(tests, text__characters_that_control_are_not_printable);
	tcase_add_test(tests, text__longer_forms_are_invalid);
	tcase_add_test(tests, text__characters_above_unicode_are_invalid);
	tcase_add_test(tests, text__byte_that_only_continues_is_invalid);
	tcase_add_test(tests, text__cut_character_is_invalid_and_is_not_read_over);
}

int main(void)
{
	return run_suite("text", add);
}
