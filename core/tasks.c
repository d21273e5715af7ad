// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * include/linux/sched.h, sched/signal.h: init_task.tasks is the ring of all thread groups, by
 * their leaders; signal->thread_head that of a group's threads. A ring that is broken is
 * followed from its other end too.
 */
#include "tasks.h"

#include <inttypes.h>
#include <string.h>

#include "addrset.h"
#include "maple.h"
#include "reader.h"

enum {
	MAX_PARTS = 1 << 20,	/* of each kind that tasks share */
	MAX_NODES = 1 << 21,	/* in rings: two of a process, one more of each other thread */
	MAX_FDS = 1 << 20,	/* of a process; the default of fs.nr_open */
	ALL_FDS = 1 << 27,	/* slots for descriptors in all */
	FD_PIECE = 4096,	/* bytes; no piece crosses a page */
	MAX_SPAN = 512,
	COMM = 16,
};

/* The bytes of a struct from the first to the last member of interest. */
struct span {
	uint32_t start, size;
};

/* What is lost of one thing: told as one fault, whatever the number. */
struct losses {
	size_t n;
	struct fault first;
};

struct walk {
	const struct kernel *k;
	const struct tasks_visitor *visitor;
	struct fault *why;		/* of what ends the walk */
	bool stop;			/* by the visitor, or for @why */
	struct addrset nodes, mms, files;
	bool has_vmas, has_files;	/* types and symbols for them are known */
	uint64_t arena_vm_ops, bpf_map_fops;
	struct span vma, file;
	uint64_t fds;			/* looked at */
	/* the current task */
	struct task_user user;
	struct losses losses;
	struct task_mapping mapping;
};

static void note(struct losses *l, const struct fault *why)
{
	if (!l->n++)
		l->first = *why;
}

/* Tell of the current losses, and forget them. */
static bool tell(struct walk *w, const char *what)
{
	struct losses *l = &w->losses;
	size_t n = l->n;

	l->n = 0;
	if (!n)
		return true;
	if (w->user.pid)
		fault_prefix(&l->first, "process %" PRIu32 ": %s: ", w->user.pid, what);
	else
		fault_prefix(&l->first, "task 0x%" PRIx64 ": %s: ", w->user.task, what);
	if (n > 1)
		fault_add(&l->first, "; and %zu more", n - 1);
	w->stop = !w->visitor->lost(w->visitor->ctx, &l->first);
	return !w->stop;
}

/* False: not new, or the walk is to end. */
static bool is_new(struct walk *w, struct addrset *set, uint64_t addr)
{
	size_t limit = set == &w->nodes ? MAX_NODES : MAX_PARTS;

	switch (addrset_add(set, addr, limit)) {
	case ADDRSET_NEW:
		return true;
	case ADDRSET_KNOWN:
		return false;
	case ADDRSET_FULL:
		w->stop = true;
		return fault_set(w->why, FAULT_LIMIT, SPACE_NONE, 0,
			"the lists of processes are longer than is looked at");
	case ADDRSET_NOMEM:
		break;
	}
	w->stop = true;
	return fault_set(w->why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
}

static bool damaged(struct fault *why, uint64_t va, const char *what, uint64_t value)
{
	return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va, "0x%" PRIx64 ": %s 0x%" PRIx64, va,
			 what, value);
}

/* Read a struct's @span; what was read is asked by span_u64(). */
static bool read_span(const struct walk *w, uint64_t va, const struct span *span, uint8_t *buf,
		      struct fault *why)
{
	if (!va || va % 8)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va, "0x%" PRIx64 " is no pointer",
				 va);
	return kernel_read(w->k, va + span->start, buf, span->size, why);
}

static uint64_t span_u64(const struct walk *w, const struct span *span, const uint8_t *buf,
			 enum member m)
{
	return load_u64(buf + (w->k->members.offset[m] - span->start));
}

/* Mappings */

