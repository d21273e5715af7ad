// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/arena.c on synthetic machines: what is found, counted and named. What is lost has its
 * own suite.
 */
#include "arena_rig.h"

/* Finding */

START_TEST(arena__each_machine_lists_its_arenas)
{
	static const uint32_t ids[] = { 6, 9, 23, 31 };

	machine_init(&m, &machine_configs[_i]);
	example_populate(&m);
	find();
	ck_assert_uint_eq(list.n, 4);
	ck_assert_uint_eq(list.search.maps, 11);
	ck_assert_uint_eq(problems.n, 0);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(list.found[i].id, ids[i]);
		ck_u64_eq(list.found[i].map, made(ids[i])->map);
	}
}
END_TEST

START_TEST(arena__kernel_without_arenas_has_none)
{
	init("x86_64");
	m.no_btf_arena = m.no_ops_symbol = true;
	machine_add_map(&m, 1, 1, "plain");
	find();
	ck_assert_uint_eq(list.n, 0);
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(arena__no_maps_at_all_is_no_problem)
{
	init("x86_64");
	find();
	ck_assert_uint_eq(list.n, 0);
	ck_assert_uint_eq(list.search.maps, 0);
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

/* One member of arena 9 is wrong: an error, and of the arena only what else is known. */
START_TEST(arena__struct_that_contradicts_itself_is_an_error)
{
	static const struct { const char *member; uint64_t value; bool is64; const char *text; }
	broken[] = {
		{ "id", 77, false, "77" }, { "id", 0, false, "id" },
		{ "ops", 8, true, "ops" }, { "map_flags", 0, false, "flags" },
		{ "map_flags", 0x20000, false, "flags" },
	};
	uint64_t at;

	init("x86_64-7.3");
	example_populate(&m);
	at = made(9)->map_phys + machine_offset(&m, "bpf_map", broken[_i].member);
	if (broken[_i].is64)
		physmem_u64(&m.pm, at, broken[_i].value);
	else
		physmem_u32(&m.pm, at, (uint32_t)broken[_i].value);
	find();
	ck_assert(!is_listed(9) && !is_listed(77));
	ck_assert_uint_eq(list.n, 4);
	/* its own word against that of map_idr: the id is not known, but the struct is */
	if (strcmp(broken[_i].member, "id"))
		ck_window_alone(9);
	else
		ck_u64_eq(row_of(9)->map, made(9)->map);
	ck_assert_uint_ge(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_DAMAGED, broken[_i].text);
	ck_fault(problems.problem[0].why, STATE_DAMAGED, "map 9");
	ck_assert(problems.problem[0].has_arena);
	ck_assert_uint_eq(problems.problem[0].arena, 9);
	ck_u64_eq(problems.problem[0].map, made(9)->map);
}
END_TEST

/* Its area is there all the same. */
START_TEST(arena__map_of_another_type_is_no_arena)
{
	init("x86_64-7.3");
	example_populate(&m);
	physmem_u32(&m.pm, made(9)->map_phys + machine_offset(&m, "bpf_map", "map_type"), 34);
	find();
	ck_window_alone(9);
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_EXCLUDED, "without its struct");
}
END_TEST

START_TEST(arena__struct_that_is_lost_is_an_error_and_a_window)
{
	static const enum state states[] = { STATE_EXCLUDED, STATE_CUT, STATE_ABSENT,
					     STATE_DAMAGED };
	struct arena_found found = { .id = 9 };

	init("aarch64-4k");
	example_populate(&m);
	physmem_set_state(&m.pm, made(9)->map_phys, states[_i]);
	find();
	ck_window_alone(9);
	ck_assert_uint_eq(list.n, 4);
	/* a page that should be there and cannot be read is missed by the search, too */
	if (states[_i] == STATE_DAMAGED) {
		ck_assert_uint_eq(problems.n, 3);
		ck_fault(problems.problem[0].why, STATE_DAMAGED, "search of all pages");
		ck_u64_eq(problems.problem[0].why.addr, made(9)->map_phys & ~(ps() - 1));
	} else {
		ck_assert_uint_eq(problems.n, 2);
	}
	ck_fault(problems.problem[problems.n - 2].why, states[_i], "map 9");
	/* asked all the same */
	found.map = made(9)->map;
	ck_assert(!arena_snapshot(k, &found, 0, &a, &problems, &why));
	ck_fault(why, states[_i], "arena 9");
}
END_TEST

START_TEST(arena__lost_node_of_map_idr_names_its_ids)
{
	init("x86_64-7.3");
	example_populate(&m);
	machine_add_arena(&m, &(struct arena_spec){ .id = 71, .name = "lost",
						    .max_entries = 4 });
	open_kernel();
	physmem_set_state(&m.pm, idr_find_node(m.idr, 71, 0)->phys, STATE_EXCLUDED);
	find();
	/* found by its area, and its struct by the scan */
	ck_assert(is_listed(71));
	ck_assert_int_eq(row_of(71)->by, FOUND_VMALLOC);
	ck_assert_uint_eq(list.n, 5);
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_EXCLUDED, "maps 64 to 127");
	ck_assert(!problems.problem[0].has_arena);
}
END_TEST

