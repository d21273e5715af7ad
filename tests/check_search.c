// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/search.c on an arena filled by hand: what is put into its pages here is found, and
 * nothing else; addresses follow from the kernel's 32-bit rule.
 */
#include "render_rig.h"

#include "../core/search.h"
#include "../fixtures/synth/physmem.h"

#define USER (UINT64_C(1) << 44)
#define KERNEL (AREA + 0x8000)
enum { MOST = 64 };

static struct physmem pm;
static struct needle needle;
static struct refs refs;
static struct search_hit hits[MOST];
static size_t n_hits, stop_after;
static struct search_count count;

static uint64_t phys_of(uint64_t pgoff)
{
	return 0x70000 + pgoff * 0x1000;
}

static void map(uint64_t pgoff, enum page_kind kind, enum state state)
{
	add_page((uint32_t)(FIRST + pgoff), phys_of(pgoff), kind, state);
	/* not zeros: a zero is something to find */
	for (uint64_t i = 0; i < 4096; i++)
		physmem_u8(&pm, phys_of(pgoff) + i, 0xee);
	physmem_set_state(&pm, phys_of(pgoff), state);
}

static void put(uint64_t pgoff, uint64_t offset, uint64_t word)
{
	physmem_u64(&pm, phys_of(pgoff) + offset, word);
}

static void search_setup(void)
{
	setup();
	physmem_init(&pm, 4096, 0x100000);
	mem = physmem_memory(&pm);
	n_hits = stop_after = 0;
	refs = (struct refs){ 0 };
	map(2, KIND_PAGE, STATE_STORED);
	map(3, KIND_PAGE, STATE_STORED);
	map(5, KIND_PAGE, STATE_EXCLUDED);
	map(6, KIND_SCRATCH, STATE_STORED);
	map(7, KIND_PAGE, STATE_STORED);
}

static void search_teardown(void)
{
	refs_free(&refs);
	physmem_free(&pm);
	teardown();
}

static bool hit(void *ctx, const struct search_hit *h)
{
	ck_assert_ptr_eq(ctx, hits);
	ck_assert_uint_lt(n_hits, MOST);
	hits[n_hits++] = *h;
	return n_hits != stop_after;
}

static const struct search_visitor visitor = { hit, hits };

static void find(const char *text, unsigned unit, bool unaligned)
{
	const char *sentence = needle_parse(&needle, text, unit, unaligned);

	ck_assert_msg(!sentence, "%s: %s", text, sentence);
	n_hits = 0;
	ck_ok(search_bytes(&k, &a, &needle, &visitor, &count, &why), why);
}

static void ck_hit(size_t i, uint64_t pgoff, uint64_t offset)
{
	uint64_t at;

	ck_assert_uint_lt(i, n_hits);
	ck_assert(arena_page_pgoff(&a, hits[i].page, &at));
	ck_u64_eq(at, pgoff);
	ck_u64_eq(hits[i].offset, offset);
}

START_TEST(search__number_is_a_little_endian_word_of_its_width)
{
	static const struct { unsigned unit; const char *text; } words[] = {
		{ 8, "0x8877665544332211" }, { 4, "0x44332211" }, { 2, "0x2211" }, { 1, "0x11" },
	};

	put(3, 0x100, UINT64_C(0x8877665544332211));
	for (size_t i = 0; i < 4; i++) {
		find(words[i].text, words[i].unit, false);
		ck_assert_uint_eq(n_hits, 1);
		ck_hit(0, 3, 0x100);
	}
	/* 4 bytes of it are no word of 8 */
	find("0x44332211", 8, false);
	ck_assert_uint_eq(n_hits, 0);
	ck_u64_eq(count.pages, 3);
}
END_TEST

START_TEST(search__words_are_aligned_unless_asked)
{
	put(2, 0x204, UINT64_C(0x1122334455667788));
	find("0x1122334455667788", 8, false);
	ck_assert_uint_eq(n_hits, 0);
	find("0x1122334455667788", 8, true);
	ck_assert_uint_eq(n_hits, 1);
	ck_hit(0, 2, 0x204);
	find("0x55667788", 4, false);
	ck_assert_uint_eq(n_hits, 1);
}
END_TEST

