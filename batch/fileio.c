// SPDX-License-Identifier: GPL-2.0-or-later
#include "fileio.h"

#include <errno.h>
#include <unistd.h>

bool read_at(int fd, void *buf, size_t n, uint64_t offset)
{
	uint8_t *out = buf;

	while (n) {
		ssize_t got = pread(fd, out, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (!got)
			errno = EIO;
		if (got <= 0)
			return false;
		out += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return true;
}

bool write_at(int fd, const void *buf, size_t n, uint64_t offset)
{
	const uint8_t *data = buf;

	while (n) {
		ssize_t done = pwrite(fd, data, n, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		data += done;
		offset += (uint64_t)done;
		n -= (size_t)done;
	}
	return true;
}

bool write_fd(void *ctx, const char *text, size_t n)
{
	int fd = *(const int *)ctx;

	while (n) {
		ssize_t done = write(fd, text, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		text += done;
		n -= (size_t)done;
	}
	return true;
}
