// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/notes.c: ELF notes, whole and damaged.
 */
#include "suite.h"

#include "../core/notes.h"
#include "../fixtures/synth/notes_writer.h"

static struct bytes notes;

static void setup(void)
{
	notes = (struct bytes){ 0 };
}

static void teardown(void)
{
	bytes_free(&notes);
}

/* A note as the ELF specification has it; without the padding at the end. */
static void add_note_raw(const char *name, uint32_t type, const char *data)
{
	bytes_align(&notes, 4);
	bytes_u32(&notes, (uint32_t)strlen(name) + 1);
	bytes_u32(&notes, (uint32_t)strlen(data));
	bytes_u32(&notes, type);
	bytes_string(&notes, name);
	bytes_align(&notes, 4);
	bytes_text(&notes, data);
}

static void add_note(const char *name, uint32_t type, const char *data)
{
	add_note_raw(name, type, data);
	bytes_align(&notes, 4);
}

/* Look in a copy of exactly that size, so that ASan and valgrind see a step over its end. */
static bool find(size_t len, const char *name, uint32_t type, char data[64])
{
	uint8_t *p = malloc(len ? len : 1);
	struct note note;
	bool found;

	memcpy(p, notes.data, len);
	found = notes_find(p, len, name, type, &note);
	if (found) {
		ck_assert_uint_lt(note.size, 64);
		memcpy(data, note.data, note.size);
		data[note.size] = '\0';
	}
	free(p);
	return found;
}

START_TEST(notes__are_found_by_name_and_type)
{
	char data[64];

	add_note("CORE", 1, "registers of CPU 0");
	add_note("CORE", 1, "registers of CPU 1");
	add_note("VMCOREINFO", 1, "not this type");
	add_note("QEMU", 0, "abc");
	add_note("VMCOREINFO", 0, "OSRELEASE=6.12");
	ck_assert(find(notes.n, "VMCOREINFO", 0, data));
	ck_assert_str_eq(data, "OSRELEASE=6.12");
	ck_assert(find(notes.n, "CORE", 1, data));
	ck_assert_str_eq(data, "registers of CPU 0");
	ck_assert(find(notes.n, "QEMU", 0, data));
	ck_assert_str_eq(data, "abc");
	ck_assert(!find(notes.n, "VMCOREINFO", 2, data));
	ck_assert(!find(notes.n, "VMCORE", 0, data));
	ck_assert(!find(notes.n, "VMCOREINFOX", 0, data));
}
END_TEST

START_TEST(notes__come_in_order_until_the_end)
{
	static const char *const texts[] = { "a", "bb", "ccc", "dddd", "" };
	struct note note;
	size_t pos = 0;

	for (uint32_t i = 0; i < 5; i++)
		add_note("CORE", i, texts[i]);
	for (uint32_t i = 0; i < 5; i++) {
		ck_assert(notes_next(notes.data, notes.n, &pos, &note));
		ck_assert_uint_eq(note.type, i);
		ck_assert_uint_eq(note.size, strlen(texts[i]));
		ck_assert_uint_eq(note.name_len, 4);
	}
	ck_assert_uint_eq(pos, notes.n);
	ck_assert(!notes_next(notes.data, notes.n, &pos, &note));
}
END_TEST

START_TEST(notes__last_padding_may_be_missing)
{
	char data[64];

	add_note("CORE", 1, "first");
	add_note_raw("VMCOREINFO", 0, "12345");
	ck_assert_uint_ne(notes.n % 4, 0);
	ck_assert(find(notes.n, "VMCOREINFO", 0, data));
	ck_assert_str_eq(data, "12345");
}
END_TEST

START_TEST(notes__without_a_name_are_stepped_over)
{
	char data[64];

	bytes_u32(&notes, 0);
	bytes_u32(&notes, 8);
	bytes_u32(&notes, 7);
	bytes_text(&notes, "contents");
	add_note("VMCOREINFO", 0, "x=y");
	ck_assert(find(notes.n, "VMCOREINFO", 0, data));
}
END_TEST

