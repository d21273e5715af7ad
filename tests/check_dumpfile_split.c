// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/dumpfile_split.c: the parts of one kdump, together, in any order and alone; and files of
 * which pieces were never written.
 */
#include "dumpfile_rig.h"

#include "../fixtures/synth/elf_writer.h"
#include "../fixtures/synth/kdump_writer.h"

enum { PARTS = 4 };

/* Pfns of the parts: the third one is empty. */
static const uint64_t border[PARTS + 1] = { 0, 7, 32, 32, 64 };

static struct bytes part[PARTS];
static struct memfile mf[PARTS];
static struct kdump_options options;

static void write_part(int i, uint64_t start, uint64_t end)
{
	options.split = true;
	options.start_pfn = start;
	options.end_pfn = end;
	part[i].n = 0;
	kdump_write(&rig->pm, &options, &part[i], NULL);
}

static void setup_split(void)
{
	setup();
	memset(part, 0, sizeof(part));
	rig_memory(4096);
	options = (struct kdump_options){
		.machine = "x86_64", .zlib = true, .level = 31, .vmcoreinfo = &rig->vmcoreinfo,
	};
	for (int i = 0; i < PARTS; i++)
		write_part(i, border[i], border[i + 1]);
}

static void teardown_split(void)
{
	for (int i = 0; i < PARTS; i++) {
		ck_assert(!mf[i].outside);
		bytes_free(&part[i]);
	}
	teardown();
}

/* Open the parts with these numbers, in this order. */
static bool open_parts(const int *which, size_t n)
{
	struct dumpfile_io io[8];

	dumpfile_close(rig->df);
	for (size_t i = 0; i < n; i++) {
		mf[which[i]] = memfile_cut(&part[which[i]], part[which[i]].n);
		io[i] = memfile_io(&mf[which[i]]);
	}
	rig->df = dumpfile_open_set(io, n, &why);
	return rig->df;
}

static const int all[] = { 0, 1, 2, 3 };

static void ck_ranges_are_without(uint64_t start, uint64_t end)
{
	bool in[RIG_PAGES];

	take_ranges(in);
	for (uint64_t pfn = 0; pfn < RIG_PAGES; pfn++)
		if (in[pfn] != (put_state(pfn * 4096) == STATE_STORED &&
				(pfn < start || pfn >= end)))
			ck_abort_msg("page %" PRIu64 " is %s", pfn, in[pfn] ? "in a range" : "in none");
}

/* As put, but CUT where the page is in a part that was not given. */
static void ck_states_without(uint64_t start, uint64_t end)
{
	for (uint64_t pfn = 0; pfn < 70; pfn++) {
		enum state is = state_of(pfn * 4096), put = put_state(pfn * 4096);

		if (put == STATE_STORED && pfn >= start && pfn < end)
			put = STATE_CUT;
		if (is != put)
			ck_abort_msg("page %" PRIu64 " is %d, not %d", pfn, is, put);
	}
	ck_ranges_are_without(start, end);
}

START_TEST(split__parts_in_any_order_are_one_dump)
{
	static const int orders[][PARTS] = {
		{ 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 2, 0, 3, 1 }, { 1, 3, 0, 2 },
	};

	ck_ok(open_parts(orders[_i], PARTS), why);
	ck_states_are_as_put();
	ck_ranges_are(1 << STATE_STORED);
	ck_assert_uint_eq(dumpfile_facts(rig->df)->parts, 4);
	ck_assert_uint_eq(dumpfile_facts(rig->df)->empty_parts, 1);
	ck_assert(!dumpfile_facts(rig->df)->gap && !dumpfile_facts(rig->df)->cut);
	ck_u64_eq(dumpfile_block_size(rig->df), 4096);
	/* decoders get them sorted, without the empty one */
	ck_assert_uint_eq(dumpfile_parts(rig->df), 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(orders[_i][dumpfile_part(rig->df, i)], i < 2 ? (int)i : 3);
}
END_TEST

START_TEST(split__range_over_two_parts_is_stored)
{
	ck_ok(open_parts(all, PARTS), why);
	ck_assert_int_eq(dumpfile_state(rig->df, 6 * 4096 + 1, 2 * 4096), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, 0, 9 * 4096), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, 0, 9 * 4096 + 1), STATE_EXCLUDED);
	ck_range(0, 0, 9 * 4096);
	ck_range(6 * 4096 + 1, 6 * 4096 + 1, 9 * 4096);
	ck_range(7 * 4096, 7 * 4096, 9 * 4096);
	ck_range(9 * 4096, 10 * 4096, 12 * 4096);
	ck_range(14 * 4096, 32 * 4096, 33 * 4096);
	ck_no_range(64 * 4096);
}
END_TEST

