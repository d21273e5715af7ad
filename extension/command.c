// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command: arguments, one report, messages.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../batch/fileio.h"
#include "../batch/newfile.h"
#include "../core/question.h"
#include "../core/render_read.h"
#include "crash.h"
#include "files.h"
#include "session.h"

/* Messages on the screen; JSON has all of them. */
enum { MAX_MESSAGES = 10 };

enum { OPT_BATCH = QUESTION_OWN };

static const struct option long_options[] = {
	QUESTION_OPTIONS,
	/* arenasnap's own; their arguments do not matter */
	{ "quiet", no_argument, NULL, OPT_BATCH },
	{ "reduce", optional_argument, NULL, OPT_BATCH },
	{ "vmlinux", optional_argument, NULL, OPT_BATCH },
	{ "jobs", optional_argument, NULL, OPT_BATCH },
	{ "vmcoreinfo", optional_argument, NULL, OPT_BATCH },
	{ "help", no_argument, NULL, OPT_BATCH },
	{ "version", no_argument, NULL, OPT_BATCH },
	{ NULL, 0, NULL, 0 },
};

/* All of a running command, in one place, so that it can be freed after crash's longjmp, too. */
struct workspace {
	struct question question;
	struct crash_output output;
	struct sink out;
	struct table_renderer table;
	struct json_renderer json;
	struct files files;
	struct newfile file;		/* of -w */
	struct bytes_renderer bytes;
	struct report_result result;
};

static struct workspace *running;

static void free_running(void)
{
	struct workspace *w = running;

	running = NULL;
	if (!w)
		return;
	files_abort(&w->files);
	newfile_abort(&w->file);
	report_free(&w->result);
	question_free(&w->question);
	free(w);
}

/* crash left the command: what was half done is not to be trusted. */
static void abandoned(void)
{
	free_running();
	session_close();
}

void arena_unload(void)
{
	abandoned();
}

static void say(struct workspace *w, const char *about, const char *sentence)
{
	sink_puts(&w->out, "arena: ");
	if (about) {
		sink_safe(&w->out, about);
		sink_puts(&w->out, ": ");
	}
	sink_safe(&w->out, sentence);
	sink_puts(&w->out, "\n");
}

enum parsed { PARSED, PARSED_SAID, PARSED_USAGE };

static enum parsed refuse(struct workspace *w, const char *about, const char *sentence)
{
	say(w, about, sentence);
	return PARSED_SAID;
}

static enum parsed batch_option(struct workspace *w, const char *option)
{
	char text[24];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(option, "="), option);
	if (!strcmp(text, "--help"))
		return refuse(w, text, "in crash it is 'help arena'; arenasnap has this option");
	return refuse(w, text, "only arenasnap has this option; it makes no sense in crash");
}

static enum parsed take_option(struct workspace *w, int c, const char *argument)
{
	const char *sentence;

	switch (question_take(&w->question, c, optarg, &sentence)) {
	case QUESTION_TAKEN:
		return PARSED;
	case QUESTION_WRONG:
		return refuse(w, sentence, optarg);
	case QUESTION_NOT_SHARED:
		break;
	}
	if (c == 'q' || c == OPT_BATCH)
		return batch_option(w, c == 'q' ? "-q" : argument);
	return PARSED_USAGE;
}

/* crash starts getopt anew for each command; a long option of ours must not be left half done. */
static enum parsed parse(struct workspace *w, int argc, char **argv)
{
	enum parsed parsed = PARSED;
	const char *sentence;
	int c;

	optind = 0;
	while (parsed == PARSED &&
	       (c = getopt_long(argc, argv, QUESTION_LETTERS "q", long_options, NULL)) != -1)
		parsed = take_option(w, c, c == OPT_BATCH ? argv[optind - 1] : NULL);
	while (parsed == PARSED && optind < argc)
		question_select(&w->question, argv[optind++]);
	optind = 0;
	sentence = parsed == PARSED ? question_check(&w->question) : NULL;
	return sentence ? refuse(w, NULL, sentence) : parsed;
}

/* What can be done in crash, or before it. */
static void say_fault(struct workspace *w, const struct fault *why)
{
	static const char *const cures[] = {
		[CURE_NONE] = "",
		[CURE_DEBUGINFO] = "; crash started with this kernel's own vmlinux can stand in",
		[CURE_VMCOREINFO] = "; arenasnap takes it by hand, with --vmcoreinfo FILE",
		[CURE_FILTER] = "; next time use one that knows the kernel, or -d 23 "
				"(arenasnap(1), BEFORE THE CRASH)",
	};
	char sentence[sizeof(why->text) + 128];

	snprintf(sentence, sizeof(sentence), "%s%s", why->text, cures[why->cure]);
	say(w, NULL, sentence);
}

static void print_problems(struct workspace *w, const struct problems *problems)
{
	size_t n = problems->n;
	char more[64];

	/* "and 1 more" would be no shorter than the one */
	if (n > MAX_MESSAGES + 1)
		n = MAX_MESSAGES;
	for (size_t i = 0; i < n; i++)
		say_fault(w, &problems->problem[i].why);
	if (n == problems->n)
		return;
	snprintf(more, sizeof(more), "and %zu more like these; -j has all", problems->n - n);
	say(w, NULL, more);
}

