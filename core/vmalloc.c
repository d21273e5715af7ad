// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each node of vmap_nodes holds its busy areas twice: in a list by ascending address and in a
 * red-black tree. A whole list is all there is to read. Where it breaks, every area that can be
 * reached is searched in all directions, list and tree, so that one lost area costs itself and
 * not what lies behind it. Both ends of a link must agree on it: a stale pointer leads nowhere.
 */
#include "vmalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "reader.h"

enum {
	MAX_NODES = 65536,
	MAX_NODE_BYTES = 1 << 20,
	MAX_AREA_BYTES = 256,	/* of struct vmap_area, as far as it is read */
	MAX_AREAS = 1 << 20,	/* of one node */
	MAX_READS = 1 << 23,	/* of all nodes; a forged tree may hang on each of them */
	PROGRESS_READS = 4096,
};

enum link { NEXT, PREV, LEFT, RIGHT, PARENT, LINKS };

/* An area; the first of a node is the node itself, which closes the list and holds the root. */
struct item {
	struct vmalloc_area area;
	uint64_t link[LINKS];	/* addresses of struct vmap_area; 0: none */
	bool bad;		/* cannot be read or believed */
};

/* Offsets in struct vmap_area. */
struct layout {
	uint64_t start, end, vm, list, tree, link[LINKS];
	uint64_t bytes;		/* up to the end of the last of them */
};

struct walk {
	const struct kernel *k;
	const struct vmalloc_visitor *visitor;
	struct layout layout;
	uint64_t nodes, node_bytes;
	uint32_t count, node;
	uint64_t reads;
	/* one node */
	struct item *item;
	size_t n, room;
	uint32_t *slot;		/* hash by address: index + 1, 0: empty; of 2 * room, a power of 2 */
	size_t bad, tree_links;
	bool tree_broken, has_fault;
	bool unread;		/* an area's page is not to be had: no pointer that went astray */
	struct fault fault;	/* the first */
};

/* What is needed of this kernel */

static bool unknown(struct fault *why, const char *what)
{
	return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0, "%s", what);
}

static bool check_known(const struct kernel *k, struct fault *why)
{
	static const enum member needed[] = {
		MEMBER_vmap_node_sizeof, MEMBER_vmap_node_busy, MEMBER_rb_list_root,
		MEMBER_rb_list_head, MEMBER_rb_root_rb_node, MEMBER_rb_node_rb_left,
		MEMBER_rb_node_rb_right, MEMBER_rb_node___rb_parent_color, MEMBER_list_head_next,
		MEMBER_list_head_prev, MEMBER_vmap_area_va_start, MEMBER_vmap_area_va_end,
		MEMBER_vmap_area_rb_node, MEMBER_vmap_area_list, MEMBER_vmap_area_vm,
	};

	if (k->symbol[SYMBOL_vmap_nodes].count != 1 ||
	    k->symbol[SYMBOL_nr_vmap_nodes].count != 1)
		return unknown(why, "there are no symbols vmap_nodes and nr_vmap_nodes");
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!kernel_has(k, needed[i]))
			return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
				"member %s of struct %s is not known",
				member_info[needed[i]].name, member_info[needed[i]].type);
	return true;
}

static bool open_layout(struct walk *w, struct fault *why)
{
	const uint32_t *offset = w->k->members.offset;
	struct layout *l = &w->layout;
	uint64_t last;

	l->start = offset[MEMBER_vmap_area_va_start];
	l->end = offset[MEMBER_vmap_area_va_end];
	l->vm = offset[MEMBER_vmap_area_vm];
	l->list = offset[MEMBER_vmap_area_list];
	l->tree = offset[MEMBER_vmap_area_rb_node];
	l->link[NEXT] = l->list + offset[MEMBER_list_head_next];
	l->link[PREV] = l->list + offset[MEMBER_list_head_prev];
	l->link[LEFT] = l->tree + offset[MEMBER_rb_node_rb_left];
	l->link[RIGHT] = l->tree + offset[MEMBER_rb_node_rb_right];
	l->link[PARENT] = l->tree + offset[MEMBER_rb_node___rb_parent_color];
	last = l->start > l->end ? l->start : l->end;
	last = l->vm > last ? l->vm : last;
	for (size_t i = 0; i < LINKS; i++)
		last = l->link[i] > last ? l->link[i] : last;
	l->bytes = last + 8;
	return l->bytes <= MAX_AREA_BYTES ||
	       unknown(why, "struct vmap_area is larger than is known");
}

