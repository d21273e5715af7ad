// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

void sink_init(struct sink *s, bool (*write)(void *ctx, const char *text, size_t n), void *ctx)
{
	s->write = write;
	s->ctx = ctx;
	s->stopped = false;
	s->n = 0;
}

/* Hand on the first @n gathered bytes. */
static bool hand_on(struct sink *s, size_t n)
{
	if (n && !s->stopped && !s->write(s->ctx, s->buf, n))
		s->stopped = true;
	memmove(s->buf, s->buf + n, s->n - n);
	s->n -= n;
	return !s->stopped;
}

bool sink_flush(struct sink *s)
{
	return hand_on(s, s->n);
}

/* Make room for @n bytes, keeping the line that is being made if it can be kept. */
static bool make_room(struct sink *s, size_t n)
{
	const char *end;

	if (SINK_BUFFER - s->n >= n)
		return !s->stopped;
	end = memrchr(s->buf, '\n', s->n);
	if (end && !hand_on(s, (size_t)(end - s->buf) + 1))
		return false;
	return SINK_BUFFER - s->n >= n ? !s->stopped : sink_flush(s);
}

bool sink_write(struct sink *s, const char *text, size_t n)
{
	if (n > SINK_BUFFER)
		n = SINK_BUFFER;
	if (!make_room(s, n))
		return false;
	memcpy(s->buf + s->n, text, n);
	s->n += n;
	return true;
}

bool sink_puts(struct sink *s, const char *text)
{
	return sink_write(s, text, strlen(text));
}

bool sink_printf(struct sink *s, const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0)
		return false;
	return sink_write(s, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* What is no printable character, or a blank where @word, becomes \xNN. */
static bool escaped(struct sink *s, const char *text, bool word)
{
	while (*text) {
		size_t n = word && *text == ' ' ? 0 : text_printable(text);
		bool ok = n ? sink_write(s, text, n) :
			  sink_printf(s, "\\x%02x", (unsigned char)*text);

		if (!ok)
			return false;
		text += n ? n : 1;
	}
	return !s->stopped;
}

bool sink_safe(struct sink *s, const char *text)
{
	return escaped(s, text, false);
}

bool sink_name(struct sink *s, const char *text)
{
	return *text ? escaped(s, text, true) : sink_puts(s, "-");
}
