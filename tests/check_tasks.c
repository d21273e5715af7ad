// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/tasks.c against processes that fixtures/synth/task_writer.c writes.
 */
#include "suite.h"

#include "../core/tasks.h"
#include "../fixtures/synth/bytes.h"
#include "../fixtures/synth/task_writer.h"

enum { EVENTS = 128, MAX_FDS = 1 << 20 };

enum kind { MAPPING, DESCRIPTOR, LOST };

/* What a walk reported. */
struct event {
	enum kind kind;
	struct task_mapping mapping;	/* of a descriptor the user alone */
	uint32_t fd;
	struct fault why;
};

/*
 * init_task; 2, a kernel thread; 100 "alpha" maps arena A twice and arena B, and has
 * descriptors 3 and 40 for A; 200 "beta" with two threads more maps B; 300 "gamma" has a
 * descriptor for a map, and maps no arena.
 */
struct rig {
	struct machine m;
	struct memory mem;
	struct task_writer w;
	struct kernel *k;
	struct task *kthread, *alpha, *beta, *beta_2, *beta_3, *gamma;
	struct mm *alpha_mm, *beta_mm;
	struct files *alpha_files, *gamma_files;
	uint64_t map_a, map_b, file_a, file_b;
};

static struct rig *rig;
static struct fault why;
static struct event event[EVENTS];
static size_t events, stop_after;

static struct physmem *pm(void)
{
	return &rig->m.pm;
}

static void setup(void)
{
	rig = synth_alloc(sizeof(*rig));
	memset(rig, 0, sizeof(*rig));
	events = stop_after = 0;
}

static void teardown(void)
{
	ck_assert_uint_eq(rig->m.pm.crossings, 0);
	task_writer_free(&rig->w);
	kernel_close(rig->k);
	machine_free(&rig->m);
	free(rig);
}

static void add_alpha(void)
{
	struct rig *r = rig;
	uint64_t ops = r->m.arena_vm_ops;

	r->alpha = task_add(&r->w, 100, "alpha");
	r->alpha_mm = task_new_mm(&r->w, r->alpha);
	mm_add_vma(&r->w, r->alpha_mm, 0x400000, 0x480000, 0, 0);
	mm_add_vma(&r->w, r->alpha_mm, 0x500000, 0x600000, ops, r->file_a);
	mm_add_vma(&r->w, r->alpha_mm, 0x600000, 0x700000, ops + 0x100, r->file_b);
	mm_add_vma(&r->w, r->alpha_mm, 0x700000, 0x800000, ops, r->file_b);
	mm_add_vma(&r->w, r->alpha_mm, 0x40000000, 0x40100000, ops, r->file_a);
	r->alpha_files = task_new_files(&r->w, r->alpha, 64);
	files_set(&r->w, r->alpha_files, 0, task_new_file(&r->w, r->m.stext, r->map_b));
	files_set(&r->w, r->alpha_files, 3, r->file_a);
	files_set(&r->w, r->alpha_files, 40, r->file_a);
}

static void add_beta(void)
{
	struct rig *r = rig;

	r->beta = task_add(&r->w, 200, "beta");
	r->beta_mm = task_new_mm(&r->w, r->beta);
	mm_add_vma(&r->w, r->beta_mm, 0x10000000, 0x10200000, r->m.arena_vm_ops, r->file_b);
	r->beta_2 = task_add_thread(&r->w, r->beta, "beta/2");
	r->beta_3 = task_add_thread(&r->w, r->beta, "beta/3");
}

/* The processes; tests may add more before write(). */
static void populate(const char *machine, uint64_t task_at)
{
	struct rig *r = rig;
	struct mm *mm;

	machine_init(&r->m, machine_config(machine));
	task_writer_init(&r->w, &r->m);
	r->w.task_at = task_at;
	r->map_a = r->m.direct + r->m.image_phys + 0x7000400;
	r->map_b = r->map_a + 0x400;
	r->file_a = task_new_file(&r->w, r->m.bpf_map_fops, r->map_a);
	r->file_b = task_new_file(&r->w, r->m.bpf_map_fops, r->map_b);
	r->kthread = task_add(&r->w, 2, "kthreadd");
	add_alpha();
	add_beta();
	r->gamma = task_add(&r->w, 300, "gamma");
	mm = task_new_mm(&r->w, r->gamma);
	mm_add_vma(&r->w, mm, 0x400000, 0x480000, 0, 0);
	r->gamma_files = task_new_files(&r->w, r->gamma, 64);
	files_set(&r->w, r->gamma_files, 63, r->file_b);
}

