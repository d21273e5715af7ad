/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arrays that grow.
 */
#ifndef ARENA_ARRAY_H
#define ARENA_ARRAY_H

#include "fault.h"

/**
 * Make room in the malloc()ed array at *@array for one more than @n elements of @size bytes;
 * *@room is how many it can have, a power of 2. False: out of memory (@why), and the array is as it was.
 */
bool array_grow(void *array, size_t *room, size_t n, size_t size, struct fault *why);

#endif
