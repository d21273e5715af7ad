// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/dumpfile_elf.c: every page's state, in whole, cut and damaged files. What a file holds
 * is also worked out here, byte by byte, from the program headers.
 */
#include "dumpfile_rig.h"

#include <elf.h>

#include "../fixtures/synth/elf_writer.h"

static struct elf_options options;

static void write_file(void)
{
	rig->file.n = 0;
	options.vmcoreinfo = &rig->vmcoreinfo;
	elf_write(&rig->pm, &options, &rig->file);
}

static void setup_elf(void)
{
	setup();
	options = (struct elf_options){ 0 };
	rig_memory(4096);
	write_file();
}

/* Program headers of the file as it is now. */
static uint64_t phdr_at(uint64_t i)
{
	return get(32, 8) + i * 56;
}

static uint64_t phdrs(void)
{
	uint64_t n = get(56, 2);

	return n == 0xffff ? get(get(40, 8) + 44, 4) : n;
}

/* The reference: is this byte in the first @size bytes of the file, in any segment? */
static bool reference_byte(uint64_t phys, uint64_t size)
{
	for (uint64_t i = 0; i < phdrs(); i++) {
		uint64_t at = phdr_at(i), offset, start, filesz;

		if (get(at, 4) != PT_LOAD)
			continue;
		offset = get(at + 8, 8);
		start = get(at + 24, 8);
		filesz = get(at + 32, 8);
		if (phys < start || phys - start >= filesz)
			continue;
		if (offset < size && phys - start < size - offset)
			return true;
	}
	return false;
}

static unsigned ck_no_false_claim(uint64_t size, const char *what)
{
	unsigned stored = 0;

	for (uint64_t phys = 0; phys < 70 * 4096; phys += 4096) {
		if (state_of(phys) != STATE_STORED)
			continue;
		stored++;
		/* segments begin and end at pages but where they are damaged by one byte */
		for (uint64_t i = 0; i < 4096; i += i < 4 || i > 4090 ? 1 : 517)
			if (!reference_byte(phys + i, size))
				ck_abort_msg("%s: page %" PRIu64 " is called stored", what,
					     phys / 4096);
	}
	state_of(UINT64_C(1) << 40);
	state_of(UINT64_MAX - 4095);
	ck_stored_pages_are_in_ranges(what);
	return stored;
}

START_TEST(elf__every_page_has_its_state)
{
	options.unaligned = _i & 1;
	options.segment_per_page = _i & 2;
	options.headers_last = _i & 4;
	write_file();
	ck_ok(open_file(), why);
	ck_states_are_as_put();
	ck_assert_uint_eq(ck_no_false_claim(rig->file.n, "whole"), 14);
	ck_ranges_are(1 << STATE_STORED);
}
END_TEST

START_TEST(elf__range_begins_where_it_is_asked_for)
{
	ck_ok(open_file(), why);
	ck_range(0, 0, 9 * 4096);
	ck_range(3 * 4096 + 100, 3 * 4096 + 100, 9 * 4096);
	ck_range(9 * 4096, 10 * 4096, 12 * 4096);
	ck_range(14 * 4096, 32 * 4096, 33 * 4096);
	ck_range(33 * 4096, 63 * 4096, 64 * 4096);
	ck_no_range(64 * 4096);
	ck_no_range(UINT64_MAX);
}
END_TEST

START_TEST(elf__facts_are_those_of_the_header)
{
	const struct memory_facts *f;

	options.arm = _i & 1;
	options.incomplete = _i & 2;
	write_file();
	ck_ok(open_file(), why);
	f = dumpfile_facts(rig->df);
	ck_assert_str_eq(f->format, "ELF");
	ck_assert_str_eq(f->machine, _i & 1 ? "aarch64" : "x86_64");
	ck_assert_int_eq(f->level, -1);
	ck_assert(f->incomplete == !!(_i & 2));
	ck_assert(!f->cut);
	ck_u64_eq(f->size, rig->file.n);
	ck_u64_eq(f->needed, rig->file.n);
	ck_assert_uint_eq(f->vmcoreinfo_len, rig->vmcoreinfo.n);
	ck_assert_mem_eq(f->vmcoreinfo, rig->vmcoreinfo.data, rig->vmcoreinfo.n);
	ck_assert_uint_gt(f->notes_len, 336);
}
END_TEST

