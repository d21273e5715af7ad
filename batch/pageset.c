// SPDX-License-Identifier: GPL-2.0-or-later
#include "pageset.h"

#include <stdlib.h>

enum { PAGE = 4096, RUN_PAGES = 4096 };

static uint64_t run_start(uint64_t run)
{
	return run & ~(uint64_t)(PAGE - 1);
}

/* Behind its last page. */
static uint64_t run_end(uint64_t run)
{
	return run_start(run) + ((run & (PAGE - 1)) + 1) * PAGE;
}

static int by_start(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Write [@start, @end) to place *@n on, in as many runs as it takes. */
static void put_runs(struct pageset *set, size_t *n, uint64_t start, uint64_t end)
{
	while (start < end) {
		uint64_t pages = (end - start) / PAGE;

		if (pages > RUN_PAGES)
			pages = RUN_PAGES;
		set->run[(*n)++] = start | (pages - 1);
		start += pages * PAGE;
	}
}

/* What is joined never takes more runs than it was, so it is done in place. */
void pageset_sort(struct pageset *set)
{
	uint64_t start, end;
	size_t n = 0;

	if (!set->n)
		return;
	qsort(set->run, set->n, sizeof(*set->run), by_start);
	start = run_start(set->run[0]);
	end = run_end(set->run[0]);
	for (size_t i = 1; i < set->n; i++) {
		uint64_t run = set->run[i];

		if (run_start(run) > end) {
			put_runs(set, &n, start, end);
			start = run_start(run);
			end = start;
		}
		if (run_end(run) > end)
			end = run_end(run);
	}
	put_runs(set, &n, start, end);
	set->n = n;
}

/* Room for one more: by joining what is there, or by more memory. */
static bool make_room(struct pageset *set)
{
	size_t room = set->room ? set->room + set->room / 2 : 1024;
	void *p;

	pageset_sort(set);
	if (set->n < set->room / 2)
		return true;
	p = realloc(set->run, room * sizeof(*set->run));
	if (!p)
		return false;
	set->run = p;
	set->room = room;
	return true;
}

bool pageset_add(struct pageset *set, uint64_t phys)
{
	uint64_t page = run_start(phys);
	uint64_t *recent = &set->recent[page / PAGE % PAGESET_RECENT];
	uint64_t *last = set->n ? &set->run[set->n - 1] : NULL;

	if (*recent == page + 1)
		return true;
	*recent = page + 1;
	if (last && run_end(*last) == page && (*last & (PAGE - 1)) < RUN_PAGES - 1) {
		++*last;
		return true;
	}
	if (set->n == set->room && !make_room(set))
		return false;
	set->run[set->n++] = page;
	return true;
}

void pageset_free(struct pageset *set)
{
	free(set->run);
	*set = (struct pageset){ 0 };
}

bool pageset_next(const struct pageset *set, struct pageset_cursor *at, uint64_t page_size,
		  uint64_t *phys)
{
	for (; at->run < set->n; at->run++) {
		uint64_t run = set->run[at->run], start = run_start(run);

		if (run_end(run) <= at->next)
			continue;
		if (start < at->next)
			start = at->next;
		*phys = start & ~(page_size - 1);
		at->next = *phys + page_size;
		return true;
	}
	return false;
}
