/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command lines of arenasnap and of the command in crash have in common.
 */
#ifndef ARENA_QUESTION_H
#define ARENA_QUESTION_H

#include "report.h"

/** Options of both, for getopt_long(); those of a front end alone are QUESTION_OWN and more. */
#define QUESTION_LETTERS "m:a:r:f:l:81:3:6:w:cuvpjo:"

enum {
	QUESTION_RUNS = 256, QUESTION_MAX_PAGES, QUESTION_SCAN, QUESTION_NO_HEADINGS, QUESTION_REFS,
	QUESTION_UNALIGNED, QUESTION_OWN
};

#define QUESTION_OPTIONS \
	{ "arena", required_argument, NULL, 'm' }, \
	{ "address", required_argument, NULL, 'a' }, \
	{ "read", required_argument, NULL, 'r' }, \
	{ "check", no_argument, NULL, 'c' }, \
	{ "find", required_argument, NULL, 'f' }, \
	{ "refs", required_argument, NULL, QUESTION_REFS }, \
	{ "unaligned", no_argument, NULL, QUESTION_UNALIGNED }, \
	{ "users", no_argument, NULL, 'u' }, \
	{ "verbose", no_argument, NULL, 'v' }, \
	{ "pages", no_argument, NULL, 'p' }, \
	{ "runs", no_argument, NULL, QUESTION_RUNS }, \
	{ "json", no_argument, NULL, 'j' }, \
	{ "output", required_argument, NULL, 'o' }, \
	{ "max-pages", required_argument, NULL, QUESTION_MAX_PAGES }, \
	{ "scan", no_argument, NULL, QUESTION_SCAN }, \
	{ "no-headings", no_argument, NULL, QUESTION_NO_HEADINGS }

struct question {
	struct report_options report;	/* select is @select */
	const char **select;		/* owned; room for as many as there are arguments */
	unsigned views;			/* bit (1 << enum view) of each that was given */
	bool json;
	bool no_headings;
	bool has_length;
	const char *find;		/* -f VALUE, or NULL */
	const char *output;		/* -o DIR, or NULL */
	const char *bytes;		/* -w FILE, or NULL */
};

/** For a command line of @argc arguments. False: out of memory. question_free() either way. */
bool question_init(struct question *q, int argc);
void question_free(struct question *q);

enum question_taken { QUESTION_TAKEN, QUESTION_WRONG, QUESTION_NOT_SHARED };

/**
 * Take option @c of getopt_long() with its @argument, borrowed. QUESTION_WRONG: *@sentence is of
 * a usage error, to be followed by the argument.
 */
enum question_taken question_take(struct question *q, int c, const char *argument,
				  const char **sentence);

/** ARENA, borrowed. */
void question_select(struct question *q, const char *arena);

/**
 * What the options say together: fills report.ask. NULL, or the sentence of a usage error.
 */
const char *question_check(struct question *q);

/** A number of at least 1, as C writes it. */
bool question_count(const char *text, uint64_t *n);

#endif
