// SPDX-License-Identifier: GPL-2.0-or-later
#include "users.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "addrset.h"
#include "array.h"
#include "programs.h"
#include "reader.h"
#include "streams.h"

enum {
	MAX_USERS = 1 << 16,		/* of each kind */
};

struct finder {
	const struct kernel *k;
	struct users *u;
	struct problems *problems;
	struct fault *why;
	struct users_program program;	/* the one whose maps are visited */
	struct stream_reader streams;
	bool failed;			/* @why */
};

/* Arenas. */

static int by_address(const void *a, const void *b)
{
	const struct users_map *x = a, *y = b;

	return (x->map > y->map) - (x->map < y->map);
}

static struct users_map *find_map(const struct users *u, uint64_t map)
{
	const struct users_map key = { .map = map };

	return u->maps && map ? bsearch(&key, u->map, u->maps, sizeof(key), by_address) : NULL;
}

const struct users_map *users_of(const struct users *u, uint64_t map)
{
	return find_map(u, map);
}

static bool take_maps(struct finder *f, const struct arena_list *list)
{
	struct fault ignored;

	f->u->map = calloc(list->n + 1, sizeof(*f->u->map));
	if (!f->u->map)
		return fault_set(f->why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (size_t i = 0; i < list->n; i++) {
		struct users_map *m = &f->u->map[f->u->maps];

		if (!list->found[i].map)
			continue;
		m->map = list->found[i].map;
		m->has_refcnt = kernel_has(f->k, MEMBER_bpf_map_refcnt) &&
			kernel_member_u64(f->k, m->map, MEMBER_bpf_map_refcnt, &m->refcnt, &ignored);
		m->has_usercnt = kernel_has(f->k, MEMBER_bpf_map_usercnt) &&
			kernel_member_u64(f->k, m->map, MEMBER_bpf_map_usercnt, &m->usercnt,
					  &ignored);
		f->u->maps++;
	}
	qsort(f->u->map, f->u->maps, sizeof(*f->u->map), by_address);
	return true;
}

/* Programs. */

static bool has_read(const struct finder *f, uint64_t base, enum member m, void *buf, size_t n)
{
	struct fault ignored;

	return kernel_has(f->k, m) &&
	       kernel_read(f->k, base + f->k->members.offset[m], buf, n, &ignored);
}

static void describe(const struct finder *f, struct users_program *p)
{
	uint64_t user = 0;
	uint8_t b[8];

	p->unknown = PROGRAM_UID;
	if (!has_read(f, p->aux, MEMBER_bpf_prog_aux_name, p->name, sizeof(p->name) - 1))
		p->unknown |= PROGRAM_NAME;
	if (has_read(f, p->prog, MEMBER_bpf_prog_type, b, 4))
		p->type = load_u32(b);
	else
		p->unknown |= PROGRAM_TYPE;
	if (!has_read(f, p->prog, MEMBER_bpf_prog_tag, p->tag, sizeof(p->tag)))
		p->unknown |= PROGRAM_TAG;
	if (has_read(f, p->aux, MEMBER_bpf_prog_aux_load_time, b, 8))
		p->load_time = load_u64(b);
	else
		p->unknown |= PROGRAM_TIME;
	if (has_read(f, p->aux, MEMBER_bpf_prog_aux_user, b, 8))
		user = load_u64(b);
	if (user >= f->k->format.lowest && has_read(f, user, MEMBER_user_struct_uid, b, 4)) {
		p->uid = load_u32(b);
		p->unknown &= ~(unsigned)PROGRAM_UID;
	}
}

/* The search for arenas may have met it, too. */
static bool is_said(const struct problems *list, const struct fault *why)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->problem[i].why.text, why->text))
			return true;
	return false;
}

static void say_lost(const struct finder *f, const struct users_program *p, struct fault *why)
{
	f->u->programs_lost |= !p;
	if (p)
		fault_prefix(why, "program %" PRIu32 ": its streams: ", p->id);
	if (!is_said(f->problems, why))
		problems_add(f->problems, why);
}

/* False: out of memory. */
static bool read_streams(struct finder *f, struct users_program *p)
{
	struct fault why;

	for (unsigned i = 0; i < STREAMS && stream_exists(f->k); i++) {
		if (stream_read(&f->streams, p->aux, i, &p->text[i], &why))
			continue;
		if (why.kind == FAULT_NOMEM) {
			*f->why = why;
			f->failed = true;
			return false;
		}
		say_lost(f, p, &why);
	}
	return true;
}

