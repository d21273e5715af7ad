// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * include/linux/maple_tree.h. A pointer to a node carries the node's type in bits 6:3 and has
 * bit 2 set, the root's bit 1 too. A node's parent word is the address of the parent with the
 * slot there in bits 7:3, or that of the tree with bit 0 set.
 */
#include "maple.h"

#include <inttypes.h>

#include "reader.h"

enum {
	MAX_SLOTS = 31,		/* MAPLE_NODE_SLOTS: of a dense node */
	RANGE_SLOTS = 16,	/* at most, of the other types */
	MAX_DEPTH = 10,
	NODE_SIZE = 256,
	LAST_INTERNAL = 4096,
};

enum node_type { MAPLE_DENSE, MAPLE_LEAF_64, MAPLE_RANGE_64, MAPLE_ARANGE_64, MAPLE_TYPES };

struct node {
	uint64_t va;
	uint64_t from;		/* first index of the next slot */
	uint64_t last;		/* index of the node's range */
	enum node_type type;
	unsigned next, slots;
	bool done;
	uint32_t pivot_at, slot_at;
	uint8_t data[NODE_SIZE];
};

struct maple {
	const struct kernel *k;
	const struct maple_visitor *visitor;
	uint64_t tree;
	struct node stack[MAX_DEPTH + 1];	/* the last is never entered */
	int depth;		/* of the current node; -1: none */
};

static bool is_internal(uint64_t entry)
{
	return (entry & 3) == 2;
}

static bool damaged(struct fault *why, uint64_t va, const char *what)
{
	return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va, "node 0x%" PRIx64 ": %s", va, what);
}

static bool fits(const struct members *m, enum member pivot, enum member slot)
{
	uint32_t slots = m->size[slot] / 8;

	return slots >= 2 && slots <= RANGE_SLOTS && m->size[pivot] == (slots - 1) * 8 &&
	       range_ok(m->offset[slot], m->size[slot], NODE_SIZE) &&
	       range_ok(m->offset[pivot], m->size[pivot], NODE_SIZE);
}

bool maple_known(const struct kernel *k, struct fault *why)
{
	const struct members *m = &k->members;

	if (!kernel_has(k, MEMBER_maple_tree_ma_root) ||
	    !kernel_has(k, MEMBER_maple_range_64_pivot) ||
	    !kernel_has(k, MEMBER_maple_range_64_slot) ||
	    !kernel_has(k, MEMBER_maple_arange_64_pivot) ||
	    !kernel_has(k, MEMBER_maple_arange_64_slot))
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"the kernel's types have no maple tree as it is known");
	if (!fits(m, MEMBER_maple_range_64_pivot, MEMBER_maple_range_64_slot) ||
	    !fits(m, MEMBER_maple_arange_64_pivot, MEMBER_maple_arange_64_slot))
		return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"maple tree nodes of another size than is known");
	return true;
}

static void set_layout(const struct maple *t, struct node *n)
{
	const struct members *m = &t->k->members;
	enum member pivot = MEMBER_maple_range_64_pivot, slot = MEMBER_maple_range_64_slot;

	if (n->type == MAPLE_ARANGE_64) {
		pivot = MEMBER_maple_arange_64_pivot;
		slot = MEMBER_maple_arange_64_slot;
	}
	n->pivot_at = m->offset[pivot];
	n->slot_at = m->offset[slot];
	n->slots = m->size[slot] / 8;
	if (n->type == MAPLE_DENSE) {
		n->slot_at = 8;
		n->slots = MAX_SLOTS;
	}
}

/* So each node has one place, and a walk over a forged tree ends. */
static bool check_parent(const struct maple *t, const struct node *n, const struct node *parent,
			 unsigned slot, struct fault *why)
{
	uint64_t word = load_u64(n->data), up = word & ~UINT64_C(0xff);

	if (up == n->va)
		return damaged(why, n->va, "is dead");
	if (!parent)
		return word == (t->tree | 1) || damaged(why, n->va, "is the root of another tree");
	if (up != parent->va)
		return damaged(why, n->va, "has another parent");
	if ((word >> 3 & 0x1f) != slot)
		return damaged(why, n->va, "is in another slot of its parent");
	return true;
}

