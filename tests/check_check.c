// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/check.c and what it stands on (allocator.c, range_tree.c, evidence.c) against arenas whose
 * trees are written by fixtures/synth: planted faults, each beside a healthy twin, and each once
 * more while a lock is held.
 */
#include "arena_rig.h"

#include "../core/check.h"
#include "../fixtures/synth/maple_writer.h"
#include "../fixtures/synth/range_writer.h"

#define USER (UINT64_C(1) << 44)

enum { PAGES = 64, FREE = 51, MAPPED = 9, TASK = 0x1000 };

static struct machine_arena *is;
static struct range_writer rt;
static struct maple_writer *mt;
static struct check c;

static void check_setup(void)
{
	setup();
	memset(&c, 0, sizeof(c));
	memset(&rt, 0, sizeof(rt));
	mt = synth_alloc(sizeof(*mt));
}

static void check_teardown(void)
{
	check_free(&c);
	free(mt);
	teardown();
}

static uint64_t member(const char *name)
{
	return is->map_phys + machine_offset(&m, "bpf_arena", name);
}

static void map_pages(uint64_t first, uint64_t last)
{
	for (; first <= last; first++)
		machine_map_page(&m, is, first);
}

/*
 * 64 pages: 0-3, 10-11, 40-41, 50 mapped; 20-23 held without a page; the others free, in five
 * ranges, which are nodes 0 to 4:
 *	by start: 2 (24-39) on top, 1 (12-19) and 4 (51-63) below, 0 (4-9) and 3 (42-49) red
 *	by size:  1 on top, 4 and 0 below, 2 and 3 red
 */
static void build_range(void)
{
	is = one_arena("x86_64-7.3", PAGES, USER);
	map_pages(0, 3);
	map_pages(10, 11);
	map_pages(40, 41);
	map_pages(50, 50);
	physmem_u64(&m.pm, member("nr_pages"), MAPPED);
	rt = (struct range_writer){ .pm = &m.pm, .direct = m.direct, .tree_phys = member("rt") };
	range_add(&rt, 4, 9);
	range_add(&rt, 12, 19);
	range_add(&rt, 24, 39);
	range_add(&rt, 42, 49);
	range_add(&rt, 51, 63);
	range_write(&rt);
}

/* 0-3, 10-11 and each third page from 20 on are allocated and mapped. */
static void build_maple(void)
{
	struct maple_entry e[32] = { { 0, 3, 0 }, { 10, 11, 0 } };
	size_t n = 2;

	is = one_arena("x86_64", PAGES, USER);
	map_pages(0, 3);
	map_pages(10, 11);
	for (uint64_t at = 20; at < 62; at += 3) {
		map_pages(at, at);
		e[n++] = (struct maple_entry){ at, at, 0 };
	}
	for (size_t i = 0; i < n; i++)
		e[i].value = m.arena_map_ops;
	*mt = (struct maple_writer){
		.layout = &maple_layout_usual, .pm = &m.pm, .direct = m.direct, .gaps = true,
		.tree_phys = member("mt"), .tree_va = member("mt") + m.direct,
	};
	maple_write(mt, e, n);
	ck_assert_uint_gt(mt->n, 2);
}

static void run_check(void)
{
	snapshot(9);
	check_free(&c);
	ck_ok(check_arena(k, &a, &c, &why), why);
}

static void ck_verdict(enum verdict verdict)
{
	ck_assert_msg(c.verdict == verdict, "verdict %s, not %s; %s", check_verdict_name(c.verdict),
		      check_verdict_name(verdict), c.evidence.n ? c.evidence.item[0].text : "");
}

static void ck_evidence(enum evidence_code code)
{
	ck_assert_msg(c.evidence.count[code], "no evidence '%s'", evidence_name(code));
}

static void ck_ranges(const struct page_ranges *ranges, size_t n, const uint32_t (*want)[2])
{
	ck_assert_uint_eq(ranges->n, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(ranges->range[i].first, want[i][0]);
		ck_assert_uint_eq(ranges->range[i].last, want[i][1]);
	}
}

/* Faults of range trees. */

static void set_link(unsigned node, uint32_t link, uint32_t word, uint64_t value)
{
	physmem_u64(&m.pm, rt.node[node].phys + link + word, value);
}

