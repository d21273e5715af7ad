/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All vmcores of one call: so many workers at once, answers in the order of the arguments.
 */
#ifndef ARENA_POOL_H
#define ARENA_POOL_H

#include "options.h"

/** Answer all vmcores. Returns the highest exit status. Does not return after SIGINT and its kind. */
int pool_run(const struct options *options);

#endif
