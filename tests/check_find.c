// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/arena_find.c and its steps: each way to an arena alone, and its twin, a lie that must not
 * be believed. All other evidence is taken away by losing its pages.
 */
#include "arena_rig.h"

#include "../fixtures/synth/task_writer.h"

static struct task_writer tasks;
static bool has_tasks;

static void find_setup(void)
{
	setup();
	has_tasks = false;
}

static void find_teardown(void)
{
	if (has_tasks)
		task_writer_free(&tasks);
	teardown();
}

/* The machine: an arena 9 with pages and a neighbour 23, in use by a program and a process. */

enum { PID = 77, PAGES = 8 };

#define START UINT64_C(0x7f1200000000)
#define OTHER_START (UINT64_C(1) << 44)

static struct mm *mm;
static struct vma *vma;
static struct files *files;
static uint64_t file;

static void lose(uint64_t phys)
{
	physmem_set_state(&m.pm, phys, STATE_EXCLUDED);
}

static struct machine_arena *new_arena(uint32_t id, uint64_t start)
{
	const struct arena_spec spec = {
		.id = id, .name = "arena", .max_entries = 64, .user_vm_start = start,
		.user_vm_end = start + 64 * ps(),
	};

	return machine_add_arena(&m, &spec);
}

/* Pages 0, 3, 6, ... of it. */
static void add_pages(uint32_t id)
{
	for (uint64_t i = 0; i < PAGES; i++)
		machine_map_page(&m, made(id), 3 * i);
}

static void two_arenas(const char *name)
{
	init(name);
	machine_add_map(&m, 5, 2, "plain");
	machine_add_map(&m, 100, 2, "far");
	new_arena(9, START);
	add_pages(9);
	new_arena(23, OTHER_START);
	add_pages(23);
}

/* init_task and one process, without anything of arenas. */
static struct task *add_process(void)
{
	struct task *t;

	task_writer_init(&tasks, &m);
	has_tasks = true;
	t = task_add(&tasks, PID, "user");
	mm = task_new_mm(&tasks, t);
	files = task_new_files(&tasks, t, 64);
	return t;
}

/* It maps @pages of arena @id at @start, with the frames that are there. */
static void map_arena(uint32_t id, uint64_t start, uint64_t map)
{
	file = task_new_file(&tasks, m.bpf_map_fops, map);
	vma = mm_add_vma(&tasks, mm, start, start + 64 * ps(), m.arena_vm_ops, file);
	physmem_u64(&m.pm, vma->phys + machine_offset(&m, "vm_area_struct", "vm_mm"), mm->va);
	for (size_t i = 0; i < m.pages; i++)
		if (m.page[i].id == id)
			tables_map(&mm->tables, start + m.page[i].pgoff * ps(), m.page[i].phys,
				   m.t.c.page_shift);
}

static void open_all(void)
{
	if (has_tasks)
		task_writer_finish(&tasks);
	open_kernel();
}

/* What can be lost. */

static void lose_node(uint32_t id)
{
	lose(idr_find_node(m.idr, id, 0)->phys);
}

static void lose_all_ids(void)
{
	lose(m.idr->node[0].phys);
}

/* The array of vmalloc's nodes: heads of lists and trees. */
static void lose_vmap_nodes(void)
{
	for (unsigned i = 0; i < m.vmap_nodes_n; i++)
		lose(vmalloc_head(&m.vmap, i));
}

/* All vmalloc areas, with their heads. */
static void lose_areas(void)
{
	lose_vmap_nodes();
	for (size_t i = 0; i < m.areas; i++)
		lose(m.area[i].phys);
}

static void lose_struct(uint32_t id)
{
	lose(made(id)->map_phys);
}

static void lose_vm(uint32_t id)
{
	lose(made(id)->vm_phys);
}

/* Rows. */

static const struct arena_found *row_with_map(uint64_t map)
{
	for (size_t i = 0; i < list.n; i++)
		if (list.found[i].map == map)
			return &list.found[i];
	return NULL;
}

static void take(const struct arena_found *found)
{
	ck_assert_ptr_nonnull(found);
	arena_snapshot_free(&a);
	ck_ok(arena_snapshot(k, found, 0, &a, &problems, &why), why);
}

/* All pages of arena @id and no other, by kernel and physical address. */
static void ck_frames(uint32_t id)
{
	ck_assert_uint_eq(a.n_pages, truth_count(id));
	for (size_t i = 0; i < a.n_pages; i++) {
		uint64_t kernel = arena_page_kernel(&a, &a.pages[i]);
		bool is = false;

		for (size_t j = 0; j < m.pages; j++)
			is |= m.page[j].id == id && m.page[j].kernel == kernel &&
			      m.page[j].phys == a.pages[i].phys;
		ck_assert_msg(is, "0x%" PRIx64 " is no page of arena %u", kernel, id);
	}
	ck_assert_uint_eq(a.mapped, truth_count(id));
}

/* @id is a row with all of its struct. */
static void ck_whole(uint32_t id, enum found_by by)
{
	const struct arena_found *row = row_with_map(made(id)->map);

	take(row);
	ck_assert_int_eq(row->by, by);
	ck_assert(!row->no_struct && !row->no_id);
	ck_assert_uint_eq(a.unknown, 0);
	ck_assert_uint_eq(a.id, id);
	ck_assert_int_eq(a.life, LIFE_LIVE);
	ck_assert_int_eq(a.found_by, by);
	ck_u64_eq(a.kern_vm_start, made(id)->base);
	ck_u64_eq(a.user_vm_start, made(id)->spec.user_vm_start);
	ck_pages(id);
}

