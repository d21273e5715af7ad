// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which kind of file it is, and what all kinds share.
 */
#include "dumpfile_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"
#include "reader.h"
#include "vmcoreinfo.h"

struct magic {
	uint8_t len;
	const char *bytes;
	const char *what;	/* the file is ... */
	const char *cure;
};

#define MAGIC(bytes, what, cure) { sizeof(bytes) - 1, bytes, what, cure }

static const struct magic others[] = {
	MAGIC("makedumpfile\0", "a flattened dump",
	      "make a plain one (makedumpfile -R NEW < FILE), or use arenasnap"),
	MAGIC("\x1f\x8b", "compressed with gzip", "unpack it: gzip -d"),
	MAGIC("\xfd" "7zXZ\0", "compressed with xz", "unpack it: xz -d"),
	MAGIC("\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it: zstd -d"),
	MAGIC("BZh", "compressed with bzip2", "unpack it: bzip2 -d"),
	MAGIC("\x04\x22\x4d\x18", "compressed with lz4", "unpack it: lz4 -d"),
	MAGIC("\x89LZO\0", "compressed with lzop", "unpack it: lzop -d"),
	MAGIC("DISKDUMP", "an old diskdump", NULL),
	MAGIC("\xed\x23\x8f\x61\x73\x01\x19\xa8", "an LKCD dump", NULL),
	MAGIC("\xed\x23\xcf\x61\x73\x01\x19\xa8", "an LKCD dump", NULL),
	MAGIC("\xa8\x19\x01\x73\x61\x8f\x23\xfd", "an s390 dump", NULL),
	MAGIC("sadu" "mp\0\0", "a sadump dump", NULL),
	MAGIC("sadump\0\0", "a sadump dump", NULL),
	MAGIC("LinuxGuestRecord", "a Xen save file", NULL),
	MAGIC("QEVM", "a QEMU migration stream",
	      "dump the guest instead: dump-guest-memory, or virsh dump --memory-only"),
	MAGIC("Libv", "a libvirt save file", "dump the guest instead: virsh dump --memory-only"),
	MAGIC("\xd0\xbe\xd0\xbe", "a VMware snapshot", NULL),
	MAGIC("\xd1\xba\xd1\xba", "a VMware snapshot", NULL),
	MAGIC("\xd2\xba\xd2\xba", "a VMware snapshot", NULL),
	MAGIC("\xd2\xbe\xd2\xbe", "a VMware snapshot", NULL),
	MAGIC("\xd3\xbe\xd3\xbe", "a VMware snapshot", NULL),
	MAGIC("PAGEDU64", "a Windows dump", NULL),
	MAGIC("PAGEDUMP", "a Windows dump", NULL),
	MAGIC("EMiL", "a LiME image", NULL),
	MAGIC("AVML", "an AVML image", NULL),
};

static bool has_magic(const uint8_t *head, size_t n, const char *bytes, size_t len)
{
	return n >= len && !memcmp(head, bytes, len);
}

static const struct dumpfile_format *identify(struct dumpfile *df, struct fault *why)
{
	uint8_t head[16] = { 0 };
	size_t n = df->io.size < sizeof(head) ? (size_t)df->io.size : sizeof(head);

	if (!n) {
		fault_fill(why, FAULT_UNSUPPORTED, SPACE_FILE, 0, "the file is empty");
		return NULL;
	}
	if (!dumpfile_pread(df, head, n, 0, "header", why))
		return NULL;
	if (has_magic(head, n, "KDUMP   ", 8))
		return &dumpfile_kdump;
	if (has_magic(head, n, "\x7f" "ELF", 4))
		return &dumpfile_elf;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct magic *m = &others[i];

		if (!has_magic(head, n, m->bytes, m->len))
			continue;
		fault_fill(why, FAULT_UNSUPPORTED, SPACE_FILE, 0,
			   "this is %s, which is not read%s%s", m->what,
			   m->cure ? "; " : "", m->cure ? m->cure : "");
		return NULL;
	}
	fault_fill(why, FAULT_UNSUPPORTED, SPACE_FILE, 0,
		   "not a vmcore: neither kdump-compressed nor ELF");
	return NULL;
}

struct dumpfile *dumpfile_open(const struct dumpfile_io *io, struct fault *why)
{
	struct dumpfile *df = calloc(1, sizeof(*df));

