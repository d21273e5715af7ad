// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/arena.c on synthetic machines with holes: lost page tables, lost and damaged structs,
 * limits. What is not known must be said, exactly.
 */
#include "arena_rig.h"

/* Lost tables */

/* The last-level table for @va: its first address, and its frame. */
static uint64_t table_start(uint64_t va)
{
	return va & ~((ps() << tables_level_bits(&m.t)) - 1);
}

static void lose_table(uint64_t va, enum state state)
{
	physmem_set_state(&m.pm, tables_entry(&m.t, va, m.t.c.page_shift), state);
}

static void ck_lost(size_t i, bool has_pgoff, uint64_t pgoff, uint64_t n, uint64_t kernel,
		    enum state kind)
{
	ck_assert_uint_lt(i, a.n_lost);
	ck_assert(a.lost[i].has_pgoff == has_pgoff);
	if (has_pgoff)
		ck_u64_eq(a.lost[i].pgoff, pgoff);
	ck_u64_eq(a.lost[i].n, n);
	ck_u64_eq(a.lost[i].kernel, kernel);
	ck_assert_int_eq(a.lost[i].why.kind, kind);
}

START_TEST(arena__lost_table_is_its_range_of_pgoffs)
{
	struct machine_arena *is = one_arena("x86_64", 1 << 20, UINT64_C(1) << 44);
	uint64_t va, table;

	machine_map_page(&m, is, 0);
	machine_map_page(&m, is, 3000);
	machine_map_page(&m, is, 5000);
	open_kernel();
	va = table_start(kernel_address(is, 3000));
	table = tables_entry(&m.t, va, 12);
	lose_table(va, STATE_EXCLUDED);
	snapshot(9);
	ck_counts(2, 0, 0, 0);
	ck_assert(a.truncated);
	ck_assert_uint_eq(a.n_lost, 1);
	ck_lost(0, true, (va - is->base) / 4096, 512, va, STATE_EXCLUDED);
	ck_u64_eq(a.lost[0].table, table);
	ck_fault(a.lost[0].why, STATE_EXCLUDED, "page table");
}
END_TEST

START_TEST(arena__lost_table_is_its_range_on_every_machine)
{
	struct machine_arena *is;
	uint64_t va, n;

	one_arena(machine_configs[_i].name, 1, UINT64_C(1) << 44);
	is = made(9);
	n = UINT64_C(1) << tables_level_bits(&m.t);
	/* well inside of the window, so that the table maps nothing else */
	va = table_start(is->base + 2 * n * ps());
	machine_map_at(&m, va, machine_new_frame(&m, 1));
	open_kernel();
	lose_table(va, STATE_CUT);
	snapshot(9);
	ck_counts(0, 0, 0, 0);
	ck_assert_uint_eq(a.n_lost, 1);
	ck_lost(0, true, (va - is->base) / ps(), n, va, STATE_CUT);
}
END_TEST

START_TEST(arena__lost_upper_table_is_all_below_it)
{
	struct machine_arena *is = one_arena("x86_64", 1 << 20, UINT64_C(1) << 44);
	uint64_t va = (is->base + (UINT64_C(2) << 30)) & ~((UINT64_C(1) << 30) - 1);

	machine_map_page(&m, is, 0);
	machine_map_at(&m, va, machine_new_frame(&m, 1));
	open_kernel();
	physmem_set_state(&m.pm, tables_entry(&m.t, va, 21), STATE_EXCLUDED);
	snapshot(9);
	ck_counts(1, 0, 0, 0);
	ck_assert_uint_eq(a.n_lost, 1);
	ck_lost(0, true, (va - is->base) / 4096, 1 << 18, va, STATE_EXCLUDED);
}
END_TEST