START_TEST(search__first_and_last_word_of_a_page)
{
	put(2, 0, 77);
	put(3, 0, 77);
	put(3, 4088, 77);
	put(7, 0, 77);
	find("77", 8, false);
	ck_assert_uint_eq(n_hits, 4);
	ck_hit(0, 2, 0);
	ck_hit(1, 3, 0);
	ck_hit(2, 3, 4088);
	ck_hit(3, 7, 0);
	ck_assert_uint_eq(count.pages, 3);
}
END_TEST

START_TEST(search__goes_across_the_border_of_neighbours)
{
	physmem_write(&pm, phys_of(2) + 4090, "scx_ar", 6);
	physmem_write(&pm, phys_of(3), "ena", 3);
	find("\"scx_arena\"", 8, false);
	ck_assert_uint_eq(n_hits, 1);
	ck_hit(0, 2, 4090);
	/* pgoff 3 and 7 are none */
	physmem_write(&pm, phys_of(3) + 4090, "scx_ar", 6);
	physmem_write(&pm, phys_of(7), "ena", 3);
	find("scx_arena", 8, false);
	ck_assert_uint_eq(n_hits, 1);
}
END_TEST

START_TEST(search__page_that_is_not_there_parts_its_neighbours)
{
	map(4, KIND_PAGE, STATE_CUT);
	page[0] = page[1];	/* 3, 4 and 5 follow each other */
	page[1] = page[5];
	a.n_pages = 3;
	physmem_set_state(&pm, phys_of(5), STATE_STORED);
	physmem_write(&pm, phys_of(3) + 4093, "abc", 3);
	physmem_write(&pm, phys_of(5), "def", 3);
	find("abcdef", 8, false);
	ck_assert_uint_eq(n_hits, 0);
	ck_u64_eq(count.pages, 2);
	ck_u64_eq(count.unread, 1);
	ck_assert_int_eq(count.why.kind, STATE_CUT);
}
END_TEST

START_TEST(search__border_of_the_ring_is_none)
{
	/* the window begins in the last page of the 4 GiB: pgoff 1 is the first of the area */
	a.user_vm_start = USER + UINT64_C(0xfffff000);
	a.user_vm_end = a.user_vm_start + 0x1000;
	a.n_pages = 2;
	page[0].index = FIRST + 0xfffff;
	page[1].index = FIRST;
	physmem_write(&pm, phys_of(2) + 4093, "abc", 3);
	physmem_write(&pm, phys_of(3), "def", 3);
	find("abcdef", 8, false);
	ck_assert_uint_eq(n_hits, 0);
	find("def", 8, false);
	ck_assert_uint_eq(n_hits, 1);
	ck_hit(0, 1, 0);
}
END_TEST

START_TEST(search__overlapping_hits_are_all_hits)
{
	physmem_write(&pm, phys_of(2) + 10, "aaaa", 4);
	physmem_write(&pm, phys_of(2) + 4095, "a", 1);
	physmem_write(&pm, phys_of(3), "aa", 2);
	find("aa", 8, false);
	ck_assert_uint_eq(n_hits, 5);
	ck_hit(0, 2, 10);
	ck_hit(2, 2, 12);
	ck_hit(3, 2, 4095);
	ck_hit(4, 3, 0);
}
END_TEST

START_TEST(search__scratch_page_is_not_searched_and_each_page_read_once)
{
	put(6, 0, 77);
	physmem_forget_reads(&pm);
	find("77", 8, true);
	ck_assert_uint_eq(n_hits, 0);
	ck_assert_uint_eq(physmem_reads(&pm, phys_of(6)), 0);
	ck_assert_uint_eq(physmem_reads(&pm, phys_of(2)), 1);
	ck_assert_uint_eq(physmem_reads(&pm, phys_of(3)), 1);
	ck_assert_uint_eq(physmem_reads(&pm, phys_of(7)), 1);
	ck_u64_eq(count.unread, 1);
	ck_fault(count.why, STATE_EXCLUDED, "");
}
END_TEST

