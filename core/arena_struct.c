// SPDX-License-Identifier: GPL-2.0-or-later
#include "arena_struct.h"

#include <inttypes.h>

#include "reader.h"

/* Not in BTF as numbers that can be asked for; the same in 6.9 to 7.3. */
enum {
	BPF_MAP_TYPE_ARENA = 33,	/* include/uapi/linux/bpf.h */
	BPF_F_MMAPABLE = 1 << 10,	/* arena_map_alloc() demands it */
	VM_SPARSE_USERMAP = 0x1008,	/* include/linux/vmalloc.h: VM_SPARSE | VM_USERMAP */
	VM_OTHERS = 0x7,		/* VM_IOREMAP | VM_ALLOC | VM_MAP */
	MIN_GUARD_SZ = 1 << 16,		/* GUARD_SZ: round_up(1 << 16, 2 * PAGE_SIZE) */
};

bool arena_struct_id(const struct kernel *k, uint64_t map, uint32_t *id, struct fault *why)
{
	return kernel_member_u32(k, map, MEMBER_bpf_map_id, id, why);
}

static bool read_members(const struct kernel *k, uint64_t map, struct arena_struct *s,
			 struct fault *why)
{
	s->refcnt = 1;
	return kernel_member_u32(k, map, MEMBER_bpf_map_map_flags, &s->map_flags, why) &&
	       arena_struct_id(k, map, &s->id, why) &&
	       kernel_member_u32(k, map, MEMBER_bpf_map_max_entries, &s->max_entries, why) &&
	       kernel_member_u64(k, map, MEMBER_bpf_map_map_extra, &s->map_extra, why) &&
	       kernel_read(k, map + k->members.offset[MEMBER_bpf_map_name], s->name, 16, why) &&
	       kernel_member_u64(k, map, MEMBER_bpf_arena_user_vm_start, &s->user_vm_start, why) &&
	       kernel_member_u64(k, map, MEMBER_bpf_arena_user_vm_end, &s->user_vm_end, why) &&
	       kernel_member_u64(k, map, MEMBER_bpf_arena_kern_vm, &s->kern_vm, why) &&
	       (!kernel_has(k, MEMBER_bpf_map_refcnt) ||
		kernel_member_u64(k, map, MEMBER_bpf_map_refcnt, &s->refcnt, why));
}

enum map_kind arena_struct_read(const struct kernel *k, uint64_t map, struct arena_struct *s,
				struct fault *why)
{
	const struct symbol *ops = &k->symbol[SYMBOL_arena_map_ops];
	uint64_t map_ops;
	uint32_t type;

	*s = (struct arena_struct){ 0 };
	if (!kernel_member_u32(k, map, MEMBER_bpf_map_map_type, &type, why))
		return MAP_LOST;
	if (type != BPF_MAP_TYPE_ARENA) {
		fault_fill(why, STATE_DAMAGED, SPACE_VIRT, map,
			   "the struct at 0x%" PRIx64 " is of a map of type %" PRIu32, map, type);
		return MAP_OTHER;
	}
	if (!kernel_member_u64(k, map, MEMBER_bpf_map_ops, &map_ops, why) ||
	    !read_members(k, map, s, why))
		return MAP_LOST;
	/* without KALLSYMS_ALL the symbol is not known */
	if ((!ops->count || map_ops == ops->addr) && s->map_flags & BPF_F_MMAPABLE)
		return MAP_ARENA;
	fault_fill(why, STATE_DAMAGED, SPACE_VIRT, map,
		   "the struct at 0x%" PRIx64 " has the type of an arena, but ops 0x%" PRIx64
		   " and flags 0x%" PRIx32 " of none", map, map_ops, s->map_flags);
	return MAP_NONE;
}

/* GUARD_SZ. With 64K pages and up to 6.13 the window is between pages: nothing there is right. */
static uint64_t guard_size(const struct kernel *k)
{
	uint64_t two = 2 * k->page_size;

	return (MIN_GUARD_SZ + two - 1) / two * two;
}

uint64_t arena_area_size(const struct kernel *k)
{
	return ARENA_WINDOW + guard_size(k) + k->page_size;
}

bool arena_area_shape(const struct kernel *k, uint64_t addr, uint64_t size,
		      struct arena_area *area)
{
	uint64_t end;

	if (size != arena_area_size(k) || addr % k->page_size || addr < k->format.lowest ||
	    !add_ok(addr, size, &end))
		return false;
	*area = (struct arena_area){ addr, size, guard_size(k) / 2 };
	return true;
}

bool arena_area_read(const struct kernel *k, uint64_t vm, struct arena_area *area,
		     struct fault *why)
{
	uint64_t addr, size, flags, requested;

	if (!kernel_member_u64(k, vm, MEMBER_vm_struct_addr, &addr, why) ||
	    !kernel_member_u64(k, vm, MEMBER_vm_struct_size, &size, why) ||
	    !kernel_member_u64(k, vm, MEMBER_vm_struct_flags, &flags, why))
		return false;
	requested = size - k->page_size;
	if (kernel_has(k, MEMBER_vm_struct_requested_size) &&
	    !kernel_member_u64(k, vm, MEMBER_vm_struct_requested_size, &requested, why))
		return false;
	if ((flags & VM_SPARSE_USERMAP) == VM_SPARSE_USERMAP && !(flags & VM_OTHERS) &&
	    requested == size - k->page_size && arena_area_shape(k, addr, size, area))
		return true;
	return fault_set(why, STATE_DAMAGED, SPACE_VIRT, vm,
		"the vm_struct at 0x%" PRIx64 " (address 0x%" PRIx64 ", size 0x%" PRIx64
		", flags 0x%" PRIx64 ") is not that of an arena", vm, addr, size, flags);
}
