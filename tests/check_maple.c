// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/maple.c against trees that fixtures/synth/maple_writer.c writes.
 */
#include "suite.h"

#include "../core/maple.h"
#include "../fixtures/synth/bytes.h"
#include "../fixtures/synth/maple_writer.h"
#include "../fixtures/synth/tables.h"

/* Direct map: 1 GiB blocks over the first 4 GiB of memory. */
#define DIRECT UINT64_C(0xffff8e8400000000)
#define TREE_PHYS UINT64_C(0x30000140)

enum { EVENTS = 400, VALUE = 0x100000, RANGE = 0x1000, DEPTH = 10 };

struct rig {
	struct physmem pm;
	struct memory mem;
	struct tables t;
	struct maple_writer w;
	struct kernel k;
};

/* What a walk reported. */
struct event {
	bool lost;
	uint64_t first, last, value;
	enum state kind;
	char text[128];
};

static struct rig *rig;
static struct fault why;
static struct event event[EVENTS];
static size_t events, stop_after;
static struct maple_entry entry[EVENTS];

static void set_member(enum member m, uint32_t offset, uint32_t size)
{
	rig->k.members.known[m] = true;
	rig->k.members.offset[m] = offset;
	rig->k.members.size[m] = size;
}

static void set_layout(const struct maple_layout *l)
{
	rig->w.layout = l;
	set_member(MEMBER_maple_tree_ma_root, l->ma_root, 8);
	set_member(MEMBER_maple_range_64_pivot, l->range_pivot, 8 * (l->range_slots - 1));
	set_member(MEMBER_maple_range_64_slot, l->range_slot, 8 * l->range_slots);
	set_member(MEMBER_maple_arange_64_pivot, l->arange_pivot, 8 * (l->arange_slots - 1));
	set_member(MEMBER_maple_arange_64_slot, l->arange_slot, 8 * l->arange_slots);
}

static void setup(void)
{
	struct kernel *k;

	rig = synth_alloc(sizeof(*rig));
	k = &rig->k;
	physmem_init(&rig->pm, 4096, UINT64_C(0x20000000));
	rig->mem = physmem_memory(&rig->pm);
	tables_init(&rig->t, &rig->pm, tables_config("x86_64-4"), 0x1000000);
	for (uint64_t i = 0; i < 4; i++)
		tables_map(&rig->t, DIRECT + (i << 30), i << 30, 30);
	rig->w = (struct maple_writer){
		.pm = &rig->pm, .direct = DIRECT,
		.tree_phys = TREE_PHYS, .tree_va = TREE_PHYS + DIRECT,
	};
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
	set_layout(&maple_layout_usual);
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

static bool on_entry(void *ctx, uint64_t first, uint64_t last, uint64_t value)
{
	ck_assert_ptr_eq(ctx, rig);
	ck_assert_uint_lt(events, EVENTS);
	event[events++] = (struct event){ false, first, last, value, STATE_STORED, "" };
	return events != stop_after;
}

static bool on_lost(void *ctx, uint64_t first, uint64_t last, const struct fault *f)
{
	ck_assert_ptr_eq(ctx, rig);
	ck_assert_uint_lt(events, EVENTS);
	event[events] = (struct event){ true, first, last, 0, f->kind, "" };
	snprintf(event[events++].text, sizeof(event[0].text), "%.127s", f->text);
	return events != stop_after;
}

static bool walk(void)
{
	const struct maple_visitor visitor = { on_entry, on_lost, rig };

	events = 0;
	return maple_walk(&rig->k, rig->w.tree_va, &visitor, &why);
}

/* Entry @i is at [(2i + 1) RANGE, (2i + 2) RANGE - 1]: a gap before each. */
static void write_spread(size_t n)
{
	for (size_t i = 0; i < n; i++)
		entry[i] = (struct maple_entry){ (2 * i + 1) * RANGE, (2 * i + 2) * RANGE - 1,
						 VALUE + 8 * i };
	maple_write(&rig->w, entry, n);
}

static void ck_entry(size_t at, const struct maple_entry *e)
{
	ck_assert_uint_lt(at, events);
	ck_assert_msg(!event[at].lost, "lost: %s", event[at].text);
	ck_u64_eq(event[at].first, e->first);
	ck_u64_eq(event[at].last, e->last);
	ck_u64_eq(event[at].value, e->value);
}

/* The walk meets exactly the first @n of entry[]. */
static void ck_all(size_t n)
{
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, n);
	for (size_t i = 0; i < n; i++)
		ck_entry(i, &entry[i]);
}

