// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/report.c: which arenas an ARGUMENT means, what is a problem of the run, and who can stop
 * it.
 */
#include "arena_rig.h"

#include "../core/report.h"

/* Which arenas (design.md §4) */

static struct arena_snapshot scx(void)
{
	return (struct arena_snapshot){
		.id = 23, .name = "scx_arena", .map = UINT64_C(0xffff8e8402a11000),
		.user_vm_start = UINT64_C(1) << 44, .user_vm_end = (UINT64_C(1) << 44) + 0x4000,
		.area = { UINT64_C(0xffffc90000000000), GIB4 + 0x11000, 0x8000 },
		.kern_vm_start = UINT64_C(0xffffc90000008000),
	};
}

START_TEST(report__argument_means_the_arena_or_not)
{
	static const struct { const char *arg; bool yes; } args[] = {
		/* digits: an id, and a hexadecimal address too */
		{ "23", true }, { "023", true }, { "24", false }, { "35", false },
		{ "100000000000", true }, { "100000003fff", true }, { "100000004000", false },
		{ "4294967319", false },	/* 23 + (1 << 32) */
		{ "99999999999999999999999999", false },
		/* 0x: never an id, never a name */
		{ "0x17", false }, { "0x23", false }, { "0x100000000000", true },
		{ "0X100000000fff", true }, { "0xfffffffffff", false },
		{ "0xffff8e8402a11000", true }, { "0xFFFF8E8402A11000", true },
		{ "0xffff8e8402a11001", false },
		{ "0xffffc90000000000", true }, { "0xffffc90000008000", true },
		{ "0xffffc90100010fff", true }, { "0xffffc90100011000", false },
		{ "0xffffc8ffffffffff", false },
		{ "0x", false }, { "0x0x100000000000", false }, { "0x-1", false },
		{ "0x 100000000000", false }, { "0x100000000000 ", false },
		{ "0x1ffff8e8402a11000", false },
		/* hexadecimal with letters */
		{ "ffff8e8402a11000", true }, { "ffffc90000000000", true }, { "abc", false },
		/* names */
		{ "scx_arena", true }, { "SCX_ARENA", false }, { "scx_aren", false },
		{ "scx_arena2", false }, { "name:scx_arena", true }, { "name:23", false },
		{ "name:", false }, { "", false }, { " 23", false }, { "+23", false },
		{ "-23", false }, { "23 ", false },
	};
	const struct arena_snapshot is = scx();

	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++)
		ck_assert_msg(arena_matches(&is, args[i].arg) == args[i].yes, "'%s'",
			      args[i].arg);
}
END_TEST

START_TEST(report__names_that_look_like_numbers)
{
	struct arena_snapshot is = scx();

	/* digits are never a name, unless it is said */
	strcpy(is.name, "77");
	ck_assert(!arena_matches(&is, "77"));
	ck_assert(arena_matches(&is, "name:77"));
	strcpy(is.name, "beef");
	ck_assert(arena_matches(&is, "beef"));
	strcpy(is.name, "0x77");
	ck_assert(!arena_matches(&is, "0x77"));
	ck_assert(arena_matches(&is, "name:0x77"));
	is.name[0] = '\0';
	ck_assert(arena_matches(&is, "name:"));
	ck_assert(!arena_matches(&is, ""));
}
END_TEST

START_TEST(report__what_is_not_known_matches_no_address)
{
	struct arena_snapshot is = scx();

	is.user_vm_start = 0;
	ck_assert(!arena_matches(&is, "0x1000"));
	is.kern_vm_start = is.area.addr = 0;
	ck_assert(!arena_matches(&is, "0xffffc90000008000"));
	ck_assert(arena_matches(&is, "23"));
	ck_assert(arena_matches(&is, "0xffff8e8402a11000"));
}
END_TEST

/* Runs */