/* The use of a map by the program that is visited. */
static bool add_use(struct finder *f, uint64_t map, bool by_arena)
{
	struct users *u = f->u;
	struct users_program *p;
	struct fault why;

	if (!find_map(u, map))
		return true;
	for (size_t i = u->programs; i-- && u->program[i].prog == f->program.prog;) {
		if (u->program[i].map != map)
			continue;
		u->program[i].by_arena |= by_arena;
		u->program[i].by_maps |= !by_arena;
		return true;
	}
	if (u->programs == MAX_USERS) {
		fault_fill(&why, FAULT_LIMIT, SPACE_NONE, 0,
			   "more programs use arenas than are looked at");
		if (!u->programs_lost)
			problems_add(f->problems, &why);
		u->programs_lost = true;
		return true;
	}
	f->failed = !array_grow(&u->program, &u->program_room, u->programs, sizeof(*p), f->why);
	if (f->failed)
		return false;
	p = &u->program[u->programs++];
	*p = f->program;
	p->map = map;
	p->by_arena = by_arena;
	p->by_maps = !by_arena;
	describe(f, p);
	return read_streams(f, p);
}

static bool on_program(void *ctx, uint32_t id, uint64_t prog, uint64_t aux)
{
	struct finder *f = ctx;

	f->program = (struct users_program){ .id = id, .prog = prog, .aux = aux };
	f->failed = !memory_progress(f->k->mem, "walking programs", 0, 0, f->why);
	return !f->failed;
}

static bool on_arena(void *ctx, uint32_t id, uint64_t map)
{
	const struct finder *f = ctx;
	struct users_map *m;

	if (id)
		return add_use(ctx, map, true);
	/* the scheduler's, which is no program */
	m = find_map(f->u, map);
	if (m)
		m->schedulers++;
	return true;
}

static bool on_map(void *ctx, uint32_t id, uint64_t map)
{
	(void)id;
	return add_use(ctx, map, false);
}

static bool on_lost_program(void *ctx, const struct fault *why)
{
	struct fault fault = *why;

	say_lost(ctx, NULL, &fault);
	return true;
}

/* Processes. */

static bool add_hold(struct finder *f, const struct users_hold *hold)
{
	struct users *u = f->u;
	struct fault why;

	if (!find_map(u, hold->user.map))
		return true;
	if (u->holds == MAX_USERS) {
		fault_fill(&why, FAULT_LIMIT, SPACE_NONE, 0,
			   "more mappings and descriptors of arenas than are looked at");
		if (!u->tasks_lost)
			problems_add(f->problems, &why);
		u->tasks_lost = true;
		return true;
	}
	f->failed = !array_grow(&u->hold, &u->hold_room, u->holds, sizeof(*hold), f->why);
	if (!f->failed)
		u->hold[u->holds++] = *hold;
	return !f->failed;
}

static bool on_mapping(void *ctx, const struct task_mapping *m)
{
	return add_hold(ctx, &(struct users_hold){
		.user = m->user, .mapped = true, .start = m->start, .end = m->end });
}

static bool on_descriptor(void *ctx, const struct task_user *user, uint32_t fd)
{
	return add_hold(ctx, &(struct users_hold){ .user = *user, .fd = fd });
}

static bool on_lost_task(void *ctx, const struct fault *why)
{
	struct finder *f = ctx;

	f->u->tasks_lost = true;
	if (!is_said(f->problems, why))
		problems_add(f->problems, why);
	return true;
}

/* Order, and what follows from it. */

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int program_order(const void *a, const void *b)
{
	const struct users_program *x = a, *y = b;
	int by_map = compare(x->map, y->map);

	return by_map ? by_map : compare(x->id, y->id);
}

