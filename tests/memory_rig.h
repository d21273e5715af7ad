/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What suites share that need of a kernel only its memory: a struct kernel by hand, whose direct
 * map is all there is.
 */
#ifndef TESTS_MEMORY_RIG_H
#define TESTS_MEMORY_RIG_H

#include "suite.h"

#include "../core/kernel.h"
#include "../fixtures/synth/bytes.h"
#include "../fixtures/synth/notes_writer.h"
#include "../fixtures/synth/tables.h"

/* 1 GiB blocks over the first 4 GiB of memory */
#define DIRECT UINT64_C(0xffff8e8400000000)

static struct physmem pm;
static struct memory mem;
static struct tables tables;
static struct kernel k;
static struct bytes notes, text;	/* of the file; VMCOREINFO */
static struct fault why;

static inline void memory_setup(void)
{
	physmem_init(&pm, 4096, UINT64_C(0x20000000));
	tables_init(&tables, &pm, tables_config("x86_64-4"), 0x1000000);
	for (uint64_t i = 0; i < 4; i++)
		tables_map(&tables, DIRECT + (i << 30), i << 30, 30);
	notes = (struct bytes){ 0 };
	text = (struct bytes){ 0 };
	k = (struct kernel){
		.machine = "x86_64", .page_shift = 12, .page_size = 4096,
		.format = {
			.page_shift = 12, .levels = 4, .root = tables.root,
			.lowest = UINT64_C(0xffff800000000000),
			.level = { { 39, 512, false }, { 30, 512, true }, { 21, 512, true },
				   { 12, 512, false } },
			.present = { 1, 1 }, .leaf = { 0x80, 0x80 }, .page = { 1, 1 },
			.addr_mask = UINT64_C(0x000ffffffffff000),
		},
	};
}

/* After notes and text are written. */
static inline void memory_open(void)
{
	mem = physmem_memory(&pm);
	mem.facts.notes = notes.data;
	mem.facts.notes_len = notes.n;
	k.mem = &mem;
	k.vmcoreinfo = (struct vmcoreinfo){ (const char *)text.data, text.n };
	pagetable_free(k.pt);
	k.pt = pagetable_new(&mem, &k.format);
}

static inline void memory_teardown(void)
{
	ck_assert_uint_eq(pm.crossings, 0);
	pagetable_free(k.pt);
	physmem_free(&pm);
	bytes_free(&notes);
	bytes_free(&text);
}

/* A variable of the kernel at physical @phys. */
static inline void symbol_at(enum symbol_id id, uint64_t phys)
{
	k.symbol[id].addr = DIRECT + phys;
	k.symbol[id].count = 1;
}

#endif