	if (!df) {
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	df->io = *io;
	df->facts.level = -1;
	df->facts.size = df->facts.needed = io->size;
	df->format = identify(df, why);
	if (!df->format || !df->format->open(df, why)) {
		dumpfile_close(df);
		return NULL;
	}
	/* now that its own end and flags are known */
	reduced_read(&df->facts, df->original, &df->pieces);
	return df;
}

void dumpfile_close(struct dumpfile *df)
{
	if (!df)
		return;
	if (df->format)
		df->format->close(df);
	free(df->notes);
	free(df->vmcoreinfo);
	free(df);
}

const struct memory_facts *dumpfile_facts(const struct dumpfile *df)
{
	return &df->facts;
}

enum state dumpfile_state(struct dumpfile *df, uint64_t phys, size_t n)
{
	enum state state;
	uint64_t end;

	if (!n || !add_ok(phys, n, &end))
		return STATE_ABSENT;
	state = df->format->state(df, phys, n);
	return state == STATE_STORED ? reduced_state(&df->pieces, phys, n) : state;
}

bool dumpfile_next(struct dumpfile *df, uint64_t *phys, uint64_t *n)
{
	uint64_t at = *phys, size;
	bool stored;

	for (; df->format->next(df, &at, &size); at += size) {
		size = reduced_run(&df->pieces, at, size, &stored);
		if (!stored)
			continue;
		*phys = at;
		*n = size;
		return true;
	}
	return false;
}

bool dumpfile_pread(struct dumpfile *df, void *buf, uint64_t n, uint64_t offset,
		    const char *what, struct fault *why)
{
	if (!range_ok(offset, n, df->io.size))
		return fault_set(why, STATE_CUT, SPACE_FILE, offset,
			"the file is cut: its %s is at offset %" PRIu64 ", but it has only %"
			PRIu64 " bytes", what, offset, df->io.size);
	if (!dumpfile_written(df, offset, n))
		return fault_set(why, STATE_CUT, SPACE_FILE, offset,
			"the file is cut: its %s at offset %" PRIu64 " was never written", what,
			offset);
	if (!df->io.pread(df->io.file, buf, (size_t)n, offset))
		return fault_set(why, FAULT_IO, SPACE_FILE, offset,
			"the %s at offset %" PRIu64 " cannot be read", what, offset);
	return true;
}

bool dumpfile_written(const struct dumpfile *df, uint64_t offset, uint64_t n)
{
	bool written = true;

	if (!df->io.run)
		return true;
	while (n && written) {
		uint64_t run = df->io.run(df->io.file, offset, &written);

		if (run >= n)
			break;
		offset += run;
		n -= run;
	}
	return written;
}

static const uint8_t *cached_block(struct dumpfile *df, uint64_t number)
{
	size_t slot = number % FILE_BLOCKS;
	uint64_t start = number * FILE_BLOCK;
	uint64_t n = df->io.size - start < FILE_BLOCK ? df->io.size - start : FILE_BLOCK;

	if (df->block_tag[slot] != number + 1) {
		df->block_tag[slot] = 0;
		if (!df->io.pread(df->io.file, df->block[slot], (size_t)n, start))
			return NULL;
		df->block_tag[slot] = number + 1;
	}
	return df->block[slot];
}

bool dumpfile_peek(struct dumpfile *df, void *buf, size_t n, uint64_t offset)
{
	if (!range_ok(offset, n, df->io.size) || !dumpfile_written(df, offset, n))
		return false;
	while (n) {
		size_t at = (size_t)(offset % FILE_BLOCK);
		size_t part = n < FILE_BLOCK - at ? n : FILE_BLOCK - at;
		const uint8_t *block = cached_block(df, offset / FILE_BLOCK);

		if (!block)
			return false;
		memcpy(buf, block + at, part);
		buf = (uint8_t *)buf + part;
		offset += part;
		n -= part;
	}
	return true;
}

bool dumpfile_take_notes(struct dumpfile *df, uint64_t offset, uint64_t size, struct fault *why)
{
	struct vmcoreinfo vi;
	struct note note;

	if (size > MAX_NOTES)
		return fault_set(why, STATE_DAMAGED, SPACE_FILE, offset,
			"notes of %" PRIu64 " bytes: the header is damaged", size);
	free(df->notes);
	df->notes = malloc(size ? (size_t)size : 1);
	if (!df->notes)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	if (!dumpfile_pread(df, df->notes, size, offset, "notes", why))
		return false;
	df->facts.notes = df->notes;
	df->facts.notes_len = (size_t)size;
	if (!notes_find(df->notes, (size_t)size, "VMCOREINFO", 0, &note))
		return true;
	df->facts.vmcoreinfo = (const char *)note.data;
	df->facts.vmcoreinfo_len = note.size;
	return vmcoreinfo_init(&vi, df->facts.vmcoreinfo, note.size, why);
}

void dumpfile_needs(struct dumpfile *df, uint64_t end)
{
	if (end > df->facts.needed)
		df->facts.needed = end;
	df->facts.cut = df->facts.needed > df->facts.size;
}