static bool open_nodes(struct walk *w, struct fault *why)
{
	const struct kernel *k = w->k;
	uint64_t end;

	w->node_bytes = k->members.size[MEMBER_vmap_node_sizeof];
	if (!kernel_read_u64(k, k->symbol[SYMBOL_vmap_nodes].addr, &w->nodes, why) ||
	    !kernel_read_u32(k, k->symbol[SYMBOL_nr_vmap_nodes].addr, &w->count, why))
		return false;
	if (!w->count || w->count > MAX_NODES)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT,
			k->symbol[SYMBOL_nr_vmap_nodes].addr,
			"nr_vmap_nodes is %" PRIu32, w->count);
	if (!w->node_bytes || w->node_bytes > MAX_NODE_BYTES ||
	    k->members.offset[MEMBER_vmap_node_busy] >= w->node_bytes)
		return unknown(why, "the size of struct vmap_node cannot be");
	if (w->nodes % 8 || w->nodes < k->format.lowest ||
	    !add_ok(w->nodes, w->count * w->node_bytes, &end))
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT,
			k->symbol[SYMBOL_vmap_nodes].addr,
			"vmap_nodes 0x%" PRIx64 " is no pointer", w->nodes);
	return true;
}

/* The areas of one node, and where each is */

static uint32_t *find_slot(const struct walk *w, uint64_t va)
{
	size_t mask = 2 * w->room - 1;
	size_t i = (size_t)(va / 8 * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

	while (w->slot[i] && w->item[w->slot[i] - 1].area.va != va)
		i = (i + 1) & mask;
	return &w->slot[i];
}

/* Of all areas so far, for more of them. */
static bool make_slots(struct walk *w, struct fault *why)
{
	free(w->slot);
	w->slot = calloc(2 * w->room, sizeof(*w->slot));
	if (!w->slot)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (size_t i = 0; i < w->n; i++)
		*find_slot(w, w->item[i].area.va) = (uint32_t)i + 1;
	return true;
}

static bool append(struct walk *w, const struct item *item, struct fault *why)
{
	size_t room = w->room;

	if (!array_grow(&w->item, &w->room, w->n, sizeof(*w->item), why) ||
	    (w->room != room && w->slot && !make_slots(w, why)))
		return false;
	w->item[w->n++] = *item;
	if (w->slot)
		*find_slot(w, item->area.va) = (uint32_t)w->n;
	return true;
}

static uint64_t container(uint64_t pointer, uint64_t offset)
{
	return pointer ? pointer - offset : 0;
}

static bool read_item(struct walk *w, uint64_t va, struct item *item, struct fault *why)
{
	const struct layout *l = &w->layout;
	uint64_t lowest = w->k->format.lowest;
	uint8_t b[MAX_AREA_BYTES];

	*item = (struct item){ .area.va = va };
	if (++w->reads > MAX_READS)
		return fault_set(why, FAULT_LIMIT, SPACE_VIRT, va, "more than %d areas are read",
			MAX_READS);
	if (va % 8 || va < lowest || va > UINT64_MAX - l->bytes)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va,
			"there can be no area at 0x%" PRIx64, va);
	if (!kernel_read(w->k, va, b, l->bytes, why))
		return false;
	item->area.start = load_u64(b + l->start);
	item->area.end = load_u64(b + l->end);
	item->area.vm = load_u64(b + l->vm);
	item->link[NEXT] = container(load_u64(b + l->link[NEXT]), l->list);
	item->link[PREV] = container(load_u64(b + l->link[PREV]), l->list);
	item->link[LEFT] = container(load_u64(b + l->link[LEFT]), l->tree);
	item->link[RIGHT] = container(load_u64(b + l->link[RIGHT]), l->tree);
	/* include/linux/rbtree_augmented.h: the low bits are the colour */
	item->link[PARENT] = container(load_u64(b + l->link[PARENT]) & ~UINT64_C(3), l->tree);
	if (item->area.start < lowest || item->area.start >= item->area.end ||
	    (item->area.start | item->area.end) % w->k->page_size)
		return fault_set(why, STATE_DAMAGED, SPACE_VIRT, va, "the area at 0x%" PRIx64
			" is from 0x%" PRIx64 " to 0x%" PRIx64 ", which cannot be", va,
			item->area.start, item->area.end);
	return true;
}

/* The node as the first item. */
static bool read_node(struct walk *w, struct item *node, struct fault *why)
{
	const uint32_t *offset = w->k->members.offset;
	uint64_t busy = w->nodes + w->node * w->node_bytes + offset[MEMBER_vmap_node_busy];
	uint64_t head = busy + offset[MEMBER_rb_list_head], next, prev, root;

	if (!kernel_member_u64(w->k, head, MEMBER_list_head_next, &next, why) ||
	    !kernel_member_u64(w->k, head, MEMBER_list_head_prev, &prev, why) ||
	    !kernel_member_u64(w->k, busy + offset[MEMBER_rb_list_root], MEMBER_rb_root_rb_node,
			       &root, why))
		return false;
	*node = (struct item){ .area.va = head - w->layout.list };
	node->link[NEXT] = container(next, w->layout.list);
	node->link[PREV] = container(prev, w->layout.list);
	node->link[RIGHT] = container(root, w->layout.tree);
	return true;
}