struct witness {
	struct renderer renderer;
	unsigned begun, arenas, ended, stop_at;	/* stop_at: answer false to the n-th arena */
	bool no_begin;
	uint32_t id[16];
	uint64_t pages;
	enum report_status status;
};

static struct witness w[2];
static struct report_result result;
static const char *args[8];
static struct report_options options;

static bool on_begin(struct renderer *r, const struct kernel *of,
		     const struct report_result *so_far)
{
	struct witness *is = (struct witness *)r;

	ck_assert_ptr_eq(so_far, &result);
	ck_assert_ptr_eq(of, k);
	is->begun++;
	return !is->no_begin;
}

static bool on_arena(struct renderer *r, const struct kernel *of,
		     const struct arena_snapshot *shown, struct report_result *so_far)
{
	struct witness *is = (struct witness *)r;

	ck_assert_ptr_eq(of, k);
	ck_assert_ptr_eq(so_far, &result);
	ck_assert_uint_lt(is->arenas, 16);
	is->id[is->arenas++] = shown->id;
	is->pages += shown->n_pages;
	return is->arenas != is->stop_at;
}

static bool on_end(struct renderer *r, const struct kernel *of,
		   const struct report_result *all)
{
	struct witness *is = (struct witness *)r;

	ck_assert_ptr_eq(of, k);
	is->ended++;
	is->status = all->status;
	return true;
}

static void report_setup_renderers(void)
{
	for (int i = 0; i < 2; i++)
		w[i] = (struct witness){ .renderer = { on_begin, on_arena, on_end } };
}

static void report_setup(void)
{
	setup();
	report_setup_renderers();
	options = (struct report_options){ .select = args };
	result = (struct report_result){ .status = REPORT_FAILED };
}

static void report_teardown(void)
{
	report_free(&result);
	teardown();
}

static bool run(void)
{
	struct renderer *const both[] = { &w[0].renderer, &w[1].renderer };

	return report_run(k, &options, both, 2, &result, &why);
}

static void populate(void)
{
	init("x86_64-7.3");
	example_populate(&m);
}

static void ask(const char *arg)
{
	args[options.n_select++] = arg;
}

static void ck_shown(size_t n, const uint32_t *ids)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(w[i].begun, 1);
		ck_assert_uint_eq(w[i].ended, 1);
		ck_assert_uint_eq(w[i].arenas, n);
		for (size_t at = 0; at < n; at++)
			ck_assert_uint_eq(w[i].id[at], ids[at]);
		ck_assert_int_eq(w[i].status, result.status);
	}
}

static void ck_status(enum report_status status, size_t n_problems)
{
	ck_assert_int_eq(result.status, status);
	ck_assert_msg(result.problems.n == n_problems, "%zu problems, the first: %s",
		      result.problems.n, result.problems.n ?
		      result.problems.problem[0].why.text : "");
}

START_TEST(report__all_arenas_are_shown_to_all_renderers)
{
	populate();
	open_kernel();
	ck_ok(run(), why);
	ck_shown(4, (const uint32_t[]){ 6, 9, 23, 31 });
	ck_status(REPORT_COMPLETE, 0);
	ck_assert_uint_eq(result.search.maps, 11);
	ck_assert_uint_eq(result.found, 4);
	ck_assert_uint_eq(w[0].pages, 44);
}
END_TEST

START_TEST(report__those_that_were_asked_for_are_shown_once)
{
	populate();
	open_kernel();
	ask("9");
	ask("name:arena");
	ask("100000000000");
	ck_ok(run(), why);
	ck_shown(2, (const uint32_t[]){ 9, 23 });
	ck_status(REPORT_COMPLETE, 0);
	ck_assert_uint_eq(result.found, 4);
}
END_TEST

START_TEST(report__argument_without_a_match_is_a_problem)
{
	populate();
	open_kernel();
	ask("9");
	ask("nobody");
	ask("77");
	ck_ok(run(), why);
	ck_shown(1, (const uint32_t[]){ 9 });
	ck_status(REPORT_PARTIAL, 2);
	ck_fault(result.problems.problem[0].why, STATE_ABSENT, "no arena matches 'nobody'");
	ck_fault(result.problems.problem[1].why, STATE_ABSENT, "no arena matches '77'");
}
END_TEST

