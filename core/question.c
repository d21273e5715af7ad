// SPDX-License-Identifier: GPL-2.0-or-later
#include "question.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* No arena is longer. */
#define MAX_LENGTH (UINT64_C(8) << 30)

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

static enum question_taken take_address(struct question *q, enum view view, const char *argument)
{
	add_view(q, view);
	return report_address(argument, &q->report.ask.address) ? QUESTION_TAKEN : QUESTION_WRONG;
}

/* Their second digits are arguments, as in crash's rd. */
static bool take_width(struct question *q, int c, const char *argument)
{
	static const struct { int c; const char *argument; unsigned unit; } widths[] = {
		{ '8', NULL, 1 }, { '1', "6", 2 }, { '3', "2", 4 }, { '6', "4", 8 },
	};

	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		if (c != widths[i].c || (argument && strcmp(argument, widths[i].argument)))
			continue;
		q->report.ask.unit = widths[i].unit;
		return true;
	}
	return false;
}

enum question_taken question_take(struct question *q, int c, const char *argument,
				  const char **sentence)
{
	switch (c) {
	case 'm':
		question_select(q, argument);
		return QUESTION_TAKEN;
	case 'a':
		*sentence = "-a: not a hexadecimal address";
		return take_address(q, VIEW_ADDRESS, argument);
	case 'r':
		*sentence = "-r: not a hexadecimal address";
		return take_address(q, VIEW_READ, argument);
	case 'f':
		add_view(q, VIEW_FIND);
		q->find = argument;
		return QUESTION_TAKEN;
	case QUESTION_REFS:
		*sentence = "--refs: not a hexadecimal address";
		return take_address(q, VIEW_REFS, argument);
	case QUESTION_UNALIGNED:
		q->report.ask.unaligned = true;
		return QUESTION_TAKEN;
	case 'l':
		q->has_length = true;
		*sentence = "-l: not a number of bytes, up to 8 GiB";
		return question_count(argument, &q->report.ask.length) &&
		       q->report.ask.length <= MAX_LENGTH ? QUESTION_TAKEN : QUESTION_WRONG;
	case '8':
	case '1':
	case '3':
	case '6':
		*sentence = "-8, -16, -32 and -64 are widths, not this";
		return take_width(q, c, argument) ? QUESTION_TAKEN : QUESTION_WRONG;
	case 'w':
		q->bytes = argument;
		return QUESTION_TAKEN;
	case 'c':
		add_view(q, VIEW_CHECK);
		return QUESTION_TAKEN;
	case 'u':
		add_view(q, VIEW_USERS);
		return QUESTION_TAKEN;
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

static const char *check_read(const struct question *q, struct ask *ask)
{
	if (ask->view != VIEW_READ)
		return q->has_length || q->bytes ? "-l and -w go with -r" : NULL;
	if (q->bytes && !q->has_length)
		return "-w needs -l, the number of bytes";
	if (q->bytes && (ask->unit || q->json))
		return "-w writes bytes as they are, without -j, -8, -16, -32 and -64";
	if (!ask->unit)
		ask->unit = q->bytes ? 1 : 8;
	if (!q->has_length)
		ask->length = ask->unit;
	if (ask->length % ask->unit)
		return "-l is in bytes, and not a multiple of the width; -8 prints bytes";
	return ask->length - 1 > UINT64_MAX - ask->address ?
	       "-l goes beyond the last address" : NULL;
}

static const char *check_find(const struct question *q, struct ask *ask)
{
	if (ask->unaligned && ask->view != VIEW_FIND && ask->view != VIEW_REFS)
		return "--unaligned goes with -f and --refs";
	if (ask->unit && ask->view != VIEW_FIND && ask->view != VIEW_READ)
		return "-8, -16, -32 and -64 go with -r and -f";
	if (ask->view != VIEW_FIND)
		return NULL;
	return needle_parse(&ask->needle, q->find, ask->unit ? ask->unit : 8, ask->unaligned);
}

const char *question_check(struct question *q)
{
	struct ask *ask = &q->report.ask;
	const char *sentence;

	/* more than one bit */
	if (q->views & (q->views - 1))
		return "-v, -p, -a, -r, -f, --refs, -c and -u are views; choose one";
	ask->view = q->report.n_select ? VIEW_VERBOSE : VIEW_LIST;
	for (unsigned view = 0; q->views >> view; view++)
		if (q->views >> view & 1)
			ask->view = (enum view)view;
	if (view_has_all_pages(ask->view) && q->report.max_pages)
		return "--max-pages goes with lists of pages, not with -a, -r, -f, --refs and -c";
	if (ask->runs && (ask->view != VIEW_PAGES || q->json))
		return "--runs goes with -p, and without -j";
	sentence = check_find(q, ask);
	return sentence ? sentence : check_read(q, ask);
}

bool question_count(const char *text, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno && *n;
}