START_TEST(search__can_be_stopped)
{
	put(2, 0, 77);
	put(2, 8, 77);
	ck_assert(!needle_parse(&needle, "77", 8, false));
	stop_after = 1;
	ck_assert(!search_bytes(&k, &a, &needle, &visitor, &count, &why));
	ck_assert_int_eq(why.kind, STATE_STORED);
	ck_assert_uint_eq(n_hits, 1);
	stop_after = 0;
	pm.stop_after = pm.progress = 1;
	ck_assert(!search_bytes(&k, &a, &needle, &visitor, &count, &why));
	ck_assert_int_eq(why.kind, FAULT_LIMIT);
}
END_TEST

/* What points there. */

static void ask_refs(uint64_t address, unsigned step)
{
	n_hits = 0;
	refs_free(&refs);
	ck_ok(refs_add(&refs, &a, address, &why), why);
	ck_assert_uint_eq(refs.n_targets, 1);
	ck_ok(search_refs(&k, &a, &refs, step, &visitor, &count, &why), why);
}

START_TEST(refs__words_in_three_forms)
{
	static const struct { enum where_form form; bool certain; } want[] = {
		{ FORM_USER, true }, { FORM_KERNEL, true }, { FORM_LOW32, false },
	};
	const uint64_t forms[] = { USER + 0x9128, KERNEL + 0x9128, 0x9128 };

	put(2, 0x10, forms[0]);
	put(3, 0x18, forms[1]);
	put(7, 0x20, forms[2]);
	/* near by, and in half a word */
	put(7, 0x40, forms[0] + 1);
	put(7, 0x48, forms[0] - 1);
	put(7, 0x50, 0x9128 | UINT64_C(1) << 32);
	physmem_u32(&pm, phys_of(7) + 0x5c, 0x9128);
	for (int i = 0; i < 3; i++) {
		ask_refs(forms[i], WORD);
		ck_assert_uint_eq(n_hits, 3);
		ck_hit(0, 2, 0x10);
		ck_hit(1, 3, 0x18);
		ck_hit(2, 7, 0x20);
		for (int j = 0; j < 3; j++) {
			ck_assert_int_eq(hits[j].form, want[j].form);
			ck_assert_int_eq(hits[j].certain, want[j].certain);
			ck_assert(hits[j].exact);
			ck_u64_eq(hits[j].word, forms[j]);
			ck_assert_uint_eq(hits[j].target->id, 23);
		}
	}
}
END_TEST

START_TEST(refs__start_of_a_page_means_the_page)
{
	put(2, 0, USER + 0x9000);
	put(2, 8, USER + 0x9fff);
	put(2, 16, KERNEL + 0x9ff8);
	put(2, 24, USER + 0xa000);
	put(2, 32, USER + 0x8fff);
	ask_refs(USER + 0x9000, WORD);
	ck_assert_uint_eq(n_hits, 3);
	ck_assert(hits[0].exact && !hits[1].exact && !hits[2].exact);
	ck_hit(2, 2, 16);
}
END_TEST

START_TEST(refs__zero_points_nowhere)
{
	for (uint64_t i = 0; i < 4096; i += 8)
		put(2, i, 0);
	put(3, 0, 1);
	ask_refs(USER, WORD);
	ck_assert_uint_eq(n_hits, 1);
	ck_hit(0, 3, 0);
	ck_assert(!hits[0].certain && !hits[0].exact);
}
END_TEST

