// SPDX-License-Identifier: GPL-2.0-or-later
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct checker {
	const struct kernel *k;
	const struct arena_snapshot *a;
	struct check *c;
	uint64_t hole;		/* free pages in a row, so far */
	struct fault *why;
};

const char *check_verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_CONSISTENT] = "consistent", [VERDICT_IN_FLIGHT] = "in_flight",
		[VERDICT_DAMAGED] = "damaged", [VERDICT_UNKNOWN] = "unknown",
	};

	return names[verdict];
}

const char *check_page_name(enum check_page page)
{
	static const char *const names[] = {
		[CHECK_NONE] = "none", [CHECK_PAGE] = "page", [CHECK_SCRATCH] = "scratch",
	};

	return names[page];
}

void check_free(struct check *c)
{
	allocator_free(&c->allocator);
	ranges_free(&c->reserved);
	ranges_free(&c->orphans);
	ranges_free(&c->lost);
}

/* Runs. */

struct runner {
	const struct arena_snapshot *a;
	const struct check *c;
	struct allocator_cursor at;
	size_t page, lost;
};

/* What the tables have at @pgoff, and up to where. */
static enum check_page page_at(struct runner *r, uint64_t pgoff, uint64_t *end)
{
	const struct arena_snapshot *a = r->a;
	bool lost = ranges_has(&r->c->lost, &r->lost, pgoff, end);
	uint64_t there;

	while (r->page < a->n_pages && arena_page_pgoff(a, &a->pages[r->page], &there)) {
		if (there > pgoff) {
			*end = there - 1 < *end ? there - 1 : *end;
			break;
		}
		if (there == pgoff) {
			*end = pgoff;
			return a->pages[r->page].kind == KIND_SCRATCH ? CHECK_SCRATCH : CHECK_PAGE;
		}
		r->page++;
	}
	return lost ? CHECK_LOST : CHECK_NONE;
}

/* Beyond what is declared there is mostly nothing to say. */
static bool is_worth(const struct runner *r, const struct check_run *run)
{
	const struct allocator *al = &r->c->allocator;

	return run->pgoff < al->pages || run->page == CHECK_PAGE || run->page == CHECK_SCRATCH ||
	       (al->kind == ALLOCATOR_RANGE && run->alloc == ALLOC_FREE) ||
	       (al->kind == ALLOCATOR_MAPLE && run->alloc == ALLOC_ALLOCATED);
}

bool check_runs(const struct arena_snapshot *a, const struct check *c,
		bool (*visit)(void *ctx, const struct check_run *run), void *ctx)
{
	struct runner r = { .a = a, .c = c };
	struct check_run run = { 0 };
	uint64_t most = ARENA_WINDOW / a->page_size;

	for (uint64_t pgoff = 0, end, until; pgoff < most; pgoff = end + 1) {
		struct check_run next = { .pgoff = pgoff };

		next.alloc = allocator_at(&c->allocator, &r.at, pgoff, &end);
		next.page = page_at(&r, pgoff, &until);
		end = until < end ? until : end;
		end = end < most ? end : most - 1;
		next.n = end - pgoff + 1;
		if (!is_worth(&r, &next))
			continue;
		if (run.n && run.pgoff + run.n == pgoff && run.alloc == next.alloc &&
		    run.page == next.page &&
		    (pgoff != c->allocator.pages)) {
			run.n += next.n;
			continue;
		}
		if (run.n && !visit(ctx, &run))
			return false;
		run = next;
	}
	return !run.n || visit(ctx, &run);
}

/* Counting. */

static bool take_reserved(struct checker *ch, const struct check_run *run)
{
	struct check *c = ch->c;

	c->reserved_pages += run->n;
	if (run->page == CHECK_SCRATCH)
		c->scratch_pages += run->n;
	return ranges_add(&c->reserved, run->pgoff, run->pgoff + run->n - 1, ch->why);
}

static bool take_orphan(struct checker *ch, const struct check_run *run)
{
	struct check *c = ch->c;

	c->orphan_pages += run->n;
	return ranges_add(&c->orphans, run->pgoff, run->pgoff + run->n - 1, ch->why);
}

static void count_declared(struct checker *ch, const struct check_run *run)
{
	struct check *c = ch->c;

	if (run->alloc == ALLOC_FREE) {
		c->free += run->n;
		ch->hole += run->n;
		if (ch->hole > c->largest_hole)
			c->largest_hole = ch->hole;
		return;
	}
	ch->hole = 0;
	if (run->alloc == ALLOC_ALLOCATED)
		c->allocated += run->n;
	else
		c->counted = false;
}

