// SPDX-License-Identifier: GPL-2.0-or-later
#include "message.h"

#include <errno.h>
#include <unistd.h>

#include "../core/sink.h"

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

void message(int fd, const char *about, const char *sentence)
{
	struct sink s;

	sink_init(&s, write_fd, &fd);
	sink_puts(&s, "arenasnap: ");
	if (about) {
		sink_safe(&s, about);
		sink_puts(&s, ": ");
	}
	sink_safe(&s, sentence);
	sink_puts(&s, "\n");
	sink_flush(&s);
}
