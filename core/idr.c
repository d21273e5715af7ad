// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * include/linux/xarray.h: an entry with its low bits 10 is internal, a node if above 4096.
 */
#include "idr.h"

#include <inttypes.h>

#include "reader.h"

enum {
	MAX_SLOTS = 64,		/* XA_CHUNK_SIZE; 16 with CONFIG_BASE_SMALL */
	MAX_DEPTH = 8,		/* 32-bit ids: 6 nodes of 64 slots, 8 of 16 */
	LAST_INTERNAL = 4096,
};

struct node {
	uint64_t va, parent_first;	/* first id below it, without idr_base */
	unsigned shift, next;		/* next slot to visit */
	uint8_t slot[MAX_SLOTS * 8];
};

struct idr {
	const struct kernel *k;
	const struct idr_visitor *visitor;
	uint64_t xarray;
	uint32_t base;
	unsigned slots, bits;
	struct node stack[MAX_DEPTH];
	int depth;		/* of the current node; -1: none */
};

static bool is_internal(uint64_t entry)
{
	return (entry & 3) == 2;
}

static bool is_node(uint64_t entry)
{
	return is_internal(entry) && entry > LAST_INTERNAL;
}

static bool damaged(struct fault *why, uint64_t va, const char *what)
{
	return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va, "node 0x%" PRIx64 ": %s", va, what);
}

/*
 * The node must name its xarray, its parent and the slot there that points to it. So each node
 * has one place, and a walk over a forged tree ends.
 */
static bool check_links(const struct idr *idr, uint64_t va, unsigned slot,
			const struct node *parent, struct fault *why)
{
	const struct members *m = &idr->k->members;
	uint64_t array, up;
	uint8_t offset;

	if (kernel_has(idr->k, MEMBER_xa_node_array)) {
		if (!kernel_member_u64(idr->k, va, MEMBER_xa_node_array, &array, why))
			return false;
		if (array != idr->xarray)
			return damaged(why, va, "belongs to another tree");
	}
	if (!kernel_member_u64(idr->k, va, MEMBER_xa_node_parent, &up, why) ||
	    !kernel_read(idr->k, va + m->offset[MEMBER_xa_node_offset], &offset, 1, why))
		return false;
	if (up != (parent ? parent->va : 0))
		return damaged(why, va, "has another parent");
	if (parent && offset != slot)
		return damaged(why, va, "is in another slot of its parent");
	return true;
}

static bool read_node(struct idr *idr, struct node *n, uint64_t va, unsigned slot,
		      const struct node *parent, struct fault *why)
{
	const struct members *m = &idr->k->members;
	uint8_t shift;

	if (va % 8)
		return damaged(why, va, "is not aligned");
	if (!kernel_read(idr->k, va + m->offset[MEMBER_xa_node_shift], &shift, 1, why) ||
	    !check_links(idr, va, slot, parent, why) ||
	    !kernel_read(idr->k, va + m->offset[MEMBER_xa_node_slots], n->slot,
			 (size_t)idr->slots * 8, why))
		return false;
	if (shift % idr->bits || shift >= 32 || (parent && shift + idr->bits != parent->shift))
		return damaged(why, va, "has an impossible shift");
	n->va = va;
	n->shift = shift;
	n->next = 0;
	return true;
}

static uint32_t clamp_id(const struct idr *idr, uint64_t index)
{
	uint64_t id = index + idr->base;

	return id > UINT32_MAX ? UINT32_MAX : (uint32_t)id;
}

/* Go down into the node in @slot of the current one, or report its ids as lost. */
static bool enter(struct idr *idr, uint64_t entry, unsigned slot, uint64_t first)
{
	struct node *parent = idr->depth >= 0 ? &idr->stack[idr->depth] : NULL;
	uint64_t count = parent ? UINT64_C(1) << parent->shift : UINT64_C(1) << 32;
	struct fault why;
	bool ok;

	if (idr->depth + 1 >= MAX_DEPTH)
		ok = damaged(&why, entry & ~UINT64_C(3), "is too deep");
	else
		ok = read_node(idr, &idr->stack[idr->depth + 1], entry & ~UINT64_C(3), slot, parent,
			       &why);
	if (!ok)
		return idr->visitor->lost(idr->visitor->ctx, clamp_id(idr, first),
					  clamp_id(idr, first + count - 1), &why);
	idr->depth++;
	idr->stack[idr->depth].parent_first = first;
	return true;
}

static bool lost_entry(struct idr *idr, uint64_t first, uint64_t entry)
{
	uint64_t last = first + (UINT64_C(1) << idr->stack[idr->depth].shift) - 1;
	struct fault why;

	fault_fill(&why, STATE_DAMAGED, SPACE_VIRT, idr->stack[idr->depth].va,
		   "entry 0x%" PRIx64 " is no pointer", entry);
	return idr->visitor->lost(idr->visitor->ctx, clamp_id(idr, first), clamp_id(idr, last),
				  &why);
}

static bool visit_slot(struct idr *idr)
{
	struct node *n = &idr->stack[idr->depth];
	unsigned slot = n->next++;
	uint64_t entry = load_u64(n->slot + slot * 8);
	uint64_t first = n->parent_first + ((uint64_t)slot << n->shift);

	/* the highest root has room for more ids than there are */
	if (!entry || (is_internal(entry) && !is_node(entry)) || first + idr->base > UINT32_MAX)
		return true;
	if (is_node(entry) && n->shift)
		return enter(idr, entry, slot, first);
	if (n->shift || is_node(entry) || entry % 8)
		return lost_entry(idr, first, entry);
	return idr->visitor->entry(idr->visitor->ctx, clamp_id(idr, first), entry);
}

static bool open_idr(struct idr *idr, uint64_t va, uint64_t *head, struct fault *why)
{
	const struct members *m = &idr->k->members;

	idr->xarray = va + m->offset[MEMBER_idr_idr_rt];
	idr->slots = m->size[MEMBER_xa_node_slots] / 8;
	if (idr->slots != 64 && idr->slots != 16)
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"struct xa_node with %u slots; 16 and 64 are known", idr->slots);
	idr->bits = idr->slots == 64 ? 6 : 4;
	return kernel_member_u32(idr->k, va, MEMBER_idr_idr_base, &idr->base, why) &&
	       kernel_member_u64(idr->k, idr->xarray, MEMBER_xarray_xa_head, head, why);
}

bool idr_walk(const struct kernel *k, uint64_t va, const struct idr_visitor *visitor,
	      struct fault *why)
{
	struct idr idr = { .k = k, .visitor = visitor, .depth = -1 };
	uint64_t head;

	if (!open_idr(&idr, va, &head, why))
		return false;
	if (!head)
		return true;
	if (!is_node(head)) {
		/* one entry at index 0: the id is idr_base */
		if (head % 8)
			return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va,
				"its head 0x%" PRIx64 " is no pointer", head);
		return visitor->entry(visitor->ctx, idr.base, head);
	}
	if (!enter(&idr, head, 0, 0))
		return false;
	while (idr.depth >= 0) {
		if (idr.stack[idr.depth].next == idr.slots)
			idr.depth--;
		else if (!visit_slot(&idr))
			return false;
	}
	return true;
}
