/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of -o. Files are made in it under temporary names and get their own at the end, all
 * or none; nothing is ever replaced. Libc alone: extension/ uses it, too.
 */
#ifndef ARENA_FOLDER_H
#define ARENA_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "../core/fault.h"

enum { FOLDER_NAME = 64 };

/* A file: made under a temporary name, renamed at the end. */
struct folder_file {
	char name[FOLDER_NAME];
};

struct folder {
	const char *path;		/* borrowed */
	int dir;			/* -1: none */
	bool made;			/* we made the folder */
	struct folder_file *file;
	size_t n, room;
};

/**
 * Make @path, or take it if it is an empty folder. Returns 0, or the exit status of a refusal:
 * 2 something is there, 3 the system forbids it. @why has the sentence.
 */
int folder_open(struct folder *folder, const char *path, struct fault *why);

/** The new file @name, open for writing, or -1 (errno). The caller closes it. */
int folder_create(struct folder *folder, const char *name);

/** Give all files their names, without ever replacing one. False: @why; nothing is left. */
bool folder_commit(struct folder *folder, struct fault *why);
/** Remove all that was made. Does nothing after a commit. */
void folder_abort(struct folder *folder);

#endif
