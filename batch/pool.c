// SPDX-License-Identifier: GPL-2.0-or-later
#include "pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fileio.h"
#include "message.h"
#include "worker.h"

/* A slow vmcore holds back the answers behind it; so many may wait, with their open files. */
enum { WAITING = 64 };

/* Open files: ours, those of a worker that runs, and what the limit is raised to at most. */
enum { OUR_FILES = 16, WORKER_FILES = 3, MAX_FILES = 4096 };

struct pool {
	const struct options *options;
	struct worker *worker;		/* a ring: vmcore i is at i % room */
	struct pollfd *poll;
	size_t room;
	struct vmcores vmcores;
	size_t n, started, finished;	/* vmcores */
	size_t jobs, running;
	sigset_t before;		/* signal mask outside of us */
	sigset_t caught;
	int status;
};

static volatile sig_atomic_t signal_taken;

static void take_signal(int number)
{
	signal_taken = number;
}

/* Those that end a program, but for the ones that are ignored (nohup): these stay so. */
static void handle_signals(struct pool *p, void (*handler)(int))
{
	const struct sigaction action = { .sa_handler = handler };

	for (int i = 1; i < NSIG; i++)
		if (sigismember(&p->caught, i) == 1)
			sigaction(i, &action, NULL);
}

/* They are blocked but while we wait, so none gets lost, and none hits between two steps. */
static void catch_signals(struct pool *p)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	/* a full disk and a limit are errors of write(), to be said */
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&p->caught);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;

		sigaction(numbers[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaddset(&p->caught, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &p->caught, &p->before);
	handle_signals(p, take_signal);
}

/*
 * Standard output may be stuck for ever. Nothing is left to clean up there: the outputs have their
 * names, and workers die with us.
 */
static bool pass_on_answer(struct pool *p, struct worker *w)
{
	bool ok;
	int error;

	handle_signals(p, SIG_DFL);
	sigprocmask(SIG_SETMASK, &p->before, NULL);
	ok = worker_finish(w);
	error = errno;
	sigprocmask(SIG_BLOCK, &p->caught, NULL);
	handle_signals(p, take_signal);
	errno = error;
	return ok;
}

static struct worker *worker_of(struct pool *p, size_t i)
{
	return &p->worker[i % p->room];
}

static void start_workers(struct pool *p)
{
	while (p->started < p->n && p->running < p->jobs &&
	       p->started - p->finished < p->room) {
		struct worker *w = worker_of(p, p->started);

		worker_start(w, p->options, &p->vmcores.vmcore[p->started], &p->before);
		p->started++;
		p->running += w->pid > 0;
	}
}

/* End all of them, and die of the signal, as a shell expects. */
static void die(struct pool *p)
{
	for (size_t i = p->finished; i < p->started; i++)
		worker_kill(worker_of(p, i));
	signal(signal_taken, SIG_DFL);
	raise(signal_taken);
	sigprocmask(SIG_SETMASK, &p->before, NULL);
	_exit(128 + signal_taken);
}

static void wait_for_workers(struct pool *p)
{
	size_t n = 0;

	for (size_t i = p->finished; i < p->started; i++)
		if (worker_of(p, i)->pid)
			p->poll[n++] = (struct pollfd){ worker_of(p, i)->socket, POLLIN, 0 };
	if (n && ppoll(p->poll, n, NULL, &p->before) < 0 && !signal_taken)
		return;
	if (signal_taken)
		die(p);
	n = 0;
	for (size_t i = p->finished; i < p->started; i++) {
		struct worker *w = worker_of(p, i);

		if (!w->pid || !p->poll[n++].revents)
			continue;
		worker_event(w);
		p->running -= !w->pid;
	}
}

static bool heading(const struct pool *p, size_t i)
{
	int out = STDOUT_FILENO;
	struct sink s;

	if (p->n < 2 || p->options->question.json)
		return true;
	sink_init(&s, write_fd, &out);
	sink_puts(&s, i ? "\n" : "");
	sink_safe(&s, p->vmcores.vmcore[i].path[0]);
	sink_puts(&s, ":\n");
	return sink_flush(&s);
}

/* Pass on what is ready, in order. False: standard output takes no more. */
static bool finish_workers(struct pool *p)
{
	while (p->finished < p->started) {
		struct worker *w = worker_of(p, p->finished);
		bool ok;

		if (w->pid)
			return true;
		if (w->status > p->status)
			p->status = w->status;
		ok = heading(p, p->finished);
		ok = pass_on_answer(p, w) && ok;
		p->finished++;
		if (ok)
			continue;
		p->status = REPORT_FAILED;
		if (!p->options->quiet)
			message(STDERR_FILENO, "standard output", strerror(errno));
		return false;
	}
	return true;
}

/* As many workers as there may be open files for: the limit is raised, and then kept. */
static void fit_limit(struct pool *p)
{
	struct rlimit limit;
	size_t most;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max < MAX_FILES ? limit.rlim_max : MAX_FILES;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	most = limit.rlim_cur > OUR_FILES + WORKER_FILES ?
	       (limit.rlim_cur - OUR_FILES) / WORKER_FILES : 1;
	if (p->room > most)
		p->room = most;
	if (p->jobs > most)
		p->jobs = most;
}

/* Some options are about one vmcore. */
static bool fits_options(struct pool *p)
{
	const struct options *o = p->options;
	const char *option = o->question.output ? "-o" : o->reduce ? "--reduce" :
			     o->question.bytes ? "-w" :
			     o->vmlinux ? "--vmlinux" :
			     o->vmcoreinfo ? "--vmcoreinfo" : NULL;
	char sentence[80];

	if (!option || p->n == 1)
		return true;
	snprintf(sentence, sizeof(sentence),
		 "%s takes exactly one VMCORE, or all parts of a split one", option);
	p->status = options_usage(sentence);
	return false;
}

static bool set_up(struct pool *p)
{
	const struct options *o = p->options;

	p->jobs = o->jobs;
	p->room = p->jobs + WAITING;
	fit_limit(p);
	p->worker = calloc(p->room, sizeof(*p->worker));
	p->poll = calloc(p->room, sizeof(*p->poll));
	if (!p->worker || !p->poll || !vmcores_group(&p->vmcores, o->vmcore, (size_t)o->n_vmcores)) {
		message(STDERR_FILENO, NULL, "out of memory");
		p->status = REPORT_FAILED;
		return false;
	}
	p->n = p->vmcores.n;
	return fits_options(p);
}

int pool_run(const struct options *options)
{
	struct pool p = { .options = options };
	bool ok = set_up(&p);

	catch_signals(&p);
	while (ok && p.finished < p.n) {
		start_workers(&p);
		wait_for_workers(&p);
		ok = finish_workers(&p);
	}
	for (size_t i = p.finished; i < p.started; i++)
		worker_kill(worker_of(&p, i));
	vmcores_free(&p.vmcores);
	free(p.worker);
	free(p.poll);
	return p.status;
}