START_TEST(refs__unaligned_and_across_a_border)
{
	const uint64_t word = USER + 0x9128;

	physmem_write(&pm, phys_of(2) + 3, &word, 8);
	physmem_write(&pm, phys_of(2) + 4093, &word, 3);
	physmem_write(&pm, phys_of(3), (const uint8_t *)&word + 3, 5);
	ask_refs(word, WORD);
	ck_assert_uint_eq(n_hits, 0);
	ask_refs(word, 1);
	ck_assert_uint_eq(n_hits, 2);
	ck_hit(0, 2, 3);
	ck_hit(1, 2, 4093);
}
END_TEST

START_TEST(refs__of_another_arena)
{
	struct arena_snapshot here = a;

	put(2, 0, USER + 0x9128);
	put(2, 8, KERNEL + 0x9128);
	put(2, 16, 0x9128);
	ck_ok(refs_add(&refs, &a, USER + 0x9128, &why), why);
	/* one with a window of its own: a low half is not another's */
	a.map = here.map + 0x1000;
	a.area.addr = here.area.addr + (UINT64_C(1) << 33);
	a.kern_vm_start = here.kern_vm_start + (UINT64_C(1) << 33);
	a.user_vm_start = USER << 1;
	a.user_vm_end = a.user_vm_start + 65536 * 4096;
	ck_ok(search_refs(&k, &a, &refs, WORD, &visitor, &count, &why), why);
	ck_assert_uint_eq(n_hits, 2);
	ck_assert(hits[0].certain && hits[1].certain);
	/* one with the same user addresses means its own, more likely */
	n_hits = 0;
	a.user_vm_start = here.user_vm_start;
	a.user_vm_end = here.user_vm_end;
	ck_ok(search_refs(&k, &a, &refs, WORD, &visitor, &count, &why), why);
	ck_assert_uint_eq(n_hits, 2);
	ck_assert(!hits[0].certain && hits[1].certain);
	/* with two of these a third cannot tell which of them is meant */
	n_hits = 0;
	ck_ok(refs_add(&refs, &a, USER + 0x9128, &why), why);
	a.map++;
	a.user_vm_start = USER << 1;
	a.user_vm_end = a.user_vm_start + 65536 * 4096;
	ck_ok(search_refs(&k, &a, &refs, WORD, &visitor, &count, &why), why);
	ck_assert_uint_eq(n_hits, 3);
	ck_assert(!hits[0].certain && !hits[1].certain && hits[2].certain);
}
END_TEST

START_TEST(refs__holder_without_a_known_window_is_not_certain)
{
	put(2, 0, USER + 0x9128);
	ck_ok(refs_add(&refs, &a, USER + 0x9128, &why), why);
	struct_lost();
	a.area.addr += UINT64_C(1) << 33;
	a.kern_vm_start += UINT64_C(1) << 33;
	ck_ok(search_refs(&k, &a, &refs, WORD, &visitor, &count, &why), why);
	ck_assert_uint_eq(n_hits, 1);
	ck_assert(!hits[0].certain);
}
END_TEST

START_TEST(refs__guard_has_a_kernel_address_alone)
{
	put(2, 0, KERNEL - 8);
	put(2, 8, 0xfffffff8);
	ask_refs(KERNEL - 8, WORD);
	ck_assert_uint_eq(n_hits, 1);
	ck_assert_int_eq(hits[0].form, FORM_KERNEL);
}
END_TEST

START_TEST(refs__address_of_no_arena_is_no_target)
{
	ck_ok(refs_add(&refs, &a, USER - 1, &why), why);
	ck_assert_uint_eq(refs.n_targets, 0);
}
END_TEST

/* What -f is given. */

