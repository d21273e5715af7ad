// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/vmcoreinfo.c: the text, as kernels write it and as they do not.
 */
#include "suite.h"

#include "../core/vmcoreinfo.h"
#include "../fixtures/synth/bytes.h"

static struct fault why;
static struct vmcoreinfo vi;
static char *held;

static void setup(void)
{
	held = NULL;
}

static void teardown(void)
{
	free(held);
}

/* Take a copy without a NUL, of exactly that size: ASan and valgrind see a step over its end. */
static bool take_bytes(const char *text, size_t n)
{
	free(held);
	held = malloc(n ? n : 1);
	memcpy(held, text, n);
	return vmcoreinfo_init(&vi, held, n, &why);
}

static void take(const char *text)
{
	ck_ok(take_bytes(text, strlen(text)), why);
}

static void ck_string(const char *key, const char *value)
{
	char buf[64];

	ck_assert_msg(vmcoreinfo_string(&vi, key, buf, sizeof(buf)), "no %s", key);
	ck_assert_str_eq(buf, value);
}

static void ck_none(const char *key)
{
	char buf[64];

	ck_assert_msg(!vmcoreinfo_string(&vi, key, buf, sizeof(buf)), "%s is %s", key, buf);
}

START_TEST(vmcoreinfo__values_are_found_by_their_whole_key)
{
	take("OSRELEASE=6.12.107+deb13-amd64\nPAGESIZE=4096\nPAGE=1\nEMPTY=\nEQUAL=a=b\n");
	ck_string("OSRELEASE", "6.12.107+deb13-amd64");
	ck_string("PAGESIZE", "4096");
	ck_string("PAGE", "1");
	ck_string("EMPTY", "");
	ck_string("EQUAL", "a=b");
	ck_none("OSRELEAS");
	ck_none("SIZE");
	ck_none("RELEASE");
	ck_none("a");
}
END_TEST

START_TEST(vmcoreinfo__last_line_needs_no_newline)
{
	take("A=1\nOSRELEASE=6.12");
	ck_string("OSRELEASE", "6.12");
}
END_TEST

/* Nothing behind the text is looked at (run with ASan and valgrind). */
START_TEST(vmcoreinfo__key_without_a_value_is_no_key)
{
	take("A=1\nOSRELEASE\nB=2\nPAGESIZE");
	ck_none("OSRELEASE");
	ck_none("PAGESIZE");
	ck_string("B", "2");
}
END_TEST

START_TEST(vmcoreinfo__text_ends_at_nul)
{
	ck_ok(take_bytes("A=1\n\0B=2\n", 9), why);
	ck_string("A", "1");
	ck_none("B");
}
END_TEST

/* A note's contents are padded with NULs; the last line may lack its newline. */
START_TEST(vmcoreinfo__value_ends_at_nul)
{
	ck_ok(take_bytes("A=1\nOSRELEASE=6.12\0\0\0\0", 21), why);
	ck_string("OSRELEASE", "6.12");
}
END_TEST

/* The kernel pads its page with zeros; only lines have a limit. */
START_TEST(vmcoreinfo__zeros_behind_the_text_are_no_line)
{
	char page[4096] = "A=1\nOSRELEASE=6.12\n";

	ck_ok(take_bytes(page, sizeof(page)), why);
	ck_string("OSRELEASE", "6.12");
	strcpy(page, "A=1\nOSRELEASE=6.12");
	ck_ok(take_bytes(page, sizeof(page)), why);
	ck_string("A", "1");
}
END_TEST

START_TEST(vmcoreinfo__empty_text_has_no_values)
{
	ck_ok(take_bytes("", 0), why);
	ck_none("OSRELEASE");
	take("\n\n\n");
	ck_none("OSRELEASE");
}
END_TEST

START_TEST(vmcoreinfo__first_of_equal_keys_counts)
{
	take("CRASHTIME=1\nCRASHTIME=2\n");
	ck_string("CRASHTIME", "1");
}
END_TEST

START_TEST(vmcoreinfo__value_that_does_not_fit_is_refused)
{
	char buf[8];

	take("A=1234567\nB=12345678\n");
	ck_assert(vmcoreinfo_string(&vi, "A", buf, sizeof(buf)));
	ck_assert(!vmcoreinfo_string(&vi, "B", buf, sizeof(buf)));
}
END_TEST

START_TEST(vmcoreinfo__symbols_are_hexadecimal)
{
	uint64_t v;

	take("SYMBOL(_stext)=ffffffff9e000000\nSYMBOL(bad)=xyz\nSYMBOL(long)=1ffffffffffffffff\n"
	     "SYMBOL(trail)=12 \nSYMBOL(empty)=\nSYMBOL(upper)=FFFF\n");
	ck_assert(vmcoreinfo_symbol(&vi, "_stext", &v));
	ck_u64_eq(v, UINT64_C(0xffffffff9e000000));
	ck_assert(vmcoreinfo_symbol(&vi, "upper", &v));
	ck_u64_eq(v, 0xffff);
	ck_assert(!vmcoreinfo_symbol(&vi, "bad", &v));
	ck_assert(!vmcoreinfo_symbol(&vi, "long", &v));
	ck_assert(!vmcoreinfo_symbol(&vi, "trail", &v));
	ck_assert(!vmcoreinfo_symbol(&vi, "empty", &v));
	ck_assert(!vmcoreinfo_symbol(&vi, "missing", &v));
	ck_assert(!vmcoreinfo_symbol(&vi, "_stex", &v));
}
END_TEST

