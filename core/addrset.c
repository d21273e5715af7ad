// SPDX-License-Identifier: GPL-2.0-or-later
#include "addrset.h"

#include <stdbool.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64 };	/* slots; a power of two, at most half of them used */

/* The slot of @addr, or the empty one where it belongs. */
static uint64_t *find(const struct addrset *set, uint64_t addr)
{
	uint64_t hash = addr * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 20) & (set->room - 1);

	while (set->slot[i] && set->slot[i] != addr)
		i = (i + 1) & (set->room - 1);
	return &set->slot[i];
}

static bool grow(struct addrset *set)
{
	struct addrset bigger = { .n = set->n, .room = set->room ? 2 * set->room : FIRST_ROOM };

	bigger.slot = calloc(bigger.room, sizeof(*bigger.slot));
	if (!bigger.slot)
		return false;
	for (size_t i = 0; i < set->room; i++)
		if (set->slot[i])
			*find(&bigger, set->slot[i]) = set->slot[i];
	free(set->slot);
	*set = bigger;
	return true;
}

enum addrset_answer addrset_add(struct addrset *set, uint64_t addr, size_t limit)
{
	uint64_t *slot;

	if (2 * set->n >= set->room && !grow(set))
		return ADDRSET_NOMEM;
	slot = find(set, addr);
	if (*slot)
		return ADDRSET_KNOWN;
	if (set->n >= limit)
		return ADDRSET_FULL;
	*slot = addr;
	set->n++;
	return ADDRSET_NEW;
}

void addrset_free(struct addrset *set)
{
	free(set->slot);
	*set = (struct addrset){ 0 };
}
