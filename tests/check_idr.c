// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/idr.c against trees that fixtures/synth/idr_writer.c writes.
 */
#include "suite.h"

#include "../core/idr.h"
#include "../fixtures/synth/bytes.h"
#include "../fixtures/synth/idr_writer.h"
#include "../fixtures/synth/tables.h"

/* Direct map: 1 GiB blocks over the first 4 GiB of memory. */
#define DIRECT UINT64_C(0xffff8e8400000000)
#define IDR_PHYS UINT64_C(0x30000128)

static struct idr_layout small_layout;

struct rig {
	struct physmem pm;
	struct memory mem;
	struct tables t;
	struct idr_writer w;
	struct kernel k;
};

/* What a walk reported. */
struct event {
	bool lost;
	uint32_t first, last;
	uint64_t pointer;
	enum state kind;
	char text[128];
};

enum { EVENTS = 300 };

static struct rig *rig;
static struct fault why;
static struct event event[EVENTS];
static size_t events, stop_after;

static void set_member(enum member m, uint32_t offset, uint32_t size)
{
	rig->k.members.known[m] = true;
	rig->k.members.offset[m] = offset;
	rig->k.members.size[m] = size;
}

/* A struct kernel by hand: page tables and the members of an IDR. */
static void open_kernel(const struct idr_layout *l)
{
	struct kernel *k = &rig->k;

	k->mem = &rig->mem;
	k->page_shift = 12;
	k->page_size = 4096;
	k->format = (struct pagetable_format){
		.page_shift = 12, .levels = 4, .root = rig->t.root,
		.lowest = UINT64_C(0xffff800000000000),
		.level = { { 39, 512, false }, { 30, 512, true }, { 21, 512, true },
			   { 12, 512, false } },
		.present = { 1, 1 }, .leaf = { 0x80, 0x80 }, .page = { 1, 1 },
		.addr_mask = UINT64_C(0x000ffffffffff000),
	};
	k->pt = pagetable_new(&rig->mem, &k->format);
	set_member(MEMBER_idr_idr_rt, l->idr_rt, 16);
	set_member(MEMBER_idr_idr_base, l->idr_base, 4);
	set_member(MEMBER_xarray_xa_head, l->xa_head, 8);
	set_member(MEMBER_xa_node_shift, l->shift, 1);
	set_member(MEMBER_xa_node_offset, l->offset, 1);
	set_member(MEMBER_xa_node_parent, l->parent, 8);
	set_member(MEMBER_xa_node_array, l->array, 8);
	set_member(MEMBER_xa_node_slots, l->slots, 8u << l->slot_bits);
}

static void setup(void)
{
	rig = synth_alloc(sizeof(*rig));
	physmem_init(&rig->pm, 4096, UINT64_C(0x20000000));
	rig->mem = physmem_memory(&rig->pm);
	tables_init(&rig->t, &rig->pm, tables_config("x86_64-4"), 0x1000000);
	for (uint64_t i = 0; i < 4; i++)
		tables_map(&rig->t, DIRECT + (i << 30), i << 30, 30);
	rig->w = (struct idr_writer){
		.layout = &idr_layout_usual, .pm = &rig->pm, .direct = DIRECT,
		.idr_phys = IDR_PHYS, .idr_va = IDR_PHYS + DIRECT,
	};
	small_layout = idr_layout_usual;
	small_layout.slot_bits = 4;
	events = 0;
	stop_after = 0;
}

static void teardown(void)
{
	ck_assert_uint_eq(rig->pm.crossings, 0);
	pagetable_free(rig->k.pt);
	physmem_free(&rig->pm);
	free(rig);
}

static bool on_entry(void *ctx, uint32_t id, uint64_t pointer)
{
	ck_assert_ptr_eq(ctx, rig);
	ck_assert_uint_lt(events, EVENTS);
	event[events++] = (struct event){ false, id, id, pointer, STATE_STORED, "" };
	return events != stop_after;
}

static bool on_lost(void *ctx, uint32_t first, uint32_t last, const struct fault *f)
{
	ck_assert_ptr_eq(ctx, rig);
	ck_assert_uint_lt(events, EVENTS);
	event[events] = (struct event){ true, first, last, 0, f->kind, "" };
	snprintf(event[events++].text, sizeof(event[0].text), "%.127s", f->text);
	return events != stop_after;
}

static bool walk(void)
{
	const struct idr_visitor visitor = { on_entry, on_lost, rig };

	events = 0;
	if (!rig->k.pt)
		open_kernel(rig->w.layout);
	return idr_walk(&rig->k, rig->w.idr_va, &visitor, &why);
}

