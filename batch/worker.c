// SPDX-License-Identifier: GPL-2.0-or-later
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fileio.h"
#include "message.h"

/* Far above any honest dump; they end what our checks did not foresee. */
enum { CPU_SECONDS = 1800 };
#define ADDRESS_SPACE (UINT64_C(2) << 30)

/* An unlinked file in TMPDIR, or in @otherwise. */
static int temporary_file(const char *otherwise)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (!dir || !*dir)
		dir = otherwise;
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if ((size_t)snprintf(path, sizeof(path), "%s/arenasnap.XXXXXX", dir) >= sizeof(path))
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* Lower a limit, never raise one that the user has set. */
static void set_limit(int which, rlim_t soft, rlim_t hard)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)which, &limit))
		return;
	if (limit.rlim_cur > soft)
		limit.rlim_cur = soft;
	if (limit.rlim_max > hard)
		limit.rlim_max = hard;
	setrlimit((__rlimit_resource_t)which, &limit);
}

static void set_limits(const struct job *job)
{
	set_limit(RLIMIT_CPU, CPU_SECONDS, CPU_SECONDS + 5);
	set_limit(RLIMIT_CORE, 0, 0);
#if !defined(__SANITIZE_ADDRESS__)
	/* a vmlinux is mapped whole; its compressed sections, unpacked, fit into the rest */
	const rlim_t space = ADDRESS_SPACE + job->vmlinux.size;

	set_limit(RLIMIT_AS, space, space);
#else
	(void)job;
#endif
}

/* In the worker: signals end it, also those that the parent catches, and so does its parent's end. */
static void restore_signals(const sigset_t *signals)
{
	struct sigaction old;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 1; i < NSIG; i++)
		if (!sigaction(i, NULL, &old) && old.sa_handler != SIG_IGN &&
		    old.sa_handler != SIG_DFL)
			signal(i, SIG_DFL);
	sigprocmask(SIG_SETMASK, signals, NULL);
}

static void close_file(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* The vmcore's files and their scratch: a running worker has its own descriptors of them. */
static void close_files(struct worker *w)
{
	for (size_t i = 0; w->file && i < w->vmcore->n; i++) {
		close_file(w->file[i].fd);
		close_file(w->file[i].scratch);
	}
	free(w->file);
	w->file = NULL;
	close_file(w->job.vmlinux.fd);
	w->job.vmlinux.fd = -1;
	close_file(w->job.vmcoreinfo.fd);
	w->job.vmcoreinfo.fd = -1;
}

static bool open_file(struct source_file *file, const char *path, const char *what,
		      struct fault *why)
{
	struct stat st;

	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0 || fstat(file->fd, &st))
		return fault_set(why, FAULT_IO, SPACE_NONE, 0, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0, "is %s%s",
			S_ISDIR(st.st_mode) ? "a folder, not a " :
			"not a regular file; copy it into one first",
			S_ISDIR(st.st_mode) ? what : "");
	file->size = (uint64_t)st.st_size;
	return true;
}

static bool open_vmcore(struct worker *w, struct fault *why)
{
	w->file = calloc(w->vmcore->n, sizeof(*w->file));
	if (!w->file)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (size_t i = 0; i < w->vmcore->n; i++)
		w->file[i].fd = w->file[i].scratch = -1;
	for (size_t i = 0; i < w->vmcore->n; i++)
		if (!open_file(&w->file[i], w->vmcore->path[i], "vmcore", why))
			return i ? fault_prefix(why, "%s: ", w->vmcore->path[i]) : false;
	w->job.file = w->file;
	w->job.n_files = w->vmcore->n;
	return true;
}

static bool open_vmlinux(struct worker *w, struct fault *why)
{
	const char *path = w->options->vmlinux;

	return !path || open_file(&w->job.vmlinux, path, "vmlinux", why) ||
	       fault_prefix(why, "vmlinux %s: ", path);
}

