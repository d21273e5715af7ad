// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/memory.c: the sentence for each state, by what the dump says of itself; and that only
 * what is stored counts as read.
 */
#include "suite.h"

#include "../core/memory.h"
#include "../fixtures/synth/physmem.h"

#define PHYS UINT64_C(0x12345000)

static struct physmem pm;
static struct memory mem;
static struct fault why;

static void setup(void)
{
	physmem_init(&pm, 4096, 0);
	mem = physmem_memory(&pm);
}

static void teardown(void)
{
	physmem_free(&pm);
}

/* What is said of PHYS in @state; always of that address, and false. */
static const char *sentence(enum state state, enum state kind)
{
	memset(&why, 0xa5, sizeof(why));
	ck_assert(!memory_fault(&mem, state, PHYS, &why));
	ck_assert_int_eq(why.kind, kind);
	ck_assert_int_eq(why.space, SPACE_PHYS);
	ck_u64_eq(why.addr, PHYS);
	ck_assert_ptr_nonnull(strstr(why.text, "physical 0x12345000"));
	return why.text;
}

#define ck_says(state, kind, part) \
	ck_assert_msg(strstr(sentence(state, kind), part), "%s", why.text)

START_TEST(memory__excluded_page_names_the_level_of_the_filter)
{
	mem.facts.format = "kdump, zlib";
	mem.facts.level = 31;
	ck_says(STATE_EXCLUDED, STATE_EXCLUDED, "excluded from the dump (filtered at level 31)");
	/* a dump that does not say, or says that nothing was filtered, names none */
	mem.facts.level = -1;
	ck_says(STATE_EXCLUDED, STATE_EXCLUDED, "excluded from the dump");
	ck_assert_ptr_null(strstr(why.text, "level"));
	mem.facts.level = 0;
	ck_says(STATE_EXCLUDED, STATE_EXCLUDED, "excluded from the dump");
	ck_assert_ptr_null(strstr(why.text, "level"));
}
END_TEST

/* makedumpfile -E leaves holes for both. */
START_TEST(memory__hole_of_an_elf_dump_may_be_zeros)
{
	mem.facts.format = "ELF";
	mem.facts.level = 31;
	ck_says(STATE_EXCLUDED, STATE_EXCLUDED, "left out of the ELF dump");
	ck_says(STATE_EXCLUDED, STATE_EXCLUDED, "or all zero");
}
END_TEST

START_TEST(memory__dump_without_a_format_has_sentences_too)
{
	mem.facts.format = NULL;
	ck_says(STATE_EXCLUDED, STATE_EXCLUDED, "is excluded");
}
END_TEST

START_TEST(memory__other_states_are_not_confused)
{
	mem.facts.level = 31;
	for (int elf = 0; elf < 2; elf++) {
		mem.facts.format = elf ? "ELF" : "kdump, zlib";
		ck_says(STATE_ABSENT, STATE_ABSENT, "has no memory at");
		ck_says(STATE_CUT, STATE_CUT, "cut or incomplete");
		ck_says(STATE_DAMAGED, STATE_DAMAGED, "cannot be decoded");
		ck_says(STATE_STORED, STATE_DAMAGED, "cannot be decoded");
		ck_says(FAULT_UNSUPPORTED, FAULT_UNSUPPORTED, "cannot unpack");
		ck_says(STATE_UNKNOWN, FAULT_IO, "cannot be read");
		for (int state = FAULT_UNKNOWN_TYPE; state <= FAULT_NOMEM; state++)
			if (state != FAULT_UNSUPPORTED)
				ck_says((enum state)state, FAULT_IO, "cannot be read");
	}
}
END_TEST

START_TEST(memory__only_stored_bytes_are_read)
{
	uint8_t buf[4];

	physmem_u32(&pm, PHYS + 8, 0x44332211);
	ck_ok(memory_read(&mem, PHYS + 8, buf, 4, &why), why);
	ck_assert_mem_eq(buf, "\x11\x22\x33\x44", 4);
	ck_assert_int_eq(memory_state(&mem, PHYS + 8, 4), STATE_STORED);
	for (int state = STATE_EXCLUDED; state < STATE_UNKNOWN; state++) {
		physmem_set_state(&pm, PHYS, (enum state)state);
		ck_assert_int_eq(memory_state(&mem, PHYS + 8, 4), state);
		ck_assert(!memory_read(&mem, PHYS + 8, buf, 4, &why));
		ck_assert_int_eq(why.kind, state);
		ck_u64_eq(why.addr, PHYS + 8);
	}
	ck_assert(!memory_read(&mem, 0x7000, buf, 4, &why));
	ck_fault(why, STATE_ABSENT, "0x7000");
}
END_TEST