static void write_tasks(void)
{
	task_writer_finish(&rig->w);
	machine_finish(&rig->m);
	rig->mem = machine_memory(&rig->m);
	rig->k = kernel_open(&rig->mem, &why);
	ck_assert_msg(rig->k, "%s", why.text);
}

static void make(void)
{
	populate("x86_64-7.3", 0);
	write_tasks();
}

static bool add_event(struct event e)
{
	ck_assert_uint_lt(events, EVENTS);
	event[events++] = e;
	return events != stop_after;
}

static bool on_mapping(void *ctx, const struct task_mapping *mapping)
{
	ck_assert_ptr_eq(ctx, rig);
	return add_event((struct event){ .kind = MAPPING, .mapping = *mapping });
}

static bool on_descriptor(void *ctx, const struct task_user *user, uint32_t fd)
{
	ck_assert_ptr_eq(ctx, rig);
	return add_event((struct event){ DESCRIPTOR, { .user = *user }, .fd = fd });
}

static bool on_lost(void *ctx, const struct fault *f)
{
	ck_assert_ptr_eq(ctx, rig);
	return add_event((struct event){ .kind = LOST, .why = *f });
}

static bool walk(void)
{
	const struct tasks_visitor visitor = { on_mapping, on_descriptor, on_lost, rig };

	events = 0;
	return tasks_walk(rig->k, &visitor, &why);
}

static size_t count(enum kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < events; i++)
		n += event[i].kind == kind;
	return n;
}

/* Exactly one mapping starts at @start in process @pid; it is of @map. */
static const struct event *ck_mapping(uint32_t pid, uint64_t start, uint64_t map)
{
	const struct event *found = NULL;

	for (size_t i = 0; i < events; i++) {
		const struct task_mapping *e = &event[i].mapping;

		if (event[i].kind != MAPPING || e->user.pid != pid || e->start != start)
			continue;
		ck_assert_msg(!found, "0x%" PRIx64 " of %u is there twice", start, pid);
		found = &event[i];
		ck_u64_eq(e->user.map, map);
	}
	ck_assert_msg(found, "0x%" PRIx64 " of %u is not there", start, pid);
	return found;
}

static const struct event *ck_descriptor(uint32_t pid, uint32_t fd, uint64_t map)
{
	const struct event *found = NULL;

	for (size_t i = 0; i < events; i++) {
		if (event[i].kind != DESCRIPTOR || event[i].mapping.user.pid != pid ||
		    event[i].fd != fd)
			continue;
		ck_assert_msg(!found, "descriptor %u of %u is there twice", fd, pid);
		found = &event[i];
		ck_u64_eq(found->mapping.user.map, map);
	}
	ck_assert_msg(found, "descriptor %u of %u is not there", fd, pid);
	return found;
}

/* Exactly one loss says @text, and of @process where that is not NULL. */
static void ck_lost(enum state kind, const char *process, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < events; i++) {
		const struct fault *f = &event[i].why;

		if (event[i].kind != LOST || f->kind != kind || !strstr(f->text, text))
			continue;
		n += !process || strstr(f->text, process) == f->text;
	}
	ck_assert_msg(n == 1, "%zu losses say '%s'", n, text);
}

static void ck_no_loss(void)
{
	for (size_t i = 0; i < events; i++)
		ck_assert_msg(event[i].kind != LOST, "lost: %s", event[i].why.text);
}

static void ck_alpha(void)
{
	ck_mapping(100, 0x500000, rig->map_a);
	ck_mapping(100, 0x700000, rig->map_b);
	ck_mapping(100, 0x40000000, rig->map_a);
	ck_descriptor(100, 3, rig->map_a);
	ck_descriptor(100, 40, rig->map_a);
}

static void ck_beta(void)
{
	ck_mapping(200, 0x10000000, rig->map_b);
}

static void ck_gamma(void)
{
	ck_descriptor(300, 63, rig->map_b);
}

/* All that populate() made, and no more. */
static void ck_whole(void)
{
	ck_ok(walk(), why);
	ck_no_loss();
	ck_alpha();
	ck_beta();
	ck_gamma();
	ck_assert_uint_eq(count(MAPPING), 4);
	ck_assert_uint_eq(count(DESCRIPTOR), 3);
}

/* The page of a task's member, and what readers are told of it. */
static void lose(const struct task *t, const char *member, enum state state)
{
	physmem_set_state(pm(), task_member(&rig->w, t, member), state);
}

