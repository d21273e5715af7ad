// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/pagetable*.c against tables that fixtures/synth/tables.c writes from the manuals.
 */
#include "suite.h"

#include "../core/pagetable.h"
#include "../fixtures/synth/bytes.h"
#include "../fixtures/synth/tables.h"

/* Tables of one kind, and core's view of them. */
struct rig {
	struct physmem pm;
	struct memory mem;
	struct tables t;
	struct bytes text;		/* VMCOREINFO */
	struct vmcoreinfo vi;
	struct pagetable_format f;
	struct pagetable *pt;
};

#define ROOT UINT64_C(0x41230000)

static struct rig *rig;
static struct fault why;

/* VMCOREINFO of tables whose root is at ROOT; the x86_64 one has a negative phys_base. */
static void describe(struct bytes *text, const struct tables *t)
{
	tables_vmcoreinfo(t, text);
	if (t->c.arm) {
		bytes_printf(text, "NUMBER(kimage_voffset)=0x%" PRIx64 "\n",
			     UINT64_C(0xffff7fff40000000));
		bytes_printf(text, "SYMBOL(swapper_pg_dir)=%" PRIx64 "\n",
			     ROOT + UINT64_C(0xffff7fff40000000));
	} else {
		bytes_text(text, "NUMBER(phys_base)=-444596224\n");
		bytes_printf(text, "SYMBOL(init_top_pgt)=%" PRIx64 "\n",
			     ROOT + 444596224 + UINT64_C(0xffffffff80000000));
	}
}

static void open_rig(const struct tables_config *c)
{
	physmem_init(&rig->pm, UINT64_C(1) << c->page_shift, UINT64_C(0x50000000));
	rig->mem = physmem_memory(&rig->pm);
	tables_init(&rig->t, &rig->pm, c, ROOT);
	describe(&rig->text, &rig->t);
	ck_ok(vmcoreinfo_init(&rig->vi, (const char *)rig->text.data, rig->text.n, &why), why);
	if (c->arm)
		ck_ok(pagetable_aarch64(&rig->f, &rig->vi, &why), why);
	else
		ck_ok(pagetable_x86_64(&rig->f, &rig->vi, &why), why);
	rig->pt = pagetable_new(&rig->mem, &rig->f);
	ck_assert_ptr_nonnull(rig->pt);
}

static void setup(void)
{
	rig = synth_alloc(sizeof(*rig));
	memset(&why, 0, sizeof(why));
}

static void teardown(void)
{
	if (rig->pm.page_size)
		ck_assert_msg(!rig->pm.crossings, "a read went over the end of its page");
	pagetable_free(rig->pt);
	bytes_free(&rig->text);
	physmem_free(&rig->pm);
	free(rig);
}

static uint64_t page_size(void)
{
	return rig->pm.page_size;
}

/* Some kernel addresses of pages: first and last of all, and between. */
static uint64_t address(unsigned i)
{
	uint64_t lowest = tables_lowest(&rig->t), span = -lowest;
	const uint64_t at[] = {
		0, span - page_size(), span / 2, span / 2 + page_size(), span / 3, span / 7 * 5,
	};

	return (lowest + at[i]) & ~(page_size() - 1);
}

enum { ADDRESSES = 6 };

/* A frame whose address has the highest bits that the machine can have. */
static uint64_t high_frame(unsigned i)
{
	uint64_t low = UINT64_C(0x123450000) + ((uint64_t)i << 20);

	if (rig->t.c.lpa || rig->t.c.lpa2)
		return low | UINT64_C(0xa) << 48;
	if (rig->t.c.arm)
		return low | UINT64_C(0xa) << 44;
	return low | (rig->t.c.sme_mask ? UINT64_C(5) << 43 : UINT64_C(0xa) << 48);
}

/* What a walk reported. */
struct event {
	bool lost;
	uint64_t va, size, target;	/* target: phys, or the lost table */
	enum state kind;
};

struct events {
	struct event event[64];
	size_t n, stop_after;
};

static bool add_event(struct events *e, struct event event)
{
	ck_assert_uint_lt(e->n, 64);
	e->event[e->n++] = event;
	return e->n != e->stop_after;
}

static bool mapped(void *ctx, uint64_t va, uint64_t phys, uint64_t size)
{
	return add_event(ctx, (struct event){ false, va, size, phys, STATE_STORED });
}

