// SPDX-License-Identifier: GPL-2.0-or-later
#include "answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/contents.h"
#include "../core/render_read.h"
#include "fileio.h"
#include "message.h"
#include "output.h"
#include "reduce.h"
#include "source.h"
#include "vmcoreinfo_file.h"
#include "vmlinux.h"

/* Messages on the screen; JSON has all of them. */
enum { MAX_MESSAGES = 10 };

/* The file of contents that is being written. */
struct contents_file {
	int socket;		/* to ask for it */
	int fd;
};

/* Everything that one answer needs; large, so it is not on the stack. */
struct workspace {
	struct sink out, snapshot;
	int snapshot_fd;
	struct table_renderer table;
	struct json_renderer json, snapshot_json;
	struct contents_renderer contents;
	struct bytes_renderer bytes;
	struct contents_file file;
	struct recorder *recorder;	/* for --reduce, or NULL */
	struct vmlinux *vmlinux;	/* or NULL */
	struct memory mem;		/* the source's */
	char *vmcoreinfo;		/* by hand, or NULL */
};

static bool file_failed(struct fault *why)
{
	return fault_set(why, FAULT_IO, SPACE_NONE, 0, "%s", strerror(errno ? errno : EIO));
}

static bool file_create(void *ctx, const char *name, struct fault *why)
{
	struct contents_file *file = ctx;

	errno = 0;
	file->fd = output_request(file->socket, name);
	return file->fd >= 0 || file_failed(why);
}

static bool file_write_at(void *ctx, const void *data, size_t n, uint64_t offset,
			  struct fault *why)
{
	const struct contents_file *file = ctx;

	return write_at(file->fd, data, n, offset) || file_failed(why);
}

static bool write_bytes(void *ctx, const void *data, size_t n, struct fault *why)
{
	errno = 0;
	return write_fd(ctx, data, n) || file_failed(why);
}

static void file_drop(void *ctx)
{
	const struct contents_file *file = ctx;

	if (file->fd >= 0)
		close(file->fd);
}

static bool file_finish(void *ctx, uint64_t size, struct fault *why)
{
	struct contents_file *file = ctx;
	int fd = file->fd;

	if (ftruncate(fd, (off_t)size))
		return file_failed(why);
	file->fd = -1;
	return !close(fd) || file_failed(why);
}

static void say(const struct job *job, const char *sentence)
{
	if (!job->options->quiet)
		message(job->messages, job->path, sentence);
}

/* The sentence is the same everywhere; what our options can do about it is said here alone. */
static void say_problem(const struct job *job, const struct fault *why)
{
	/* longer than a fault: neither is cut where both are long */
	static const char *const cures[] = {
		[CURE_NONE] = "",
		[CURE_DEBUGINFO] =
			"; --vmlinux FILE, the kernel's with debug symbols, can stand in",
		[CURE_VMCOREINFO] =
			"; --vmcoreinfo FILE, the text of another source, can stand in",
		[CURE_FILTER] = "; next time use one that knows the kernel, or -d 23 "
				"(arenasnap(1), BEFORE THE CRASH)",
	};
	char sentence[sizeof(why->text) + 128];

	snprintf(sentence, sizeof(sentence), "%s%s", why->text, cures[why->cure]);
	say(job, sentence);
}

static void print_problems(const struct job *job, const struct problems *problems)
{
	size_t n = problems->n;
	char more[64];

	/* "and 1 more" would be no shorter than the one */
	if (n > MAX_MESSAGES + 1)
		n = MAX_MESSAGES;
	for (size_t i = 0; i < n; i++)
		say_problem(job, &problems->problem[i].why);
	if (n == problems->n)
		return;
	snprintf(more, sizeof(more), "and %zu more like these; -j has all", problems->n - n);
	say(job, more);
}

/* No answer, or none any more: take back what was written of it. */
static enum report_status fail(const struct job *job, struct workspace *w,
			       const struct memory_facts *facts, const struct fault *why)
{
	struct problems problems = { 0 };

	if (!ftruncate(job->out, 0))
		lseek(job->out, 0, SEEK_SET);
	sink_init(&w->out, write_fd, (void *)&job->out);
	if (facts)
		report_file(facts, &problems);
	problems_add(&problems, why);
	if (job->options->question.json)
		json_failed(&w->out, "arenasnap", job->path, &problems);
	print_problems(job, &problems);
	problems_free(&problems);
	return REPORT_FAILED;
}

/* The renderers that the options ask for; false: snapshot.json cannot be made. */
static bool set_up(const struct job *job, struct workspace *w, struct renderer *list[3],
		   size_t *n, struct fault *why)
{
	const struct question *q = &job->options->question;
	const struct contents_files files = {
		file_create, file_write_at, file_finish, file_drop, &w->file };

	json_renderer_init(&w->json, &w->out, "arenasnap", job->path);
	w->json.ask = q->report.ask;
	table_renderer_init(&w->table, &w->out);
	w->table.ask = q->report.ask;
	w->table.headings = !q->no_headings;
	if (job->socket >= 0) {
		w->snapshot_fd = output_request(job->socket, "snapshot.json");
		if (w->snapshot_fd < 0)
			return fault_set(why, FAULT_IO, SPACE_NONE, 0,
				"snapshot.json cannot be made in %s", q->output);
		json_renderer_init(&w->snapshot_json, &w->snapshot, "arenasnap", job->path);
		w->snapshot_json.ask.view = VIEW_PAGES;
		w->file.socket = job->socket;
		contents_renderer_init(&w->contents, &files);
		/* contents first: they may add errors that the others show */
		list[(*n)++] = &w->contents.renderer;
		list[(*n)++] = &w->snapshot_json.renderer;
	}
	if (q->bytes) {
		bytes_renderer_init(&w->bytes, &q->report.ask, write_bytes, (void *)&job->bytes);
		list[(*n)++] = &w->bytes.renderer;
		return true;
	}
	list[(*n)++] = q->json ? &w->json.renderer : &w->table.renderer;
	return true;
}

