/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -o DIR in crash: snapshot.json and contents, in the session's own process.
 */
#ifndef ARENA_FILES_H
#define ARENA_FILES_H

#include "../batch/folder.h"
#include "../core/contents.h"

struct files {
	struct folder folder;
	int contents;			/* the file that is being written; -1: none */
	int snapshot_fd;
	struct sink snapshot;
	struct json_renderer json;
	struct contents_renderer renderer;
};

/** Make the folder and snapshot.json; @vmcore is borrowed. False: @why; nothing was made. */
bool files_open(struct files *f, const char *dir, const char *vmcore, struct fault *why);
/** Give all files their names. False: @why, and nothing is left. */
bool files_commit(struct files *f, struct fault *why);
/** Close and remove all. Does nothing after a commit, or if it was never opened. */
void files_abort(struct files *f);

#endif
