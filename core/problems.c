// SPDX-License-Identifier: GPL-2.0-or-later
#include "problems.h"

#include <stdlib.h>

static struct problem *add(struct problems *list, const struct fault *why)
{
	struct problem *p;

	if (list->n == PROBLEMS_MAX) {
		fault_fill(&list->problem[list->n - 1].why, FAULT_LIMIT, SPACE_NONE, 0,
			   "more than %d errors; only the first ones are listed", PROBLEMS_MAX);
		list->problem[list->n - 1].has_arena = false;
		list->problem[list->n - 1].map = 0;
		return NULL;
	}
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 8;

		p = realloc(list->problem, room * sizeof(*p));
		if (!p)
			return NULL;
		list->problem = p;
		list->room = room;
	}
	p = &list->problem[list->n++];
	*p = (struct problem){ .why = *why };
	return p;
}

void problems_add(struct problems *list, const struct fault *why)
{
	add(list, why);
}

void problems_add_map(struct problems *list, const struct fault *why, uint32_t id, uint64_t map)
{
	struct problem *p = add(list, why);

	if (!p)
		return;
	p->has_arena = true;
	p->arena = id;
	p->map = map;
}

void problems_free(struct problems *list)
{
	free(list->problem);
	*list = (struct problems){ 0 };
}