/* The map that a file is a descriptor of, or 0: of none. Without the symbol all files are. */
static bool file_map(const struct walk *w, uint64_t file, uint64_t *map, struct fault *why)
{
	uint8_t buf[MAX_SPAN];

	*map = 0;
	if (!read_span(w, file, &w->file, buf, why))
		return false;
	if (w->bpf_map_fops &&
	    span_u64(w, &w->file, buf, MEMBER_file_f_op) != w->bpf_map_fops)
		return true;
	*map = span_u64(w, &w->file, buf, MEMBER_file_private_data);
	if (!*map || *map % 8)
		return damaged(why, file, "a file with an impossible map", *map);
	return true;
}

static bool arena_vma(struct walk *w, const uint8_t *buf)
{
	uint64_t file = span_u64(w, &w->vma, buf, MEMBER_vm_area_struct_vm_file), map = 0;
	struct fault why;

	w->mapping.user = w->user;
	if (!file_map(w, file, &map, &why)) {
		fault_prefix(&why, "the file of the one at 0x%" PRIx64 ": ", w->mapping.start);
		note(&w->losses, &why);
		map = 0;
	} else if (!map) {
		damaged(&why, file, "a file that is no map, mapped as an arena at",
			w->mapping.start);
		note(&w->losses, &why);
	}
	w->mapping.user.map = map;
	w->stop = !w->visitor->mapping(w->visitor->ctx, &w->mapping);
	return !w->stop;
}

static bool on_vma(void *ctx, uint64_t first, uint64_t last, uint64_t vma)
{
	struct walk *w = ctx;
	uint8_t buf[MAX_SPAN];
	struct fault why;

	if (!read_span(w, vma, &w->vma, buf, &why)) {
		fault_prefix(&why, "the one at 0x%" PRIx64 ": ", first);
		note(&w->losses, &why);
		return true;
	}
	if (span_u64(w, &w->vma, buf, MEMBER_vm_area_struct_vm_ops) != w->arena_vm_ops)
		return true;
	w->mapping.start = span_u64(w, &w->vma, buf, MEMBER_vm_area_struct_vm_start);
	w->mapping.end = span_u64(w, &w->vma, buf, MEMBER_vm_area_struct_vm_end);
	if (w->mapping.start == first && w->mapping.end - 1 == last)
		return arena_vma(w, buf);
	damaged(&why, vma, "an area that is not the one at", first);
	note(&w->losses, &why);
	return true;
}

static bool on_lost_vmas(void *ctx, uint64_t first, uint64_t last, const struct fault *why)
{
	struct walk *w = ctx;

	(void)first;
	(void)last;
	note(&w->losses, why);
	return true;
}

static bool walk_mm(struct walk *w, uint64_t mm)
{
	const struct maple_visitor visitor = { on_vma, on_lost_vmas, w };
	struct fault why;

	if (!kernel_member_u64(w->k, mm, MEMBER_mm_struct_pgd, &w->mapping.pgd, &why)) {
		w->mapping.pgd = 0;
		note(&w->losses, &why);
	}
	if (!maple_walk(w->k, mm + w->k->members.offset[MEMBER_mm_struct_mm_mt], &visitor, &why)) {
		if (w->stop)
			return false;
		note(&w->losses, &why);
	}
	return tell(w, "its mappings");
}

/* Descriptors */

static bool visit_fd(struct walk *w, uint32_t fd, uint64_t file)
{
	struct fault why;

	if (!file_map(w, file, &w->user.map, &why)) {
		fault_prefix(&why, "descriptor %" PRIu32 ": ", fd);
		note(&w->losses, &why);
		return true;
	}
	if (w->user.map)
		w->stop = !w->visitor->descriptor(w->visitor->ctx, &w->user, fd);
	return !w->stop;
}

static bool visit_fds(struct walk *w, uint64_t array, uint32_t n)
{
	uint8_t buf[FD_PIECE];

	for (uint32_t fd = 0; fd < n;) {
		uint64_t at = array + (uint64_t)fd * 8;
		uint32_t part = (uint32_t)(FD_PIECE - (at & (FD_PIECE - 1))) / 8;
		struct fault why;

		part = part > n - fd ? n - fd : part;
		w->stop = !memory_progress(w->k->mem, "walking processes", 0, 0, w->why);
		if (w->stop)
			return false;
		if (!kernel_read(w->k, at, buf, (size_t)part * 8, &why)) {
			note(&w->losses, &why);
			fd += part;
			continue;
		}
		for (uint32_t i = 0; i < part; i++, fd++) {
			uint64_t file = load_u64(buf + i * 8);

			if (file && !visit_fd(w, fd, file))
				return false;
		}
	}
	return true;
}

