// SPDX-License-Identifier: GPL-2.0-or-later
#include "allocator.h"

#include <inttypes.h>
#include <stdio.h>

#include "maple.h"
#include "range_tree.h"
#include "reader.h"

enum {
	MAX_SPANS = 1 << 20,
	WORK_PENDING = 1,	/* include/linux/workqueue.h: bit 0 of work_struct.data */
	MUTEX_FLAGS = 7,	/* kernel/locking/mutex.c: waiters, handoff, pickup */
	RT_MUTEX_FLAGS = 1,	/* kernel/locking/rtmutex_common.h: waiters */
};

struct loader {
	const struct kernel *k;
	const struct arena_snapshot *a;
	struct allocator *al;
	struct evidence_list *evidence;
	uint64_t most;		/* pages of 4 GiB */
	bool ops_known;
	struct fault *why;
};

const char *allocator_name(enum allocator_kind kind)
{
	static const char *const names[] = {
		[ALLOCATOR_MAPLE] = "maple_tree", [ALLOCATOR_RANGE] = "range_tree",
	};

	return names[kind];
}

const char *alloc_name(enum alloc alloc)
{
	static const char *const names[] = {
		[ALLOC_FREE] = "free", [ALLOC_ALLOCATED] = "allocated",
	};

	return names[alloc];
}

enum alloc allocator_at(const struct allocator *al, struct allocator_cursor *at, uint64_t pgoff,
			uint64_t *end)
{
	uint64_t until;
	bool hidden = ranges_has(&al->unknown, &at->unknown, pgoff, end);
	bool listed = ranges_has(&al->listed, &at->listed, pgoff, &until);

	*end = until < *end ? until : *end;
	if (al->kind == ALLOCATOR_UNKNOWN)
		return ALLOC_UNKNOWN;
	if (pgoff < al->pages && al->pages - 1 < *end)
		*end = al->pages - 1;
	if (listed)
		return al->kind == ALLOCATOR_MAPLE ? ALLOC_ALLOCATED : ALLOC_FREE;
	if (hidden)
		return ALLOC_UNKNOWN;
	if (al->kind == ALLOCATOR_MAPLE)
		return ALLOC_FREE;
	return pgoff < al->pages ? ALLOC_ALLOCATED : ALLOC_UNKNOWN;
}

void allocator_free(struct allocator *al)
{
	ranges_free(&al->listed);
	ranges_free(&al->unknown);
	ranges_free(&al->spans);
}

/* The trees. */

/* What could not be had: a pointer that is wrong, or a page that the dump does not have. */
static void say_lost(struct loader *l, enum evidence_code wrong, const char *what,
		     const struct fault *why)
{
	struct fault text = *why;

	fault_prefix(&text, "%s: ", what);
	if (fault_is_wrong_pointer(why))
		evidence_add(l->evidence, wrong, why->addr, "%.220s", text.text);
	else
		evidence_add_fault(l->evidence, &text);
}

static bool on_entry(void *ctx, uint64_t first, uint64_t last, uint64_t value)
{
	struct loader *l = ctx;

	if (l->ops_known && value != l->k->symbol[SYMBOL_arena_map_ops].addr)
		evidence_add(l->evidence, EVIDENCE_maple_entry, value, "allocated ranges: pgoff %"
			     PRIu64 " to %" PRIu64 " hold 0x%" PRIx64
			     ", which is not the mark of an arena", first, last, value);
	if (last >= l->most) {
		evidence_add(l->evidence, EVIDENCE_maple_entry, 0, "allocated ranges: pgoff %"
			     PRIu64 " to %" PRIu64 ", and no arena has so many", first, last);
		if (first >= l->most)
			return true;
		last = l->most - 1;
	}
	return ranges_add(&l->al->listed, first, last, l->why);
}

static bool on_lost(void *ctx, uint64_t first, uint64_t last, const struct fault *why)
{
	struct loader *l = ctx;

	say_lost(l, EVIDENCE_maple_node, "allocated ranges", why);
	if (first >= l->most)
		return true;
	return ranges_add(&l->al->unknown, first, last < l->most ? last : l->most - 1, l->why);
}

static bool all_unknown(struct loader *l)
{
	return ranges_add(&l->al->unknown, 0, l->most - 1, l->why);
}

static bool read_maple(struct loader *l)
{
	const struct maple_visitor visitor = { on_entry, on_lost, l };
	struct fault why;
	uint64_t at = l->a->map + l->k->members.offset[MEMBER_bpf_arena_mt];

	l->al->kind = ALLOCATOR_MAPLE;
	l->ops_known = l->k->symbol[SYMBOL_arena_map_ops].count == 1;
	fault_fill(&why, FAULT_NOMEM, SPACE_NONE, 0, "%s", "");
	if (maple_walk(l->k, at, &visitor, &why))
		return true;
	/* stopped by ourselves, who said why */
	if (why.kind == FAULT_NOMEM)
		return false;
	say_lost(l, EVIDENCE_maple_node, "allocated ranges", &why);
	return all_unknown(l);
}

