/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own page tables: from virtual to physical addresses, and all mapped pages of a
 * range; and those of a process. What differs between machines is data (struct
 * pagetable_format), filled from VMCOREINFO by pagetable_x86_64.c and pagetable_aarch64.c.
 */
#ifndef ARENA_PAGETABLE_H
#define ARENA_PAGETABLE_H

#include "memory.h"
#include "vmcoreinfo.h"

enum { PAGETABLE_MAX_LEVELS = 5 };

/* Entry bits that are tested: matches when (entry & mask) == value. */
struct pagetable_test {
	uint64_t mask, value;
};

struct pagetable_level {
	unsigned shift;		/* of the bytes that one entry maps */
	unsigned entries;	/* in one table; a power of two */
	bool leaf;		/* an entry may map memory itself */
};

/**
 * Kernel addresses [start, end) that are mapped in one piece by definition: phys is that of
 * start. They are read so only where a page table on the way is not in the dump: tables are
 * allocated from the top of memory, so a dump that is cut loses them first. end 0: none.
 */
struct pagetable_linear {
	uint64_t start, end, phys;
};

enum pagetable_linear_kind { LINEAR_IMAGE, LINEAR_MEMORY, LINEAR_KINDS };

/** Root first; the last level maps pages. */
struct pagetable_format {
	const char *name;	/* "x86_64, 4 levels" */
	unsigned page_shift;
	unsigned levels;
	struct pagetable_level level[PAGETABLE_MAX_LEVELS];
	uint64_t root;		/* physical */
	uint64_t lowest;	/* kernel addresses are from here to the end of 64 bits */
	struct pagetable_test present;	/* above the last level */
	struct pagetable_test leaf;	/* above the last level: the entry maps memory */
	struct pagetable_test page;	/* at the last level */
	uint64_t addr_mask;	/* address bits of an entry */
	/* address bits stored elsewhere: (entry >> high_from & high_mask) << high_to */
	unsigned high_from, high_to;
	uint64_t high_mask;
	/* kernel image before tables can be walked: phys = virt - image_virt + image_phys */
	uint64_t image_virt, image_phys;
	struct pagetable_linear linear[LINEAR_KINDS];	/* the image; all memory */
};

/** arch/x86: 4 or 5 levels, SME. arch/arm64: 4K, 16K, 64K pages, LPA, LPA2. */
bool pagetable_x86_64(struct pagetable_format *f, const struct vmcoreinfo *vi,
		      struct fault *why);
bool pagetable_aarch64(struct pagetable_format *f, const struct vmcoreinfo *vi,
		       struct fault *why);

struct pagetable;

/**
 * @mem and @format are borrowed for the life of the table. Holds the one cache of core/: table
 * pages on the way to the addresses that were translated last. NULL: out of memory.
 */
struct pagetable *pagetable_new(const struct memory *mem, const struct pagetable_format *format);
void pagetable_free(struct pagetable *pt);

/**
 * Physical address of @va. *@left: bytes from there to the end of the mapping entry (never 0).
 * False: @why is STATE_ABSENT where the tables map nothing, STATE_DAMAGED where an entry cannot
 * be, or the state of a table that cannot be read.
 */
bool pagetable_translate(struct pagetable *pt, uint64_t va, uint64_t *phys, uint64_t *left,
			 struct fault *why);

/**
 * The same for an address of a process, whose tables begin at physical @root: they have the
 * kernel's levels. Memory that a process may not access at the moment is not mapped.
 */
bool pagetable_translate_user(struct pagetable *pt, uint64_t root, uint64_t va, uint64_t *phys,
			      uint64_t *left, struct fault *why);

/** Read virtual memory of the kernel, across pages. On failure @buf is partly filled. */
bool pagetable_read(struct pagetable *pt, uint64_t va, void *buf, size_t n, struct fault *why);

/** What a walk meets; what is NULL is passed over. A function that returns false ends the walk. */
struct pagetable_visitor {
	/** [@va, @va + @size) is mapped to @phys: one entry, cut to the range that was asked. */
	bool (*mapped)(void *ctx, uint64_t va, uint64_t phys, uint64_t size);
	/** What is mapped at [@va, @va + @size) is not known: @table (physical) or its entry. */
	bool (*lost)(void *ctx, uint64_t va, uint64_t size, uint64_t table,
		     const struct fault *why);
	void *ctx;
	/**
	 * Before a table of the last level is read, which maps [@va, @va + @size) of the range.
	 * *@skip: do not look into it.
	 */
	bool (*table)(void *ctx, uint64_t va, uint64_t size, bool *skip);
};

/**
 * Visit the mapped entries of [@start, @end), ascending. Each table is read once, as far as it
 * is needed, and nothing below an absent entry is visited. False: out of memory or interrupted
 * (in @why), or stopped by the visitor (@why untouched).
 */
bool pagetable_walk(struct pagetable *pt, uint64_t start, uint64_t end,
		    const struct pagetable_visitor *visitor, struct fault *why);

#endif
