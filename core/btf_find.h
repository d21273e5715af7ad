/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's BTF where no symbol leads to it: by its header, in the kernel's image.
 */
#ifndef ARENA_BTF_FIND_H
#define ARENA_BTF_FIND_H

#include "pagetable.h"

/**
 * The next address from *@va on and below @end that has a header of BTF; *@size: bytes that the
 * header describes, at most @max. What is not mapped or not stored is passed over; @mem, which
 * is that of @pt, is looked at by memory_peek(). False: there is none.
 */
bool btf_find_next(struct pagetable *pt, const struct memory *mem, uint64_t *va, uint64_t end,
		   uint64_t max, uint64_t *size);

#endif