static uint64_t link_of(unsigned node, uint32_t link)
{
	return rt.node[node].phys + link + m.direct;
}

static void flip_color(unsigned node, uint32_t link)
{
	uint64_t at = rt.node[node].phys + link + RB_PARENT;

	physmem_u64(&m.pm, at, physmem_get_u64(&m.pm, at) ^ RB_BLACK);
}

static void set_pages(unsigned node, uint32_t first, uint32_t last)
{
	physmem_u32(&m.pm, rt.node[node].phys + RN_START, first);
	physmem_u32(&m.pm, rt.node[node].phys + RN_LAST, last);
}

static void orphan(void)
{
	map_pages(5, 5);
	physmem_u64(&m.pm, member("nr_pages"), MAPPED + 1);
}

static void counter_too_low(void)
{
	physmem_u64(&m.pm, member("nr_pages"), MAPPED - 1);
}

static void counter_too_high(void)
{
	physmem_u64(&m.pm, member("nr_pages"), MAPPED + 1);
}

static void overlap(void)
{
	set_pages(1, 9, 19);
}

static void adjacent(void)
{
	set_pages(1, 10, 19);
}

static void order(void)
{
	set_pages(0, 30, 33);
}

static void cycle_by_start(void)
{
	set_link(0, RN_BY_START, RB_LEFT, link_of(2, RN_BY_START));
}

static void cycle_by_size(void)
{
	set_link(3, RN_BY_SIZE, RB_RIGHT, link_of(1, RN_BY_SIZE));
}

static void own_child(void)
{
	set_link(0, RN_BY_START, RB_RIGHT, link_of(0, RN_BY_START));
}

/* Up and down agree, so only its two ways lead to the child again. */
static void child_twice(void)
{
	set_link(1, RN_BY_START, RB_RIGHT, link_of(0, RN_BY_START));
}

/* Node 1 has been rotated above its parent, and the parent does not know yet. */
static void torn_rotation(void)
{
	set_link(1, RN_BY_START, RB_PARENT, RB_BLACK);
	set_link(1, RN_BY_START, RB_RIGHT, link_of(2, RN_BY_START));
}

static void torn_rotation_by_size(void)
{
	set_link(0, RN_BY_SIZE, RB_PARENT, link_of(4, RN_BY_SIZE) | RB_BLACK);
}

static void only_by_size(void)
{
	set_link(4, RN_BY_START, RB_LEFT, 0);
}

static void only_by_start(void)
{
	set_link(0, RN_BY_SIZE, RB_LEFT, 0);
}

static void leftmost_by_start(void)
{
	physmem_u64(&m.pm, rt.tree_phys + RT_BY_START + RB_LEFTMOST, link_of(1, RN_BY_START));
}

static void leftmost_by_size(void)
{
	physmem_u64(&m.pm, rt.tree_phys + RT_BY_SIZE + RB_LEFTMOST, 0);
}

static void red_red(void)
{
	flip_color(1, RN_BY_START);
}

static void red_root(void)
{
	flip_color(1, RN_BY_SIZE);
}

static void black_leaf(void)
{
	flip_color(0, RN_BY_START);
}

static void black_leaf_by_size(void)
{
	flip_color(2, RN_BY_SIZE);
}

static void subtree_last(void)
{
	physmem_u32(&m.pm, rt.node[1].phys + RN_SUBTREE_LAST, 63);
}

static void beyond_the_end(void)
{
	set_pages(4, 51, 64);
	physmem_u32(&m.pm, rt.node[4].phys + RN_SUBTREE_LAST, 64);
	physmem_u32(&m.pm, rt.node[2].phys + RN_SUBTREE_LAST, 64);
}

static void ends_before_it_begins(void)
{
	set_pages(3, 49, 42);
}

static void no_arena_has_so_many(void)
{
	set_pages(4, 51, 1 << 20);
}

/* The largest one is smaller than what follows it. */
static void order_by_size(void)
{
	set_pages(2, 39, 39);
}

static void pointer_to_nothing(void)
{
	set_link(1, RN_BY_START, RB_LEFT, UINT64_C(0xffffa00000001000));
}

