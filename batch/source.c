// SPDX-License-Identifier: GPL-2.0-or-later
#include "source.h"

#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../core/vmcoreinfo.h"

/* Pages that libkdumpfile keeps; it searches them one by one, so few are fastest. */
enum { CACHE_PAGES = 16 };

struct source {
	int fd, progress;
	struct timespec shown;		/* when progress was shown last */
	struct dumpfile *df;
	kdump_ctx_t *ctx;
	struct memory mem;
};

static bool read_file(void *file, void *buf, size_t n, uint64_t offset)
{
	const struct source *s = file;
	uint8_t *out = buf;

	while (n) {
		ssize_t got = pread(s->fd, out, n, (off_t)offset);

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
	const struct source *s = source;
	enum state state = dumpfile_state(s->df, phys, n);
	size_t len = n;
	kdump_status status;

	/* libkdumpfile up to 0.5.4 dies on pages that are not stored, and invents zeros */
	if (state != STATE_STORED)
		return state;
	status = kdump_read(s->ctx, KDUMP_MACHPHYSADDR, phys, buf, &len);
	if (status == KDUMP_OK && len == n)
		return STATE_STORED;
	kdump_clear_err(s->ctx);
	if (status == KDUMP_ERR_NOTIMPL)
		return FAULT_UNSUPPORTED;
	return status == KDUMP_ERR_SYSTEM ? FAULT_IO : STATE_DAMAGED;
}

static enum state phys_state(void *source, uint64_t phys, size_t n)
{
	const struct source *s = source;

	return dumpfile_state(s->df, phys, n);
}

static bool show_progress(void *source, const char *what, uint64_t done, uint64_t total)
{
	struct source *s = source;
	struct timespec now;
	int64_t ms;

	if (s->progress < 0)
		return true;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - s->shown.tv_sec) * 1000 + (now.tv_nsec - s->shown.tv_nsec) / 1000000;
	if (ms < 250)
		return true;
	s->shown = now;
	if (total)
		dprintf(s->progress, "\r\033[K%s: %" PRIu64 "%%", what, done * 100 / total);
	else
		dprintf(s->progress, "\r\033[K%s ...", what);
	return true;
}

static const struct memory_ops ops = {
	.read = read_phys,
	.state = phys_state,
	.progress = show_progress,
};

static bool decoder_fault(kdump_ctx_t *ctx, const char *what, struct fault *why)
{
	return fault_set(why, FAULT_UNSUPPORTED, SPACE_FILE, 0, "libkdumpfile cannot %s: %s", what,
			 ctx ? kdump_get_err(ctx) : "out of memory");
}

/*
 * libkdumpfile takes the page size of VMCOREINFO for the blocks of a kdump, and then reads
 * other pages than were asked for.
 */
static bool check_blocks(const struct source *s, const struct vmcoreinfo *vi, struct fault *why)
{
	uint64_t block = dumpfile_block_size(s->df), page;

	if (!block || !vmcoreinfo_number(vi, "PAGESIZE", &page) || page == block)
		return true;
	return fault_set(why, FAULT_UNSUPPORTED, SPACE_FILE, 428,
		"a kdump with blocks of %" PRIu64 " bytes of a kernel with pages of %" PRIu64
		" (QEMU writes these for aarch64), which is not read; dump the guest as ELF: "
		"dump-guest-memory without -z, -l, -s", block, page);
}

static bool open_decoder(struct source *s, struct fault *why)
{
	const struct memory_facts *facts = &s->mem.facts;
	struct vmcoreinfo vi = { facts->vmcoreinfo, facts->vmcoreinfo_len };
	const char *machine = facts->machine;
	uint64_t page, v;

	if (vmcoreinfo_number(&vi, "NUMBER(kimage_voffset)", &v))
		machine = "aarch64";
	else if (!machine)
		machine = "x86_64";
	if (!check_blocks(s, &vi, why))
		return false;
	s->ctx = kdump_new();
	if (!s->ctx)
		return decoder_fault(NULL, "start", why);
	/* NEVER: a mapped file that shrinks is a SIGBUS */
	if (kdump_set_number_attr(s->ctx, "file.mmap_policy", KDUMP_MMAP_NEVER) != KDUMP_OK ||
	    kdump_set_number_attr(s->ctx, "cache.size", CACHE_PAGES) != KDUMP_OK ||
	    kdump_set_string_attr(s->ctx, "arch.name", machine) != KDUMP_OK)
		return decoder_fault(s->ctx, "be set up", why);
	if (!dumpfile_block_size(s->df) && vmcoreinfo_number(&vi, "PAGESIZE", &page) &&
	    kdump_set_number_attr(s->ctx, "arch.page_size", page) != KDUMP_OK)
		return decoder_fault(s->ctx, "take the page size", why);
	if (kdump_open_fd(s->ctx, s->fd) != KDUMP_OK)
		return decoder_fault(s->ctx, "open the file", why);
	return true;
}

struct source *source_open(int fd, uint64_t size, int progress, struct fault *why)
{
	struct source *s = calloc(1, sizeof(*s));
	struct dumpfile_io io = { .pread = read_file, .file = s, .size = size };

	if (!s) {
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	s->fd = fd;
	s->progress = progress;
	clock_gettime(CLOCK_MONOTONIC, &s->shown);
	s->df = dumpfile_open(&io, why);
	if (!s->df) {
		source_close(s);
		return NULL;
	}
	s->mem = (struct memory){ .ops = &ops, .source = s, .facts = *dumpfile_facts(s->df) };
	if (!open_decoder(s, why)) {
		source_close(s);
		return NULL;
	}
	return s;
}

void source_close(struct source *s)
{
#if KDUMPFILE_VERSION >= KDUMPFILE_MKVER(0, 5, 2)
	/* 0.5.1 reads freed memory here; the process is about to end anyway */
	if (s->ctx)
		kdump_free(s->ctx);
#endif
	dumpfile_close(s->df);
	free(s);
}

const struct memory *source_memory(const struct source *s)
{
	return &s->mem;
}
