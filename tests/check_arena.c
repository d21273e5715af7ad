// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/arena.c on synthetic machines: what is found, counted and named, and what is said to be
 * lost. Expected addresses are computed here by the kernel's 32-bit rule.
 */
#include "suite.h"

#include "../core/arena.h"
#include "../fixtures/synth/examples.h"

#define GIB4 (UINT64_C(1) << 32)

static struct machine m;
static struct memory mem;
static struct kernel *k;
static struct arena_list list;
static struct arena_snapshot a;
static struct problems problems;
static struct fault why;

static void setup(void)
{
	memset(&m, 0, sizeof(m));
	memset(&list, 0, sizeof(list));
	memset(&a, 0, sizeof(a));
	memset(&problems, 0, sizeof(problems));
	k = NULL;
}

static void teardown(void)
{
	ck_assert_uint_eq(m.pm.crossings, 0);
	arena_list_free(&list);
	arena_snapshot_free(&a);
	problems_free(&problems);
	kernel_close(k);
	machine_free(&m);
}

static void init(const char *name)
{
	machine_init(&m, machine_config(name));
}

static uint64_t ps(void)
{
	return m.pm.page_size;
}

static void open_kernel(void)
{
	machine_finish(&m);
	mem = machine_memory(&m);
	k = kernel_open(&mem, &why);
	ck_assert_msg(k, "%s", why.text);
}

static void find(void)
{
	if (!k)
		open_kernel();
	ck_ok(arena_find(k, &list, &problems, &why), why);
}

static struct machine_arena *made(uint32_t id)
{
	for (size_t i = 0; i < m.arenas; i++)
		if (m.arena[i].spec.id == id)
			return &m.arena[i];
	ck_abort_msg("no arena %u was made", id);
}

static bool is_listed(uint32_t id)
{
	for (size_t i = 0; i < list.n; i++)
		if (list.found[i].id == id)
			return true;
	return false;
}

/* Snapshot of arena @id, which need not be listed. */
static void snapshot_max(uint32_t id, uint64_t max_pages)
{
	const struct arena_found found = { .id = id, .map = made(id)->map };

	if (!k)
		open_kernel();
	arena_snapshot_free(&a);
	ck_ok(arena_snapshot(k, &found, max_pages, &a, &problems, &why), why);
}

static void snapshot(uint32_t id)
{
	snapshot_max(id, 0);
}

/* A machine with one arena, id 9, of @max_entries at @start. */
static struct machine_arena *one_arena(const char *machine, uint32_t max_entries, uint64_t start)
{
	struct arena_spec spec = {
		.id = 9, .name = "arena", .max_entries = max_entries, .user_vm_start = start,
		.user_vm_end = start + max_entries * UINT64_C(4096),
	};

	init(machine);
	return machine_add_arena(&m, &spec);
}

static uint64_t pgoff_of(const struct arena_page *p)
{
	uint64_t pgoff = UINT64_MAX;

	ck_assert(arena_page_pgoff(&a, p, &pgoff));
	return pgoff;
}

/* The kernel's rule, kernel/bpf/arena.c: window base plus 32 bits of the user address. */
static uint64_t kernel_address(const struct machine_arena *made, uint64_t pgoff)
{
	return made->base + (uint32_t)(made->spec.user_vm_start + pgoff * ps());
}

static const struct machine_page *truth(uint32_t id, uint64_t pgoff)
{
	for (size_t i = 0; i < m.pages; i++)
		if (m.page[i].id == id && m.page[i].pgoff == pgoff)
			return &m.page[i];
	return NULL;
}

static size_t truth_count(uint32_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < m.pages; i++)
		n += m.page[i].id == id;
	return n;
}

/* The snapshot has exactly the pages that were mapped, in order. */
static void ck_pages(uint32_t id)
{
	const struct machine_arena *is = made(id);
	uint64_t upper = is->spec.user_vm_start & ~(GIB4 - 1), last = 0;

	ck_assert_uint_eq(a.n_pages, truth_count(id));
	for (size_t i = 0; i < a.n_pages; i++) {
		uint64_t pgoff = pgoff_of(&a.pages[i]);
		const struct machine_page *t = truth(id, pgoff);

		ck_assert_msg(t, "page 0x%" PRIx64 " was never mapped", pgoff);
		ck_assert(!i || pgoff > last);
		last = pgoff;
		ck_u64_eq(a.pages[i].phys, t->phys);
		ck_u64_eq(arena_page_kernel(&a, &a.pages[i]), kernel_address(is, pgoff));
		ck_u64_eq(arena_user_address(&a, pgoff),
			  upper | (uint32_t)(is->spec.user_vm_start + pgoff * ps()));
		ck_assert_int_eq(a.pages[i].kind, pgoff < is->spec.max_entries ? KIND_PAGE :
				 KIND_OUTSIDE);
		ck_assert_int_eq(a.pages[i].state, STATE_STORED);
	}
}

static void ck_counts(uint64_t mapped, uint64_t scratch, uint64_t outside, uint64_t missing)
{
	ck_assert_uint_eq(a.mapped, mapped);
	ck_assert_uint_eq(a.scratch, scratch);
	ck_assert_uint_eq(a.outside, outside);
	ck_assert_uint_eq(a.missing, missing);
}

/* Finding */