static bool count_run(void *ctx, const struct check_run *run)
{
	struct checker *ch = ctx;

	if (run->pgoff < ch->c->allocator.pages)
		count_declared(ch, run);
	if (run->alloc == ALLOC_FREE && run->page == CHECK_PAGE)
		return take_orphan(ch, run);
	if (run->alloc == ALLOC_ALLOCATED &&
	    (run->page == CHECK_NONE || run->page == CHECK_SCRATCH))
		return take_reserved(ch, run);
	return true;
}

/* Page tables that are not there. */
static bool collect_lost(struct checker *ch)
{
	const struct arena_snapshot *a = ch->a;
	uint64_t n = 0;

	for (size_t i = 0; i < a->n_lost; i++) {
		const struct arena_lost *l = &a->lost[i];

		n += l->n;
		if (l->has_pgoff && l->n &&
		    !ranges_add(&ch->c->lost, l->pgoff, l->pgoff + l->n - 1, ch->why))
			return false;
	}
	ranges_normalize(&ch->c->lost);
	if (a->n_lost)
		evidence_add(&ch->c->evidence, EVIDENCE_pages_lost, 0,
			     "whether %" PRIu64 " pages are mapped is not known", n);
	return true;
}

/* Evidence. */

static void span_text(const struct page_range *r, char text[48])
{
	if (r->first == r->last)
		snprintf(text, 48, "pgoff %" PRIu32, r->first);
	else
		snprintf(text, 48, "pgoff %" PRIu32 " to %" PRIu32, r->first, r->last);
}

static void judge_orphans(struct checker *ch)
{
	const struct page_ranges *orphans = &ch->c->orphans;
	char text[48];

	for (size_t i = 0; i < orphans->n; i++) {
		span_text(&orphans->range[i], text);
		evidence_add(&ch->c->evidence, EVIDENCE_orphan, 0,
			     "%s: mapped, but free for the allocator", text);
	}
}

/* Without a page, and nothing in flight. Before 6.13 no program could reserve: it was lost. */
static void judge_reserved(struct checker *ch)
{
	struct check *c = ch->c;
	char text[48];

	if (c->allocator.kind != ALLOCATOR_MAPLE || c->allocator.moving)
		return;
	for (size_t i = 0; i < c->reserved.n; i++) {
		span_text(&c->reserved.range[i], text);
		evidence_add(&c->evidence, EVIDENCE_lost_range, 0, "%s: allocated without a page, "
			     "and this kernel cannot reserve: lost when memory ran out", text);
	}
}

/* Where a page is held and none is there, the kernel has put its scratch page on access. */
static bool judge_scratch(void *ctx, const struct check_run *run)
{
	struct checker *ch = ctx;
	struct page_range r = { (uint32_t)run->pgoff, (uint32_t)(run->pgoff + run->n - 1) };
	char text[48];

	if (run->page != CHECK_SCRATCH || run->alloc != ALLOC_ALLOCATED)
		return true;
	span_text(&r, text);
	evidence_add(&ch->c->evidence, EVIDENCE_scratch_allocated, 0,
		     "%s: scratch page in a range that is held without pages: an access out of "
		     "bounds", text);
	return true;
}

static void judge_untracked(struct checker *ch)
{
	const struct arena_snapshot *a = ch->a;
	uint64_t pgoff, n = 0;

	if (ch->c->allocator.kind != ALLOCATOR_RANGE)
		return;
	for (size_t i = 0; i < a->n_pages; i++)
		n += a->pages[i].kind != KIND_SCRATCH && arena_page_pgoff(a, &a->pages[i], &pgoff) &&
		     pgoff >= a->declared_pages;
	if (n)
		evidence_add(&ch->c->evidence, EVIDENCE_untracked, 0,
			     "%" PRIu64 " page%s beyond what is declared, which the allocator does not "
			     "list", n, n == 1 ? "" : "s");
}

static int by_frame(const void *a, const void *b)
{
	const struct arena_page *x = *(const struct arena_page *const *)a;
	const struct arena_page *y = *(const struct arena_page *const *)b;

	if (x->phys != y->phys)
		return x->phys < y->phys ? -1 : 1;
	return (x > y) - (x < y);
}

static void say_shared(struct checker *ch, const struct arena_page *p, const struct arena_page *q)
{
	uint64_t first = arena_page_kernel(ch->a, p), second = arena_page_kernel(ch->a, q);
	uint64_t x, y;

	if (arena_page_pgoff(ch->a, p, &x) && arena_page_pgoff(ch->a, q, &y))
		evidence_add(&ch->c->evidence, EVIDENCE_shared_frame, p->phys,
			     "the page at physical 0x%" PRIx64 " is mapped twice: pgoff %" PRIu64
			     " and %" PRIu64, p->phys, x, y);
	else
		evidence_add(&ch->c->evidence, EVIDENCE_shared_frame, p->phys,
			     "the page at physical 0x%" PRIx64 " is mapped twice: at 0x%" PRIx64
			     " and 0x%" PRIx64, p->phys, first, second);
}

