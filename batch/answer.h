/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the worker does: one dump, from its descriptor to the answer.
 */
#ifndef ARENA_ANSWER_H
#define ARENA_ANSWER_H

#include <stdint.h>

#include "options.h"
#include "source.h"

struct job {
	const struct options *options;
	const char *path;
	const struct source_file *file;	/* the vmcore, or all parts of a split one */
	size_t n_files;
	struct source_file vmlinux;	/* fd -1: none */
	struct source_file vmcoreinfo;	/* fd -1: none */
	int progress;		/* terminal for progress, or -1 */
	int socket;		/* to ask for files of -o, or -1 */
	int reduced;		/* an empty file for --reduce, or -1 */
	int bytes;		/* an empty file for -w, or -1; it stays empty if not all are there */
	int out;		/* the answer: a temporary file */
	int messages;
};

/** Answer the job. The answer and its status agree, also where output files failed. */
enum report_status answer(const struct job *job);

#endif