static bool read_fdtable(const struct walk *w, uint64_t files, uint64_t *array, uint32_t *n,
			 struct fault *why)
{
	uint64_t fdt;

	if (!kernel_member_u64(w->k, files, MEMBER_files_struct_fdt, &fdt, why) ||
	    !kernel_member_u32(w->k, fdt, MEMBER_fdtable_max_fds, n, why) ||
	    !kernel_member_u64(w->k, fdt, MEMBER_fdtable_fd, array, why))
		return false;
	return *array % 8 == 0 || damaged(why, fdt, "a table of files with an impossible array",
					  *array);
}

static bool walk_files(struct walk *w, uint64_t files)
{
	struct fault why;
	uint64_t array;
	uint32_t n;

	if (!read_fdtable(w, files, &array, &n, &why)) {
		note(&w->losses, &why);
		return tell(w, "its files");
	}
	if (n > MAX_FDS || w->fds + n > ALL_FDS) {
		damaged(&why, files, "more files than are looked at:", n);
		note(&w->losses, &why);
		n = w->fds + MAX_FDS > ALL_FDS ? 0 : n > MAX_FDS ? MAX_FDS : n;
	}
	w->fds += n;
	return visit_fds(w, array, n) && tell(w, "its files");
}

/* Tasks */

/* Who the task is; without its page only where it is. */
static void describe(struct walk *w, uint64_t task)
{
	struct task_user *u = &w->user;
	struct fault ignored;

	*u = (struct task_user){ .task = task };
	if (!kernel_member_u32(w->k, task, MEMBER_task_struct_tgid, &u->pid, &ignored))
		u->pid = 0;
	if (!kernel_read(w->k, task + w->k->members.offset[MEMBER_task_struct_comm], u->comm, COMM,
			 &ignored))
		u->comm[0] = '\0';
}

/* A pointer to what threads share: 0 where it is none, or was visited. */
static uint64_t task_part(struct walk *w, uint64_t task, enum member m, struct addrset *seen)
{
	struct fault why;
	uint64_t part;

	if (!kernel_member_u64(w->k, task, m, &part, &why)) {
		note(&w->losses, &why);
		return 0;
	}
	return part && is_new(w, seen, part) ? part : 0;
}

static bool visit_task(struct walk *w, uint64_t task)
{
	uint64_t mm = 0, files = 0;

	w->stop = !memory_progress(w->k->mem, "walking processes", 0, 0, w->why);
	if (w->stop)
		return false;
	if (w->has_vmas)
		mm = task_part(w, task, MEMBER_task_struct_mm, &w->mms);
	if (w->has_files && !w->stop)
		files = task_part(w, task, MEMBER_task_struct_files, &w->files);
	if (w->stop)
		return false;
	if (!mm && !files && !w->losses.n)
		return true;
	describe(w, task);
	return tell(w, "what it maps and holds") && (!mm || walk_mm(w, mm)) &&
	       (!files || walk_files(w, files));
}

/* A ring of list_heads inside of tasks. */
struct ring {
	uint64_t head;		/* not visited itself */
	uint64_t other;		/* a list_head on the way that is in no task; 0: none */
	uint32_t offset;	/* of the others in their tasks */
	uint64_t signal;	/* that all must have; 0: any */
	bool (*visit)(struct walk *w, uint64_t task);
};

/* Where a ring was left: its last node, and why. */
struct ring_end {
	bool closed;
	uint64_t last;
	struct fault why;
};

static bool belongs(const struct walk *w, const struct ring *r, uint64_t node, struct fault *why)
{
	uint64_t signal, task = node - r->offset;
	struct fault ignored;

	if (!node || node % 8)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, node,
				 "0x%" PRIx64 " in a list of tasks is no pointer", node);
	/* what cannot be read proves nothing */
	if (r->signal && node != r->other &&
	    kernel_member_u64(w->k, task, MEMBER_task_struct_signal, &signal, &ignored) &&
	    signal != r->signal)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, task,
				 "0x%" PRIx64 " in a list of threads is no thread of it", task);
	return true;
}