static bool lost(void *ctx, uint64_t va, uint64_t size, uint64_t table, const struct fault *f)
{
	return add_event(ctx, (struct event){ true, va, size, table, f->kind });
}

static bool walk(struct events *e, uint64_t start, uint64_t end)
{
	const struct pagetable_visitor visitor = { mapped, lost, e, NULL };

	return pagetable_walk(rig->pt, start, end, &visitor, &why);
}

static void ck_event(const struct event *e, bool is_lost, uint64_t va, uint64_t size,
		     uint64_t target)
{
	ck_assert_msg(e->lost == is_lost, "0x%" PRIx64 " is %s", e->va,
		      e->lost ? "lost" : "mapped");
	ck_u64_eq(e->va, va);
	ck_u64_eq(e->size, size);
	ck_u64_eq(e->target, target);
}

/* May the architecture have memory in an entry for 1 << shift bytes? */
static bool block_allowed(const struct tables_config *c, unsigned shift)
{
	if (!c->arm)
		return shift == 21 || shift == 30;
	switch (c->page_shift) {
	case 12:
		return shift == 21 || shift == 30 || (shift == 39 && c->lpa2);
	case 14:
		return shift == 25 || (shift == 36 && c->lpa2);
	default:
		return shift == 29 || (shift == 42 && c->lpa);
	}
}

START_TEST(pagetable__levels_are_those_of_the_manual)
{
	unsigned shift;

	open_rig(&tables_configs[_i]);
	shift = rig->t.root_shift;
	ck_u64_eq(rig->f.root, ROOT);
	ck_assert_uint_eq(rig->f.page_shift, rig->t.c.page_shift);
	ck_u64_eq(rig->f.lowest, tables_lowest(&rig->t));
	for (unsigned i = 0; i < rig->f.levels; i++, shift -= tables_level_bits(&rig->t))
		ck_assert_uint_eq(rig->f.level[i].shift, shift);
	ck_assert_uint_eq(rig->f.level[rig->f.levels - 1].shift, rig->t.c.page_shift);
	ck_assert_ptr_nonnull(strstr(rig->f.name, rig->t.c.arm ? "aarch64" : "x86_64"));
}
END_TEST

START_TEST(pagetable__pages_are_translated)
{
	uint64_t phys, left;

	open_rig(&tables_configs[_i]);
	for (unsigned i = 0; i < ADDRESSES; i++)
		tables_map(&rig->t, address(i), high_frame(i), rig->t.c.page_shift);
	for (unsigned i = 0; i < ADDRESSES; i++) {
		ck_ok(pagetable_translate(rig->pt, address(i) + 0x123, &phys, &left, &why), why);
		ck_u64_eq(phys, high_frame(i) + 0x123);
		ck_u64_eq(left, page_size() - 0x123);
	}
}
END_TEST

START_TEST(pagetable__absent_page_beside_a_mapped_one_is_absent)
{
	uint64_t phys, left;

	open_rig(&tables_configs[_i]);
	tables_map(&rig->t, address(2), high_frame(0), rig->t.c.page_shift);
	ck_assert(!pagetable_translate(rig->pt, address(3), &phys, &left, &why));
	ck_fault(why, STATE_ABSENT, "not mapped");
	ck_u64_eq(why.addr, address(3));
	ck_assert(!pagetable_translate(rig->pt, address(4), &phys, &left, &why));
	ck_fault(why, STATE_ABSENT, "not mapped");
}
END_TEST

/* The page is there but no access is allowed: an address, and the valid bit clear. */
START_TEST(pagetable__entry_that_is_not_valid_maps_nothing)
{
	uint64_t phys, left, where, leaf;
	struct events e = { 0 };

	open_rig(&tables_configs[_i]);
	where = tables_entry(&rig->t, address(2), rig->t.c.page_shift);
	leaf = tables_leaf(&rig->t, high_frame(0), rig->t.c.page_shift);
	physmem_u64(&rig->pm, where, (leaf & ~UINT64_C(1)) | (rig->t.c.arm ? 1 << 11 : 1 << 8));
	ck_assert(!pagetable_translate(rig->pt, address(2), &phys, &left, &why));
	ck_fault(why, STATE_ABSENT, "not mapped");
	ck_ok(walk(&e, address(2), address(2) + page_size()), why);
	ck_assert_uint_eq(e.n, 0);
}
END_TEST

