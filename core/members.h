/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of kernel structs: what the code needs to know of their layout. Offsets come
 * from the dump, never from a version. To read a new member, add a line.
 */
#ifndef ARENA_MEMBERS_H
#define ARENA_MEMBERS_H

#include "btf.h"

/*
 * M(struct, member, size in bytes or 0, need, what is lost without it)
 * NEW: a member that older kernels do not have, without any loss.
 * The member "sizeof" is the struct itself: its size is what is wanted.
 */

#define LOST_PROGRAMS "arenas that only a program leads to"
#define LOST_AREAS "arenas that only their vmalloc area leads to"
#define LOST_REFERENCES "whether an arena is held by more than is found"
#define LOST_PROGRAM "what is said of a program"
#define LOST_TASKS "arenas that only a process leads to"
#define LOST_ALLOCATOR "what the allocator of an arena says (-c)"
#define MEMBERS(M) \
	M(bpf_map, ops, 8, REQUIRED, "") \
	M(bpf_map, map_type, 4, REQUIRED, "") \
	M(bpf_map, max_entries, 4, REQUIRED, "") \
	M(bpf_map, map_extra, 8, REQUIRED, "") \
	M(bpf_map, map_flags, 4, REQUIRED, "") \
	M(bpf_map, id, 4, REQUIRED, "") \
	M(bpf_map, name, 16, REQUIRED, "") \
	M(bpf_arena, map, 0, REQUIRED, "") \
	M(bpf_arena, user_vm_start, 8, REQUIRED, "") \
	M(bpf_arena, user_vm_end, 8, REQUIRED, "") \
	M(bpf_arena, kern_vm, 8, REQUIRED, "") \
	M(bpf_arena, scratch_page, 8, NEW, "scratch pages (7.2 and later)") \
	M(bpf_arena, spinlock, 0, NEW, "all page tables of a window from the start (7.0 and later)") \
	M(vm_struct, addr, 8, REQUIRED, "") \
	M(vm_struct, size, 8, REQUIRED, "") \
	M(vm_struct, flags, 8, REQUIRED, "") \
	M(vm_struct, requested_size, 8, OPTIONAL, "a check of the size of the kernel window") \
	M(idr, idr_rt, 0, REQUIRED, "") \
	M(idr, idr_base, 4, REQUIRED, "") \
	M(xarray, xa_head, 8, REQUIRED, "") \
	M(xa_node, shift, 1, REQUIRED, "") \
	M(xa_node, slots, 0, REQUIRED, "") \
	M(xa_node, offset, 1, REQUIRED, "") \
	M(xa_node, parent, 8, REQUIRED, "") \
	M(xa_node, array, 8, OPTIONAL, "a check of the nodes of map_idr") \
	M(bpf_map, refcnt, 8, OPTIONAL, "which arenas are being freed") \
	M(bpf_map, usercnt, 8, OPTIONAL, LOST_REFERENCES) \
	M(printk_info, facility, 1, OPTIONAL, "whether a process wrote a line of the log") \
	/* programs */ \
	M(bpf_prog, aux, 8, OPTIONAL, LOST_PROGRAMS) \
	M(bpf_prog_aux, id, 4, OPTIONAL, LOST_PROGRAMS) \
	M(bpf_prog_aux, prog, 8, OPTIONAL, LOST_PROGRAMS) \
	M(bpf_prog_aux, arena, 8, OPTIONAL, LOST_PROGRAMS) \
	M(bpf_prog_aux, used_maps, 8, OPTIONAL, "arenas that only a program's list of maps names") \
	M(bpf_prog_aux, used_map_cnt, 4, OPTIONAL, "arenas that only a program's list of maps names") \
	M(bpf_prog, type, 4, OPTIONAL, LOST_PROGRAM) \
	M(bpf_prog, tag, 8, OPTIONAL, LOST_PROGRAM) \
	M(bpf_prog_aux, name, 16, OPTIONAL, LOST_PROGRAM) \
	M(bpf_prog_aux, load_time, 8, OPTIONAL, LOST_PROGRAM) \
	M(bpf_prog_aux, user, 8, OPTIONAL, LOST_PROGRAM) \
	M(user_struct, uid, 4, OPTIONAL, LOST_PROGRAM) \
	M(bpf_prog_aux, stream, 0, NEW, "text of a program's streams (6.17 and later)") \
	M(bpf_stream, log, 8, NEW, "text of a program's streams (6.17 and later)") \
	M(bpf_stream, backlog_head, 8, NEW, "text of a program's streams (6.17 and later)") \
	M(bpf_stream_elem, node, 8, NEW, "text of a program's streams (6.17 and later)") \
	M(bpf_stream_elem, total_len, 4, NEW, "text of a program's streams (6.17 and later)") \
	M(bpf_stream_elem, consumed_len, 4, NEW, "text of a program's streams (6.17 and later)") \
	M(bpf_stream_elem, str, 0, NEW, "text of a program's streams (6.17 and later)") \
	/* sched_ext */ \
	M(scx_sched, arena_map, 8, NEW, "the arena of the sched_ext scheduler (7.2 and later)") \
	M(scx_sched, all, 0, NEW, "sub-schedulers of sched_ext (7.1 and later)") \
	M(scx_sched, ops, 0, NEW, "the sched_ext scheduler (6.16 and later)") \
	M(scx_sched, exit_kind, 4, NEW, "the sched_ext scheduler (6.16 and later)") \
	M(scx_sched, exit_info, 8, NEW, "the sched_ext scheduler (6.16 and later)") \
	M(sched_ext_ops, name, 128, NEW, "the sched_ext scheduler") \
	M(scx_exit_info, kind, 4, NEW, "why the sched_ext scheduler ended") \
	M(scx_exit_info, exit_code, 8, NEW, "why the sched_ext scheduler ended") \
	M(scx_exit_info, reason, 8, NEW, "why the sched_ext scheduler ended") \
	M(scx_exit_info, msg, 8, NEW, "why the sched_ext scheduler ended") \
	/* vmalloc areas */ \
	M(vmap_node, sizeof, 0, OPTIONAL, LOST_AREAS) \
	M(vmap_node, busy, 0, OPTIONAL, LOST_AREAS) \
	M(rb_list, root, 0, OPTIONAL, LOST_AREAS) \
	M(rb_list, head, 0, OPTIONAL, LOST_AREAS) \
	M(rb_root, rb_node, 8, OPTIONAL, LOST_AREAS) \
	M(rb_node, __rb_parent_color, 8, OPTIONAL, LOST_AREAS) \
	M(rb_node, rb_left, 8, OPTIONAL, LOST_AREAS) \
	M(rb_node, rb_right, 8, OPTIONAL, LOST_AREAS) \
	M(list_head, next, 8, OPTIONAL, LOST_AREAS) \
	M(list_head, prev, 8, OPTIONAL, LOST_AREAS) \
	M(vmap_area, va_start, 8, OPTIONAL, LOST_AREAS) \
	M(vmap_area, va_end, 8, OPTIONAL, LOST_AREAS) \
	M(vmap_area, rb_node, 0, OPTIONAL, LOST_AREAS) \
	M(vmap_area, list, 0, OPTIONAL, LOST_AREAS) \
	M(vmap_area, vm, 8, OPTIONAL, LOST_AREAS) \
	/* processes */ \
	M(task_struct, tasks, 0, OPTIONAL, LOST_TASKS) \
	M(task_struct, mm, 8, OPTIONAL, LOST_TASKS) \
	M(task_struct, files, 8, OPTIONAL, LOST_TASKS) \
	M(task_struct, tgid, 4, OPTIONAL, LOST_TASKS) \
	M(task_struct, comm, 16, OPTIONAL, LOST_TASKS) \
	M(task_struct, signal, 8, OPTIONAL, LOST_TASKS) \
	M(task_struct, thread_node, 0, OPTIONAL, LOST_TASKS) \
	M(signal_struct, thread_head, 0, OPTIONAL, LOST_TASKS) \
	M(mm_struct, mm_mt, 0, OPTIONAL, LOST_TASKS) \
	M(mm_struct, pgd, 8, OPTIONAL, LOST_TASKS) \
	M(maple_tree, ma_root, 8, OPTIONAL, LOST_TASKS) \
	M(maple_range_64, pivot, 0, OPTIONAL, LOST_TASKS) \
	M(maple_range_64, slot, 0, OPTIONAL, LOST_TASKS) \
	M(maple_arange_64, pivot, 0, OPTIONAL, LOST_TASKS) \
	M(maple_arange_64, slot, 0, OPTIONAL, LOST_TASKS) \
	M(vm_area_struct, vm_start, 8, OPTIONAL, LOST_TASKS) \
	M(vm_area_struct, vm_end, 8, OPTIONAL, LOST_TASKS) \
	M(vm_area_struct, vm_ops, 8, OPTIONAL, LOST_TASKS) \
	M(vm_area_struct, vm_file, 8, OPTIONAL, LOST_TASKS) \
	M(vm_area_struct, vm_mm, 8, OPTIONAL, LOST_TASKS) \
	M(file, f_op, 8, OPTIONAL, LOST_TASKS) \
	M(file, private_data, 8, OPTIONAL, LOST_TASKS) \
	M(files_struct, fdt, 8, OPTIONAL, LOST_TASKS) \
	M(fdtable, max_fds, 4, OPTIONAL, LOST_TASKS) \
	M(fdtable, fd, 8, OPTIONAL, LOST_TASKS) \
	/* the allocator of an arena */ \
	M(bpf_arena, mt, 0, NEW, "allocated pages (up to 6.12)") \
	M(bpf_arena, rt, 0, NEW, "free pages (6.13 and later)") \
	M(bpf_arena, nr_pages, 8, NEW, "a check of the number of pages (7.3 and later)") \
	M(bpf_arena, lock, 0, OPTIONAL, LOST_ALLOCATOR) \
	M(bpf_arena, zap_mutex, 0, NEW, "whether pages were being unmapped (7.1 and later)") \
	M(bpf_arena, free_work, 0, NEW, "pages that were being freed (7.0 and later)") \
	M(bpf_arena, free_spans, 8, NEW, "pages that were being freed (7.0 and later)") \
	M(arena_free_span, node, 8, NEW, "pages that were being freed (7.0 and later)") \
	M(arena_free_span, uaddr, 8, NEW, "pages that were being freed (7.0 and later)") \
	M(arena_free_span, page_cnt, 4, NEW, "pages that were being freed (7.0 and later)") \
	M(work_struct, data, 8, OPTIONAL, LOST_ALLOCATOR) \
	M(mutex, owner, 8, NEW, "whether a mutex is held, without PREEMPT_RT") \
	M(mutex, rtmutex, 0, NEW, "whether a mutex is held, with PREEMPT_RT") \
	M(rt_mutex_base, owner, 8, NEW, "whether a mutex is held, with PREEMPT_RT") \
	M(rb_root_cached, rb_root, 0, OPTIONAL, LOST_ALLOCATOR) \
	M(rb_root_cached, rb_leftmost, 8, OPTIONAL, LOST_ALLOCATOR) \
	M(range_tree, it_root, 0, NEW, "free pages (6.13 and later)") \
	M(range_tree, range_size_root, 0, NEW, "free pages (6.13 and later)") \
	M(range_node, rn_rbnode, 0, NEW, "free pages (6.13 and later)") \
	M(range_node, rb_range_size, 0, NEW, "free pages (6.13 and later)") \
	M(range_node, rn_start, 4, NEW, "free pages (6.13 and later)") \
	M(range_node, rn_last, 4, NEW, "free pages (6.13 and later)") \
	M(range_node, __rn_subtree_last, 4, NEW, "free pages (6.13 and later)")

