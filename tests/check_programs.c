// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/programs.c on synthetic machines with programs and a scheduler.
 */
#include "suite.h"

#include "../core/programs.h"
#include "../fixtures/synth/bytes.h"
#include "../fixtures/synth/machine.h"

enum { EVENTS = 5000, KERNEL_MAPS = 64, FIRST = 4, SECOND = 12, FAR = 4100 };

enum kind { ARENA, MAP, LOST };

struct event {
	enum kind kind;
	uint32_t program;
	uint64_t map;
	struct fault why;
};

static struct machine m;
static struct memory mem;
static struct kernel *k;
static struct fault why;
static struct event *event;
static size_t events, stop_after;
/* Two arenas, an array; the programs of three_programs() */
static uint64_t arena[2], array;
static struct machine_program *first, *second, *far;

static void setup(void)
{
	memset(&m, 0, sizeof(m));
	k = NULL;
	event = synth_alloc(EVENTS * sizeof(*event));
	events = stop_after = 0;
}

static void teardown(void)
{
	ck_assert_uint_eq(m.pm.crossings, 0);
	kernel_close(k);
	machine_free(&m);
	free(event);
}

static bool add_event(void *ctx, enum kind kind, uint32_t program, uint64_t map)
{
	ck_assert_ptr_eq(ctx, &m);
	ck_assert_uint_lt(events, EVENTS);
	event[events++] = (struct event){ .kind = kind, .program = program, .map = map };
	return events != stop_after;
}

static bool on_arena(void *ctx, uint32_t program, uint64_t map)
{
	return add_event(ctx, ARENA, program, map);
}

static bool on_map(void *ctx, uint32_t program, uint64_t map)
{
	return add_event(ctx, MAP, program, map);
}

static bool on_lost(void *ctx, const struct fault *f)
{
	bool go_on = add_event(ctx, LOST, 0, 0);

	event[events - 1].why = *f;
	return go_on;
}

static bool walk(void)
{
	const struct programs_visitor visitor = {
		.arena = on_arena, .map = on_map, .lost = on_lost, .ctx = &m };

	events = 0;
	return programs_walk(k, &visitor, &why);
}

static void open_kernel(void)
{
	machine_finish(&m);
	mem = machine_memory(&m);
	k = kernel_open(&mem, &why);
	ck_assert_msg(k, "%s", why.text);
}

static void init(const struct machine_config *c)
{
	static const struct arena_spec spec[2] = {
		{ .id = 7, .name = "one", .max_entries = 4 },
		{ .id = 8, .name = "two", .max_entries = 4 },
	};

	machine_init(&m, c);
	arena[0] = machine_add_arena(&m, &spec[0])->map;
	arena[1] = machine_add_arena(&m, &spec[1])->map;
	array = machine_add_map(&m, 9, 2, "array");
}

/* One with an arena, one that uses two maps and no arena of its own, one with both. */
static void add_programs(void)
{
	const uint64_t two[] = { array, arena[1] };

	first = machine_add_program(&m, FIRST, arena[0], NULL, 0);
	second = machine_add_program(&m, SECOND, 0, two, 2);
	far = machine_add_program(&m, FAR, arena[1], two, 1);
}

static void three_programs(const char *name)
{
	init(machine_config(name));
	add_programs();
	open_kernel();
}

static void ck_event(size_t i, enum kind kind, uint32_t program, uint64_t map)
{
	ck_assert_uint_lt(i, events);
	ck_assert_msg(event[i].kind == kind, "event %zu: %d, %s", i, (int)event[i].kind,
		      event[i].why.text);
	ck_assert_uint_eq(event[i].program, program);
	ck_u64_eq(event[i].map, map);
}

static void ck_lost(size_t i, enum state kind, const char *start, const char *text)
{
	ck_event(i, LOST, 0, 0);
	ck_fault(event[i].why, kind, text);
	ck_assert_msg(!strncmp(event[i].why.text, start, strlen(start)),
		      "'%s' does not begin with '%s'", event[i].why.text, start);
}

static void ck_second(size_t i)
{
	ck_event(i, MAP, SECOND, array);
	ck_event(i + 1, MAP, SECOND, arena[1]);
}

static void ck_far(size_t i)
{
	ck_event(i, ARENA, FAR, arena[1]);
	ck_event(i + 1, MAP, FAR, array);
}