/*
 * Exactly the entries below [@first, @last] are missing, and one event says that this range is
 * lost. @n: entries that were written.
 */
static void ck_lost_range(size_t n, uint64_t first, uint64_t last, enum state kind,
			  const char *text)
{
	size_t at = 0;
	bool said = false;

	ck_ok(walk(), why);
	for (size_t i = 0; i < n; i++) {
		if (entry[i].first > first && !said) {
			ck_assert_uint_lt(at, events);
			ck_assert_msg(event[at].lost, "event %zu is no loss", at);
			ck_u64_eq(event[at].first, first);
			ck_u64_eq(event[at].last, last);
			ck_assert_int_eq(event[at].kind, kind);
			ck_assert_msg(strstr(event[at].text, text), "'%s' does not say '%s'",
				      event[at].text, text);
			at++;
			said = true;
		}
		if (entry[i].first < first || entry[i].first > last)
			ck_entry(at++, &entry[i]);
	}
	ck_assert(said);
	ck_assert_uint_eq(events, at);
}

START_TEST(maple__empty_has_no_entries)
{
	write_spread(0);
	ck_all(0);
}
END_TEST

START_TEST(maple__single_entry_at_0_needs_no_node)
{
	entry[0] = (struct maple_entry){ 0, 0, VALUE };
	maple_write(&rig->w, entry, 1);
	ck_assert_uint_eq(rig->w.n, 0);
	ck_all(1);
}
END_TEST

/* One leaf, two, three and more levels; both types of inner nodes; both ways to end a node. */
START_TEST(maple__entries_come_ascending_from_all_levels)
{
	static const size_t sizes[] = { 1, 7, 8, 9, 60, 150 };

	for (unsigned fill = 0; fill <= 6; fill += 3) {
		for (size_t i = 0; i < 6; i++) {
			rig->w.fill = fill;
			rig->w.gaps = _i & 1;
			rig->w.open_end = _i & 2;
			write_spread(sizes[i]);
			ck_all(sizes[i]);
		}
		if (fill == 3)
			ck_assert_uint_ge(maple_root(&rig->w)->level, 3);
	}
}
END_TEST

START_TEST(maple__first_and_last_index_are_reached)
{
	entry[0] = (struct maple_entry){ 0, 0, VALUE };
	entry[1] = (struct maple_entry){ 1, 5, VALUE + 8 };
	entry[2] = (struct maple_entry){ UINT64_MAX, UINT64_MAX, VALUE + 16 };
	maple_write(&rig->w, entry, 3);
	ck_all(3);
	entry[0] = (struct maple_entry){ 0, UINT64_MAX, VALUE };
	maple_write(&rig->w, entry, 1);
	ck_all(1);
}
END_TEST

START_TEST(maple__all_slots_of_a_leaf_are_visited)
{
	for (size_t i = 0; i < 16; i++)
		entry[i] = (struct maple_entry){ i, i == 15 ? UINT64_MAX : i, VALUE + 8 * i };
	maple_write(&rig->w, entry, 16);
	ck_assert_uint_eq(rig->w.n, 1);
	ck_assert_uint_eq(rig->w.node[0].slots, 16);
	ck_all(16);
}
END_TEST

/* A node without pivots: slot i is index i. */
START_TEST(maple__dense_node_has_a_slot_for_each_index)
{
	uint64_t phys = physmem_alloc(&rig->pm, 4096) + 0x200;

	for (size_t i = 0; i < 31; i++) {
		entry[i] = (struct maple_entry){ i, i, VALUE + 8 * i };
		physmem_u64(&rig->pm, phys + 8 + 8 * i, entry[i].value);
	}
	physmem_u64(&rig->pm, phys, rig->w.tree_va | 1);
	physmem_u64(&rig->pm, TREE_PHYS + 8, (phys + DIRECT) | 6);
	ck_all(31);
}
END_TEST