static void pointer_of_no_node(void)
{
	set_link(1, RN_BY_SIZE, RB_LEFT, 0x12345);
}

static void odd_pointer(void)
{
	set_link(1, RN_BY_START, RB_LEFT, link_of(0, RN_BY_START) + 1);
}

static void shared_frame(void)
{
	machine_map_frame(&m, is, 21, truth(9, 1)->phys);
	physmem_u64(&m.pm, member("nr_pages"), MAPPED + 1);
}

/* Frees that were put off. */

static uint64_t new_span(uint64_t next, uint64_t pgoff, uint32_t n)
{
	uint64_t at = physmem_alloc(&m.pm, ps()) + 0x100;

	physmem_u64(&m.pm, at, next);
	physmem_u64(&m.pm, at + 8, (uint32_t)(USER + pgoff * ps()));
	physmem_u32(&m.pm, at + 16, n);
	return at + m.direct;
}

static void span_cycle(void)
{
	uint64_t last = new_span(0, 1, 1), second = new_span(last, 2, 1);

	physmem_u64(&m.pm, last - m.direct, second);
	physmem_u64(&m.pm, member("free_spans"), new_span(second, 3, 1));
}

static void span_of_itself(void)
{
	uint64_t span = new_span(0, 1, 1);

	physmem_u64(&m.pm, span - m.direct, span);
	physmem_u64(&m.pm, member("free_spans"), span);
}

static void span_too_long(void)
{
	physmem_u64(&m.pm, member("free_spans"), new_span(0, 1, 1 << 20));
}

static void span_of_nothing(void)
{
	physmem_u64(&m.pm, member("free_spans"), new_span(0, 1, 0));
}

static void span_nowhere(void)
{
	physmem_u64(&m.pm, member("free_spans"), UINT64_C(0xffffa00000001000));
}

static const struct { void (*plant)(void); enum evidence_code code; } faults[] = {
	{ orphan, EVIDENCE_orphan },
	{ counter_too_low, EVIDENCE_nr_pages },
	{ counter_too_high, EVIDENCE_nr_pages },
	{ overlap, EVIDENCE_tree_overlap },
	{ adjacent, EVIDENCE_tree_adjacent },
	{ order, EVIDENCE_tree_overlap },
	{ cycle_by_start, EVIDENCE_tree_parent },
	{ cycle_by_size, EVIDENCE_tree_parent },
	{ own_child, EVIDENCE_tree_parent },
	{ child_twice, EVIDENCE_tree_pointer },
	{ torn_rotation, EVIDENCE_tree_parent },
	{ torn_rotation_by_size, EVIDENCE_tree_parent },
	{ only_by_size, EVIDENCE_tree_nodes },
	{ only_by_start, EVIDENCE_tree_nodes },
	{ leftmost_by_start, EVIDENCE_tree_leftmost },
	{ leftmost_by_size, EVIDENCE_tree_leftmost },
	{ red_red, EVIDENCE_tree_color },
	{ red_root, EVIDENCE_tree_color },
	{ black_leaf, EVIDENCE_tree_height },
	{ black_leaf_by_size, EVIDENCE_tree_height },
	{ subtree_last, EVIDENCE_tree_subtree_last },
	{ beyond_the_end, EVIDENCE_tree_bounds },
	{ ends_before_it_begins, EVIDENCE_tree_bounds },
	{ no_arena_has_so_many, EVIDENCE_tree_bounds },
	{ order_by_size, EVIDENCE_tree_order },
	{ pointer_to_nothing, EVIDENCE_tree_pointer },
	{ pointer_of_no_node, EVIDENCE_tree_pointer },
	{ odd_pointer, EVIDENCE_tree_pointer },
	{ shared_frame, EVIDENCE_shared_frame },
	{ span_cycle, EVIDENCE_span_cycle },
	{ span_of_itself, EVIDENCE_span_cycle },
	{ span_too_long, EVIDENCE_span_bounds },
	{ span_of_nothing, EVIDENCE_span_bounds },
	{ span_nowhere, EVIDENCE_span_pointer },
};

enum { FAULTS = sizeof(faults) / sizeof(faults[0]) };