/* No frame but the scratch page is ever at two places. */
static bool judge_frames(struct checker *ch)
{
	const struct arena_snapshot *a = ch->a;
	const struct arena_page **order;
	size_t n = 0;

	if (a->n_pages < 2)
		return true;
	order = malloc(a->n_pages * sizeof(const struct arena_page *));
	if (!order)
		return fault_set(ch->why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (size_t i = 0; i < a->n_pages; i++)
		if (a->pages[i].kind != KIND_SCRATCH)
			order[n++] = &a->pages[i];
	qsort(order, n, sizeof(const struct arena_page *), by_frame);
	for (size_t i = 1; i < n; i++)
		if (order[i]->phys == order[i - 1]->phys)
			say_shared(ch, order[i - 1], order[i]);
	free(order);
	return true;
}

/* kernel/bpf/arena.c:apply_range_set_cb() and apply_range_clear_cb() count what they map. */
static void judge_counter(struct checker *ch)
{
	const struct arena_snapshot *a = ch->a;
	const struct allocator *al = &ch->c->allocator;
	uint64_t pgoff, n = 0;

	if (!al->has_nr_pages || a->truncated || !a->scratch_known)
		return;
	for (size_t i = 0; i < a->n_pages; i++)
		n += a->pages[i].kind != KIND_SCRATCH && arena_page_pgoff(a, &a->pages[i], &pgoff);
	if (n != al->nr_pages)
		evidence_add(&ch->c->evidence, EVIDENCE_nr_pages, 0, "nr_pages is %" PRIu64
			     ", and %" PRIu64 " pages are mapped", al->nr_pages, n);
}

/*
 * What is wrong while the arena was being changed may be right a moment later. Where it is not
 * known whether it was, nothing is called damaged for it.
 */
static enum verdict judge(const struct check *c)
{
	const uint64_t *weight = c->evidence.weight;
	bool excused = c->allocator.moving || !c->allocator.moving_known;

	if (weight[WEIGHT_DAMAGE] && !c->evidence.count[EVIDENCE_live_system] &&
	    !c->evidence.count[EVIDENCE_being_freed])
		return VERDICT_DAMAGED;
	if (weight[WEIGHT_DOUBT] && !excused)
		return VERDICT_DAMAGED;
	if (weight[WEIGHT_UNKNOWN] ||
	    (weight[WEIGHT_DOUBT] + weight[WEIGHT_DAMAGE] && !c->allocator.moving))
		return VERDICT_UNKNOWN;
	return c->allocator.moving ? VERDICT_IN_FLIGHT : VERDICT_CONSISTENT;
}

bool check_arena(const struct kernel *k, const struct arena_snapshot *a, struct check *c,
		 struct fault *why)
{
	struct checker ch = { .k = k, .a = a, .c = c, .why = why };

	*c = (struct check){ .counted = true };
	if (a->no_struct) {
		c->counted = false;
		evidence_add(&c->evidence, EVIDENCE_struct_lost, 0,
			     "its struct is lost, and its allocator with it");
	} else if (!allocator_read(k, a, &c->allocator, &c->evidence, why)) {
		return false;
	}
	if (!collect_lost(&ch) || !check_runs(a, c, count_run, &ch) || !judge_frames(&ch))
		return false;
	judge_orphans(&ch);
	judge_reserved(&ch);
	check_runs(a, c, judge_scratch, &ch);
	judge_untracked(&ch);
	judge_counter(&ch);
	c->verdict = judge(c);
	return true;
}

bool check_unknown(const struct arena_snapshot *a, const struct check *c, struct fault *why)
{
	const struct evidence *first = NULL;
	uint64_t n = c->evidence.weight[WEIGHT_UNKNOWN] -
		     c->evidence.count[EVIDENCE_pages_lost] -
		     c->evidence.count[EVIDENCE_struct_lost];
	char label[ARENA_LABEL];

	/* those have errors of their own */
	for (size_t i = 0; i < c->evidence.n && !first; i++)
		if (evidence_weight(c->evidence.item[i].code) == WEIGHT_UNKNOWN &&
		    c->evidence.item[i].code != EVIDENCE_pages_lost &&
		    c->evidence.item[i].code != EVIDENCE_struct_lost)
			first = &c->evidence.item[i];
	if (!first)
		return false;
	arena_label(a, label);
	fault_fill(why, first->code == EVIDENCE_unknown_type ? FAULT_UNKNOWN_TYPE : first->kind,
		   first->space, first->addr, "%s: not all of its allocator is known: %s", label,
		   first->text);
	if (n > 1)
		fault_add(why, " (and %" PRIu64 " more)", n - 1);
	return true;
}
