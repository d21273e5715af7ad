// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/users.c on a synthetic machine: who uses an arena, what programs printed, and references,
 * counted here by what holds them.
 */
#include "suite.h"

#include "../core/users.h"
#include "../fixtures/synth/bytes.h"
#include "../fixtures/synth/task_writer.h"

/* Arenas 7 and 8; program 4 has the first by both ways, program 12 the second in its maps. */
struct rig {
	struct machine m;
	struct memory mem;
	struct task_writer w;
	struct kernel *k;
	struct machine_arena *one, *two;
	struct machine_program *first, *second;
	struct task *alpha;
	uint64_t file_a, file_b;
};

static struct rig *r;
static struct fault why;
static struct arena_list list;
static struct arena_found found[2];
static struct users users;
static struct problems problems;

static void put64(uint64_t at, const char *type, const char *member, uint64_t value)
{
	physmem_u64(&r->m.pm, at + machine_offset(&r->m, type, member), value);
}

static void put32(uint64_t at, const char *type, const char *member, uint32_t value)
{
	physmem_u32(&r->m.pm, at + machine_offset(&r->m, type, member), value);
}

static void references(uint64_t refcnt, uint64_t usercnt)
{
	put64(r->one->map_phys, "bpf_map", "refcnt", refcnt);
	put64(r->one->map_phys, "bpf_map", "usercnt", usercnt);
}

static void describe_first(void)
{
	const uint8_t tag[8] = { 1, 2, 3, 4, 5, 6, 7, 0xff };
	uint64_t user = physmem_alloc(&r->m.pm, 4096);

	put32(r->first->prog_phys, "bpf_prog", "type", 31);
	physmem_write(&r->m.pm, r->first->prog_phys + machine_offset(&r->m, "bpf_prog", "tag"), tag,
		      sizeof(tag));
	physmem_write(&r->m.pm, r->first->aux_phys + machine_offset(&r->m, "bpf_prog_aux", "name"),
		      "writer", 7);
	put64(r->first->aux_phys, "bpf_prog_aux", "load_time", UINT64_C(12345678901));
	put64(r->first->aux_phys, "bpf_prog_aux", "user", user + r->m.direct);
	put32(user, "user_struct", "uid", 1000);
}

/*
 * 100 maps the first arena and has two descriptors of one file; 200, forked, has that file
 * too; 300 has a file of its own for it and maps nothing.
 */
static void add_processes(void)
{
	struct task *t = task_add(&r->w, 100, "alpha");
	struct mm *mm = task_new_mm(&r->w, t);
	struct files *f = task_new_files(&r->w, t, 64);

	r->alpha = t;
	mm_add_vma(&r->w, mm, 0x500000, 0x600000, r->m.arena_vm_ops, r->file_a);
	files_set(&r->w, f, 3, r->file_a);
	files_set(&r->w, f, 40, r->file_a);
	t = task_add(&r->w, 200, "child");
	f = task_new_files(&r->w, t, 64);
	files_set(&r->w, f, 3, r->file_a);
	t = task_add(&r->w, 300, "gamma");
	f = task_new_files(&r->w, t, 64);
	files_set(&r->w, f, 9, r->file_b);
}

static void setup(void)
{
	static const struct arena_spec spec[2] = {
		{ .id = 7, .name = "one", .max_entries = 256, .user_vm_start = 0x500000 },
		{ .id = 8, .name = "two", .max_entries = 4 },
	};
	uint64_t used[2];

	r = synth_alloc(sizeof(*r));
	memset(r, 0, sizeof(*r));
	memset(&problems, 0, sizeof(problems));
	memset(&users, 0, sizeof(users));
	machine_init(&r->m, machine_config("x86_64-7.3"));
	task_writer_init(&r->w, &r->m);
	r->one = machine_add_arena(&r->m, &spec[0]);
	r->two = machine_add_arena(&r->m, &spec[1]);
	used[0] = machine_add_map(&r->m, 9, 2, "array");
	used[1] = r->two->map;
	r->first = machine_add_program(&r->m, 4, r->one->map, &r->one->map, 1);
	r->second = machine_add_program(&r->m, 12, 0, used, 2);
	r->file_a = task_new_file(&r->w, r->m.bpf_map_fops, r->one->map);
	r->file_b = task_new_file(&r->w, r->m.bpf_map_fops, r->one->map);
	describe_first();
	add_processes();
	/* two files and a program */
	references(3, 2);
	put64(r->two->map_phys, "bpf_map", "refcnt", 1);
	task_writer_finish(&r->w);
	machine_finish(&r->m);
	r->mem = machine_memory(&r->m);
	r->k = kernel_open(&r->mem, &why);
	ck_assert_msg(r->k, "%s", why.text);
	found[0] = (struct arena_found){ .id = 8, .map = r->two->map };
	found[1] = (struct arena_found){ .id = 7, .map = r->one->map };
	list = (struct arena_list){ .found = found, .n = 2 };
}