START_TEST(check__healthy_range_tree)
{
	static const uint32_t reserved[][2] = { { 20, 23 } };

	build_range();
	run_check();
	ck_verdict(VERDICT_CONSISTENT);
	ck_assert_uint_eq(c.evidence.n, 0);
	ck_assert_int_eq(c.allocator.kind, ALLOCATOR_RANGE);
	ck_assert(c.counted);
	ck_assert_uint_eq(c.free, FREE);
	ck_assert_uint_eq(c.allocated, PAGES - FREE);
	ck_assert_uint_eq(c.largest_hole, 16);
	ck_assert_uint_eq(c.reserved_pages, 4);
	ck_ranges(&c.reserved, 1, reserved);
	ck_assert_uint_eq(c.orphan_pages, 0);
	ck_assert_uint_eq(c.allocator.nr_pages, MAPPED);
	ck_assert_uint_eq(c.allocator.locks, 3);
	ck_assert(!check_unknown(&a, &c, &why));
}
END_TEST

START_TEST(check__planted_fault_is_damage)
{
	build_range();
	faults[_i].plant();
	run_check();
	ck_evidence(faults[_i].code);
	ck_verdict(VERDICT_DAMAGED);
}
END_TEST

/* What no change on its way explains stays damage. */
START_TEST(check__planted_fault_under_the_lock_is_in_flight)
{
	bool explained = evidence_weight(faults[_i].code) == WEIGHT_DOUBT;

	build_range();
	faults[_i].plant();
	physmem_u32(&m.pm, member("spinlock"), 1);
	run_check();
	ck_evidence(faults[_i].code);
	ck_evidence(EVIDENCE_lock_held);
	ck_verdict(explained ? VERDICT_IN_FLIGHT : VERDICT_DAMAGED);
}
END_TEST

/* From 7.0 on lock guards the list of mappings alone; its flags are waiters. */
START_TEST(check__other_locks)
{
	static const struct { const char *lock; uint64_t value; enum verdict verdict; } row[] = {
		{ "lock", TASK, VERDICT_DAMAGED }, { "zap_mutex", TASK, VERDICT_IN_FLIGHT },
		{ "zap_mutex", TASK | 3, VERDICT_IN_FLIGHT }, { "zap_mutex", 3, VERDICT_DAMAGED },
		{ "free_work", 1, VERDICT_IN_FLIGHT }, { "free_work", 0x100, VERDICT_DAMAGED },
	};

	build_range();
	orphan();
	physmem_u64(&m.pm, member(row[_i].lock), row[_i].value);
	run_check();
	ck_evidence(EVIDENCE_orphan);
	ck_verdict(row[_i].verdict);
}
END_TEST

START_TEST(check__orphans_are_ranges)
{
	static const uint32_t want[][2] = { { 5, 7 }, { 63, 63 } };

	build_range();
	map_pages(5, 7);
	map_pages(63, 63);
	run_check();
	ck_verdict(VERDICT_DAMAGED);
	ck_assert_uint_eq(c.orphan_pages, 4);
	ck_ranges(&c.orphans, 2, want);
}
END_TEST

/* A node that only one tree leads to is known all the same. */
START_TEST(check__torn_tree_hides_nothing_that_the_other_has)
{
	build_range();
	torn_rotation();
	run_check();
	ck_assert(c.counted);
	ck_assert_uint_eq(c.free, FREE);
	ck_assert_uint_eq(c.reserved_pages, 4);
}
END_TEST

START_TEST(check__scratch_pages)
{
	static const uint32_t reserved[][2] = { { 20, 23 } };

	build_range();
	machine_map_frame(&m, is, 5, is->scratch_phys);
	run_check();
	ck_verdict(VERDICT_CONSISTENT);
	ck_assert_uint_eq(c.evidence.n, 0);
	machine_map_frame(&m, is, 22, is->scratch_phys);
	kernel_close(k);
	k = kernel_open(&mem, &why);
	run_check();
	ck_verdict(VERDICT_CONSISTENT);
	ck_evidence(EVIDENCE_scratch_allocated);
	ck_assert_uint_eq(c.scratch_pages, 1);
	ck_ranges(&c.reserved, 1, reserved);
}
END_TEST