static uint64_t pointer(uint32_t id)
{
	return DIRECT + 0x40000000 + 512 * (uint64_t)id;
}

static void write_ids(const uint32_t *id, size_t n)
{
	struct idr_entry entry[64];

	ck_assert_uint_le(n, 64);
	for (size_t i = 0; i < n; i++)
		entry[i] = (struct idr_entry){ id[i], pointer(id[i]) };
	idr_write(&rig->w, entry, n);
}

/* The walk meets exactly these ids, all of them entries. */
static void ck_ids(const uint32_t *id, size_t n)
{
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(!event[i].lost, "lost: %s", event[i].text);
		ck_assert_uint_eq(event[i].first, id[i]);
		ck_u64_eq(event[i].pointer, pointer(id[i]));
	}
}

/* Event @i is the loss of these ids. */
static void ck_lost(size_t i, uint32_t first, uint32_t last, enum state kind, const char *text)
{
	ck_assert_uint_lt(i, events);
	ck_assert_msg(event[i].lost, "event %zu is id %u", i, event[i].first);
	ck_assert_uint_eq(event[i].first, first);
	ck_assert_uint_eq(event[i].last, last);
	ck_assert_int_eq(event[i].kind, kind);
	ck_assert_msg(strstr(event[i].text, text), "'%s' does not say '%s'", event[i].text, text);
}

static void ck_entry(size_t i, uint32_t id)
{
	ck_assert_uint_lt(i, events);
	ck_assert_msg(!event[i].lost, "lost: %s", event[i].text);
	ck_assert_uint_eq(event[i].first, id);
	ck_u64_eq(event[i].pointer, pointer(id));
}

/* Ids in leaves 0, 1 and 3 of the first node, and beyond it: three levels. */
static const uint32_t sparse[] = { 1, 2, 63, 64, 127, 200, 4095, 4096, 4100, 70000 };

enum { SPARSE = sizeof(sparse) / sizeof(sparse[0]) };

START_TEST(idr__empty_has_no_entries)
{
	write_ids(NULL, 0);
	ck_ids(NULL, 0);
}
END_TEST

START_TEST(idr__ids_come_ascending_from_one_to_three_levels)
{
	static const size_t n[] = { 3, 6, 10 };

	write_ids(sparse, n[_i]);
	ck_assert_uint_eq(rig->w.node[0].shift, 6 * (unsigned)_i);
	ck_ids(sparse, n[_i]);
}
END_TEST

START_TEST(idr__tree_may_be_higher_than_it_must)
{
	rig->w.levels = (unsigned)_i;
	write_ids(sparse, 3);
	ck_ids(sparse, 3);
}
END_TEST

START_TEST(idr__highest_id_is_reached)
{
	static const uint32_t ids[] = { 1, 0x7ffffffe, 0x7fffffff };

	write_ids(ids, 3);
	ck_ids(ids, 3);
}
END_TEST

START_TEST(idr__all_slots_of_a_node_are_visited)
{
	uint32_t ids[64];

	for (uint32_t i = 0; i < 64; i++)
		ids[i] = i;
	write_ids(ids, 64);
	ck_ids(ids, 64);
}
END_TEST

START_TEST(idr__base_is_added)
{
	static const uint32_t ids[] = { 1, 2, 65, 100 };

	rig->w.base = 1;
	write_ids(ids, 4);
	ck_ids(ids, 4);
}
END_TEST

START_TEST(idr__nodes_of_16_slots_are_walked)
{
	static const uint32_t ids[] = { 1, 15, 16, 255, 256, 4097 };

	rig->w.layout = &small_layout;
	write_ids(ids, 6);
	ck_assert_uint_eq(rig->w.node[0].shift, 12);
	ck_ids(ids, 6);
}
END_TEST

START_TEST(idr__other_numbers_of_slots_are_refused)
{
	static const uint32_t sizes[] = { 0, 8, 32 * 8, 65 * 8, 128 * 8, 4096 };

	write_ids(sparse, 3);
	open_kernel(rig->w.layout);
	rig->k.members.size[MEMBER_xa_node_slots] = sizes[_i];
	ck_assert(!walk());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "slots");
}
END_TEST

START_TEST(idr__members_are_where_btf_has_them)
{
	small_layout = (struct idr_layout){
		.idr_rt = 16, .idr_base = 4, .xa_head = 24, .shift = 9, .offset = 3,
		.parent = 24, .array = 32, .slots = 64, .slot_bits = 6,
	};
	rig->w.layout = &small_layout;
	write_ids(sparse, SPARSE);
	ck_ids(sparse, SPARSE);
}
END_TEST

