// SPDX-License-Identifier: GPL-2.0-or-later
#include "question.h"

#include <errno.h>
#include <stdlib.h>

const char *question_check(const struct question *q, enum view *view)
{
	if (q->verbose && q->pages)
		return "-v and -p are two views; choose one";
	if (q->runs && (!q->pages || q->json))
		return "--runs goes with -p, and without -j";
	*view = VIEW_LIST;
	if (q->verbose || (q->report.n_select && !q->pages))
		*view = VIEW_VERBOSE;
	if (q->pages)
		*view = VIEW_PAGES;
	return NULL;
}

bool question_count(const char *text, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno && *n;
}
