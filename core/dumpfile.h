/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file's own map: which page a vmcore stores, read from its headers and checked, before
 * any decoder is asked. kdump-compressed (makedumpfile, QEMU) and ELF64 (/proc/vmcore, QEMU,
 * makedumpfile -E), little endian.
 *
 * Decoders fail badly on what is not there: libkdumpfile 0.5 returns zeros behind the end of a
 * cut file and dies on pages that a kdump does not hold; crash reads holes of ELF files as
 * zeros. So what this map does not call STATE_STORED must not be asked of them.
 */
#ifndef ARENA_DUMPFILE_H
#define ARENA_DUMPFILE_H

#include "memory.h"

/** How to read the file. */
struct dumpfile_io {
	/** Fill @buf with exactly @n bytes from @offset. */
	bool (*pread)(void *file, void *buf, size_t n, uint64_t offset);
	void *file;
	uint64_t size;		/* bytes */
};

struct dumpfile;

/**
 * Read and check the headers of a vmcore. @io is copied.
 * Returns NULL with @why: FAULT_UNSUPPORTED names what the file is instead and the cure,
 * STATE_CUT a file that ends before its own tables, STATE_DAMAGED the rule that it breaks.
 */
struct dumpfile *dumpfile_open(const struct dumpfile_io *io, struct fault *why);
void dumpfile_close(struct dumpfile *df);

/** Borrowed until dumpfile_close(). */
const struct memory_facts *dumpfile_facts(const struct dumpfile *df);

/** Unit of the file's page map in bytes: block_size of a kdump, 0 for ELF. */
uint64_t dumpfile_block_size(const struct dumpfile *df);

/**
 * State of the bytes [@phys, @phys + @n): STATE_STORED if the file holds all of them, inside
 * its end and with a sane descriptor; else the state of the first that it does not hold.
 * Reads page maps and descriptors, never contents.
 */
enum state dumpfile_state(struct dumpfile *df, uint64_t phys, size_t n);

#endif
