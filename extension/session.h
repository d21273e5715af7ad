/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept between commands: the kernel of the session's dump, opened once.
 */
#ifndef ARENA_SESSION_H
#define ARENA_SESSION_H

#include "../core/kernel.h"

/**
 * The kernel, borrowed until session_close(), or NULL with @why. Opened at the first call and
 * when crash's dump is another; each time on a live system.
 */
const struct kernel *session_kernel(struct fault *why);

/** A sentence about crash's vmlinux that the user has not been told yet, or NULL. */
const char *session_warning(void);

/** Forget the kernel: it may be half opened, or half read. */
void session_close(void);

#endif