/*
 * Visit what follows the head in one direction, up to the head, a node that was visited, or one
 * that leads no further. False: the walk is to end.
 */
static bool follow(struct walk *w, const struct ring *r, enum member direction,
		   struct ring_end *end)
{
	uint64_t node = r->head, next;

	for (;; node = next) {
		*end = (struct ring_end){ .last = node };
		if (!kernel_member_u64(w->k, node, direction, &next, &end->why))
			return true;
		if (next == r->head) {
			end->closed = true;
			return true;
		}
		if (!belongs(w, r, next, &end->why))
			return true;
		if (!is_new(w, &w->nodes, next)) {
			damaged(&end->why, next, "is twice in a list of tasks, after", node);
			end->last = direction == MEMBER_list_head_prev ? next : node;
			return !w->stop;
		}
		if (next != r->other && !r->visit(w, next - r->offset))
			return false;
	}
}

/* Both ways end at the same node, or the backward one went round: nothing else is in the ring. */
static bool have_met(const struct ring *r, const struct ring_end *forward,
		     const struct ring_end *backward)
{
	if (backward->last == r->head)
		return false;
	return backward->closed ? forward->last == r->head : backward->last == forward->last;
}

/* What is lost of the ring is noted. False: the walk is to end. */
static bool walk_ring(struct walk *w, const struct ring *r)
{
	struct ring_end forward, backward;

	if (!follow(w, r, MEMBER_list_head_next, &forward))
		return false;
	if (forward.closed)
		return true;
	if (!follow(w, r, MEMBER_list_head_prev, &backward))
		return false;
	if (!have_met(r, &forward, &backward))
		note(&w->losses, &forward.why);
	return true;
}

static bool can_read_list(const struct walk *w, uint64_t head)
{
	struct fault ignored;
	uint64_t next;

	return kernel_member_u64(w->k, head, MEMBER_list_head_next, &next, &ignored);
}

/* Where signal_struct is lost, the ring goes on from the leader's own place in it. */
static bool walk_threads(struct walk *w, uint64_t leader)
{
	const struct members *m = &w->k->members;
	struct ring r = { .offset = m->offset[MEMBER_task_struct_thread_node],
			  .visit = visit_task };
	struct fault why;

	if (!kernel_member_u64(w->k, leader, MEMBER_task_struct_signal, &r.signal, &why)) {
		note(&w->losses, &why);
	} else if (r.signal) {
		r.head = r.signal + m->offset[MEMBER_signal_struct_thread_head];
		if (!can_read_list(w, r.head)) {
			r.other = r.head;
			r.head = leader + r.offset;
		}
		if (!walk_ring(w, &r))
			return false;
	}
	if (!w->losses.n)
		return true;
	describe(w, leader);
	return tell(w, "its threads");
}

static bool visit_leader(struct walk *w, uint64_t leader)
{
	return visit_task(w, leader) && walk_threads(w, leader);
}

static bool walk_leaders(struct walk *w, uint64_t init)
{
	struct ring r = { .offset = w->k->members.offset[MEMBER_task_struct_tasks],
			  .visit = visit_leader };

	r.head = init + r.offset;
	if (!visit_leader(w, init) || !walk_ring(w, &r))
		return false;
	w->user = (struct task_user){ .task = init };
	return tell(w, "the list of processes");
}

/* What is known of this kernel */

static bool has_all(const struct walk *w, const enum member *m, size_t n, struct fault *why)
{
	for (size_t i = 0; i < n; i++)
		if (!kernel_has(w->k, m[i]))
			return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
				"the kernel's types have no member %s of struct %s as it is known",
				member_info[m[i]].name, member_info[m[i]].type);
	return true;
}

static bool has_symbol(const struct walk *w, enum symbol_id id, uint64_t *addr, struct fault *why)
{
	const struct symbol *s = &w->k->symbol[id];

	*addr = s->count == 1 ? s->addr : 0;
	return *addr || fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
		"there are %u symbols %s, not one", s->count, s->name);
}

/* From the first of @m to the end of the last: pointers, all of 8 bytes. */
static bool make_span(const struct walk *w, const enum member *m, size_t n, struct span *span,
		      struct fault *why)
{
	uint32_t start = UINT32_MAX, last = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t offset = w->k->members.offset[m[i]];