static void ck_whole(void)
{
	ck_ok(walk(), why);
	ck_event(0, ARENA, FIRST, arena[0]);
	ck_second(1);
	ck_far(3);
	ck_assert_uint_eq(events, 5);
}

/* All of @program @id is lost, nothing of the others. */
static void ck_second_is_lost(enum state kind, const char *text)
{
	ck_ok(walk(), why);
	ck_event(0, ARENA, FIRST, arena[0]);
	ck_lost(1, kind, "prog_idr: program 12: ", text);
	ck_far(2);
	ck_assert_uint_eq(events, 4);
}

static void set_u64(uint64_t at, const char *type, const char *member, uint64_t value)
{
	physmem_u64(&m.pm, at + machine_offset(&m, type, member), value);
}

static void set_u32(uint64_t at, const char *type, const char *member, uint32_t value)
{
	physmem_u32(&m.pm, at + machine_offset(&m, type, member), value);
}

/* No address of a struct: in user memory, or not aligned. */
static uint64_t no_pointer(int i)
{
	return i ? UINT64_C(0x7fdf09cef000) : array + 4;
}

START_TEST(programs__each_machine)
{
	init(&machine_configs[_i]);
	add_programs();
	open_kernel();
	ck_whole();
}
END_TEST

START_TEST(programs__none)
{
	init(&machine_configs[_i]);
	open_kernel();
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 0);
}
END_TEST

START_TEST(programs__without_maps)
{
	init(machine_config("x86_64"));
	machine_add_program(&m, 3, 0, NULL, 0);
	open_kernel();
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 0);
}
END_TEST

START_TEST(programs__lost_struct_costs_its_program)
{
	three_programs(_i % 2 ? "aarch64-64k" : "x86_64");
	ck_whole();
	physmem_set_state(&m.pm, _i / 2 ? second->aux_phys : second->prog_phys, STATE_EXCLUDED);
	ck_second_is_lost(STATE_EXCLUDED, "excluded");
}
END_TEST

