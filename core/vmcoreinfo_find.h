/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMCOREINFO in the memory of a dump that has no such note. The kernel keeps the text twice
 * (kernel/vmcore_info.c), each in pages of its own: alone, and as the note that /proc/vmcore
 * shows. What looks like it may as well be of an earlier kernel, or a file's: it is for the
 * caller to prove.
 */
#ifndef ARENA_VMCOREINFO_FIND_H
#define ARENA_VMCOREINFO_FIND_H

#include "memory.h"
#include "vmcoreinfo.h"

/** Where a search is. */
struct vmcoreinfo_search {
	const struct memory *mem;	/* borrowed */
	uint64_t at, end;		/* physical; what is left of a stored range */
	uint64_t done, total;		/* bytes */
	char *text;			/* owned: the text that was found last */
};

/** False: out of memory. vmcoreinfo_search_end() either way. */
bool vmcoreinfo_search_begin(struct vmcoreinfo_search *s, const struct memory *mem,
			     struct fault *why);
void vmcoreinfo_search_end(struct vmcoreinfo_search *s);

/**
 * The next text, ascending by address, of stored pages; each is looked at by memory_peek().
 * *@vi is borrowed until the next call, *@phys is where it begins. vi->text is NULL where there
 * is no more. A text that goes on in a page that cannot be read is none. False: interrupted.
 */
bool vmcoreinfo_search_next(struct vmcoreinfo_search *s, struct vmcoreinfo *vi, uint64_t *phys,
			    struct fault *why);

#endif