START_TEST(maple__members_are_where_btf_has_them)
{
	static const struct maple_layout other = {
		.ma_root = 16, .range_pivot = 16, .range_slot = 96, .range_slots = 11,
		.arange_pivot = 64, .arange_slot = 8, .arange_slots = 7,
	};

	set_layout(&other);
	rig->w.gaps = true;
	rig->w.open_end = true;
	write_spread(100);
	ck_all(100);
}
END_TEST

START_TEST(maple__unknown_nodes_are_refused)
{
	static const enum member all[] = {
		MEMBER_maple_tree_ma_root, MEMBER_maple_range_64_pivot,
		MEMBER_maple_range_64_slot, MEMBER_maple_arange_64_pivot,
		MEMBER_maple_arange_64_slot,
	};
	struct members *m = &rig->k.members;

	write_spread(3);
	ck_all(3);
	if (_i < 5)
		m->known[all[_i]] = false;
	else if (_i < 8)
		m->size[MEMBER_maple_range_64_slot] = (uint32_t[]){ 136, 120, 8 }[_i - 5];
	else
		m->offset[MEMBER_maple_arange_64_slot] = (uint32_t[]){ 200, 0xffffffb0 }[_i - 8];
	ck_assert(!walk());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "maple tree");
	ck_assert_uint_eq(events, 0);
}
END_TEST

START_TEST(maple__entries_of_the_kernel_itself_are_skipped)
{
	const struct maple_node *leaf;

	write_spread(3);
	leaf = maple_root(&rig->w);
	/* a zero entry, and a retry entry; a value of bit 0 is an entry like others */
	physmem_u64(&rig->pm, maple_slot(&rig->w, leaf, 0), 0x406);
	physmem_u64(&rig->pm, maple_slot(&rig->w, leaf, 2), 0x402);
	ck_all(3);
	physmem_u64(&rig->pm, maple_slot(&rig->w, leaf, 1), 7);
	entry[0].value = 7;
	ck_all(3);
}
END_TEST

START_TEST(maple__internal_entry_as_root_is_empty)
{
	physmem_u64(&rig->pm, TREE_PHYS + 8, 0x406);
	ck_all(0);
}
END_TEST

START_TEST(maple__leaf_that_is_excluded_loses_exactly_its_range)
{
	const struct maple_node *leaf;

	write_spread(60);
	leaf = maple_find_node(&rig->w, entry[20].first, 0);
	physmem_set_state(&rig->pm, leaf->phys, STATE_EXCLUDED);
	ck_lost_range(60, leaf->first, leaf->last, STATE_EXCLUDED, "excluded");
	physmem_set_state(&rig->pm, leaf->phys, STATE_STORED);
	ck_all(60);
}
END_TEST

START_TEST(maple__inner_node_that_is_excluded_loses_exactly_its_range)
{
	const struct maple_node *node;

	rig->w.fill = 4;
	write_spread(60);
	node = maple_find_node(&rig->w, entry[20].first, 1);
	physmem_set_state(&rig->pm, node->phys, STATE_CUT);
	ck_lost_range(60, node->first, node->last, STATE_CUT, "cut");
}
END_TEST

START_TEST(maple__root_that_is_excluded_loses_all)
{
	write_spread(60);
	physmem_set_state(&rig->pm, maple_root(&rig->w)->phys, STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 1);
	ck_assert(event[0].lost);
	ck_u64_eq(event[0].first, 0);
	ck_u64_eq(event[0].last, UINT64_MAX);
	stop_after = 1;
	ck_assert(!walk());
}
END_TEST

START_TEST(maple__tree_that_is_excluded_is_an_error)
{
	write_spread(60);
	physmem_set_state(&rig->pm, TREE_PHYS, STATE_EXCLUDED);
	ck_assert(!walk());
	ck_fault(why, STATE_EXCLUDED, "excluded");
	ck_assert_uint_eq(events, 0);
}
END_TEST

/* Lies of one leaf, by its parent word. */
START_TEST(maple__node_in_a_wrong_place_is_lost)
{
	static const char *const text[] = { "dead", "another parent", "another slot" };
	const struct maple_node *leaf, *parent;
	uint64_t word;

	write_spread(60);
	leaf = maple_find_node(&rig->w, entry[20].first, 0);
	parent = maple_find_node(&rig->w, entry[20].first, 1);
	word = physmem_get_u64(&rig->pm, leaf->phys);
	physmem_u64(&rig->pm, leaf->phys, (uint64_t[]){ leaf->va, parent->va + 0x100,
							word ^ 0x8 }[_i]);
	ck_lost_range(60, leaf->first, leaf->last, STATE_DAMAGED, text[_i]);
	physmem_u64(&rig->pm, leaf->phys, word);
	ck_all(60);
}
END_TEST

