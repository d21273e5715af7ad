/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of -o. The parent alone makes, names and removes files in it; the worker asks for
 * each by name over a socket and gets it open for writing.
 */
#ifndef ARENA_OUTPUT_H
#define ARENA_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

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
 * Make @path, or take it if it is an empty folder. False: refused; the sentence was printed.
 */
bool output_open(struct output *out, const char *path);

/** Answer requests on @socket until the other side closes it. */
void output_serve(struct output *out, int socket);

/** Give all files their names, without ever replacing one. False: printed; nothing is left. */
bool output_commit(struct output *out);
/** Remove all that was made. Does nothing after a commit. Async-signal-safe it is not. */
void output_abort(struct output *out);

/** In the worker: the file @name of the folder, open for writing, or -1. */
int output_request(int socket, const char *name);

#endif