START_TEST(needle__numbers)
{
	static const struct { const char *text; unsigned unit; uint8_t byte[8]; } good[] = {
		{ "255", 1, { 0xff } }, { "-1", 1, { 0xff } }, { "-128", 1, { 0x80 } },
		{ "0xffff", 2, { 0xff, 0xff } }, { "010", 2, { 8, 0 } },
		{ "-2", 4, { 0xfe, 0xff, 0xff, 0xff } },
		{ "18446744073709551615", 8, { 255, 255, 255, 255, 255, 255, 255, 255 } },
		{ "-9223372036854775808", 8, { 0, 0, 0, 0, 0, 0, 0, 0x80 } },
	};
	static const struct { const char *text; unsigned unit; } bad[] = {
		{ "256", 1 }, { "-129", 1 }, { "0x10000", 2 }, { "0x100000000", 4 },
		{ "18446744073709551616", 8 }, { "-9223372036854775809", 8 }, { "08", 8 },
		{ "12g", 8 }, { "-", 8 }, { "--1", 8 }, { "- 1", 8 }, { "0x", 8 }, { "1 ", 8 },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_ptr_null(needle_parse(&needle, good[i].text, good[i].unit, false));
		ck_assert_uint_eq(needle.n, good[i].unit);
		ck_assert_uint_eq(needle.step, good[i].unit);
		ck_assert_msg(!memcmp(needle.byte, good[i].byte, needle.n), "%s", good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(needle_parse(&needle, bad[i].text, bad[i].unit, false),
			      "%s was taken", bad[i].text);
}
END_TEST

START_TEST(needle__strings)
{
	char longest[NEEDLE_MAX + 2];

	ck_assert_ptr_null(needle_parse(&needle, "\"a \\\"b\\\" \\\\ \\n\\t\\0\\x7fz\"", 8, false));
	ck_assert_uint_eq(needle.n, 13);
	ck_assert(!memcmp(needle.byte, "a \"b\" \\ \n\t\0\x7fz", 13));
	ck_assert_uint_eq(needle.step, 1);
	/* as crash hands it on */
	ck_assert_ptr_null(needle_parse(&needle, "scx arena", 8, false));
	ck_assert_uint_eq(needle.n, 9);
	ck_assert_ptr_null(needle_parse(&needle, "\"12\"", 8, false));
	ck_assert_uint_eq(needle.n, 2);
	memset(longest, 'x', sizeof(longest));
	longest[NEEDLE_MAX + 1] = '\0';
	ck_assert(needle_parse(&needle, longest, 8, false));
	longest[NEEDLE_MAX] = '\0';
	ck_assert_ptr_null(needle_parse(&needle, longest, 8, false));
	ck_assert_uint_eq(needle.n, NEEDLE_MAX);
	for (const char *const *bad = (const char *const[]){ "", "\"\"", "\"", "\"a", "a\\", "\\q",
	     "\\x1", "\"\\\"", "\"\\x1\"", NULL }; *bad; bad++)
		ck_assert_msg(needle_parse(&needle, *bad, 8, false), "'%s' was taken", *bad);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, search_setup, search_teardown);
	tcase_add_test(tests, search__number_is_a_little_endian_word_of_its_width);
	tcase_add_test(tests, search__words_are_aligned_unless_asked);
	tcase_add_test(tests, search__first_and_last_word_of_a_page);
	tcase_add_test(tests, search__goes_across_the_border_of_neighbours);
	tcase_add_test(tests, search__page_that_is_not_there_parts_its_neighbours);
	tcase_add_test(tests, search__border_of_the_ring_is_none);
	tcase_add_test(tests, search__overlapping_hits_are_all_hits);
	tcase_add_test(tests, search__scratch_page_is_not_searched_and_each_page_read_once);
	tcase_add_test(tests, search__can_be_stopped);
	tcase_add_test(tests, refs__words_in_three_forms);
	tcase_add_test(tests, refs__start_of_a_page_means_the_page);
	tcase_add_test(tests, refs__zero_points_nowhere);
	tcase_add_test(tests, refs__unaligned_and_across_a_border);
	tcase_add_test(tests, refs__of_another_arena);
	tcase_add_test(tests, refs__holder_without_a_known_window_is_not_certain);
	tcase_add_test(tests, refs__guard_has_a_kernel_address_alone);
	tcase_add_test(tests, refs__address_of_no_arena_is_no_target);
	tcase_add_test(tests, needle__numbers);
	tcase_add_test(tests, needle__strings);
}

int main(void)
{
	return run_suite("search", add);
}
