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
static bool is_same_build(const struct vmcoreinfo *vi, const char *id)
{
	char dump[65];

	return !vmcoreinfo_string(vi, "BUILD-ID", dump, sizeof(dump)) || !strcasecmp(dump, id);
}

static void compare_builds(const struct vmcoreinfo *vi)
{
	struct fault ignored;
	char id[65] = "";

	*session.warning = '\0';
	if (symbols_build_id(id, &ignored) && !is_same_build(vi, id))
		snprintf(session.warning, sizeof(session.warning),
			 "%.256s is the vmlinux of another kernel than the dump's: this answer is "
			 "from the dump alone, but what crash itself says is wrong",
			 crash_vmlinux());
}

/* The dump does not name its structs or symbols: crash's vmlinux can, if it is of this build. */
static struct kernel *open_with_symbols(const struct vmcoreinfo *vi, struct fault *why)
{
	struct fault other = *why;
	char id[65] = "";

	if (!symbols_build_id(id, &other) || !is_same_build(vi, id)) {
		fault_add(why, "; and %s", *session.warning ? "crash's vmlinux is of another kernel" :
			  other.text);
		return NULL;
	}
	session.symbols = calloc(1, sizeof(*session.symbols));
	if (!session.symbols) {
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	crash_gdb_begin();
	symbols_gather(session.symbols, id);
	crash_gdb_end();
	return kernel_open_with(source_memory(session.source), &session.symbols->debuginfo, why);
}

/* Built without CONFIG_KALLSYMS_ALL: there are arenas, but where they begin the dump cannot say. */
static void complete_symbols(void)
{
	struct fault ignored = { .kind = STATE_STORED };
	struct kernel *k = session.kernel, *whole;

	if (!k->has_arenas || k->symbol[SYMBOL_map_idr].count)
		return;
	whole = open_with_symbols(&k->vmcoreinfo, &ignored);
	if (!whole)
		return;
	kernel_close(k);
	session.kernel = whole;
}

static bool open_kernel(struct fault *why)
{
	const struct memory *mem;
	struct vmcoreinfo vi;

	session.vmcore = strdup(crash_vmcore());
	if (!session.vmcore)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	session.source = source_open(why);
	if (!session.source)
		return false;
	mem = source_memory(session.source);
	session.kernel = kernel_open(mem, why);
	vi = session.kernel ? session.kernel->vmcoreinfo :
	     (struct vmcoreinfo){ mem->facts.vmcoreinfo, mem->facts.vmcoreinfo_len };
	compare_builds(&vi);
	if (session.kernel)
		complete_symbols();
	else if (why->cure == CURE_DEBUGINFO)
		session.kernel = open_with_symbols(&vi, why);
	return session.kernel;
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