START_TEST(programs__lost_list_of_maps_leaves_the_arena)
{
	three_programs("x86_64-7.3");
	physmem_set_state(&m.pm, far->used_phys, STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_second(1);
	ck_event(3, ARENA, FAR, arena[1]);
	ck_lost(4, STATE_EXCLUDED, "prog_idr: program 4100: its list of maps: ", "excluded");
	ck_assert_uint_eq(events, 5);
}
END_TEST

START_TEST(programs__aux_of_another_id_is_not_believed)
{
	three_programs("x86_64-7.3");
	set_u32(second->aux_phys, "bpf_prog_aux", "id", _i ? 0 : FIRST);
	ck_second_is_lost(STATE_DAMAGED, _i ? "is of program 0" : "is of program 4");
	k->members.known[MEMBER_bpf_prog_aux_id] = false;
	ck_whole();
}
END_TEST

START_TEST(programs__aux_of_another_program_is_not_believed)
{
	three_programs("x86_64-7.3");
	set_u64(second->aux_phys, "bpf_prog_aux", "prog", first->prog);
	ck_second_is_lost(STATE_DAMAGED, "is of the program at 0x");
	k->members.known[MEMBER_bpf_prog_aux_prog] = false;
	ck_whole();
}
END_TEST

START_TEST(programs__aux_that_is_no_pointer)
{
	three_programs("x86_64-7.3");
	set_u64(second->prog_phys, "bpf_prog", "aux", no_pointer(_i));
	ck_second_is_lost(STATE_DAMAGED, "is no pointer");
}
END_TEST

START_TEST(programs__aux_that_is_null)
{
	three_programs("x86_64-7.3");
	set_u64(second->prog_phys, "bpf_prog", "aux", 0);
	ck_second_is_lost(STATE_DAMAGED, "is no pointer");
}
END_TEST

START_TEST(programs__arena_that_is_no_pointer_leaves_the_maps)
{
	three_programs("x86_64-7.3");
	set_u64(far->aux_phys, "bpf_prog_aux", "arena", no_pointer(_i));
	ck_ok(walk(), why);
	ck_lost(3, STATE_DAMAGED, "prog_idr: program 4100: its arena ", "is no pointer");
	ck_event(4, MAP, FAR, array);
	ck_assert_uint_eq(events, 5);
}
END_TEST

START_TEST(programs__list_of_maps_that_is_no_pointer)
{
	three_programs("x86_64-7.3");
	set_u64(second->aux_phys, "bpf_prog_aux", "used_maps",
		_i < 2 ? no_pointer(_i) : _i == 2 ? 0 : UINT64_MAX - 7);
	ck_second_is_lost(STATE_DAMAGED, "used_maps");
}
END_TEST

START_TEST(programs__impossible_number_of_maps)
{
	static const uint32_t bad[] = { 4097, UINT32_MAX };

	three_programs("x86_64-7.3");
	set_u32(second->aux_phys, "bpf_prog_aux", "used_map_cnt", bad[_i]);
	ck_second_is_lost(STATE_DAMAGED, "maps, which cannot be");
}
END_TEST

/* Loading may not have filled all of them; what is no pointer is said once. */
START_TEST(programs__maps_that_are_none)
{
	const uint64_t used[] = { 0, array, 0, arena[0] };

	init(machine_config("x86_64-7.3"));
	second = machine_add_program(&m, SECOND, 0, used, 4);
	open_kernel();
	physmem_u64(&m.pm, second->used_phys + 8, array);
	physmem_u64(&m.pm, second->used_phys + 24, arena[0]);
	ck_ok(walk(), why);
	ck_event(0, MAP, SECOND, array);
	ck_event(1, MAP, SECOND, arena[0]);
	ck_assert_uint_eq(events, 2);
	physmem_u64(&m.pm, second->used_phys, no_pointer(0));
	physmem_u64(&m.pm, second->used_phys + 16, no_pointer(1));
	ck_ok(walk(), why);
	ck_event(1, MAP, SECOND, arena[0]);
	ck_lost(2, STATE_DAMAGED, "prog_idr: program 12: its list of maps: ", "no pointer");
	ck_assert_uint_eq(events, 3);
}
END_TEST

/* A list of @n maps that begins 24 bytes before the end of a page. */
static uint64_t long_list(uint32_t n)
{
	uint64_t size, at;

	three_programs("x86_64-7.3");
	size = m.pm.page_size;
	at = physmem_alloc(&m.pm, 10 * size) + size - 24;
	for (uint64_t i = 0; i < n; i++)
		physmem_u64(&m.pm, at + 8 * i, array + 8 * i);
	set_u32(second->aux_phys, "bpf_prog_aux", "used_map_cnt", n);
	set_u64(second->aux_phys, "bpf_prog_aux", "used_maps", at + m.direct);
	return at;
}

START_TEST(programs__long_lists_of_maps)
{
	static const uint32_t ns[] = { 1, 3, 4, KERNEL_MAPS, KERNEL_MAPS + 3, 600, 4096 };

	long_list(ns[_i]);
	ck_ok(walk(), why);
	for (size_t i = 0; i < ns[_i]; i++)
		ck_event(1 + i, MAP, SECOND, array + 8 * i);
	ck_far(1 + ns[_i]);
	ck_assert_uint_eq(events, ns[_i] + 3);
}
END_TEST

START_TEST(programs__lost_page_of_a_long_list)
{
	uint64_t at = long_list(3 + 512 + 5);

	physmem_set_state(&m.pm, at + 24, STATE_EXCLUDED);
	ck_ok(walk(), why);
	for (size_t i = 0; i < 8; i++)
		ck_event(1 + i, MAP, SECOND, array + 8 * (i < 3 ? i : 512 + i));
	ck_lost(9, STATE_EXCLUDED, "prog_idr: program 12: its list of maps: ", "excluded");
	ck_far(10);
	ck_assert_uint_eq(events, 12);
}
END_TEST

START_TEST(programs__lost_leaf_costs_its_ids)
{
	three_programs("x86_64-7.3");
	physmem_set_state(&m.pm, idr_find_node(m.programs_idr, FIRST, 0)->phys, STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_lost(0, STATE_EXCLUDED, "prog_idr: programs 1 to 63 are lost", "excluded");
	ck_far(1);
	ck_assert_uint_eq(events, 3);
}
END_TEST

START_TEST(programs__lost_root_costs_all)
{
	three_programs("x86_64-7.3");
	physmem_set_state(&m.pm, m.programs_idr->node[0].phys, STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_lost(0, STATE_EXCLUDED, "prog_idr: all programs are lost: ", "excluded");
	ck_assert_uint_eq(events, 1);
}
END_TEST

START_TEST(programs__slot_that_is_no_pointer_is_one_program)
{
	three_programs("x86_64-7.3");
	physmem_u64(&m.pm, idr_slot(m.programs_idr, SECOND, 0), no_pointer(0));
	ck_ok(walk(), why);
	ck_lost(1, STATE_DAMAGED, "prog_idr: program 12 is lost: ", "no pointer");
	ck_far(2);
}
END_TEST

START_TEST(programs__slot_to_a_freed_program)
{
	three_programs("x86_64-7.3");
	physmem_u64(&m.pm, idr_slot(m.programs_idr, SECOND, 0), m.vmalloc + 0x100000);
	ck_second_is_lost(STATE_ABSENT, "not mapped");
}
END_TEST

START_TEST(programs__unreadable_idr_is_an_error)
{
	three_programs("x86_64-7.3");
	physmem_set_state(&m.pm, machine_phys(&m, m.prog_idr), STATE_EXCLUDED);
	k->symbol[SYMBOL_scx_root].count = 0;
	ck_assert(!walk());
	ck_fault(why, STATE_EXCLUDED, "prog_idr: ");
	ck_assert_uint_eq(events, 0);
}
END_TEST

START_TEST(programs__kernel_without_the_symbol)
{
	three_programs("x86_64-7.3");
	k->symbol[SYMBOL_prog_idr].count = 2 * (unsigned)_i;
	ck_assert(!walk());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "prog_idr");
}
END_TEST

/* Each way without the others: aux is needed for all of them. */
START_TEST(programs__kernel_without_a_member)
{
	static const char *const lacking[] = { "arena", "used_maps", "used_map_cnt" };

	init(machine_config("x86_64-7.3"));
	add_programs();
	m.without_type = "bpf_prog_aux";
	m.without_member = lacking[_i];
	open_kernel();
	ck_ok(walk(), why);
	for (size_t i = 0; i < events; i++)
		ck_assert_int_eq(event[i].kind, _i ? ARENA : MAP);
	ck_assert_uint_eq(events, _i ? 2 : 3);
}
END_TEST

START_TEST(programs__kernel_without_aux)
{
	init(machine_config("x86_64-7.3"));
	add_programs();
	m.without_type = "bpf_prog";
	m.without_member = "aux";
	open_kernel();
	ck_assert(!walk());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "aux");
}
END_TEST

/* A scheduler with arena 0, found before the programs. Physical address of its struct. */
static uint64_t add_scheduler(void)
{
	uint64_t at;

	init(machine_config("x86_64-7.3"));
	add_programs();
	at = machine_set_scheduler(&m, arena[0]);
	open_kernel();
	return at;
}

static void ck_scheduler(void)
{
	ck_ok(walk(), why);
	ck_event(0, ARENA, 0, arena[0]);
	ck_event(1, ARENA, FIRST, arena[0]);
	ck_assert_uint_eq(events, 6);
}

static void ck_scheduler_is_lost(enum state kind, const char *text)
{
	ck_ok(walk(), why);
	ck_lost(0, kind, "the sched_ext scheduler: ", text);
	ck_event(1, ARENA, FIRST, arena[0]);
	ck_assert_uint_eq(events, 6);
}

START_TEST(programs__scheduler_has_an_arena)
{
	add_scheduler();
	ck_scheduler();
}
END_TEST

START_TEST(programs__scheduler_without_an_arena)
{
	uint64_t at = add_scheduler();

	set_u64(at, "scx_sched", "arena_map", 0);
	ck_whole();
}
END_TEST

START_TEST(programs__scheduler_is_lost)
{
	physmem_set_state(&m.pm, add_scheduler(), STATE_EXCLUDED);
	ck_scheduler_is_lost(STATE_EXCLUDED, "excluded");
}
END_TEST

START_TEST(programs__scheduler_that_is_no_pointer)
{
	add_scheduler();
	physmem_u64(&m.pm, machine_phys(&m, m.scx_root), no_pointer(_i));
	ck_scheduler_is_lost(STATE_DAMAGED, "no pointer");
}
END_TEST

START_TEST(programs__arena_of_the_scheduler_that_is_no_pointer)
{
	uint64_t at = add_scheduler();

	set_u64(at, "scx_sched", "arena_map", no_pointer(_i));
	ck_scheduler_is_lost(STATE_DAMAGED, "no pointer");
}
END_TEST

START_TEST(programs__scheduler_needs_no_programs)
{
	add_scheduler();
	k->symbol[SYMBOL_prog_idr].count = 0;
	ck_assert(!walk());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "prog_idr");
	ck_event(0, ARENA, 0, arena[0]);
	ck_assert_uint_eq(events, 1);
}
END_TEST