/* A range that left both trees cannot be told from a reserved one: it is shown as such. */
START_TEST(check__lost_range_is_held_without_a_page)
{
	static const uint32_t reserved[][2] = { { 20, 39 } };

	build_range();
	rt.node[2] = rt.node[3];
	rt.node[3] = rt.node[4];
	rt.n = 4;
	range_write(&rt);
	run_check();
	ck_verdict(VERDICT_CONSISTENT);
	ck_ranges(&c.reserved, 1, reserved);
	ck_assert_uint_eq(c.free, FREE - 16);
}
END_TEST

START_TEST(check__empty_tree_is_a_full_arena)
{
	is = one_arena("x86_64-7.3", 1 << 20, USER);
	run_check();
	ck_verdict(VERDICT_CONSISTENT);
	ck_assert_uint_eq(c.free, 0);
	ck_assert_uint_eq(c.reserved_pages, 1 << 20);
	ck_assert_uint_eq(c.largest_hole, 0);
}
END_TEST

START_TEST(check__waiting_frees_are_listed)
{
	static const uint32_t want[][2] = { { 3, 3 }, { 10, 11 } };

	build_range();
	physmem_u64(&m.pm, member("free_spans"), new_span(new_span(0, 10, 2), 3, 1));
	run_check();
	ck_verdict(VERDICT_IN_FLIGHT);
	ck_ranges(&c.allocator.spans, 2, want);
}
END_TEST

/* It is noticed early: three spans are not told a million times. */
START_TEST(check__cycle_of_frees_is_noticed)
{
	build_range();
	span_cycle();
	run_check();
	ck_evidence(EVIDENCE_span_cycle);
	ck_assert_uint_le(c.allocator.spans.n, 16);
	ck_assert(!c.allocator.has_spans);
}
END_TEST

START_TEST(check__longer_list_of_frees_ends)
{
	uint64_t span = 0;

	build_range();
	for (uint64_t i = 0; i < 33; i++)
		span = new_span(span, 2 * i, 1);
	physmem_u64(&m.pm, member("free_spans"), span);
	run_check();
	ck_verdict(VERDICT_IN_FLIGHT);
	ck_assert_uint_eq(c.allocator.spans.n, 33);
}
END_TEST

/* Where user space maps more than is declared, more is mapped and freed. */
START_TEST(check__longer_mapping)
{
	build_range();
	physmem_u64(&m.pm, member("user_vm_end"), USER + 128 * 4096);
	map_pages(100, 101);
	physmem_u64(&m.pm, member("nr_pages"), MAPPED + 2);
	range_add(&rt, 80, 81);
	range_write(&rt);
	run_check();
	ck_verdict(VERDICT_CONSISTENT);
	ck_evidence(EVIDENCE_untracked);
	ck_assert_uint_eq(c.free, FREE);
	ck_assert_uint_eq(c.orphan_pages, 0);
}
END_TEST

/* A node that the dump does not have: of its pages and its neighbours nothing is known. */
START_TEST(check__lost_node_is_no_damage)
{
	const enum state states[] = { STATE_EXCLUDED, STATE_ABSENT, STATE_CUT, STATE_DAMAGED };

	build_range();
	open_kernel();
	physmem_set_state(&m.pm, rt.node[_i % 5].phys, states[_i / 5]);
	run_check();
	ck_verdict(VERDICT_UNKNOWN);
	ck_evidence(EVIDENCE_unreadable);
	ck_assert(!c.counted);
	ck_assert_uint_eq(c.orphan_pages, 0);
	ck_assert(check_unknown(&a, &c, &why));
	ck_assert_int_eq(why.kind, states[_i / 5]);
	ck_assert_ptr_nonnull(strstr(why.text, "arena 9"));
}
END_TEST

START_TEST(check__lost_leaf_hides_its_neighbourhood)
{
	build_range();
	open_kernel();
	physmem_set_state(&m.pm, rt.node[0].phys, STATE_EXCLUDED);
	run_check();
	/* the first range and the pages before the second, 0-11; 20-23 are known to be held */
	ck_assert_uint_eq(c.free, FREE - 6);
	ck_assert_uint_eq(c.allocated, PAGES - FREE - 6);
	ck_assert_uint_eq(c.reserved_pages, 4);
}
END_TEST