enum {
	STRUCT_FIELDS = 1u << FIELD_NAME | 1u << FIELD_MAX_ENTRIES | 1u << FIELD_MAP_EXTRA |
			1u << FIELD_MAP_FLAGS | 1u << FIELD_DECLARED_PAGES |
			1u << FIELD_SPAN_CAPPED | 1u << FIELD_LIFE,
	USER_FIELDS = 1u << FIELD_USER_VM_START | 1u << FIELD_USER_VM_END,
	ALONE_FIELDS = STRUCT_FIELDS | USER_FIELDS | 1u << FIELD_ID | 1u << FIELD_MAP,
};

/* @id is a row of which there is the window alone. */
static void ck_alone(uint32_t id, enum found_by by)
{
	const struct arena_found *row = row_of(id);

	take(row);
	ck_assert_int_eq(row->by, by);
	ck_assert(a.no_struct);
	ck_assert_uint_eq(a.unknown, ALONE_FIELDS);
	ck_u64_eq(a.kern_vm_start, made(id)->base);
	ck_u64_eq(a.area.addr, made(id)->area);
	ck_frames(id);
}

static void ck_no_row(uint32_t id)
{
	ck_assert_ptr_null(row_of(id));
	ck_assert_ptr_null(row_with_map(made(id)->map));
}

static bool is_said(const char *text)
{
	for (size_t i = 0; i < problems.n; i++)
		if (strstr(problems.problem[i].why.text, text))
			return true;
	return false;
}

static void ck_said(const char *text)
{
	ck_assert_msg(is_said(text), "none of %zu problems says '%s', the first: %s", problems.n, text,
		      problems.n ? problems.problem[0].why.text : "-");
}

/* map_idr */

START_TEST(find__map_idr_alone)
{
	two_arenas("x86_64-7.3");
	open_all();
	lose_areas();
	find();
	ck_assert_uint_eq(list.n, 2);
	ck_whole(9, FOUND_MAP_IDR);
	ck_whole(23, FOUND_MAP_IDR);
	/* nothing is missing: areas are not needed where map_idr is whole */
	ck_assert_uint_eq(problems.n, 0);
	ck_assert(!list.search.tasks && !list.search.scan);
}
END_TEST

/* The struct of another map in its place. */
START_TEST(find__slot_of_another_id_is_no_arena)
{
	two_arenas("x86_64-7.3");
	open_all();
	lose_areas();
	physmem_u32(&m.pm, made(9)->map_phys + machine_offset(&m, "bpf_map", "id"), 10);
	find();
	ck_assert(!is_listed(9) && !is_listed(10));
	ck_whole(23, FOUND_MAP_IDR);
	ck_said("map 9 may be an arena");
}
END_TEST

START_TEST(find__slot_whose_struct_is_lost_may_be_an_arena)
{
	two_arenas("x86_64-7.3");
	open_all();
	lose_areas();
	lose_struct(9);
	lose_vm(9);
	/* nor anything of its tables */
	lose_struct(23);
	lose_vm(23);
	for (size_t i = 0; i < m.pages; i++)
		physmem_u64(&m.pm, tables_entry(&m.t, m.page[i].kernel, m.t.c.page_shift), 0);
	find();
	ck_assert_uint_eq(list.n, 0);
	ck_said("maps 9, 23 may be arenas");
	ck_assert(list.search.tasks && list.search.scan);
}
END_TEST

/* Programs */

static uint64_t used[1];

/* The node of map_idr is lost, and all that is of areas. */
static void programs_alone(bool aux)
{
	two_arenas("x86_64-7.3");
	used[0] = made(9)->map;
	machine_add_program(&m, 3, aux ? made(9)->map : 0, used, aux ? 0 : 1);
	open_all();
	lose_node(9);
	lose_areas();
	lose_struct(23);
}

START_TEST(find__program_alone)
{
	programs_alone(_i);
	find();
	ck_whole(9, FOUND_PROGRAM);
	ck_said("map_idr: maps 1 to 63 are lost");
}
END_TEST

START_TEST(find__scheduler_alone)
{
	two_arenas("x86_64-7.3");
	machine_set_scheduler(&m, made(9)->map);
	open_all();
	lose_node(9);
	lose_areas();
	find();
	ck_whole(9, FOUND_PROGRAM);
}
END_TEST

/* What is left of a map when it is freed: no references, and no id. */
static void free_struct(uint32_t id)
{
	uint64_t at = made(id)->map_phys;

	physmem_u32(&m.pm, at + machine_offset(&m, "bpf_map", "id"), 0);
	physmem_u64(&m.pm, at + machine_offset(&m, "bpf_map", "refcnt"), 0);
}

START_TEST(find__program_that_points_to_a_freed_map_is_not_believed)
{
	programs_alone(true);
	free_struct(9);
	find();
	ck_assert_ptr_null(row_with_map(made(9)->map));
	ck_said("program 3 points to an arena at");
}
END_TEST

/* It looks alive, but map_idr, which is whole, does not have it. */
START_TEST(find__program_that_points_to_what_map_idr_lacks_is_not_believed)
{
	two_arenas("x86_64-7.3");
	machine_add_program(&m, 3, made(9)->map, NULL, 0);
	open_all();
	physmem_u64(&m.pm, idr_slot(m.idr, 9, 0), 0);
	if (_i)
		lose_struct(9);
	find();
	ck_assert_ptr_null(row_with_map(made(9)->map));
	ck_said("program 3 points to an arena at");
	ck_whole(23, FOUND_MAP_IDR);
	/* its area is in use, by whomever */
	ck_alone(9, FOUND_VMALLOC);
}
END_TEST

/* vmalloc areas */

START_TEST(find__vmalloc_area_alone)
{
	two_arenas("x86_64-7.3");
	open_all();
	lose_all_ids();
	lose_struct(9);
	lose_struct(23);
	if (_i)
		lose_vm(9);	/* its tables say that it is one */
	find();
	ck_assert_uint_eq(list.n, 2);
	ck_alone(9, FOUND_VMALLOC);
	ck_alone(23, FOUND_VMALLOC);
	ck_said("2 arenas are listed without their structs");
}
END_TEST

