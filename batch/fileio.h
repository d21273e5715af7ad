/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing of whole pieces; short transfers and EINTR are dealt with.
 */
#ifndef ARENA_FILEIO_H
#define ARENA_FILEIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Fill @buf from @offset. False: an error (errno), or the end of the file comes before (EIO). */
bool read_at(int fd, void *buf, size_t n, uint64_t offset);

/** False: errno. */
bool write_at(int fd, const void *buf, size_t n, uint64_t offset);

/** Write at the current position of the descriptor that @ctx points to: for a struct sink. */
bool write_fd(void *ctx, const char *text, size_t n);

#endif
