// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All contact with crash. One binary serves crash 8.0.2 to 9.0.2: only fields and functions are
 * used that have the same place and meaning in all of them.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <defs.h>
#pragma GCC diagnostic pop

#include <fcntl.h>
#include <signal.h>

#include "../core/dumpfile.h"
#include "crash.h"

/* struct program_context is the same in 8.0.2, 8.0.6 and 9.0.2, per machine */
#if defined(X86_64)
enum { READMEM_OFFSET = 5864 };
#elif defined(ARM64)
enum { READMEM_OFFSET = 6088 };
#else
#error "crash extension: x86_64 and arm64 only"
#endif
_Static_assert(offsetof(struct program_context, dumpfile) == 56, "crash: pc->dumpfile");
_Static_assert(offsetof(struct program_context, dfd) == 164, "crash: pc->dfd");
_Static_assert(offsetof(struct program_context, curcmd) == 4936, "crash: pc->curcmd");
_Static_assert(offsetof(struct program_context, readmem) == READMEM_OFFSET, "crash: pc->readmem");
_Static_assert(sizeof(struct command_table_entry) == 32, "crash: struct command_table_entry");

struct crash_memory {
	int fd;
	struct dumpfile *df;
	struct memory mem;
};

static volatile sig_atomic_t stopped;
static struct sigaction crash_sigint;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

void crash_signals_begin(void)
{
	const struct sigaction action = { .sa_handler = stop };

	stopped = 0;
	sigaction(SIGINT, &action, &crash_sigint);
}

void crash_signals_end(void)
{
	sigaction(SIGINT, &crash_sigint, NULL);
}

bool crash_stopped(void)
{
	return stopped;
}

const char *crash_vmcore(void)
{
	return pc->dumpfile ? pc->dumpfile : "-";
}

bool crash_write(void *ctx, const char *text, size_t n)
{
	(void)ctx;
	if (fwrite(text, 1, n, fp) != n || ferror(fp))
		return false;
	return output_open() && !stopped;
}

static bool read_file(void *file, void *buf, size_t n, uint64_t offset)
{
	const struct crash_memory *m = file;
	uint8_t *out = buf;

	while (n) {
		ssize_t got = pread(m->fd, out, n, (off_t)offset);

		if (got <= 0)
			return false;
		out += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return true;
}

static enum state read_phys(void *source, uint64_t phys, void *buf, size_t n)
{
	const struct crash_memory *m = source;
	enum state state = dumpfile_state(m->df, phys, n);

	/* crash reads holes of an ELF dump, and what is around its segments, as zeros or worse */
	if (state != STATE_STORED)
		return state;
	if (pc->readmem(pc->dfd, buf, (int)n, 0, phys) == (int)n)
		return STATE_STORED;
	return STATE_DAMAGED;
}

static enum state phys_state(void *source, uint64_t phys, size_t n)
{
	const struct crash_memory *m = source;

	return dumpfile_state(m->df, phys, n);
}

static bool progress(void *source, const char *what, uint64_t done, uint64_t total)
{
	(void)source;
	(void)what;
	(void)done;
	(void)total;
	return !stopped;
}

static const struct memory_ops ops = {
	.read = read_phys,
	.state = phys_state,
	.progress = progress,
};

struct crash_memory *crash_memory_open(struct fault *why)
{
	struct crash_memory *m = calloc(1, sizeof(*m));
	struct dumpfile_io io = { .pread = read_file, .file = m };
	struct stat st;

	if (!m) {
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	m->fd = pc->dumpfile ? open(pc->dumpfile, O_RDONLY | O_CLOEXEC) : -1;
	if (m->fd < 0 || fstat(m->fd, &st) || !S_ISREG(st.st_mode)) {
		fault_fill(why, FAULT_UNSUPPORTED, SPACE_NONE, 0,
			   "this session has no dump file that can be read");
		crash_memory_close(m);
		return NULL;
	}
	io.size = (uint64_t)st.st_size;
	m->df = dumpfile_open(&io, why);
	if (!m->df) {
		crash_memory_close(m);
		return NULL;
	}
	m->mem = (struct memory){ .ops = &ops, .source = m, .facts = *dumpfile_facts(m->df) };
	return m;
}

void crash_memory_close(struct crash_memory *m)
{
	dumpfile_close(m->df);
	if (m->fd >= 0)
		close(m->fd);
	free(m);
}

const struct memory *crash_memory(const struct crash_memory *m)
{
	return &m->mem;
}

static void cmd_arena(void)
{
	/* does not return */
	if (arena_command(argcnt, args) == COMMAND_USAGE)
		cmd_usage(pc->curcmd, SYNOPSIS);
}

static struct command_table_entry commands[] = {
	{ "arena", cmd_arena, arena_help, MINIMAL },
	{ NULL, NULL, NULL, 0 },
};

__attribute__((constructor)) static void arena_register(void)
{
	register_extension(commands);
}
