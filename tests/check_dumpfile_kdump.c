// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/dumpfile_kdump.c: every page's state, in whole, cut and damaged files. What a file holds
 * is also worked out here, slowly, from the format's description.
 */
#include "dumpfile_rig.h"

#include "../core/reduced.h"
#include "../fixtures/synth/kdump_writer.h"
#include "../fixtures/synth/notes_writer.h"

static struct kdump_options options;
static struct kdump_parts parts;

static void write_file(void)
{
	rig->file.n = 0;
	options.vmcoreinfo = &rig->vmcoreinfo;
	kdump_write(&rig->pm, &options, &rig->file, &parts);
}

/* The usual memory, and pages that only a kdump can have. */
static void setup_kdump(void)
{
	setup();
	options = (struct kdump_options){ .machine = "x86_64", .zlib = true, .level = 31 };
	rig_memory(4096);
	rig_page(40 * 4096, STATE_CUT, 9);
	rig_page(41 * 4096, STATE_DAMAGED, 9);
	rig_page(42 * 4096, STATE_STORED, 9);
	write_file();
}

/* The reference: is page @phys in the first @size bytes of the file? By the format alone. */

static bool reference_bit(uint64_t bitmap, uint64_t pfn, uint64_t size)
{
	uint64_t at = bitmap + pfn / 8;

	return at < size && (rig->file.data[at] >> pfn % 8 & 1);
}

static bool reference_desc(uint64_t at, uint64_t size, uint64_t bs)
{
	uint64_t offset, flags;
	uint32_t n;

	if (at > size || size - at < 24)
		return false;
	offset = get(at, 8);
	n = (uint32_t)get(at + 8, 4);
	flags = get(at + 12, 4);
	if (!n || n > bs || (!flags && n != bs))
		return false;
	if (flags && flags != 1 && flags != 2 && flags != 4 && flags != 0x20)
		return false;
	return offset <= size && n <= size - offset;
}

static bool reference_holds(uint64_t phys, uint64_t size)
{
	uint64_t version = get(8, 4), bs = get(428, 4), sub = get(432, 4), maps = get(436, 4);
	uint64_t pages = version >= 6 ? get(bs + 96, 8) : get(440, 4);
	uint64_t bitmap2 = (1 + sub) * bs + maps / 2 * bs;
	uint64_t pfn = phys / bs, number = 0, start = 0, end = pages;

	/* a part of a set has descriptors of its own range alone */
	if (version >= 2 && get(bs + 12, 4)) {
		start = get(bs + (version >= 6 ? 80 : 16), 8);
		end = get(bs + (version >= 6 ? 88 : 24), 8);
	}
	if (pfn >= pages || pfn < start || pfn >= end || !reference_bit(bitmap2, pfn, size))
		return false;
	for (uint64_t i = start; i < pfn; i++)
		number += reference_bit(bitmap2, i, size);
	return reference_desc((1 + sub + maps) * bs + number * 24, size, bs);
}

/* After any damage: what is called stored is in the file. Returns the pages called so. */
static unsigned ck_no_false_claim(uint64_t size, const char *what)
{
	unsigned stored = 0;

	for (uint64_t phys = 0; phys < 70 * 4096; phys += 4096) {
		if (state_of(phys) != STATE_STORED)
			continue;
		stored++;
		if (!reference_holds(phys, size))
			ck_abort_msg("%s: page %" PRIu64 " is called stored", what, phys / 4096);
	}
	/* far away, where damaged headers may lead */
	state_of(UINT64_C(1) << 40);
	state_of(UINT64_MAX - 4095);
	ck_stored_pages_are_in_ranges(what);
	return stored;
}

enum { IN_BITMAP = 1 << STATE_STORED | 1 << STATE_CUT | 1 << STATE_DAMAGED };

START_TEST(kdump__every_page_has_its_state)
{
	options.zlib = _i;
	write_file();
	ck_ok(open_file(), why);
	ck_states_are_as_put();
	ck_assert_uint_eq(ck_no_false_claim(rig->file.n, "whole"), 15);
	ck_ranges_are(IN_BITMAP);
}
END_TEST

