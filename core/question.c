// SPDX-License-Identifier: GPL-2.0-or-later
#include "question.h"

#include <errno.h>
#include <stdlib.h>

bool question_init(struct question *q, int argc)
{
	*q = (struct question){ .select = calloc((size_t)argc + 1, sizeof(*q->select)) };
	q->report.select = q->select;
	return q->select;
}

void question_free(struct question *q)
{
	free(q->select);
	q->select = NULL;
}

void question_select(struct question *q, const char *arena)
{
	q->select[q->report.n_select++] = arena;
}

static void add_view(struct question *q, enum view view)
{
	q->views |= 1u << view;
}

enum question_taken question_take(struct question *q, int c, const char *argument,
				  const char **sentence)
{
	switch (c) {
	case 'm':
		question_select(q, argument);
		return QUESTION_TAKEN;
	case 'a':
		add_view(q, VIEW_ADDRESS);
		*sentence = "-a: not a hexadecimal address";
		return report_address(argument, &q->report.ask.address) ? QUESTION_TAKEN :
									  QUESTION_WRONG;
	case 'v':
		add_view(q, VIEW_VERBOSE);
		return QUESTION_TAKEN;
	case 'p':
		add_view(q, VIEW_PAGES);
		return QUESTION_TAKEN;
	case 'j':
		q->json = true;
		return QUESTION_TAKEN;
	case 'o':
		q->output = argument;
		return QUESTION_TAKEN;
	case QUESTION_RUNS:
		q->report.ask.runs = true;
		return QUESTION_TAKEN;
	case QUESTION_MAX_PAGES:
		*sentence = "--max-pages: not a number of pages";
		return question_count(argument, &q->report.max_pages) ? QUESTION_TAKEN :
									QUESTION_WRONG;
	case QUESTION_SCAN:
		q->report.scan = true;
		return QUESTION_TAKEN;
	case QUESTION_NO_HEADINGS:
		q->no_headings = true;
		return QUESTION_TAKEN;
	default:
		return QUESTION_NOT_SHARED;
	}
}

const char *question_check(struct question *q)
{
	struct ask *ask = &q->report.ask;

	/* more than one bit */
	if (q->views & (q->views - 1))
		return "-v, -p and -a are views; choose one";
	ask->view = q->report.n_select ? VIEW_VERBOSE : VIEW_LIST;
	for (unsigned view = 0; q->views >> view; view++)
		if (q->views >> view & 1)
			ask->view = (enum view)view;
	if (ask->view == VIEW_ADDRESS && q->report.max_pages)
		return "--max-pages would hide where an address of -a lies";
	if (ask->runs && (ask->view != VIEW_PAGES || q->json))
		return "--runs goes with -p, and without -j";
	return NULL;
}

bool question_count(const char *text, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno && *n;
}