static void teardown(void)
{
	ck_assert_uint_eq(r->m.pm.crossings, 0);
	users_free(&users);
	problems_free(&problems);
	task_writer_free(&r->w);
	kernel_close(r->k);
	machine_free(&r->m);
	free(r);
}

static const struct users_map *find(const struct machine_arena *a)
{
	const struct users_map *m;

	users_free(&users);
	ck_ok(users_find(r->k, &list, &users, &problems, &why), why);
	m = users_of(&users, a->map);
	ck_assert_ptr_nonnull(m);
	return m;
}

static void ck_problem(enum state kind, const char *text)
{
	ck_assert_uint_eq(problems.n, 1);
	ck_fault(problems.problem[0].why, kind, text);
}

START_TEST(users__programs_and_processes)
{
	const struct users_map *m = find(r->one);
	const struct users_program *p = m->program;

	ck_assert_uint_eq(problems.n, 0);
	ck_assert_uint_eq(m->programs, 1);
	ck_assert(p->id == 4 && p->by_arena && p->by_maps && !p->unknown);
	ck_assert_str_eq(p->name, "writer");
	ck_assert_str_eq(users_type_name(p->type), "syscall");
	ck_assert(p->tag[0] == 1 && p->tag[7] == 0xff && p->uid == 1000);
	ck_u64_eq(p->load_time, UINT64_C(12345678901));
	ck_assert(!p->text[0] && !p->text[1]);
	ck_assert_uint_eq(users_processes(m), 3);
	ck_assert_uint_eq(m->holds, 5);
	ck_assert(m->hold[0].mapped && m->hold[0].user.pid == 100);
	ck_u64_eq(m->hold[0].start, 0x500000);
	ck_u64_eq(m->hold[0].end, 0x600000);
	ck_assert(!m->hold[2].mapped && m->hold[2].fd == 40);
	ck_assert_uint_eq(users_process_end(m, 0), 3);
	ck_assert_str_eq(m->hold[3].user.comm, "child");
	ck_assert(m->hold[4].user.pid == 300 && m->hold[4].fd == 9);
	ck_assert(m->has_unexplained && m->files == 2 && !m->unexplained && !m->unexplained_users);
}
END_TEST

START_TEST(users__of_the_other_arena)
{
	const struct users_map *m = find(r->two);

	ck_assert(m->programs == 1 && m->program->id == 12 && !m->program->by_arena);
	/* its aux names no user */
	ck_assert_uint_eq(m->program->unknown, PROGRAM_UID);
	ck_assert_uint_eq(m->holds, 0);
	ck_assert(m->has_unexplained && !m->files && !m->unexplained);
	ck_assert_ptr_null(users_of(&users, r->one->map + 8));
	ck_assert_ptr_null(users_of(&users, 0));
}
END_TEST