/* 6.12 and kernels without sched_ext: what stands there is not looked at. */
START_TEST(programs__kernel_without_a_scheduler)
{
	add_scheduler();
	if (_i)
		k->symbol[SYMBOL_scx_root].count = 0;
	else
		k->members.known[MEMBER_scx_sched_arena_map] = false;
	ck_whole();
}
END_TEST

/* 1: the scheduler; 2: an arena; 3, 4: maps; 7: a loss; 8: a lost node */
START_TEST(programs__visitor_can_stop_the_walk)
{
	add_scheduler();
	physmem_set_state(&m.pm, far->used_phys, STATE_EXCLUDED);
	fault_fill(&why, FAULT_WORKER, SPACE_NONE, 0, "untouched");
	stop_after = (size_t)_i;
	ck_assert(!walk());
	ck_assert_uint_eq(events, (size_t)_i);
	ck_fault(why, FAULT_WORKER, "untouched");
}
END_TEST

START_TEST(programs__visitor_can_stop_at_a_lost_node)
{
	three_programs("x86_64-7.3");
	physmem_set_state(&m.pm, idr_find_node(m.programs_idr, FIRST, 0)->phys, STATE_EXCLUDED);
	fault_fill(&why, FAULT_WORKER, SPACE_NONE, 0, "untouched");
	stop_after = 1;
	ck_assert(!walk());
	ck_assert_uint_eq(events, 1);
	ck_fault(why, FAULT_WORKER, "untouched");
}
END_TEST