START_TEST(elf__range_has_the_state_of_its_first_byte_that_is_not_stored)
{
	ck_ok(open_file(), why);
	ck_assert_int_eq(dumpfile_state(rig->df, 0, 9 * 4096), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, 0, 9 * 4096 + 1), STATE_EXCLUDED);
	ck_assert_int_eq(dumpfile_state(rig->df, 8 * 4096 + 4095, 1), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, 10 * 4096, 4 * 4096), STATE_ABSENT);
	ck_assert_int_eq(dumpfile_state(rig->df, 0, 0), STATE_ABSENT);
	ck_assert_int_eq(dumpfile_state(rig->df, UINT64_MAX, 1), STATE_ABSENT);
	ck_assert_int_eq(dumpfile_state(rig->df, UINT64_MAX, 2), STATE_ABSENT);
}
END_TEST

/* /proc/vmcore of x86_64 has the kernel's image in two segments. */
START_TEST(elf__overlapping_segments_are_joined)
{
	options.overlap_phys = 2 * 4096;
	options.overlap_size = 4 * 4096;
	write_file();
	ck_ok(open_file(), why);
	ck_states_are_as_put();
	ck_assert_int_eq(dumpfile_state(rig->df, 0, 9 * 4096), STATE_STORED);
	ck_no_false_claim(rig->file.n, "overlap");
	ck_range(0, 0, 9 * 4096);
}
END_TEST

/* Which copy a decoder takes is not known: one that is gone counts. */
START_TEST(elf__copy_behind_the_end_counts)
{
	options.overlap_phys = 2 * 4096;
	options.overlap_size = 4 * 4096;
	write_file();
	set(phdr_at(1) + 8, 8, rig->file.n - 4096);
	ck_ok(open_file(), why);
	ck_assert_int_eq(state_of(4096), STATE_STORED);
	ck_assert_int_eq(state_of(2 * 4096), STATE_STORED);
	for (uint64_t i = 3; i < 6; i++)
		ck_assert_int_eq(state_of(i * 4096), STATE_CUT);
	ck_assert_int_eq(state_of(6 * 4096), STATE_STORED);
	ck_range(0, 0, 3 * 4096);
	ck_range(3 * 4096, 6 * 4096, 9 * 4096);
	ck_assert(dumpfile_facts(rig->df)->cut);
}
END_TEST

/* Bytes that one segment stores are stored, though another leaves them out. */
START_TEST(elf__stored_copy_of_an_excluded_page_is_stored)
{
	options.overlap_phys = 10 * 4096;
	options.overlap_size = 4096;
	write_file();
	/* the first segment now says page 9, excluded elsewhere */
	set(phdr_at(1) + 24, 8, 9 * 4096);
	ck_ok(open_file(), why);
	ck_assert_int_eq(state_of(9 * 4096), STATE_STORED);
	ck_no_false_claim(rig->file.n, "copy");
}
END_TEST

START_TEST(elf__segments_need_not_end_at_pages)
{
	/* pages 0 to 8: end it at 512 bytes into page 5 */
	set(phdr_at(1) + 32, 8, 5 * 4096 + 512);
	set(phdr_at(1) + 40, 8, 5 * 4096 + 512);
	ck_ok(open_file(), why);
	ck_assert_int_eq(state_of(4 * 4096), STATE_STORED);
	ck_assert_int_eq(state_of(5 * 4096), STATE_ABSENT);
	ck_assert_int_eq(dumpfile_state(rig->df, 5 * 4096, 512), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, 5 * 4096 + 511, 2), STATE_ABSENT);
	ck_assert_int_eq(state_of(6 * 4096), STATE_ABSENT);
	ck_range(0, 0, 5 * 4096 + 512);
	ck_range(5 * 4096 + 511, 5 * 4096 + 511, 5 * 4096 + 512);
	ck_range(5 * 4096 + 512, 10 * 4096, 12 * 4096);
}
END_TEST

/* What a file stores it stores, though its place in memory is said to be smaller. */
START_TEST(elf__segment_that_is_larger_in_the_file_is_stored)
{
	set(phdr_at(1) + 40, 8, (uint64_t)_i);
	ck_ok(open_file(), why);
	ck_assert_int_eq(dumpfile_state(rig->df, 0, 9 * 4096), STATE_STORED);
	/* page 9 was in its memory alone */
	ck_assert_int_eq(state_of(9 * 4096), STATE_ABSENT);
	ck_assert_int_eq(state_of(32 * 4096), STATE_STORED);
}
END_TEST

/* The end in memory is then that of the file's bytes, which must be an address. */
START_TEST(elf__contents_beyond_64_bits_are_refused)
{
	set(phdr_at(1) + 24, 8, UINT64_MAX - 4095);
	set(phdr_at(1) + 40, 8, (uint64_t)_i);
	ck_assert(!open_file());
	ck_fault(why, STATE_DAMAGED, "beyond 64 bits");
}
END_TEST

