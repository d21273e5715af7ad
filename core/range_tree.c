// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * include/linux/rbtree.h: a node's first word is the address of its parent, with the color in
 * bit 0 (1: black). The root's is NULL.
 */
#include "range_tree.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "array.h"
#include "reader.h"

enum { MAX_DEPTH = 64, MAX_NODE = 256, PROGRESS_NODES = 4096 };

enum which { BY_START, BY_SIZE };

static const char *const tree_name[] = {
	[BY_START] = "free ranges by start", [BY_SIZE] = "free ranges by size",
};

/* Offsets in struct range_node; the links are those of each tree. */
struct layout {
	uint32_t link[2];	/* of its rb_node in the tree of enum which */
	uint32_t parent, left, right;	/* in struct rb_node */
	uint32_t first, last, subtree_last;
	uint32_t bytes;
};

/* A node that a walk is in. */
struct step {
	uint64_t link;		/* address of its rb_node */
	uint64_t left, right;
	uint32_t first, last, subtree_last;
	bool black;
	enum { GO_LEFT, GO_RIGHT, GO_UP } next;
	/* of the subtrees that were left */
	bool unsure;		/* not all of them could be walked */
	bool left_seen;
	unsigned height;	/* black nodes on the way down on the left side */
	uint32_t most;		/* last of all */
};

struct known_node {
	uint64_t va;
	uint32_t first, last;
};

struct walk {
	const struct kernel *k;
	const struct range_tree_place *place;
	struct evidence_list *evidence;
	struct layout layout;
	struct fault *why;
	enum which which;
	struct step step[MAX_DEPTH];
	int depth;		/* of the current node; -1: none */
	bool failed;		/* out of memory, or interrupted */
	/* this tree */
	uint64_t visited, leftmost;
	uint64_t first_seen;	/* rb_node of the first in order; 0: none, or not known */
	bool skipped, order_broken;
	uint64_t before;	/* BY_START: first pgoff behind the last node; BY_SIZE: its size */
	bool gap;		/* a subtree before the next node was skipped */
	struct page_ranges hidden;	/* BY_START: between nodes where one was skipped */
	/* nodes of both */
	struct known_node *node;	/* of it_root, by start */
	size_t n, room;
	uint8_t *seen;		/* bit for each of them: it is in the other tree, too */
	struct known_node *other;	/* those that only the other tree leads to */
	size_t others, other_room;
};

bool range_tree_known(const struct kernel *k, struct fault *why)
{
	static const enum member needed[] = {
		MEMBER_range_tree_it_root, MEMBER_range_tree_range_size_root,
		MEMBER_rb_root_cached_rb_root, MEMBER_rb_root_cached_rb_leftmost,
		MEMBER_rb_root_rb_node, MEMBER_rb_node___rb_parent_color, MEMBER_rb_node_rb_left,
		MEMBER_rb_node_rb_right, MEMBER_range_node_rn_rbnode,
		MEMBER_range_node_rb_range_size, MEMBER_range_node_rn_start,
		MEMBER_range_node_rn_last, MEMBER_range_node___rn_subtree_last,
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!kernel_has(k, needed[i]))
			return fault_set(why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
				"member %s of struct %s is not known",
				member_info[needed[i]].name, member_info[needed[i]].type);
	return true;
}

static bool open_layout(struct walk *w)
{
	const uint32_t *offset = w->k->members.offset;
	struct layout *l = &w->layout;
	uint32_t end[] = {
		offset[MEMBER_range_node_rn_rbnode] + 24, offset[MEMBER_range_node_rb_range_size] + 24,
		offset[MEMBER_range_node_rn_start] + 4, offset[MEMBER_range_node_rn_last] + 4,
		offset[MEMBER_range_node___rn_subtree_last] + 4,
	};

	l->link[BY_START] = offset[MEMBER_range_node_rn_rbnode];
	l->link[BY_SIZE] = offset[MEMBER_range_node_rb_range_size];
	l->parent = offset[MEMBER_rb_node___rb_parent_color];
	l->left = offset[MEMBER_rb_node_rb_left];
	l->right = offset[MEMBER_rb_node_rb_right];
	l->first = offset[MEMBER_range_node_rn_start];
	l->last = offset[MEMBER_range_node_rn_last];
	l->subtree_last = offset[MEMBER_range_node___rn_subtree_last];
	for (size_t i = 0; i < sizeof(end) / sizeof(end[0]); i++) {
		if (end[i] > MAX_NODE)
			return fault_set(w->why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
				"struct range_node is larger than is known");
		l->bytes = end[i] > l->bytes ? end[i] : l->bytes;
	}
	if (l->parent > 16 || l->left > 16 || l->right > 16)
		return fault_set(w->why, FAULT_UNKNOWN_TYPE, SPACE_NONE, 0,
			"struct rb_node is larger than is known");
	return true;
}