/* A live system: whether it was asked for, or something is lost. */
START_TEST(arena__scan_without_a_map_of_pages_is_refused)
{
	struct memory_ops ops;
	bool asked = _i & 1, has_map = _i & 2, ran = asked && has_map;

	init("x86_64-7.3");
	example_populate(&m);
	open_kernel();
	ops = *mem.ops;
	if (!has_map)
		ops.next = NULL;
	mem.ops = &ops;
	ck_ok(arena_find(k, asked, &list, &problems, &why), why);
	ck_assert(is_listed(9) && list.search.scan == ran);
	ck_assert_uint_eq(problems.n, asked && !has_map);
	if (problems.n)
		ck_fault(problems.problem[0].why, FAULT_UNSUPPORTED, "cannot be searched");
}
END_TEST

START_TEST(arena__scan_that_is_needed_but_cannot_be_is_said)
{
	struct memory_ops ops;

	init("x86_64-7.3");
	example_populate(&m);
	open_kernel();
	physmem_set_state(&m.pm, idr_find_node(m.idr, 9, 0)->phys, STATE_EXCLUDED);
	physmem_set_state(&m.pm, vmap_area_of(9), STATE_EXCLUDED);
	ops = *mem.ops;
	ops.next = NULL;
	mem.ops = &ops;
	find();
	ck_assert(!list.search.scan);
	ck_assert_uint_ge(problems.n, 2);
	ck_fault(problems.problem[0].why, FAULT_UNSUPPORTED, "cannot be searched");
}
END_TEST

START_TEST(arena__lost_root_of_map_idr_says_that_all_are_lost)
{
	init("x86_64-7.3");
	example_populate(&m);
	open_kernel();
	physmem_set_state(&m.pm, m.idr->node[0].phys, STATE_EXCLUDED);
	find();
	ck_assert_uint_eq(list.n, 4);
	ck_assert(is_listed(9));
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_EXCLUDED, "all maps are lost");
}
END_TEST

START_TEST(arena__map_idr_that_cannot_be_read_is_an_error)
{
	init("x86_64-7.3");
	example_populate(&m);
	open_kernel();
	/* the heads of vmalloc and of prog_idr are in the same page: only a search is left */
	physmem_set_state(&m.pm, machine_phys(&m, m.map_idr), STATE_EXCLUDED);
	find();
	ck_assert_uint_eq(list.n, 3);
	ck_assert(is_listed(9) && is_listed(23) && is_listed(31));
	/* one without pages is not proved by page tables */
	ck_assert_uint_eq(problems.n, 2);
	ck_fault(problems.problem[0].why, STATE_EXCLUDED, "map_idr: all maps are lost");
	ck_fault(problems.problem[1].why, STATE_EXCLUDED, "arena 6");
}
END_TEST

/* Fields and pages */