START_TEST(kdump__facts_are_those_of_the_header)
{
	const struct memory_facts *f;

	options.level = 17;
	options.zlib = _i;
	write_file();
	ck_ok(open_file(), why);
	f = dumpfile_facts(rig->df);
	ck_assert_str_eq(f->format, _i ? "kdump, zlib" : "kdump, not compressed");
	ck_assert_str_eq(f->machine, "x86_64");
	ck_assert_int_eq(f->level, 17);
	ck_assert(!f->cut && !f->incomplete && !f->live);
	ck_u64_eq(f->size, rig->file.n);
	ck_u64_eq(f->needed, rig->file.n);
	ck_assert_uint_eq(f->vmcoreinfo_len, rig->vmcoreinfo.n);
	ck_assert_mem_eq(f->vmcoreinfo, rig->vmcoreinfo.data, rig->vmcoreinfo.n);
	ck_assert_uint_gt(f->notes_len, 336);
}
END_TEST

START_TEST(kdump__blocks_are_pages_of_any_size)
{
	uint64_t page = UINT64_C(4096) << 2 * _i;

	physmem_free(&rig->pm);
	rig_memory(page);
	write_file();
	ck_ok(open_file(), why);
	ck_states_are_as_put();
	ck_ranges_are(IN_BITMAP);
	/* 4K pieces of a larger page */
	ck_assert_int_eq(dumpfile_state(rig->df, page - 4096, 4096), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, page * 9 + page - 4096, 4096), STATE_EXCLUDED);
}
END_TEST

START_TEST(kdump__range_has_the_state_of_its_first_page_that_is_not_stored)
{
	ck_ok(open_file(), why);
	ck_assert_int_eq(dumpfile_state(rig->df, 0, 9 * 4096), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, 0, 9 * 4096 + 1), STATE_EXCLUDED);
	ck_assert_int_eq(dumpfile_state(rig->df, 8 * 4096 + 4095, 2), STATE_EXCLUDED);
	ck_assert_int_eq(dumpfile_state(rig->df, 8 * 4096 + 4095, 1), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, 10 * 4096, 4 * 4096), STATE_ABSENT);
	ck_assert_int_eq(dumpfile_state(rig->df, 0, 0), STATE_ABSENT);
	ck_assert_int_eq(dumpfile_state(rig->df, UINT64_MAX, 1), STATE_ABSENT);
	ck_assert_int_eq(dumpfile_state(rig->df, UINT64_MAX, 2), STATE_ABSENT);
	ck_assert_int_eq(dumpfile_state(rig->df, 64 * 4096, 4096), STATE_ABSENT);
}
END_TEST

START_TEST(kdump__range_begins_where_it_is_asked_for)
{
	ck_ok(open_file(), why);
	ck_range(0, 0, 9 * 4096);
	ck_range(3 * 4096, 3 * 4096, 9 * 4096);
	ck_range(3 * 4096 + 100, 3 * 4096 + 100, 9 * 4096);
	ck_range(9 * 4096 - 1, 9 * 4096 - 1, 9 * 4096);
	ck_range(9 * 4096, 10 * 4096, 12 * 4096);
	ck_range(9 * 4096 + 1, 10 * 4096, 12 * 4096);
	/* cut, damaged, stored */
	ck_range(33 * 4096, 40 * 4096, 43 * 4096);
	ck_range(43 * 4096, 63 * 4096, 64 * 4096);
	ck_no_range(64 * 4096);
	ck_no_range(UINT64_C(1) << 52);
	ck_no_range(UINT64_MAX);
}
END_TEST

/* The page at 0x3000 had only its first 100 bytes in the dump it was made from, 0x8000 its last. */
START_TEST(kdump__ranges_of_a_reduced_dump_are_those_of_its_original)
{
	const char text[] = "FORMAT=ELF\nLEVEL=-1\nPIECE0=0x3000 4096 0 100 cut\n"
			    "PIECE1=0x8000 4096 4000 4096 absent\n";
	uint64_t at = rig->file.n;

	note_write(&rig->file, REDUCED_NAME, REDUCED_NOTE, text, sizeof(text) - 1);
	set(4096 + 48, 8, at);
	set(4096 + 56, 8, rig->file.n - at);
	ck_ok(open_file(), why);
	ck_assert(dumpfile_facts(rig->df)->reduced);
	ck_range(0, 0, 0x3000 + 100);
	ck_range(0x3000 + 100, 0x4000, 0x8000);
	ck_range(0x3000 + 50, 0x3000 + 50, 0x3000 + 100);
	ck_range(0x8000, 0x8000 + 4000, 0x9000);
	ck_range(0x8000 + 4001, 0x8000 + 4001, 0x9000);
	ck_range(0x9000, 0xa000, 0xc000);
}
END_TEST

