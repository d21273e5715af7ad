// SPDX-License-Identifier: GPL-2.0-or-later
#include "source.h"

#include <errno.h>
#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../core/vmcoreinfo.h"
#include "fileio.h"
#include "straighten.h"

/* Pages that libkdumpfile keeps; it searches them one by one, so few are fastest. */
enum { CACHE_PAGES = 16 };

/* One file as it is read: the one that was given, or its plain copy. */
struct input {
	int fd;
	uint64_t size;
	int scratch;			/* still empty; -1: @fd is it */
	struct straightened plain;	/* of a flattened file */
};

struct source {
	int progress;
	struct timespec shown;		/* when progress was shown last */
	struct input *input;
	size_t n;
	bool unended;			/* a flattened file is cut */
	struct dumpfile *df;
	kdump_ctx_t *ctx;
	unsigned cache;			/* pages that it keeps, beyond CACHE_PAGES: 0 or 1 */
	struct memory mem;
};

static bool read_file(void *file, void *buf, size_t n, uint64_t offset)
{
	const struct input *in = file;

	return read_at(in->fd, buf, n, offset);
}

static uint64_t written_run(void *file, uint64_t offset, bool *written)
{
	const struct input *in = file;

	return straightened_run(&in->plain, offset, written);
}

static enum state read_phys(void *source, uint64_t phys, void *buf, size_t n)
{
	struct source *s = source;
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
	/*
	 * libkdumpfile up to 0.5.4 loses a buffer of its cache with a page that cannot be decoded,
	 * and then fails on good ones. A cache of another size is a new one.
	 */
	s->cache = !s->cache;
	kdump_set_number_attr(s->ctx, "cache.size", CACHE_PAGES + s->cache);
	if (status == KDUMP_ERR_NOTIMPL)
		return FAULT_UNSUPPORTED;
	return status == KDUMP_ERR_SYSTEM ? FAULT_IO : STATE_DAMAGED;
}

static enum state phys_state(void *source, uint64_t phys, size_t n)
{
	const struct source *s = source;

	return dumpfile_state(s->df, phys, n);
}

static bool next_stored(void *source, uint64_t *phys, uint64_t *n)
{
	const struct source *s = source;

	return dumpfile_next(s->df, phys, n);
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
	.next = next_stored,
	.progress = show_progress,
};

static bool decoder_fault(kdump_ctx_t *ctx, const char *what, struct fault *why)
{
	return fault_set(why, FAULT_UNSUPPORTED, SPACE_FILE, 0, "libkdumpfile cannot %s: %s", what,
			 kdump_get_err(ctx));
}

/* A flattened file is replaced by its plain copy. */
static bool open_input(struct source *s, const struct source_file *file, struct input *in,
		       struct fault *why)
{
	*in = (struct input){ .fd = file->fd, .size = file->size, .scratch = file->scratch };
	if (!is_flattened(in->fd))
		return true;
	if (!straighten(in->fd, in->size, in->scratch, s->progress, &in->plain, why))
		return false;
	in->fd = in->scratch;
	in->size = in->plain.size;
	in->scratch = -1;
	s->unended |= in->plain.cut;
	return true;
}

static bool open_inputs(struct source *s, const struct source_file *file, size_t n,
			struct fault *why)
{
	struct dumpfile_io *io = calloc(n, sizeof(*io));

	s->input = calloc(n, sizeof(*s->input));
	if (!io || !s->input) {
		free(io);
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	}
	for (s->n = 0; s->n < n; s->n++) {
		struct input *in = &s->input[s->n];

		if (!open_input(s, &file[s->n], in, why))
			break;
		io[s->n] = (struct dumpfile_io){
			.pread = read_file, .file = in, .size = in->size,
			.run = in->plain.cut ? written_run : NULL,
		};
	}
	if (s->n == n)
		s->df = dumpfile_open_set(io, n, why);
	free(io);
	if (!s->df && s->unended && why->kind == FAULT_UNSUPPORTED)
		return fault_set(why, STATE_CUT, SPACE_FILE, 0,
			"the flattened dump is cut before the header of the dump");
	return s->df;
}

/*
 * libkdumpfile takes the page size of VMCOREINFO for the blocks of a kdump, and then reads
 * other pages than were asked for. QEMU's kdump files of aarch64 have blocks of 64 KiB. So it
 * gets a copy without VMCOREINFO, which we have read before.
 */
