/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stretch of memory (-r), shown as crash's rd does, or handed on as it is (-w). Bytes that are
 * not there are a problem of the report. All return false to stop.
 */
#ifndef ARENA_RENDER_READ_H
#define ARENA_RENDER_READ_H

#include "report.h"

/**
 * Lines of 16 bytes as words of ask->unit bytes and as text. Digits that are not known, of words
 * that lie across the border of what is there, are "?". @headings: with the arena's name first.
 */
bool read_table(struct sink *out, const struct kernel *k, const struct arena_snapshot *a,
		const struct ask *ask, bool headings, struct problems *problems);
/** A member of the arena's object: ,"read":{...} */
bool read_json(struct sink *out, const struct kernel *k, const struct arena_snapshot *a,
	       const struct ask *ask, struct problems *problems);

/** The bytes themselves, of one arena. */
struct bytes_renderer {
	struct renderer renderer;
	struct ask ask;
	/** Write @n bytes behind those before. False: @why says what the system said. */
	bool (*write)(void *ctx, const void *data, size_t n, struct fault *why);
	void *ctx;
	bool complete;		/* all were there, of one arena alone, and were written */
	bool failed;		/* they could not be written: @why */
	uint64_t arenas;
	struct fault why;
};

void bytes_renderer_init(struct bytes_renderer *b, const struct ask *ask,
			 bool (*write)(void *ctx, const void *data, size_t n, struct fault *why),
			 void *ctx);

#endif
