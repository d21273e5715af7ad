/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program printed and nobody has read (kernel/bpf/stream.c, 6.17 and later): reports of
 * faults in its arena go to stderr.
 */
#ifndef ARENA_STREAMS_H
#define ARENA_STREAMS_H

#include "addrset.h"
#include "kernel.h"

enum { STREAM_STDOUT, STREAM_STDERR, STREAMS };

/** { .k = k } at first: elements that were met, and bytes, of all programs. */
struct stream_reader {
	const struct kernel *k;
	struct addrset elements;
	size_t bytes;
};

void stream_reader_free(struct stream_reader *r);

/** Does this kernel have streams, and are their structs known? */
bool stream_exists(const struct kernel *k);

/**
 * Read what is unread in stream @which of the main program whose bpf_prog_aux is at @aux.
 * *@text: NUL-terminated and owned by the caller; NULL: nothing. False: not all of it could be
 * read (@why); what could is there. FAULT_NOMEM: nothing is.
 */
bool stream_read(struct stream_reader *r, uint64_t aux, unsigned which, char **text,
		 struct fault *why);

#endif
