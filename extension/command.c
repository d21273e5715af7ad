// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command: arguments, one report, messages.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../core/report.h"
#include "crash.h"

/* Sinks are large and a crash session's stack is not ours. */
struct workspace {
	struct sink out;
	struct table_renderer table;
	struct json_renderer json;
};

struct arguments {
	enum view view;
	bool json;
	struct report_options report;
};

static bool parse(int argc, char **argv, struct arguments *a)
{
	bool verbose = false, pages = false;
	int c;

	*a = (struct arguments){ .view = VIEW_LIST };
	while ((c = getopt(argc, argv, "vpj")) != -1) {
		switch (c) {
		case 'v':
			verbose = true;
			break;
		case 'p':
			pages = true;
			break;
		case 'j':
			a->json = true;
			break;
		default:
			return false;
		}
	}
	a->report.select = (const char *const *)argv + optind;
	a->report.n_select = (size_t)(argc - optind);
	if (verbose || (a->report.n_select && !pages))
		a->view = VIEW_VERBOSE;
	if (pages)
		a->view = VIEW_PAGES;
	return !(verbose && pages);
}

static void message(struct sink *out, const struct fault *why)
{
	sink_puts(out, "arena: ");
	sink_safe(out, why->text);
	sink_puts(out, "\n");
}

static void print_problems(struct sink *out, const struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		message(out, &problems->problem[i].why);
}

static void fail(struct workspace *w, const struct arguments *a, const struct fault *why)
{
	struct problems problems = { 0 };

	problems_add(&problems, why);
	if (a->json)
		json_failed(&w->out, "arena", crash_vmcore(), &problems);
	else
		message(&w->out, why);
	problems_free(&problems);
}

static void report(struct workspace *w, const struct arguments *a, const struct kernel *k)
{
	struct report_result result = { 0 };
	struct renderer *renderer;
	struct fault why;

	json_renderer_init(&w->json, &w->out, "arena", crash_vmcore());
	w->json.pages = a->view == VIEW_PAGES;
	table_renderer_init(&w->table, &w->out);
	w->table.view = a->view;
	renderer = a->json ? &w->json.renderer : &w->table.renderer;
	if (!report_run(k, &a->report, &renderer, 1, &result, &why))
		fail(w, a, &why);
	else if (!a->json)
		print_problems(&w->out, &result.problems);
	report_free(&result);
}

static void run(struct workspace *w, const struct arguments *a)
{
	struct crash_memory *m;
	struct kernel *k = NULL;
	struct fault why;

	m = crash_memory_open(&why);
	if (m)
		k = kernel_open(crash_memory(m), &why);
	if (k)
		report(w, a, k);
	else
		fail(w, a, &why);
	kernel_close(k);
	if (m)
		crash_memory_close(m);
	sink_flush(&w->out);
}

enum command_result arena_command(int argc, char **argv)
{
	struct arguments a;
	struct workspace *w;

	if (!parse(argc, argv, &a))
		return COMMAND_USAGE;
	w = calloc(1, sizeof(*w));
	if (!w)
		return COMMAND_DONE;
	sink_init(&w->out, crash_write, NULL);
	crash_signals_begin();
	run(w, &a);
	if (crash_stopped()) {
		w->out.stopped = false;
		sink_puts(&w->out, "(interrupted)\n");
		sink_flush(&w->out);
	}
	crash_signals_end();
	free(w);
	return COMMAND_DONE;
}