START_TEST(check__kernel_without_a_member)
{
	static const char *const member_of[][2] = {
		{ "bpf_arena", "rt" }, { "range_node", "rn_last" }, { "range_tree", "it_root" },
		{ "rb_root_cached", "rb_leftmost" },
	};

	build_range();
	m.without_type = member_of[_i][0];
	m.without_member = member_of[_i][1];
	run_check();
	ck_verdict(VERDICT_UNKNOWN);
	ck_evidence(EVIDENCE_unknown_type);
	ck_assert(!c.counted);
}
END_TEST

/* PREEMPT_RT has another struct mutex, its owner behind what is waiting; a flag is no owner. */
START_TEST(check__mutex_of_preempt_rt)
{
	static const struct { uint64_t owner; enum verdict verdict; } row[] = {
		{ 0, VERDICT_DAMAGED }, { 1, VERDICT_DAMAGED }, { TASK, VERDICT_IN_FLIGHT },
		{ TASK | 1, VERDICT_IN_FLIGHT },
	};

	build_range();
	orphan();
	physmem_u64(&m.pm, member("zap_mutex") + 16, row[_i].owner);
	snapshot(9);
	k->members.known[MEMBER_mutex_owner] = false;
	k->members.known[MEMBER_mutex_rtmutex] = k->members.known[MEMBER_rt_mutex_base_owner] = true;
	k->members.offset[MEMBER_mutex_rtmutex] = 0;
	k->members.offset[MEMBER_rt_mutex_base_owner] = 16;
	ck_ok(check_arena(k, &a, &c, &why), why);
	ck_evidence(EVIDENCE_orphan);
	ck_verdict(row[_i].verdict);
}
END_TEST

/* A mutex that is neither: then what is wrong may be in flight. */
START_TEST(check__unknown_lock_is_no_free_lock)
{
	build_range();
	orphan();
	m.without_type = "mutex";
	m.without_member = "owner";
	run_check();
	ck_evidence(EVIDENCE_orphan);
	ck_verdict(VERDICT_UNKNOWN);
}
END_TEST

START_TEST(check__arena_without_a_struct)
{
	struct arena_found found = { .no_struct = true, .no_id = true };

	build_range();
	open_kernel();
	find();
	found.area = row_of(9)->area;
	ck_ok(arena_snapshot(k, &found, 0, &a, &problems, &why), why);
	ck_ok(check_arena(k, &a, &c, &why), why);
	ck_verdict(VERDICT_UNKNOWN);
	ck_evidence(EVIDENCE_struct_lost);
}
END_TEST

/* A chain as deep as no balanced tree. */
START_TEST(check__depth_is_bounded)
{
	is = one_arena("x86_64-7.3", 1024, USER);
	rt = (struct range_writer){ .pm = &m.pm, .direct = m.direct, .tree_phys = member("rt") };
	for (uint32_t i = 0; i < 100; i++)
		range_add(&rt, 2 * i, 2 * i);
	range_write(&rt);
	physmem_u64(&m.pm, rt.tree_phys + RT_BY_START, link_of(0, RN_BY_START));
	for (unsigned i = 0; i < 100; i++) {
		set_link(i, RN_BY_START, RB_PARENT, i ? link_of(i - 1, RN_BY_START) : 0);
		set_link(i, RN_BY_START, RB_LEFT, 0);
		set_link(i, RN_BY_START, RB_RIGHT, i < 99 ? link_of(i + 1, RN_BY_START) : 0);
	}
	run_check();
	ck_verdict(VERDICT_DAMAGED);
	ck_evidence(EVIDENCE_tree_limit);
	ck_assert_uint_eq(c.free, 100);
}
END_TEST

static uint64_t pgoff_seen, runs_seen;

static bool on_run(void *ctx, const struct check_run *run)
{
	ck_assert_ptr_eq(ctx, &c);
	ck_assert_uint_eq(run->pgoff, pgoff_seen);
	ck_assert_uint_gt(run->n, 0);
	for (uint64_t p = run->pgoff; p < run->pgoff + run->n; p++) {
		bool mapped = truth(9, p), held = p >= 20 && p <= 23;

		ck_assert_int_eq(run->page, mapped ? CHECK_PAGE : CHECK_NONE);
		ck_assert_int_eq(run->alloc, mapped || held ? ALLOC_ALLOCATED : ALLOC_FREE);
	}
	pgoff_seen += run->n;
	return ++runs_seen != 4;
}