START_TEST(maple__pointer_that_is_none_of_a_node_is_lost)
{
	const struct maple_node *leaf;
	/* the bit of a root; no bit 2; bit 7; types 4, 15; of no node at all; beyond all tables */
	static const uint64_t flip[] = { 2, 4, 0x80, 5 << 3, 14 << 3 };
	uint64_t slot, good;

	write_spread(60);
	leaf = maple_find_node(&rig->w, entry[20].first, 0);
	slot = maple_slot_of(&rig->w, leaf);
	good = physmem_get_u64(&rig->pm, slot);
	physmem_u64(&rig->pm, slot, good ^ flip[_i]);
	ck_lost_range(60, leaf->first, leaf->last, STATE_DAMAGED, "no known type");
	physmem_u64(&rig->pm, slot, 0);
	ck_lost_range(60, leaf->first, leaf->last, STATE_DAMAGED, "empty slot");
	physmem_u64(&rig->pm, slot, UINT64_C(0xffffdead0000000c));
	ck_lost_range(60, leaf->first, leaf->last, STATE_ABSENT, "not mapped");
	physmem_u64(&rig->pm, slot, UINT64_C(0x7fff0000000c));
	ck_lost_range(60, leaf->first, leaf->last, STATE_DAMAGED, "no kernel address");
	physmem_u64(&rig->pm, slot, good);
	ck_all(60);
}
END_TEST

START_TEST(maple__root_of_another_tree_is_lost)
{
	const struct maple_node *root;

	write_spread(60);
	root = maple_root(&rig->w);
	physmem_u64(&rig->pm, root->phys, (rig->w.tree_va + 0x100) | 1);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 1);
	ck_assert(event[0].lost);
	ck_assert(strstr(event[0].text, "another tree"));
	/* a child's pointer as root: the bit of the root is missing */
	physmem_u64(&rig->pm, root->phys, rig->w.tree_va | 1);
	ck_all(60);
}
END_TEST

/* What comes before the bad pivot is good; the rest of the node is not known. */
START_TEST(maple__pivot_out_of_order_loses_the_rest_of_the_node)
{
	const struct maple_node *leaf;
	uint64_t from;

	write_spread(60);
	leaf = maple_find_node(&rig->w, entry[20].first, 0);
	/* descending; below the node; above it */
	from = physmem_get_u64(&rig->pm, maple_pivot(&rig->w, leaf, 3)) + 1;
	physmem_u64(&rig->pm, maple_pivot(&rig->w, leaf, 4),
		    (uint64_t[]){ from - 2, 1, leaf->last + 1 }[_i]);
	ck_lost_range(60, from, leaf->last, STATE_DAMAGED, "pivot");
}
END_TEST

START_TEST(maple__first_pivot_of_0_is_no_end)
{
	entry[0] = (struct maple_entry){ 0, 0, VALUE };
	entry[1] = (struct maple_entry){ 4, 9, VALUE + 8 };
	maple_write(&rig->w, entry, 2);
	ck_u64_eq(physmem_get_u64(&rig->pm, maple_pivot(&rig->w, maple_root(&rig->w), 0)), 0);
	ck_all(2);
	write_spread(60);
	/* but where 0 is below the node it is a lie */
	physmem_u64(&rig->pm, maple_pivot(&rig->w, maple_find_node(&rig->w, entry[20].first, 0), 0),
		    0);
	ck_lost_range(60, maple_find_node(&rig->w, entry[20].first, 0)->first,
		      maple_find_node(&rig->w, entry[20].first, 0)->last, STATE_DAMAGED, "pivot");
}
END_TEST

