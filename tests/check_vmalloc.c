// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/vmalloc.c against nodes of areas that fixtures/synth/vmalloc_writer.c writes. The tree of
 * 2^n - 1 areas is even: of 15, area 7 is the root, 3 and 11 are its children, even ones leaves.
 */
#include "suite.h"

#include "../core/vmalloc.h"
#include "../fixtures/synth/machine.h"

enum { NEXT, PREV, LEFT, RIGHT, PARENT };

static struct machine m;
static struct memory mem;
static struct kernel *k;
static struct fault why, lost_why;
static struct vmalloc_area *found;
static size_t founds, losses, stop_after;

/* Areas beyond those of the machine */
static struct vmalloc_entry *many;

static void setup(void)
{
	memset(&m, 0, sizeof(m));
	k = NULL;
	many = NULL;
	found = NULL;
	founds = losses = stop_after = 0;
}

static void teardown(void)
{
	ck_assert_uint_eq(m.pm.crossings, 0);
	kernel_close(k);
	machine_free(&m);
	free(found);
	free(many);
}

static bool on_area(void *ctx, const struct vmalloc_area *area)
{
	ck_assert_ptr_eq(ctx, &m);
	found = synth_realloc(found, (founds + 1) * sizeof(*found));
	found[founds++] = *area;
	return founds + losses != stop_after;
}

static bool on_lost(void *ctx, const struct fault *f)
{
	ck_assert_ptr_eq(ctx, &m);
	lost_why = *f;
	losses++;
	return founds + losses != stop_after;
}

static bool walk(void)
{
	const struct vmalloc_visitor visitor = { on_area, on_lost, &m };

	founds = losses = 0;
	return vmalloc_walk(k, &visitor, &why);
}

static void open_kernel(void)
{
	machine_finish(&m);
	mem = machine_memory(&m);
	k = kernel_open(&mem, &why);
	ck_assert_msg(k, "%s", why.text);
}

/* How often area @e was reported, and that it was as it is. */
static size_t count_of(const struct vmalloc_entry *e)
{
	size_t n = 0;

	for (size_t i = 0; i < founds; i++)
		if (found[i].va == e->phys + m.direct) {
			ck_u64_eq(found[i].start, e->start);
			ck_u64_eq(found[i].end, e->end);
			ck_u64_eq(found[i].vm, e->vm);
			n++;
		}
	return n;
}