START_TEST(pagetable__block_type_at_the_last_level_of_arm_maps_nothing)
{
	uint64_t phys, left, where, leaf;

	open_rig(&tables_configs[_i]);
	if (!rig->t.c.arm)
		return;
	where = tables_entry(&rig->t, address(2), rig->t.c.page_shift);
	leaf = tables_leaf(&rig->t, high_frame(0), rig->t.c.page_shift);
	physmem_u64(&rig->pm, where, (leaf & ~UINT64_C(3)) | 1);
	ck_assert(!pagetable_translate(rig->pt, address(2), &phys, &left, &why));
	ck_fault(why, STATE_ABSENT, "not mapped");
}
END_TEST

START_TEST(pagetable__blocks_at_upper_levels_are_honoured)
{
	open_rig(&tables_configs[_i]);
	for (unsigned shift = rig->t.root_shift; shift > rig->t.c.page_shift;
	     shift -= tables_level_bits(&rig->t)) {
		uint64_t size = UINT64_C(1) << shift, va = address(2) & ~(size - 1);
		uint64_t to = high_frame(0) & ~(size - 1), phys, left;
		struct events e = { 0 };

		if (!block_allowed(&rig->t.c, shift))
			continue;
		physmem_u64(&rig->pm, tables_entry(&rig->t, va, shift),
			    tables_leaf(&rig->t, to, shift));
		/* core caches tables: look with fresh eyes */
		pagetable_free(rig->pt);
		rig->pt = pagetable_new(&rig->mem, &rig->f);
		ck_ok(pagetable_translate(rig->pt, va + size / 2 + 5, &phys, &left, &why), why);
		ck_u64_eq(phys, to + size / 2 + 5);
		ck_u64_eq(left, size / 2 - 5);
		/* a walk over a part of it gets that part */
		ck_ok(walk(&e, va + page_size(), va + 4 * page_size()), why);
		ck_assert_uint_eq(e.n, 1);
		ck_event(&e.event[0], false, va + page_size(), 3 * page_size(),
			 to + page_size());
		physmem_u64(&rig->pm, tables_entry(&rig->t, va, shift), 0);
	}
}
END_TEST

START_TEST(pagetable__block_where_none_can_be_is_damage)
{
	unsigned shift;
	uint64_t size, va, phys, left;
	struct events e = { 0 };

	open_rig(&tables_configs[_i]);
	shift = rig->t.root_shift;
	if (block_allowed(&rig->t.c, shift) || shift == 42)
		return;
	size = UINT64_C(1) << shift;
	va = address(2) & ~(size - 1);
	physmem_u64(&rig->pm, tables_entry(&rig->t, va, shift),
		    tables_leaf(&rig->t, 0, shift));
	ck_assert(!pagetable_translate(rig->pt, va, &phys, &left, &why));
	ck_fault(why, STATE_DAMAGED, "impossible entry");
	ck_u64_eq(why.addr, ROOT);
	ck_ok(walk(&e, va + page_size(), va + 3 * page_size()), why);
	ck_assert_uint_eq(e.n, 1);
	ck_event(&e.event[0], true, va + page_size(), 2 * page_size(), ROOT);
	ck_assert_int_eq(e.event[0].kind, STATE_DAMAGED);
}
END_TEST

START_TEST(pagetable__shareability_is_no_address_without_lpa2)
{
	const char *const name[] = { "aarch64-4k-48", "aarch64-4k-48-of-52",
				     "aarch64-16k-47", "aarch64-16k-47-of-52" };
	uint64_t phys, left, leaf;

	open_rig(tables_config(name[_i]));
	leaf = tables_leaf(&rig->t, 0x80000000, rig->t.c.page_shift);
	ck_u64_eq(leaf >> 8 & 3, 3);
	tables_map(&rig->t, address(2), 0x80000000, rig->t.c.page_shift);
	ck_ok(pagetable_translate(rig->pt, address(2), &phys, &left, &why), why);
	ck_u64_eq(phys, 0x80000000);
}
END_TEST