/* Two segments that share a page, the border in its middle, are one range. */
START_TEST(elf__page_of_two_segments_is_stored)
{
	options.segment_per_page = true;
	write_file();
	set(phdr_at(1) + 32, 8, 4096 - 100);
	set(phdr_at(1) + 40, 8, 4096 - 100);
	set(phdr_at(2) + 24, 8, 4096 - 100);
	ck_ok(open_file(), why);
	ck_assert_int_eq(state_of(0), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, 4096, 4096 - 100), STATE_STORED);
	ck_assert_int_eq(state_of(4096), STATE_ABSENT);
	ck_range(0, 0, 2 * 4096 - 100);
}
END_TEST

START_TEST(elf__segments_in_any_order)
{
	uint8_t a[56];
	uint64_t last;

	options.segment_per_page = true;
	write_file();
	last = phdrs() - 1;
	memcpy(a, rig->file.data + phdr_at(1), 56);
	memcpy(rig->file.data + phdr_at(1), rig->file.data + phdr_at(last), 56);
	memcpy(rig->file.data + phdr_at(last), a, 56);
	ck_ok(open_file(), why);
	ck_states_are_as_put();
}
END_TEST

/* /proc/kcore: vmalloc has no physical address. */
START_TEST(elf__segment_without_a_physical_address_is_skipped)
{
	set(phdr_at(1) + 24, 8, UINT64_MAX);
	ck_ok(open_file(), why);
	ck_assert_int_eq(state_of(0), STATE_ABSENT);
	ck_assert_int_eq(state_of(32 * 4096), STATE_STORED);
}
END_TEST

START_TEST(elf__70000_segments_are_read)
{
	physmem_free(&rig->pm);
	physmem_init(&rig->pm, 64, 0);
	for (uint64_t i = 0; i < 70000; i++)
		physmem_set_state(&rig->pm, i * 64,
				  i % 7 == 6 ? STATE_EXCLUDED : STATE_STORED);
	options.segment_per_page = true;
	options.unaligned = true;
	write_file();
	ck_u64_eq(get(56, 2), 0xffff);
	ck_u64_eq(phdrs(), 70001);
	ck_ok(open_file(), why);
	for (uint64_t i = 0; i < 70010; i++)
		if (state_of(i * 64) != put_state(i * 64))
			ck_abort_msg("page %" PRIu64 " is %d", i, state_of(i * 64));
	ck_range(0, 0, 6 * 64);
	ck_range(69999 * 64 - 65, 69999 * 64 - 65, 69999 * 64);
	ck_no_range(69999 * 64);
}
END_TEST

START_TEST(elf__many_segments_without_their_number_are_refused)
{
	static const uint64_t numbers[] = { 0, UINT32_MAX, 1 << 19 };

	set(40, 8, 64);
	set(56, 2, 0xffff);
	set(58, 2, 64);
	set(60, 2, 1);
	set(64 + 44, 4, numbers[_i]);
	ck_assert(!open_file());
	ck_assert_uint_gt(strlen(why.text), 0);
}
END_TEST

START_TEST(elf__cut_anywhere_claims_nothing_that_is_gone)
{
	uint64_t size, contents;

	options.headers_last = false;
	options.unaligned = _i;
	write_file();
	size = rig->file.n;
	contents = phdr_at(phdrs());
	for (uint64_t n = 0; n <= size; n += n < 8192 ? 29 : n < size - 64 ? 397 : 1) {
		if (!open_cut(n))
			continue;
		ck_assert_uint_ge(n, contents);
		ck_no_false_claim(n, "cut");
		ck_assert(dumpfile_facts(rig->df)->cut == (n < size));
		ck_u64_eq(dumpfile_facts(rig->df)->needed, size);
		for (uint64_t phys = 0; phys < 70 * 4096; phys += 4096) {
			enum state is = state_of(phys), was = put_state(phys);

			if (is != was && (is != STATE_CUT || n == size))
				ck_abort_msg("cut at %" PRIu64 ": page %" PRIu64 " is %d", n,
					     phys / 4096, is);
		}
	}
	ck_assert_ptr_nonnull(rig->df);
}
END_TEST

START_TEST(elf__headers_behind_the_end_are_a_cut_file)
{
	options.headers_last = true;
	write_file();
	ck_assert(!open_cut(rig->file.n - 1));
	ck_fault(why, STATE_CUT, "cut");
}
END_TEST

/* Each 2, 4 and 8 bytes of the header and of all program headers, with all damage(). */
START_TEST(elf__damaged_header_claims_nothing_that_is_not_there)
{
	static const unsigned widths[] = { 2, 4, 8 };
	unsigned width = widths[_i], opened = 0;
	size_t end = phdr_at(phdrs());
	char what[64];

	for (size_t at = 0; at < end; at += 2) {
		uint64_t was = get(at, width);

		for (int i = 0; i < DAMAGES; i++) {
			set(at, width, damage(i, was));
			snprintf(what, sizeof(what), "offset %zu, damage %d", at, i);
			if (open_file()) {
				opened++;
				ck_no_false_claim(rig->file.n, what);
			}
			set(at, width, was);
		}
	}
	ck_assert_uint_gt(opened, 100);
}
END_TEST