/* Where tasks.next and tasks.prev have a page, and the members behind it another. */
static uint64_t at_links(void)
{
	machine_init(&rig->m, machine_config("x86_64-7.3"));
	uint64_t at = 4096 - machine_offset(&rig->m, "task_struct", "mm");

	machine_free(&rig->m);
	return at;
}

START_TEST(tasks__who_maps_and_holds_what_is_found)
{
	const struct event *e;

	populate(machine_configs[_i].name, 0x400);
	write_tasks();
	ck_whole();
	e = ck_mapping(200, 0x10000000, rig->map_b);
	ck_u64_eq(e->mapping.end, 0x10200000);
	ck_u64_eq(e->mapping.pgd, rig->beta_mm->pgd);
	ck_u64_eq(e->mapping.user.task, rig->beta->va);
	ck_assert_str_eq(e->mapping.user.comm, "beta");
	e = ck_descriptor(100, 3, rig->map_a);
	ck_assert_str_eq(e->mapping.user.comm, "alpha");
	ck_u64_eq(e->mapping.user.task, rig->alpha->va);
}
END_TEST

START_TEST(tasks__machine_without_processes_has_no_users)
{
	machine_init(&rig->m, machine_config("x86_64-7.3"));
	task_writer_init(&rig->w, &rig->m);
	write_tasks();
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 0);
}
END_TEST

/* vfork() and CLONE_FILES: other processes with the mm and the files of alpha. */
START_TEST(tasks__what_processes_share_is_visited_once)
{
	populate("x86_64-7.3", 0);
	for (uint32_t pid = 400; pid < 404; pid++) {
		struct task *t = task_add(&rig->w, pid, "sharer");

		task_set_mm(&rig->w, t, rig->alpha_mm);
		task_set_files(&rig->w, t, rig->alpha_files);
	}
	write_tasks();
	ck_whole();
}
END_TEST

START_TEST(tasks__thread_with_files_and_mm_of_its_own_is_visited)
{
	const struct event *e;
	struct files *f;
	struct mm *mm;

	populate("x86_64-7.3", 0);
	mm = task_new_mm(&rig->w, rig->beta_3);
	mm_add_vma(&rig->w, mm, 0x900000, 0xa00000, rig->m.arena_vm_ops, rig->file_a);
	f = task_new_files(&rig->w, rig->beta_3, 64);
	files_set(&rig->w, f, 9, rig->file_a);
	write_tasks();
	ck_ok(walk(), why);
	ck_no_loss();
	ck_beta();
	e = ck_mapping(200, 0x900000, rig->map_a);
	ck_u64_eq(e->mapping.user.task, rig->beta_3->va);
	ck_assert_str_eq(e->mapping.user.comm, "beta/3");
	ck_descriptor(200, 9, rig->map_a);
}
END_TEST

START_TEST(tasks__name_of_16_bytes_is_ended)
{
	make();
	physmem_write(pm(), task_member(&rig->w, rig->beta, "comm"), "0123456789abcdef", 16);
	ck_whole();
	ck_assert_str_eq(ck_mapping(200, 0x10000000, rig->map_b)->mapping.user.comm,
			 "0123456789abcdef");
}
END_TEST

/* Lists */

START_TEST(tasks__task_without_its_links_loses_nothing)
{
	populate("x86_64-7.3", at_links());
	write_tasks();
	ck_whole();
	/* the first process, one in the middle, the last one */
	lose((struct task *[]){ rig->kthread, rig->beta, rig->gamma }[_i], "tasks",
	     STATE_EXCLUDED);
	ck_whole();
}
END_TEST