static bool outputs_failed(const struct job *job, struct workspace *w, struct fault *why)
{
	if (w->contents.failed) {
		*why = w->contents.why;
		return true;
	}
	if (job->socket >= 0 && (w->snapshot.stopped || close(w->snapshot_fd)))
		return !fault_set(why, FAULT_IO, SPACE_NONE, 0,
			"snapshot.json cannot be written: %s", strerror(errno));
	if (w->bytes.failed) {
		*why = w->bytes.why;
		return !fault_prefix(why, "%s cannot be written: ", job->options->question.bytes);
	}
	if (job->bytes >= 0 && !w->bytes.complete && ftruncate(job->bytes, 0))
		return !fault_set(why, FAULT_IO, SPACE_NONE, 0, "%s: %s",
			job->options->question.bytes, strerror(errno));
	if (w->out.stopped)
		return !fault_set(why, FAULT_IO, SPACE_NONE, 0,
			"the answer cannot be kept in a temporary file (TMPDIR): %s",
			strerror(errno));
	return false;
}

/* Bytes as people say them, in powers of 1000. */
static void say_size(uint64_t bytes, char text[16])
{
	static const char *const unit[] = { "bytes", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t i = 0;

	/* not 1000 of one, when rounded */
	for (; value >= (i ? 999.5 : 1000) && unit[i + 1]; i++)
		value /= 1000;
	snprintf(text, 16, "%.*f %s", i && value < 9.95, value, unit[i]);
}

static void say_reduced(const struct job *job, uint64_t after)
{
	char sentence[64], from[16], to[16];
	uint64_t before = 0;

	for (size_t i = 0; i < job->n_files; i++)
		before += job->file[i].size;
	say_size(before, from);
	say_size(after, to);
	snprintf(sentence, sizeof(sentence), "reduced from %s to %s", from, to);
	if (!job->options->quiet)
		message(job->messages, job->options->reduce, sentence);
}

static void say_written(const struct job *job)
{
	const struct question *q = &job->options->question;
	char sentence[64];

	snprintf(sentence, sizeof(sentence), "%" PRIu64 " bytes written", q->report.ask.length);
	if (!job->options->quiet)
		message(job->messages, q->bytes, sentence);
}

static enum report_status answer_kernel(const struct job *job, struct workspace *w,
					const struct kernel *k)
{
	struct report_result result = { 0 };
	struct renderer *list[3];
	enum report_status status;
	uint64_t size = 0;
	struct fault why;
	size_t n = 0;

	if (!set_up(job, w, list, &n, &why) ||
	    !report_run(k, &job->options->question.report, list, n, &result, &why) ||
	    outputs_failed(job, w, &why) ||
	    (w->recorder && !reduce(w->recorder, k, job->reduced, &size, &why))) {
		status = fail(job, w, &k->mem->facts, &why);
	} else {
		print_problems(job, &result.problems);
		if (w->recorder)
			say_reduced(job, size);
		if (w->bytes.complete)
			say_written(job);
		status = result.status;
	}
	report_free(&result);
	return status;
}

/* The text by hand stands in for the note from here on. */
static bool take_vmcoreinfo(const struct job *job, struct workspace *w, struct fault *why)
{
	size_t len;

	if (job->vmcoreinfo.fd < 0)
		return true;
	w->vmcoreinfo = vmcoreinfo_file_read(job->vmcoreinfo.fd, &len, why);
	if (!w->vmcoreinfo)
		return fault_prefix(why, "vmcoreinfo %s: ", job->options->vmcoreinfo);
	w->mem.facts.vmcoreinfo = w->vmcoreinfo;
	w->mem.facts.vmcoreinfo_len = len;
	w->mem.facts.vmcoreinfo_file = job->options->vmcoreinfo;
	return true;
}

static struct kernel *open_kernel(const struct job *job, struct workspace *w,
				  const struct source *source, struct fault *why)
{
	const struct memory *mem = &w->mem;

	w->mem = *source_memory(source);
	if (!take_vmcoreinfo(job, w, why))
		return NULL;
	if (job->reduced >= 0) {
		w->recorder = recorder_new(mem);
		if (!w->recorder) {
			fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
			return NULL;
		}
		mem = recorder_memory(w->recorder);
	}
	if (job->vmlinux.fd < 0)
		return kernel_open(mem, why);
	w->vmlinux = vmlinux_open(job->vmlinux.fd, job->vmlinux.size, job->options->vmlinux, why);
	return w->vmlinux ? kernel_open_with(mem, vmlinux_debuginfo(w->vmlinux), why) : NULL;
}

enum report_status answer(const struct job *job)
{
	struct workspace *w = calloc(1, sizeof(*w));
	enum report_status status;
	struct source *source;
	struct kernel *k = NULL;
	struct fault why;

	if (!w) {
		say(job, "out of memory");
		return REPORT_FAILED;
	}
	sink_init(&w->out, write_fd, (void *)&job->out);
	sink_init(&w->snapshot, write_fd, &w->snapshot_fd);
	source = source_open(job->file, job->n_files, job->progress, &why);
	if (source)
		k = open_kernel(job, w, source, &why);
	if (k)
		status = answer_kernel(job, w, k);
	else
		status = fail(job, w, source ? &source_memory(source)->facts : NULL, &why);
	kernel_close(k);
	recorder_free(w->recorder);
	vmlinux_close(w->vmlinux);
	if (source)
		source_close(source);
	free(w->vmcoreinfo);
	free(w);
	return status;
}
