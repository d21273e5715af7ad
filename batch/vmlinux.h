/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vmlinux with debug symbols (or the separate file of them) as the second source of symbols
 * and types: build ID, .symtab, .BTF, and DWARF, by libelf and libdw.
 */
#ifndef ARENA_VMLINUX_H
#define ARENA_VMLINUX_H

#include "../core/debuginfo.h"

struct vmlinux;

/**
 * Open the file of @size bytes on @fd, a regular file open for reading, which may be closed
 * afterwards. @path: to be named by. NULL with @why: no ELF file, or one without a build ID.
 */
struct vmlinux *vmlinux_open(int fd, uint64_t size, const char *path, struct fault *why);
void vmlinux_close(struct vmlinux *v);

/** Borrowed until vmlinux_close(). */
const struct debuginfo *vmlinux_debuginfo(const struct vmlinux *v);

#endif
