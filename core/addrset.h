/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of addresses: where a walk has been, so that it goes nowhere twice and ends.
 */
#ifndef ARENA_ADDRSET_H
#define ARENA_ADDRSET_H

#include <stddef.h>
#include <stdint.h>

/** { 0 } is the empty set. */
struct addrset {
	uint64_t *slot;		/* hash; 0: empty */
	size_t n, room;
};

enum addrset_answer { ADDRSET_NEW, ADDRSET_KNOWN, ADDRSET_FULL, ADDRSET_NOMEM };

/** Put in @addr (not 0). ADDRSET_FULL: it is not in, and @limit others are. */
enum addrset_answer addrset_add(struct addrset *set, uint64_t addr, size_t limit);
void addrset_free(struct addrset *set);

#endif
