// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/printk.c on rings that fixtures/synth/log_writer.c writes, whole and damaged. The lines
 * are those of arch/x86/mm/fault.c and arch/arm64/mm/fault.c.
 */
#include "memory_rig.h"

#include "../core/printk.h"
#include "../fixtures/synth/log_writer.h"

#define A(n) (UINT64_C(0xffffc90000455000) + (n))
#define PAGE_FAULT "BUG: unable to handle page fault for address: "

static struct log_writer lw;
static struct printk_faults f;

static void make_log(unsigned count_bits, unsigned size_bits)
{
	lw = (struct log_writer){
		.pm = &pm, .direct = DIRECT, .count_bits = count_bits, .size_bits = size_bits,
		.info_size = 88,
	};
	log_init(&lw);
}

static void printk_setup(void)
{
	memory_setup();
	make_log(5, 12);
	k.members.known[MEMBER_printk_info_facility] = true;
	k.members.offset[MEMBER_printk_info_facility] = 18;
}

static bool faults(void)
{
	if (!text.n)
		log_vmcoreinfo(&lw, &text);
	memory_open();
	return printk_faults(&k, &f, &why);
}

static uint64_t put_fault(uint64_t address, uint64_t time)
{
	char line[128];

	snprintf(line, sizeof(line), PAGE_FAULT "%016" PRIx64, address);
	return log_put(&lw, line, 0, time);
}

/* What comes before and after an oops. */
static void put_others(unsigned n)
{
	char line[64];

	for (unsigned i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "line %u of others, %.*s", i, (int)(i * 7 % 30),
			 "..............................");
		log_put(&lw, line, 0, i);
	}
}

static void ck_address(size_t i, uint64_t address, uint64_t time)
{
	ck_assert_uint_lt(i, f.n);
	ck_u64_eq(f.fault[i].address, address);
	ck_u64_eq(f.fault[i].time, time);
}

START_TEST(printk__an_empty_log_has_no_faults)
{
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 0);
	ck_assert_uint_eq(f.lost, 0);
}
END_TEST

START_TEST(printk__lines_that_tell_an_address)
{
	static const char *const lines[] = {
		PAGE_FAULT "ffffc90000455008",
		PAGE_FAULT "ffffc90000455008\nmore",
		"BUG: kernel NULL pointer dereference, address: ffffc90000455008",
		"Unable to handle kernel paging request at virtual address ffffc90000455008",
		"Unable to handle kernel NULL pointer dereference at virtual address ffffc90000455008",
		"Unable to handle kernel access to user memory outside uaccess routines at virtual "
		"address ffffc90000455008",
	};

	put_others(4);
	log_put(&lw, lines[_i], 0, 77);
	put_others(4);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 1);
	ck_address(0, A(8), 77);
	ck_assert(!f.more);
}
END_TEST

START_TEST(printk__lines_that_do_not)
{
	static const char *const lines[] = {
		"Oops: general protection fault, probably for non-canonical address 0xdead000000000108",
		" " PAGE_FAULT "ffffc90000455008",
		PAGE_FAULT "ffffc9000045500",
		PAGE_FAULT "ffffc900004550081",
		PAGE_FAULT "ffffc90000455008 ",
		PAGE_FAULT "0xffffc9000045500",
		PAGE_FAULT "(____ptrval____)",
		PAGE_FAULT,
		"Unable to handle kernel paging request\n at virtual address ffffc90000455008",
		"Unable to handle kernel paging request at virtual address",
		"Unable to handle ",
		"BUG: ",
	};

	log_put(&lw, lines[_i], 0, 1);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 0);
	ck_assert_uint_eq(f.lost, 0);
}
END_TEST

START_TEST(printk__what_a_process_wrote_is_not_the_kernels)
{
	put_fault(A(8), 5);
	log_put(&lw, PAGE_FAULT "ffffc90000666008", 1, 6);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 1);
	ck_address(0, A(8), 5);
}
END_TEST