/* By its list where the tree is lost, and the other way round. */
START_TEST(find__vmalloc_area_by_one_half_alone)
{
	two_arenas("x86_64");
	open_all();
	lose_all_ids();
	lose_struct(9);
	if (_i)
		physmem_u64(&m.pm, vmalloc_root(&m.vmap, 0), 0);
	else
		physmem_u64(&m.pm, vmalloc_head(&m.vmap, 0), 0);
	find();
	ck_alone(9, FOUND_VMALLOC);
}
END_TEST

static void put_vm(uint64_t phys, const char *member, uint64_t value)
{
	physmem_u64(&m.pm, phys + machine_offset(&m, "vm_struct", member), value);
}

START_TEST(find__vmalloc_area_of_something_else_is_no_arena)
{
	two_arenas("x86_64-7.3");
	open_all();
	lose_all_ids();
	lose_struct(9);
	put_vm(made(9)->vm_phys, "flags", 2);
	find();
	ck_no_row(9);
	ck_whole(23, FOUND_VMALLOC);
}
END_TEST

/* The vm_struct is lost, and no table is there. */
START_TEST(find__vmalloc_area_that_nothing_proves_is_said_alone)
{
	two_arenas("x86_64-7.3");
	new_arena(31, UINT64_C(0x200000000000));
	open_all();
	lose_all_ids();
	lose_struct(31);
	lose_vm(31);
	find();
	ck_no_row(31);
	ck_said("1 vmalloc area of an arena's size may be in use or freed");
	ck_assert_uint_eq(list.n, 2);
}
END_TEST

/* Tasks */

/* A process maps arena 9 or holds a descriptor of it. */
static void process_alone(bool maps)
{
	two_arenas("x86_64-7.3");
	add_process();
	if (maps)
		map_arena(9, START, made(9)->map);
	else
		files_set(&tasks, files, 7, task_new_file(&tasks, m.bpf_map_fops, made(9)->map));
	open_all();
	lose_node(9);
	lose_areas();
	lose_struct(23);
}

START_TEST(find__task_alone)
{
	process_alone(_i);
	find();
	ck_assert(list.search.tasks);
	ck_whole(9, FOUND_TASK);
}
END_TEST

START_TEST(find__task_that_holds_a_freed_map_is_not_believed)
{
	process_alone(_i);
	free_struct(9);
	find();
	ck_assert_ptr_null(row_with_map(made(9)->map));
	/* a descriptor is one of any map */
	ck_assert_int_eq(is_said("a mapping of process 77 points to an arena"), _i);
}
END_TEST

/* A mapping proves the user's addresses of a window whose struct is lost. */
static void tied(void)
{
	two_arenas("x86_64-7.3");
	add_process();
	map_arena(9, START, made(9)->map);
	open_all();
	lose_struct(9);
}

START_TEST(find__window_is_tied_by_the_same_frames)
{
	tied();
	find();
	take(row_of(9));
	ck_assert(a.no_struct);
	ck_assert_uint_eq(a.unknown, STRUCT_FIELDS);
	ck_assert_uint_eq(a.id, 9);	/* of its slot in map_idr */
	ck_u64_eq(a.map, made(9)->map);
	ck_u64_eq(a.user_vm_start, START);
	ck_u64_eq(a.user_vm_end, START + 64 * ps());
	ck_pages(9);
	ck_whole(23, FOUND_MAP_IDR);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_uint_eq(problems.n, 1);
	ck_said("1 arena is listed without its struct");
}
END_TEST

/* The last of its pages is another frame. */
START_TEST(find__window_is_not_tied_where_one_frame_differs)
{
	tied();
	tables_map(&mm->tables, START + 3 * (PAGES - 1) * ps(), machine_new_frame(&m, 1),
		   m.t.c.page_shift);
	find();
	ck_alone(9, FOUND_VMALLOC);
	ck_said("cannot be read, and it is not known which window is its");
}
END_TEST

/* The same frames at other offsets, and none at all. */
START_TEST(find__window_is_not_tied_by_other_offsets)
{
	two_arenas("x86_64-7.3");
	add_process();
	map_arena(_i ? 9 : 99, _i ? START + ps() : START, made(9)->map);
	open_all();
	lose_struct(9);
	find();
	ck_alone(9, FOUND_VMALLOC);
}
END_TEST

/* Many pages that only the kernel touched come first; scratch pages are in the upper guard. */
START_TEST(find__window_is_tied_by_any_of_its_pages)
{
	const struct machine_arena *is;

	init("x86_64-7.3");
	is = machine_add_arena(&m, &(struct arena_spec){
		.id = 9, .name = "large", .max_entries = 512, .user_vm_start = UINT64_C(1) << 44,
		.user_vm_end = (UINT64_C(1) << 44) + 512 * 4096 });
	add_process();
	file = task_new_file(&tasks, m.bpf_map_fops, is->map);
	vma = mm_add_vma(&tasks, mm, is->spec.user_vm_start, is->spec.user_vm_end, m.arena_vm_ops,
			 file);
	for (uint64_t i = 0; i < 300; i++) {
		uint64_t phys = machine_map_page(&m, is, i);

		if (i == 299)
			tables_map(&mm->tables, is->spec.user_vm_start + i * 4096, phys, 12);
	}
	machine_map_at(&m, is->base + GIB4, is->scratch_phys);
	open_all();
	lose_struct(9);
	find();
	take(row_of(9));
	ck_u64_eq(a.user_vm_start, is->spec.user_vm_start);
	ck_assert_uint_eq(a.id, 9);
	ck_assert_uint_eq(a.n_pages, 301);
	ck_assert_uint_eq(a.mapped, 300);
}
END_TEST

