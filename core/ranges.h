/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of page offsets.
 */
#ifndef ARENA_RANGES_H
#define ARENA_RANGES_H

#include "fault.h"

/** Inclusive. No arena has more than 2^32 pages. */
struct page_range {
	uint32_t first, last;
};

/** Plain struct, { 0 } is empty. Free with ranges_free(). */
struct page_ranges {
	struct page_range *range;
	size_t n, room;
};

/** Append [@first, @last]; joined to the last one where it adjoins. False: out of memory. */
bool ranges_add(struct page_ranges *list, uint64_t first, uint64_t last, struct fault *why);
/** Sort, and make one of those that overlap or adjoin. */
void ranges_normalize(struct page_ranges *list);
void ranges_free(struct page_ranges *list);

/** Pages of @r. */
static inline uint64_t range_pages(const struct page_range *r)
{
	return (uint64_t)r->last - r->first + 1;
}
uint64_t ranges_pages(const struct page_ranges *list);

/**
 * Is @pgoff in a range of the sorted @list? *@i is where to look first, and where it was found:
 * for ascending questions it begins with 0 and is kept. *@end: the last pgoff for which the
 * answer is the same.
 */
bool ranges_has(const struct page_ranges *list, size_t *i, uint64_t pgoff, uint64_t *end);

#endif
