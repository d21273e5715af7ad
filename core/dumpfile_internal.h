/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the dumpfile_*.c: the handle and what each format provides.
 */
#ifndef ARENA_DUMPFILE_INTERNAL_H
#define ARENA_DUMPFILE_INTERNAL_H

#include "dumpfile.h"
#include "reduced.h"

/* Small blocks of page maps and descriptors, which lookups of neighbours share. */
enum { FILE_BLOCK = 4096, FILE_BLOCKS = 32 };

/* Notes are copied to memory: more than any kernel with 8192 CPUs writes. */
#define MAX_NOTES (UINT64_C(16) << 20)

struct dumpfile {
	struct dumpfile_io io;
	struct memory_facts facts;
	uint8_t *notes;			/* owned; facts point into it */
	char *vmcoreinfo;		/* owned, or NULL when it lies in @notes */
	char original[REDUCED_FORMAT];	/* format of the dump that was reduced to this one */
	struct reduced_pieces pieces;	/* pages of which that had only some bytes */
	const struct dumpfile_format *format;
	void *map;			/* of the format; freed by it */
	uint64_t block_tag[FILE_BLOCKS];	/* block number + 1; 0: empty */
	uint8_t block[FILE_BLOCKS][FILE_BLOCK];
};

struct dumpfile_format {
	bool (*open)(struct dumpfile *df, struct fault *why);
	void (*close)(struct dumpfile *df);
	enum state (*state)(struct dumpfile *df, uint64_t phys, uint64_t n);
	/* as dumpfile_next(), but what a reduced dump's original did not have is in it */
	bool (*next)(struct dumpfile *df, uint64_t *phys, uint64_t *n);
};

extern const struct dumpfile_format dumpfile_kdump, dumpfile_elf, dumpfile_split;

/* A part of a split kdump: the pages [start, end) are its own, and bitmaps are of the whole. */
struct kdump_part {
	bool split;
	uint64_t start, end;		/* pfns */
	uint64_t pages;			/* pfns of the whole dump are below */
	uint64_t block_size;		/* bytes */
	uint64_t stored;		/* pages in all parts */
};

/** False: @df is no kdump. */
bool dumpfile_kdump_part(const struct dumpfile *df, struct kdump_part *part);

/** All of [@offset, @offset + @n), which is inside the file, was written. */
bool dumpfile_written(const struct dumpfile *df, uint64_t offset, uint64_t n);

/** Read from the file; STATE_CUT or FAULT_IO in @why, which names @what. */
bool dumpfile_pread(struct dumpfile *df, void *buf, uint64_t n, uint64_t offset,
		    const char *what, struct fault *why);

/** The same through the block cache, for small pieces; false where it cannot be read. */
bool dumpfile_peek(struct dumpfile *df, void *buf, size_t n, uint64_t offset);

/** Read [@offset, @offset + @size) of the file as notes and find VMCOREINFO in them. */
bool dumpfile_take_notes(struct dumpfile *df, uint64_t offset, uint64_t size,
			 struct fault *why);

/** Note that the file needs @end bytes; sets facts.cut where it is shorter. */
void dumpfile_needs(struct dumpfile *df, uint64_t end);

#endif