START_TEST(printk__text_ends_where_its_info_says)
{
	/* digits of an older record behind it are not part of it */
	uint64_t id = put_fault(A(8), 5);

	physmem_u32(&pm, log_info(&lw, id) + 16, (uint32_t)strlen(PAGE_FAULT) + 15);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 0);
}
END_TEST

START_TEST(printk__the_last_fault_comes_first)
{
	for (uint64_t i = 0; i < 3; i++) {
		put_fault(A(i), 100 + i);
		put_others(2);
	}
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 3);
	for (uint64_t i = 0; i < 3; i++)
		ck_address(i, A(2 - i), 102 - i);
}
END_TEST

START_TEST(printk__of_many_faults_the_last_are_kept)
{
	for (uint64_t i = 0; i < 12; i++)
		put_fault(A(i), i);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, PRINTK_FAULTS);
	ck_address(PRINTK_FAULTS - 1, A(12 - PRINTK_FAULTS), 12 - PRINTK_FAULTS);
	ck_assert(f.more);
}
END_TEST

/* Whatever the place in the ring: ids, places of text and both rings wrap meanwhile. */
START_TEST(printk__a_fault_is_found_wherever_the_ring_wraps)
{
	for (unsigned before = 0; before < 200; before++) {
		make_log(5, 10);
		bytes_free(&text);
		put_others(before);
		put_fault(A(before), before);
		put_others(3);
		ck_ok(faults(), why);
		ck_assert_uint_eq(f.n, 1);
		ck_address(0, A(before), before);
		ck_assert_uint_eq(f.lost, 0);
		ck_assert_uint_le(f.records, 32);
	}
}
END_TEST

START_TEST(printk__a_record_that_was_overwritten_is_gone)
{
	put_fault(A(8), 1);
	put_others(40);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 0);
	ck_assert_uint_eq(f.lost, 0);
}
END_TEST

START_TEST(printk__a_record_that_is_being_written_is_none)
{
	uint64_t id = put_fault(A(8), 1), sv = id;

	put_fault(A(9), 2);
	/* reserved, committed, finalized, reusable; then the id of another */
	for (uint64_t state = 0; state < 4; state++) {
		physmem_u64(&pm, log_desc(&lw, id), sv | state << 62);
		ck_ok(faults(), why);
		ck_assert_uint_eq(f.n, state == 1 || state == 2 ? 2 : 1);
	}
	physmem_u64(&pm, log_desc(&lw, id), (sv - 32) | UINT64_C(2) << 62);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 1);
}
END_TEST

START_TEST(printk__torn_places_of_text_are_lost_and_no_more)
{
	static const struct { uint64_t begin, next; } torn[] = {
		{ 0, UINT64_MAX - 7 }, { 8, 0 }, { 0, 8192 }, { 0, 8 }, { 4088, 4096 + 8 },
		{ 0, 4 }, { 0, 0 }, { UINT64_C(1) << 63, 64 }, { 16, 16 + 4096 },
	};
	uint64_t id;

	put_fault(A(7), 1);
	id = put_fault(A(8), 2);
	physmem_u64(&pm, log_desc(&lw, id) + 8, torn[_i].begin);
	physmem_u64(&pm, log_desc(&lw, id) + 16, torn[_i].next);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 1);
	ck_address(0, A(7), 1);
	ck_assert_uint_eq(f.lost, 1);
}
END_TEST

START_TEST(printk__text_longer_than_the_ring_is_lost)
{
	uint64_t id = put_fault(A(8), 1), next = physmem_get_u64(&pm, log_desc(&lw, id) + 16);

	/* at the begin of the ring, where the rest of a text would be */
	ck_u64_eq(physmem_get_u64(&pm, log_desc(&lw, id) + 8) % 4096, 0);
	physmem_u64(&pm, log_desc(&lw, id) + 16, next + 4096);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 0);
	ck_assert_uint_eq(f.lost, 1);
}
END_TEST