/* Of the node whose rb_node is at @link. */
static uint64_t node_of(const struct walk *w, uint64_t link)
{
	return link - w->layout.link[w->which];
}

/* A broken rule, said of the node at @link. */
#define broken(w, code, link, ...) \
	broken_rule(w, EVIDENCE_##code, node_of(w, link), __VA_ARGS__)

static void broken_rule(struct walk *w, enum evidence_code code, uint64_t va, const char *format,
			...) __attribute__((format(printf, 4, 5)));

static void broken_rule(struct walk *w, enum evidence_code code, uint64_t va, const char *format,
			...)
{
	struct fault text;
	va_list args;

	va_start(args, format);
	vsnprintf(text.text, sizeof(text.text), format, args);
	va_end(args);
	evidence_add(w->evidence, code, va, "%s: node 0x%" PRIx64 " %.150s",
		     tree_name[w->which], va, text.text);
}

/* What is below @link is not known, and so is what lies before the next node. */
static void skip(struct walk *w)
{
	w->skipped = true;
	w->gap = true;
	if (w->depth >= 0)
		w->step[w->depth].unsure = true;
}

/* Read the node into @s. False: it cannot be had, or is not where it is said to be. */
static bool read_node(struct walk *w, uint64_t link, struct step *s)
{
	const struct layout *l = &w->layout;
	uint64_t parent = w->depth >= 0 ? w->step[w->depth].link : 0, word;
	uint8_t data[MAX_NODE];
	struct fault why;

	if (link & 7) {
		broken(w, tree_pointer, link, "is at no address that a node can have");
		return false;
	}
	if (!kernel_read(w->k, node_of(w, link), data, l->bytes, &why)) {
		if (fault_is_wrong_pointer(&why)) {
			broken(w, tree_pointer, link, "is where nothing is mapped");
			return false;
		}
		fault_prefix(&why, "%s: node ", tree_name[w->which]);
		evidence_add_fault(w->evidence, &why);
		return false;
	}
	word = load_u64(data + l->link[w->which] + l->parent);
	if ((word & ~UINT64_C(3)) != parent) {
		broken(w, tree_parent, link, "has another parent than the one that leads to it");
		return false;
	}
	*s = (struct step){
		.link = link, .black = word & 1,
		.left = load_u64(data + l->link[w->which] + l->left),
		.right = load_u64(data + l->link[w->which] + l->right),
		.first = load_u32(data + l->first), .last = load_u32(data + l->last),
		.subtree_last = load_u32(data + l->subtree_last),
	};
	s->most = s->last;
	if (s->left && s->left == s->right) {
		broken(w, tree_pointer, link, "has one child twice");
		s->right = 0;
		s->unsure = w->skipped = true;
	}
	return true;
}

/* Go down, where there is something. */
static void enter(struct walk *w, uint64_t link)
{
	struct step s;

	if (!link)
		return;
	if (w->depth + 1 == MAX_DEPTH) {
		broken(w, tree_limit, link, "is deeper than any tree can be");
		skip(w);
		return;
	}
	if (!read_node(w, link, &s)) {
		skip(w);
		return;
	}
	if (w->depth >= 0 && !s.black && !w->step[w->depth].black)
		broken(w, tree_color, link, "is red, and so is its parent");
	else if (w->depth < 0 && !s.black)
		broken(w, tree_color, link, "is the root, and red");
	w->step[++w->depth] = s;
}

/* In order. */

static bool is_believable(struct walk *w, const struct step *s)
{
	if (s->first > s->last) {
		broken(w, tree_bounds, s->link, "ends before it begins: pgoff %" PRIu32 " to %"
		       PRIu32, s->first, s->last);
		return false;
	}
	if (s->last >= w->place->most) {
		broken(w, tree_bounds, s->link, "ends at pgoff %" PRIu32 ", which no arena has",
		       s->last);
		return false;
	}
	if (s->last >= w->place->limit)
		broken(w, tree_bounds, s->link, "ends at pgoff %" PRIu32 ", and the arena has %"
		       PRIu64 " pages", s->last, w->place->limit);
	return true;
}

static void keep(struct walk *w, struct known_node **list, size_t *n, size_t *room,
		 const struct step *s)
{
	if (!array_grow(list, room, *n, sizeof(**list), w->why)) {
		w->failed = true;
		return;
	}
	(*list)[(*n)++] = (struct known_node){ node_of(w, s->link), s->first, s->last };
}

static void visit_by_start(struct walk *w, const struct step *s)
{
	if (w->visited > 1 && !w->gap && s->first < w->before) {
		broken(w, tree_overlap, s->link, "begins at pgoff %" PRIu32
		       ", before the one before it ends", s->first);
		w->order_broken = true;
	} else if (w->visited > 1 && !w->gap && s->first == w->before) {
		broken(w, tree_adjacent, s->link, "begins at pgoff %" PRIu32
		       ", where the one before it ends", s->first);
	} else if (s->first < w->before) {
		broken(w, tree_order, s->link, "is before one that it follows");
		w->order_broken = true;
	}
	if (w->gap && s->first > w->before &&
	    !ranges_add(&w->hidden, w->before, s->first - 1, w->why))
		w->failed = true;
	w->gap = false;
	w->before = (uint64_t)s->last + 1 > w->before ? (uint64_t)s->last + 1 : w->before;
	keep(w, &w->node, &w->n, &w->room, s);
}

static int by_place(const void *a, const void *b)
{
	const struct known_node *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->va > y->va) - (x->va < y->va);
}

