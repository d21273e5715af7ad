// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/stretch.c and core/render_read.c on an arena filled by hand. Byte i of a page with pgoff n
 * is (n << 4) + i in 8 bits, so that each line can be computed here.
 */
#include "render_rig.h"

#include "../core/render_read.h"
#include "../fixtures/synth/physmem.h"

#define USER (UINT64_C(1) << 44)
#define KERNEL (AREA + 0x8000)

static struct physmem pm;
static struct ask ask;
static struct problems problems;

static uint8_t byte_of(uint64_t pgoff, uint64_t i)
{
	return (uint8_t)((pgoff << 4) + i);
}

static void map(uint64_t pgoff, enum page_kind kind, enum state state)
{
	uint64_t phys = 0x70000 + pgoff * 0x1000;

	add_page((uint32_t)(FIRST + pgoff), phys, kind, state);
	for (uint64_t i = 0; i < 4096; i++)
		physmem_u8(&pm, phys + i, byte_of(pgoff, i));
	physmem_set_state(&pm, phys, state);
}

static void read_setup(void)
{
	setup();
	physmem_init(&pm, 4096, 0x100000);
	mem = physmem_memory(&pm);
	problems = (struct problems){ 0 };
	ask = (struct ask){ .view = VIEW_READ, .unit = 8 };
	map(2, KIND_PAGE, STATE_STORED);
	map(3, KIND_PAGE, STATE_STORED);
	map(5, KIND_PAGE, STATE_EXCLUDED);
	map(6, KIND_SCRATCH, STATE_STORED);
	map(7, KIND_PAGE, STATE_STORED);
}

static void read_teardown(void)
{
	problems_free(&problems);
	physmem_free(&pm);
	teardown();
}

static void ck_table(uint64_t address, uint64_t length, unsigned unit, const char *text)
{
	ask.address = address;
	ask.length = length;
	ask.unit = unit;
	ck_assert(read_table(&out, &k, &a, &ask, false, &problems));
	ck_taken(text);
}

static void ck_problem(const char *text)
{
	ck_assert_uint_eq(problems.n, 1);
	ck_assert_str_eq(problems.problem[0].why.text, text);
	ck_assert(problems.problem[0].has_arena);
	ck_assert_uint_eq(problems.problem[0].arena, 23);
	problems_free(&problems);
	problems = (struct problems){ 0 };
}