static void ck_all_of(const struct vmalloc_entry *e, size_t n)
{
	ck_ok(walk(), why);
	ck_assert_msg(!losses, "lost: %s", lost_why.text);
	ck_assert_uint_eq(founds, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(count_of(&e[i]), 1);
}

/* All areas are found, and nothing is said to be lost. */
static void ck_all(void)
{
	ck_all_of(m.area, m.areas);
}

/* One loss is reported; exactly the areas with a bit in @gone are not found. */
static void ck_gone(uint64_t gone, enum state kind, const char *text)
{
	ck_ok(walk(), why);
	ck_assert_uint_eq(losses, 1);
	ck_fault(lost_why, kind, "vmalloc areas: ");
	ck_fault(lost_why, kind, text);
	for (size_t i = 0; i < m.areas; i++)
		ck_assert_msg(count_of(&m.area[i]) == !(gone >> i & 1),
			      "area %zu is found %zu times", i, count_of(&m.area[i]));
	ck_assert_uint_eq(founds, m.areas - (size_t)__builtin_popcountll(gone));
}

/* 15 areas in one node; 4 of them the machine's own. */
static void fifteen(const char *name)
{
	machine_init(&m, machine_config(name));
	m.vmap_nodes_n = 1;
	for (size_t i = 0; i < 11; i++)
		machine_add_area(&m, (i + 2) * m.pm.page_size, i % 3 ? 2 : 0);
	open_kernel();
	ck_assert_uint_eq(m.areas, 15);
	ck_u64_eq(m.area[7].parent, 0);
	ck_u64_eq(m.area[3].parent, m.area[7].phys);
	ck_u64_eq(m.area[5].parent, m.area[3].phys);
	ck_u64_eq(m.area[6].parent, m.area[5].phys);
}

static void lose(size_t i)
{
	physmem_set_state(&m.pm, m.area[i].phys, STATE_EXCLUDED);
}

/* include/linux/types.h, rbtree_types.h: what of an area's struct a link is. */
static uint64_t at_link(size_t i, unsigned link)
{
	static const unsigned in[] = { 0, 8, 16, 8, 0 };
	const struct vmalloc_layout *l = &m.vmap.layout;

	return m.area[i].phys + (link <= PREV ? l->list : l->rb_node) + in[link];
}

static void set_link(size_t i, unsigned link, uint64_t value)
{
	physmem_u64(&m.pm, at_link(i, link), value);
}

static uint64_t list_of(size_t i)
{
	return m.area[i].phys + m.direct + m.vmap.layout.list;
}

static uint64_t tree_of(size_t i)
{
	return m.area[i].phys + m.direct + m.vmap.layout.rb_node;
}

static void set_root(uint64_t value)
{
	physmem_u64(&m.pm, vmalloc_root(&m.vmap, 0), value);
}

/* Pointers that lead to no area. */
static uint64_t junk(int i)
{
	switch (i) {
	case 0:
		return 0x10;
	case 1:
		return list_of(5) + 1;
	case 2:
		return UINT64_C(0x7fdf09cef028);
	case 3:
		return UINT64_MAX;
	case 4:
		return UINT64_MAX - 7;
	case 5:
		return UINT64_C(0xffffdead00000028);
	case 6:			/* a page of zeros */
		return physmem_alloc(&m.pm, m.pm.page_size) + m.direct + 0x400;
	case 7:
		return m.stext;
	}
	return list_of(9);
}

enum { JUNK = 9 };

START_TEST(vmalloc__each_machine_has_all_its_areas)
{
	static const struct arena_spec spec = { .id = 9, .name = "a", .max_entries = 4 };
	size_t arenas = 0;

	machine_init(&m, &machine_configs[_i / 2]);
	m.vmap_nodes_n = _i % 2 ? 4 : 1;
	for (size_t i = 0; i < 5; i++)
		machine_add_arena(&m, &spec);
	open_kernel();
	ck_all();
	for (size_t i = 0; i < m.arenas; i++)
		for (size_t j = 0; j < founds; j++)
			arenas += found[j].vm == m.arena[i].vm &&
				  found[j].start == m.arena[i].area &&
				  found[j].end - found[j].start == m.arena[i].area_size;
	ck_assert_uint_eq(arenas, 5);
}
END_TEST

START_TEST(vmalloc__nodes_may_be_empty)
{
	unsigned used = 0;

	machine_init(&m, machine_config("x86_64-7.3"));
	open_kernel();
	for (size_t i = 0; i < m.areas; i++)
		used |= 1u << m.area[i].node;
	ck_assert_uint_ne(used, 15);
	ck_all();
}
END_TEST

START_TEST(vmalloc__an_area_of_a_whole_list_is_read_once)
{
	fifteen("x86_64-7.3");
	physmem_forget_reads(&m.pm);
	ck_all();
	for (size_t i = 0; i < m.areas; i++)
		ck_assert_uint_eq(physmem_reads(&m.pm, m.area[i].phys), 1);
}
END_TEST

START_TEST(vmalloc__one_lost_area_costs_itself_only)
{
	fifteen(_i % 2 ? "x86_64-7.3" : "aarch64-16k");
	ck_all();
	lose((size_t)_i / 2);
	ck_gone(UINT64_C(1) << (_i / 2), STATE_EXCLUDED, "1 of node 0 cannot be read");
	ck_fault(lost_why, STATE_EXCLUDED, "excluded");
}
END_TEST

START_TEST(vmalloc__both_ends_of_the_list_are_lost)
{
	fifteen("x86_64-7.3");
	lose(0);
	lose(14);
	ck_gone(0x4001, STATE_EXCLUDED, "2 of node 0");
}
END_TEST

START_TEST(vmalloc__root_and_first_are_lost)
{
	fifteen("x86_64-7.3");
	lose(0);
	lose(7);
	/* the lower half hangs on these two alone */
	ck_gone(0xff, STATE_EXCLUDED, "2 of node 0");
}
END_TEST

/* List and tree break before 3 to 6; 1, found by the list, knows its parent 3. */
START_TEST(vmalloc__areas_lead_up_the_tree)
{
	fifteen("x86_64-7.3");
	lose(2);
	lose(7);
	ck_gone(0x84, STATE_EXCLUDED, "2 of node 0");
}
END_TEST

START_TEST(vmalloc__nothing_leads_in)
{
	fifteen("x86_64-7.3");
	lose(0);
	lose(7);
	lose(14);
	ck_gone(0x7fff, STATE_EXCLUDED, "3 of node 0");
}
END_TEST

/* The tree seems to be whole without it: its parent has forgotten it. */
START_TEST(vmalloc__lost_area_that_only_the_list_knows_is_a_loss)
{
	fifteen("x86_64-7.3");
	set_link(5, RIGHT, 0);
	ck_all();
	lose(6);
	ck_gone(1 << 6, STATE_EXCLUDED, "1 of node 0 cannot be read");
}
END_TEST

START_TEST(vmalloc__broken_list_is_made_up_for_by_the_tree)
{
	fifteen("x86_64-7.3");
	set_link(4, (unsigned)_i % 2, junk(_i / 2));
	ck_all();
}
END_TEST

START_TEST(vmalloc__broken_tree_does_not_matter_to_a_whole_list)
{
	fifteen("x86_64-7.3");
	set_link(11, LEFT, junk(_i));
	set_link(3, RIGHT, 0);
	set_link(5, PARENT, junk(_i));
	ck_all();
}
END_TEST

START_TEST(vmalloc__links_of_one_direction_prove_that_nothing_is_missing)
{
	fifteen("x86_64-7.3");
	set_link(4, NEXT, junk(_i));
	set_link(9, PREV, junk(_i));
	set_root(tree_of(2));
	set_link(3, LEFT, junk(_i));
	ck_all();
}
END_TEST

/* Between 4 and 5 there may have been another. */
START_TEST(vmalloc__gap_in_list_and_tree_is_a_loss)
{
	fifteen("x86_64-7.3");
	set_link(4, NEXT, junk(_i));
	set_link(5, PREV, junk(_i));
	set_link(5, LEFT, junk(_i));
	ck_gone(0, STATE_DAMAGED, "node 0");
}
END_TEST

START_TEST(vmalloc__area_that_cannot_be_is_lost)
{
	uint64_t start, end;

	fifteen("x86_64-7.3");
	ck_all();
	start = m.area[6].start;
	end = m.area[6].end;
	switch (_i) {
	case 0:
		end = start;
		break;
	case 1:
		end = start - m.pm.page_size;
		break;
	case 2:
		start++;
		break;
	case 3:
		end--;
		break;
	case 4:
		start = 0;
		break;
	case 5:
		start = UINT64_C(0x7fdf09cef000);
		break;
	}
	physmem_u64(&m.pm, m.area[6].phys + m.vmap.layout.va_start, start);
	physmem_u64(&m.pm, m.area[6].phys + m.vmap.layout.va_end, end);
	ck_gone(1 << 6, STATE_DAMAGED, "cannot be");
}
END_TEST

/* A struct that was freed: its area is fine, but nothing of the node knows of it. */
START_TEST(vmalloc__stale_area_is_not_believed)
{
	uint64_t stale;

	fifteen("x86_64-7.3");
	stale = physmem_alloc(&m.pm, m.pm.page_size) + 0x400;
	physmem_u64(&m.pm, stale + m.vmap.layout.va_start, m.vmalloc);
	physmem_u64(&m.pm, stale + m.vmap.layout.va_end, m.vmalloc + m.pm.page_size);
	physmem_u64(&m.pm, stale + m.vmap.layout.vm, m.direct + stale);
	set_link(14, NEXT, stale + m.direct + m.vmap.layout.list);
	set_link(14, RIGHT, stale + m.direct + m.vmap.layout.rb_node);
	ck_all();
}
END_TEST

START_TEST(vmalloc__list_in_a_ring_ends)
{
	fifteen("x86_64-7.3");
	set_link((size_t)_i, NEXT, list_of(2));
	set_link(2, PREV, list_of((size_t)_i));
	ck_all();
}
END_TEST

START_TEST(vmalloc__tree_in_a_ring_ends)
{
	fifteen("x86_64-7.3");
	set_link(14, NEXT, list_of(0));
	set_link(0, PREV, list_of(14));
	set_link(7, PARENT, tree_of(14));
	set_link(14, RIGHT, tree_of(7));
	set_link(6, LEFT, tree_of(6));
	set_link(6, PARENT, tree_of(6));
	ck_ok(walk(), why);
	ck_assert_uint_eq(losses, 1);
	ck_assert_uint_le(founds, 15);
	for (size_t i = 0; i < 15; i++)
		ck_assert_uint_le(count_of(&m.area[i]), 1);
}
END_TEST

/* Every link of all areas leads to one of them. */
START_TEST(vmalloc__forged_links_end)
{
	fifteen("x86_64-7.3");
	for (size_t i = 0; i < 15; i++)
		for (unsigned link = NEXT; link <= PARENT; link++)
			set_link(i, link, link <= PREV ? list_of((size_t)_i) :
				 tree_of((size_t)_i));
	ck_ok(walk(), why);
	ck_assert_uint_eq(losses, 1);
	ck_assert_uint_le(founds, 2);
}
END_TEST

START_TEST(vmalloc__empty_list_of_a_node_with_a_tree_is_not_believed)
{
	uint64_t head;

	fifteen("x86_64-7.3");
	head = vmalloc_head(&m.vmap, 0);
	physmem_u64(&m.pm, head, head + m.direct);
	physmem_u64(&m.pm, head + 8, head + m.direct);
	ck_all();
	set_root(junk(5));
	ck_gone(0x7fff, STATE_ABSENT, "node 0");
}
END_TEST

START_TEST(vmalloc__node_of_zeros_is_lost)
{
	fifteen("x86_64-7.3");
	physmem_u64(&m.pm, vmalloc_head(&m.vmap, 0), 0);
	physmem_u64(&m.pm, vmalloc_head(&m.vmap, 0) + 8, 0);
	ck_all();
	set_root(0);
	ck_gone(0x7fff, STATE_DAMAGED, "node 0");
}
END_TEST

START_TEST(vmalloc__lost_node_costs_its_areas_only)
{
	uint64_t gone = 0;

	machine_init(&m, machine_config("x86_64-7.3"));
	for (size_t i = 0; i < 12; i++)
		machine_add_area(&m, 16 * m.pm.page_size, 2);
	open_kernel();
	ck_all();
	for (size_t i = 0; i < m.areas; i++)
		gone |= (uint64_t)(m.area[i].node == (unsigned)_i) << i;
	ck_assert_uint_ne(gone, 0);
	physmem_set_state(&m.pm, vmalloc_head(&m.vmap, (unsigned)_i), STATE_EXCLUDED);
	ck_gone(gone, STATE_EXCLUDED, _i == 2 ? "node 2: " : "excluded");
}
END_TEST

START_TEST(vmalloc__each_node_reports_its_own_loss)
{
	size_t gone = 0;

	machine_init(&m, machine_config("x86_64-7.3"));
	for (size_t i = 0; i < 12; i++)
		machine_add_area(&m, 16 * m.pm.page_size, 2);
	open_kernel();
	for (size_t i = 4; i < 8; i++) {
		lose(i);
		gone |= (size_t)1 << m.area[i].node;
	}
	ck_assert_uint_eq(gone, 15);
	ck_ok(walk(), why);
	ck_assert_uint_eq(losses, 4);
	ck_assert_uint_eq(founds, m.areas - 4);
}
END_TEST

/* As in a slab: many to a page, and some across two. */
static void add_many(size_t n)
{
	uint64_t at = physmem_alloc(&m.pm, n * 72 + 80);

	many = synth_alloc(n * sizeof(*many));
	for (size_t i = 0; i < n; i++)
		many[i] = (struct vmalloc_entry){
			.start = m.vmalloc + i * 5 * m.pm.page_size,
			.end = m.vmalloc + (i * 5 + 4) * m.pm.page_size,
			.phys = at + 16 + i * 72, .vm = m.direct + at + i * 8,
		};
	vmalloc_write(&m.vmap, many, n);
}

START_TEST(vmalloc__thousands_of_areas)
{
	machine_init(&m, machine_config(_i ? "x86_64-7.3" : "x86_64"));
	open_kernel();
	add_many(3000);
	ck_all_of(many, 3000);
}
END_TEST

START_TEST(vmalloc__lost_page_of_many_areas)
{
	uint64_t page, size;
	size_t gone = 0;

	machine_init(&m, machine_config("x86_64"));
	open_kernel();
	add_many(3000);
	size = m.pm.page_size;
	page = many[1000].phys & ~(size - 1);
	physmem_set_state(&m.pm, page, STATE_EXCLUDED);
	ck_ok(walk(), why);
	for (size_t i = 0; i < 3000; i++) {
		/* 64 bytes of each are read */
		bool is_gone = many[i].phys < page + size && many[i].phys + 64 > page;

		gone += is_gone;
		ck_assert_msg(count_of(&many[i]) == !is_gone, "area %zu", i);
	}
	ck_assert_uint_gt(gone, 50);
	ck_assert_uint_eq(founds, 3000 - gone);
	ck_assert_uint_eq(losses, 1);
}
END_TEST

START_TEST(vmalloc__impossible_nodes_are_refused)
{
	static const uint64_t bad[] = { 0, 0x1000, UINT64_C(0xffff8e8440000004),
					UINT64_C(0xfffffffffffff000) };

	fifteen("x86_64-7.3");
	physmem_u64(&m.pm, machine_phys(&m, m.vmap_nodes), bad[_i]);
	ck_assert(!walk());
	ck_fault(why, STATE_DAMAGED, "vmalloc areas: vmap_nodes");
	ck_assert_uint_eq(founds + losses, 0);
}
END_TEST

START_TEST(vmalloc__impossible_number_of_nodes_is_refused)
{
	static const uint32_t bad[] = { 0, 65537, UINT32_MAX };

	fifteen("x86_64-7.3");
	physmem_u32(&m.pm, machine_phys(&m, m.nr_vmap_nodes), bad[_i]);
	ck_assert(!walk());
	ck_fault(why, STATE_DAMAGED, "vmalloc areas: nr_vmap_nodes");
}
END_TEST

/* More nodes than there are: what stands behind the array is no node. */
START_TEST(vmalloc__nodes_behind_the_array_are_lost)
{
	fifteen("x86_64-7.3");
	physmem_u32(&m.pm, machine_phys(&m, m.nr_vmap_nodes), 3);
	ck_ok(walk(), why);
	ck_assert_uint_eq(founds, 15);
	ck_assert_uint_eq(losses, 2);
}
END_TEST

START_TEST(vmalloc__unreadable_variable_is_an_error)
{
	fifteen("x86_64-7.3");
	physmem_set_state(&m.pm, machine_phys(&m, m.vmap_nodes), STATE_EXCLUDED);
	ck_assert(!walk());
	ck_fault(why, STATE_EXCLUDED, "vmalloc areas: ");
}
END_TEST

START_TEST(vmalloc__kernel_without_the_symbols)
{
	static const enum symbol_id symbols[] = { SYMBOL_vmap_nodes, SYMBOL_nr_vmap_nodes };

	fifteen("x86_64-7.3");
	k->symbol[symbols[_i % 2]].count = _i < 2 ? 0 : 2;
	ck_assert(!walk());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "vmap_nodes");
}
END_TEST