START_TEST(check__runs_are_all_pages_once)
{
	build_range();
	run_check();
	pgoff_seen = runs_seen = 0;
	/* stops after the fourth, once */
	ck_assert(!check_runs(&a, &c, on_run, &c));
	ck_assert_uint_eq(runs_seen, 4);
	pgoff_seen = 0;
	runs_seen = 10;
	ck_assert(check_runs(&a, &c, on_run, &c));
	ck_assert_uint_eq(pgoff_seen, PAGES);
	/* 0-3 4-9 10-11 12-19 20-23 24-39 40-41 42-49 50 51-63 */
	ck_assert_uint_eq(runs_seen, 20);
}
END_TEST

/* Maple trees. */

static void maple_orphan(void)
{
	map_pages(5, 5);
}

static void maple_value(void)
{
	const struct maple_node *leaf = maple_find_node(mt, 0, 0);

	physmem_u64(&m.pm, maple_slot(mt, leaf, 0), m.arena_map_ops + 8);
}

static void maple_pivots(void)
{
	physmem_u64(&m.pm, maple_pivot(mt, maple_find_node(mt, 30, 0), 3), 1);
}

static void maple_beyond(void)
{
	const struct maple_node *leaf = maple_find_node(mt, 0, 0);

	physmem_u64(&m.pm, maple_pivot(mt, leaf, 3), leaf->last + 5);
}

static void maple_dead(void)
{
	const struct maple_node *leaf = maple_find_node(mt, 0, 0);

	physmem_u64(&m.pm, leaf->phys, leaf->va);
}

static void maple_child_outside(void)
{
	uint64_t at = maple_slot_of(mt, maple_find_node(mt, 0, 0));

	physmem_u64(&m.pm, at, (physmem_get_u64(&m.pm, at) & 0xff) | UINT64_C(0xffffa00000001000));
}

static void maple_cycle(void)
{
	physmem_u64(&m.pm, maple_slot_of(mt, maple_find_node(mt, 0, 0)),
		    maple_pointer(mt, maple_root(mt)) & ~UINT64_C(2));
}

static void maple_shared(void)
{
	machine_map_frame(&m, is, 21, truth(9, 20)->phys);
}

static const struct { void (*plant)(void); enum evidence_code code; } maple_faults[] = {
	{ maple_orphan, EVIDENCE_orphan },
	{ maple_value, EVIDENCE_maple_entry },
	{ maple_pivots, EVIDENCE_maple_node },
	{ maple_beyond, EVIDENCE_maple_node },
	{ maple_dead, EVIDENCE_maple_node },
	{ maple_child_outside, EVIDENCE_maple_node },
	{ maple_cycle, EVIDENCE_maple_node },
	{ maple_shared, EVIDENCE_shared_frame },
};

enum { MAPLE_FAULTS = sizeof(maple_faults) / sizeof(maple_faults[0]) };

START_TEST(check__healthy_maple_tree)
{
	build_maple();
	run_check();
	ck_verdict(VERDICT_CONSISTENT);
	ck_assert_uint_eq(c.evidence.n, 0);
	ck_assert_int_eq(c.allocator.kind, ALLOCATOR_MAPLE);
	ck_assert_uint_eq(c.allocated, 4 + 2 + 14);
	ck_assert_uint_eq(c.free, PAGES - 20);
	/* 12-19 */
	ck_assert_uint_eq(c.largest_hole, 8);
	ck_assert_uint_eq(c.reserved_pages, 0);
	ck_assert(!c.allocator.has_nr_pages);
	ck_assert_uint_eq(c.allocator.locks, 1);
}
END_TEST