/* @n nodes, each the only child of the one before; the last is a leaf with one entry. */
static void write_chain(unsigned n)
{
	uint64_t parent = rig->w.tree_va | 1;
	uint64_t link = TREE_PHYS + 8;

	for (unsigned i = 0; i < n; i++) {
		uint64_t phys = physmem_alloc(&rig->pm, 4096);
		uint64_t type = i + 1 == n ? 1 : 2;

		physmem_u64(&rig->pm, link, (phys + DIRECT) | type << 3 | (i ? 4 : 6));
		physmem_u64(&rig->pm, phys, parent);
		physmem_u64(&rig->pm, phys + 8, UINT64_MAX);
		link = phys + 128;
		parent = phys + DIRECT;
	}
	physmem_u64(&rig->pm, link, VALUE);
	entry[0] = (struct maple_entry){ 0, UINT64_MAX, VALUE };
}

START_TEST(maple__depth_is_limited)
{
	write_chain(DEPTH);
	ck_all(1);
	write_chain(DEPTH + 1);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 1);
	ck_assert(event[0].lost);
	ck_assert(strstr(event[0].text, "too deep"));
}
END_TEST

/* Every slot of all nodes points to the root, or to the first child. */
START_TEST(maple__forged_tree_ends)
{
	const struct maple_node *root;

	rig->w.fill = 4;
	write_spread(60);
	root = maple_root(&rig->w);
	for (size_t i = 0; i < rig->w.n; i++) {
		const struct maple_node *n = &rig->w.node[i];

		for (unsigned s = 0; n->level && s < n->slots; s++)
			physmem_u64(&rig->pm, maple_slot(&rig->w, n, s),
				    _i ? maple_pointer(&rig->w, &rig->w.node[root->child]) :
					 (maple_pointer(&rig->w, root) & ~UINT64_C(2)));
	}
	ck_ok(walk(), why);
	ck_assert_uint_le(events, rig->w.n * 4);
	for (size_t i = 0; i < events; i++)
		ck_assert(event[i].lost);
}
END_TEST

START_TEST(maple__visitor_can_stop_the_walk)
{
	const struct maple_node *leaf;

	write_spread(60);
	leaf = maple_find_node(&rig->w, entry[20].first, 0);
	physmem_set_state(&rig->pm, leaf->phys, STATE_EXCLUDED);
	ck_ok(walk(), why);
	for (stop_after = 1; !event[stop_after - 1].lost; stop_after++)
		;
	/* at the loss; at the entry before it */
	stop_after -= (size_t)_i;
	fault_fill(&why, FAULT_WORKER, SPACE_NONE, 0, "untouched");
	ck_assert(!walk());
	ck_assert_uint_eq(events, stop_after);
	ck_fault(why, FAULT_WORKER, "untouched");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, maple__empty_has_no_entries);
	tcase_add_test(tests, maple__single_entry_at_0_needs_no_node);
	tcase_add_loop_test(tests, maple__entries_come_ascending_from_all_levels, 0, 4);
	tcase_add_test(tests, maple__first_and_last_index_are_reached);
	tcase_add_test(tests, maple__all_slots_of_a_leaf_are_visited);
	tcase_add_test(tests, maple__dense_node_has_a_slot_for_each_index);
	tcase_add_test(tests, maple__members_are_where_btf_has_them);
	tcase_add_loop_test(tests, maple__unknown_nodes_are_refused, 0, 10);
	tcase_add_test(tests, maple__entries_of_the_kernel_itself_are_skipped);
	tcase_add_test(tests, maple__internal_entry_as_root_is_empty);
	tcase_add_test(tests, maple__leaf_that_is_excluded_loses_exactly_its_range);
	tcase_add_test(tests, maple__inner_node_that_is_excluded_loses_exactly_its_range);
	tcase_add_test(tests, maple__root_that_is_excluded_loses_all);
	tcase_add_test(tests, maple__tree_that_is_excluded_is_an_error);
	tcase_add_loop_test(tests, maple__node_in_a_wrong_place_is_lost, 0, 3);
	tcase_add_loop_test(tests, maple__pointer_that_is_none_of_a_node_is_lost, 0, 5);
	tcase_add_test(tests, maple__root_of_another_tree_is_lost);
	tcase_add_loop_test(tests, maple__pivot_out_of_order_loses_the_rest_of_the_node, 0, 3);
	tcase_add_test(tests, maple__first_pivot_of_0_is_no_end);
	tcase_add_test(tests, maple__depth_is_limited);
	tcase_add_loop_test(tests, maple__forged_tree_ends, 0, 2);
	tcase_add_loop_test(tests, maple__visitor_can_stop_the_walk, 0, 2);
}

int main(void)
{
	return run_suite("maple", add);
}
