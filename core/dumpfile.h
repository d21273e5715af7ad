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
	/**
	 * For a file of which pieces were never written: the number of bytes from @offset on
	 * (at least 1) that all were, or all were not (*@written). NULL: all of it was.
	 */
	uint64_t (*run)(void *file, uint64_t offset, bool *written);
};

struct dumpfile;

/**
 * Read and check the headers of a vmcore. @io is copied.
 * Returns NULL with @why: FAULT_UNSUPPORTED names what the file is instead and the cure,
 * STATE_CUT a file that ends before its own tables, STATE_DAMAGED the rule that it breaks.
 */
struct dumpfile *dumpfile_open(const struct dumpfile_io *io, struct fault *why);

/**
 * The same for the @n files of one dump that makedumpfile --split wrote, in any order. Files of
 * another dump, doubled and overlapping parts are refused; a missing one is a gap in the facts,
 * and its pages are STATE_CUT.
 */
struct dumpfile *dumpfile_open_set(const struct dumpfile_io *io, size_t n, struct fault *why);
void dumpfile_close(struct dumpfile *df);

/** Borrowed until dumpfile_close(). */
const struct memory_facts *dumpfile_facts(const struct dumpfile *df);

/**
 * For decoders that want the parts of a split dump sorted and without empty ones: how many there
 * are, and the place of the @i-th in the array given to dumpfile_open_set(). One file: 1 and 0.
 */
size_t dumpfile_parts(const struct dumpfile *df);
size_t dumpfile_part(const struct dumpfile *df, size_t i);

/**
 * What all parts of one split dump have in common, and no other file: a number for the file
 * whose first bytes are @head. 0: not a part of a split dump.
 */
enum { DUMPFILE_HEAD = 65536 + 16 };
uint64_t dumpfile_split_key(const uint8_t *head, size_t n);

/** Unit of the file's page map in bytes: block_size of a kdump, 0 for ELF. */
uint64_t dumpfile_block_size(const struct dumpfile *df);

/**
 * State of the bytes [@phys, @phys + @n): STATE_STORED if the file holds all of them, inside
 * its end and with a sane descriptor; else the state of the first that it does not hold.
 * Reads page maps and descriptors, never contents.
 */
enum state dumpfile_state(struct dumpfile *df, uint64_t phys, size_t n);

/**
 * The next range that the file's map has, at or after *@phys: *@phys is its start (where it was,
 * if that is in a range), *@n its bytes. Ascending, never empty, neighbours merged. False: none.
 *
 * Every byte that dumpfile_state() calls STATE_STORED is in a range. In a range of a kdump there
 * may be pages that are not: of those only the bit in the bitmap was looked at, not whether
 * their descriptor is sane and inside the file. Ranges of a kdump begin and end at blocks; those
 * of an ELF file, and in a reduced dump those of pages that the original had in part, at any
 * byte. The part of a split dump that is missing is in no range.
 * Costs reading the bitmap between *@phys and the end of the range; an ELF file is not read.
 */
bool dumpfile_next(struct dumpfile *df, uint64_t *phys, uint64_t *n);

#endif