/* Up to 6.19 lock guards all; waiters without an owner change nothing. */
START_TEST(check__planted_fault_in_a_maple_tree)
{
	static const uint64_t owners[] = { 0, 1, TASK, TASK | 1 };
	bool held = owners[_i / MAPLE_FAULTS] >= TASK;
	enum evidence_code code = maple_faults[_i % MAPLE_FAULTS].code;

	build_maple();
	maple_faults[_i % MAPLE_FAULTS].plant();
	physmem_u64(&m.pm, member("lock"), owners[_i / MAPLE_FAULTS]);
	run_check();
	ck_evidence(code);
	ck_verdict(held && code != EVIDENCE_shared_frame ? VERDICT_IN_FLIGHT : VERDICT_DAMAGED);
}
END_TEST

/* Before 6.13 nothing can reserve. */
START_TEST(check__lost_range_of_a_maple_tree)
{
	static const uint32_t lost[][2] = { { 3, 3 } };

	build_maple();
	/* as if it had never been mapped */
	physmem_u64(&m.pm, tables_entry(&m.t, machine_page_address(&m, is, 3), 12), 0);
	run_check();
	ck_verdict(VERDICT_CONSISTENT);
	ck_evidence(EVIDENCE_lost_range);
	ck_ranges(&c.reserved, 1, lost);
}
END_TEST

START_TEST(check__lost_maple_node_is_no_damage)
{
	build_maple();
	open_kernel();
	physmem_set_state(&m.pm, maple_find_node(mt, 30, 0)->phys, STATE_EXCLUDED);
	run_check();
	ck_verdict(VERDICT_UNKNOWN);
	ck_evidence(EVIDENCE_unreadable);
	ck_assert(!c.counted);
	ck_assert_uint_eq(c.orphan_pages, 0);
}
END_TEST

START_TEST(check__maple_tree_of_one_page_or_none)
{
	is = one_arena("x86_64", 1, USER);
	if (_i) {
		map_pages(0, 0);
		physmem_u64(&m.pm, member("mt") + 8, m.arena_map_ops);
	}
	run_check();
	ck_verdict(VERDICT_CONSISTENT);
	ck_assert_uint_eq(c.allocated, _i);
	ck_assert_uint_eq(c.free, 1 - _i);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, check_setup, check_teardown);
	tcase_add_test(tests, check__healthy_range_tree);
	tcase_add_loop_test(tests, check__planted_fault_is_damage, 0, FAULTS);
	tcase_add_loop_test(tests, check__planted_fault_under_the_lock_is_in_flight, 0, FAULTS);
	tcase_add_loop_test(tests, check__other_locks, 0, 6);
	tcase_add_test(tests, check__orphans_are_ranges);
	tcase_add_test(tests, check__torn_tree_hides_nothing_that_the_other_has);
	tcase_add_test(tests, check__scratch_pages);
	tcase_add_test(tests, check__lost_range_is_held_without_a_page);
	tcase_add_test(tests, check__empty_tree_is_a_full_arena);
	tcase_add_test(tests, check__waiting_frees_are_listed);
	tcase_add_test(tests, check__cycle_of_frees_is_noticed);
	tcase_add_test(tests, check__longer_list_of_frees_ends);
	tcase_add_test(tests, check__longer_mapping);
	tcase_add_loop_test(tests, check__lost_node_is_no_damage, 0, 20);
	tcase_add_test(tests, check__lost_leaf_hides_its_neighbourhood);
	tcase_add_loop_test(tests, check__kernel_without_a_member, 0, 4);
	tcase_add_loop_test(tests, check__mutex_of_preempt_rt, 0, 4);
	tcase_add_test(tests, check__unknown_lock_is_no_free_lock);
	tcase_add_test(tests, check__arena_without_a_struct);
	tcase_add_test(tests, check__depth_is_bounded);
	tcase_add_test(tests, check__runs_are_all_pages_once);
	tcase_add_test(tests, check__healthy_maple_tree);
	tcase_add_loop_test(tests, check__planted_fault_in_a_maple_tree, 0, 4 * MAPLE_FAULTS);
	tcase_add_test(tests, check__lost_range_of_a_maple_tree);
	tcase_add_test(tests, check__lost_maple_node_is_no_damage);
	tcase_add_loop_test(tests, check__maple_tree_of_one_page_or_none, 0, 2);
}

int main(void)
{
	return run_suite("check", add);
}