static bool read_node(const struct maple *t, struct node *n, uint64_t entry, unsigned slot,
		      const struct node *parent, struct fault *why)
{
	uint64_t flags = entry & 0x87, type = entry >> 3 & 0xf;

	n->va = entry & ~UINT64_C(0xff);
	if (flags != (parent ? 4 : 6) || type >= MAPLE_TYPES)
		return damaged(why, n->va, "is of no known type");
	n->type = (enum node_type)type;
	set_layout(t, n);
	return kernel_read(t->k, n->va, n->data, NODE_SIZE, why) &&
	       check_parent(t, n, parent, slot, why);
}

/* Go down into the node in @slot of the current one, or report its range as lost. */
static bool enter(struct maple *t, uint64_t entry, unsigned slot, uint64_t first, uint64_t last)
{
	const struct node *parent = t->depth >= 0 ? &t->stack[t->depth] : NULL;
	struct node *n = &t->stack[t->depth + 1];
	struct fault why;
	bool ok;

	if (t->depth + 1 >= MAX_DEPTH)
		ok = damaged(&why, entry & ~UINT64_C(0xff), "is too deep");
	else
		ok = read_node(t, n, entry, slot, parent, &why);
	if (!ok)
		return t->visitor->lost(t->visitor->ctx, first, last, &why);
	n->from = first;
	n->last = last;
	n->next = 0;
	n->done = false;
	t->depth++;
	return true;
}

static bool is_leaf(const struct node *n)
{
	return n->type == MAPLE_DENSE || n->type == MAPLE_LEAF_64;
}

/* Last index of the current slot. A pivot of 0 stands for the end of the node. */
static uint64_t slot_last(const struct node *n)
{
	uint64_t pivot;

	if (n->type == MAPLE_DENSE)
		return n->from;
	if (n->next + 1 == n->slots)
		return n->last;
	pivot = load_u64(n->data + n->pivot_at + n->next * 8);
	return pivot || !n->next ? pivot : n->last;
}

static bool lost(struct maple *t, uint64_t first, uint64_t last, const char *what)
{
	struct fault why;

	damaged(&why, t->stack[t->depth].va, what);
	return t->visitor->lost(t->visitor->ctx, first, last, &why);
}

static bool visit_slot(struct maple *t)
{
	struct node *n = &t->stack[t->depth];
	uint64_t first = n->from, last = slot_last(n);
	unsigned slot = n->next++;
	uint64_t entry = load_u64(n->data + n->slot_at + slot * 8);

	if (last < first || last > n->last) {
		n->done = true;
		return lost(t, first, n->last, "has an impossible pivot");
	}
	n->done = last == n->last || n->next == n->slots;
	n->from = last + 1;
	if (!is_leaf(n))
		return entry > LAST_INTERNAL ? enter(t, entry, slot, first, last) :
					       lost(t, first, last, "has an empty slot");
	if (!entry || (is_internal(entry) && entry <= LAST_INTERNAL))
		return true;
	return t->visitor->entry(t->visitor->ctx, first, last, entry);
}

bool maple_walk(const struct kernel *k, uint64_t va, const struct maple_visitor *visitor,
		struct fault *why)
{
	struct maple t = { .k = k, .visitor = visitor, .tree = va, .depth = -1 };
	uint64_t root;

	if (!maple_known(k, why) ||
	    !kernel_member_u64(k, va, MEMBER_maple_tree_ma_root, &root, why))
		return false;
	if (!root || (is_internal(root) && root <= LAST_INTERNAL))
		return true;
	if (!is_internal(root))
		return visitor->entry(visitor->ctx, 0, 0, root);
	if (!enter(&t, root, 0, 0, UINT64_MAX))
		return false;
	while (t.depth >= 0) {
		if (t.stack[t.depth].done)
			t.depth--;
		else if (!visit_slot(&t))
			return false;
	}
	return true;
}