/* Where user space may have mapped more than is declared, more may be freed. */
static uint64_t limit_of(const struct loader *l)
{
	const struct arena_snapshot *a = l->a;
	uint64_t window = 0;

	if (a->user_vm_end > a->user_vm_start)
		window = (a->user_vm_end - a->user_vm_start) / a->page_size;
	window = window > a->declared_pages ? window : a->declared_pages;
	return window < l->most ? window : l->most;
}

static bool read_range(struct loader *l)
{
	const struct range_tree_place place = {
		.va = l->a->map + l->k->members.offset[MEMBER_bpf_arena_rt],
		.limit = limit_of(l), .most = l->most,
	};
	struct range_tree t = { 0 };
	bool ok;

	l->al->kind = ALLOCATOR_RANGE;
	ok = range_tree_read(l->k, &place, &t, l->evidence, l->why);
	l->al->listed = t.free;
	l->al->unknown = t.unknown;
	if (ok || l->why->kind != FAULT_UNKNOWN_TYPE)
		return ok;
	evidence_add_fault(l->evidence, l->why);
	return all_unknown(l);
}

static bool read_tree(struct loader *l)
{
	if (kernel_has(l->k, MEMBER_bpf_arena_rt))
		return read_range(l);
	if (kernel_has(l->k, MEMBER_bpf_arena_mt))
		return read_maple(l);
	evidence_add(l->evidence, EVIDENCE_unknown_type, 0,
		     "struct bpf_arena has neither a maple tree mt nor a range tree rt");
	return all_unknown(l);
}

/* Locks and counters. */

static struct arena_lock *new_lock(struct loader *l, const char *name)
{
	struct arena_lock *lock = &l->al->lock[l->al->locks++];

	*lock = (struct arena_lock){ .name = name };
	return lock;
}

/* A lock that cannot be read may be held. */
static void lost_lock(struct loader *l, const char *name, struct fault *why)
{
	l->al->moving_known = false;
	fault_prefix(why, "whether %s is held: ", name);
	evidence_add_fault(l->evidence, why);
}

/* Where the owner of a struct mutex is, in it; PREEMPT_RT has another one. */
static bool owner_of_mutex(const struct kernel *k, uint32_t *offset, uint64_t *flags)
{
	const uint32_t *at = k->members.offset;

	if (kernel_has(k, MEMBER_mutex_owner)) {
		*offset = at[MEMBER_mutex_owner];
		*flags = MUTEX_FLAGS;
		return true;
	}
	*offset = at[MEMBER_mutex_rtmutex] + at[MEMBER_rt_mutex_base_owner];
	*flags = RT_MUTEX_FLAGS;
	return kernel_has(k, MEMBER_mutex_rtmutex) && kernel_has(k, MEMBER_rt_mutex_base_owner);
}

static void read_mutex(struct loader *l, enum member m, bool guards)
{
	struct arena_lock *lock;
	uint64_t task, flags;
	struct fault why;
	uint32_t offset;

	if (!kernel_has(l->k, m))
		return;
	lock = new_lock(l, member_info[m].name);
	if (!owner_of_mutex(l->k, &offset, &flags)) {
		l->al->moving_known &= !guards;
		return;
	}
	if (!kernel_read_u64(l->k, l->a->map + l->k->members.offset[m] + offset, &lock->value,
			     &why)) {
		lost_lock(l, lock->name, &why);
		return;
	}
	lock->known = true;
	task = lock->value & ~flags;
	lock->held = task;
	if (lock->held && guards)
		evidence_add(l->evidence, EVIDENCE_lock_held, task,
			     "%s is held by the task at 0x%" PRIx64, lock->name, task);
}

static void read_spinlock(struct loader *l)
{
	struct arena_lock *lock;
	struct fault why;
	uint32_t value;

	if (!kernel_has(l->k, MEMBER_bpf_arena_spinlock))
		return;
	lock = new_lock(l, "spinlock");
	if (!kernel_member_u32(l->k, l->a->map, MEMBER_bpf_arena_spinlock, &value, &why)) {
		lost_lock(l, lock->name, &why);
		return;
	}
	lock->known = true;
	lock->value = value;
	lock->held = value;
	if (value)
		evidence_add(l->evidence, EVIDENCE_lock_held, 0, "spinlock is held (0x%" PRIx32 ")",
			     value);
}

static void read_counter(struct loader *l)
{
	struct fault why;

	if (!kernel_has(l->k, MEMBER_bpf_arena_nr_pages))
		return;
	l->al->has_nr_pages = kernel_member_u64(l->k, l->a->map, MEMBER_bpf_arena_nr_pages,
						&l->al->nr_pages, &why);
	if (!l->al->has_nr_pages)
		evidence_add_fault(l->evidence, &why);
}

/* Frees that were put off (7.0 and later). */