START_TEST(vmalloc__kernel_without_a_member)
{
	static const char *const lacking[][2] = {
		{ "vmap_node", "busy" }, { "rb_node", "rb_left" }, { "vmap_area", "list" },
		{ "rb_node", "__rb_parent_color" },
	};

	machine_init(&m, machine_config("x86_64-7.3"));
	m.without_type = lacking[_i][0];
	m.without_member = lacking[_i][1];
	open_kernel();
	ck_assert(!walk());
	ck_fault(why, FAULT_UNKNOWN_TYPE, lacking[_i][1]);
}
END_TEST

START_TEST(vmalloc__impossible_layout_is_refused)
{
	static const enum member far[] = {
		MEMBER_vmap_area_vm, MEMBER_vmap_area_list, MEMBER_rb_node_rb_left,
		MEMBER_vmap_node_busy,
	};

	fifteen("x86_64-7.3");
	k->members.offset[far[_i]] = UINT32_MAX - 3;
	ck_assert(!walk());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "vmap_");
}
END_TEST

START_TEST(vmalloc__visitor_can_stop_the_walk)
{
	fifteen("x86_64-7.3");
	lose(3);
	fault_fill(&why, FAULT_WORKER, SPACE_NONE, 0, "untouched");
	/* 15: at the loss, after 14 areas */
	stop_after = (size_t)_i;
	ck_assert(!walk());
	ck_assert_uint_eq(founds + losses, (size_t)_i);
	ck_fault(why, FAULT_WORKER, "untouched");
}
END_TEST