static bool open_vmcoreinfo(struct worker *w, struct fault *why)
{
	const char *path = w->options->vmcoreinfo;

	return !path || open_file(&w->job.vmcoreinfo, path, "vmcoreinfo", why) ||
	       fault_prefix(why, "vmcoreinfo %s: ", path);
}

static bool open_temporaries(struct worker *w, struct fault *why)
{
	bool ok;

	w->answer = temporary_file("/tmp");
	w->messages = temporary_file("/tmp");
	ok = w->answer >= 0 && w->messages >= 0;
	/* a plain copy may be as large as the dump, and /tmp may be memory */
	for (size_t i = 0; ok && i < w->vmcore->n; i++) {
		w->file[i].scratch = temporary_file("/var/tmp");
		ok = w->file[i].scratch >= 0;
	}
	return ok || fault_set(why, FAULT_IO, SPACE_NONE, 0,
		"no temporary file can be made (TMPDIR): %s", strerror(errno));
}

static bool start(struct worker *w, const sigset_t *signals, struct fault *why)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fault_set(why, FAULT_IO, SPACE_NONE, 0, "no socket: %s", strerror(errno));
	w->job.options = w->options;
	w->job.path = w->path;
	w->job.socket = w->options->question.output ? pair[0] : -1;
	w->job.reduced = w->reduced.fd;
	w->job.bytes = w->bytes.fd;
	w->job.out = w->answer;
	w->job.messages = w->messages;
	w->socket = pair[1];
	w->pid = fork();
	if (w->pid > 0) {
		close(pair[0]);
		close_files(w);
		return true;
	}
	if (!w->pid) {
		close(pair[1]);
		restore_signals(signals);
		set_limits(&w->job);
		_exit(answer(&w->job));
	}
	w->pid = 0;
	close(pair[0]);
	return fault_set(why, FAULT_IO, SPACE_NONE, 0, "no process: %s", strerror(errno));
}

static void abort_outputs(struct worker *w)
{
	folder_abort(&w->output);
	newfile_abort(&w->reduced);
	newfile_abort(&w->bytes);
}

/* A refusal is not of the vmcore, and makes no JSON line of it. */
static bool open_outputs(struct worker *w)
{
	const char *path = w->options->question.output;

	if (path)
		w->status = folder_open(&w->output, path, &w->why);
	if (!w->status && w->options->reduce) {
		path = w->options->reduce;
		w->status = newfile_open(&w->reduced, path, &w->why);
	}
	if (!w->status && w->options->question.bytes) {
		path = w->options->question.bytes;
		w->status = newfile_open(&w->bytes, path, &w->why);
	}
	if (!w->status)
		return true;
	abort_outputs(w);
	w->failed = w->status == REPORT_FAILED;
	if (w->failed)
		fault_prefix(&w->why, "%s: ", path);
	else
		message(STDERR_FILENO, path, w->why.text);
	return false;
}

void worker_start(struct worker *w, const struct options *options, const struct vmcore *vmcore,
		  const sigset_t *signals)
{
	const bool progress = !options->quiet && options->jobs == 1 && isatty(STDERR_FILENO);

	*w = (struct worker){
		.options = options, .vmcore = vmcore, .path = vmcore->path[0], .output.dir = -1,
		.reduced = { .dir = -1, .fd = -1 }, .bytes = { .dir = -1, .fd = -1 },
		.job.vmlinux.fd = -1, .job.vmcoreinfo.fd = -1,
		.job.progress = progress ? STDERR_FILENO : -1,
		.answer = -1, .messages = -1, .socket = -1,
	};
	/* outputs first: with swapped arguments the vmcore is refused as what it is there */
	if (!open_outputs(w))
		return;
	if (open_vmcore(w, &w->why) && open_vmlinux(w, &w->why) &&
	    open_vmcoreinfo(w, &w->why) && open_temporaries(w, &w->why) && start(w, signals, &w->why))
		return;
	abort_outputs(w);
	w->status = REPORT_FAILED;
	w->failed = true;
}