START_TEST(read__words_are_little_endian)
{
	ck_table(USER + 0x2010, 16, 8, "    100000002010:  "
		 "3736353433323130 3f3e3d3c3b3a3938   0123456789:;<=>?\n");
	ck_table(USER + 0x2010, 16, 4, "    100000002010:  "
		 "33323130 37363534 3b3a3938 3f3e3d3c   0123456789:;<=>?\n");
	ck_table(USER + 0x2010, 16, 2, "    100000002010:  "
		 "3130 3332 3534 3736 3938 3b3a 3d3c 3f3e   0123456789:;<=>?\n");
	ck_table(USER + 0x2010, 16, 1, "    100000002010:  "
		 "30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f   0123456789:;<=>?\n");
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(read__address_keeps_its_form)
{
	ck_table(KERNEL + 0x2010, 8, 8,
		 "ffffc9000000a010:  3736353433323130                    01234567\n");
	ck_table(0x2010, 8, 8, "            2010:  3736353433323130                    01234567\n");
}
END_TEST

START_TEST(read__goes_on_in_the_next_page)
{
	/* the last 12 bytes of pgoff 2, then pgoff 3 */
	ck_table(USER + 0x2ff4, 24, 8,
		 "    100000002ff4:  1b1a191817161514 333231301f1e1d1c   ............0123\n"
		 "    100000003004:  3b3a393837363534                    456789:;\n");
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(read__what_is_not_mapped_is_said_of_each_page)
{
	ck_table(USER + 0x3ff8, 0x1010, 8,
		 "    100000003ff8:  2f2e2d2c2b2a2928 ????????????????   ()*+,-./????????\n"
		 "    100000004000:  (not mapped)\n"
		 "    100000005000:  (page excluded)\n");
	ck_problem("arena 23: 4104 of 4112 bytes are not there; the first, at 0x100000004000: "
		   "no page is mapped there");
}
END_TEST

START_TEST(read__word_across_a_border_has_the_digits_that_are_there)
{
	ck_table(USER + 0x3ffd, 16, 8, "    100000003ffd:  "
		 "??????????2f2e2d ????????????????   -./?????????????\n"
		 "    100000004000:  (not mapped)\n");
	problems_free(&problems);
	problems = (struct problems){ 0 };
	/* three bytes of the scratch page, then pgoff 7 */
	ck_table(USER + 0x6ffd, 16, 8, "    100000006ffd:  (scratch page)\n"
		 "    100000006ffd:  7473727170?????? 7c7b7a7978777675   ???pqrstuvwxyz{|\n");
	ck_problem("arena 23: 3 of 16 bytes are not there; the first, at 0x100000006ffd: the "
		   "scratch page is mapped there, not memory of the arena");
}
END_TEST

START_TEST(read__pages_that_are_not_stored_are_not_zeros)
{
	ck_table(USER + 0x5100, 8, 8, "    100000005100:  (page excluded)\n");
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_EXCLUDED, "8 of 8 bytes are not there");
	ck_u64_eq(problems.problem[0].why.addr, 0x75100);
}
END_TEST

START_TEST(read__stretch_ends_with_the_window_of_its_form)
{
	const uint64_t end = USER + 65536 * 4096;

	map(65535, KIND_PAGE, STATE_STORED);
	ck_table(end - 8, UINT64_C(0x100000000), 8,
		 "    10000ffffff8:  efeeedecebeae9e8 ????????????????   ........????????\n"
		 "    100010000000:  (not in the arena)\n");
	ck_problem("arena 23: 4294967288 of 4294967296 bytes are not there; the first, at "
		   "0x100010000000: not in the arena");
	/* the same memory by its kernel address goes on to the end of the area */
	ck_table(KERNEL + 65536 * 4096 - 8, 16, 8,
		 "ffffc90010007ff8:  efeeedecebeae9e8 ????????????????   ........????????\n"
		 "ffffc90010008000:  (not mapped)\n");
}
END_TEST

START_TEST(read__guard_and_lost_table_are_named)
{
	ck_table(KERNEL - 8, 8, 8, "ffffc90000007ff8:  (guard, not mapped)\n");
	a.n_lost = 1;
	lost[0] = (struct arena_lost){ .has_pgoff = true, .pgoff = 512, .n = 512,
				       .kernel = KERNEL + 0x200000 };
	fault_fill(&why, STATE_CUT, SPACE_PHYS, 0x5000, "a table is cut");
	lost[0].why = why;
	problems_free(&problems);
	problems = (struct problems){ 0 };
	ck_table(USER + 0x200008, 8, 8, "    100000200008:  (not known: page table cut)\n");
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_CUT, "a table is cut");
}
END_TEST

START_TEST(read__of_a_page_only_what_is_asked_is_read)
{
	physmem_forget_reads(&pm);
	ck_table(USER + 0x2ffc, 8, 4,
		 "    100000002ffc:  1f1e1d1c 33323130                     ....0123\n");
	ck_assert_uint_eq(pm.reads, 2);
	ck_assert_uint_eq(pm.crossings, 0);
}
END_TEST

START_TEST(read__json_has_the_pieces)
{
	ask.address = USER + 0x3ffe;
	ask.length = 0x1004;
	ck_assert(read_json(&out, &k, &a, &ask, &problems));
	ck_taken(",\"read\":{\"form\":\"user\",\"certain\":true,\"pieces\":["
		 "{\"address\":\"0x100000003ffe\",\"n\":2,\"pgoff\":3,\"page\":\"page\","
		 "\"data\":\"2e2f\"},"
		 "{\"address\":\"0x100000004000\",\"n\":4096,\"pgoff\":4,\"page\":\"not_mapped\","
		 "\"data\":null},"
		 "{\"address\":\"0x100000005000\",\"n\":2,\"pgoff\":5,\"page\":\"page\","
		 "\"data\":null}]}");
	ck_assert_uint_eq(problems.n, 1);
}
END_TEST

START_TEST(read__json_of_a_whole_page)
{
	const char *data, *text;

	ask.address = 0x2000;
	ask.length = 4096;
	ck_assert(read_json(&out, &k, &a, &ask, &problems));
	text = taken_text();
	data = strstr(text, "\"data\":\"");
	ck_assert_ptr_nonnull(data);
	ck_assert_uint_eq(strspn(data + 8, "0123456789abcdef"), 8192);
	for (unsigned i = 0; i < 4096; i++) {
		char digits[3];

		snprintf(digits, sizeof(digits), "%02x", byte_of(2, i));
		ck_assert(!memcmp(data + 8 + 2 * i, digits, 2));
	}
	ck_assert_ptr_nonnull(strstr(text, "\"form\":\"low32\",\"certain\":false"));
}
END_TEST

/* Raw bytes. */