START_TEST(idr__single_entry_without_a_node_is_the_base)
{
	write_ids(NULL, 0);
	physmem_u32(&rig->pm, IDR_PHYS + 16, 7);
	physmem_u64(&rig->pm, IDR_PHYS + 8, pointer(7));
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 1);
	ck_entry(0, 7);
}
END_TEST

START_TEST(idr__head_that_is_no_pointer_is_damage)
{
	static const uint64_t heads[] = { 1, 3, 2, 0x402, 0xffff8e8440000001 };

	write_ids(NULL, 0);
	physmem_u64(&rig->pm, IDR_PHYS + 8, heads[_i]);
	ck_assert(!walk());
	ck_fault(why, STATE_DAMAGED, "no pointer");
	ck_assert_uint_eq(events, 0);
}
END_TEST

/* XA_RETRY_ENTRY, XA_ZERO_ENTRY and siblings are no entries. */
START_TEST(idr__internal_entries_are_skipped)
{
	write_ids(sparse, 6);
	physmem_u64(&rig->pm, idr_slot(&rig->w, 5, 0), 0x402);
	physmem_u64(&rig->pm, idr_slot(&rig->w, 6, 0), 0x406);
	physmem_u64(&rig->pm, idr_slot(&rig->w, 7, 0), (3 << 2) | 2);
	physmem_u64(&rig->pm, idr_slot(&rig->w, 8, 0), 0xffe);
	physmem_u64(&rig->pm, idr_slot(&rig->w, 700, 6), 0x402);
	ck_ids(sparse, 6);
}
END_TEST

START_TEST(idr__entry_that_is_no_pointer_is_lost_alone)
{
	static const uint64_t bad[] = { 0xffff8e8440000001, 0xffff8e8440000004, 0x3, 0x1001,
					0xffff8e8440000002 /* a node below the leaves */ };

	write_ids(sparse, 6);
	physmem_u64(&rig->pm, idr_slot(&rig->w, 2, 0), bad[_i]);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 6);
	ck_entry(0, 1);
	ck_lost(1, 2, 2, STATE_DAMAGED, "no pointer");
	ck_entry(2, 63);
	ck_entry(5, 200);
}
END_TEST

START_TEST(idr__pointer_where_a_node_must_be_is_lost_with_all_its_ids)
{
	write_ids(sparse, 6);
	physmem_u64(&rig->pm, idr_slot(&rig->w, 64, 6), pointer(64));
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 5);
	ck_entry(2, 63);
	ck_lost(3, 64, 127, STATE_DAMAGED, "no pointer");
	ck_entry(4, 200);
}
END_TEST

START_TEST(idr__leaf_that_is_excluded_loses_exactly_its_ids)
{
	write_ids(sparse, SPARSE);
	physmem_set_state(&rig->pm, idr_find_node(&rig->w, 64, 0)->phys, STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, SPARSE - 1);
	ck_entry(2, 63);
	ck_lost(3, 64, 127, STATE_EXCLUDED, "excluded");
	ck_entry(4, 200);
	ck_entry(SPARSE - 2, 70000);
}
END_TEST

START_TEST(idr__upper_node_that_is_excluded_loses_exactly_its_ids)
{
	write_ids(sparse, SPARSE);
	physmem_set_state(&rig->pm, idr_find_node(&rig->w, 1, 6)->phys, STATE_CUT);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 4);
	ck_lost(0, 0, 4095, STATE_CUT, "cut");
	ck_entry(1, 4096);
	ck_entry(3, 70000);
}
END_TEST

START_TEST(idr__lost_range_counts_from_the_base)
{
	static const uint32_t ids[] = { 1000, 1100 };

	rig->w.base = 1000;
	write_ids(ids, 2);
	physmem_set_state(&rig->pm, idr_find_node(&rig->w, 1100, 0)->phys, STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 2);
	ck_entry(0, 1000);
	ck_lost(1, 1064, 1127, STATE_EXCLUDED, "excluded");
}
END_TEST

START_TEST(idr__root_that_is_excluded_loses_all)
{
	write_ids(sparse, SPARSE);
	physmem_set_state(&rig->pm, rig->w.node[0].phys, STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 1);
	ck_lost(0, 0, UINT32_MAX, STATE_EXCLUDED, "excluded");
}
END_TEST