START_TEST(notes__end_at_a_header_of_zeros)
{
	char data[64];

	add_note("CORE", 1, "x");
	bytes_zero(&notes, 5 * 12);	/* five headers, if they were any */
	add_note("VMCOREINFO", 0, "behind");
	ck_assert(!find(notes.n, "VMCOREINFO", 0, data));
}
END_TEST

START_TEST(notes__cut_at_every_byte_never_give_half_a_note)
{
	char data[64];
	size_t whole;

	add_note("CORE", 1, "registers");
	add_note_raw("VMCOREINFO", 0, "OSRELEASE=6.12.107");
	whole = notes.n;
	bytes_align(&notes, 4);
	for (size_t n = 0; n <= notes.n; n++)
		ck_assert_msg(find(n, "VMCOREINFO", 0, data) == (n >= whole), "cut at %zu", n);
}
END_TEST

START_TEST(notes__absurd_sizes_find_nothing)
{
	static const uint32_t sizes[] = { UINT32_MAX, UINT32_MAX - 3, UINT32_MAX - 11, 1u << 31,
					  1000, 0 };
	char data[64];

	/* [0]: size of the name, [4]: of the contents, of the first note */
	for (size_t at = 0; at <= 4; at += 4) {
		notes.n = 0;
		add_note("CORE", 1, "registers");
		add_note("VMCOREINFO", 0, "OSRELEASE=6.12.107");
		bytes_set_u32(&notes, at, sizes[_i]);
		find(notes.n, "VMCOREINFO", 0, data);
		if (sizes[_i])
			ck_assert(!find(notes.n, "VMCOREINFO", 0, data));
	}
}
END_TEST

/* struct elf_prstatus of a machine, with its program counter */
static void add_cpu(const char *name, uint32_t type, size_t size, uint64_t pc)
{
	uint8_t status[392] = { 0 };

	store_u64(status + 112 + (size == 392 ? 256 : 128), pc);
	note_write(&notes, name, type, status, size);
}

static bool ran_in(uint64_t start, uint64_t end)
{
	return notes_ran_in(notes.data, notes.n, start, end);
}

START_TEST(notes__cpu_ran_where_its_counter_was)
{
	size_t size = _i ? 392 : 336;

	add_note("QEMU", 0, "x");
	add_cpu("CORE", 1, size, 0x7f0000);
	ck_assert(!ran_in(0x10000, 0x20000));
	add_cpu("CORE", 1, size, 0x10000);
	ck_assert(ran_in(0x10000, 0x20000));
	ck_assert(ran_in(0x10000, 0x10001));
	ck_assert(!ran_in(0x10001, 0x20000));
	ck_assert(!ran_in(0x1000, 0x10000));
}
END_TEST

START_TEST(notes__other_notes_are_no_cpus)
{
	add_cpu("LINUX", 1, 336, 0x10000);
	add_cpu("CORE", 2, 336, 0x10000);
	add_cpu("CORE", 1, 335, 0x10000);
	ck_assert(!ran_in(0, UINT64_MAX - 1));
	add_cpu("CORE", 1, 336, 0x10000);
	ck_assert(ran_in(0, UINT64_MAX));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, notes__cpu_ran_where_its_counter_was, 0, 2);
	tcase_add_test(tests, notes__other_notes_are_no_cpus);
	tcase_add_test(tests, notes__are_found_by_name_and_type);
	tcase_add_test(tests, notes__come_in_order_until_the_end);
	tcase_add_test(tests, notes__last_padding_may_be_missing);
	tcase_add_test(tests, notes__without_a_name_are_stepped_over);
	tcase_add_test(tests, notes__end_at_a_header_of_zeros);
	tcase_add_test(tests, notes__cut_at_every_byte_never_give_half_a_note);
	tcase_add_loop_test(tests, notes__absurd_sizes_find_nothing, 0, 6);
}

int main(void)
{
	return run_suite("notes", add);
}