START_TEST(vmcoreinfo__numbers_are_decimal_negative_or_marked_hexadecimal)
{
	uint64_t v;

	take("NUMBER(phys_base)=-444596224\nNUMBER(VA_BITS)=48\n"
	     "NUMBER(kimage_voffset)=0xffff800040000000\nSIZE(page)=64\nNUMBER(octal)=010\n"
	     "NUMBER(bad)=12x\nNUMBER(big)=18446744073709551616\nNUMBER(hex)=ff\n");
	ck_assert(vmcoreinfo_number(&vi, "NUMBER(phys_base)", &v));
	ck_u64_eq(v, -UINT64_C(444596224));
	ck_assert(vmcoreinfo_number(&vi, "NUMBER(VA_BITS)", &v));
	ck_u64_eq(v, 48);
	ck_assert(vmcoreinfo_number(&vi, "NUMBER(kimage_voffset)", &v));
	ck_u64_eq(v, UINT64_C(0xffff800040000000));
	ck_assert(vmcoreinfo_number(&vi, "SIZE(page)", &v));
	ck_u64_eq(v, 64);
	ck_assert(vmcoreinfo_number(&vi, "NUMBER(octal)", &v));
	ck_u64_eq(v, 10);
	ck_assert(!vmcoreinfo_number(&vi, "NUMBER(bad)", &v));
	ck_assert(!vmcoreinfo_number(&vi, "NUMBER(big)", &v));
	ck_assert(!vmcoreinfo_number(&vi, "NUMBER(hex)", &v));
	ck_assert(!vmcoreinfo_number(&vi, "NUMBER(missing)", &v));
}
END_TEST

START_TEST(vmcoreinfo__lines_that_no_kernel_writes_are_refused)
{
	struct bytes text = { 0 };

	bytes_text(&text, "OSRELEASE=6.12\nX=");
	while (text.n < 15 + 1024)
		bytes_u8(&text, 'x');
	bytes_u8(&text, '\n');
	ck_ok(take_bytes((const char *)text.data, text.n), why);
	text.n--;
	bytes_text(&text, "x\n");
	ck_assert(!take_bytes((const char *)text.data, text.n));
	ck_fault(why, STATE_DAMAGED, "no kernel writes");
	bytes_free(&text);
	take("a.b.c.d.e.f.g.h.i=1\nRELEASE=1.2.3.4.5.6.7.8.9.10.11\n");
	ck_assert(!take_bytes("a.b.c.d.e.f.g.h.i.j=1\n", 22));
	ck_fault(why, STATE_DAMAGED, "no kernel writes");
}
END_TEST

START_TEST(vmcoreinfo__text_of_more_than_64_kib_is_refused)
{
	struct bytes text = { 0 };

	while (text.n < 64 << 10)
		bytes_text(&text, "KEY=1234567890\n\n");
	ck_ok(take_bytes((const char *)text.data, text.n), why);
	bytes_u8(&text, '\n');
	ck_assert(!take_bytes((const char *)text.data, text.n));
	ck_fault(why, STATE_DAMAGED, "no kernel writes");
	bytes_free(&text);
}
END_TEST

START_TEST(vmcoreinfo__any_bytes_do_no_harm)
{
	uint32_t seed = (uint32_t)_i * 747796405 + 1;
	char text[300], buf[16];
	uint64_t v;

	for (size_t i = 0; i < sizeof(text); i++) {
		seed = seed * 1664525 + 1013904223;
		text[i] = "=\n\0AS(.)0x9\xff"[(seed >> 16) % 12];
	}
	if (!take_bytes(text, sizeof(text)))
		return;
	vmcoreinfo_string(&vi, "A", buf, sizeof(buf));
	vmcoreinfo_symbol(&vi, "A", &v);
	vmcoreinfo_number(&vi, "S", &v);
}
END_TEST

START_TEST(vmcoreinfo__lines_are_told_from_other_text)
{
	static const struct { const char *text; bool is; } texts[] = {
		{ "A=1\n", true }, { "A=\nB(c.d)==2\n", true }, { "A=1\nB=2", true },
		{ "", false }, { "A\n", false }, { "=1\n", false }, { "A=1\n\nB=2\n", false },
		{ "A=1\nB", false }, { "\nA=1\n", false }, { "A=\t\n", false },
		{ "A=\x80\n", false }, { "A=1\r\n", false },
	};

	ck_assert_int_eq(vmcoreinfo_is_lines(texts[_i].text, strlen(texts[_i].text)),
			 texts[_i].is);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_loop_test(tests, vmcoreinfo__lines_are_told_from_other_text, 0, 12);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, vmcoreinfo__values_are_found_by_their_whole_key);
	tcase_add_test(tests, vmcoreinfo__last_line_needs_no_newline);
	tcase_add_test(tests, vmcoreinfo__key_without_a_value_is_no_key);
	tcase_add_test(tests, vmcoreinfo__text_ends_at_nul);
	tcase_add_test(tests, vmcoreinfo__value_ends_at_nul);
	tcase_add_test(tests, vmcoreinfo__zeros_behind_the_text_are_no_line);
	tcase_add_test(tests, vmcoreinfo__empty_text_has_no_values);
	tcase_add_test(tests, vmcoreinfo__first_of_equal_keys_counts);
	tcase_add_test(tests, vmcoreinfo__value_that_does_not_fit_is_refused);
	tcase_add_test(tests, vmcoreinfo__symbols_are_hexadecimal);
	tcase_add_test(tests, vmcoreinfo__numbers_are_decimal_negative_or_marked_hexadecimal);
	tcase_add_test(tests, vmcoreinfo__lines_that_no_kernel_writes_are_refused);
	tcase_add_test(tests, vmcoreinfo__text_of_more_than_64_kib_is_refused);
	tcase_add_loop_test(tests, vmcoreinfo__any_bytes_do_no_harm, 0, 200);
}

int main(void)
{
	return run_suite("vmcoreinfo", add);
}