START_TEST(idr__idr_that_is_excluded_is_an_error)
{
	write_ids(sparse, SPARSE);
	physmem_set_state(&rig->pm, IDR_PHYS, STATE_EXCLUDED);
	ck_assert(!walk());
	ck_fault(why, STATE_EXCLUDED, "excluded");
	ck_assert_uint_eq(events, 0);
}
END_TEST

/* A forged node: each of its links is checked. The leaf for 64 to 127 is the broken one. */
static void ck_leaf_is_lost(const char *text)
{
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, SPARSE - 1);
	ck_entry(2, 63);
	ck_lost(3, 64, 127, STATE_DAMAGED, text);
	ck_entry(4, 200);
}

START_TEST(idr__node_of_another_tree_is_lost)
{
	write_ids(sparse, SPARSE);
	physmem_u64(&rig->pm, idr_find_node(&rig->w, 64, 0)->phys + 16, IDR_PHYS + DIRECT + 64);
	ck_leaf_is_lost("another tree");
}
END_TEST

START_TEST(idr__node_of_another_parent_is_lost)
{
	write_ids(sparse, SPARSE);
	physmem_u64(&rig->pm, idr_find_node(&rig->w, 64, 0)->phys + 8, rig->w.node[0].va);
	ck_leaf_is_lost("another parent");
}
END_TEST

START_TEST(idr__node_of_another_slot_is_lost)
{
	write_ids(sparse, SPARSE);
	physmem_u8(&rig->pm, idr_find_node(&rig->w, 64, 0)->phys + 1, 3);
	ck_leaf_is_lost("another slot");
}
END_TEST

START_TEST(idr__node_with_an_impossible_shift_is_lost)
{
	static const uint8_t shifts[] = { 1, 6, 12, 32, 36, 255 };

	write_ids(sparse, SPARSE);
	physmem_u8(&rig->pm, idr_find_node(&rig->w, 64, 0)->phys, shifts[_i]);
	ck_leaf_is_lost("shift");
}
END_TEST

START_TEST(idr__node_that_is_not_mapped_is_lost)
{
	write_ids(sparse, SPARSE);
	physmem_u64(&rig->pm, idr_slot(&rig->w, 64, 6), UINT64_C(0xffffdead00001002));
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, SPARSE - 1);
	ck_lost(3, 64, 127, STATE_ABSENT, "not mapped");
}
END_TEST

/* An entry with bit 2: the links of what it points to may even be right. */
START_TEST(idr__node_that_is_not_aligned_is_lost)
{
	uint64_t slot;

	write_ids(sparse, SPARSE);
	slot = idr_slot(&rig->w, 64, 6);
	physmem_u64(&rig->pm, slot, physmem_get_u64(&rig->pm, slot) | 4);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, SPARSE - 1);
	ck_lost(3, 64, 127, STATE_DAMAGED, "not aligned");
}
END_TEST

/* The root in its own slot; the same leaf in two slots; a leaf's slot to its parent. */
START_TEST(idr__tree_with_a_loop_ends)
{
	const struct idr_node *root, *middle;

	write_ids(sparse, SPARSE);
	root = &rig->w.node[0];
	middle = idr_find_node(&rig->w, 1, 6);
	physmem_u64(&rig->pm, root->phys + 40 + 8 * 2, root->va | 2);
	physmem_u64(&rig->pm, root->phys + 40 + 8 * 3, middle->va | 2);
	physmem_u64(&rig->pm, middle->phys + 40 + 8 * 5, root->va | 2);
	physmem_u64(&rig->pm, middle->phys + 40 + 8 * 6, middle->va | 2);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, SPARSE + 4);
	ck_lost(6, 5 * 64, 5 * 64 + 63, STATE_DAMAGED, "node");
	ck_lost(7, 6 * 64, 6 * 64 + 63, STATE_DAMAGED, "node");
	ck_lost(11, 2 * 4096, 2 * 4096 + 4095, STATE_DAMAGED, "node");
	ck_lost(12, 3 * 4096, 3 * 4096 + 4095, STATE_DAMAGED, "node");
}
END_TEST

/* A root that calls itself its parent, and every slot of all nodes points to it. */
START_TEST(idr__forged_tree_ends)
{
	const struct idr_node *root;

	rig->w.levels = 5;
	write_ids(sparse, 3);
	root = &rig->w.node[0];
	for (uint64_t i = 0; i < 64; i++)
		physmem_u64(&rig->pm, root->phys + 40 + 8 * i, root->va | 2);
	physmem_u64(&rig->pm, root->phys + 8, root->va);
	ck_ok(walk(), why);
	ck_assert_uint_le(events, 64);
}
END_TEST

