/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where rendered text goes. Lines are gathered and handed on whole, in blocks.
 */
#ifndef ARENA_SINK_H
#define ARENA_SINK_H

#include <stdbool.h>
#include <stddef.h>

enum { SINK_BUFFER = 16384 };

struct sink {
	/** Take @n bytes; false: stop (pager quit, pipe closed, disk full, Ctrl-C). */
	bool (*write)(void *ctx, const char *text, size_t n);
	void *ctx;
	bool stopped;		/* @write said stop: nothing is written any more */
	size_t n;
	char buf[SINK_BUFFER];
};

void sink_init(struct sink *s, bool (*write)(void *ctx, const char *text, size_t n), void *ctx);
/** Append; all return false once the sink has stopped. A piece is at most SINK_BUFFER long. */
bool sink_write(struct sink *s, const char *text, size_t n);
bool sink_puts(struct sink *s, const char *text);
bool sink_printf(struct sink *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Hand on what is gathered. */
bool sink_flush(struct sink *s);

/** Append text of unknown origin: what could drive a terminal becomes \xNN. */
bool sink_safe(struct sink *s, const char *text);
/** The same for a name in a column: without blanks, "-" for an empty one. */
bool sink_name(struct sink *s, const char *text);

#endif