/* Links */

static bool is_tree(enum link l)
{
	return l == LEFT || l == RIGHT || l == PARENT;
}

/* @low lies below @high; the node is both the first and the last of its list. */
static bool in_order(const struct item *low, const struct item *high)
{
	return !low->area.end || !high->area.end || low->area.end <= high->area.start;
}

/* Does @to know of the link @l that leads from @from to it? */
static bool agrees(const struct item *from, enum link l, const struct item *to)
{
	uint64_t va = from->area.va, parent = from->area.end ? va : 0;

	switch (l) {
	case NEXT:
		return to->link[PREV] == va && in_order(from, to);
	case PREV:
		return to->link[NEXT] == va && in_order(to, from);
	case LEFT:
		return to->area.end && to->link[PARENT] == parent && in_order(to, from);
	case RIGHT:
		return to->area.end && to->link[PARENT] == parent && in_order(from, to);
	case PARENT:
		return (to->link[LEFT] == va && in_order(from, to)) ||
		       (to->link[RIGHT] == va && in_order(to, from));
	case LINKS:
		break;
	}
	return false;
}

static bool progress(const struct walk *w, struct fault *why)
{
	return w->reads % PROGRESS_READS ||
	       memory_progress(w->k->mem, "reading vmalloc areas", 0, 0, why);
}

/*
 * The list from its head to its head. *@whole: nothing is wrong with it. Addresses ascend, so
 * that it ends. False: out of memory or interrupted.
 */
static bool walk_list(struct walk *w, bool *whole, struct fault *why)
{
	uint64_t head = w->item[0].area.va, va;
	struct fault ignored;
	struct item item;

	*whole = false;
	while ((va = w->item[w->n - 1].link[NEXT]) != head) {
		if (!progress(w, why))
			return false;
		if (w->n > MAX_AREAS || !read_item(w, va, &item, &ignored) ||
		    !agrees(&w->item[w->n - 1], NEXT, &item))
			return true;
		if (!append(w, &item, why))
			return false;
	}
	/* a list and a tree that are both empty, or neither */
	*whole = w->item[0].link[PREV] == w->item[w->n - 1].area.va &&
		 (w->n == 1) == !w->item[0].link[RIGHT];
	return true;
}

static void note(struct walk *w, const struct fault *why)
{
	if (!w->has_fault)
		w->fault = *why;
	w->has_fault = true;
}

static void note_link(struct walk *w, size_t i, enum link l)
{
	uint64_t from = w->item[i].area.va, to = w->item[i].link[l];
	struct fault why;

	if (i)
		fault_fill(&why, STATE_DAMAGED, SPACE_VIRT, from, "the areas at 0x%" PRIx64
			   " and 0x%" PRIx64 " disagree on whether they are neighbours",
			   from, to);
	else
		fault_fill(&why, STATE_DAMAGED, SPACE_VIRT, from + w->layout.list,
			   "its list or tree does not begin with the area at 0x%" PRIx64, to);
	note(w, &why);
	w->tree_broken |= is_tree(l);
}

/* Add the area at the end of link @l of item @i. What is wrong with it is noted. */
static bool follow(struct walk *w, size_t i, enum link l, struct fault *why)
{
	uint64_t va = w->item[i].link[l];
	struct item item, *to = &item;
	struct fault fault;
	uint32_t slot;

	if (!va && is_tree(l))
		return true;
	slot = *find_slot(w, va);
	if (slot) {
		to = &w->item[slot - 1];
	} else if (!read_item(w, va, &item, &fault)) {
		note(w, &fault);
		w->unread |= fault.space == SPACE_PHYS;
		item.bad = true;
		w->bad++;
	}
	if (to->bad)
		w->tree_broken |= is_tree(l);
	else if (!agrees(&w->item[i], l, to))
		return note_link(w, i, l), true;
	else
		w->tree_links += l == LEFT || l == RIGHT;
	return slot || append(w, &item, why);
}

