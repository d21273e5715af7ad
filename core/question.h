/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command lines of arenasnap and of the command in crash have in common.
 */
#ifndef ARENA_QUESTION_H
#define ARENA_QUESTION_H

#include "report.h"

struct question {
	struct report_options report;
	bool verbose, pages, runs, json;	/* as given */
	bool headings;
	const char *address;			/* -a ADDR, or NULL */
	const char *output;			/* -o DIR, or NULL */
};

/**
 * What the options say together, and what -a means. NULL and *@view, or the sentence of a
 * usage error.
 */
const char *question_check(struct question *q, enum view *view);

/** A number of at least 1, as C writes it. */
bool question_count(const char *text, uint64_t *n);

#endif
