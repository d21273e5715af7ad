// SPDX-License-Identifier: GPL-2.0-or-later
#include "question.h"

#include <errno.h>
#include <stdlib.h>

const char *question_check(struct question *q, enum view *view)
{
	if (q->verbose && q->pages)
		return "-v and -p are two views; choose one";
	if (q->address && (q->verbose || q->pages))
		return "-a, -v and -p are views; choose one";
	if (q->address && q->report.max_pages)
		return "--max-pages would hide where an address of -a lies";
	if (q->address && !report_address(q->address, &q->report.address))
		return "-a: not a hexadecimal address";
	q->report.has_address = q->address;
	if (q->runs && (!q->pages || q->json))
		return "--runs goes with -p, and without -j";
	*view = VIEW_LIST;
	if (q->verbose || (q->report.n_select && !q->pages))
		*view = VIEW_VERBOSE;
	if (q->pages)
		*view = VIEW_PAGES;
	if (q->address)
		*view = VIEW_ADDRESS;
	return NULL;
}

bool question_count(const char *text, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno && *n;
}
