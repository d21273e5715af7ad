/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kdump-compressed file (zlib, header version 6), written in one pass. Pages that are not
 * stored keep their reason: see kdump_writer_page().
 */
#ifndef ARENA_WRITE_KDUMP_H
#define ARENA_WRITE_KDUMP_H

#include "../core/fault.h"

enum { UTSNAMES = 6, UTSNAME_LEN = 65 };

/* What comes before the pages. */
struct kdump_head {
	/* sysname, nodename, release, version, machine, domain */
	char utsname[UTSNAMES][UTSNAME_LEN];
	uint64_t time;			/* of the crash, seconds; 0: not known */
	uint64_t page_size;		/* bytes */
	uint64_t pages;			/* all page numbers are below */
	uint64_t in_file;		/* pages to come, but for absent and excluded ones */
	uint64_t phys_base;
	int level;			/* of makedumpfile */
	bool incomplete;
	unsigned cpus;
	const uint8_t *notes;		/* borrowed until the end */
	size_t notes_len;
	size_t vmcoreinfo, vmcoreinfo_len;	/* place of that text in @notes */
};

struct kdump_writer;

/** Begin a file on @fd, which is empty and borrowed. NULL: @why. */
struct kdump_writer *kdump_writer_new(int fd, const struct kdump_head *head, struct fault *why);
void kdump_writer_free(struct kdump_writer *w);

/**
 * The next page, numbers ascending; what is left out is absent. STATE_EXCLUDED is in the first
 * bitmap alone, STATE_CUT has a descriptor of zeros, STATE_DAMAGED an impossible one.
 * STATE_STORED: @data is the page, or NULL for one that cannot be decoded.
 */
bool kdump_writer_page(struct kdump_writer *w, uint64_t number, enum state state,
		       const uint8_t *data, struct fault *why);

/** Write what is left. *@size: bytes of the file. */
bool kdump_writer_end(struct kdump_writer *w, uint64_t *size, struct fault *why);

#endif