START_TEST(pagetable__page_that_is_not_kernel_is_refused)
{
	uint64_t phys, left, lowest;
	struct events e = { 0 };

	open_rig(&tables_configs[_i]);
	lowest = tables_lowest(&rig->t);
	tables_map(&rig->t, lowest, high_frame(0), rig->t.c.page_shift);
	ck_ok(pagetable_translate(rig->pt, lowest, &phys, &left, &why), why);
	/* the same index in the tables, but no canonical kernel address */
	ck_assert(!pagetable_translate(rig->pt, lowest - 1, &phys, &left, &why));
	ck_fault(why, STATE_DAMAGED, "no kernel address");
	ck_assert(!pagetable_translate(rig->pt, lowest & ~(UINT64_C(1) << 63), &phys, &left,
				       &why));
	ck_fault(why, STATE_DAMAGED, "no kernel address");
	ck_assert(!pagetable_translate(rig->pt, 0x1000, &phys, &left, &why));
	ck_assert(!walk(&e, lowest - page_size(), lowest + page_size()));
	ck_fault(why, STATE_DAMAGED, "no range");
	ck_assert(!walk(&e, lowest + page_size(), lowest));
	ck_fault(why, STATE_DAMAGED, "no range");
	ck_assert_uint_eq(e.n, 0);
}
END_TEST

START_TEST(pagetable__walk_visits_ascending_and_reads_each_table_once)
{
	struct events e = { 0 };
	uint64_t start, step, tables;

	open_rig(&tables_configs[_i]);
	step = UINT64_C(1) << (rig->t.c.page_shift + tables_level_bits(&rig->t));
	start = address(2) & ~(step - 1);
	/* two pages in each of four neighbouring last-level tables; others are not there */
	for (unsigned i = 0; i < 4; i++) {
		tables_map(&rig->t, start + 2 * i * step + page_size(), high_frame(2 * i + 1),
			   rig->t.c.page_shift);
		tables_map(&rig->t, start + 2 * i * step, high_frame(2 * i),
			   rig->t.c.page_shift);
	}
	tables = rig->pm.n;	/* there is nothing but tables */
	physmem_forget_reads(&rig->pm);
	ck_ok(walk(&e, start, start + 16 * step), why);
	ck_assert_uint_eq(e.n, 8);
	for (unsigned i = 0; i < 8; i++)
		ck_event(&e.event[i], false, start + i / 2 * 2 * step + i % 2 * page_size(),
			 page_size(), high_frame(i));
	for (size_t i = 0; i < rig->pm.n; i++)
		ck_assert_msg(rig->pm.frame[i].reads == 1, "table 0x%" PRIx64 " was read %u times",
			      rig->pm.frame[i].phys, rig->pm.frame[i].reads);
	ck_assert_uint_eq(rig->pm.reads, tables);
}
END_TEST

START_TEST(pagetable__walk_reads_no_table_outside_of_its_range)
{
	struct events e = { 0 };
	uint64_t step, start, outside;

	open_rig(&tables_configs[_i]);
	step = UINT64_C(1) << (rig->t.c.page_shift + tables_level_bits(&rig->t));
	start = address(2) & ~(step - 1);
	for (unsigned i = 0; i < 3; i++)
		tables_map(&rig->t, start + i * step, high_frame(i), rig->t.c.page_shift);
	ck_ok(walk(&e, start + step, start + 2 * step), why);
	ck_assert_uint_eq(e.n, 1);
	ck_event(&e.event[0], false, start + step, page_size(), high_frame(1));
	for (unsigned i = 0; i < 3; i += 2) {
		outside = tables_entry(&rig->t, start + i * step, rig->t.c.page_shift);
		ck_assert_uint_eq(physmem_reads(&rig->pm, outside), 0);
	}
}
END_TEST

START_TEST(pagetable__walk_of_nothing_visits_nothing)
{
	struct events e = { 0 };

	open_rig(&tables_configs[_i]);
	tables_map(&rig->t, address(2), high_frame(0), rig->t.c.page_shift);
	ck_ok(walk(&e, address(2), address(2)), why);
	ck_ok(walk(&e, address(3), address(5)), why);
	ck_assert_uint_eq(e.n, 0);
}
END_TEST