START_TEST(report__limit_of_the_user_is_no_error)
{
	populate();
	open_kernel();
	options.max_pages = 5;
	ck_ok(run(), why);
	ck_shown(4, (const uint32_t[]){ 6, 9, 23, 31 });
	ck_assert_uint_eq(w[0].pages, 15);
	ck_status(REPORT_COMPLETE, 0);
}
END_TEST

START_TEST(report__kernel_without_arenas_is_a_complete_answer)
{
	init("x86_64");
	m.no_btf_arena = m.no_ops_symbol = true;
	open_kernel();
	ck_ok(run(), why);
	ck_shown(0, NULL);
	ck_status(REPORT_COMPLETE, 0);
	ck_assert_uint_eq(result.found, 0);
}
END_TEST

/* The last-level table of the pages of @id from @pgoff on. */
static void lose_table(uint32_t id, uint64_t pgoff, enum state state)
{
	uint64_t va = machine_page_address(&m, made(id), pgoff);

	physmem_set_state(&m.pm, tables_entry(&m.t, va, m.t.c.page_shift), state);
}

/* Pages of arena 31, the last one, that the table of its pgoff 0 is about. */
static uint64_t pages_of_last_table(void)
{
	const struct machine_arena *last = made(31);
	uint64_t table = machine_page_address(&m, last, 0) & ~UINT64_C(0x1fffff);
	uint64_t n = (last->area + last->area_size - table) / 4096;

	return n < 512 ? n : 512;
}

/* Two pages of arena 23 that lie more than a table apart, and away from its neighbours. */
enum { ONE = 65535, OTHER = 65535 - 900 };

START_TEST(report__each_reason_of_an_arena_is_one_error)
{
	char text[64];

	populate();
	open_kernel();
	ck_assert_uint_eq(made(23)->spec.max_entries, 65536);
	lose_table(23, ONE, STATE_EXCLUDED);
	lose_table(23, OTHER, STATE_EXCLUDED);
	lose_table(31, 0, STATE_CUT);
	ck_ok(run(), why);
	ck_shown(4, (const uint32_t[]){ 6, 9, 23, 31 });
	ck_status(REPORT_PARTIAL, 2);
	ck_fault(result.problems.problem[0].why, STATE_EXCLUDED,
		 "arena 23: whether 1024 pages are mapped is not known: ");
	ck_assert_uint_eq(result.problems.problem[0].arena, 23);
	ck_u64_eq(result.problems.problem[0].map, made(23)->map);
	snprintf(text, sizeof(text), "arena 31: whether %" PRIu64 " pages are mapped",
		 pages_of_last_table());
	ck_fault(result.problems.problem[1].why, STATE_CUT, text);
}
END_TEST

START_TEST(report__tables_left_out_of_an_elf_dump_are_one_error)
{
	char text[64];

	populate();
	open_kernel();
	mem.facts.format = "ELF";
	lose_table(23, ONE, STATE_EXCLUDED);
	lose_table(23, OTHER, STATE_CUT);
	lose_table(31, 0, STATE_EXCLUDED);
	ck_ok(run(), why);
	ck_status(REPORT_PARTIAL, 2);
	/* what is cut is cut in ELF, too */
	ck_fault(result.problems.problem[0].why, STATE_CUT, "arena 23: whether 512 pages");
	ck_fault(result.problems.problem[1].why, STATE_EXCLUDED,
		 "2 arenas: page tables are left out of this ELF dump");
	snprintf(text, sizeof(text), "whether %" PRIu64 " pages are mapped",
		 512 + pages_of_last_table());
	ck_fault(result.problems.problem[1].why, STATE_EXCLUDED, text);
	ck_assert(!result.problems.problem[1].has_arena);
}
END_TEST

