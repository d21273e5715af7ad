// SPDX-License-Identifier: GPL-2.0-or-later
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crash.h"
#include "source.h"
#include "symbols.h"

/* The one thing that outlives a command: crash gives an extension no other place to keep it. */
static struct {
	char *vmcore;
	struct source *source;
	struct symbols *symbols;	/* the kernel borrows their name; else NULL */
	struct kernel *kernel;
	char warning[448];
	bool warned;
} session;

void session_close(void)
{
	kernel_close(session.kernel);
	session.kernel = NULL;
	source_close(session.source);
	session.source = NULL;
	free(session.symbols);
	session.symbols = NULL;
	free(session.vmcore);
	session.vmcore = NULL;
}

const char *session_warning(void)
{
	if (session.warned || !*session.warning)
		return NULL;
	session.warned = true;
	return session.warning;
}

/* --minimal takes any vmlinux for any dump; full sessions compare. */
static bool is_same_build(const struct memory_facts *facts, const char *id)
{
	struct vmcoreinfo vi = { facts->vmcoreinfo, facts->vmcoreinfo_len };
	char dump[65];

	return !vmcoreinfo_string(&vi, "BUILD-ID", dump, sizeof(dump)) || !strcasecmp(dump, id);
}

static void compare_builds(const struct memory_facts *facts)
{
	struct fault ignored;
	char id[65] = "";

	*session.warning = '\0';
	if (symbols_build_id(id, &ignored) && !is_same_build(facts, id))
		snprintf(session.warning, sizeof(session.warning),
			 "%.256s is the vmlinux of another kernel than the dump's: this answer is "
			 "from the dump alone, but what crash itself says is wrong",
			 crash_vmlinux());
}

/* The dump does not name its structs or symbols: crash's vmlinux can, if it is of this build. */
static bool open_with_symbols(struct fault *why)
{
	const struct memory *mem = source_memory(session.source);
	struct fault other = *why;
	char id[65] = "";

	if (!symbols_build_id(id, &other) || !is_same_build(&mem->facts, id)) {
		if (*session.warning)
			return fault_add(why, "; and crash's vmlinux is of another kernel");
		return fault_add(why, "; and %s", other.text);
	}
	session.symbols = calloc(1, sizeof(*session.symbols));
	if (!session.symbols)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	crash_gdb_begin();
	symbols_gather(session.symbols, id);
	crash_gdb_end();
	session.kernel = kernel_open_with(mem, &session.symbols->debuginfo, why);
	return session.kernel;
}

static bool open_kernel(struct fault *why)
{
	session.vmcore = strdup(crash_vmcore());
	if (!session.vmcore)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	session.source = source_open(why);
	if (!session.source)
		return false;
	compare_builds(&source_memory(session.source)->facts);
	session.kernel = kernel_open(source_memory(session.source), why);
	if (session.kernel)
		return true;
	return why->cure == CURE_DEBUGINFO && open_with_symbols(why);
}

const struct kernel *session_kernel(struct fault *why)
{
	if (session.kernel && !crash_is_live() && !strcmp(session.vmcore, crash_vmcore()))
		return session.kernel;
	session_close();
	if (open_kernel(why))
		return session.kernel;
	session_close();
	return NULL;
}