/* A table of each level is excluded in turn: exactly what it could map is lost. */
START_TEST(pagetable__lost_table_loses_exactly_its_range)
{
	static const enum state states[] = { STATE_EXCLUDED, STATE_ABSENT, STATE_CUT,
					     STATE_DAMAGED };
	unsigned bits, n = 0;

	open_rig(&tables_configs[_i]);
	bits = tables_level_bits(&rig->t);
	for (unsigned shift = rig->t.c.page_shift; shift < rig->t.root_shift; shift += bits, n++) {
		uint64_t size = UINT64_C(1) << (shift + bits);
		uint64_t va = address(2), first = va & ~(size - 1), phys, left;
		uint64_t table, before = first - page_size(), after = first + size;
		struct events e = { 0 };
		size_t at = 0;

		tables_map(&rig->t, va, high_frame(0), rig->t.c.page_shift);
		if (before < va)
			tables_map(&rig->t, before, high_frame(1), rig->t.c.page_shift);
		if (after)
			tables_map(&rig->t, after, high_frame(2), rig->t.c.page_shift);
		table = tables_entry(&rig->t, va, shift) & ~(page_size() - 1);
		physmem_set_state(&rig->pm, table, states[n % 4]);
		ck_ok(walk(&e, before, after ? after + page_size() : UINT64_MAX), why);
		ck_event(&e.event[at++], false, before, page_size(), high_frame(1));
		if (after) {
			ck_event(&e.event[at], true, first, size, table);
			ck_assert_int_eq(e.event[at++].kind, states[n % 4]);
			ck_event(&e.event[at++], false, after, page_size(), high_frame(2));
		} else {
			ck_event(&e.event[at++], true, first, UINT64_MAX - first, table);
		}
		ck_assert_uint_eq(e.n, at);
		/* only a part is asked: only that part is lost */
		e = (struct events){ 0 };
		ck_ok(walk(&e, va, va + 2 * page_size()), why);
		ck_assert_uint_eq(e.n, 1);
		ck_event(&e.event[0], true, va, 2 * page_size(), table);

		ck_assert(!pagetable_translate(rig->pt, va, &phys, &left, &why));
		ck_fault(why, states[n % 4], "page table");
		ck_u64_eq(why.addr, table);
		ck_ok(pagetable_translate(rig->pt, before, &phys, &left, &why), why);
		physmem_set_state(&rig->pm, table, STATE_STORED);
		ck_ok(pagetable_translate(rig->pt, va, &phys, &left, &why), why);
		pagetable_free(rig->pt);
		rig->pt = pagetable_new(&rig->mem, &rig->f);
	}
}
END_TEST

START_TEST(pagetable__lost_root_loses_all)
{
	struct events e = { 0 };

	open_rig(&tables_configs[_i]);
	tables_map(&rig->t, address(2), high_frame(0), rig->t.c.page_shift);
	physmem_set_state(&rig->pm, ROOT, STATE_EXCLUDED);
	ck_ok(walk(&e, address(2), address(2) + 8 * page_size()), why);
	ck_assert_uint_eq(e.n, 1);
	ck_event(&e.event[0], true, address(2), 8 * page_size(), ROOT);
}
END_TEST

START_TEST(pagetable__table_that_points_to_itself_ends)
{
	uint64_t phys, left, va;
	struct events e = { 0 };

	open_rig(&tables_configs[_i]);
	va = address(2);
	physmem_u64(&rig->pm, tables_entry(&rig->t, va, rig->t.root_shift),
		    tables_pointer(&rig->t, ROOT));
	pagetable_translate(rig->pt, va, &phys, &left, &why);
	walk(&e, va, va + 8 * page_size());
	ck_assert_uint_le(rig->pm.reads, 2 * PAGETABLE_MAX_LEVELS + 8);
}
END_TEST

START_TEST(pagetable__visitor_can_stop_the_walk)
{
	struct events e = { .stop_after = 2 };

	open_rig(&tables_configs[_i]);
	tables_map_pages(&rig->t, address(2), 0x80000000, 4);
	fault_fill(&why, FAULT_WORKER, SPACE_NONE, 0, "untouched");
	ck_assert(!walk(&e, address(2), address(2) + 4 * page_size()));
	ck_assert_uint_eq(e.n, 2);
	ck_fault(why, FAULT_WORKER, "untouched");
	/* also in the report of a loss */
	e = (struct events){ .stop_after = 1 };
	physmem_set_state(&rig->pm, ROOT, STATE_CUT);
	ck_assert(!walk(&e, address(2), address(2) + 4 * page_size()));
	ck_assert_uint_eq(e.n, 1);
	ck_fault(why, FAULT_WORKER, "untouched");
}
END_TEST