START_TEST(printk__records_without_text_are_passed_over)
{
	uint64_t id = put_fault(A(8), 1);

	for (uint64_t lpos = 1; lpos <= 3; lpos += 2) {
		physmem_u64(&pm, log_desc(&lw, id) + 8, lpos);
		physmem_u64(&pm, log_desc(&lw, id) + 16, lpos);
		ck_ok(faults(), why);
		ck_assert_uint_eq(f.n, 0);
		ck_assert_uint_eq(f.lost, 0);
	}
}
END_TEST

START_TEST(printk__all_records_at_one_place_are_one)
{
	/* each descriptor names the text of the first: only that one has its id */
	uint64_t id = put_fault(A(8), 1);

	for (uint64_t i = 1; i < 32; i++) {
		uint64_t other = put_fault(A(100 + i), i);

		physmem_u64(&pm, log_desc(&lw, other) + 8,
			    physmem_get_u64(&pm, log_desc(&lw, id) + 8));
		physmem_u64(&pm, log_desc(&lw, other) + 16,
			    physmem_get_u64(&pm, log_desc(&lw, id) + 16));
	}
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 1);
	ck_address(0, A(8), 1);
	ck_assert_uint_eq(f.lost, 31);
}
END_TEST

START_TEST(printk__rings_that_cannot_be_are_refused)
{
	static const struct { uint64_t at; uint32_t value; } bad[] = {
		{ 0, 0 }, { 0, 27 }, { 0, UINT32_MAX }, { 48, 3 }, { 48, 32 }, { 48, UINT32_MAX },
	};

	put_fault(A(8), 1);
	physmem_u32(&pm, lw.prb + bad[_i].at, bad[_i].value);
	ck_assert(!faults());
	ck_fault(why, STATE_DAMAGED, "the kernel's log: 2^");
}
END_TEST

START_TEST(printk__more_records_than_there_is_room_for_are_refused)
{
	put_fault(A(8), 1);
	physmem_u64(&pm, lw.prb + 32, lw.head + 1);
	ck_assert(!faults());
	ck_fault(why, STATE_DAMAGED, "it has room for 32 records");
	physmem_u64(&pm, lw.prb + 32, lw.head - 32);
	ck_assert(!faults());
	physmem_u64(&pm, lw.prb + 32, lw.head - 31);
	ck_ok(faults(), why);
}
END_TEST

START_TEST(printk__work_is_bounded)
{
	/* 2^26 records that all are the same few pages */
	put_fault(A(8), 1);
	physmem_u32(&pm, lw.prb, 26);
	physmem_u64(&pm, lw.prb + 32, lw.head - (1 << 25));
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.records, 65536);
	ck_assert(f.more);
}
END_TEST

START_TEST(printk__lost_pages_lose_their_records)
{
	put_fault(A(8), 1);
	physmem_set_state(&pm, lw.data, STATE_EXCLUDED);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.n, 0);
	ck_assert_uint_eq(f.lost, 1);
	physmem_set_state(&pm, lw.data, STATE_STORED);
	physmem_set_state(&pm, lw.infos, STATE_EXCLUDED);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.lost, 1);
	physmem_set_state(&pm, lw.descs, STATE_EXCLUDED);
	ck_ok(faults(), why);
	ck_assert_uint_eq(f.lost, 2);	/* the first one has no text */
	physmem_set_state(&pm, lw.prb, STATE_EXCLUDED);
	ck_assert(!faults());
	ck_fault(why, STATE_EXCLUDED, "the kernel's log: ");
}
END_TEST

START_TEST(printk__without_its_layout_there_is_no_log)
{
	bytes_printf(&text, "SYMBOL(prb)=%" PRIx64 "\n", lw.prb_pointer + DIRECT);
	ck_assert(!faults());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "VMCOREINFO has no OFFSET(printk_ringbuffer.desc_ring)");
}
END_TEST

START_TEST(printk__interrupted)
{
	put_fault(A(8), 1);
	pm.stop_after = pm.progress = 1;
	ck_assert(!faults());
	ck_fault(why, FAULT_LIMIT, "reading the kernel's log");
}
END_TEST

static struct printk_lines l;