/* The VMA is an arena's, but its file is none of a map: frames prove its addresses alone. */
START_TEST(find__mapping_of_no_map_gives_no_struct)
{
	two_arenas("x86_64-7.3");
	add_process();
	map_arena(9, START, made(9)->map);
	open_all();
	lose_struct(9);
	physmem_u64(&m.pm, file - m.direct + machine_offset(&m, "file", "f_op"), m.bpf_map_fops + 8);
	find();
	take(row_of(9));
	ck_assert_uint_eq(a.unknown, STRUCT_FIELDS | 1u << FIELD_ID | 1u << FIELD_MAP);
	ck_u64_eq(a.user_vm_start, START);
	ck_pages(9);
	ck_said("map 9 may be an arena");
}
END_TEST

/* The mapping's struct is a map of another type. */
START_TEST(find__mapping_of_another_map_gives_no_struct)
{
	two_arenas("x86_64-7.3");
	add_process();
	map_arena(9, START, m.map[0].value);
	open_all();
	lose_struct(9);
	find();
	take(row_of(9));
	ck_u64_eq(a.map, 0);
	ck_assert(!arena_knows(&a, FIELD_ID));
	ck_u64_eq(a.user_vm_start, START);
	ck_said("a mapping of process 77 points to an arena at");
}
END_TEST

/* A list of processes that has no end does not end the search. */
START_TEST(find__broken_list_of_tasks_loses_no_arena)
{
	two_arenas("x86_64-7.3");
	add_process();
	open_all();
	lose_struct(9);
	physmem_u64(&m.pm, task_member(&tasks, &tasks.task[1], "tasks"),
		    tasks.task[1].va + machine_offset(&m, "task_struct", "tasks"));
	find();
	ck_alone(9, FOUND_VMALLOC);
	ck_whole(23, FOUND_MAP_IDR);
}
END_TEST

/* Structs that the scan finds */

START_TEST(find__scan_of_struct_alone)
{
	two_arenas("x86_64-7.3");
	open_all();
	lose_all_ids();
	lose_areas();
	find();
	ck_assert(list.search.scan);
	ck_assert_uint_eq(list.n, 2);
	ck_whole(9, FOUND_SCAN);
	ck_whole(23, FOUND_SCAN);
}
END_TEST

/* A copy of arena 9 in a page that is free: as alive, but nothing leads to it. */
static uint64_t stale_copy(uint32_t id, uint64_t kern_vm)
{
	const struct machine_arena *is = made(9);
	uint64_t at = physmem_alloc(&m.pm, ps()) + 0x200;
	uint8_t bytes[512];

	memcpy(bytes, physmem_find(&m.pm, is->map_phys)->data + is->map_phys % ps(), sizeof(bytes));
	physmem_write(&m.pm, at, bytes, sizeof(bytes));
	physmem_u32(&m.pm, at + machine_offset(&m, "bpf_map", "id"), id);
	physmem_u64(&m.pm, at + machine_offset(&m, "bpf_arena", "kern_vm"), kern_vm);
	physmem_u64(&m.pm, at + machine_offset(&m, "bpf_arena", "user_vm_start"),
		    UINT64_C(0x300000000000));
	return at + m.direct;
}

/* Its vm_struct is that of arena 23, whose struct is lost; its id is none, or that of 23. */
START_TEST(find__stale_struct_does_not_take_the_window_of_another)
{
	static const uint32_t ids[] = { 9, 12, 23, 0 };
	uint64_t copy;

	two_arenas("x86_64-7.3");
	copy = stale_copy(ids[_i], made(23)->vm);
	open_all();
	lose_struct(23);
	find();
	ck_assert_ptr_null(row_with_map(copy));
	ck_alone(23, FOUND_VMALLOC);
	ck_whole(9, FOUND_MAP_IDR);
	ck_assert_uint_eq(list.n, 2);
}
END_TEST

/* The freed one has no references and no id. All that is in use is lost: it may be stale. */
START_TEST(find__freed_struct_does_not_take_the_window_of_another)
{
	uint64_t copy;

	two_arenas("x86_64-7.3");
	copy = stale_copy(0, made(23)->vm);
	physmem_u64(&m.pm, copy - m.direct + machine_offset(&m, "bpf_map", "refcnt"), 0);
	open_all();
	if (_i)
		lose_all_ids();
	lose_struct(23);
	find();
	ck_assert_ptr_null(row_with_map(copy));
	ck_alone(23, FOUND_VMALLOC);
	ck_assert_uint_eq(list.n, 2);
}
END_TEST

/* A process maps the window as that of another struct. */
START_TEST(find__stale_struct_is_denied_by_a_process)
{
	uint64_t copy;

	two_arenas("x86_64-7.3");
	copy = stale_copy(12, made(23)->vm);
	add_process();
	map_arena(23, OTHER_START, made(23)->map);
	open_all();
	lose_all_ids();
	lose_struct(23);
	find();
	ck_assert_ptr_null(row_with_map(copy));
	take(row_of(23));
	ck_u64_eq(a.map, made(23)->map);
	ck_u64_eq(a.user_vm_start, OTHER_START);
	ck_pages(23);
}
END_TEST

/* A freed vm_struct as of arenas: @at is where it says that its area is. */
static uint64_t stale_vm(uint64_t at)
{
	uint64_t vm = physmem_alloc(&m.pm, ps()) + 0x80;

	put_vm(vm, "addr", at);
	put_vm(vm, "size", GIB4 + 0x11000);
	put_vm(vm, "flags", 0x1008);
	put_vm(vm, "requested_size", GIB4 + 0x10000);
	return vm + m.direct;
}