static void fail(struct workspace *w, const struct fault *why)
{
	struct problems problems = { 0 };

	problems_add(&problems, why);
	if (w->question.json)
		json_failed(&w->out, "arena", crash_vmcore(), &problems);
	else
		say_fault(w, why);
	problems_free(&problems);
}

static bool write_bytes(void *ctx, const void *data, size_t n, struct fault *why)
{
	errno = 0;
	return write_fd(ctx, data, n) ||
	       fault_set(why, FAULT_IO, SPACE_NONE, 0, "%s", strerror(errno ? errno : EIO));
}

static void set_up(struct workspace *w, struct renderer *list[3], size_t *n)
{
	const struct question *q = &w->question;

	if (q->output) {
		/* contents first: they may add errors that the others show */
		list[(*n)++] = &w->files.renderer.renderer;
		list[(*n)++] = &w->files.json.renderer;
	}
	if (q->bytes) {
		bytes_renderer_init(&w->bytes, &q->report.ask, write_bytes, &w->file.fd);
		list[(*n)++] = &w->bytes.renderer;
		return;
	}
	json_renderer_init(&w->json, &w->out, "arena", crash_vmcore());
	w->json.ask = q->report.ask;
	table_renderer_init(&w->table, &w->out);
	w->table.ask = q->report.ask;
	w->table.headings = !q->no_headings;
	list[(*n)++] = q->json ? &w->json.renderer : &w->table.renderer;
}

static void commit(struct workspace *w)
{
	struct fault why;

	if (!w->question.output)
		return;
	if (crash_stopped())
		files_abort(&w->files);
	else if (!files_commit(&w->files, &why))
		say(w, w->question.output, why.text);
}

/* The file of -w has all bytes that were asked for, or is not there. */
static void commit_bytes(struct workspace *w)
{
	struct fault why = w->bytes.why;
	char sentence[64];

	if (!w->question.bytes)
		return;
	if (w->bytes.failed) {
		say(w, w->question.bytes, why.text);
	} else if (w->bytes.complete && !crash_stopped()) {
		if (newfile_commit(&w->file, &why)) {
			newfile_close(&w->file);
			snprintf(sentence, sizeof(sentence), "%" PRIu64 " bytes written",
				 w->question.report.ask.length);
			say(w, w->question.bytes, sentence);
		} else {
			say(w, NULL, why.text);
		}
	}
	newfile_abort(&w->file);
}

static void report(struct workspace *w, const struct kernel *k)
{
	struct renderer *list[3];
	struct fault why;
	size_t n = 0;

	set_up(w, list, &n);
	if (!report_run(k, &w->question.report, list, n, &w->result, &why)) {
		files_abort(&w->files);
		fail(w, &why);
		return;
	}
	if (!w->question.json)
		print_problems(w, &w->result.problems);
	commit(w);
	commit_bytes(w);
}

static void run(struct workspace *w)
{
	const struct kernel *k;
	const char *warning;
	struct fault why;

	/* a refusal is not of the dump, and makes no JSON of it */
	if (w->question.output &&
	    !files_open(&w->files, w->question.output, crash_vmcore(), &why)) {
		say(w, NULL, why.text);
		return;
	}
	if (w->question.bytes && newfile_open(&w->file, w->question.bytes, &why)) {
		files_abort(&w->files);
		say(w, w->question.bytes, why.text);
		return;
	}
	k = session_kernel(&why);
	if (k) {
		report(w, k);
	} else {
		files_abort(&w->files);
		fail(w, &why);
	}
	if (w->question.json)
		return;
	if (k && crash_is_live())
		say(w, NULL, "a live system: its memory may have changed while it was read");
	warning = session_warning();
	if (warning)
		say(w, NULL, warning);
}

static void finish(struct workspace *w)
{
	sink_flush(&w->out);
	if (!crash_stopped() || w->output.gone)
		return;
	w->out.stopped = false;
	w->out.n = 0;
	sink_puts(&w->out, w->output.last && w->output.last != '\n' ? "\n(interrupted)\n" :
		  "(interrupted)\n");
	if (w->question.output)
		say(w, w->question.output, "interrupted; nothing is left there");
	sink_flush(&w->out);
}

static void complain(int error)
{
	char sentence[128];

	snprintf(sentence, sizeof(sentence), "the answer could not be written: %s",
		 strerror(error));
	crash_complain(sentence);
}

static struct workspace *workspace_new(int argc)
{
	struct workspace *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->files.folder.dir = w->file.dir = w->file.fd = -1;
	sink_init(&w->out, crash_write, &w->output);
	if (question_init(&w->question, argc))
		return w;
	free(w);
	return NULL;
}

enum command_result arena_command(int argc, char **argv)
{
	enum parsed parsed;
	int error;

	free_running();
	running = workspace_new(argc);
	if (!running) {
		crash_complain("out of memory");
		return COMMAND_DONE;
	}
	crash_begin(abandoned);
	parsed = parse(running, argc, argv);
	running->output.files = running->question.output || running->question.bytes;
	if (parsed == PARSED)
		run(running);
	finish(running);
	error = running->output.error;
	free_running();
	crash_end();
	if (error)
		complain(error);
	return parsed == PARSED_USAGE ? COMMAND_USAGE : COMMAND_DONE;
}