static bool take_span(struct loader *l, uint64_t span, uint64_t uaddr, uint32_t n)
{
	const struct arena_snapshot *a = l->a;
	uint64_t pgoff = (uint32_t)(uaddr - (uint32_t)a->user_vm_start) / a->page_size;

	if (!n || pgoff + n > l->most) {
		evidence_add(l->evidence, EVIDENCE_span_bounds, span, "free_spans: 0x%" PRIx64
			     " is of %" PRIu32 " pages from pgoff %" PRIu64
			     " on, and no arena has so many", span, n, pgoff);
		return true;
	}
	return ranges_add(&l->al->spans, pgoff, pgoff + n - 1, l->why);
}

static bool lost_span(struct loader *l, uint64_t span, const struct fault *why)
{
	char what[64];

	l->al->has_spans = false;
	snprintf(what, sizeof(what), "free_spans: 0x%" PRIx64, span);
	say_lost(l, EVIDENCE_span_pointer, what, why);
	return true;
}

/* A list that ends where it should not have begun again: the tortoise waits at powers of 2. */
static bool read_spans(struct loader *l, uint64_t span)
{
	uint64_t mark = span, at = 0, next_mark = 1;

	while (span) {
		uint64_t next, uaddr;
		uint32_t n;
		struct fault why;

		if (!kernel_member_u64(l->k, span, MEMBER_arena_free_span_node, &next, &why) ||
		    !kernel_member_u64(l->k, span, MEMBER_arena_free_span_uaddr, &uaddr, &why) ||
		    !kernel_member_u32(l->k, span, MEMBER_arena_free_span_page_cnt, &n, &why))
			return lost_span(l, span, &why);
		if (!take_span(l, span, uaddr, n))
			return false;
		span = next;
		if (span && (span == mark || ++at == MAX_SPANS)) {
			l->al->has_spans = false;
			evidence_add(l->evidence, EVIDENCE_span_cycle, span,
				     "free_spans: the list comes back to 0x%" PRIx64
				     " and never ends", span);
			return true;
		}
		if (at == next_mark) {
			next_mark *= 2;
			mark = span;
		}
	}
	return true;
}

static bool read_free_spans(struct loader *l)
{
	struct fault why;
	uint64_t first;

	if (!kernel_has(l->k, MEMBER_bpf_arena_free_spans) ||
	    !kernel_has(l->k, MEMBER_arena_free_span_node) ||
	    !kernel_has(l->k, MEMBER_arena_free_span_uaddr) ||
	    !kernel_has(l->k, MEMBER_arena_free_span_page_cnt))
		return true;
	if (!kernel_member_u64(l->k, l->a->map, MEMBER_bpf_arena_free_spans, &first, &why)) {
		lost_lock(l, "free_spans", &why);
		return true;
	}
	l->al->has_spans = true;
	if (!first)
		return true;
	evidence_add(l->evidence, EVIDENCE_free_pending, first,
		     "free_spans: pages wait to be freed");
	return read_spans(l, first);
}

static void read_work(struct loader *l)
{
	const struct kernel *k = l->k;
	struct fault why;
	uint64_t data;

	if (!kernel_has(k, MEMBER_bpf_arena_free_work) || !kernel_has(k, MEMBER_work_struct_data))
		return;
	if (!kernel_member_u64(k, l->a->map + k->members.offset[MEMBER_bpf_arena_free_work],
			       MEMBER_work_struct_data, &data, &why))
		lost_lock(l, "free_work", &why);
	else if (data & WORK_PENDING)
		evidence_add(l->evidence, EVIDENCE_free_pending, 0, "free_work is to run");
}

/* What says that it was being changed, besides locks. */
static void read_life(struct loader *l)
{
	if (l->a->life == LIFE_NEW)
		evidence_add(l->evidence, EVIDENCE_being_made, 0, "the arena is being made");
	if (l->a->life == LIFE_DYING)
		evidence_add(l->evidence, EVIDENCE_being_freed, 0, "the arena is being freed");
	if (l->k->mem->facts.live)
		evidence_add(l->evidence, EVIDENCE_live_system, 0,
			     "the system is running, and changes while it is read");
}

bool allocator_read(const struct kernel *k, const struct arena_snapshot *a, struct allocator *al,
		    struct evidence_list *evidence, struct fault *why)
{
	struct loader l = {
		.k = k, .a = a, .al = al, .evidence = evidence,
		.most = ARENA_WINDOW / a->page_size, .why = why,
	};

	*al = (struct allocator){ .pages = a->declared_pages, .moving_known = true };
	/* from 7.0 on it guards the tree, and lock only the list of mappings */
	read_spinlock(&l);
	read_mutex(&l, MEMBER_bpf_arena_lock, !al->locks);
	read_mutex(&l, MEMBER_bpf_arena_zap_mutex, true);
	read_counter(&l);
	read_work(&l);
	read_life(&l);
	if (!read_free_spans(&l) || !read_tree(&l))
		return false;
	al->moving = evidence->weight[WEIGHT_MOVING];
	return true;
}
