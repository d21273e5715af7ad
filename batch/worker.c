// SPDX-License-Identifier: GPL-2.0-or-later
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "output.h"

/* Far above any honest dump; they end what our checks did not foresee. */
enum { CPU_SECONDS = 1800 };
#define ADDRESS_SPACE (UINT64_C(2) << 30)

/* What the parent holds for one vmcore. */
struct parent {
	const struct options *options;
	const char *path;
	struct job job;
	struct output output;
	int answer, messages;	/* unlinked temporary files */
	int sockets[2];		/* the worker's end, ours */
	pid_t pid;
};

static volatile sig_atomic_t signal_taken;

static void take_signal(int number)
{
	signal_taken = number;
}

/* SIGINT and its kind: end the worker, clean up, and die of the signal. */
static void catch_signals(void (*handler)(int))
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = handler };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

static int temporary_file(void)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (!dir || !*dir)
		dir = "/tmp";
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

static void set_limits(void)
{
	const struct rlimit cpu = { CPU_SECONDS, CPU_SECONDS + 5 };
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__)
	const struct rlimit memory = { ADDRESS_SPACE, ADDRESS_SPACE };

	setrlimit(RLIMIT_AS, &memory);
#endif
}

/* The worker: never returns. */
static void work(struct parent *p)
{
	enum report_status status;

	catch_signals(SIG_DFL);
	set_limits();
	if (p->sockets[1] >= 0)
		close(p->sockets[1]);
	p->job.messages = fdopen(p->messages, "w");
	if (!p->job.messages)
		_exit(REPORT_FAILED);
	status = answer(&p->job);
	if (fclose(p->job.messages))
		status = REPORT_FAILED;
	_exit(status);
}

static int say(const struct parent *p, const char *sentence)
{
	if (!p->options->quiet)
		fprintf(stderr, "arenasnap: %s: %s\n", p->path, sentence);
	return REPORT_FAILED;
}

static bool write_stdout(void *ctx, const char *text, size_t n)
{
	(void)ctx;
	return fwrite(text, 1, n, stdout) == n;
}

/* No answer from a worker: the line that it would have written, and a sentence. */
static int failed(const struct parent *p, const struct fault *why)
{
	static struct sink out;

	if (p->options->json) {
		sink_init(&out, write_stdout, NULL);
		json_failed(&out, "arenasnap", p->path, why);
		fflush(stdout);
	}
	return say(p, why->text);
}

static bool open_vmcore(struct parent *p, struct fault *why)
{
	struct stat st;

	p->job.fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (p->job.fd < 0 || fstat(p->job.fd, &st))
		return fault_set(why, FAULT_IO, SPACE_NONE, 0, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_NONE, 0, "%s",
			S_ISDIR(st.st_mode) ? "is a folder, not a vmcore" :
			"is not a regular file; copy it into one first");
	p->job.size = (uint64_t)st.st_size;
	return true;
}

static bool open_temporaries(struct parent *p, struct fault *why)
{
	p->answer = temporary_file();
	p->messages = temporary_file();
	if (p->answer < 0 || p->messages < 0)
		return fault_set(why, FAULT_IO, SPACE_NONE, 0,
			"no temporary file can be made (TMPDIR): %s", strerror(errno));
	if (p->output.dir >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p->sockets))
		return fault_set(why, FAULT_IO, SPACE_NONE, 0, "no socket: %s", strerror(errno));
	return true;
}

static bool start(struct parent *p, struct fault *why)
{
	p->job.options = p->options;
	p->job.path = p->path;
	p->job.progress = !p->options->quiet && isatty(STDERR_FILENO) ? STDERR_FILENO : -1;
	p->job.socket = p->sockets[0];
	p->job.out = p->answer;
	fflush(NULL);
	p->pid = fork();
	if (p->pid < 0)
		return fault_set(why, FAULT_IO, SPACE_NONE, 0, "no process: %s", strerror(errno));
	if (!p->pid)
		work(p);
	if (p->sockets[0] >= 0)
		close(p->sockets[0]);
	p->sockets[0] = -1;
	return true;
}

/* Wait for the worker's end. */
static int reap(struct parent *p)
{
	int status;

	if (p->sockets[1] >= 0)
		output_serve(&p->output, p->sockets[1]);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		if (signal_taken)
			kill(p->pid, SIGKILL);
	if (p->job.progress >= 0)
		dprintf(p->job.progress, "\r\033[K");
	return status;
}

/* Die of the signal that stopped us, as a shell expects. */
static void die_of_signal(struct parent *p)
{
	output_abort(&p->output);
	catch_signals(SIG_DFL);
	raise(signal_taken);
}

static bool pass_on(int from, int to)
{
	char buf[65536];
	ssize_t n;

	if (lseek(from, 0, SEEK_SET))
		return false;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		for (ssize_t done = 0, part; done < n; done += part) {
			part = write(to, buf + done, (size_t)(n - done));
			if (part < 0 && errno == EINTR)
				part = 0;
			if (part < 0)
				return false;
		}
	return !n;
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
			   "the process that read it died of signal %d (%s); the dump is damaged "
			   "in a way that was not foreseen", number, strsignal(number));
	else
		fault_fill(why, FAULT_WORKER, SPACE_NONE, 0,
			   "the process that read it ended with status %d", WEXITSTATUS(status));
}

/* The answer of a worker that ended well. */
static int finish(struct parent *p, int status)
{
	struct fault why;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (code != REPORT_COMPLETE && code != REPORT_PARTIAL && code != REPORT_FAILED) {
		describe_death(status, &why);
		output_abort(&p->output);
		return failed(p, &why);
	}
	if (code == REPORT_FAILED)
		output_abort(&p->output);
	else if (p->output.dir >= 0 && !output_commit(&p->output))
		code = REPORT_FAILED;
	if (!pass_on(p->answer, STDOUT_FILENO))
		code = say(p, strerror(errno));
	pass_on(p->messages, STDERR_FILENO);
	return code;
}

static void close_all(struct parent *p)
{
	int fd[] = { p->job.fd, p->answer, p->messages, p->sockets[0], p->sockets[1] };

	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

int worker_run(const struct options *options, const char *path)
{
	struct parent p = {
		.options = options, .path = path, .job.fd = -1, .output.dir = -1,
		.answer = -1, .messages = -1, .sockets = { -1, -1 },
	};
	struct fault why;
	int status;

	catch_signals(take_signal);
	if (!open_vmcore(&p, &why)) {
		status = failed(&p, &why);
	} else if (options->output && !output_open(&p.output, options->output)) {
		status = 2;
	} else if (!open_temporaries(&p, &why) || !start(&p, &why)) {
		output_abort(&p.output);
		status = failed(&p, &why);
	} else {
		status = reap(&p);
		if (signal_taken)
			die_of_signal(&p);
		status = finish(&p, status);
	}
	close_all(&p);
	return status;
}
