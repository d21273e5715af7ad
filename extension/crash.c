// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All contact with crash. One binary serves crash 8.0.2 to 9.0.2: only fields and functions are
 * used that have the same place and meaning in all of them.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <defs.h>
#pragma GCC diagnostic pop

#include <signal.h>

#include "crash.h"

/* struct program_context is the same in 8.0.2, 8.0.6 and 9.0.2, per machine */
#if defined(X86_64)
enum { READMEM_OFFSET = 5864, CLEANUP_OFFSET = 5952, FLAGS2_OFFSET = 5912 };
static const char machine[] = "x86_64";
#elif defined(ARM64)
enum { READMEM_OFFSET = 6088, CLEANUP_OFFSET = 6176, FLAGS2_OFFSET = 6136 };
static const char machine[] = "aarch64";
#else
#error "crash extension: x86_64 and arm64 only"
#endif
_Static_assert(offsetof(struct program_context, flags) == 40, "crash: pc->flags");
_Static_assert(offsetof(struct program_context, namelist) == 48, "crash: pc->namelist");
_Static_assert(offsetof(struct program_context, dumpfile) == 56, "crash: pc->dumpfile");
_Static_assert(offsetof(struct program_context, machine_type) == 112, "crash: pc->machine_type");
_Static_assert(offsetof(struct program_context, dfd) == 164, "crash: pc->dfd");
_Static_assert(offsetof(struct program_context, curcmd) == 4936, "crash: pc->curcmd");
_Static_assert(offsetof(struct program_context, readmem) == READMEM_OFFSET, "crash: pc->readmem");
_Static_assert(offsetof(struct program_context, flags2) == FLAGS2_OFFSET, "crash: pc->flags2");
_Static_assert(offsetof(struct program_context, cmd_cleanup) == CLEANUP_OFFSET,
	       "crash: pc->cmd_cleanup");
_Static_assert(sizeof(struct command_table_entry) == 32, "crash: struct command_table_entry");

/* What the running command has changed in crash. */
static struct {
	bool active;
	bool handler;			/* ours is installed */
	struct sigaction sigint;	/* crash's */
	ulong zero_excluded;		/* the bit, if it was set */
	void (*cleanup)(void);
} command;
static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

/* No SA_RESTART: a write into a pager that waits for its user must end, too. */
static void take_sigint(void)
{
	const struct sigaction action = { .sa_handler = stop };

	sigaction(SIGINT, &action, &command.sigint);
	command.handler = true;
}

static void give_sigint_back(void)
{
	if (command.handler)
		sigaction(SIGINT, &command.sigint, NULL);
	command.handler = false;
}

static void abandon(void *arg)
{
	void (*cleanup)(void) = command.cleanup;

	(void)arg;
	crash_end();
	if (cleanup)
		cleanup();
}

void crash_begin(void (*cleanup)(void))
{
	stopped = 0;
	clearerr(fp);
	command.cleanup = cleanup;
	command.active = true;
	pc->cmd_cleanup = abandon;
	pc->cmd_cleanup_arg = NULL;
	/* excluded pages shall not be read as zeros */
	command.zero_excluded = *diskdump_flags & ZERO_EXCLUDED;
	*diskdump_flags &= ~(ulong)ZERO_EXCLUDED;
	take_sigint();
}

void crash_end(void)
{
	if (!command.active)
		return;
	give_sigint_back();
	*diskdump_flags |= command.zero_excluded;
	pc->cmd_cleanup = NULL;
	pc->cmd_cleanup_arg = NULL;
	command.cleanup = NULL;
	command.active = false;
}

bool crash_stopped(void)
{
	return stopped;
}

void crash_gdb_begin(void)
{
	give_sigint_back();
}

void crash_gdb_end(void)
{
	take_sigint();
}

const char *crash_vmcore(void)
{
	return pc->dumpfile ? pc->dumpfile : "-";
}

const char *crash_vmlinux(void)
{
	return pc->namelist;
}

bool crash_is_live(void)
{
	return ACTIVE();
}

const char *crash_machine(void)
{
	return machine;
}

bool crash_invents_zeros(void)
{
	return !ACTIVE() && (pc->flags & (KDUMP | NETDUMP | SADUMP));
}

enum state crash_read(uint64_t phys, void *buf, size_t n)
{
	int fd = REMOTE_MEMSRC() ? pc->sockfd : ACTIVE() ? pc->mfd : pc->dfd;
	int got = pc->readmem(fd, buf, (int)n, 0, phys);

	if (got == (int)n)
		return STATE_STORED;
	if (got == PAGE_EXCLUDED)
		return STATE_EXCLUDED;
	if (got == SEEK_ERROR)
		return STATE_ABSENT;
	if (got == PAGE_INCOMPLETE)
		return STATE_CUT;
	return ACTIVE() ? STATE_ABSENT : STATE_DAMAGED;
}

bool crash_symbol(const char *name, uint64_t *addr)
{
	/* symbol_value() of a symbol that is not there ends the command */
	if (!kernel_symbol_exists((char *)name))
		return false;
	*addr = symbol_value((char *)name);
	return true;
}

bool crash_image_phys(uint64_t addr, uint64_t *phys)
{
	physaddr_t found;

	if (!kvtop(NULL, addr, &found, 0))
		return false;
	*phys = found;
	return true;
}

long crash_member_offset(const char *type, const char *member, bool anonymous)
{
	return anonymous ? ANON_MEMBER_OFFSET((char *)type, (char *)member) :
	       MEMBER_OFFSET((char *)type, (char *)member);
}

long crash_member_size(const char *type, const char *member)
{
	return MEMBER_SIZE((char *)type, (char *)member);
}

long crash_struct_size(const char *type)
{
	return STRUCT_SIZE((char *)type);
}

bool crash_has_struct(const char *type)
{
	return STRUCT_EXISTS((char *)type);
}

bool crash_write(void *output, const char *text, size_t n)
{
	struct crash_output *out = output;

	if (!out->gone) {
		errno = 0;
		if (n)
			out->last = text[n - 1];
		if (fwrite(text, 1, n, fp) != n || ferror(fp)) {
			out->gone = true;
			if (errno != EPIPE && errno != EINTR)
				out->error = errno;
		} else if (!output_open()) {
			out->gone = true;
		}
	}
	return !stopped && (out->files || !out->gone);
}

void crash_complain(const char *sentence)
{
	error(INFO, "%s\n", sentence);
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

/*
 * A crash that was built on x86_64 for another machine loads what was built for x86_64, but its
 * structs have other sizes.
 */
static bool is_our_machine(void)
{
	return pc->machine_type && !strcmp(pc->machine_type, MACHINE_TYPE);
}

__attribute__((constructor)) static void arena_register(void)
{
	if (is_our_machine())
		register_extension(commands);
	else
		error(INFO, "arena.so is built for crash of %s, and this is a crash of %s\n",
		      MACHINE_TYPE, pc->machine_type ? pc->machine_type : "an unknown machine");
}

__attribute__((destructor)) static void arena_unregister(void)
{
	crash_end();
	arena_unload();
}
