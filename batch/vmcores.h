/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files of the command line are one vmcore: parts of a split dump that are given together.
 */
#ifndef ARENA_VMCORES_H
#define ARENA_VMCORES_H

#include <stdbool.h>
#include <stddef.h>

struct vmcore {
	const char *const *path;	/* its files; the first one names it */
	size_t n;
};

struct vmcores {
	struct vmcore *vmcore;		/* in the order of their first files */
	size_t n;
	const char **path;
};

/**
 * Group the @n files of @path, which stay owned by the caller. A child process looks into them: the
 * parent reads not one byte of a dump. False: out of memory.
 */
bool vmcores_group(struct vmcores *v, char *const *path, size_t n);
void vmcores_free(struct vmcores *v);

#endif