START_TEST(pagetable__translation_keeps_the_tables_of_the_last_address)
{
	uint64_t phys, left;
	unsigned reads;

	open_rig(&tables_configs[_i]);
	tables_map_pages(&rig->t, address(2), 0x80000000, 2);
	ck_ok(pagetable_translate(rig->pt, address(2), &phys, &left, &why), why);
	reads = rig->pm.reads;
	ck_assert_uint_eq(reads, rig->f.levels);
	ck_ok(pagetable_translate(rig->pt, address(2) + page_size(), &phys, &left, &why), why);
	ck_assert_uint_eq(rig->pm.reads, reads);
}
END_TEST

/* A table that could not be read is not remembered as one that could. */
START_TEST(pagetable__failed_read_is_not_cached)
{
	uint64_t phys, left, table;

	open_rig(&tables_configs[_i]);
	tables_map(&rig->t, address(2), 0x80000000, rig->t.c.page_shift);
	table = tables_entry(&rig->t, address(2), rig->t.c.page_shift) & ~(page_size() - 1);
	physmem_set_state(&rig->pm, table, STATE_CUT);
	ck_assert(!pagetable_translate(rig->pt, address(2), &phys, &left, &why));
	ck_assert(!pagetable_translate(rig->pt, address(2), &phys, &left, &why));
	ck_fault(why, STATE_CUT, "page table");
}
END_TEST

/* What a failed read left in the buffer is not taken for the table that was there before. */
START_TEST(pagetable__failed_read_does_not_spoil_the_cache)
{
	uint64_t step, start, phys, left;

	open_rig(&tables_configs[_i]);
	step = UINT64_C(1) << (rig->t.c.page_shift + tables_level_bits(&rig->t));
	start = address(2) & ~(step - 1);
	for (unsigned i = 0; i < 20; i++)
		tables_map(&rig->t, start + i * step, high_frame(i), rig->t.c.page_shift);
	ck_ok(pagetable_translate(rig->pt, start, &phys, &left, &why), why);
	for (unsigned i = 1; i < 20; i++) {
		uint64_t entry = tables_entry(&rig->t, start + i * step, rig->t.c.page_shift);

		physmem_set_state(&rig->pm, entry, STATE_CUT);
		ck_assert(!pagetable_translate(rig->pt, start + i * step, &phys, &left, &why));
		ck_ok(pagetable_translate(rig->pt, start, &phys, &left, &why), why);
		ck_u64_eq(phys, high_frame(0));
	}
}
END_TEST

START_TEST(pagetable__read_joins_pages_that_lie_apart)
{
	uint8_t got[64], want[64];
	uint64_t va;

	open_rig(&tables_configs[_i]);
	va = address(2);
	for (size_t i = 0; i < sizeof(want); i++)
		want[i] = (uint8_t)(i * 7 + 1);
	tables_map(&rig->t, va, high_frame(3), rig->t.c.page_shift);
	tables_map(&rig->t, va + page_size(), high_frame(1), rig->t.c.page_shift);
	physmem_write(&rig->pm, high_frame(3) + page_size() - 24, want, 24);
	physmem_write(&rig->pm, high_frame(1), want + 24, 40);
	ck_ok(pagetable_read(rig->pt, va + page_size() - 24, got, 64, &why), why);
	ck_assert_mem_eq(got, want, 64);
}
END_TEST

START_TEST(pagetable__read_into_a_hole_or_a_lost_page_fails)
{
	uint8_t got[64];
	uint64_t va;

	open_rig(&tables_configs[_i]);
	va = address(2);
	tables_map(&rig->t, va, high_frame(3), rig->t.c.page_shift);
	physmem_frame(&rig->pm, high_frame(3));
	ck_assert(!pagetable_read(rig->pt, va + page_size() - 24, got, 64, &why));
	ck_fault(why, STATE_ABSENT, "not mapped");
	ck_u64_eq(why.addr, va + page_size());
	tables_map(&rig->t, va + page_size(), high_frame(1), rig->t.c.page_shift);
	physmem_set_state(&rig->pm, high_frame(1), STATE_EXCLUDED);
	pagetable_free(rig->pt);
	rig->pt = pagetable_new(&rig->mem, &rig->f);
	ck_assert(!pagetable_read(rig->pt, va + page_size() - 24, got, 64, &why));
	ck_fault(why, STATE_EXCLUDED, "excluded");
	ck_u64_eq(why.addr, high_frame(1));
}
END_TEST

