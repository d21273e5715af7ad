/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of -o. The parent alone makes, names and removes files in it; the worker asks for
 * each by name over a socket and gets it open for writing.
 */
#ifndef ARENA_OUTPUT_H
#define ARENA_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "../core/fault.h"

enum { OUTPUT_NAME = 64 };

/* A file: made under a temporary name, renamed at the end. */
struct output_file {
	char name[OUTPUT_NAME];
};

struct output {
	const char *path;
	int dir;			/* -1: none */
	bool made;			/* we made the folder */
	struct output_file *file;
	size_t n, room;
};

/**
 * Make @path, or take it if it is an empty folder. Returns 0, or the exit status of a refusal:
 * 2 something is there, 3 the system forbids it. @why has the sentence.
 */
int output_open(struct output *out, const char *path, struct fault *why);

/** Answer one request on @socket. False: the other side has closed it. */
bool output_serve(struct output *out, int socket);

/** Give all files their names, without ever replacing one. False: @why; nothing is left. */
bool output_commit(struct output *out, struct fault *why);
/** Remove all that was made. Does nothing after a commit. */
void output_abort(struct output *out);

/** In the worker: the file @name of the folder, open for writing, or -1. */
int output_request(int socket, const char *name);

#endif
