/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --vmcoreinfo: the text by hand, as KEY=VALUE lines (makedumpfile -g) or as the ELF note.
 */
#ifndef ARENA_VMCOREINFO_FILE_H
#define ARENA_VMCOREINFO_FILE_H

#include "../core/fault.h"

/**
 * Read it from @fd, a regular file open for reading. The text, not NUL-terminated, is the
 * caller's to free(); *@len: bytes of it. NULL with @why: it is something else.
 */
char *vmcoreinfo_file_read(int fd, size_t *len, struct fault *why);

#endif