START_TEST(split__missing_part_is_a_gap)
{
	static const struct { int which[2]; uint64_t start, end; } sets[] = {
		{ { 1, 3 }, 0, 7 }, { { 3, 0 }, 7, 32 }, { { 0, 1 }, 32, 64 },
	};
	const struct memory_facts *f;

	ck_ok(open_parts(sets[_i].which, 2), why);
	ck_states_without(sets[_i].start, sets[_i].end);
	f = dumpfile_facts(rig->df);
	ck_assert(f->gap);
	ck_u64_eq(f->gap_start, sets[_i].start * 4096);
	ck_u64_eq(f->gap_end, sets[_i].end * 4096);
}
END_TEST

START_TEST(split__part_alone_has_its_own_pages)
{
	uint64_t start = border[_i], end = border[_i + 1];

	rig->file.n = 0;
	bytes_put(&rig->file, part[_i].data, part[_i].n);
	ck_ok(open_file(), why);
	for (uint64_t pfn = 0; pfn < 70; pfn++) {
		enum state put = put_state(pfn * 4096);

		if (put == STATE_STORED && (pfn < start || pfn >= end))
			put = STATE_CUT;
		if (state_of(pfn * 4096) != put)
			ck_abort_msg("page %" PRIu64 " is %d", pfn, state_of(pfn * 4096));
	}
	ck_stored_pages_are_in_ranges("part alone");
	if (start == end)
		ck_no_range(0);
	else
		ck_range(0, start * 4096, (_i == 0 ? 7 : _i == 1 ? 9 : 33) * 4096);
	ck_assert(dumpfile_facts(rig->df)->gap);
	ck_assert(!dumpfile_facts(rig->df)->cut);
	ck_assert_uint_eq(dumpfile_facts(rig->df)->parts, 1);
	ck_assert_uint_eq(dumpfile_facts(rig->df)->empty_parts, start == end);
}
END_TEST

START_TEST(split__doubled_part_is_refused)
{
	static const int twice[] = { 0, 1, 1, 3 };
	static const int first_twice[] = { 0, 1, 3, 0 };

	ck_assert(!open_parts(_i ? twice : first_twice, PARTS));
	ck_fault(why, STATE_DAMAGED, "same part");
}
END_TEST

START_TEST(split__overlapping_parts_are_refused)
{
	write_part(1, 6, 32);
	ck_assert(!open_parts(all, PARTS));
	ck_assert_int_eq(why.kind, STATE_DAMAGED);
}
END_TEST

/* The same ranges, but one page more in memory. */
START_TEST(split__part_of_another_dump_is_refused)
{
	if (_i)
		rig_page(50 * 4096, STATE_STORED, 3);
	else
		options.machine = "aarch64";
	write_part(1, 7, 32);
	ck_assert(!open_parts(all, PARTS));
	ck_fault(why, STATE_DAMAGED, "another dump");
}
END_TEST

START_TEST(split__whole_dump_among_parts_is_refused)
{
	options.split = false;
	part[1].n = 0;
	kdump_write(&rig->pm, &options, &part[1], NULL);
	ck_assert(!open_parts(all, PARTS));
	ck_fault(why, FAULT_UNSUPPORTED, "no part");
}
END_TEST

START_TEST(split__elf_among_parts_is_refused)
{
	struct elf_options e = { .vmcoreinfo = &rig->vmcoreinfo };

	part[1].n = 0;
	elf_write(&rig->pm, &e, &part[1]);
	ck_assert(!open_parts(all, PARTS));
	ck_fault(why, FAULT_UNSUPPORTED, "no part");
}
END_TEST

