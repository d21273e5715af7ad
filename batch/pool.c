// SPDX-License-Identifier: GPL-2.0-or-later
#include "pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "worker.h"

/* A slow vmcore holds back the answers behind it; so many may wait, with their open files. */
enum { WAITING = 64 };

struct pool {
	const struct options *options;
	struct worker *worker;		/* a ring: vmcore i is at i % room */
	struct pollfd *poll;
	size_t room;
	struct vmcores vmcores;
	size_t n, started, finished;	/* vmcores */
	size_t running;
	sigset_t before;		/* signal mask outside of us */
	int status;
};

static volatile sig_atomic_t signal_taken;

static void take_signal(int number)
{
	signal_taken = number;
}

/*
 * SIGINT and its kind are blocked but while we wait, so none gets lost, and none hits between
 * two steps. One that is ignored (nohup) stays so.
 */
static void catch_signals(struct pool *p)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction action = { .sa_handler = take_signal };
	sigset_t set;

	/* a full disk and a limit are errors of write(), to be said */
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;

		sigaction(numbers[i], NULL, &old);
		if (old.sa_handler == SIG_IGN)
			continue;
		sigaction(numbers[i], &action, NULL);
		sigaddset(&set, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &set, &p->before);
}

static struct worker *worker_of(struct pool *p, size_t i)
{
	return &p->worker[i % p->room];
}

static void start_workers(struct pool *p)
{
	while (p->started < p->n && p->running < p->options->jobs &&
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

	if (p->n < 2 || p->options->json)
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
	for (; p->finished < p->started; p->finished++) {
		struct worker *w = worker_of(p, p->finished);

		if (w->pid)
			return true;
		if (w->status > p->status)
			p->status = w->status;
		if (heading(p, p->finished) && worker_finish(w))
			continue;
		p->status = REPORT_FAILED;
		if (!p->options->quiet)
			message(STDERR_FILENO, "standard output", strerror(errno));
		return false;
	}
	return true;
}

static bool set_up(struct pool *p)
{
	const struct options *o = p->options;

	p->room = o->jobs + WAITING;
	p->worker = calloc(p->room, sizeof(*p->worker));
	p->poll = calloc(p->room, sizeof(*p->poll));
	if (!p->worker || !p->poll || !vmcores_group(&p->vmcores, o->vmcore, (size_t)o->n_vmcores)) {
		message(STDERR_FILENO, NULL, "out of memory");
		p->status = REPORT_FAILED;
		return false;
	}
	p->n = p->vmcores.n;
	if (o->output && p->n != 1) {
		message(STDERR_FILENO, NULL, "-o takes exactly one VMCORE, or all parts of a split one");
		p->status = 2;
		return false;
	}
	return true;
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
