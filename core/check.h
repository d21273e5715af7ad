/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page tables of an arena held against its allocator.
 */
#ifndef ARENA_CHECK_H
#define ARENA_CHECK_H

#include "allocator.h"

enum verdict {
	VERDICT_CONSISTENT,
	VERDICT_IN_FLIGHT,	/* a lock was held or a free was pending: what is odd may be due to that */
	VERDICT_DAMAGED,	/* something is wrong that no change on its way explains */
	VERDICT_UNKNOWN,	/* not all could be read, and what could is not wrong */
};

/** What the page tables have at a pgoff. */
enum check_page { CHECK_NONE, CHECK_PAGE, CHECK_SCRATCH, CHECK_LOST };

/** Pages in a row of which all is the same. */
struct check_run {
	uint64_t pgoff, n;
	enum alloc alloc;
	enum check_page page;
};

/** Counts are of the declared pages but for @orphan_pages. */
struct check {
	struct allocator allocator;
	struct evidence_list evidence;
	enum verdict verdict;
	bool counted;			/* of each declared page alloc is known: the counts are */
	uint64_t allocated, free;
	uint64_t largest_hole;		/* pages of the largest free range */
	uint64_t reserved_pages;	/* allocated without a page, as far as tables are known */
	uint64_t scratch_pages;		/* of those: the scratch page is there */
	uint64_t orphan_pages;		/* mapped, but free */
	struct page_ranges reserved, orphans;
	struct page_ranges lost;	/* what the page tables do not say; sorted */
};

/**
 * Check @a, a snapshot with all its pages. @c is filled. What cannot be read is in its evidence.
 * False: out of memory, or interrupted (@why). Free with check_free() either way.
 *
 * Not wrong, as the kernel does them (6.9 to 7.3): ranges that are allocated without a page
 * (bpf_arena_reserve_pages, or memory ran out), pages beyond max_entries where user space mapped
 * more, scratch pages.
 */
bool check_arena(const struct kernel *k, const struct arena_snapshot *a, struct check *c,
		 struct fault *why);
void check_free(struct check *c);

/**
 * All of the declared pages in order, then what is mapped or listed beyond them. False: @visit
 * returned false.
 */
bool check_runs(const struct arena_snapshot *a, const struct check *c,
		bool (*visit)(void *ctx, const struct check_run *run), void *ctx);

/** One sentence about what could not be read, for the errors of a run. False: all could. */
bool check_unknown(const struct arena_snapshot *a, const struct check *c, struct fault *why);

/** "consistent", "in_flight", "damaged", "unknown". */
const char *check_verdict_name(enum verdict verdict);
/** "none", "page", "scratch", or NULL. */
const char *check_page_name(enum check_page page);

#endif