START_TEST(split__cut_part_costs_only_its_own_pages)
{
	part[1].n -= 1;
	ck_ok(open_parts(all, PARTS), why);
	ck_assert(dumpfile_facts(rig->df)->cut);
	ck_u64_eq(dumpfile_facts(rig->df)->size, part[1].n);
	ck_u64_eq(dumpfile_facts(rig->df)->needed, part[1].n + 1);
	for (uint64_t pfn = 0; pfn < 70; pfn++)
		if (state_of(pfn * 4096) != put_state(pfn * 4096)) {
			ck_assert_int_eq(state_of(pfn * 4096), STATE_CUT);
			ck_assert(pfn >= 7 && pfn < 32);
		}
	/* the last page of the part */
	ck_assert_int_eq(state_of(13 * 4096), STATE_CUT);
}
END_TEST

START_TEST(split__absurd_ranges_are_refused)
{
	static const uint64_t ranges[][2] = {
		{ 5, 4 }, { 0, 65 }, { 0, UINT64_MAX }, { UINT64_MAX, UINT64_MAX },
		{ 1000, 1000 },
	};

	write_part(0, ranges[_i][0], ranges[_i][1]);
	ck_assert(!open_parts(all, PARTS));
	ck_assert_int_eq(why.kind, STATE_DAMAGED);
}
END_TEST

START_TEST(split__only_empty_parts_have_no_page)
{
	write_part(0, 64, 64);
	write_part(1, 0, 0);
	ck_ok(open_parts(all, 3), why);
	ck_states_without(0, 64);
	ck_assert_uint_eq(dumpfile_facts(rig->df)->empty_parts, 3);
	ck_assert(dumpfile_facts(rig->df)->gap);
}
END_TEST

START_TEST(split__set_of_one_or_none)
{
	struct bytes *whole = &rig->file;
	struct dumpfile_io io;

	options.split = false;
	kdump_write(&rig->pm, &options, whole, NULL);
	rig->mf = memfile_cut(whole, whole->n);
	io = memfile_io(&rig->mf);
	rig->df = dumpfile_open_set(&io, 1, &why);
	ck_assert_msg(rig->df, "%s", why.text);
	ck_states_are_as_put();
	ck_assert_uint_eq(dumpfile_parts(rig->df), 1);
	ck_assert_uint_eq(dumpfile_part(rig->df, 0), 0);
	ck_assert_ptr_null(dumpfile_open_set(&io, 0, &why));
}
END_TEST

START_TEST(split__key_is_common_to_the_parts_and_to_no_other_file)
{
	uint64_t key = dumpfile_split_key(part[0].data, part[0].n);
	struct bytes other = { 0 };

	ck_assert(key);
	for (int i = 1; i < PARTS; i++)
		ck_u64_eq(dumpfile_split_key(part[i].data, part[i].n), key);
	/* as much as is needed, and a byte less than the part's own sign */
	ck_u64_eq(dumpfile_split_key(part[0].data, 4096 + 16), key);
	ck_u64_eq(dumpfile_split_key(part[0].data, 4096 + 15), 0);
	ck_u64_eq(dumpfile_split_key(part[0].data, 463), 0);
	options.machine = "aarch64";
	kdump_write(&rig->pm, &options, &other, NULL);
	ck_assert(dumpfile_split_key(other.data, other.n));
	ck_assert(dumpfile_split_key(other.data, other.n) != key);
	other.n = 0;
	options.split = false;
	kdump_write(&rig->pm, &options, &other, NULL);
	ck_u64_eq(dumpfile_split_key(other.data, other.n), 0);
	/* block sizes that lead outside of what was read */
	store_u32(part[0].data + 428, UINT32_MAX);
	ck_u64_eq(dumpfile_split_key(part[0].data, 8192), 0);
	bytes_free(&other);
}
END_TEST

/* Pieces that were never written */

static bool open_with_hole(uint64_t at, uint64_t size)
{
	struct dumpfile_io io;

	dumpfile_close(rig->df);
	rig->mf = memfile_cut(&rig->file, rig->file.n);
	rig->mf.hole = at;
	rig->mf.hole_size = size;
	io = memfile_io(&rig->mf);
	rig->df = dumpfile_open(&io, &why);
	return rig->df;
}