static bool lines(const char *start)
{
	if (!text.n)
		log_vmcoreinfo(&lw, &text);
	memory_open();
	return printk_lines(&k, start, &l, &why);
}

START_TEST(printk__lines_by_their_begin)
{
	put_others(3);
	log_put(&lw, "sched_ext: one\nand more", 0, 11);
	log_put(&lw, "no sched_ext: at the begin", 0, 12);
	log_put(&lw, "sched_ext: said by a process", 1, 13);
	log_put(&lw, "sched_ext: two", 0, 14);
	put_others(2);
	ck_ok(lines("sched_ext: "), why);
	ck_assert_uint_eq(l.n, 2);
	ck_assert_uint_eq(l.lost, 0);
	ck_assert_str_eq(l.line[0].text, "sched_ext: two");
	ck_assert_str_eq(l.line[1].text, "sched_ext: one");
	ck_u64_eq(l.line[1].time, 11);
}
END_TEST

START_TEST(printk__many_lines_and_long_ones)
{
	char line[1200];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	for (unsigned i = 0; i < PRINTK_LINES + 4; i++)
		log_put(&lw, "x is short", 0, i);
	log_put(&lw, line, 0, 99);
	ck_ok(lines("x"), why);
	ck_assert_uint_eq(l.n, PRINTK_LINES);
	ck_u64_eq(l.line[0].time, 99);
	ck_assert_uint_eq(strlen(l.line[0].text), sizeof(l.line[0].text) - 1);
	ck_u64_eq(l.line[1].time, PRINTK_LINES + 3);
}
END_TEST

/* The text is there, but not how long it is, nor when it was written. */
START_TEST(printk__line_whose_info_is_lost)
{
	uint64_t id = log_put(&lw, "sched_ext: one", 0, 11);

	ck_ok(lines("sched_ext: "), why);
	ck_assert_uint_eq(l.n, 1);
	physmem_set_state(&pm, log_info(&lw, id), STATE_EXCLUDED);
	ck_ok(lines("sched_ext: "), why);
	ck_assert(!l.n && l.lost == 1);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, printk_setup, memory_teardown);
	tcase_add_test(tests, printk__lines_by_their_begin);
	tcase_add_test(tests, printk__many_lines_and_long_ones);
	tcase_add_test(tests, printk__line_whose_info_is_lost);
	tcase_add_test(tests, printk__an_empty_log_has_no_faults);
	tcase_add_loop_test(tests, printk__lines_that_tell_an_address, 0, 6);
	tcase_add_loop_test(tests, printk__lines_that_do_not, 0, 12);
	tcase_add_test(tests, printk__what_a_process_wrote_is_not_the_kernels);
	tcase_add_test(tests, printk__text_ends_where_its_info_says);
	tcase_add_test(tests, printk__the_last_fault_comes_first);
	tcase_add_test(tests, printk__of_many_faults_the_last_are_kept);
	tcase_add_test(tests, printk__a_fault_is_found_wherever_the_ring_wraps);
	tcase_add_test(tests, printk__a_record_that_was_overwritten_is_gone);
	tcase_add_test(tests, printk__a_record_that_is_being_written_is_none);
	tcase_add_loop_test(tests, printk__torn_places_of_text_are_lost_and_no_more, 0, 9);
	tcase_add_test(tests, printk__text_longer_than_the_ring_is_lost);
	tcase_add_test(tests, printk__records_without_text_are_passed_over);
	tcase_add_test(tests, printk__all_records_at_one_place_are_one);
	tcase_add_loop_test(tests, printk__rings_that_cannot_be_are_refused, 0, 6);
	tcase_add_test(tests, printk__more_records_than_there_is_room_for_are_refused);
	tcase_add_test(tests, printk__work_is_bounded);
	tcase_add_test(tests, printk__lost_pages_lose_their_records);
	tcase_add_test(tests, printk__without_its_layout_there_is_no_log);
	tcase_add_test(tests, printk__interrupted);
}

int main(void)
{
	return run_suite("printk", add);
}