/* Of it_root the nodes are known, and sorted: is this one of them? */
static void visit_by_size(struct walk *w, const struct step *s)
{
	struct known_node want = { node_of(w, s->link), s->first, s->last }, *found;
	uint64_t size = (uint64_t)s->last - s->first + 1;

	if (w->visited > 1 && !w->gap && size > w->before)
		broken(w, tree_order, s->link, "has %" PRIu64 " pages and follows one of %" PRIu64,
		       size, w->before);
	w->gap = false;
	w->before = size;
	found = w->n ? bsearch(&want, w->node, w->n, sizeof(want), by_place) : NULL;
	if (found)
		w->seen[(found - w->node) / 8] |= (uint8_t)(1u << (found - w->node) % 8);
	else
		keep(w, &w->other, &w->others, &w->other_room, s);
}

static void visit(struct walk *w, const struct step *s)
{
	if (w->visited++ % PROGRESS_NODES == 0 &&
	    !memory_progress(w->k->mem, "reading free ranges", w->visited, 0, w->why)) {
		w->failed = true;
		return;
	}
	/* so many that some must be wrong: a forged tree may be as large as memory */
	if (w->visited > w->place->most / 2 + 1) {
		broken(w, tree_limit, s->link, "is one more than there can be");
		skip(w);
		w->depth = -1;
		return;
	}
	if (!w->first_seen && !w->skipped)
		w->first_seen = s->link;
	if (!is_believable(w, s)) {
		skip(w);
		return;
	}
	if (w->which == BY_START)
		visit_by_start(w, s);
	else
		visit_by_size(w, s);
}

/* A subtree is done: hand on to its parent what it was like. */
static void take_child(struct walk *w, struct step *s, bool unsure, unsigned height,
		       uint32_t most)
{
	s->unsure |= unsure;
	if (most > s->most)
		s->most = most;
	if (!s->left_seen) {
		s->left_seen = true;
		s->height = height;
	} else if (!s->unsure && height != s->height) {
		broken(w, tree_height, s->link, "has %u black nodes on its left and %u on its right",
		       s->height, height);
	}
}

static void leave(struct walk *w)
{
	struct step s = w->step[w->depth--];

	if (w->which == BY_START && !s.unsure && s.subtree_last != s.most)
		broken(w, tree_subtree_last, s.link, "says that pgoff %" PRIu32
		       " is the last below it, which is %" PRIu32, s.subtree_last, s.most);
	if (w->depth >= 0)
		take_child(w, &w->step[w->depth], s.unsure, s.height + s.black, s.most);
}

/* One more step down on that side; where nothing is there, that is a subtree, too. */
static void descend(struct walk *w, uint64_t link)
{
	struct step *s = &w->step[w->depth];
	int depth = w->depth;

	enter(w, link);
	if (w->depth == depth)
		take_child(w, s, s->unsure, 0, 0);
}

static void walk_on(struct walk *w)
{
	struct step *s = &w->step[w->depth];

	switch (s->next) {
	case GO_LEFT:
		s->next = GO_RIGHT;
		descend(w, s->left);
		break;
	case GO_RIGHT:
		s->next = GO_UP;
		visit(w, s);
		if (w->depth >= 0 && !w->failed)
			descend(w, s->right);
		break;
	case GO_UP:
		leave(w);
		break;
	}
}