/* Bits of the last byte behind max_mapnr are set in some files. */
START_TEST(kdump__bits_behind_the_last_page_do_not_count)
{
	if (_i) {	/* the last byte has pages too */
		rig_page(66 * 4096, STATE_STORED, 8);
		write_file();
		set(parts.bitmap2 + 8, 1, 0xfc);
		set(parts.bitmap1 + 8, 1, 0xfc);
		ck_ok(open_file(), why);
		ck_states_are_as_put();
		ck_ranges_are(IN_BITMAP);
		return;
	}
	set(parts.bitmap2 + 8, 8, UINT64_MAX);
	set(parts.bitmap1 + 8, 8, UINT64_MAX);
	ck_ok(open_file(), why);
	ck_states_are_as_put();
	ck_ranges_are(IN_BITMAP);
}
END_TEST

/* More pages than one piece of the index holds, and pages on both sides of its border. */
START_TEST(kdump__index_counts_across_its_pieces)
{
	uint64_t border = UINT64_C(4096) * 8 * 4096;

	for (uint64_t i = 0; i < 6; i++) {
		rig_page(border - 3 * 4096 + i * 4096, STATE_STORED, (uint8_t)(100 + i));
		rig_page(2 * border + i * 8192, STATE_STORED, (uint8_t)(120 + i));
	}
	write_file();
	/* the last page's descriptor is the last one: damage it alone */
	set(parts.descs + (parts.stored - 1) * 24 + 8, 4, 0);
	ck_ok(open_file(), why);
	ck_states_are_as_put();
	for (uint64_t i = 0; i < 6; i++) {
		ck_assert_int_eq(state_of(border - 3 * 4096 + i * 4096), STATE_STORED);
		ck_assert_int_eq(state_of(2 * border + i * 8192),
				 i < 5 ? STATE_STORED : STATE_DAMAGED);
		ck_assert_int_eq(state_of(2 * border + i * 8192 + 4096), STATE_ABSENT);
	}
}
END_TEST

/* A piece of the index that is full, one that is empty, and one with a page on each side. */
START_TEST(kdump__ranges_go_across_pieces_of_the_index)
{
	const uint64_t border = UINT64_C(4096) * 8 * 4096;

	rig_page(border - 4096, STATE_STORED, 1);
	rig_page(2 * border, STATE_STORED, 1);
	rig_page(2 * border + 66 * 4096, STATE_STORED, 1);
	rig_page(4 * border + 7 * 4096, STATE_STORED, 1);
	write_file();
	ck_ok(open_file(), why);
	ck_range(64 * 4096, border - 4096, border);
	ck_range(border, 2 * border, 2 * border + 4096);
	/* from here on there are more bits than descriptors: those pages are cut */
	for (uint64_t i = 0; i < 4096; i += 8)
		set(parts.bitmap2 + 4096 + i, 8, UINT64_MAX);
	ck_ok(open_file(), why);
	ck_range(64 * 4096, border - 4096, 2 * border + 4096);
	ck_range(border + 4096, border + 4096, 2 * border + 4096);
	ck_range(2 * border + 4096, 2 * border + 66 * 4096, 2 * border + 67 * 4096);
	ck_range(2 * border + 67 * 4096, 4 * border + 7 * 4096, 4 * border + 8 * 4096);
	ck_no_range(4 * border + 8 * 4096);
}
END_TEST

START_TEST(kdump__cut_anywhere_claims_nothing_that_is_gone)
{
	uint64_t size = rig->file.n;

	for (uint64_t n = 0; n <= size; n += n + 200 < parts.bitmap1 ? 37 : n < size - 64 ? 61 : 1) {
		if (!open_cut(n)) {
			ck_assert_msg(n < parts.descs, "cut at %" PRIu64 ": %s", n, why.text);
			continue;
		}
		ck_assert_uint_ge(n, parts.descs);
		ck_no_false_claim(n, "cut");
		ck_assert(dumpfile_facts(rig->df)->cut == (n < size));
		for (uint64_t phys = 0; phys < 70 * 4096; phys += 4096) {
			enum state is = state_of(phys), was = put_state(phys);

			/* a page is as it was, or its bytes are behind the end */
			if (is != was && (is != STATE_CUT || n == size))
				ck_abort_msg("cut at %" PRIu64 ": page %" PRIu64 " is %d", n,
					     phys / 4096, is);
		}
	}
}
END_TEST

