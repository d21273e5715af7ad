// SPDX-License-Identifier: GPL-2.0-or-later
#include "problems.h"

#include <stdlib.h>

#define TEXT_OF(n) #n
#define TEXT(n) TEXT_OF(n)
#define PROBLEMS_MAX_TEXT TEXT(PROBLEMS_MAX)

static bool grow(struct problems *list)
{
	size_t room = list->room ? 2 * list->room : 8;
	struct problem *p = realloc(list->problem, room * sizeof(*p));

	if (!p)
		return false;
	list->problem = p;
	list->room = room;
	return true;
}

bool problems_reserve(struct problems *list)
{
	return list->room || grow(list);
}

/* The last one that is kept makes way for a sentence about those that are not. */
static struct problem *leave_out(struct problems *list, enum state kind, const char *sentence)
{
	if (list->n) {
		list->problem[list->n - 1] = (struct problem){ 0 };
		fault_fill(&list->problem[list->n - 1].why, kind, SPACE_NONE, 0, "%s", sentence);
	}
	return NULL;
}

static struct problem *add(struct problems *list, const struct fault *why)
{
	struct problem *p;

	if (list->n == PROBLEMS_MAX)
		return leave_out(list, FAULT_LIMIT, "more than " PROBLEMS_MAX_TEXT
				 " errors; only the first ones are listed");
	if (list->n == list->room && !grow(list))
		return leave_out(list, FAULT_NOMEM, "out of memory; not all errors are listed");
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

void problems_add_struct(struct problems *list, const struct fault *why, uint64_t map)
{
	struct problem *p = add(list, why);

	if (p)
		p->map = map;
}

void problems_free(struct problems *list)
{
	free(list->problem);
	*list = (struct problems){ 0 };
}
