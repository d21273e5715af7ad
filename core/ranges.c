// SPDX-License-Identifier: GPL-2.0-or-later
#include "ranges.h"

#include <stdlib.h>

#include "array.h"

bool ranges_add(struct page_ranges *list, uint64_t first, uint64_t last, struct fault *why)
{
	struct page_range *r = list->n ? &list->range[list->n - 1] : NULL;

	if (r && (uint64_t)r->last + 1 == first) {
		r->last = (uint32_t)last;
		return true;
	}
	if (!array_grow(&list->range, &list->room, list->n, sizeof(*list->range), why))
		return false;
	list->range[list->n++] = (struct page_range){ (uint32_t)first, (uint32_t)last };
	return true;
}

static int by_first(const void *a, const void *b)
{
	const struct page_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

void ranges_normalize(struct page_ranges *list)
{
	size_t n = 0;

	/* they mostly are, and sorting takes memory */
	for (size_t i = 1; i < list->n; i++)
		if (list->range[i].first < list->range[i - 1].first) {
			qsort(list->range, list->n, sizeof(*list->range), by_first);
			break;
		}
	for (size_t i = 0; i < list->n; i++) {
		struct page_range *r = &list->range[i], *last = n ? &list->range[n - 1] : NULL;

		if (!last || r->first > (uint64_t)last->last + 1)
			list->range[n++] = *r;
		else if (r->last > last->last)
			last->last = r->last;
	}
	list->n = n;
}

void ranges_free(struct page_ranges *list)
{
	free(list->range);
	*list = (struct page_ranges){ 0 };
}

uint64_t ranges_pages(const struct page_ranges *list)
{
	uint64_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += range_pages(&list->range[i]);
	return n;
}

bool ranges_has(const struct page_ranges *list, size_t *i, uint64_t pgoff, uint64_t *end)
{
	while (*i < list->n && list->range[*i].last < pgoff)
		++*i;
	*end = UINT32_MAX;
	if (*i == list->n)
		return false;
	if (pgoff < list->range[*i].first) {
		*end = list->range[*i].first - 1;
		return false;
	}
	*end = list->range[*i].last;
	return true;
}