/* Its vm_struct is freed: no area is where it says, or another one. */
START_TEST(find__stale_struct_of_a_freed_window_is_no_arena)
{
	uint64_t copy;

	two_arenas("x86_64-7.3");
	copy = stale_copy(12, 0);
	physmem_u64(&m.pm, copy - m.direct + machine_offset(&m, "bpf_arena", "kern_vm"),
		    stale_vm(_i ? made(23)->area + 0x3000 : m.vmalloc + (UINT64_C(64) << 30)));
	open_all();
	lose_all_ids();
	find();
	ck_assert_ptr_null(row_with_map(copy));
	ck_assert_uint_eq(list.n, 2);
	ck_whole(9, FOUND_VMALLOC);
	ck_whole(23, FOUND_VMALLOC);
}
END_TEST

/* Two structs say that a window is theirs. */
START_TEST(find__window_that_two_structs_claim_is_that_of_neither)
{
	uint64_t copy;

	two_arenas("x86_64-7.3");
	copy = stale_copy(12, made(9)->vm);
	open_all();
	lose_all_ids();
	find();
	ck_assert_ptr_null(row_with_map(copy));
	ck_alone(9, FOUND_VMALLOC);
	ck_whole(23, FOUND_VMALLOC);
}
END_TEST

/* Both are in map_idr: both are listed, without pages. */
START_TEST(find__two_maps_that_claim_one_window_have_none)
{
	two_arenas("x86_64-7.3");
	physmem_u64(&m.pm, made(23)->map_phys + machine_offset(&m, "bpf_arena", "kern_vm"),
		    made(9)->vm);
	open_all();
	find();
	ck_assert(is_listed(9) && is_listed(23));
	for (size_t i = 0; i < list.n; i++) {
		if (list.found[i].no_id)
			continue;
		take(&list.found[i]);
		ck_assert_uint_eq(a.n_pages, 0);
		ck_assert(a.truncated);
		ck_u64_eq(a.kern_vm_start, 0);
	}
	ck_alone(9, FOUND_VMALLOC);
	ck_alone(23, FOUND_VMALLOC);
	ck_said("arena 9: its pages are not known: its vm_struct");
	ck_said("arena 23: its pages are not known: its vm_struct");
}
END_TEST

/* The areas are all known: a freed vm_struct says nothing, nor one that lies across another. */
START_TEST(find__map_whose_vm_struct_is_freed_has_no_window)
{
	uint64_t vm;

	two_arenas("x86_64-7.3");
	vm = stale_vm(_i ? made(23)->area + 16 * ps() : m.vmalloc + (UINT64_C(64) << 30));
	physmem_u64(&m.pm, made(9)->map_phys + machine_offset(&m, "bpf_arena", "kern_vm"), vm);
	open_all();
	find();
	take(row_with_map(made(9)->map));
	ck_assert_uint_eq(a.n_pages, 0);
	ck_u64_eq(a.kern_vm_start, 0);
	ck_said("arena 9: its pages are not known: its vm_struct");
	ck_alone(9, FOUND_VMALLOC);
	ck_whole(23, FOUND_MAP_IDR);
}
END_TEST

/* One of map_idr is more than the pointer of a program. */
START_TEST(find__map_of_map_idr_keeps_its_window)
{
	uint64_t copy;

	two_arenas("x86_64-7.3");
	copy = stale_copy(70, made(9)->vm);
	machine_add_map(&m, 71, 2, "far");
	machine_add_program(&m, 3, copy, NULL, 0);
	open_all();
	lose_node(71);
	find();
	ck_whole(9, FOUND_MAP_IDR);
	ck_assert_uint_eq(list.n, 3);
	take(row_with_map(copy));
	ck_assert_uint_eq(a.n_pages, 0);
	ck_said("arena 70: its pages are not known");
}
END_TEST

/* Life */

START_TEST(find__dying_arena_is_told)
{
	two_arenas("x86_64-7.3");
	open_all();
	physmem_u64(&m.pm, idr_slot(m.idr, 9, 0), 0);
	free_struct(9);
	find();
	ck_assert_uint_eq(list.n, 2);
	take(row_with_map(made(9)->map));
	ck_assert_int_eq(a.life, LIFE_DYING);
	ck_assert_uint_eq(a.unknown, 1u << FIELD_ID);
	ck_pages(9);
	ck_whole(23, FOUND_MAP_IDR);
}
END_TEST