/* The table of the window's start has the lower guard too, which has no pgoff. */
START_TEST(arena__lost_range_is_parted_at_the_guard)
{
	/* with 0 the ring begins where the guard ends */
	uint64_t low = _i ? 0x8000000 : 0;
	struct machine_arena *is = one_arena("x86_64", 1 << 20, (UINT64_C(1) << 44) + low);
	uint64_t end, zero = low ? (1 << 20) - low / 4096 : 0;

	machine_map_page(&m, is, zero);
	open_kernel();
	end = table_start(is->base) + (2 << 20);
	lose_table(is->base, STATE_EXCLUDED);
	snapshot(9);
	ck_assert_uint_eq(a.n_lost, 2);
	ck_lost(0, false, 0, 8, is->area, STATE_EXCLUDED);
	ck_lost(1, true, zero, (end - is->base) / 4096, is->base, STATE_EXCLUDED);
}
END_TEST

START_TEST(arena__lost_range_is_parted_at_the_upper_guard)
{
	uint64_t low = _i ? 0x8000000 : 0;
	struct machine_arena *is = one_arena("x86_64", 1 << 20, (UINT64_C(1) << 44) + low);
	uint64_t top = is->base + GIB4, first = table_start(top - 4096);
	uint64_t last = (1 << 20) - (top - first) / 4096;

	machine_map_at(&m, top - 4096, machine_new_frame(&m, 1));
	open_kernel();
	lose_table(top - 4096, STATE_EXCLUDED);
	snapshot(9);
	ck_assert_uint_eq(a.n_lost, 2);
	ck_lost(0, true, last - low / 4096, (top - first) / 4096, first, STATE_EXCLUDED);
	/* the guard, and the page that vmalloc adds */
	ck_lost(1, false, 0, 8 + 1, top, STATE_EXCLUDED);
}
END_TEST

/* pgoff 0 lies in the middle of the table: below it are the highest pgoffs. */
START_TEST(arena__lost_range_is_parted_where_the_ring_begins)
{
	struct machine_arena *is = one_arena("x86_64", 1 << 20, GIB4 * 5 + 0x7654000);
	uint64_t zero, first, end;

	machine_map_page(&m, is, 0);
	open_kernel();
	zero = is->base + 0x7654000;
	first = table_start(zero);
	end = first + (2 << 20);
	ck_assert_uint_lt(first, zero);
	lose_table(zero, STATE_EXCLUDED);
	snapshot(9);
	ck_assert_uint_eq(a.n_lost, 2);
	ck_lost(0, true, (1 << 20) - (zero - first) / 4096, (zero - first) / 4096, first,
		STATE_EXCLUDED);
	ck_lost(1, true, 0, (end - zero) / 4096, zero, STATE_EXCLUDED);
}
END_TEST

START_TEST(arena__neighbours_that_are_lost_are_one_range)
{
	struct machine_arena *is = one_arena("x86_64", 1 << 20, UINT64_C(1) << 44);
	uint64_t va = table_start(is->base + (16 << 20)), table;

	for (uint64_t i = 0; i < 4; i++)
		machine_map_at(&m, va + (i << 21), machine_new_frame(&m, 1));
	open_kernel();
	table = tables_entry(&m.t, va, 12);
	for (uint64_t i = 0; i < 4; i++)
		lose_table(va + (i << 21), i < 3 ? STATE_EXCLUDED : STATE_CUT);
	snapshot(9);
	ck_assert_uint_eq(a.n_lost, 2);
	ck_lost(0, true, (va - is->base) / 4096, 3 * 512, va, STATE_EXCLUDED);
	ck_u64_eq(a.lost[0].table, table);
	ck_lost(1, true, (va + (6 << 20) - is->base) / 4096, 512, va + (6 << 20), STATE_CUT);
}
END_TEST

/* --max-pages */