START_TEST(arena__each_machine_lists_its_arenas)
{
	static const uint32_t ids[] = { 6, 9, 23, 31 };

	machine_init(&m, &machine_configs[_i]);
	example_populate(&m);
	find();
	ck_assert_uint_eq(list.n, 4);
	ck_assert_uint_eq(list.maps, 11);
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
	ck_assert_uint_eq(list.maps, 0);
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

/* One member of arena 9 is wrong: an error, never a row, and the others stay. */
START_TEST(arena__struct_that_contradicts_itself_is_an_error_and_no_row)
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
	ck_assert(!is_listed(9));
	ck_assert_uint_eq(list.n, 3);
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_DAMAGED, broken[_i].text);
	ck_fault(problems.problem[0].why, STATE_DAMAGED, "map 9");
	ck_assert(problems.problem[0].has_arena);
	ck_assert_uint_eq(problems.problem[0].arena, 9);
	ck_u64_eq(problems.problem[0].map, made(9)->map);
}
END_TEST

START_TEST(arena__map_of_another_type_is_no_arena)
{
	init("x86_64-7.3");
	example_populate(&m);
	physmem_u32(&m.pm, made(9)->map_phys + machine_offset(&m, "bpf_map", "map_type"), 34);
	find();
	ck_assert(!is_listed(9));
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(arena__struct_that_is_lost_is_an_error_and_no_row)
{
	static const enum state states[] = { STATE_EXCLUDED, STATE_CUT, STATE_ABSENT,
					     STATE_DAMAGED };
	struct arena_found found = { .id = 9 };

	init("aarch64-4k");
	example_populate(&m);
	physmem_set_state(&m.pm, made(9)->map_phys, states[_i]);
	find();
	ck_assert(!is_listed(9));
	ck_assert_uint_eq(list.n, 3);
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, states[_i], "map 9");
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
	ck_assert(!is_listed(71));
	ck_assert_uint_eq(list.n, 4);
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_EXCLUDED, "maps 64 to 127");
	ck_assert(!problems.problem[0].has_arena);
}
END_TEST

START_TEST(arena__lost_root_of_map_idr_says_that_all_are_lost)
{
	init("x86_64-7.3");
	example_populate(&m);
	open_kernel();
	physmem_set_state(&m.pm, m.idr->node[0].phys, STATE_EXCLUDED);
	find();
	ck_assert_uint_eq(list.n, 0);
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_EXCLUDED, "all maps are lost");
}
END_TEST

START_TEST(arena__map_idr_that_cannot_be_read_is_an_error)
{
	init("x86_64-7.3");
	example_populate(&m);
	open_kernel();
	physmem_set_state(&m.pm, machine_phys(&m, m.map_idr), STATE_EXCLUDED);
	ck_assert(!arena_find(k, &list, &problems, &why));
	ck_fault(why, STATE_EXCLUDED, "map_idr");
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
	ck_u64_eq(a.area, made(23)->area);
	ck_u64_eq(a.area_size, GIB4 + (ps() == 65536 ? 0x20000 : 0x10000) + ps());
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
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_EXCLUDED, "512 pages");
	ck_assert_uint_eq(problems.problem[0].arena, 9);
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
	struct machine_arena *is = one_arena("x86_64", 1 << 20, UINT64_C(1) << 44);
	uint64_t end;

	machine_map_page(&m, is, 0);
	open_kernel();
	end = table_start(is->base) + (2 << 20);
	lose_table(is->base, STATE_EXCLUDED);
	snapshot(9);
	ck_assert_uint_eq(a.n_lost, 2);
	ck_lost(0, false, 0, 8, is->area, STATE_EXCLUDED);
	ck_lost(1, true, 0, (end - is->base) / 4096, is->base, STATE_EXCLUDED);
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
	/* one sentence for both */
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, STATE_EXCLUDED, "512 pages");
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
	ck_assert_uint_eq(problems.n, 2);
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
		ck_assert(!arena_find(k, &list, &problems, &why));
	} else {
		ck_assert(!arena_snapshot(k, &found, 0, &a, &problems, &why));
	}
	ck_fault(why, FAULT_LIMIT, "interrupted");
}
END_TEST

START_TEST(arena__fields_have_their_names_in_json)
{
	static const char *const names[] = { "user_vm_start", "kern_vm_start", "mapped",
					     "scratch", "outside", "missing" };

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
	tcase_add_loop_test(tests, arena__struct_that_contradicts_itself_is_an_error_and_no_row,
			    0, 5);
	tcase_add_test(tests, arena__map_of_another_type_is_no_arena);
	tcase_add_loop_test(tests, arena__struct_that_is_lost_is_an_error_and_no_row, 0, 4);
	tcase_add_test(tests, arena__lost_node_of_map_idr_names_its_ids);
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
	tcase_add_test(tests, arena__lost_table_is_its_range_of_pgoffs);
	tcase_add_loop_test(tests, arena__lost_table_is_its_range_on_every_machine, 0, n);
	tcase_add_test(tests, arena__lost_upper_table_is_all_below_it);
	tcase_add_test(tests, arena__lost_range_is_parted_at_the_guard);
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
	tcase_add_loop_test(tests, arena__interrupted_run_ends_with_a_fault, 0, 2);
	tcase_add_test(tests, arena__fields_have_their_names_in_json);
}

int main(void)
{
	return run_suite("arena", add);
}