static void describe_death(int status, struct fault *why)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (number == SIGXCPU)
		fault_fill(why, FAULT_WORKER, SPACE_NONE, 0,
			   "given up after %d seconds of CPU time; the dump is damaged in a way "
			   "that was not foreseen", CPU_SECONDS);
	else if (number)
		fault_fill(why, FAULT_WORKER, SPACE_NONE, 0,
			   "the process that read it died of signal %d (%s)", number,
			   strsignal(number));
	else
		fault_fill(why, FAULT_WORKER, SPACE_NONE, 0,
			   "the process that read it ended with status %d", WEXITSTATUS(status));
}

/* The file of -w has all bytes that were asked for, or none and no name. */
static bool commit_bytes(struct worker *w)
{
	struct stat st;

	if (w->bytes.dir < 0)
		return true;
	if (fstat(w->bytes.fd, &st) || st.st_size)
		return newfile_commit(&w->bytes, &w->why);
	newfile_abort(&w->bytes);
	return true;
}

/* Files first: they can be taken back. */
static bool commit_outputs(struct worker *w)
{
	return commit_bytes(w) && (w->reduced.dir < 0 || newfile_commit(&w->reduced, &w->why)) &&
	       (w->output.dir < 0 || folder_commit(&w->output, &w->why));
}

static void reap(struct worker *w)
{
	int status, code;

	close(w->socket);
	w->socket = -1;
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
	if (w->job.progress >= 0)
		write_fd(&w->job.progress, "\r\033[K", 4);
	code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	w->status = code;
	if (code != REPORT_COMPLETE && code != REPORT_PARTIAL && code != REPORT_FAILED) {
		describe_death(status, &w->why);
		w->failed = true;
		w->status = REPORT_FAILED;
	}
	if (w->status != REPORT_FAILED && !commit_outputs(w)) {
		w->failed = true;
		w->status = REPORT_FAILED;
	}
	if (w->status == REPORT_FAILED)
		abort_outputs(w);
	newfile_close(&w->reduced);
	newfile_close(&w->bytes);
}

void worker_event(struct worker *w)
{
	if (!output_serve(&w->output, w->socket))
		reap(w);
}

static bool pass_on(int from, int to)
{
	char buf[65536];
	ssize_t n;

	if (lseek(from, 0, SEEK_SET))
		return false;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (!write_fd(&to, buf, (size_t)n))
			return false;
	return !n;
}

static void close_all(struct worker *w)
{
	close_file(w->answer);
	close_file(w->messages);
	close_file(w->socket);
	close_files(w);
}

/* The line and the sentence that the worker did not write. */
static bool finish_failed(struct worker *w)
{
	struct problems problems = { 0 };
	int out = STDOUT_FILENO;
	struct sink s;
	bool ok = true;

	if (w->options->question.json) {
		sink_init(&s, write_fd, &out);
		problems_add(&problems, &w->why);
		ok = json_failed(&s, "arenasnap", w->path, &problems);
		problems_free(&problems);
	}
	if (!w->options->quiet)
		message(STDERR_FILENO, w->path, w->why.text);
	return ok;
}

bool worker_finish(struct worker *w)
{
	bool ok = true;
	int error;

	if (w->failed)
		ok = finish_failed(w);
	else if (w->answer >= 0)
		ok = pass_on(w->answer, STDOUT_FILENO);
	error = errno;
	if (!w->failed && w->messages >= 0)
		pass_on(w->messages, STDERR_FILENO);
	close_all(w);
	errno = error;
	return ok;
}

void worker_kill(struct worker *w)
{
	if (w->pid) {
		kill(w->pid, SIGKILL);
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
		w->pid = 0;
	}
	if (w->job.progress >= 0)
		write_fd(&w->job.progress, "\r\033[K", 4);
	abort_outputs(w);
	close_all(w);
}