START_TEST(kdump__cut_file_says_how_much_is_missing)
{
	ck_ok(open_cut(rig->file.n - 1), why);
	ck_u64_eq(dumpfile_facts(rig->df)->size, rig->file.n - 1);
	ck_u64_eq(dumpfile_facts(rig->df)->needed, rig->file.n);
	/* the page that was written last */
	ck_assert_int_eq(state_of(63 * 4096), STATE_CUT);
	ck_assert_int_eq(state_of(32 * 4096), STATE_STORED);
}
END_TEST

START_TEST(kdump__incomplete_dump_says_so)
{
	options.incomplete = true;
	write_file();
	ck_ok(open_file(), why);
	ck_assert(dumpfile_facts(rig->df)->incomplete);
	ck_assert_int_eq(state_of(40 * 4096), STATE_CUT);
}
END_TEST

/* Each 4 and 8 bytes of both headers, with all values of damage(). */
START_TEST(kdump__damaged_header_claims_nothing_that_is_not_there)
{
	unsigned width = _i ? 8 : 4, opened = 0;
	char what[64];

	for (size_t at = 0; at < 4096 + 104; at += at == 464 ? 4096 - 464 : 4) {
		uint64_t was = get(at, width);

		/* names of the system: no numbers */
		if (at >= 16 && at < 400)
			continue;
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

/* Descriptor of page 3, the fourth: what is wrong with it, and what its page is then. */
START_TEST(kdump__damaged_descriptor_is_not_stored)
{
	const uint64_t size = rig->file.n;
	const struct { unsigned at, width; uint64_t value; enum state state; } broken[] = {
		{ 0, 8, 0, STATE_DAMAGED }, { 0, 8, 4096, STATE_DAMAGED },
		{ 0, 8, parts.pages - 1, STATE_DAMAGED }, { 0, 8, size, STATE_CUT },
		{ 0, 8, size - 1, STATE_CUT }, { 0, 8, UINT64_MAX, STATE_DAMAGED },
		{ 0, 8, UINT64_MAX - 4095, STATE_CUT }, { 0, 8, UINT64_C(1) << 62, STATE_CUT },
		{ 8, 4, 0, STATE_DAMAGED }, { 8, 4, 4097, STATE_DAMAGED },
		{ 8, 4, UINT32_MAX, STATE_DAMAGED },
		{ 12, 4, 0, STATE_DAMAGED /* raw, but not of a page's size */ },
		{ 12, 4, 3, STATE_DAMAGED }, { 12, 4, 8, STATE_DAMAGED },
		{ 12, 4, 0x40, STATE_DAMAGED }, { 12, 4, UINT32_MAX, STATE_DAMAGED },
		{ 12, 4, 0x10001, STATE_DAMAGED },
	};

	set(parts.descs + 3 * 24 + broken[_i].at, broken[_i].width, broken[_i].value);
	ck_ok(open_file(), why);
	ck_assert_int_eq(state_of(3 * 4096), broken[_i].state);
	/* and no other page suffers */
	for (uint64_t phys = 0; phys < 70 * 4096; phys += 4096)
		if (phys != 3 * 4096)
			ck_assert_int_eq(state_of(phys), put_state(phys));
}
END_TEST

/* A bitmap of one block has room for 4096 * 8 pages. */
START_TEST(kdump__bitmaps_must_cover_the_memory)
{
	set(4096 + 96, 8, 4096 * 8);
	ck_ok(open_file(), why);
	ck_states_are_as_put();
	set(4096 + 96, 8, 4096 * 8 + 1);
	ck_assert(!open_file());
	ck_fault(why, STATE_DAMAGED, "bitmaps");
}
END_TEST

START_TEST(kdump__codecs_that_are_known_are_stored)
{
	static const uint32_t flags[] = { 1, 2, 4, 0x20 };

	set(parts.descs + 3 * 24 + 12, 4, flags[_i]);
	ck_ok(open_file(), why);
	ck_assert_int_eq(state_of(3 * 4096), STATE_STORED);
}
END_TEST

/* Before version 6 the number of pages is the one in the first header. */
START_TEST(kdump__older_versions_count_pages_in_32_bits)
{
	set(8, 4, (uint64_t)_i);
	set(4096 + 96, 8, 1);
	ck_ok(open_file(), why);
	ck_states_are_as_put();
	ck_assert(!dumpfile_facts(rig->df)->vmcoreinfo == (_i < 3));
}
END_TEST

START_TEST(kdump__version_that_is_not_known_is_refused)
{
	static const uint32_t versions[] = { 0, 7, 100, UINT32_MAX };

	set(8, 4, versions[_i]);
	ck_assert(!open_file());
	ck_fault(why, FAULT_UNSUPPORTED, "version");
}
END_TEST

START_TEST(kdump__vmcoreinfo_is_found_without_notes)
{
	set(4096 + 48, 8, 0);
	set(4096 + 56, 8, 0);
	ck_ok(open_file(), why);
	ck_assert_uint_eq(dumpfile_facts(rig->df)->vmcoreinfo_len, rig->vmcoreinfo.n);
	ck_assert_mem_eq(dumpfile_facts(rig->df)->vmcoreinfo, rig->vmcoreinfo.data,
			 rig->vmcoreinfo.n);
	ck_states_are_as_put();
}
END_TEST

START_TEST(kdump__no_vmcoreinfo_at_all_is_no_fault)
{
	set(4096 + 32, 8, 0);
	set(4096 + 48, 8, 0);
	ck_ok(open_file(), why);
	ck_assert_ptr_null(dumpfile_facts(rig->df)->vmcoreinfo);
	ck_assert_ptr_null(dumpfile_facts(rig->df)->notes);
	ck_states_are_as_put();
}
END_TEST

START_TEST(kdump__machine_that_is_not_known_is_not_said)
{
	static const char *const names[] = { "Unknown", "", "x86_64x", "m68k" };

	options.machine = names[_i];
	write_file();
	ck_ok(open_file(), why);
	ck_assert_ptr_null(dumpfile_facts(rig->df)->machine);
}
END_TEST

START_TEST(kdump__disk_that_fails_is_a_fault_not_a_claim)
{
	struct dumpfile_io io;
	unsigned n, opened = 0;

	for (n = 1; n < 200; n++) {
		dumpfile_close(rig->df);
		rig->mf = memfile_cut(&rig->file, rig->file.n);
		rig->mf.fail_from = n;
		io = memfile_io(&rig->mf);
		rig->df = dumpfile_open(&io, &why);
		if (!rig->df) {
			ck_fault(why, FAULT_IO, "cannot be read");
			continue;
		}
		opened++;
		ck_no_false_claim(rig->file.n, "I/O");
	}
	ck_assert_uint_gt(opened, 0);
	ck_assert_uint_lt(opened, 199);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup_kdump, teardown);
	tcase_add_loop_test(tests, kdump__every_page_has_its_state, 0, 2);
	tcase_add_loop_test(tests, kdump__facts_are_those_of_the_header, 0, 2);
	tcase_add_loop_test(tests, kdump__blocks_are_pages_of_any_size, 0, 3);
	tcase_add_test(tests, kdump__range_has_the_state_of_its_first_page_that_is_not_stored);
	tcase_add_test(tests, kdump__range_begins_where_it_is_asked_for);
	tcase_add_test(tests, kdump__ranges_of_a_reduced_dump_are_those_of_its_original);
	tcase_add_loop_test(tests, kdump__bits_behind_the_last_page_do_not_count, 0, 2);
	tcase_add_test(tests, kdump__index_counts_across_its_pieces);
	tcase_add_test(tests, kdump__ranges_go_across_pieces_of_the_index);
	tcase_add_test(tests, kdump__cut_anywhere_claims_nothing_that_is_gone);
	tcase_add_test(tests, kdump__cut_file_says_how_much_is_missing);
	tcase_add_test(tests, kdump__incomplete_dump_says_so);
	tcase_add_loop_test(tests, kdump__damaged_header_claims_nothing_that_is_not_there, 0, 2);
	tcase_add_loop_test(tests, kdump__damaged_descriptor_is_not_stored, 0, 17);
	tcase_add_test(tests, kdump__bitmaps_must_cover_the_memory);
	tcase_add_loop_test(tests, kdump__codecs_that_are_known_are_stored, 0, 4);
	tcase_add_loop_test(tests, kdump__older_versions_count_pages_in_32_bits, 1, 6);
	tcase_add_loop_test(tests, kdump__version_that_is_not_known_is_refused, 0, 4);
	tcase_add_test(tests, kdump__vmcoreinfo_is_found_without_notes);
	tcase_add_test(tests, kdump__no_vmcoreinfo_at_all_is_no_fault);
	tcase_add_loop_test(tests, kdump__machine_that_is_not_known_is_not_said, 0, 4);
	tcase_add_test(tests, kdump__disk_that_fails_is_a_fault_not_a_claim);
}

int main(void)
{
	return run_suite("kdump", add);
}