/* A scheduler's arena_map is a reference, as one of a program. */
START_TEST(users__reference_of_the_scheduler)
{
	const struct users_map *m;
	uint64_t at = physmem_alloc(&r->m.pm, 4096);

	references(4, 2);
	put64(at, "scx_sched", "arena_map", r->one->map);
	ck_assert_uint_eq(find(r->one)->unexplained, 1);
	physmem_u64(&r->m.pm, machine_phys(&r->m, r->m.scx_root), at + r->m.direct);
	m = find(r->one);
	ck_assert(m->schedulers == 1 && m->has_unexplained && !m->unexplained);
	ck_assert_uint_eq(find(r->two)->schedulers, 0);
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(users__pin_is_not_explained)
{
	const struct users_map *m;

	references(4, 3);
	m = find(r->one);
	ck_assert(m->has_unexplained && m->unexplained == 1 && m->unexplained_users == 1);
	references(6, 2);
	m = find(r->one);
	ck_assert(m->has_unexplained && m->unexplained == 3 && m->unexplained_users == 0);
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

/* Fewer than what holds it, or more of users than in all. */
START_TEST(users__impossible_counts_are_said)
{
	static const uint64_t bad[][2] = { { 2, 2 }, { 3, 1 }, { 3, 3 }, { 0, UINT64_MAX } };

	references(bad[_i][0], bad[_i][1]);
	ck_assert(!find(r->one)->has_unexplained);
	ck_problem(STATE_DAMAGED, "2 files, 1 programs and 0 schedulers hold it");
}
END_TEST

START_TEST(users__lost_program_leaves_the_rest_unknown)
{
	const struct users_map *m;

	physmem_set_state(&r->m.pm, r->second->aux_phys, STATE_EXCLUDED);
	m = find(r->one);
	ck_assert(users.programs_lost && !users.tasks_lost && !m->has_unexplained);
	ck_assert(m->programs == 1 && m->holds == 5);
	ck_problem(STATE_EXCLUDED, "prog_idr: program 12: ");
}
END_TEST

START_TEST(users__lost_process_leaves_the_rest_unknown)
{
	const struct users_map *m;

	physmem_set_state(&r->m.pm, task_member(&r->w, r->alpha, "mm"), STATE_EXCLUDED);
	m = find(r->one);
	ck_assert(users.tasks_lost && !m->has_files && !m->has_unexplained);
	ck_assert_uint_ge(problems.n, 1);
}
END_TEST

START_TEST(users__program_without_its_struct_is_listed)
{
	r->k->members.known[MEMBER_bpf_prog_tag] = false;
	r->k->members.known[MEMBER_bpf_prog_type] = false;
	r->k->members.known[MEMBER_bpf_prog_aux_name] = false;
	r->k->members.known[MEMBER_bpf_prog_aux_load_time] = false;
	r->k->members.known[MEMBER_bpf_prog_aux_user] = false;
	ck_assert_uint_eq(find(r->one)->program->unknown, 31);
}
END_TEST

/* Streams */

static uint64_t stream_of(unsigned i)
{
	return r->first->aux_phys + machine_offset(&r->m, "bpf_prog_aux", "stream") + 56 * i;
}

static uint64_t element(const char *text, uint32_t total, uint32_t consumed, uint64_t next)
{
	uint64_t at = physmem_alloc(&r->m.pm, 4096);

	put64(at, "bpf_stream_elem", "node", next);
	put32(at, "bpf_stream_elem", "total_len", total);
	put32(at, "bpf_stream_elem", "consumed_len", consumed);
	physmem_write(&r->m.pm, at + 16, text, strlen(text));
	return at + r->m.direct;
}

START_TEST(users__backlog_is_before_the_log_whose_newest_is_first)
{
	const struct users_program *p;

	put64(stream_of(1), "bpf_stream", "backlog_head",
	      element("read one\n", 9, 5, element("two\n", 4, 0, 0)));
	put64(stream_of(1), "bpf_stream", "log",
	      element("four", 4, 0, element("three\n", 6, 0, 0)));
	put64(stream_of(0), "bpf_stream", "log", element("out", 3, 0, 0));
	p = find(r->one)->program;
	ck_assert_str_eq(p->text[1], "one\ntwo\nthree\nfour");
	ck_assert_str_eq(p->text[0], "out");
	ck_assert_uint_eq(problems.n, 0);
}
END_TEST

START_TEST(users__cycle_of_elements_ends)
{
	uint64_t last = element("b", 1, 0, 0), first = element("a", 1, 0, last);

	put64(last - r->m.direct, "bpf_stream_elem", "node", first);
	put64(stream_of(1), "bpf_stream", "backlog_head", first);
	ck_assert_str_eq(find(r->one)->program->text[1], "ab");
	ck_problem(STATE_DAMAGED, "is in a list twice");
	ck_assert(!users.programs_lost);
}
END_TEST

START_TEST(users__impossible_lengths)
{
	static const uint32_t bad[][2] = {
		{ 100001, 0 }, { UINT32_MAX, 0 }, { 3, 4 }, { 3, UINT32_MAX } };

	put64(stream_of(1), "bpf_stream", "backlog_head",
	      element("abc", bad[_i][0], bad[_i][1], element("def", 3, 0, 0)));
	ck_assert_str_eq(find(r->one)->program->text[1], "def");
	ck_problem(STATE_DAMAGED, "program 4: its streams: ");
}
END_TEST

START_TEST(users__more_text_than_a_stream_can_have)
{
	uint64_t at = element("x", 60000, 0, 0);

	put64(stream_of(1), "bpf_stream", "backlog_head", element("y", 60000, 59999, at));
	find(r->one);
	problems_free(&problems);
	physmem_alloc(&r->m.pm, 65536);
	put64(stream_of(1), "bpf_stream", "backlog_head",
	      element("y", 4, 0, r->m.direct + 0x12345));
	ck_assert_ptr_nonnull(find(r->one)->program->text[1]);
	ck_problem(STATE_DAMAGED, "is no pointer");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, users__programs_and_processes);
	tcase_add_test(tests, users__of_the_other_arena);
	tcase_add_test(tests, users__reference_of_the_scheduler);
	tcase_add_test(tests, users__pin_is_not_explained);
	tcase_add_loop_test(tests, users__impossible_counts_are_said, 0, 4);
	tcase_add_test(tests, users__lost_program_leaves_the_rest_unknown);
	tcase_add_test(tests, users__lost_process_leaves_the_rest_unknown);
	tcase_add_test(tests, users__program_without_its_struct_is_listed);
	tcase_add_test(tests, users__backlog_is_before_the_log_whose_newest_is_first);
	tcase_add_test(tests, users__cycle_of_elements_ends);
	tcase_add_loop_test(tests, users__impossible_lengths, 0, 4);
	tcase_add_test(tests, users__more_text_than_a_stream_can_have);
}

int main(void)
{
	return run_suite("users", add);
}
