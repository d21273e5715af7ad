/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel symbols from the kallsyms tables in the dump (kernel/kallsyms.c,
 * scripts/kallsyms.c), found by VMCOREINFO.
 */
#ifndef ARENA_KALLSYMS_H
#define ARENA_KALLSYMS_H

#include "pagetable.h"
#include "vmcoreinfo.h"

/** A symbol that is wanted, and what was found. */
struct symbol {
	const char *name;
	uint64_t addr;		/* valid when count == 1 */
	uint32_t index;		/* in the tables, of the last one found */
	unsigned count;		/* symbols of that name; static ones may repeat */
	bool optional;		/* wanted, but not at any price */
	bool lost;		/* optional, and there, but the dump does not have its address */
};

/** Is @name, of @len bytes, that of @want? "name.llvm.*" counts as name (Clang with LTO). */
bool symbol_matches(const struct symbol *want, const char *name, size_t len);

/** How kallsyms_offsets give addresses. The first two are one format of relative offsets. */
enum kallsyms_encoding {
	KALLSYMS_ABSOLUTE_PERCPU,	/* x86_64 up to 6.14: off >= 0 is the value itself */
	KALLSYMS_BASE,			/* relative_base + (u32)off: up to 6.19 */
	KALLSYMS_PLACE,			/* &offsets[i] + off: from 7.0 on */
	KALLSYMS_ENCODINGS
};

/**
 * Look up @n symbols in one pass over all names; symbol_matches() compares.
 * The encoding is proved, not derived from the version: under it the symbols that VMCOREINFO
 * gives too must all have the same addresses. *@encoding and *@total (number of symbols) are
 * set. False: the tables cannot be read or prove nothing. A symbol that is not there is not an
 * error: its count is 0. So it is with an optional one whose offset cannot be read: a reduced
 * dump has those that its arenasnap asked for.
 */
bool kallsyms_resolve(struct pagetable *pt, const struct vmcoreinfo *vi, struct symbol *want,
		      size_t n, enum kallsyms_encoding *encoding, uint32_t *total,
		      struct fault *why);

#endif