/* A hole of one byte in each piece of a kdump's pages in turn. */
START_TEST(hole__page_of_a_kdump_with_a_hole_is_cut)
{
	struct kdump_parts parts;

	options.split = false;
	kdump_write(&rig->pm, &options, &rig->file, &parts);
	for (uint64_t n = 0; n < parts.stored; n++) {
		uint64_t offset = get(parts.descs + n * 24, 8), size = get(parts.descs + n * 24 + 8, 4);
		unsigned cut = 0;

		ck_ok(open_with_hole(offset + size - 1, 1), why);
		for (uint64_t pfn = 0; pfn < 70; pfn++)
			if (state_of(pfn * 4096) != put_state(pfn * 4096)) {
				ck_assert_int_eq(state_of(pfn * 4096), STATE_CUT);
				cut++;
			}
		/* the two pages of zeros share a piece */
		ck_assert_uint_ge(cut, 1);
		ck_assert_uint_le(cut, 2);
	}
}
END_TEST

START_TEST(hole__tables_of_a_kdump_with_a_hole_are_refused_or_cut)
{
	struct kdump_parts parts;

	options.split = false;
	kdump_write(&rig->pm, &options, &rig->file, &parts);
	for (uint64_t at = 0; at < parts.pages; at += at < parts.bitmap1 ? 256 : 8) {
		if (!open_with_hole(at, 8)) {
			ck_assert_int_eq(why.kind, STATE_CUT);
			continue;
		}
		for (uint64_t pfn = 0; pfn < 70; pfn++)
			if (state_of(pfn * 4096) == STATE_STORED)
				ck_assert_int_eq(put_state(pfn * 4096), STATE_STORED);
	}
}
END_TEST

START_TEST(hole__pages_of_an_elf_with_a_hole_are_cut)
{
	struct elf_options e = { .vmcoreinfo = &rig->vmcoreinfo, .unaligned = _i };
	uint64_t data;

	elf_write(&rig->pm, &e, &rig->file);
	data = get(64 + 56 + 8, 8);	/* the first PT_LOAD: pages 0 to 8 */
	ck_ok(open_with_hole(data + 2 * 4096 + 4095, 4098), why);
	for (uint64_t pfn = 0; pfn < 70; pfn++)
		ck_assert_int_eq(state_of(pfn * 4096), pfn >= 2 && pfn <= 4 ? STATE_CUT :
				 put_state(pfn * 4096));
	ck_assert_int_eq(dumpfile_state(rig->df, 2 * 4096, 4095), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, 4 * 4096 + 1, 4095), STATE_STORED);
	ck_range(0, 0, 2 * 4096 + 4095);
	ck_range(2 * 4096 + 4095, 4 * 4096 + 1, 9 * 4096);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup_split, teardown_split);
	tcase_add_loop_test(tests, split__parts_in_any_order_are_one_dump, 0, 4);
	tcase_add_test(tests, split__range_over_two_parts_is_stored);
	tcase_add_loop_test(tests, split__missing_part_is_a_gap, 0, 3);
	tcase_add_loop_test(tests, split__part_alone_has_its_own_pages, 0, 4);
	tcase_add_loop_test(tests, split__doubled_part_is_refused, 0, 2);
	tcase_add_test(tests, split__overlapping_parts_are_refused);
	tcase_add_loop_test(tests, split__part_of_another_dump_is_refused, 0, 2);
	tcase_add_test(tests, split__whole_dump_among_parts_is_refused);
	tcase_add_test(tests, split__elf_among_parts_is_refused);
	tcase_add_test(tests, split__cut_part_costs_only_its_own_pages);
	tcase_add_loop_test(tests, split__absurd_ranges_are_refused, 0, 5);
	tcase_add_test(tests, split__only_empty_parts_have_no_page);
	tcase_add_test(tests, split__set_of_one_or_none);
	tcase_add_test(tests, split__key_is_common_to_the_parts_and_to_no_other_file);
	tcase_add_test(tests, hole__page_of_a_kdump_with_a_hole_is_cut);
	tcase_add_test(tests, hole__tables_of_a_kdump_with_a_hole_are_refused_or_cut);
	tcase_add_loop_test(tests, hole__pages_of_an_elf_with_a_hole_are_cut, 0, 2);
}

int main(void)
{
	return run_suite("split", add);
}
