/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sched_ext scheduler, as text and as JSON.
 */
#ifndef ARENA_RENDER_SCHEDULER_H
#define ARENA_RENDER_SCHEDULER_H

#include "scheduler.h"
#include "sink.h"

/** Lines above the users of arenas; nothing where the kernel has no sched_ext. */
bool scheduler_table(struct sink *out, const struct kernel *k, const struct schedulers *s);

/** ',"scheduler":' and an object, or null where @s is NULL or the kernel has no sched_ext. */
bool scheduler_json(struct sink *out, const struct kernel *k, const struct schedulers *s);

#endif