static int hold_order(const void *a, const void *b)
{
	const struct users_hold *x = a, *y = b;
	const int order[] = {
		compare(x->user.map, y->user.map), compare(x->user.pid, y->user.pid),
		x->user.pid ? 0 : compare(x->user.task, y->user.task),
		y->mapped - x->mapped, compare(x->start, y->start), compare(x->fd, y->fd),
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (order[i])
			return order[i];
	return 0;
}

/* Distinct files that hold the arena. False: out of memory. */
static bool count_files(const struct finder *f, struct users_map *m)
{
	struct addrset files = { 0 };

	m->has_files = !f->u->tasks_lost;
	for (size_t i = 0; i < m->holds; i++) {
		uint64_t file = m->hold[i].user.file;

		if (!file) {
			m->has_files = false;
		} else if (addrset_add(&files, file, MAX_USERS) == ADDRSET_NOMEM) {
			addrset_free(&files);
			return fault_set(f->why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		}
	}
	m->files = files.n;
	addrset_free(&files);
	return true;
}

static void explain(const struct finder *f, struct users_map *m)
{
	uint64_t found = m->files + m->programs + m->schedulers;
	struct fault why;

	if (!m->has_files || f->u->programs_lost || !m->has_refcnt || !m->has_usercnt)
		return;
	m->has_unexplained = m->refcnt >= found && m->usercnt >= m->files &&
			     m->usercnt - m->files <= m->refcnt - found;
	m->unexplained = m->refcnt - found;
	m->unexplained_users = m->usercnt - m->files;
	if (m->has_unexplained)
		return;
	fault_fill(&why, STATE_DAMAGED, SPACE_VIRT, m->map,
		   "map 0x%" PRIx64 ": %" PRIu64 " references and %" PRIu64 " of users are counted, "
		   "but %" PRIu64 " files, %zu programs and %" PRIu32 " schedulers hold it", m->map,
		   m->refcnt, m->usercnt, m->files, m->programs, m->schedulers);
	problems_add_struct(f->problems, &why, m->map);
}

static bool settle(struct finder *f)
{
	struct users *u = f->u;
	size_t p = 0, h = 0;

	if (u->programs)
		qsort(u->program, u->programs, sizeof(*u->program), program_order);
	if (u->holds)
		qsort(u->hold, u->holds, sizeof(*u->hold), hold_order);
	for (size_t i = 0; i < u->maps; i++) {
		struct users_map *m = &u->map[i];

		m->program = u->program + p;
		for (; p < u->programs && u->program[p].map == m->map; p++)
			m->programs++;
		m->hold = u->hold + h;
		for (; h < u->holds && u->hold[h].user.map == m->map; h++)
			m->holds++;
		if (!count_files(f, m))
			return false;
		explain(f, m);
	}
	return true;
}

/* A walk that cannot be had leaves all unknown; one that was ended has failed. */
static bool can_go_on(struct finder *f, struct fault *why, bool *lost)
{
	if (f->failed)
		return false;
	if (why->kind == FAULT_NOMEM || why->kind == FAULT_LIMIT) {
		*f->why = *why;
		return false;
	}
	*lost = true;
	if (!is_said(f->problems, why))
		problems_add(f->problems, why);
	return true;
}

bool users_find(const struct kernel *k, const struct arena_list *list, struct users *u,
		struct problems *problems, struct fault *why)
{
	struct finder f = { .k = k, .u = u, .problems = problems, .why = why, .streams = { .k = k } };
	const struct programs_visitor programs = {
		.program = on_program, .arena = on_arena, .map = on_map,
		.lost = on_lost_program, .ctx = &f,
	};
	const struct tasks_visitor tasks = {
		.mapping = on_mapping, .descriptor = on_descriptor, .lost = on_lost_task, .ctx = &f,
	};
	struct fault ended = { .kind = STATE_STORED };
	bool ok;

	if (!list->n)
		return true;
	ok = take_maps(&f, list) &&
	     (programs_walk(k, &programs, &ended) || can_go_on(&f, &ended, &u->programs_lost)) &&
	     (tasks_walk(k, &tasks, &ended) || can_go_on(&f, &ended, &u->tasks_lost)) &&
	     settle(&f);
	stream_reader_free(&f.streams);
	return ok;
}

void users_free(struct users *u)
{
	for (size_t i = 0; i < u->programs; i++) {
		free(u->program[i].text[0]);
		free(u->program[i].text[1]);
	}
	free(u->program);
	free(u->hold);
	free(u->map);
	*u = (struct users){ 0 };
}

size_t users_process_end(const struct users_map *m, size_t i)
{
	const struct task_user *first = &m->hold[i].user;

	for (i++; i < m->holds; i++) {
		const struct task_user *is = &m->hold[i].user;

		if (is->pid != first->pid || (!is->pid && is->task != first->task))
			break;
	}
	return i;
}

size_t users_processes(const struct users_map *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->holds; i = users_process_end(m, i))
		n++;
	return n;
}

const char *users_type_name(uint32_t type)
{
	static const char *const names[] = {
		"unspec", "socket_filter", "kprobe", "sched_cls", "sched_act", "tracepoint", "xdp",
		"perf_event", "cgroup_skb", "cgroup_sock", "lwt_in", "lwt_out", "lwt_xmit",
		"sock_ops", "sk_skb", "cgroup_device", "sk_msg", "raw_tracepoint",
		"cgroup_sock_addr", "lwt_seg6local", "lirc_mode2", "sk_reuseport", "flow_dissector",
		"cgroup_sysctl", "raw_tracepoint_writable", "cgroup_sockopt", "tracing",
		"struct_ops", "ext", "lsm", "sk_lookup", "syscall", "netfilter",
	};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}
