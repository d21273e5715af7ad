/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BPF arenas (kernel/bpf/arena.c): which pages each of them has.
 */
#ifndef ARENA_ARENA_H
#define ARENA_ARENA_H

#include "arena_find.h"

/** Fields of a snapshot that may be unknown; arena_field_name() has their names in JSON. */
enum arena_field {
	FIELD_ID,
	FIELD_NAME,
	FIELD_MAP,
	FIELD_MAX_ENTRIES,
	FIELD_MAP_EXTRA,
	FIELD_MAP_FLAGS,
	FIELD_DECLARED_PAGES,
	FIELD_USER_VM_START,
	FIELD_USER_VM_END,
	FIELD_KERN_VM_START,
	FIELD_SPAN_CAPPED,
	FIELD_MAPPED,
	FIELD_SCRATCH,
	FIELD_OUTSIDE,
	FIELD_MISSING,
	FIELD_LIFE,
	ARENA_FIELDS
};

/** A struct may be there before its map is in use, and after. */
enum arena_life {
	LIFE_LIVE,
	LIFE_NEW,		/* being made: it has no id yet */
	LIFE_DYING,		/* nobody holds it; it is being freed */
};

enum page_kind {
	KIND_PAGE,		/* a page of the arena */
	KIND_SCRATCH,		/* the arena's scratch page (7.2+): not its memory */
	KIND_OUTSIDE,		/* beyond declared_pages, or in a guard */
};

/** One mapped page. Addresses follow from @index: arena_page_*(). */
struct arena_page {
	uint64_t phys;
	uint32_t index;		/* in pages from the start of the kernel area, guard included */
	uint8_t kind;		/* enum page_kind */
	uint8_t state;		/* enum state of its contents */
};

/** A range of the window of which is not known what is mapped. */
struct arena_lost {
	bool has_pgoff;		/* false: in a guard, or user_vm_start is not known */
	uint64_t pgoff, n;	/* pages */
	uint64_t kernel;	/* address of the first */
	uint64_t table;		/* physical address of the first lost table; 0: none */
	struct fault why;
};

/** One arena at the time of the dump. The names are those of ArenaSnapshot and of JSON. */
struct arena_snapshot {
	enum found_by found_by;
	bool no_struct;			/* struct bpf_arena is lost */
	enum arena_life life;
	uint32_t id;
	char name[17];
	uint64_t map;			/* address of struct bpf_arena, and of its bpf_map */
	uint32_t max_entries, map_flags;
	uint64_t map_extra;
	uint64_t declared_pages;	/* max_entries, at most 4 GiB of pages */
	bool span_capped;		/* it was more */
	uint64_t user_vm_start, user_vm_end;
	uint64_t kern_vm_start;		/* of the window; 0: not known */
	struct arena_area area;		/* kern_vm; addr 0: its pages are not known */
	uint64_t page_size;
	bool truncated;			/* @lost is not empty */
	struct fault window;		/* why kern_vm_start is not known, if it is not */
	uint32_t unknown;		/* bit (1 << enum arena_field) */
	uint64_t mapped, scratch, outside, missing;	/* pages */
	bool scratch_known;		/* which frame is the scratch page, or that there is none */
	struct arena_page *pages;	/* pgoff ascending; those without one last */
	size_t n_pages;
	struct arena_lost *lost;
	size_t n_lost;
};

/**
 * Take the snapshot of @found. @max_pages: keep at most so many pages; 0: all. What cannot be
 * read is marked in the snapshot and goes to @problems. Its cost grows with the page tables
 * that exist; no page contents are read.
 * False: the struct itself cannot be read or is no arena, out of memory, or interrupted.
 * Free with arena_snapshot_free() either way.
 */
bool arena_snapshot(const struct kernel *k, const struct arena_found *found, uint64_t max_pages,
		    struct arena_snapshot *a, struct problems *problems, struct fault *why);
void arena_snapshot_free(struct arena_snapshot *a);

/** Only the fields of the struct and its area; no page tables are walked. */
bool arena_read(const struct kernel *k, const struct arena_found *found,
		struct arena_snapshot *a, struct problems *problems, struct fault *why);

/** "user_vm_start", ... */
const char *arena_field_name(enum arena_field field);

/** "live", "new", "dying". */
const char *arena_life_name(enum arena_life life);

/** What a sentence calls it: "arena 9", "arena at 0xffff..." (its window, or its struct). */
enum { ARENA_LABEL = 32 };
void arena_label(const struct arena_snapshot *a, char label[ARENA_LABEL]);

/** Add what is wrong with @a to @problems: by its id where it has one, else by its struct. */
void arena_problem(const struct arena_snapshot *a, const struct fault *why,
		   struct problems *problems);

/** Is that field known? */
bool arena_knows(const struct arena_snapshot *a, enum arena_field field);

/** "page", "scratch", "outside". */
const char *arena_page_kind_name(enum page_kind kind);

/** Addresses of a page of @a. */
uint64_t arena_page_kernel(const struct arena_snapshot *a, const struct arena_page *p);
/** False: the page has no pgoff (and no user address). */
bool arena_page_pgoff(const struct arena_snapshot *a, const struct arena_page *p,
		      uint64_t *pgoff);
/** The page that is mapped at @index of the area, or NULL. A search by halves. */
const struct arena_page *arena_page_at(const struct arena_snapshot *a, uint64_t index);
/** User address of @pgoff: 32-bit arithmetic, as the kernel does it. */
uint64_t arena_user_address(const struct arena_snapshot *a, uint64_t pgoff);

#endif