START_TEST(elf__other_files_are_refused_by_what_they_are)
{
	static const struct { size_t at; uint8_t value; enum state kind; const char *text; }
	other[] = {
		{ EI_CLASS, ELFCLASS32, FAULT_UNSUPPORTED, "64-bit" },
		{ EI_DATA, ELFDATA2MSB, FAULT_UNSUPPORTED, "little endian" },
		{ 16, ET_EXEC, FAULT_UNSUPPORTED, "no core dump" },
		{ 16, ET_DYN, FAULT_UNSUPPORTED, "no core dump" },
		{ 54, 32, STATE_DAMAGED, "program header" },
		{ 56, 0, STATE_DAMAGED, "no program headers" },
	};

	set(other[_i].at, 1, other[_i].value);
	ck_assert(!open_file());
	ck_fault(why, other[_i].kind, other[_i].text);
}
END_TEST

START_TEST(elf__no_vmcoreinfo_is_no_fault)
{
	set(phdr_at(0), 4, PT_NULL);
	ck_ok(open_file(), why);
	ck_assert_ptr_null(dumpfile_facts(rig->df)->vmcoreinfo);
	ck_states_are_as_put();
}
END_TEST

/* A segment that stores nothing may have any offset: the file is not cut. */
START_TEST(elf__offset_of_an_empty_segment_means_nothing)
{
	options.segment_per_page = true;
	write_file();
	for (uint64_t i = 1; i < phdrs(); i++)
		if (!get(phdr_at(i) + 32, 8))
			set(phdr_at(i) + 8, 8, rig->file.n + 4096);
	ck_ok(open_file(), why);
	ck_assert(!dumpfile_facts(rig->df)->cut);
	ck_states_are_as_put();
}
END_TEST

START_TEST(elf__disk_that_fails_is_a_fault)
{
	struct dumpfile_io io;
	unsigned opened = 0;

	for (unsigned n = 1; n < 20; n++) {
		dumpfile_close(rig->df);
		rig->mf = memfile_cut(&rig->file, rig->file.n);
		rig->mf.fail_from = n;
		io = memfile_io(&rig->mf);
		rig->df = dumpfile_open(&io, &why);
		if (!rig->df)
			ck_fault(why, FAULT_IO, "cannot be read");
		opened += !!rig->df;
	}
	ck_assert_uint_gt(opened, 0);
	ck_assert_uint_lt(opened, 19);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup_elf, teardown);
	tcase_add_loop_test(tests, elf__every_page_has_its_state, 0, 8);
	tcase_add_loop_test(tests, elf__facts_are_those_of_the_header, 0, 4);
	tcase_add_test(tests, elf__range_has_the_state_of_its_first_byte_that_is_not_stored);
	tcase_add_test(tests, elf__range_begins_where_it_is_asked_for);
	tcase_add_test(tests, elf__overlapping_segments_are_joined);
	tcase_add_test(tests, elf__copy_behind_the_end_counts);
	tcase_add_test(tests, elf__stored_copy_of_an_excluded_page_is_stored);
	tcase_add_test(tests, elf__segments_need_not_end_at_pages);
	tcase_add_loop_test(tests, elf__segment_that_is_larger_in_the_file_is_stored, 0, 2);
	tcase_add_loop_test(tests, elf__contents_beyond_64_bits_are_refused, 0, 2);
	tcase_add_test(tests, elf__page_of_two_segments_is_stored);
	tcase_add_test(tests, elf__segments_in_any_order);
	tcase_add_test(tests, elf__segment_without_a_physical_address_is_skipped);
	tcase_add_test(tests, elf__70000_segments_are_read);
	tcase_add_loop_test(tests, elf__many_segments_without_their_number_are_refused, 0, 3);
	tcase_add_loop_test(tests, elf__cut_anywhere_claims_nothing_that_is_gone, 0, 2);
	tcase_add_test(tests, elf__headers_behind_the_end_are_a_cut_file);
	tcase_add_loop_test(tests, elf__damaged_header_claims_nothing_that_is_not_there, 0, 3);
	tcase_add_loop_test(tests, elf__other_files_are_refused_by_what_they_are, 0, 6);
	tcase_add_test(tests, elf__no_vmcoreinfo_is_no_fault);
	tcase_add_test(tests, elf__offset_of_an_empty_segment_means_nothing);
	tcase_add_test(tests, elf__disk_that_fails_is_a_fault);
}

int main(void)
{
	return run_suite("elf", add);
}
