/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process for each vmcore. The parent opens files and waits; the worker parses. A dump that
 * kills its worker costs itself alone.
 */
#ifndef ARENA_WORKER_H
#define ARENA_WORKER_H

#include <signal.h>

#include "answer.h"
#include "newfile.h"
#include "output.h"
#include "vmcores.h"

/** What the parent holds for one vmcore. */
struct worker {
	const struct options *options;
	const struct vmcore *vmcore;
	const char *path;	/* of its first file */
	struct source_file *file;
	struct job job;
	struct folder output;
	struct newfile reduced;	/* --reduce FILE */
	struct newfile bytes;	/* -w FILE */
	int answer, messages;	/* unlinked temporary files; -1: none */
	int socket;		/* ours; its end of file is the worker's end */
	pid_t pid;		/* 0: not running */
	int status;		/* exit status of the vmcore, once it is not running */
	bool failed;		/* no answer: @why */
	struct fault why;
};

/**
 * Open the files of @vmcore, which is borrowed, and start its worker, which runs with @signals
 * as its mask. If that fails the worker has its status at once.
 */
void worker_start(struct worker *w, const struct options *options, const struct vmcore *vmcore,
		  const sigset_t *signals);

/** Its socket can be read: a request, or its end. */
void worker_event(struct worker *w);

/**
 * Pass the answer on to standard output, the messages to standard error, and free all. False:
 * standard output takes no more (errno).
 */
bool worker_finish(struct worker *w);

/** Kill it, and remove what it made. */
void worker_kill(struct worker *w);

#endif