START_TEST(report__arena_without_a_window_has_one_error)
{
	populate();
	open_kernel();
	physmem_set_state(&m.pm, made(9)->vm_phys, STATE_EXCLUDED);
	ck_ok(run(), why);
	ck_status(REPORT_COMPLETE, 0);	/* the vmap_area has it, too */
	report_free(&result);
	report_setup_renderers();
	physmem_set_state(&m.pm, vmap_area_of(9), STATE_EXCLUDED);
	ck_ok(run(), why);
	ck_shown(4, (const uint32_t[]){ 6, 9, 23, 31 });
	ck_status(REPORT_PARTIAL, 1);
	ck_fault(result.problems.problem[0].why, STATE_EXCLUDED, "its pages are not known");
}
END_TEST

START_TEST(report__problems_of_arenas_that_were_not_asked_for_are_not_told)
{
	populate();
	open_kernel();
	physmem_set_state(&m.pm, made(9)->vm_phys, STATE_EXCLUDED);
	physmem_set_state(&m.pm, vmap_area_of(9), STATE_EXCLUDED);
	ask("23");
	ck_ok(run(), why);
	ck_shown(1, (const uint32_t[]){ 23 });
	ck_status(REPORT_COMPLETE, 0);
}
END_TEST

/* Its arenas are found by other ways. */
START_TEST(report__no_map_idr_is_a_part_of_the_answer)
{
	populate();
	open_kernel();
	mem.facts.incomplete = true;
	physmem_set_state(&m.pm, machine_phys(&m, m.map_idr), STATE_EXCLUDED);
	ck_ok(run(), why);
	ck_assert_int_eq(result.status, REPORT_PARTIAL);
	ck_assert_uint_eq(w[0].begun + w[0].ended + w[1].begun + w[1].ended, 4);
	/* what is wrong with the file comes first */
	ck_assert_uint_ge(result.problems.n, 2);
	ck_assert_ptr_nonnull(strstr(result.problems.problem[0].why.text, "incomplete"));
	ck_fault(result.problems.problem[1].why, STATE_EXCLUDED, "map_idr: all maps are lost");
}
END_TEST

/* Stop */

START_TEST(report__renderer_that_says_stop_ends_the_run)
{
	populate();
	open_kernel();
	w[_i].stop_at = 2;
	ask("nobody");
	ask("6");
	ask("9");
	ask("23");
	ck_ok(run(), why);
	/* those behind it are not shown the arena any more */
	ck_assert_uint_eq(w[0].arenas, 2);
	ck_assert_uint_eq(w[1].arenas, _i ? 2 : 1);
	ck_assert_uint_eq(w[0].ended, 1);
	/* and what was not looked at is not said to be missing */
	ck_status(REPORT_COMPLETE, 0);
}
END_TEST

START_TEST(report__renderer_that_cannot_begin_ends_the_run)
{
	populate();
	open_kernel();
	w[0].no_begin = true;
	ck_ok(run(), why);
	ck_assert_uint_eq(w[0].begun, 1);
	ck_assert_uint_eq(w[1].begun, 0);
	ck_assert_uint_eq(w[0].arenas + w[0].ended, 0);
}
END_TEST

/* At each call of progress in turn. */
START_TEST(report__user_can_stop_at_any_time)
{
	unsigned total;

	populate();
	open_kernel();
	m.pm.progress = 0;
	ck_ok(run(), why);
	total = m.pm.progress;
	ck_assert_uint_ge(total, 4);
	for (unsigned n = 1; n < total; n++) {
		report_free(&result);
		m.pm.progress = 0;
		m.pm.stop_after = n;
		w[0].arenas = w[1].arenas = 0;
		ck_ok(run(), why);
		ck_assert(result.interrupted);
		ck_assert_int_eq(result.status, REPORT_PARTIAL);
		ck_assert_uint_lt(w[0].arenas, 4);
		ck_fault(result.problems.problem[result.problems.n - 1].why, FAULT_LIMIT,
			 "interrupted while ");
	}
}
END_TEST