START_TEST(find__half_made_arena_is_told)
{
	two_arenas("x86_64-7.3");
	new_arena(31, 0);
	open_all();
	physmem_u64(&m.pm, idr_slot(m.idr, 31, 0), 0);
	physmem_u32(&m.pm, made(31)->map_phys + machine_offset(&m, "bpf_map", "id"), 0);
	find();
	ck_assert_uint_eq(list.n, 3);
	take(row_with_map(made(31)->map));
	ck_assert_int_eq(a.life, LIFE_NEW);
	ck_assert_uint_eq(a.unknown, 1u << FIELD_ID);
	ck_assert_uint_eq(a.n_pages, 0);
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

/* Its area is gone, too: what is left is garbage. */
START_TEST(find__freed_struct_without_an_area_is_no_arena)
{
	uint64_t copy;

	two_arenas("x86_64-7.3");
	copy = stale_copy(0, made(9)->vm);
	physmem_u64(&m.pm, copy - m.direct + machine_offset(&m, "bpf_map", "refcnt"), (uint64_t)_i);
	open_all();
	ck_ok(arena_find(k, true, &list, &problems, &why), why);
	ck_assert_ptr_null(row_with_map(copy));
	ck_assert_uint_eq(list.n, 2);
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

/* vm_structs that the scan finds */

START_TEST(find__scan_of_vm_struct_alone)
{
	two_arenas("x86_64-7.3");
	open_all();
	lose_all_ids();
	lose_areas();
	lose_struct(9);
	lose_struct(23);
	find();
	ck_assert_uint_eq(list.n, 2);
	ck_alone(9, FOUND_SCAN);
	ck_alone(23, FOUND_SCAN);
}
END_TEST

START_TEST(find__vm_struct_that_no_page_table_backs_is_no_window)
{
	two_arenas("x86_64-7.3");
	/* no page at all, or one in its guard */
	if (_i)
		machine_map_at(&m, m.vmalloc + (UINT64_C(64) << 30) + ps(),
			       machine_new_frame(&m, 1));
	stale_vm(m.vmalloc + (UINT64_C(64) << 30));
	open_all();
	lose_all_ids();
	lose_areas();
	find();
	ck_assert_uint_eq(list.n, 2);
	ck_whole(9, FOUND_SCAN);
	ck_whole(23, FOUND_SCAN);
}
END_TEST

/* It overlaps a window that is in use: before it in memory, or behind. */
START_TEST(find__stale_vm_struct_does_not_displace_a_window)
{
	init("x86_64-7.3");
	machine_add_map(&m, 5, 2, "plain");
	new_arena(8, UINT64_C(0x100000000000));
	stale_vm(made(8)->area + made(8)->area_size + 16 * ps());
	new_arena(9, START);
	m.pm.next_free += ps();
	machine_map_page(&m, made(9), 40);
	open_all();
	lose_all_ids();
	lose_areas();
	find();
	ck_assert_uint_eq(list.n, 1);
	ck_whole(9, FOUND_SCAN);
	ck_said("arena 8");
}
END_TEST

/* Without a struct which of two is stale is not known: neither is listed. */
START_TEST(find__of_two_vm_structs_that_overlap_neither_is_believed)
{
	init("x86_64-7.3");
	machine_add_map(&m, 5, 2, "plain");
	new_arena(9, START);
	machine_map_page(&m, made(9), 40);
	stale_vm(made(9)->area + 16 * ps());
	open_all();
	lose_all_ids();
	lose_areas();
	lose_struct(9);
	find();
	ck_assert_uint_eq(list.n, 0);
	ck_said("2 vmalloc areas of an arena's size may be in use or freed");
}
END_TEST

/* vmap_areas that the scan finds */

START_TEST(find__scan_of_vmap_area_alone)
{
	two_arenas(_i ? "x86_64" : "x86_64-7.3");
	/* no page in it: only its list proves it */
	new_arena(31, UINT64_C(0x200000000000));
	open_all();
	lose_all_ids();
	lose_vmap_nodes();
	physmem_set_state(&m.pm, machine_phys(&m, m.vmap_nodes), STATE_STORED);
	for (uint32_t id = 9; id <= 31; id += id == 9 ? 14 : 8) {
		lose_struct(id);
		lose_vm(id);
	}
	find();
	ck_assert_uint_eq(list.n, 3);
	ck_alone(9, FOUND_SCAN);
	ck_alone(23, FOUND_SCAN);
	ck_alone(31, FOUND_SCAN);
}
END_TEST

/* A vmap_area that is in no list of busy ones: freed, or in the lazy list. */
static void stale_area(uint64_t start, bool linked)
{
	uint64_t at = physmem_alloc(&m.pm, ps()) + 0x80, self, vm = physmem_alloc(&m.pm, ps());

	/* what there is at its vm_struct now cannot be read */
	physmem_u64(&m.pm, vm, 0);
	lose(vm);
	physmem_u64(&m.pm, at + machine_offset(&m, "vmap_area", "va_start"), start);
	physmem_u64(&m.pm, at + machine_offset(&m, "vmap_area", "va_end"),
		    start + made(9)->area_size);
	physmem_u64(&m.pm, at + machine_offset(&m, "vmap_area", "vm"), vm + m.direct);
	self = at + machine_offset(&m, "vmap_area", "list");
	physmem_u64(&m.pm, self, linked ? self + m.direct : 0);
	physmem_u64(&m.pm, self + 8, linked ? self + m.direct : 0);
}

START_TEST(find__vmap_area_that_no_list_has_is_no_window)
{
	two_arenas("x86_64-7.3");
	stale_area(m.vmalloc + (UINT64_C(64) << 30), _i);
	open_all();
	lose_all_ids();
	lose_vmap_nodes();
	find();
	ck_assert_uint_eq(list.n, 2);
	ck_whole(9, FOUND_SCAN);
	ck_whole(23, FOUND_SCAN);
	ck_said("1 vmalloc area of an arena's size may be in use or freed");
}
END_TEST

/* VMAs that the scan finds */

/* Tasks are lost; the VMA names its mm, whose tables have the frames. */
static void vma_alone(void)
{
	two_arenas("x86_64-7.3");
	add_process();
	map_arena(9, START, made(9)->map);
	open_all();
	lose_all_ids();
	lose_struct(9);
	lose(tasks.task[1].phys);
}

START_TEST(find__scan_of_vma_ties_a_window)
{
	vma_alone();
	find();
	take(row_of(9));
	ck_assert_uint_eq(a.unknown, STRUCT_FIELDS | 1u << FIELD_ID);
	ck_u64_eq(a.map, made(9)->map);
	ck_u64_eq(a.user_vm_start, START);
	ck_pages(9);
	/* and no other */
	ck_whole(23, FOUND_VMALLOC);
	ck_assert_uint_eq(list.n, 2);
}
END_TEST

START_TEST(find__vma_whose_frames_are_others_ties_nothing)
{
	vma_alone();
	for (uint64_t i = 0; i < PAGES; i++)
		tables_map(&mm->tables, START + 3 * i * ps(), machine_new_frame(&m, 1),
			   m.t.c.page_shift);
	find();
	ck_alone(9, FOUND_VMALLOC);
}
END_TEST

/* Page tables */

/* All tables of the window of @id, as 7.0 and later make them. */
static void make_tables(const struct machine_arena *is)
{
	uint64_t reach = ps() << tables_level_bits(&m.t);

	for (uint64_t va = is->base / reach * reach; va < is->base + GIB4; va += reach)
		tables_entry(&m.t, va, m.t.c.page_shift);
}

/* Everything but page tables is lost. */
static void lose_all_but_tables(void)
{
	lose_all_ids();
	lose_areas();
	for (size_t i = 0; i < m.arenas; i++) {
		lose(m.arena[i].map_phys);
		lose(m.arena[i].vm_phys);
	}
}

/* One arena with pages in the middle of its window. */
static const struct machine_arena *tables_alone(void)
{
	const struct machine_arena *is;

	init("x86_64-7.3");
	is = new_arena(9, START + GIB4 / 2);
	add_pages(9);
	make_tables(is);
	return is;
}

START_TEST(find__page_tables_alone)
{
	tables_alone();
	open_all();
	lose_all_but_tables();
	find();
	ck_assert_uint_eq(list.n, 1);
	take(&list.found[0]);
	ck_assert_int_eq(a.found_by, FOUND_PAGETABLE);
	/* where it begins is not known */
	ck_assert_uint_eq(a.unknown, ALONE_FIELDS | 1u << FIELD_KERN_VM_START);
	ck_u64_eq(a.kern_vm_start, 0);
	ck_assert(!a.truncated);
	ck_frames(9);
}
END_TEST

/* A process that maps it says where it begins. */
START_TEST(find__page_tables_and_a_mapping)
{
	tables_alone();
	add_process();
	map_arena(9, START + GIB4 / 2, made(9)->map);
	open_all();
	lose_all_but_tables();
	find();
	ck_assert_uint_eq(list.n, 1);
	take(row_of(9));
	ck_assert_int_eq(a.found_by, FOUND_PAGETABLE);
	ck_assert_uint_eq(a.unknown, STRUCT_FIELDS | 1u << FIELD_ID);
	ck_u64_eq(a.kern_vm_start, made(9)->base);
	ck_u64_eq(a.user_vm_start, START + GIB4 / 2);
	ck_pages(9);
}
END_TEST

/* Stacks and the like have pages in the tables beside it: none of them is taken for its own. */
START_TEST(find__pages_beside_a_window_are_not_its_own)
{
	const struct machine_arena *is = tables_alone();

	machine_map_at(&m, is->area + is->area_size + ps(), machine_new_frame(&m, 1));
	open_all();
	lose_all_but_tables();
	find();
	ck_assert_uint_eq(list.n, 1);
	take(&list.found[0]);
	ck_frames(9);
	/* they may be, though */
	ck_assert(a.truncated);
	ck_assert_uint_eq(a.n_lost, 1);
	/* the first that are not sure: it begins at the start of vmalloc at the earliest */
	ck_u64_eq(a.lost[0].kernel, m.vmalloc_start + GIB4);
	ck_assert(!a.lost[0].has_pgoff);
}
END_TEST

/* What a freed arena leaves. */
START_TEST(find__page_tables_without_a_page_are_no_arena)
{
	init("x86_64-7.3");
	make_tables(new_arena(9, START));
	open_all();
	lose_all_but_tables();
	find();
	ck_assert_uint_eq(list.n, 0);
	ck_assert(!is_said("page tables"));
}
END_TEST

/* Many small areas in a row: each table has pages. */
START_TEST(find__page_tables_that_are_full_of_pages_are_said_alone)
{
	const struct machine_arena *is = tables_alone();
	uint64_t reach = ps() << tables_level_bits(&m.t);
	uint64_t phys = machine_new_frame(&m, 1);

	for (uint64_t at = 0; at < GIB4; at += reach)
		machine_map_at(&m, is->base + at, phys);
	open_all();
	lose_all_but_tables();
	find();
	ck_assert_uint_eq(list.n, 0);
	ck_said("may be those of arenas: nothing but page tables is known there");
}
END_TEST

/* Two arenas in a row: where each begins is not known. */
START_TEST(find__page_tables_of_two_arenas_are_said_alone)
{
	two_arenas("x86_64-7.3");
	make_tables(made(9));
	make_tables(made(23));
	open_all();
	lose_all_but_tables();
	find();
	ck_assert_uint_eq(list.n, 0);
	ck_said("16 pages at");
}
END_TEST

/* Up to 6.19 tables are made with their pages: 4 GiB of them prove nothing. */
START_TEST(find__page_tables_of_older_kernels_prove_nothing)
{
	const struct machine_arena *is;

	init("x86_64");
	is = new_arena(9, START + GIB4 / 2);
	add_pages(9);
	make_tables(is);
	open_all();
	lose_all_but_tables();
	find();
	ck_assert_uint_eq(list.n, 0);
}
END_TEST

/* The whole */

START_TEST(find__whole_loss_is_said_in_three_sentences)
{
	init("x86_64-7.3");
	for (uint32_t id = 1; id <= 20; id++)
		machine_add_map(&m, id, 1, "plain");
	new_arena(21, START);
	add_pages(21);
	for (uint32_t id = 70; id < 300; id += 64)
		machine_add_map(&m, id, 1, "plain");
	open_all();
	/* two nodes, and all maps of a third */
	lose_node(70);
	lose_node(198);
	for (uint32_t id = 0; id < 20; id++)
		lose(m.map[id].value - m.direct);
	lose_struct(21);
	find();
	ck_alone(21, FOUND_VMALLOC);
	ck_assert_uint_eq(list.n, 1);
	ck_assert_uint_le(problems.n, 3);
	ck_said("64 to 127, 192 to 255");
	ck_said("1 arena is listed without its struct");
}
END_TEST

/* All is there: the long ways find nothing more. */
START_TEST(find__scan_of_a_whole_dump_finds_nothing_more)
{
	init(machine_configs[_i].name);
	example_populate(&m);
	used[0] = made(9)->map;
	machine_add_program(&m, 3, made(23)->map, used, 1);
	add_process();
	map_arena(9, made(9)->spec.user_vm_start, made(9)->map);
	open_all();
	ck_ok(arena_find(k, true, &list, &problems, &why), why);
	ck_assert(list.search.tasks && list.search.scan);
	ck_assert_uint_eq(list.n, 4);
	for (size_t i = 0; i < list.n; i++) {
		ck_assert_int_eq(list.found[i].by, FOUND_MAP_IDR);
		ck_assert(!list.found[i].no_struct && list.found[i].area.addr);
	}
	ck_assert_uint_eq(problems.n, 0);
	ck_assert_uint_eq(list.search.candidates, 0);
}
END_TEST

/* Every question of every way is answered "stop", one after the other. */
START_TEST(find__interrupted_run_lists_nothing_and_says_so)
{
	unsigned all;

	tables_alone();
	add_process();
	map_arena(9, START + GIB4 / 2, made(9)->map);
	open_all();
	lose_all_but_tables();
	m.pm.progress = 0;
	find();
	all = m.pm.progress;
	ck_assert_uint_gt(all, 5);
	for (unsigned n = 1; n < all; n += n < 8 ? 1 : all / 16 + 1) {
		arena_list_free(&list);
		problems_free(&problems);
		problems = (struct problems){ 0 };
		m.pm.progress = 0;
		m.pm.stop_after = n;
		ck_ok(arena_find(k, false, &list, &problems, &why), why);
		ck_assert_msg(list.search.interrupted, "stopped after %u of %u", n, all);
		ck_said("interrupted while");
	}
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, find_setup, find_teardown);
	tcase_add_test(tests, find__map_idr_alone);
	tcase_add_test(tests, find__slot_of_another_id_is_no_arena);
	tcase_add_test(tests, find__slot_whose_struct_is_lost_may_be_an_arena);
	tcase_add_loop_test(tests, find__program_alone, 0, 2);
	tcase_add_test(tests, find__scheduler_alone);
	tcase_add_test(tests, find__program_that_points_to_a_freed_map_is_not_believed);
	tcase_add_loop_test(tests, find__program_that_points_to_what_map_idr_lacks_is_not_believed,
			    0, 2);
	tcase_add_loop_test(tests, find__vmalloc_area_alone, 0, 2);
	tcase_add_loop_test(tests, find__vmalloc_area_by_one_half_alone, 0, 2);
	tcase_add_test(tests, find__vmalloc_area_of_something_else_is_no_arena);
	tcase_add_test(tests, find__vmalloc_area_that_nothing_proves_is_said_alone);
	tcase_add_loop_test(tests, find__task_alone, 0, 2);
	tcase_add_loop_test(tests, find__task_that_holds_a_freed_map_is_not_believed, 0, 2);
	tcase_add_test(tests, find__window_is_tied_by_the_same_frames);
	tcase_add_test(tests, find__window_is_not_tied_where_one_frame_differs);
	tcase_add_loop_test(tests, find__window_is_not_tied_by_other_offsets, 0, 2);
	tcase_add_test(tests, find__window_is_tied_by_any_of_its_pages);
	tcase_add_test(tests, find__mapping_of_no_map_gives_no_struct);
	tcase_add_test(tests, find__mapping_of_another_map_gives_no_struct);
	tcase_add_test(tests, find__broken_list_of_tasks_loses_no_arena);
	tcase_add_test(tests, find__scan_of_struct_alone);
	tcase_add_loop_test(tests, find__stale_struct_does_not_take_the_window_of_another, 0, 4);
	tcase_add_loop_test(tests, find__freed_struct_does_not_take_the_window_of_another, 0, 2);
	tcase_add_test(tests, find__stale_struct_is_denied_by_a_process);
	tcase_add_loop_test(tests, find__stale_struct_of_a_freed_window_is_no_arena, 0, 2);
	tcase_add_test(tests, find__window_that_two_structs_claim_is_that_of_neither);
	tcase_add_test(tests, find__two_maps_that_claim_one_window_have_none);
	tcase_add_loop_test(tests, find__map_whose_vm_struct_is_freed_has_no_window, 0, 2);
	tcase_add_test(tests, find__map_of_map_idr_keeps_its_window);
	tcase_add_test(tests, find__dying_arena_is_told);
	tcase_add_test(tests, find__half_made_arena_is_told);
	tcase_add_loop_test(tests, find__freed_struct_without_an_area_is_no_arena, 0, 2);
	tcase_add_test(tests, find__scan_of_vm_struct_alone);
	tcase_add_loop_test(tests, find__vm_struct_that_no_page_table_backs_is_no_window, 0, 2);
	tcase_add_test(tests, find__stale_vm_struct_does_not_displace_a_window);
	tcase_add_test(tests, find__of_two_vm_structs_that_overlap_neither_is_believed);
	tcase_add_loop_test(tests, find__scan_of_vmap_area_alone, 0, 2);
	tcase_add_loop_test(tests, find__vmap_area_that_no_list_has_is_no_window, 0, 2);
	tcase_add_test(tests, find__scan_of_vma_ties_a_window);
	tcase_add_test(tests, find__vma_whose_frames_are_others_ties_nothing);
	tcase_add_test(tests, find__page_tables_alone);
	tcase_add_test(tests, find__page_tables_and_a_mapping);
	tcase_add_test(tests, find__pages_beside_a_window_are_not_its_own);
	tcase_add_test(tests, find__page_tables_without_a_page_are_no_arena);
	tcase_add_test(tests, find__page_tables_that_are_full_of_pages_are_said_alone);
	tcase_add_test(tests, find__page_tables_of_two_arenas_are_said_alone);
	tcase_add_test(tests, find__page_tables_of_older_kernels_prove_nothing);
	tcase_add_test(tests, find__whole_loss_is_said_in_three_sentences);
	tcase_add_loop_test(tests, find__scan_of_a_whole_dump_finds_nothing_more, 0,
			    (int)machine_configs_n);
	tcase_add_test(tests, find__interrupted_run_lists_nothing_and_says_so);
}

int main(void)
{
	return run_suite("find", add);
}