enum member {
#define M(type, name, size, need, loss) MEMBER_##type##_##name,
	MEMBERS(M)
#undef M
	MEMBERS_END
};

enum member_need { REQUIRED, OPTIONAL, NEW };

struct member_info {
	const char *type, *name;
	uint32_t size;
	enum member_need need;
	const char *loss;
};

extern const struct member_info member_info[MEMBERS_END];

/** Where the members of one kernel are. */
struct members {
	bool known[MEMBERS_END];
	uint32_t offset[MEMBERS_END];	/* bytes */
	uint32_t size[MEMBERS_END];	/* bytes; 0: not known */
	struct btf_enum exit_kinds;	/* enum scx_exit_kind; none where there is no BTF */
};

/**
 * Take the layout from the BTF at @data. *@has_arenas: it has a struct bpf_arena; without one
 * nothing else is required and true is returned. False: the BTF is damaged, or a required
 * member is missing or has another size; @why names it.
 */
bool members_from_btf(struct members *m, const void *data, size_t size, bool *has_arenas,
		      struct fault *why);

/**
 * The same in two steps, for other sources: members_want() fills @want to be looked up,
 * members_take() takes what was found. @source: "BTF", for sentences.
 */
void members_want(struct btf_member want[MEMBERS_END]);
bool members_take(struct members *m, const struct btf_member want[MEMBERS_END],
		  const bool type_found[MEMBERS_END], const char *source, bool *has_arenas,
		  struct fault *why);

#endif