/* Everything that can be reached. False: out of memory or interrupted. */
static bool search(struct walk *w, struct fault *why)
{
	struct fault limit;

	w->n = 1;
	if (!make_slots(w, why))
		return false;
	for (size_t i = 0; i < w->n; i++) {
		if (w->item[i].bad)
			continue;
		if (w->n > MAX_AREAS || w->reads > MAX_READS) {
			fault_fill(&limit, FAULT_LIMIT, SPACE_NONE, 0, "there are too many areas");
			note(w, &limit);
			w->tree_broken = true;
			return true;
		}
		for (enum link l = 0; l < LINKS; l++)
			if (!progress(w, why) || !follow(w, i, l, why))
				return false;
	}
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->bad != y->bad)
		return x->bad - y->bad;
	return (x->area.start > y->area.start) - (x->area.start < y->area.start);
}

static bool are_neighbours(const struct item *low, const struct item *high)
{
	return low->link[NEXT] == high->area.va || high->link[PREV] == low->area.va;
}

/*
 * Do the areas that were found leave no room for others? Either each is the neighbour of the
 * next, by what one of the two says, or the tree has all of them and no link elsewhere.
 */
static bool is_complete(struct walk *w)
{
	size_t good = w->n - w->bad;

	if (good < 2 || w->unread)
		return false;
	if (!w->tree_broken && w->tree_links == good - 1)
		return true;
	qsort(w->item + 1, w->n - 1, sizeof(*w->item), by_start);
	for (size_t i = 0; i < good; i++)
		if (!are_neighbours(&w->item[i], &w->item[(i + 1) % good]))
			return false;
	return true;
}

static bool report_lost(struct walk *w)
{
	if (!w->has_fault)
		fault_fill(&w->fault, STATE_DAMAGED, SPACE_NONE, 0,
			   "its list and its tree contradict each other");
	if (w->bad)
		fault_prefix(&w->fault, "%zu of node %" PRIu32
			     " cannot be read, and more may hang on them: ", w->bad, w->node);
	else
		fault_prefix(&w->fault, "node %" PRIu32 ": ", w->node);
	fault_prefix(&w->fault, "vmalloc areas: ");
	return w->visitor->lost(w->visitor->ctx, &w->fault);
}

static bool visit_node(struct walk *w, struct fault *why)
{
	bool whole = false;
	struct item node;

	free(w->slot);
	w->slot = NULL;
	w->n = w->bad = w->tree_links = 0;
	w->tree_broken = w->has_fault = w->unread = false;
	if (!read_node(w, &node, &w->fault)) {
		w->has_fault = true;
		return report_lost(w);
	}
	if (!append(w, &node, why) || !walk_list(w, &whole, why) ||
	    (!whole && !search(w, why)))
		return false;
	whole = whole || is_complete(w);
	for (size_t i = 1; i < w->n; i++)
		if (!w->item[i].bad && !w->visitor->area(w->visitor->ctx, &w->item[i].area))
			return false;
	return whole || report_lost(w);
}

bool vmalloc_walk(const struct kernel *k, const struct vmalloc_visitor *visitor,
		  struct fault *why)
{
	struct walk w = { .k = k, .visitor = visitor };
	bool ok = true;

	if (!check_known(k, why) || !open_layout(&w, why) || !open_nodes(&w, why))
		return fault_prefix(why, "vmalloc areas: ");
	for (w.node = 0; ok && w.node < w.count; w.node++)
		ok = visit_node(&w, why);
	free(w.item);
	free(w.slot);
	return ok;
}

/* Is that where the head of a node's list is, seen as an area? */
static bool is_head(const struct walk *w, uint64_t va)
{
	const uint32_t *offset = w->k->members.offset;
	uint64_t first = w->nodes + offset[MEMBER_vmap_node_busy] + offset[MEMBER_rb_list_head] -
			 w->layout.list;

	return va >= first && (va - first) % w->node_bytes == 0 &&
	       (va - first) / w->node_bytes < w->count;
}

/* From @item on by @l. Addresses ascend or descend, so that it ends. */
static bool follow_list(struct walk *w, struct item item, enum link l, bool *busy)
{
	struct fault ignored;
	struct item next;

	while (!is_head(w, item.link[l])) {
		if (!read_item(w, item.link[l], &next, &ignored) || !agrees(&item, l, &next))
			return true;
		if (!w->visitor->area(w->visitor->ctx, &next.area))
			return false;
		item = next;
	}
	*busy = true;
	return true;
}

bool vmalloc_follow(const struct kernel *k, uint64_t va, const struct vmalloc_visitor *visitor,
		    bool *busy, struct fault *why)
{
	struct walk w = { .k = k, .visitor = visitor };
	struct item item;

	*busy = false;
	return check_known(k, why) && open_layout(&w, why) && open_nodes(&w, why) &&
	       read_item(&w, va, &item, why) && visitor->area(visitor->ctx, &item.area) &&
	       follow_list(&w, item, NEXT, busy) && follow_list(&w, item, PREV, busy);
}
