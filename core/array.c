// SPDX-License-Identifier: GPL-2.0-or-later
#include "array.h"

#include <stdlib.h>
#include <string.h>

bool array_grow(void *array, size_t *room, size_t n, size_t size, struct fault *why)
{
	size_t more = *room ? 2 * *room : 64;
	void *old, *p;

	if (n < *room)
		return true;
	/* by bytes: the pointers to it have many types */
	memcpy(&old, array, sizeof(old));
	p = reallocarray(old, more, size);
	if (!p)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	memcpy(array, &p, sizeof(p));
	*room = more;
	return true;
}