static bool read_root(struct walk *w, uint64_t at, uint64_t *root)
{
	const struct kernel *k = w->k;
	struct fault why;

	if (kernel_read_u64(k, at + k->members.offset[MEMBER_rb_root_cached_rb_root] +
			    k->members.offset[MEMBER_rb_root_rb_node], root, &why) &&
	    kernel_member_u64(k, at, MEMBER_rb_root_cached_rb_leftmost, &w->leftmost, &why))
		return true;
	fault_prefix(&why, "%s: ", tree_name[w->which]);
	evidence_add_fault(w->evidence, &why);
	skip(w);
	return false;
}

static bool walk_tree(struct walk *w, enum which which, enum member root_member)
{
	uint64_t root;

	w->which = which;
	w->depth = -1;
	w->visited = w->before = w->first_seen = w->leftmost = 0;
	w->skipped = w->gap = false;
	if (!read_root(w, w->place->va + w->k->members.offset[root_member], &root))
		return true;
	enter(w, root);
	while (w->depth >= 0 && !w->failed)
		walk_on(w);
	if (w->failed)
		return false;
	if ((w->first_seen || !w->skipped) && w->leftmost != w->first_seen)
		evidence_add(w->evidence, EVIDENCE_tree_leftmost, w->place->va,
			     "%s: rb_leftmost is 0x%" PRIx64 ", and the first node is at 0x%" PRIx64,
			     tree_name[which], w->leftmost, w->first_seen);
	return true;
}

/* Both. */

static bool finish_by_start(struct walk *w)
{
	if (w->gap && w->before < w->place->limit &&
	    !ranges_add(&w->hidden, w->before, w->place->limit - 1, w->why))
		return false;
	if (w->order_broken)
		qsort(w->node, w->n, sizeof(*w->node), by_place);
	w->seen = calloc(w->n / 8 + 1, 1);
	return w->seen || fault_set(w->why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
}

static void compare(struct walk *w, bool all_by_start)
{
	for (size_t i = 0; !w->skipped && i < w->n; i++)
		if (!(w->seen[i / 8] & 1u << i % 8))
			evidence_add(w->evidence, EVIDENCE_tree_nodes, w->node[i].va,
				     "node 0x%" PRIx64 ", pgoff %" PRIu32 " to %" PRIu32
				     ", is not among the free ranges by size", w->node[i].va,
				     w->node[i].first, w->node[i].last);
	for (size_t i = 0; all_by_start && i < w->others; i++)
		evidence_add(w->evidence, EVIDENCE_tree_nodes, w->other[i].va,
			     "node 0x%" PRIx64 ", pgoff %" PRIu32 " to %" PRIu32
			     ", is not among the free ranges by start", w->other[i].va,
			     w->other[i].first, w->other[i].last);
}

/* [@first, @last] but what of it is free. */
static bool add_unknown(struct range_tree *t, const struct page_range *r, struct fault *why)
{
	uint64_t at = r->first, end;
	size_t i = 0;

	while (at <= r->last) {
		bool is_free = ranges_has(&t->free, &i, at, &end);

		end = end < r->last ? end : r->last;
		if (!is_free && !ranges_add(&t->unknown, at, end, why))
			return false;
		at = end + 1;
	}
	return true;
}

/* Where one tree does not lead to a node, the other does. */
static bool collect(struct walk *w, struct range_tree *t)
{
	for (size_t i = 0; i < w->n; i++)
		if (!ranges_add(&t->free, w->node[i].first, w->node[i].last, w->why))
			return false;
	for (size_t i = 0; i < w->others; i++)
		if (!ranges_add(&t->free, w->other[i].first, w->other[i].last, w->why))
			return false;
	ranges_normalize(&t->free);
	t->nodes = w->n + w->others;
	for (size_t i = 0; w->skipped && i < w->hidden.n; i++)
		if (!add_unknown(t, &w->hidden.range[i], w->why))
			return false;
	return true;
}

static bool read_trees(struct walk *w, struct range_tree *t)
{
	bool all_by_start;

	if (!range_tree_known(w->k, w->why) || !open_layout(w) ||
	    !walk_tree(w, BY_START, MEMBER_range_tree_it_root) || !finish_by_start(w))
		return false;
	all_by_start = !w->skipped;
	if (!walk_tree(w, BY_SIZE, MEMBER_range_tree_range_size_root))
		return false;
	compare(w, all_by_start);
	return collect(w, t);
}

bool range_tree_read(const struct kernel *k, const struct range_tree_place *place,
		     struct range_tree *t, struct evidence_list *evidence, struct fault *why)
{
	struct walk w = { .k = k, .place = place, .evidence = evidence, .why = why };
	bool ok = read_trees(&w, t);

	free(w.node);
	free(w.other);
	free(w.seen);
	ranges_free(&w.hidden);
	return ok;
}

void range_tree_free(struct range_tree *t)
{
	ranges_free(&t->free);
	ranges_free(&t->unknown);
}