START_TEST(arena__limit_keeps_the_first_pages)
{
	struct machine_arena *is = one_arena("x86_64", 4096, GIB4 * 0x2001 - 8 * 4096);

	for (uint64_t i = 0; i < 20; i++)
		machine_map_page(&m, is, 2 * i);
	snapshot_max(9, 5);
	ck_assert_uint_eq(a.n_pages, 5);
	for (size_t i = 0; i < 5; i++)
		ck_u64_eq(pgoff_of(&a.pages[i]), 2 * i);
	ck_assert(a.truncated);
	ck_assert_uint_eq(a.n_lost, 1);
	ck_lost(0, true, 10, 29, kernel_address(is, 10), FAULT_LIMIT);
	/* that the user wanted it so is no error */
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(arena__limit_that_is_not_reached_changes_nothing)
{
	struct machine_arena *is = one_arena("x86_64", 4096, UINT64_C(1) << 44);

	for (uint64_t i = 0; i < 20; i++)
		machine_map_page(&m, is, i);
	snapshot_max(9, (uint64_t)_i);
	ck_assert_uint_eq(a.n_pages, 20);
	ck_assert(!a.truncated && !a.n_lost);
}
END_TEST

/* The kernel window is not known */

static void ck_no_window(const char *text)
{
	unsigned unknown = 1u << FIELD_KERN_VM_START | 1u << FIELD_MAPPED | 1u << FIELD_SCRATCH |
			   1u << FIELD_OUTSIDE | 1u << FIELD_MISSING;

	ck_assert_uint_eq(a.unknown, unknown);
	ck_u64_eq(a.kern_vm_start, 0);
	ck_u64_eq(a.user_vm_start, UINT64_C(1) << 44);
	ck_assert(a.truncated);
	ck_assert_uint_eq(a.n_pages, 0);
	ck_assert_uint_ge(a.n_lost, 1);
	ck_assert_uint_eq(problems.n, 1);
	ck_assert_msg(strstr(problems.problem[0].why.text, "arena 9"), "%s",
		      problems.problem[0].why.text);
	ck_assert_msg(strstr(problems.problem[0].why.text, text), "%s",
		      problems.problem[0].why.text);
	ck_assert_uint_eq(problems.problem[0].arena, 9);
}

START_TEST(arena__lost_vm_struct_leaves_the_window_unknown)
{
	struct machine_arena *is = one_arena("x86_64-7.3", 16, UINT64_C(1) << 44);

	machine_map_page(&m, is, 0);
	physmem_set_state(&m.pm, is->vm_phys, STATE_EXCLUDED);
	snapshot(9);
	ck_no_window("excluded");
	ck_assert_int_eq(problems.problem[0].why.kind, STATE_EXCLUDED);
}
END_TEST

START_TEST(arena__vm_struct_of_something_else_is_no_window)
{
	static const struct { const char *member; uint64_t value; } broken[] = {
		{ "flags", 0 }, { "flags", 8 }, { "flags", 0x1000 }, { "flags", 0x100a },
		{ "flags", 0x100c }, { "flags", 0x1009 },
		{ "size", 0 }, { "size", 4096 }, { "size", UINT64_C(0x100010000) },
		{ "size", UINT64_C(0x100012000) }, { "size", UINT64_MAX },
		{ "requested_size", 0 }, { "requested_size", UINT64_C(0x100011000) },
		{ "addr", 0 }, { "addr", 0x1000 }, { "addr", UINT64_C(0xffffb28000012800) },
		{ "addr", UINT64_C(0x7fffb28000012000) }, { "addr", UINT64_C(0xfffffffffffff000) },
	};
	struct machine_arena *is = one_arena("x86_64-7.3", 16, UINT64_C(1) << 44);

	machine_map_page(&m, is, 0);
	physmem_u64(&m.pm, is->vm_phys + machine_offset(&m, "vm_struct", broken[_i].member),
		    broken[_i].value);
	snapshot(9);
	ck_no_window("pages are not known");
}
END_TEST

START_TEST(arena__other_flags_of_the_vm_struct_do_not_matter)
{
	struct machine_arena *is = one_arena("x86_64-7.3", 16, UINT64_C(1) << 44);

	machine_map_page(&m, is, 0);
	physmem_u64(&m.pm, is->vm_phys + machine_offset(&m, "vm_struct", "flags"), 0x1048);
	snapshot(9);
	ck_pages(9);
}
END_TEST

START_TEST(arena__kern_vm_that_points_nowhere_is_no_window)
{
	static const uint64_t pointers[] = { 0, 8, UINT64_MAX - 4, 0xffffdead00000000,
					     0x00ffffffffffff00 };
	struct machine_arena *is = one_arena("x86_64-7.3", 16, UINT64_C(1) << 44);

	physmem_u64(&m.pm, is->map_phys + machine_offset(&m, "bpf_arena", "kern_vm"),
		    pointers[_i]);
	snapshot(9);
	ck_no_window("pages are not known");
}
END_TEST

/* 6.9 to 6.13 with 64K pages put the window between pages: not readable, and said so. */
START_TEST(arena__window_between_pages_is_refused)
{
	struct machine_arena *is = one_arena("aarch64-64k", 16, UINT64_C(1) << 44);

	physmem_u64(&m.pm, is->vm_phys + machine_offset(&m, "vm_struct", "size"),
		    GIB4 + 0x10000 + 0x10000);
	physmem_u64(&m.pm, is->vm_phys + machine_offset(&m, "vm_struct", "requested_size"),
		    GIB4 + 0x10000);
	snapshot(9);
	ck_no_window("pages are not known");
}
END_TEST

START_TEST(arena__user_vm_start_inside_a_page_is_unknown)
{
	struct machine_arena *is = one_arena("x86_64", 16, UINT64_C(1) << 44);
	uint64_t pgoff;

	machine_map_page(&m, is, 0);
	machine_map_page(&m, is, 100);
	physmem_u64(&m.pm, is->map_phys + machine_offset(&m, "bpf_arena", "user_vm_start"),
		    (UINT64_C(1) << 44) + 1);
	snapshot(9);
	ck_assert_uint_eq(a.unknown, 1u << FIELD_USER_VM_START);
	ck_u64_eq(a.user_vm_start, 0);
	ck_assert_uint_eq(a.n_pages, 2);
	for (int i = 0; i < 2; i++) {
		ck_assert(!arena_page_pgoff(&a, &a.pages[i], &pgoff));
		ck_u64_eq(arena_page_kernel(&a, &a.pages[i]), is->base + 100 * i * 4096);
	}
	ck_counts(2, 0, 0, 0);
	ck_assert_uint_eq(problems.n, 1);
}
END_TEST

static void add(TCase *tests)
{
	int n = (int)machine_configs_n;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, arena__lost_table_is_its_range_of_pgoffs);
	tcase_add_loop_test(tests, arena__lost_table_is_its_range_on_every_machine, 0, n);
	tcase_add_test(tests, arena__lost_upper_table_is_all_below_it);
	tcase_add_loop_test(tests, arena__lost_range_is_parted_at_the_guard, 0, 2);
	tcase_add_loop_test(tests, arena__lost_range_is_parted_at_the_upper_guard, 0, 2);
	tcase_add_test(tests, arena__lost_range_is_parted_where_the_ring_begins);
	tcase_add_test(tests, arena__neighbours_that_are_lost_are_one_range);
	tcase_add_test(tests, arena__limit_keeps_the_first_pages);
	tcase_add_loop_test(tests, arena__limit_that_is_not_reached_changes_nothing, 20, 22);
	tcase_add_test(tests, arena__lost_vm_struct_leaves_the_window_unknown);
	tcase_add_loop_test(tests, arena__vm_struct_of_something_else_is_no_window, 0, 18);
	tcase_add_test(tests, arena__other_flags_of_the_vm_struct_do_not_matter);
	tcase_add_loop_test(tests, arena__kern_vm_that_points_nowhere_is_no_window, 0, 5);
	tcase_add_test(tests, arena__window_between_pages_is_refused);
	tcase_add_test(tests, arena__user_vm_start_inside_a_page_is_unknown);
}

int main(void)
{
	return run_suite("arena_lost", add);
}
