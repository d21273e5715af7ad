/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process for each vmcore. The parent opens files and waits; the worker parses. A dump that
 * kills its worker costs itself alone.
 */
#ifndef ARENA_WORKER_H
#define ARENA_WORKER_H

#include "options.h"

/** Answer @path, on stdout and stderr. Returns the exit status of this vmcore. */
int worker_run(const struct options *options, const char *path);

#endif