static uint8_t written[8192];
static size_t n_written;
static bool disk_full;

static bool take_bytes(void *ctx, const void *data, size_t n, struct fault *reason)
{
	ck_assert_ptr_eq(ctx, written);
	if (disk_full)
		return fault_set(reason, FAULT_IO, SPACE_NONE, 0, "no space");
	ck_assert_uint_le(n_written + n, sizeof(written));
	memcpy(written + n_written, data, n);
	n_written += n;
	return true;
}

static struct bytes_renderer b;

static void begin_bytes(uint64_t address, uint64_t length)
{
	ask.address = address;
	ask.length = length;
	n_written = 0;
	disk_full = false;
	bytes_renderer_init(&b, &ask, take_bytes, written);
}

START_TEST(read__bytes_as_they_are)
{
	begin_bytes(USER + 0x2ffe, 4);
	ck_assert(b.renderer.arena(&b.renderer, &k, &a, &result));
	ck_assert(b.complete && !b.failed);
	ck_assert_uint_eq(n_written, 4);
	ck_assert(!memcmp(written, (uint8_t[]){ 0x1e, 0x1f, 0x30, 0x31 }, 4));
	ck_assert_uint_eq(result.problems.n, 0);
}
END_TEST

START_TEST(read__bytes_that_are_not_all_there_are_not_complete)
{
	const uint64_t from[] = { USER + 0x3ffc, USER + 0x4ffc, USER + 0x6ffc };

	for (int i = 0; i < 3; i++) {
		begin_bytes(from[i], 8);
		ck_assert(b.renderer.arena(&b.renderer, &k, &a, &result));
		ck_assert(!b.complete && !b.failed);
		ck_assert_uint_eq(result.problems.n, i + 1);
	}
}
END_TEST

START_TEST(read__bytes_of_two_arenas_are_none)
{
	begin_bytes(0x2000, 8);
	ck_assert(b.renderer.arena(&b.renderer, &k, &a, &result));
	ck_assert(b.complete);
	ck_assert(!b.renderer.arena(&b.renderer, &k, &a, &result));
	ck_assert(!b.complete);
	ck_assert_uint_eq(n_written, 8);
	ck_fault(result.problems.problem[0].why, STATE_ABSENT, "more than one arena");
}
END_TEST

START_TEST(read__bytes_on_a_full_disk)
{
	begin_bytes(USER + 0x2000, 8192);
	disk_full = true;
	ck_assert(!b.renderer.arena(&b.renderer, &k, &a, &result));
	ck_assert(b.failed);
	ck_fault(b.why, FAULT_IO, "no space");
}
END_TEST

START_TEST(read__sink_that_stops_ends_it)
{
	stop_at = 1;
	ask.address = USER + 0x2000;
	ask.length = 8192;
	ck_assert(!read_table(&out, &k, &a, &ask, false, &problems));
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(read__can_be_interrupted)
{
	pm.stop_after = pm.progress = 1;
	ask.address = USER + 0x2000;
	ask.length = 8192;
	ck_assert(!read_json(&out, &k, &a, &ask, &problems));
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, FAULT_LIMIT, "");
	ck_taken(",\"read\":{\"form\":\"user\",\"certain\":true,\"pieces\":[]}");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, read_setup, read_teardown);
	tcase_add_test(tests, read__words_are_little_endian);
	tcase_add_test(tests, read__address_keeps_its_form);
	tcase_add_test(tests, read__goes_on_in_the_next_page);
	tcase_add_test(tests, read__what_is_not_mapped_is_said_of_each_page);
	tcase_add_test(tests, read__word_across_a_border_has_the_digits_that_are_there);
	tcase_add_test(tests, read__pages_that_are_not_stored_are_not_zeros);
	tcase_add_test(tests, read__stretch_ends_with_the_window_of_its_form);
	tcase_add_test(tests, read__guard_and_lost_table_are_named);
	tcase_add_test(tests, read__of_a_page_only_what_is_asked_is_read);
	tcase_add_test(tests, read__json_has_the_pieces);
	tcase_add_test(tests, read__json_of_a_whole_page);
	tcase_add_test(tests, read__bytes_as_they_are);
	tcase_add_test(tests, read__bytes_that_are_not_all_there_are_not_complete);
	tcase_add_test(tests, read__bytes_of_two_arenas_are_none);
	tcase_add_test(tests, read__bytes_on_a_full_disk);
	tcase_add_test(tests, read__sink_that_stops_ends_it);
	tcase_add_test(tests, read__can_be_interrupted);
}

int main(void)
{
	return run_suite("read", add);
}