START_TEST(pagetable__read_over_the_end_of_addresses_fails)
{
	uint8_t got[64];

	open_rig(&tables_configs[_i]);
	tables_map(&rig->t, address(1), high_frame(1), rig->t.c.page_shift);
	physmem_frame(&rig->pm, high_frame(1));
	ck_ok(pagetable_read(rig->pt, UINT64_MAX - 31, got, 32, &why), why);
	ck_assert(!pagetable_read(rig->pt, UINT64_MAX - 31, got, 33, &why));
	ck_assert_int_eq(why.kind, STATE_DAMAGED);
}
END_TEST

/* A root that is not aligned would be read over the end of its page. */
START_TEST(pagetable__unaligned_root_is_never_read_over_its_page)
{
	const struct tables_config *c = &tables_configs[_i];
	uint64_t phys, left;

	open_rig(c);
	rig->text.n = 0;
	tables_vmcoreinfo(&rig->t, &rig->text);
	bytes_text(&rig->text, c->arm ? "NUMBER(kimage_voffset)=0xffff800000000000\n"
		   "SYMBOL(swapper_pg_dir)=ffff800041230ff8\n" : "NUMBER(phys_base)=0\n"
		   "SYMBOL(init_top_pgt)=ffffffffc1230ff8\n");
	ck_ok(vmcoreinfo_init(&rig->vi, (const char *)rig->text.data, rig->text.n, &why), why);
	if (!(c->arm ? pagetable_aarch64(&rig->f, &rig->vi, &why) :
	      pagetable_x86_64(&rig->f, &rig->vi, &why)))
		return;
	pagetable_translate(rig->pt, address(2), &phys, &left, &why);
	ck_assert_uint_eq(rig->pm.crossings, 0);
}
END_TEST

static void add(TCase *tests)
{
	int n = (int)tables_configs_n;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, pagetable__levels_are_those_of_the_manual, 0, n);
	tcase_add_loop_test(tests, pagetable__pages_are_translated, 0, n);
	tcase_add_loop_test(tests, pagetable__absent_page_beside_a_mapped_one_is_absent, 0, n);
	tcase_add_loop_test(tests, pagetable__entry_that_is_not_valid_maps_nothing, 0, n);
	tcase_add_loop_test(tests, pagetable__block_type_at_the_last_level_of_arm_maps_nothing,
			    0, n);
	tcase_add_loop_test(tests, pagetable__blocks_at_upper_levels_are_honoured, 0, n);
	tcase_add_loop_test(tests, pagetable__block_where_none_can_be_is_damage, 0, n);
	tcase_add_loop_test(tests, pagetable__shareability_is_no_address_without_lpa2, 0, 4);
	tcase_add_loop_test(tests, pagetable__page_that_is_not_kernel_is_refused, 0, n);
	tcase_add_loop_test(tests, pagetable__walk_visits_ascending_and_reads_each_table_once,
			    0, n);
	tcase_add_loop_test(tests, pagetable__walk_reads_no_table_outside_of_its_range, 0, n);
	tcase_add_loop_test(tests, pagetable__walk_of_nothing_visits_nothing, 0, n);
	tcase_add_loop_test(tests, pagetable__lost_table_loses_exactly_its_range, 0, n);
	tcase_add_loop_test(tests, pagetable__lost_root_loses_all, 0, n);
	tcase_add_loop_test(tests, pagetable__table_that_points_to_itself_ends, 0, n);
	tcase_add_loop_test(tests, pagetable__visitor_can_stop_the_walk, 0, n);
	tcase_add_loop_test(tests, pagetable__translation_keeps_the_tables_of_the_last_address,
			    0, n);
	tcase_add_loop_test(tests, pagetable__failed_read_is_not_cached, 0, n);
	tcase_add_loop_test(tests, pagetable__failed_read_does_not_spoil_the_cache, 0, n);
	tcase_add_loop_test(tests, pagetable__read_joins_pages_that_lie_apart, 0, n);
	tcase_add_loop_test(tests, pagetable__read_into_a_hole_or_a_lost_page_fails, 0, n);
	tcase_add_loop_test(tests, pagetable__read_over_the_end_of_addresses_fails, 0, n);
	tcase_add_loop_test(tests, pagetable__unaligned_root_is_never_read_over_its_page, 0, n);
}

int main(void)
{
	return run_suite("pagetable", add);
}