START_TEST(idr__kernel_without_xa_node_array_still_checks_parents)
{
	write_ids(sparse, SPARSE);
	open_kernel(rig->w.layout);
	rig->k.members.known[MEMBER_xa_node_array] = false;
	physmem_u64(&rig->pm, idr_find_node(&rig->w, 64, 0)->phys + 16, 0);
	ck_ids(sparse, SPARSE);
	physmem_u64(&rig->pm, idr_find_node(&rig->w, 64, 0)->phys + 8, rig->w.node[0].va);
	ck_leaf_is_lost("another parent");
}
END_TEST

START_TEST(idr__visitor_can_stop_the_walk)
{
	write_ids(sparse, SPARSE);
	physmem_set_state(&rig->pm, idr_find_node(&rig->w, 64, 0)->phys, STATE_EXCLUDED);
	fault_fill(&why, FAULT_WORKER, SPACE_NONE, 0, "untouched");
	/* 2: at an entry; 4: at a loss */
	stop_after = (size_t)_i;
	ck_assert(!walk());
	ck_assert_uint_eq(events, (size_t)_i);
	ck_fault(why, FAULT_WORKER, "untouched");
}
END_TEST

/* No id is reported twice, whatever the shift of a damaged root. */
START_TEST(idr__ids_beyond_32_bits_are_not_made_up)
{
	uint64_t slots;
	size_t last = 0;

	rig->w.levels = 6;
	write_ids(sparse, 3);
	ck_assert_uint_eq(rig->w.node[0].shift, 30);
	slots = rig->w.node[0].phys + 40;
	/* 4 << 30 is the first id that is no 32-bit number */
	for (uint64_t i = 1; i < 64; i++)
		physmem_u64(&rig->pm, slots + 8 * i, pointer(1));
	ck_ok(walk(), why);
	for (size_t i = 0; i < events; i++)
		last += event[i].last == UINT32_MAX;
	ck_assert_msg(last <= 1, "id 0xffffffff is reported %zu times", last);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, idr__empty_has_no_entries);
	tcase_add_loop_test(tests, idr__ids_come_ascending_from_one_to_three_levels, 0, 3);
	tcase_add_loop_test(tests, idr__tree_may_be_higher_than_it_must, 2, 7);
	tcase_add_test(tests, idr__highest_id_is_reached);
	tcase_add_test(tests, idr__all_slots_of_a_node_are_visited);
	tcase_add_test(tests, idr__base_is_added);
	tcase_add_test(tests, idr__nodes_of_16_slots_are_walked);
	tcase_add_loop_test(tests, idr__other_numbers_of_slots_are_refused, 0, 6);
	tcase_add_test(tests, idr__members_are_where_btf_has_them);
	tcase_add_test(tests, idr__single_entry_without_a_node_is_the_base);
	tcase_add_loop_test(tests, idr__head_that_is_no_pointer_is_damage, 0, 5);
	tcase_add_test(tests, idr__internal_entries_are_skipped);
	tcase_add_loop_test(tests, idr__entry_that_is_no_pointer_is_lost_alone, 0, 5);
	tcase_add_test(tests, idr__pointer_where_a_node_must_be_is_lost_with_all_its_ids);
	tcase_add_test(tests, idr__leaf_that_is_excluded_loses_exactly_its_ids);
	tcase_add_test(tests, idr__upper_node_that_is_excluded_loses_exactly_its_ids);
	tcase_add_test(tests, idr__lost_range_counts_from_the_base);
	tcase_add_test(tests, idr__root_that_is_excluded_loses_all);
	tcase_add_test(tests, idr__idr_that_is_excluded_is_an_error);
	tcase_add_test(tests, idr__node_of_another_tree_is_lost);
	tcase_add_test(tests, idr__node_of_another_parent_is_lost);
	tcase_add_test(tests, idr__node_of_another_slot_is_lost);
	tcase_add_loop_test(tests, idr__node_with_an_impossible_shift_is_lost, 0, 6);
	tcase_add_test(tests, idr__node_that_is_not_mapped_is_lost);
	tcase_add_test(tests, idr__node_that_is_not_aligned_is_lost);
	tcase_add_test(tests, idr__tree_with_a_loop_ends);
	tcase_add_test(tests, idr__forged_tree_ends);
	tcase_add_test(tests, idr__kernel_without_xa_node_array_still_checks_parents);
	tcase_add_loop_test(tests, idr__visitor_can_stop_the_walk, 2, 5);
	tcase_add_test(tests, idr__ids_beyond_32_bits_are_not_made_up);
}

int main(void)
{
	return run_suite("idr", add);
}
