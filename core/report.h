/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One answer about one dump: which arenas were asked for, and who gets to see them.
 */
#ifndef ARENA_REPORT_H
#define ARENA_REPORT_H

#include "arena.h"
#include "ask.h"
#include "check.h"
#include "crash_site.h"
#include "scheduler.h"
#include "sink.h"
#include "users.h"

/** The values are exit statuses, and "status" in JSON: complete, partial, failed. */
enum report_status {
	REPORT_COMPLETE = 0,
	REPORT_PARTIAL = 1,
	REPORT_FAILED = 3,
};

struct report_options {
	const char *const *select;	/* ARENA arguments; none: all arenas */
	size_t n_select;
	uint64_t max_pages;		/* per arena; 0: all */
	bool scan;			/* look for arenas in every stored page */
	struct ask ask;
};

struct report_result {
	enum report_status status;
	struct arena_search search;	/* what was looked at */
	uint64_t found;			/* arenas in the dump, asked for or not */
	struct crash_site crash;	/* of all of them */
	bool interrupted;		/* the user stopped it; what was found is shown */
	const struct check *check;	/* VIEW_CHECK: of the arena that is shown */
	const struct allocator *allocator;	/* VIEW_ADDRESS: the same; NULL: not known */
	struct problems problems;
	struct refs refs;		/* VIEW_REFS: what is pointed to */
	struct users users;		/* VIEW_USERS only, as the next */
	struct schedulers schedulers;
};

/** Who is shown the answer. Each function returns false to stop the run. */
struct renderer {
	/** @result says what was looked at. */
	bool (*begin)(struct renderer *r, const struct kernel *k,
		      const struct report_result *result);
	/** @a is borrowed for the call. @result has the problems found so far. */
	bool (*arena)(struct renderer *r, const struct kernel *k,
		      const struct arena_snapshot *a, struct report_result *result);
	bool (*end)(struct renderer *r, const struct kernel *k,
		    const struct report_result *result);
};

/**
 * Find the arenas of @k, snapshot those that were asked for, one after the other, and show
 * each to all @n renderers. *@result is filled; report_free() it, whatever comes back.
 * False: there is no answer at all, nothing was rendered, and @why says so.
 */
bool report_run(const struct kernel *k, const struct report_options *options,
		struct renderer *const *renderers, size_t n, struct report_result *result,
		struct fault *why);
void report_free(struct report_result *result);

/** What is wrong with the file as a whole: cut, incomplete, a part missing. */
void report_file(const struct memory_facts *facts, struct problems *problems);

/**
 * Does @arg, as ARENA on the command line, mean @a?
 * "0x...": an address, of the struct or inside the arena, user or kernel. Digits: an id, and a
 * hexadecimal address too. Hexadecimal with letters: an address, and a name too. Else a name;
 * "name:X" is only a name.
 */
bool arena_matches(const struct arena_snapshot *a, const char *arg);

/** A hexadecimal address, with 0x or without. */
bool report_address(const char *text, uint64_t *address);

/* What renderers share. */

/** Of a search, in all arenas. */
struct hit_count {
	uint64_t hits, pages;
};

/** Text and columns, for people. */
struct table_renderer {
	struct renderer renderer;
	struct sink *out;
	struct ask ask;
	bool headings;
	uint64_t shown;
	struct hit_count hits;	/* VIEW_FIND, VIEW_REFS */
};

void table_renderer_init(struct table_renderer *t, struct sink *out);

/** JSON Lines: one object for the dump. */
struct json_renderer {
	struct renderer renderer;
	struct sink *out;
	const char *tool, *vmcore;
	struct ask ask;
	uint64_t shown;
};

void json_renderer_init(struct json_renderer *j, struct sink *out, const char *tool,
			const char *vmcore);

/** The line of a dump that could not be answered: all is null but its errors. */
bool json_failed(struct sink *out, const char *tool, const char *vmcore,
		 const struct problems *problems);

#endif