START_TEST(memory__state_reads_no_contents)
{
	physmem_u32(&pm, PHYS, 1);
	memory_state(&mem, PHYS, 4096);
	ck_assert_uint_eq(pm.reads, 0);
}
END_TEST

START_TEST(memory__stored_ranges_ascend_and_are_merged)
{
	static const uint64_t pages[] = { 7, 2, 4, 3, 9 };
	uint64_t phys = 0, n;

	for (size_t i = 0; i < 5; i++)
		physmem_frame(&pm, pages[i] * 4096);
	physmem_set_state(&pm, 8 * 4096, STATE_EXCLUDED);
	/* not known to be damaged before it is read */
	physmem_set_state(&pm, 3 * 4096, STATE_DAMAGED);
	ck_assert(memory_next(&mem, &phys, &n));
	ck_u64_eq(phys, 2 * 4096);
	ck_u64_eq(n, 3 * 4096);
	phys = 3 * 4096 + 5;
	ck_assert(memory_next(&mem, &phys, &n));
	ck_u64_eq(phys, 3 * 4096 + 5);
	ck_u64_eq(n, 2 * 4096 - 5);
	phys += n;
	ck_assert(memory_next(&mem, &phys, &n));
	ck_u64_eq(phys, 7 * 4096);
	ck_u64_eq(n, 4096);
	phys += n;
	ck_assert(memory_next(&mem, &phys, &n));
	ck_u64_eq(phys, 9 * 4096);
	phys += n;
	ck_assert(!memory_next(&mem, &phys, &n));
}
END_TEST

START_TEST(memory__source_without_a_map_has_no_ranges)
{
	static struct memory_ops ops;
	uint64_t phys = 0, n;

	physmem_frame(&pm, 0);
	ck_assert(memory_next(&mem, &phys, &n));
	ops = *mem.ops;
	ops.next = NULL;
	mem.ops = &ops;
	ck_assert(!memory_next(&mem, &phys, &n));
}
END_TEST

static enum state peek_ones(void *source, uint64_t phys, void *buf, size_t n)
{
	(void)source;
	memset(buf, 1, n);
	return phys == PHYS ? STATE_STORED : STATE_CUT;
}

START_TEST(memory__peek_is_a_read_where_the_source_has_no_other)
{
	static struct memory_ops ops;
	uint8_t b = 0;

	physmem_u8(&pm, PHYS, 7);
	ck_assert_int_eq(memory_peek(&mem, PHYS, &b, 1), STATE_STORED);
	ck_assert_uint_eq(b, 7);
	ck_assert_int_eq(memory_peek(&mem, 0x7000, &b, 1), STATE_ABSENT);
	ops = *mem.ops;
	ops.peek = peek_ones;
	mem.ops = &ops;
	pm.reads = 0;
	ck_assert_int_eq(memory_peek(&mem, PHYS, &b, 1), STATE_STORED);
	ck_assert_uint_eq(b, 1);
	ck_assert_int_eq(memory_peek(&mem, 0x7000, &b, 1), STATE_CUT);
	ck_assert_uint_eq(pm.reads, 0);
}
END_TEST

START_TEST(memory__user_can_stop_and_the_work_is_named)
{
	pm.stop_after = 1;
	ck_ok(memory_progress(&mem, "looking for arenas", 1, 2, &why), why);
	ck_assert(!memory_progress(&mem, "looking for arenas", 2, 2, &why));
	ck_fault(why, FAULT_LIMIT, "interrupted while looking for arenas");
	ck_assert_int_eq(why.space, SPACE_NONE);
}
END_TEST

START_TEST(memory__source_without_progress_never_stops)
{
	static struct memory_ops ops;	/* outlives the test, as mem does */

	ops = *mem.ops;
	ops.progress = NULL;
	mem.ops = &ops;
	pm.stop_after = 1;
	for (int i = 0; i < 3; i++)
		ck_ok(memory_progress(&mem, "work", 0, 0, &why), why);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, memory__excluded_page_names_the_level_of_the_filter);
	tcase_add_test(tests, memory__hole_of_an_elf_dump_may_be_zeros);
	tcase_add_test(tests, memory__dump_without_a_format_has_sentences_too);
	tcase_add_test(tests, memory__other_states_are_not_confused);
	tcase_add_test(tests, memory__only_stored_bytes_are_read);
	tcase_add_test(tests, memory__state_reads_no_contents);
	tcase_add_test(tests, memory__stored_ranges_ascend_and_are_merged);
	tcase_add_test(tests, memory__source_without_a_map_has_no_ranges);
	tcase_add_test(tests, memory__peek_is_a_read_where_the_source_has_no_other);
	tcase_add_test(tests, memory__user_can_stop_and_the_work_is_named);
	tcase_add_test(tests, memory__source_without_progress_never_stops);
}

int main(void)
{
	return run_suite("memory", add);
}