START_TEST(vmalloc__walk_can_be_interrupted)
{
	fifteen("x86_64-7.3");
	m.pm.progress = m.pm.stop_after = 1;
	ck_assert(!walk());
	ck_fault(why, FAULT_LIMIT, "interrupted");
	ck_assert_uint_eq(founds + losses, 0);
}
END_TEST

static void add(TCase *tests)
{
	int machines = (int)machine_configs_n;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, vmalloc__each_machine_has_all_its_areas, 0, 2 * machines);
	tcase_add_test(tests, vmalloc__nodes_may_be_empty);
	tcase_add_test(tests, vmalloc__an_area_of_a_whole_list_is_read_once);
	tcase_add_loop_test(tests, vmalloc__one_lost_area_costs_itself_only, 0, 30);
	tcase_add_test(tests, vmalloc__both_ends_of_the_list_are_lost);
	tcase_add_test(tests, vmalloc__root_and_first_are_lost);
	tcase_add_test(tests, vmalloc__areas_lead_up_the_tree);
	tcase_add_test(tests, vmalloc__nothing_leads_in);
	tcase_add_test(tests, vmalloc__lost_area_that_only_the_list_knows_is_a_loss);
	tcase_add_loop_test(tests, vmalloc__broken_list_is_made_up_for_by_the_tree, 0, 2 * JUNK);
	tcase_add_loop_test(tests, vmalloc__broken_tree_does_not_matter_to_a_whole_list, 0, JUNK);
	tcase_add_loop_test(tests, vmalloc__links_of_one_direction_prove_that_nothing_is_missing,
			    0, JUNK);
	tcase_add_loop_test(tests, vmalloc__gap_in_list_and_tree_is_a_loss, 0, 4);
	tcase_add_loop_test(tests, vmalloc__area_that_cannot_be_is_lost, 0, 6);
	tcase_add_test(tests, vmalloc__stale_area_is_not_believed);
	tcase_add_loop_test(tests, vmalloc__list_in_a_ring_ends, 2, 15);
	tcase_add_test(tests, vmalloc__tree_in_a_ring_ends);
	tcase_add_loop_test(tests, vmalloc__forged_links_end, 0, 15);
	tcase_add_test(tests, vmalloc__empty_list_of_a_node_with_a_tree_is_not_believed);
	tcase_add_test(tests, vmalloc__node_of_zeros_is_lost);
	tcase_add_loop_test(tests, vmalloc__lost_node_costs_its_areas_only, 0, 4);
	tcase_add_test(tests, vmalloc__each_node_reports_its_own_loss);
	tcase_add_loop_test(tests, vmalloc__thousands_of_areas, 0, 2);
	tcase_add_test(tests, vmalloc__lost_page_of_many_areas);
	tcase_add_loop_test(tests, vmalloc__impossible_nodes_are_refused, 0, 4);
	tcase_add_loop_test(tests, vmalloc__impossible_number_of_nodes_is_refused, 0, 3);
	tcase_add_test(tests, vmalloc__nodes_behind_the_array_are_lost);
	tcase_add_test(tests, vmalloc__unreadable_variable_is_an_error);
	tcase_add_loop_test(tests, vmalloc__kernel_without_the_symbols, 0, 4);
	tcase_add_loop_test(tests, vmalloc__kernel_without_a_member, 0, 4);
	tcase_add_loop_test(tests, vmalloc__impossible_layout_is_refused, 0, 4);
	tcase_add_loop_test(tests, vmalloc__visitor_can_stop_the_walk, 1, 16);
	tcase_add_test(tests, vmalloc__walk_can_be_interrupted);
}

int main(void)
{
	return run_suite("vmalloc", add);
}
