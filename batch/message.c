// SPDX-License-Identifier: GPL-2.0-or-later
#include "message.h"

#include "../core/sink.h"
#include "fileio.h"

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