static void add(TCase *tests)
{
	int machines = (int)machine_configs_n;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, programs__each_machine, 0, machines);
	tcase_add_loop_test(tests, programs__none, 0, machines);
	tcase_add_test(tests, programs__without_maps);
	tcase_add_loop_test(tests, programs__lost_struct_costs_its_program, 0, 4);
	tcase_add_test(tests, programs__lost_list_of_maps_leaves_the_arena);
	tcase_add_loop_test(tests, programs__aux_of_another_id_is_not_believed, 0, 2);
	tcase_add_test(tests, programs__aux_of_another_program_is_not_believed);
	tcase_add_loop_test(tests, programs__aux_that_is_no_pointer, 0, 2);
	tcase_add_test(tests, programs__aux_that_is_null);
	tcase_add_loop_test(tests, programs__arena_that_is_no_pointer_leaves_the_maps, 0, 2);
	tcase_add_loop_test(tests, programs__list_of_maps_that_is_no_pointer, 0, 4);
	tcase_add_loop_test(tests, programs__impossible_number_of_maps, 0, 2);
	tcase_add_test(tests, programs__maps_that_are_none);
	tcase_add_loop_test(tests, programs__long_lists_of_maps, 0, 7);
	tcase_add_test(tests, programs__lost_page_of_a_long_list);
	tcase_add_test(tests, programs__lost_leaf_costs_its_ids);
	tcase_add_test(tests, programs__lost_root_costs_all);
	tcase_add_test(tests, programs__slot_that_is_no_pointer_is_one_program);
	tcase_add_test(tests, programs__slot_to_a_freed_program);
	tcase_add_test(tests, programs__unreadable_idr_is_an_error);
	tcase_add_loop_test(tests, programs__kernel_without_the_symbol, 0, 2);
	tcase_add_loop_test(tests, programs__kernel_without_a_member, 0, 3);
	tcase_add_test(tests, programs__kernel_without_aux);
	tcase_add_test(tests, programs__scheduler_has_an_arena);
	tcase_add_test(tests, programs__scheduler_without_an_arena);
	tcase_add_test(tests, programs__scheduler_is_lost);
	tcase_add_loop_test(tests, programs__scheduler_that_is_no_pointer, 0, 2);
	tcase_add_loop_test(tests, programs__arena_of_the_scheduler_that_is_no_pointer, 0, 2);
	tcase_add_test(tests, programs__scheduler_needs_no_programs);
	tcase_add_loop_test(tests, programs__kernel_without_a_scheduler, 0, 2);
	tcase_add_loop_test(tests, programs__visitor_can_stop_the_walk, 1, 7);
	tcase_add_test(tests, programs__visitor_can_stop_at_a_lost_node);
}

int main(void)
{
	return run_suite("programs", add);
}
