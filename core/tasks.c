// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * include/linux/sched.h, sched/signal.h: init_task.tasks is the ring of all thread groups, by
 * their leaders; signal->thread_head that of a group's threads. A ring that is broken is
 * followed from its other end too.
 */
#include "tasks_internal.h"

#include <inttypes.h>

enum {
	MAX_PARTS = 1 << 20,	/* of each kind that tasks share */
	MAX_NODES = 1 << 21,	/* in rings: two of a process, one more of each other thread */
	COMM = 16,
};

/* False: not new, or the walk is to end. */
static bool is_new(struct tasks *w, struct addrset *set, uint64_t addr)
{
	size_t limit = set == &w->nodes ? MAX_NODES : MAX_PARTS;

	switch (addrset_add(set, addr, limit)) {
	case ADDRSET_NEW:
		return true;
	case ADDRSET_KNOWN:
		return false;
	case ADDRSET_FULL:
		w->stop = true;
		return fault_set(w->why, STATE_DAMAGED, SPACE_NONE, 0,
			"the lists of processes are longer than is looked at");
	case ADDRSET_NOMEM:
		break;
	}
	w->stop = true;
	return fault_set(w->why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
}

/* Tasks */

/* Who the task is; without its page only where it is. */
static void describe(struct tasks *w, uint64_t task)
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
static uint64_t task_part(struct tasks *w, uint64_t task, enum member m, struct addrset *seen)
{
	struct fault why;
	uint64_t part;

	if (!kernel_member_u64(w->k, task, m, &part, &why)) {
		tasks_note(w, &why);
		return 0;
	}
	return part && is_new(w, seen, part) ? part : 0;
}

static bool visit_task(struct tasks *w, uint64_t task)
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
	return tasks_tell(w, "what it maps and holds") && (!mm || tasks_walk_mm(w, mm)) &&
	       (!files || tasks_walk_files(w, files));
}

/* A ring of list_heads inside of tasks. */
struct ring {
	uint64_t head;		/* not visited itself */
	uint64_t other;		/* a list_head on the way that is in no task; 0: none */
	uint32_t offset;	/* of the others in their tasks */
	uint64_t signal;	/* that all must have; 0: any */
	bool (*visit)(struct tasks *w, uint64_t task);
};

/* Where a ring was left: its last node, and why. */
struct ring_end {
	bool closed;
	uint64_t last;
	struct fault why;
};

static bool belongs(const struct tasks *w, const struct ring *r, uint64_t node,
		    struct fault *why)
{
	uint64_t signal, task = node - r->offset, lowest = w->k->format.lowest;
	struct fault ignored;

	if (node % 8 || node < lowest || task < lowest)
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
static bool follow(struct tasks *w, const struct ring *r, enum member direction,
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
			fault_fill(&end->why, STATE_DAMAGED, SPACE_VIRT, next,
				   "0x%" PRIx64 " is twice in a list of tasks", next);
			end->last = direction == MEMBER_list_head_prev ? next : node;
			return !w->stop;
		}
		if (next != r->other && !r->visit(w, next - r->offset))
			return false;
	}
}

/* Both ways end at one node, or the backward one went round: nothing else is in the ring. */
static bool have_met(const struct ring *r, const struct ring_end *forward,
		     const struct ring_end *backward)
{
	if (backward->last == r->head)
		return false;
	return backward->closed ? forward->last == r->head : backward->last == forward->last;
}

/* What is lost of the ring is noted. False: the walk is to end. */
static bool walk_ring(struct tasks *w, const struct ring *r)
{
	struct ring_end forward, backward;

	if (!follow(w, r, MEMBER_list_head_next, &forward))
		return false;
	if (forward.closed)
		return true;
	if (!follow(w, r, MEMBER_list_head_prev, &backward))
		return false;
	if (!have_met(r, &forward, &backward))
		tasks_note(w, &forward.why);
	return true;
}

static bool can_read_list(const struct tasks *w, uint64_t head)
{
	struct fault ignored;
	uint64_t next;

	return kernel_member_u64(w->k, head, MEMBER_list_head_next, &next, &ignored);
}

/* Where signal_struct is lost, the ring goes on from the leader's own place in it. */
static bool walk_threads(struct tasks *w, uint64_t leader)
{
	const struct members *m = &w->k->members;
	struct ring r = { .offset = m->offset[MEMBER_task_struct_thread_node],
			  .visit = visit_task };
	struct fault why;

	if (!kernel_member_u64(w->k, leader, MEMBER_task_struct_signal, &r.signal, &why)) {
		tasks_note(w, &why);
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
	return tasks_tell(w, "its threads");
}

static bool visit_leader(struct tasks *w, uint64_t leader)
{
	return visit_task(w, leader) && walk_threads(w, leader);
}

static bool walk_leaders(struct tasks *w, uint64_t init)
{
	struct ring r = { .offset = w->k->members.offset[MEMBER_task_struct_tasks],
			  .visit = visit_leader };

	r.head = init + r.offset;
	if (!visit_leader(w, init) || !walk_ring(w, &r))
		return false;
	w->user = (struct task_user){ .task = init };
	return tasks_tell(w, "the list of processes");
}

/* What is known of this kernel */

static bool know_tasks(const struct tasks *w, uint64_t *init, struct fault *why)
{
	static const enum member task[] = {
		MEMBER_task_struct_tasks, MEMBER_task_struct_mm, MEMBER_task_struct_files,
		MEMBER_task_struct_tgid, MEMBER_task_struct_comm, MEMBER_task_struct_signal,
		MEMBER_task_struct_thread_node, MEMBER_signal_struct_thread_head,
		MEMBER_list_head_next, MEMBER_list_head_prev,
	};
	uint64_t next;

	if (!kernel_symbol(w->k, SYMBOL_init_task, init, why) ||
	    !tasks_has_all(w, task, COUNT(task), why))
		return false;
	return kernel_read_u64(w->k, *init + w->k->members.offset[MEMBER_task_struct_tasks], &next,
			       why) ||
	       fault_prefix(why, "init_task: ");
}

/* Tell what all processes lack. False: the walk is to end. */
static bool tell_unknown(struct tasks *w)
{
	struct fault why;

	w->has_vmas = tasks_know_mappings(w, &why);
	if (!w->has_vmas) {
		fault_prefix(&why, "what processes map: ");
		if (!w->visitor->lost(w->visitor->ctx, &why))
			return false;
	}
	w->has_files = tasks_know_files(w, &why);
	if (!w->has_files) {
		fault_prefix(&why, "the files of processes: ");
		if (!w->visitor->lost(w->visitor->ctx, &why))
			return false;
	}
	return true;
}

bool tasks_walk(const struct kernel *k, const struct tasks_visitor *visitor, struct fault *why)
{
	struct tasks w = { .k = k, .visitor = visitor, .why = why };
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