		start = offset < start ? offset : start;
		last = offset > last ? offset : last;
	}
	*span = (struct span){ start, last - start + 8 };
	return last - start <= MAX_SPAN - 8 || fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
		"struct %s is larger than is known", member_info[m[0]].type);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool know_files(struct walk *w, struct fault *why)
{
	static const enum member file[] = { MEMBER_file_f_op, MEMBER_file_private_data };

	return has_all(w, file, COUNT(file), why) && make_span(w, file, COUNT(file), &w->file, why);
}

static bool know_vmas(struct walk *w, struct fault *why)
{
	static const enum member mm[] = { MEMBER_mm_struct_mm_mt, MEMBER_mm_struct_pgd };
	static const enum member vma[] = {
		MEMBER_vm_area_struct_vm_start, MEMBER_vm_area_struct_vm_end,
		MEMBER_vm_area_struct_vm_ops, MEMBER_vm_area_struct_vm_file,
	};

	return has_symbol(w, SYMBOL_arena_vm_ops, &w->arena_vm_ops, why) &&
	       has_all(w, mm, COUNT(mm), why) && has_all(w, vma, COUNT(vma), why) &&
	       make_span(w, vma, COUNT(vma), &w->vma, why) && maple_known(w->k, why) &&
	       know_files(w, why);
}

static bool know_fds(struct walk *w, struct fault *why)
{
	static const enum member table[] = {
		MEMBER_files_struct_fdt, MEMBER_fdtable_max_fds, MEMBER_fdtable_fd,
	};

	return has_symbol(w, SYMBOL_bpf_map_fops, &w->bpf_map_fops, why) &&
	       has_all(w, table, COUNT(table), why) && know_files(w, why);
}

static bool know_tasks(const struct walk *w, uint64_t *init, struct fault *why)
{
	static const enum member task[] = {
		MEMBER_task_struct_tasks, MEMBER_task_struct_mm, MEMBER_task_struct_files,
		MEMBER_task_struct_tgid, MEMBER_task_struct_comm, MEMBER_task_struct_signal,
		MEMBER_task_struct_thread_node, MEMBER_signal_struct_thread_head,
		MEMBER_list_head_next, MEMBER_list_head_prev,
	};
	uint64_t next;

	if (!has_symbol(w, SYMBOL_init_task, init, why) ||
	    !has_all(w, task, COUNT(task), why))
		return false;
	return kernel_read_u64(w->k, *init + w->k->members.offset[MEMBER_task_struct_tasks], &next,
			       why) ||
	       fault_prefix(why, "init_task: ");
}

/* Tell what all processes lack. False: the walk is to end. */
static bool tell_unknown(struct walk *w)
{
	struct fault why;

	w->has_vmas = know_vmas(w, &why);
	if (!w->has_vmas) {
		fault_prefix(&why, "what processes map: ");
		if (!w->visitor->lost(w->visitor->ctx, &why))
			return false;
	}
	w->has_files = know_fds(w, &why);
	if (!w->has_files) {
		fault_prefix(&why, "the files of processes: ");
		if (!w->visitor->lost(w->visitor->ctx, &why))
			return false;
	}
	return true;
}

bool tasks_walk(const struct kernel *k, const struct tasks_visitor *visitor, struct fault *why)
{
	struct walk w = { .k = k, .visitor = visitor, .why = why };
	uint64_t init;
	bool ok = true;

	if (!know_tasks(&w, &init, why) || !tell_unknown(&w))
		return false;
	if (w.has_vmas || w.has_files)
		ok = walk_leaders(&w, init);
	addrset_free(&w.nodes);
	addrset_free(&w.mms);
	addrset_free(&w.files);
	return ok;
}

bool tasks_translate(const struct kernel *k, uint64_t pgd, uint64_t va, uint64_t *phys,
		     struct fault *why)
{
	uint64_t root, left;

	if (!pagetable_translate(k->pt, pgd, &root, &left, why))
		return fault_prefix(why, "page tables of a process: ");
	return pagetable_translate_user(k->pt, root, va, phys, &left, why);
}