START_TEST(arena__fields_are_those_of_the_struct)
{
	machine_init(&m, &machine_configs[_i]);
	example_populate(&m);
	snapshot(23);
	ck_assert_uint_eq(a.id, 23);
	ck_assert_str_eq(a.name, "scx_arena");
	ck_u64_eq(a.map, made(23)->map);
	ck_assert_uint_eq(a.max_entries, GIB4 / 16 / ps());
	ck_assert_uint_eq(a.declared_pages, GIB4 / 16 / ps());
	ck_u64_eq(a.map_extra, UINT64_C(1) << 44);
	ck_assert_uint_eq(a.map_flags, 0x20400);
	ck_u64_eq(a.user_vm_start, UINT64_C(1) << 44);
	ck_u64_eq(a.user_vm_end, (UINT64_C(1) << 44) + GIB4 / 16);
	ck_u64_eq(a.area.addr, made(23)->area);
	ck_u64_eq(a.area.size, GIB4 + (ps() == 65536 ? 0x20000 : 0x10000) + ps());
	ck_u64_eq(a.kern_vm_start, made(23)->area + (ps() == 65536 ? 0x10000 : 0x8000));
	ck_assert(!a.span_capped && !a.truncated && !a.unknown);
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(arena__pages_are_exactly_those_that_are_mapped)
{
	static const uint32_t ids[] = { 6, 9, 23, 31 };

	machine_init(&m, &machine_configs[_i]);
	/* frames whose addresses need the bits that LPA and LPA2 store elsewhere */
	if (m.t.c.lpa || m.t.c.lpa2)
		m.data_from = UINT64_C(0xa) << 48 | UINT64_C(0x5) << 44;
	example_populate(&m);
	for (int i = 0; i < 4; i++) {
		snapshot(ids[i]);
		ck_pages(ids[i]);
		ck_counts(truth_count(ids[i]), 0, 0, 0);
		ck_assert(!a.truncated && !a.n_lost);
	}
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

/* The window is a ring: pgoff 8 of arena 31 lies at its very bottom. */
START_TEST(arena__ring_wraps_at_4_gib)
{
	machine_init(&m, &machine_configs[_i]);
	example_populate(&m);
	snapshot(31);
	ck_u64_eq(pgoff_of(&a.pages[0]), 0);
	ck_u64_eq(arena_page_kernel(&a, &a.pages[0]), made(31)->base + GIB4 - 8 * ps());
	ck_u64_eq(pgoff_of(&a.pages[8]), 8);
	ck_u64_eq(arena_page_kernel(&a, &a.pages[8]), made(31)->base);
	ck_u64_eq(arena_user_address(&a, 8), UINT64_C(0x200000000000));
	ck_pages(31);
}
END_TEST

START_TEST(arena__never_mapped_arena_is_known_and_empty)
{
	init("aarch64-16k");
	example_populate(&m);
	snapshot(6);
	ck_u64_eq(a.user_vm_start, 0);
	ck_counts(0, 0, 0, 0);
	ck_assert(!a.truncated && !a.unknown && !a.n_pages);
	ck_u64_eq(a.kern_vm_start, made(6)->base);
}
END_TEST

/* user_vm_start 0 is a known one: pages have pgoffs from the start of the window. */
START_TEST(arena__pages_of_a_window_at_0_have_pgoffs)
{
	one_arena("x86_64", 16, 0);
	machine_map_page(&m, made(9), 0);
	machine_map_page(&m, made(9), 5);
	snapshot(9);
	ck_pages(9);
	ck_counts(2, 0, 0, 0);
}
END_TEST

START_TEST(arena__name_of_16_bytes_has_an_end)
{
	one_arena("x86_64", 16, 0x10000000);
	physmem_write(&m.pm, made(9)->map_phys + machine_offset(&m, "bpf_map", "name"),
		      "0123456789abcdefXYZ", 19);
	snapshot(9);
	ck_assert_str_eq(a.name, "0123456789abcdef");
}
END_TEST

START_TEST(arena__span_is_capped_at_4_gib)
{
	static const struct { uint32_t entries; bool capped; } spans[] = {
		{ 1 << 20, false }, { (1 << 20) + 1, true }, { UINT32_MAX, true },
	};

	one_arena("x86_64", spans[_i].entries, UINT64_C(1) << 44);
	machine_map_page(&m, made(9), 0);
	machine_map_page(&m, made(9), (1 << 20) - 1);
	snapshot(9);
	ck_assert(a.span_capped == spans[_i].capped);
	ck_assert_uint_eq(a.max_entries, spans[_i].entries);
	ck_assert_uint_eq(a.declared_pages, 1 << 20);
	ck_counts(2, 0, 0, 0);
	ck_assert(!a.truncated);
}
END_TEST

START_TEST(arena__cap_is_in_pages_of_the_kernel)
{
	one_arena("aarch64-64k", 65537, UINT64_C(1) << 44);
	snapshot(9);
	ck_assert(a.span_capped);
	ck_assert_uint_eq(a.declared_pages, 65536);
}
END_TEST

START_TEST(arena__pages_beyond_max_entries_are_outside)
{
	struct machine_arena *is = one_arena("x86_64", 16, UINT64_C(0x7f1200000000));

	machine_map_page(&m, is, 15);
	machine_map_page(&m, is, 16);
	machine_map_page(&m, is, 40);
	snapshot(9);
	ck_pages(9);
	ck_counts(1, 0, 2, 0);
}
END_TEST

START_TEST(arena__pages_in_guards_are_outside_and_last)
{
	struct machine_arena *is = one_arena("x86_64", 64, GIB4 * 0x2001 - 8 * 4096);
	uint64_t frame[4];

	for (uint32_t i = 0; i < 4; i++)
		frame[i] = machine_new_frame(&m, i + 1);
	/* lower guard: first and last page; upper guard; the page that vmalloc adds */
	machine_map_at(&m, is->area, frame[0]);
	machine_map_at(&m, is->base - 4096, frame[1]);
	machine_map_at(&m, is->base + GIB4, frame[2]);
	machine_map_at(&m, is->area + is->area_size - 4096, frame[3]);
	/* and around the ring's seam */
	for (uint64_t pgoff = 7; pgoff < 10; pgoff++)
		machine_map_page(&m, is, pgoff);
	snapshot(9);
	ck_counts(3, 0, 4, 0);
	ck_assert_uint_eq(a.n_pages, 7);
	for (size_t i = 0; i < 3; i++)
		ck_u64_eq(pgoff_of(&a.pages[i]), 7 + i);
	for (size_t i = 0; i < 4; i++) {
		uint64_t pgoff;

		ck_assert(!arena_page_pgoff(&a, &a.pages[3 + i], &pgoff));
		ck_assert_int_eq(a.pages[3 + i].kind, KIND_OUTSIDE);
		ck_u64_eq(a.pages[3 + i].phys, frame[i]);
	}
}
END_TEST

START_TEST(arena__pages_of_neighbours_are_not_mixed)
{
	const struct arena_spec spec = {
		.id = 10, .name = "next", .max_entries = 1 << 20,
		.user_vm_start = UINT64_C(1) << 44, .user_vm_end = (UINT64_C(1) << 44) + GIB4,
	};
	struct machine_arena *is = one_arena("aarch64-4k", 1 << 20, UINT64_C(1) << 44);
	struct machine_arena *next = machine_add_arena(&m, &spec);

	ck_u64_eq(next->area, is->area + is->area_size);
	machine_map_page(&m, is, (1 << 20) - 1);
	machine_map_page(&m, next, 0);
	snapshot(9);
	ck_pages(9);
	snapshot(10);
	ck_pages(10);
}
END_TEST

START_TEST(arena__page_tables_without_pages_are_no_pages)
{
	struct machine_arena *is = one_arena("x86_64-7.3", 4096, UINT64_C(1) << 44);

	/* 7.0 and later make all tables when the map is created */
	for (uint64_t at = is->area; at < is->area + is->area_size; at += 2 << 20)
		tables_entry(&m.t, at, 12);
	machine_map_page(&m, is, 7);
	snapshot(9);
	ck_pages(9);
	ck_counts(1, 0, 0, 0);
}
END_TEST

/* Nothing else is ever mapped there, but what the tables say is reported. */
START_TEST(arena__block_in_the_window_is_all_its_pages)
{
	struct machine_arena *is = one_arena("x86_64", 4096, UINT64_C(1) << 44);
	uint64_t va = (is->base + (4 << 20)) & ~UINT64_C(0x1fffff);

	tables_map(&m.t, va, UINT64_C(0x80000000), 21);
	snapshot(9);
	ck_counts(512, 0, 0, 512);
	for (size_t i = 0; i < 512; i++) {
		ck_u64_eq(a.pages[i].phys, UINT64_C(0x80000000) + i * 4096);
		ck_u64_eq(pgoff_of(&a.pages[i]), (va - is->base) / 4096 + i);
	}
}
END_TEST

/* Scratch pages */

START_TEST(arena__scratch_pages_are_told_by_their_frame)
{
	struct machine_arena *is = one_arena(_i ? "aarch64-16k" : "x86_64-7.3", 64,
					     UINT64_C(1) << 44);

	machine_map_page(&m, is, 1);
	machine_map_at(&m, kernel_address(is, 5), is->scratch_phys);
	machine_map_at(&m, kernel_address(is, 70), is->scratch_phys);	/* beyond max_entries */
	machine_map_at(&m, is->base + GIB4, is->scratch_phys);		/* upper guard */
	snapshot(9);
	ck_counts(1, 3, 0, 0);
	ck_assert_uint_eq(a.n_pages, 4);
	ck_assert_int_eq(a.pages[0].kind, KIND_PAGE);
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(a.pages[i].kind, KIND_SCRATCH);
}
END_TEST

START_TEST(arena__single_scratch_page_is_told_too)
{
	struct machine_arena *is = one_arena("x86_64-7.3", 64, UINT64_C(1) << 44);

	machine_map_at(&m, kernel_address(is, 5), is->scratch_phys);
	snapshot(9);
	ck_counts(0, 1, 0, 0);
}
END_TEST

START_TEST(arena__unknown_scratch_page_is_the_frame_at_many_places)
{
	static const uint64_t pointers[] = { 0, 0x1000, 0xffffeb0400000001 };
	struct machine_arena *is = one_arena("x86_64-7.3", 64, UINT64_C(1) << 44);

	machine_map_page(&m, is, 1);
	machine_map_at(&m, kernel_address(is, 2), is->scratch_phys);
	machine_map_at(&m, kernel_address(is, 5), is->scratch_phys);
	physmem_u64(&m.pm, is->map_phys + machine_offset(&m, "bpf_arena", "scratch_page"),
		    pointers[_i]);
	snapshot(9);
	ck_counts(1, 2, 0, 0);
}
END_TEST

START_TEST(arena__kernel_without_scratch_pages_has_none)
{
	struct machine_arena *is = one_arena("x86_64", 64, UINT64_C(1) << 44);
	uint64_t frame = machine_map_page(&m, is, 1);

	machine_map_at(&m, kernel_address(is, 2), frame);
	snapshot(9);
	ck_counts(2, 0, 0, 0);
}
END_TEST

/* Contents */

START_TEST(arena__pages_that_are_not_stored_are_missing)
{
	static const enum state states[] = { STATE_EXCLUDED, STATE_ABSENT, STATE_CUT,
					     STATE_DAMAGED };
	struct machine_arena *is = one_arena("x86_64-7.3", 16, UINT64_C(1) << 44);

	for (uint64_t i = 0; i < 20; i++)
		machine_map_page(&m, is, i);
	machine_map_at(&m, is->base + GIB4, is->scratch_phys);
	for (uint64_t i = 2; i < 6; i++)
		physmem_set_state(&m.pm, truth(9, i)->phys, states[i - 2]);
	/* neither of these is a page of the arena */
	physmem_set_state(&m.pm, truth(9, 17)->phys, STATE_EXCLUDED);
	physmem_set_state(&m.pm, is->scratch_phys, STATE_EXCLUDED);
	snapshot(9);
	ck_counts(16, 1, 4, 4);
	for (uint64_t i = 2; i < 6; i++)
		ck_assert_int_eq(a.pages[i].state, states[i - 2]);
	ck_assert_int_eq(a.pages[6].state, STATE_STORED);
	ck_assert(!a.truncated);
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(arena__unknown_states_are_not_missing)
{
	struct machine_arena *is = one_arena("x86_64", 16, UINT64_C(1) << 44);

	machine_map_page(&m, is, 0);
	physmem_set_state(&m.pm, truth(9, 0)->phys, STATE_UNKNOWN);
	snapshot(9);
	ck_counts(1, 0, 0, 0);
	ck_assert_int_eq(a.pages[0].state, STATE_UNKNOWN);
}
END_TEST

START_TEST(arena__no_contents_are_read_and_each_table_once)
{
	struct machine_arena *is = one_arena("x86_64", 1 << 20, UINT64_C(1) << 44);
	uint64_t step = (1 << 20) / 12;

	for (uint64_t i = 0; i < 12; i++)
		machine_map_page(&m, is, i * step);
	open_kernel();
	physmem_forget_reads(&m.pm);
	snapshot(9);
	ck_pages(9);
	for (uint64_t i = 0; i < 12; i++) {
		uint64_t table = tables_entry(&m.t, kernel_address(is, i * step), 12);

		ck_assert_uint_eq(physmem_reads(&m.pm, truth(9, i * step)->phys), 0);
		ck_assert_uint_eq(physmem_reads(&m.pm, table), 1);
	}
	/* 12 tables, those above them, and the two structs */
	ck_assert_uint_le(m.pm.reads, 12 + 5 + 2 + 20 + 4);
}
END_TEST

/* Stopped by the user */

START_TEST(arena__interrupted_run_ends_with_a_fault)
{
	struct machine_arena *is = one_arena("x86_64", 64, UINT64_C(1) << 44);
	struct arena_found found = { .id = 9 };

	machine_map_page(&m, is, 0);
	open_kernel();
	m.pm.stop_after = m.pm.progress;
	if (!m.pm.stop_after) {
		/* answer "stop" to the very first question */
		m.pm.stop_after = 1;
		m.pm.progress = 1;
	}
	found.map = is->map;
	if (_i) {
		ck_assert(!arena_find(k, false, &list, &problems, &why));
	} else {
		ck_assert(!arena_snapshot(k, &found, 0, &a, &problems, &why));
	}
	ck_fault(why, FAULT_LIMIT, "interrupted");
}
END_TEST

START_TEST(arena__fields_have_their_names_in_json)
{
	static const char *const names[] = {
		"id", "name", "map", "max_entries", "map_extra", "map_flags", "declared_pages",
		"user_vm_start", "user_vm_end", "kern_vm_start", "span_capped", "mapped", "scratch", "outside",
		"missing", "life",
	};

	init("x86_64");
	for (int i = 0; i < ARENA_FIELDS; i++)
		ck_assert_str_eq(arena_field_name((enum arena_field)i), names[i]);
}
END_TEST

static void add(TCase *tests)
{
	int n = (int)machine_configs_n;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, arena__each_machine_lists_its_arenas, 0, n);
	tcase_add_test(tests, arena__kernel_without_arenas_has_none);
	tcase_add_test(tests, arena__no_maps_at_all_is_no_problem);
	tcase_add_loop_test(tests, arena__struct_that_contradicts_itself_is_an_error,
			    0, 5);
	tcase_add_test(tests, arena__map_of_another_type_is_no_arena);
	tcase_add_loop_test(tests, arena__struct_that_is_lost_is_an_error_and_a_window, 0, 4);
	tcase_add_test(tests, arena__lost_node_of_map_idr_names_its_ids);
	tcase_add_loop_test(tests, arena__scan_without_a_map_of_pages_is_refused, 0, 4);
	tcase_add_test(tests, arena__scan_that_is_needed_but_cannot_be_is_said);
	tcase_add_test(tests, arena__lost_root_of_map_idr_says_that_all_are_lost);
	tcase_add_test(tests, arena__map_idr_that_cannot_be_read_is_an_error);
	tcase_add_loop_test(tests, arena__fields_are_those_of_the_struct, 0, n);
	tcase_add_loop_test(tests, arena__pages_are_exactly_those_that_are_mapped, 0, n);
	tcase_add_loop_test(tests, arena__ring_wraps_at_4_gib, 0, n);
	tcase_add_test(tests, arena__never_mapped_arena_is_known_and_empty);
	tcase_add_test(tests, arena__pages_of_a_window_at_0_have_pgoffs);
	tcase_add_test(tests, arena__name_of_16_bytes_has_an_end);
	tcase_add_loop_test(tests, arena__span_is_capped_at_4_gib, 0, 3);
	tcase_add_test(tests, arena__cap_is_in_pages_of_the_kernel);
	tcase_add_test(tests, arena__pages_beyond_max_entries_are_outside);
	tcase_add_test(tests, arena__pages_in_guards_are_outside_and_last);
	tcase_add_test(tests, arena__pages_of_neighbours_are_not_mixed);
	tcase_add_test(tests, arena__page_tables_without_pages_are_no_pages);
	tcase_add_test(tests, arena__block_in_the_window_is_all_its_pages);
	tcase_add_loop_test(tests, arena__scratch_pages_are_told_by_their_frame, 0, 2);
	tcase_add_test(tests, arena__single_scratch_page_is_told_too);
	tcase_add_loop_test(tests, arena__unknown_scratch_page_is_the_frame_at_many_places, 0, 3);
	tcase_add_test(tests, arena__kernel_without_scratch_pages_has_none);
	tcase_add_test(tests, arena__pages_that_are_not_stored_are_missing);
	tcase_add_test(tests, arena__unknown_states_are_not_missing);
	tcase_add_test(tests, arena__no_contents_are_read_and_each_table_once);
	tcase_add_loop_test(tests, arena__interrupted_run_ends_with_a_fault, 0, 2);
	tcase_add_test(tests, arena__fields_have_their_names_in_json);
}

int main(void)
{
	return run_suite("arena", add);
}