static bool hide_vmcoreinfo(struct input *in, uint64_t block, struct fault *why)
{
	/* offset and size of VMCOREINFO and of the notes in struct kdump_sub_header */
	static const uint8_t none[32];

	if (in->scratch >= 0) {
		if (!copy_plain(in->fd, in->size, in->scratch, why))
			return false;
		in->fd = in->scratch;
		in->scratch = -1;
	}
	return write_at(in->fd, none, sizeof(none), block + 32) ||
	       fault_set(why, FAULT_IO, SPACE_NONE, 0,
		"its plain copy cannot be written (TMPDIR): %s", strerror(errno));
}

static bool check_blocks(struct source *s, const struct vmcoreinfo *vi, struct fault *why)
{
	uint64_t block = dumpfile_block_size(s->df), page;

	if (!block || !vmcoreinfo_number(vi, "PAGESIZE", &page) || page == block)
		return true;
	for (size_t i = 0; i < s->n; i++)
		if (!hide_vmcoreinfo(&s->input[i], block, why))
			return false;
	return true;
}

static bool set_up_decoder(struct source *s, const struct vmcoreinfo *vi, struct fault *why)
{
	const char *machine = s->mem.facts.machine;
	uint64_t page, v;

	if (vmcoreinfo_number(vi, "NUMBER(kimage_voffset)", &v))
		machine = "aarch64";
	else if (!machine)
		machine = "x86_64";
	/* NEVER: a mapped file that shrinks is a SIGBUS */
	if (kdump_set_number_attr(s->ctx, "file.mmap_policy", KDUMP_MMAP_NEVER) != KDUMP_OK ||
	    kdump_set_number_attr(s->ctx, "cache.size", CACHE_PAGES) != KDUMP_OK ||
	    kdump_set_string_attr(s->ctx, "arch.name", machine) != KDUMP_OK)
		return decoder_fault(s->ctx, "be set up", why);
	/* of ELF; without VMCOREINFO, pages of which those of any kernel are made up */
	if (!vmcoreinfo_number(vi, "PAGESIZE", &page))
		page = 4096;
	if (!dumpfile_block_size(s->df) &&
	    kdump_set_number_attr(s->ctx, "arch.page_size", page) != KDUMP_OK)
		return decoder_fault(s->ctx, "take the page size", why);
	return true;
}

static bool open_decoder(struct source *s, struct fault *why)
{
	const struct memory_facts *facts = &s->mem.facts;
	struct vmcoreinfo vi = { facts->vmcoreinfo, facts->vmcoreinfo_len };
	size_t n = dumpfile_parts(s->df);
	int *fd;
	bool ok;

	if (!check_blocks(s, &vi, why))
		return false;
	s->ctx = kdump_new();
	fd = calloc(n, sizeof(*fd));
	if (!s->ctx || !fd) {
		free(fd);
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	}
	for (size_t i = 0; i < n; i++)
		fd[i] = s->input[dumpfile_part(s->df, i)].fd;
	ok = set_up_decoder(s, &vi, why) &&
	     (kdump_open_fdset(s->ctx, (unsigned)n, fd) == KDUMP_OK ||
	      decoder_fault(s->ctx, "open the file", why));
	free(fd);
	return ok;
}

struct source *source_open(const struct source_file *file, size_t n, int progress,
			   struct fault *why)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s) {
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	s->progress = progress;
	clock_gettime(CLOCK_MONOTONIC, &s->shown);
	if (open_inputs(s, file, n, why)) {
		s->mem = (struct memory){
			.ops = &ops, .source = s, .facts = *dumpfile_facts(s->df) };
		s->mem.facts.unended = s->unended;
		if (open_decoder(s, why))
			return s;
	}
	source_close(s);
	return NULL;
}

void source_close(struct source *s)
{
#if KDUMPFILE_VERSION >= KDUMPFILE_MKVER(0, 5, 2)
	/* 0.5.1 reads freed memory here; the process is about to end anyway */
	if (s->ctx)
		kdump_free(s->ctx);
#endif
	dumpfile_close(s->df);
	for (size_t i = 0; i < s->n; i++)
		straightened_free(&s->input[i].plain);
	free(s->input);
	free(s);
}

const struct memory *source_memory(const struct source *s)
{
	return &s->mem;
}
