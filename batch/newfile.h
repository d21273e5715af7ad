/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One output file that the user names: made under a temporary name in its folder, renamed at
 * the end. Never replaces anything.
 */
#ifndef ARENA_NEWFILE_H
#define ARENA_NEWFILE_H

#include <limits.h>
#include <stdbool.h>

#include "../core/fault.h"

struct newfile {
	int dir;			/* folder; -1: none */
	int fd;				/* the file, for writing */
	const char *name;		/* in @dir; borrowed */
	bool named;			/* it has its name */
	char temporary[NAME_MAX + 1];
};

/**
 * Begin the file @path, which must not exist. Returns 0, or the exit status of a refusal: 2
 * something is there, 3 the system forbids it. @why has the sentence.
 */
int newfile_open(struct newfile *file, const char *path, struct fault *why);

/** Give it its name. False: @why, and it is removed. */
bool newfile_commit(struct newfile *file, struct fault *why);

/** Remove it, by whichever name. Nothing happens to one that was closed, or is {.dir = -1}. */
void newfile_abort(struct newfile *file);
/** Keep it as it is. */
void newfile_close(struct newfile *file);

#endif