START_TEST(tasks__task_that_is_lost_loses_itself_alone)
{
	populate("x86_64-7.3", at_links());
	write_tasks();
	lose(rig->alpha, "mm", STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_beta();
	ck_gamma();
	ck_assert_uint_eq(count(MAPPING), 1);
	/* who it is is in the same page */
	ck_lost(STATE_EXCLUDED, "task 0x", "what it maps");
	ck_lost(STATE_EXCLUDED, "task 0x", "threads");
	ck_assert_uint_eq(count(LOST), 2);
}
END_TEST

START_TEST(tasks__what_lies_between_two_lost_tasks_is_said_to_be_lost)
{
	populate("x86_64-7.3", at_links());
	write_tasks();
	lose(rig->alpha, "tasks", STATE_EXCLUDED);
	lose(rig->gamma, "tasks", STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_alpha();
	ck_gamma();
	ck_assert_uint_eq(count(MAPPING), 3);
	ck_lost(STATE_EXCLUDED, NULL, "list of processes");
	ck_assert_uint_eq(count(LOST), 1);
}
END_TEST

/* alpha.tasks.next is a lie: all are found from the other end. */
START_TEST(tasks__list_that_is_torn_is_followed_backwards)
{
	uint64_t next;

	make();
	next = (uint64_t[]){ 0, rig->kthread->va + 0xa68, rig->alpha->va + 0xa68, 0x7001,
			     0x7fff00000000, rig->beta->va + 0xa6c }[_i];
	physmem_u64(pm(), task_member(&rig->w, rig->alpha, "tasks"), next);
	ck_ok(walk(), why);
	ck_alpha();
	ck_beta();
	ck_gamma();
	ck_assert_uint_eq(count(MAPPING), 4);
	ck_assert_uint_eq(count(DESCRIPTOR), 3);
}
END_TEST

/* Both links of two tasks lead into rings of their own. */
START_TEST(tasks__forged_lists_end)
{
	uint64_t alpha, gamma;

	make();
	alpha = task_member(&rig->w, rig->alpha, "tasks");
	gamma = task_member(&rig->w, rig->gamma, "tasks");
	physmem_u64(pm(), alpha, alpha + rig->m.direct);
	physmem_u64(pm(), gamma + 8, gamma + rig->m.direct);
	ck_ok(walk(), why);
	ck_alpha();
	ck_gamma();
	ck_lost(STATE_DAMAGED, NULL, "list of processes");
	ck_assert_uint_eq(count(LOST), 1);
}
END_TEST

START_TEST(tasks__both_ends_of_the_list_torn_are_said)
{
	uint64_t head;

	make();
	head = task_member(&rig->w, &rig->w.task[0], "tasks");
	physmem_u64(pm(), head, 0x10);
	ck_ok(walk(), why);
	ck_no_loss();
	ck_assert_uint_eq(count(MAPPING), 4);
	physmem_u64(pm(), head + 8, 0x10);
	ck_ok(walk(), why);
	ck_lost(STATE_DAMAGED, NULL, "list of processes");
	ck_assert_uint_eq(events, 1);
}
END_TEST

static void give_thread_files(void)
{
	populate("x86_64-7.3", 0);
	files_set(&rig->w, task_new_files(&rig->w, rig->beta_2, 64), 12, rig->file_a);
	files_set(&rig->w, task_new_files(&rig->w, rig->beta_3, 64), 13, rig->file_a);
	write_tasks();
}

static void ck_threads(void)
{
	ck_ok(walk(), why);
	ck_no_loss();
	ck_beta();
	ck_descriptor(200, 12, rig->map_a);
	ck_descriptor(200, 13, rig->map_a);
	ck_assert_uint_eq(count(DESCRIPTOR), 5);
}

START_TEST(tasks__threads_are_found_without_their_signal_struct)
{
	give_thread_files();
	ck_threads();
	physmem_set_state(pm(), rig->beta->signal_phys, STATE_EXCLUDED);
	ck_threads();
}
END_TEST

START_TEST(tasks__thread_list_that_is_torn_is_followed_backwards)
{
	give_thread_files();
	physmem_u64(pm(), task_member(&rig->w, _i ? rig->beta : rig->beta_2, "thread_node"),
		    (uint64_t[]){ 0x8, rig->beta->va + 0xbe8 }[_i]);
	ck_threads();
}
END_TEST

/* What is no thread of the process is not taken for one. */
START_TEST(tasks__thread_of_another_process_ends_the_list)
{
	uint64_t node, other;

	give_thread_files();
	node = task_member(&rig->w, rig->beta, "thread_node");
	other = task_member(&rig->w, rig->gamma, "thread_node") + rig->m.direct;
	physmem_u64(pm(), node, other);
	ck_threads();
	/* from both sides: thread 3 is behind it */
	physmem_u64(pm(), rig->beta->signal_phys + machine_offset(&rig->m, "signal_struct",
								  "thread_head") + 8, other);
	ck_ok(walk(), why);
	ck_lost(STATE_DAMAGED, "process 200", "no thread of it");
	ck_descriptor(300, 63, rig->map_b);
	ck_assert_uint_eq(count(DESCRIPTOR), 3);
}
END_TEST

/* Mappings */

/* alpha's mappings are lost in part; it says so once, and all others are found. */
static void ck_alpha_lost(size_t mappings, enum state kind, const char *text)
{
	ck_ok(walk(), why);
	ck_lost(kind, "process 100: its mappings", text);
	ck_assert_uint_eq(count(LOST), 1);
	ck_assert_uint_eq(count(MAPPING), mappings + 1);
	ck_descriptor(100, 3, rig->map_a);
	ck_beta();
	ck_gamma();
}

START_TEST(tasks__mm_that_is_lost_is_said_once)
{
	make();
	physmem_set_state(pm(), rig->alpha_mm->phys, STATE_EXCLUDED);
	ck_alpha_lost(0, STATE_EXCLUDED, "excluded");
	physmem_set_state(pm(), rig->alpha_mm->phys, STATE_STORED);
	physmem_set_state(pm(), maple_root(rig->alpha_mm->tree)->phys, STATE_CUT);
	ck_alpha_lost(0, STATE_CUT, "cut");
	physmem_set_state(pm(), maple_root(rig->alpha_mm->tree)->phys, STATE_STORED);
	ck_whole();
}
END_TEST

START_TEST(tasks__vma_that_is_lost_loses_itself_alone)
{
	make();
	/* the file mapping, and the first one of an arena */
	physmem_set_state(pm(), rig->alpha_mm->vma[0].phys, STATE_EXCLUDED);
	ck_alpha_lost(3, STATE_EXCLUDED, "0x400000");
	physmem_set_state(pm(), rig->alpha_mm->vma[1].phys, STATE_EXCLUDED);
	ck_alpha_lost(2, STATE_EXCLUDED, "and 1 more");
	ck_mapping(100, 0x40000000, rig->map_a);
}
END_TEST

START_TEST(tasks__vma_that_is_another_one_is_not_believed)
{
	uint64_t phys;

	make();
	phys = rig->alpha_mm->vma[1].phys;
	physmem_u64(pm(), phys + (_i ? 8 : 0), 0x580000);
	ck_alpha_lost(2, STATE_DAMAGED, "0x500000");
	ck_mapping(100, 0x700000, rig->map_b);
}
END_TEST

/* The window is known even so. */
START_TEST(tasks__mapping_whose_file_is_lost_has_no_map)
{
	uint64_t file = 0;

	make();
	file = machine_phys(&rig->m, rig->file_a);
	if (_i == 0)
		physmem_set_state(pm(), file, STATE_EXCLUDED);
	else if (_i == 1)
		physmem_u64(pm(), file + machine_offset(&rig->m, "file", "f_op"),
			    rig->m.bpf_map_fops + 0x100);
	else
		physmem_u64(pm(), file + machine_offset(&rig->m, "file", "private_data"),
			    (uint64_t[]){ 0, rig->map_a + 4 }[_i - 2]);
	ck_ok(walk(), why);
	ck_mapping(100, 0x500000, 0);
	ck_mapping(100, 0x700000, rig->map_b);
	ck_mapping(100, 0x40000000, 0);
	ck_lost(_i ? STATE_DAMAGED : STATE_EXCLUDED, "process 100: its mappings", "and 1 more");
	ck_beta();
	/* a file that is none of a map is no loss of the files */
	ck_assert_uint_eq(count(LOST), _i == 1 ? 1 : 2);
	ck_assert_uint_eq(count(DESCRIPTOR), 1);
}
END_TEST

/* Files */

static void ck_alpha_files_lost(size_t descriptors, enum state kind, const char *text)
{
	ck_ok(walk(), why);
	ck_lost(kind, "process 100: its files", text);
	ck_assert_uint_eq(count(LOST), 1);
	ck_assert_uint_eq(count(DESCRIPTOR), descriptors + 1);
	ck_assert_uint_eq(count(MAPPING), 4);
	ck_gamma();
}

START_TEST(tasks__files_that_are_lost_are_said_once)
{
	uint64_t page;

	make();
	page = (uint64_t[]){ rig->alpha_files->phys, rig->alpha_files->fdt_phys,
			     rig->alpha_files->array_phys }[_i];
	physmem_set_state(pm(), page, STATE_EXCLUDED);
	ck_alpha_files_lost(0, STATE_EXCLUDED, "excluded");
	physmem_set_state(pm(), page, STATE_STORED);
	ck_whole();
}
END_TEST

/* 2048 descriptors in four pages: what the lost one has is lost, and no more. */
START_TEST(tasks__lost_page_of_descriptors_loses_those_alone)
{
	struct files *f;

	populate("x86_64-7.3", 0);
	f = task_new_files(&rig->w, rig->beta, 2048);
	for (uint32_t fd = 500; fd < 2048; fd += 512)
		files_set(&rig->w, f, fd, rig->file_a);
	files_set(&rig->w, f, 2047, rig->file_a);
	write_tasks();
	ck_ok(walk(), why);
	ck_no_loss();
	ck_assert_uint_eq(count(DESCRIPTOR), 3 + 5);
	physmem_set_state(pm(), f->array_phys + 4096, STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_lost(STATE_EXCLUDED, "process 200: its files", "excluded");
	ck_assert_uint_eq(count(DESCRIPTOR), 3 + 4);
	ck_descriptor(200, 500, rig->map_a);
	ck_descriptor(200, 2036, rig->map_a);
	ck_descriptor(200, 2047, rig->map_a);
}
END_TEST

START_TEST(tasks__descriptor_that_is_no_file_loses_itself_alone)
{
	make();
	files_set(&rig->w, rig->alpha_files, 1,
		  (uint64_t[]){ 1, 0x7000, rig->file_a + 4 }[_i]);
	ck_alpha_files_lost(2, STATE_DAMAGED, "descriptor 1:");
	files_set(&rig->w, rig->alpha_files, 2, 0x7000);
	ck_alpha_files_lost(2, STATE_DAMAGED, "and 1 more");
}
END_TEST

START_TEST(tasks__impossible_tables_of_files_are_bounded)
{
	uint64_t max, fd;

	make();
	max = rig->alpha_files->fdt_phys + machine_offset(&rig->m, "fdtable", "max_fds");
	fd = rig->alpha_files->fdt_phys + machine_offset(&rig->m, "fdtable", "fd");
	physmem_u32(pm(), max, UINT32_MAX);
	physmem_forget_reads(pm());
	ck_ok(walk(), why);
	ck_lost(STATE_DAMAGED, "process 100: its files", "more files");
	ck_assert_uint_eq(count(LOST), 1);
	ck_alpha();
	/* not a read more than the first 1 << 20 descriptors need, each page once */
	ck_assert_uint_lt(pm()->reads, MAX_FDS / 512 + 2000);
	physmem_u32(pm(), max, 64);
	physmem_u64(pm(), fd, rig->alpha_files->array + 4);
	ck_alpha_files_lost(0, STATE_DAMAGED, "impossible array");
	physmem_u64(pm(), fd, 0);
	ck_alpha_files_lost(0, STATE_DAMAGED, "no kernel address");
}
END_TEST

/* What the kernel must have */

START_TEST(tasks__kernel_without_init_task_has_no_answer)
{
	make();
	rig->k->symbol[SYMBOL_init_task].count = 0;
	ck_assert(!walk());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "init_task");
	rig->k->symbol[SYMBOL_init_task].count = 1;
	ck_whole();
	lose(&rig->w.task[0], "tasks", STATE_EXCLUDED);
	ck_assert(!walk());
	ck_fault(why, STATE_EXCLUDED, "init_task");
	ck_assert_uint_eq(events, 0);
}
END_TEST

START_TEST(tasks__kernel_without_task_members_has_no_answer)
{
	static const enum member m[] = { MEMBER_task_struct_tasks, MEMBER_signal_struct_thread_head,
					 MEMBER_list_head_prev };

	make();
	rig->k->members.known[m[_i]] = false;
	ck_assert(!walk());
	ck_fault(why, FAULT_UNKNOWN_TYPE, "no member");
	ck_assert_uint_eq(events, 0);
}
END_TEST

START_TEST(tasks__part_that_is_not_known_is_said_and_left_out)
{
	struct kernel *k;

	make();
	k = rig->k;
	switch (_i) {
	case 0:
		k->symbol[SYMBOL_arena_vm_ops].count = 0;
		break;
	case 1:
		k->members.known[MEMBER_maple_range_64_slot] = false;
		break;
	case 2:
		k->members.known[MEMBER_vm_area_struct_vm_ops] = false;
		break;
	case 3:
		k->symbol[SYMBOL_bpf_map_fops].count = 2;
		break;
	case 4:
		k->members.known[MEMBER_fdtable_fd] = false;
		break;
	}
	ck_ok(walk(), why);
	ck_lost(FAULT_UNKNOWN_TYPE, NULL, _i < 3 ? "what processes map" : "files of processes");
	ck_assert_uint_eq(count(LOST), 1);
	ck_assert_uint_eq(count(MAPPING), _i < 3 ? 0 : 4);
	ck_assert_uint_eq(count(DESCRIPTOR), _i < 3 ? 3 : 0);
}
END_TEST

START_TEST(tasks__struct_file_that_is_not_known_loses_both)
{
	make();
	if (_i)
		rig->k->members.offset[MEMBER_file_private_data] = 4096;
	else
		rig->k->members.known[MEMBER_file_private_data] = false;
	ck_ok(walk(), why);
	ck_assert_uint_eq(count(LOST), 2);
	ck_assert_uint_eq(events, 2);
	for (stop_after = 1; stop_after <= 2; stop_after++)
		ck_assert(!walk());
}
END_TEST

START_TEST(tasks__visitor_can_stop_the_walk)
{
	make();
	physmem_set_state(pm(), rig->alpha_mm->vma[0].phys, STATE_EXCLUDED);
	ck_ok(walk(), why);
	ck_assert_uint_eq(events, 8);
	for (stop_after = 1; stop_after <= 8; stop_after++) {
		fault_fill(&why, FAULT_WORKER, SPACE_NONE, 0, "untouched");
		ck_assert(!walk());
		ck_assert_uint_eq(events, stop_after);
		ck_fault(why, FAULT_WORKER, "untouched");
	}
}
END_TEST

START_TEST(tasks__user_can_stop_the_walk)
{
	make();
	pm()->progress = 0;
	ck_whole();
	for (unsigned n = pm()->progress - 1; n; n--) {
		pm()->progress = 0;
		pm()->stop_after = n;
		ck_assert(!walk());
		ck_assert_int_eq(why.kind, FAULT_LIMIT);
	}
}
END_TEST

/* User page tables */

START_TEST(tasks__page_of_a_process_is_where_its_tables_say)
{
	uint64_t ps, phys, top, frame[4];
	struct tables *alpha, *beta;

	populate(machine_configs[_i].name, 0);
	ps = pm()->page_size;
	alpha = &rig->alpha_mm->tables;
	beta = &rig->beta_mm->tables;
	top = -tables_lowest(alpha) - ps;
	for (size_t i = 0; i < 4; i++)
		frame[i] = machine_new_frame(&rig->m, (uint32_t)i);
	/* one address in two processes; the last user address */
	tables_map(alpha, 0x500000, frame[0], alpha->c.page_shift);
	tables_map(beta, 0x500000, frame[1], alpha->c.page_shift);
	tables_map(alpha, top, frame[2], alpha->c.page_shift);
	write_tasks();
	ck_ok(tasks_translate(rig->k, rig->alpha_mm->pgd, 0x500010, &phys, &why), why);
	ck_u64_eq(phys, frame[0] + 0x10);
	ck_ok(tasks_translate(rig->k, rig->beta_mm->pgd, 0x500010, &phys, &why), why);
	ck_u64_eq(phys, frame[1] + 0x10);
	ck_ok(tasks_translate(rig->k, rig->alpha_mm->pgd, top + ps - 1, &phys, &why), why);
	ck_u64_eq(phys, frame[2] + ps - 1);
	ck_assert(!tasks_translate(rig->k, rig->alpha_mm->pgd, top + ps, &phys, &why));
	ck_fault(why, STATE_DAMAGED, "no user address");
	ck_assert(!tasks_translate(rig->k, rig->alpha_mm->pgd, rig->m.stext, &phys, &why));
	ck_fault(why, STATE_DAMAGED, "no user address");
	ck_assert(!tasks_translate(rig->k, rig->beta_mm->pgd, 0x500000 + ps, &phys, &why));
	ck_fault(why, STATE_ABSENT, "not mapped by the process");
}
END_TEST

/* mprotect(PROT_NONE): the frame is in the entry, but not to be reached. */
START_TEST(tasks__page_without_access_is_not_mapped)
{
	struct tables *t;
	uint64_t phys, leaf;

	populate(machine_configs[_i].name, 0);
	t = &rig->alpha_mm->tables;
	leaf = tables_leaf(t, machine_new_frame(&rig->m, 1), t->c.page_shift);
	physmem_u64(pm(), tables_entry(t, 0x500000, t->c.page_shift),
		    (leaf & ~UINT64_C(1)) | (t->c.arm ? 1 << 11 : 1 << 8));
	write_tasks();
	ck_assert(!tasks_translate(rig->k, rig->alpha_mm->pgd, 0x500000, &phys, &why));
	ck_fault(why, STATE_ABSENT, "not mapped by the process");
}
END_TEST

START_TEST(tasks__tables_of_a_process_that_are_lost_are_said)
{
	struct tables *t;
	uint64_t phys, last;

	populate(machine_configs[_i].name, 0);
	t = &rig->alpha_mm->tables;
	tables_map(t, 0x500000, machine_new_frame(&rig->m, 1), t->c.page_shift);
	last = tables_entry(t, 0x500000, t->c.page_shift);
	write_tasks();
	physmem_set_state(pm(), t->root, STATE_EXCLUDED);
	ck_assert(!tasks_translate(rig->k, rig->alpha_mm->pgd, 0x500000, &phys, &why));
	ck_fault(why, STATE_EXCLUDED, "page table");
	physmem_set_state(pm(), t->root, STATE_STORED);
	physmem_set_state(pm(), last, STATE_CUT);
	ck_assert(!tasks_translate(rig->k, rig->alpha_mm->pgd, 0x500000, &phys, &why));
	ck_fault(why, STATE_CUT, "page table");
	physmem_set_state(pm(), last, STATE_STORED);
	ck_ok(tasks_translate(rig->k, rig->alpha_mm->pgd, 0x500000, &phys, &why), why);
}
END_TEST

START_TEST(tasks__root_that_cannot_be_is_refused)
{
	uint64_t phys;

	populate(machine_configs[_i].name, 0);
	write_tasks();
	ck_assert(!tasks_translate(rig->k, 0, 0x500000, &phys, &why));
	ck_fault(why, STATE_DAMAGED, "page tables of a process");
	ck_assert(!tasks_translate(rig->k, rig->alpha_mm->pgd + 8, 0x500000, &phys, &why));
	ck_fault(why, STATE_DAMAGED, "cannot begin");
}
END_TEST

static void add(TCase *tests)
{
	int n = (int)machine_configs_n;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, tasks__who_maps_and_holds_what_is_found, 0, n);
	tcase_add_test(tests, tasks__machine_without_processes_has_no_users);
	tcase_add_test(tests, tasks__what_processes_share_is_visited_once);
	tcase_add_test(tests, tasks__thread_with_files_and_mm_of_its_own_is_visited);
	tcase_add_test(tests, tasks__name_of_16_bytes_is_ended);
	tcase_add_loop_test(tests, tasks__task_without_its_links_loses_nothing, 0, 3);
	tcase_add_test(tests, tasks__task_that_is_lost_loses_itself_alone);
	tcase_add_test(tests, tasks__what_lies_between_two_lost_tasks_is_said_to_be_lost);
	tcase_add_loop_test(tests, tasks__list_that_is_torn_is_followed_backwards, 0, 6);
	tcase_add_test(tests, tasks__forged_lists_end);
	tcase_add_test(tests, tasks__both_ends_of_the_list_torn_are_said);
	tcase_add_test(tests, tasks__threads_are_found_without_their_signal_struct);
	tcase_add_loop_test(tests, tasks__thread_list_that_is_torn_is_followed_backwards, 0, 2);
	tcase_add_test(tests, tasks__thread_of_another_process_ends_the_list);
	tcase_add_test(tests, tasks__mm_that_is_lost_is_said_once);
	tcase_add_test(tests, tasks__vma_that_is_lost_loses_itself_alone);
	tcase_add_loop_test(tests, tasks__vma_that_is_another_one_is_not_believed, 0, 2);
	tcase_add_loop_test(tests, tasks__mapping_whose_file_is_lost_has_no_map, 0, 4);
	tcase_add_loop_test(tests, tasks__files_that_are_lost_are_said_once, 0, 3);
	tcase_add_test(tests, tasks__lost_page_of_descriptors_loses_those_alone);
	tcase_add_loop_test(tests, tasks__descriptor_that_is_no_file_loses_itself_alone, 0, 3);
	tcase_add_test(tests, tasks__impossible_tables_of_files_are_bounded);
	tcase_add_test(tests, tasks__kernel_without_init_task_has_no_answer);
	tcase_add_loop_test(tests, tasks__kernel_without_task_members_has_no_answer, 0, 3);
	tcase_add_loop_test(tests, tasks__part_that_is_not_known_is_said_and_left_out, 0, 5);
	tcase_add_loop_test(tests, tasks__struct_file_that_is_not_known_loses_both, 0, 2);
	tcase_add_test(tests, tasks__visitor_can_stop_the_walk);
	tcase_add_test(tests, tasks__user_can_stop_the_walk);
	tcase_add_loop_test(tests, tasks__page_of_a_process_is_where_its_tables_say, 0, n);
	tcase_add_loop_test(tests, tasks__page_without_access_is_not_mapped, 0, n);
	tcase_add_loop_test(tests, tasks__tables_of_a_process_that_are_lost_are_said, 0, n);
	tcase_add_loop_test(tests, tasks__root_that_cannot_be_is_refused, 0, n);
}

int main(void)
{
	return run_suite("tasks", add);
}
