/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the check_render_*.c share: a kernel and an arena filled by hand. Expected text is that
 * of design.md §3 to §5; addresses in it follow from the numbers below.
 */
#ifndef TESTS_RENDER_RIG_H
#define TESTS_RENDER_RIG_H

#include "sink_rig.h"

#include "../core/report.h"

/* GUARD_SZ/2 of 4K pages is 0x8000, so page 8 of the area has pgoff 0 where the user's low 32
 * bits are 0. */
#define AREA UINT64_C(0xffffc90000000000)
enum { FIRST = 8, PAGES = 16 };

static struct memory mem;
static struct kernel k;
static struct arena_snapshot a;
static struct arena_page page[PAGES];
static struct arena_lost lost[8];
static struct report_result result;
static struct fault why;

static inline void setup(void)
{
	sink_rig_setup();
	mem = (struct memory){ .facts = { .level = -1, .format = "kdump, zlib" } };
	k = (struct kernel){
		.mem = &mem, .release = "6.12.107+deb13-amd64", .machine = "x86_64",
		.page_shift = 12, .page_size = 4096, .has_kallsyms = true, .has_arenas = true,
		.format = { .name = "x86_64, 4 levels", .root = 0x2c10000 },
	};
	for (size_t i = 0; i < MEMBERS_END; i++)
		k.members.known[i] = true;
	memset(page, 0, sizeof(page));
	memset(lost, 0, sizeof(lost));
	a = (struct arena_snapshot){
		.id = 23, .name = "scx_arena", .map = UINT64_C(0xffff8e8402a11000),
		.max_entries = 65536, .map_flags = 0x20400, .map_extra = UINT64_C(1) << 44,
		.declared_pages = 65536, .user_vm_start = UINT64_C(1) << 44,
		.user_vm_end = (UINT64_C(1) << 44) + 65536 * 4096, .kern_vm_start = AREA + 0x8000,
		.area = { AREA, (UINT64_C(4) << 30) + 0x11000, 0x8000 }, .page_size = 4096,
		.pages = page, .lost = lost,
	};
	result = (struct report_result){ .status = REPORT_COMPLETE, .found = 1,
					   .search = { .maps = 111, .areas = 1 } };
}

static inline void teardown(void)
{
	report_free(&result);
	sink_rig_teardown();
}

/* One more page, at @index of the area. */
static inline void add_page(uint32_t index, uint64_t phys, enum page_kind kind, enum state state)
{
	ck_assert_uint_lt(a.n_pages, PAGES);
	page[a.n_pages++] = (struct arena_page){
		.phys = phys, .index = index, .kind = (uint8_t)kind, .state = (uint8_t)state,
	};
}

/* The struct is there, but not its vm_struct. */
static inline void window_unknown(void)
{
	a.unknown = 1u << FIELD_KERN_VM_START | 1u << FIELD_MAPPED | 1u << FIELD_SCRATCH |
		    1u << FIELD_OUTSIDE | 1u << FIELD_MISSING;
	a.area = (struct arena_area){ 0 };
	a.kern_vm_start = 0;
	a.mapped = a.scratch = a.outside = a.missing = 0;
	a.truncated = true;
}

/* A row of which there is the window alone. */
static inline void struct_lost(void)
{
	a.no_struct = true;
	a.found_by = FOUND_VMALLOC;
	a.unknown = 1u << FIELD_ID | 1u << FIELD_NAME | 1u << FIELD_MAP |
		    1u << FIELD_MAX_ENTRIES | 1u << FIELD_MAP_EXTRA | 1u << FIELD_MAP_FLAGS |
		    1u << FIELD_DECLARED_PAGES | 1u << FIELD_USER_VM_START |
		    1u << FIELD_USER_VM_END | 1u << FIELD_LIFE;
	a.id = a.max_entries = a.map_flags = 0;
	a.name[0] = '\0';
	a.map = a.map_extra = a.declared_pages = a.user_vm_start = a.user_vm_end = 0;
}

/* Of that window its page tables alone: where it begins is not known. */
static inline void window_inexact(void)
{
	struct_lost();
	a.found_by = FOUND_PAGETABLE;
	a.unknown |= 1u << FIELD_KERN_VM_START;
	a.area = (struct arena_area){ AREA, UINT64_C(0x100200000), 0 };
	a.kern_vm_start = 0;
}

#endif