START_TEST(report__stopped_before_the_first_arena_is_no_answer)
{
	populate();
	open_kernel();
	m.pm.stop_after = m.pm.progress;
	if (!m.pm.stop_after)
		m.pm.stop_after = m.pm.progress = 1;
	ck_assert(!run());
	ck_fault(why, FAULT_LIMIT, "interrupted while looking for arenas");
	ck_assert_int_eq(result.status, REPORT_FAILED);
}
END_TEST

/* The file */

START_TEST(report__what_is_wrong_with_the_file_is_told)
{
	struct memory_facts facts = { .size = 1000, .needed = 1000 };

	report_file(&facts, &problems);
	ck_assert_uint_eq(problems.n, 0);
	facts = (struct memory_facts){
		.size = 900, .needed = 1000, .cut = true, .incomplete = true, .gap = true,
		.gap_start = 0x4000, .gap_end = 0x8000,
	};
	report_file(&facts, &problems);
	ck_assert_uint_eq(problems.n, 3);
	ck_fault(problems.problem[0].why, STATE_CUT, "it has 900 bytes of 1000");
	ck_assert_int_eq(problems.problem[0].why.space, SPACE_FILE);
	ck_u64_eq(problems.problem[0].why.addr, 900);
	/* the last byte that is missing, not the first that is there */
	ck_fault(problems.problem[1].why, STATE_CUT, "0x4000 to 0x7fff");
	ck_assert_int_eq(problems.problem[1].why.space, SPACE_PHYS);
	ck_u64_eq(problems.problem[1].why.addr, 0x4000);
	ck_fault(problems.problem[2].why, STATE_CUT, "marked incomplete");
	ck_assert_int_eq(problems.problem[2].why.space, SPACE_NONE);
}
END_TEST

/* Its size and what it needs are not of the same file then. */
START_TEST(report__flattened_dump_without_its_end_is_told_once)
{
	const struct memory_facts facts = {
		.size = 900, .needed = 1000, .cut = true, .unended = true,
	};

	report_file(&facts, &problems);
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_CUT, "no end mark");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, report_setup, report_teardown);
	tcase_add_test(tests, report__argument_means_the_arena_or_not);
	tcase_add_test(tests, report__names_that_look_like_numbers);
	tcase_add_test(tests, report__what_is_not_known_matches_no_address);
	tcase_add_test(tests, report__all_arenas_are_shown_to_all_renderers);
	tcase_add_test(tests, report__those_that_were_asked_for_are_shown_once);
	tcase_add_test(tests, report__argument_without_a_match_is_a_problem);
	tcase_add_test(tests, report__limit_of_the_user_is_no_error);
	tcase_add_test(tests, report__kernel_without_arenas_is_a_complete_answer);
	tcase_add_test(tests, report__each_reason_of_an_arena_is_one_error);
	tcase_add_test(tests, report__tables_left_out_of_an_elf_dump_are_one_error);
	tcase_add_test(tests, report__arena_without_a_window_has_one_error);
	tcase_add_test(tests, report__problems_of_arenas_that_were_not_asked_for_are_not_told);
	tcase_add_test(tests, report__no_map_idr_is_a_part_of_the_answer);
	tcase_add_loop_test(tests, report__renderer_that_says_stop_ends_the_run, 0, 2);
	tcase_add_test(tests, report__renderer_that_cannot_begin_ends_the_run);
	tcase_add_test(tests, report__user_can_stop_at_any_time);
	tcase_add_test(tests, report__stopped_before_the_first_arena_is_no_answer);
	tcase_add_test(tests, report__what_is_wrong_with_the_file_is_told);
	tcase_add_test(tests, report__flattened_dump_without_its_end_is_told_once);
}

int main(void)
{
	return run_suite("report", add);
}
