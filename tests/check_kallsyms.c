// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/kallsyms.c against tables of the three generations of scripts/kallsyms.c.
 */
#include "suite.h"

#include "../core/kallsyms.h"
#include "../fixtures/synth/kallsyms_writer.h"
#include "../fixtures/synth/tables.h"

#define IMAGE UINT64_C(0xffffffff9e000000)
#define IMAGE_PHYS UINT64_C(0x3800000)

enum { FILLERS = 600, MOST = FILLERS + 64 };

static char filler[FILLERS][32];
static char name_127[127], name_128[128], name_300[301];

/* Tables in simulated memory, and what VMCOREINFO says of them. */
struct rig {
	struct physmem pm;
	struct memory mem;
	struct tables t;
	struct bytes tables_text, text, image;
	struct vmcoreinfo vi;
	struct pagetable_format f;
	struct pagetable *pt;
	struct kallsyms_writer w;
	struct kallsyms_entry entry[MOST];
	size_t n;
	const char *without;	/* a SYMBOL() line that VMCOREINFO lacks */
	uint64_t stext;		/* what VMCOREINFO says of _stext */
};

static struct rig *rig;
static struct fault why;

enum { MAP_IDR, ARENA_MAP_OPS, MISSING, TWICE, WANTED };

static struct symbol want[WANTED];
static enum kallsyms_encoding encoding;
static uint32_t total;

static void add_entry(char type, const char *name, uint64_t addr)
{
	ck_assert_uint_lt(rig->n, MOST);
	rig->entry[rig->n++] = (struct kallsyms_entry){ type, name, addr };
}

static void add_entries(void)
{
	memset(name_127, 'x', sizeof(name_127) - 1);
	memset(name_128, 'x', sizeof(name_128) - 1);
	memset(name_300, 'x', sizeof(name_300) - 1);
	add_entry('A', "fixed_percpu_data", 0);
	add_entry('A', "cpu_number", 0x1a2c8);
	add_entry('T', "_stext", IMAGE);
	for (unsigned i = 0; i < FILLERS; i++) {
		snprintf(filler[i], sizeof(filler[i]), "do_arena_filler_%u", i);
		add_entry('t', filler[i], IMAGE + 0x100 + 16 * i);
	}
	/* type letter and name: 127, 128 and 301 bytes */
	add_entry('t', name_127, IMAGE + 0x10000);
	add_entry('t', name_128, IMAGE + 0x10010);
	add_entry('t', name_300, IMAGE + 0x10020);
	add_entry('t', "helper", IMAGE + 0x10030);
	add_entry('D', "arena_map_ops", IMAGE + 0x20000);
	add_entry('d', "arena_map_ops2", IMAGE + 0x20100);
	add_entry('d', "my_map_idr", IMAGE + 0x20200);
	add_entry('t', "helper", IMAGE + 0x20300);
	add_entry('D', "init_uts_ns", IMAGE + 0x30000);
	add_entry('R', "kallsyms_num_syms", 0);
	add_entry('R', "kallsyms_names", 0);
	add_entry('R', "kallsyms_token_table", 0);
	add_entry('R', "kallsyms_token_index", 0);
	add_entry('R', "kallsyms_offsets", 0);
	add_entry('D', "init_top_pgt", IMAGE + 0x3f0000);
	add_entry('t', "map_idr", IMAGE + 0x400008);
}

static void setup(void)
{
	rig = synth_alloc(sizeof(*rig));
	rig->stext = IMAGE;
	rig->w.base = IMAGE - 0x1000;
	rig->w.unpacked = "xx";
	add_entries();
	memset(&why, 0, sizeof(why));
	memset(want, 0, sizeof(want));
	want[MAP_IDR].name = "map_idr";
	want[ARENA_MAP_OPS].name = "arena_map_ops";
	want[MISSING].name = "arena_vm_ops";
	want[TWICE].name = "helper";
}

static void teardown(void)
{
	if (rig->pm.page_size)
		ck_assert_uint_eq(rig->pm.crossings, 0);
	pagetable_free(rig->pt);
	bytes_free(&rig->tables_text);
	bytes_free(&rig->text);
	bytes_free(&rig->image);
	physmem_free(&rig->pm);
	free(rig);
}

/* Copy the lines of @from, without the one of SYMBOL(@rig->without). */
static void copy_lines(const struct bytes *from)
{
	const char *at = (const char *)from->data, *end = at + from->n;
	char lost[64];

	snprintf(lost, sizeof(lost), "SYMBOL(%s)", rig->without ? rig->without : "");
	while (at < end) {
		const char *next = memchr(at, '\n', (size_t)(end - at));

		next = next ? next + 1 : end;
		if (strncmp(at, lost, strlen(lost)))
			bytes_put(&rig->text, at, (size_t)(next - at));
		at = next;
	}
}

/* Put the image into memory, and page tables over it. */
static void load_image(void)
{
	uint64_t pages = (rig->image.n + 4095) / 4096 + 1;

	physmem_init(&rig->pm, 4096, UINT64_C(0x10000000));
	rig->mem = physmem_memory(&rig->pm);
	tables_init(&rig->t, &rig->pm, tables_config("x86_64-4"),
		    physmem_alloc(&rig->pm, 4096));
	physmem_frame(&rig->pm, IMAGE_PHYS + (pages - 1) * 4096);
	physmem_write(&rig->pm, IMAGE_PHYS, rig->image.data, rig->image.n);
	tables_map_pages(&rig->t, IMAGE, IMAGE_PHYS, pages);
}

static void write_tables(enum offsets_encoding how)
{
	struct bytes lines = { 0 };
	struct vmcoreinfo vi;

	rig->w.encoding = how;
	/* the names begin near the end of a page, with a bit of something before */
	bytes_zero(&rig->image, 4096 - 64);
	kallsyms_write(&rig->w, &rig->image, IMAGE, rig->entry, rig->n);
	load_image();
	tables_vmcoreinfo(&rig->t, &rig->tables_text);
	bytes_text(&rig->tables_text, "NUMBER(phys_base)=0\n");
	bytes_printf(&rig->tables_text, "SYMBOL(init_top_pgt)=%" PRIx64 "\n",
		     rig->t.root + UINT64_C(0xffffffff80000000));
	ck_ok(vmcoreinfo_init(&vi, (const char *)rig->tables_text.data, rig->tables_text.n,
			      &why), why);
	ck_ok(pagetable_x86_64(&rig->f, &vi, &why), why);
	rig->pt = pagetable_new(&rig->mem, &rig->f);

	bytes_printf(&lines, "SYMBOL(init_uts_ns)=%" PRIx64 "\n", IMAGE + 0x30000);
	bytes_printf(&lines, "SYMBOL(swapper_pg_dir)=%" PRIx64 "\n", IMAGE + 0x3f0000);
	bytes_printf(&lines, "SYMBOL(init_top_pgt)=%" PRIx64 "\n", IMAGE + 0x3f0000);
	bytes_printf(&lines, "SYMBOL(_stext)=%" PRIx64 "\n", rig->stext);
	kallsyms_vmcoreinfo(&rig->w, &lines);
	copy_lines(&lines);
	bytes_free(&lines);
	ck_ok(vmcoreinfo_init(&rig->vi, (const char *)rig->text.data, rig->text.n, &why), why);
}

static bool resolve(void)
{
	return kallsyms_resolve(rig->pt, &rig->vi, want, WANTED, &encoding, &total, &why);
}

static uint64_t phys_of(uint64_t va)
{
	return va - IMAGE + IMAGE_PHYS;
}

static void ck_resolved(enum offsets_encoding how)
{
	static const enum kallsyms_encoding same[] = {
		[OFFSETS_PERCPU] = KALLSYMS_ABSOLUTE_PERCPU, [OFFSETS_BASE] = KALLSYMS_BASE,
		[OFFSETS_PLACE] = KALLSYMS_PLACE,
	};

	ck_ok(resolve(), why);
	ck_assert_int_eq(encoding, same[how]);
	ck_assert_uint_eq(total, (uint32_t)rig->n);
	ck_assert_uint_eq(want[MAP_IDR].count, 1);
	ck_u64_eq(want[MAP_IDR].addr, IMAGE + 0x400008);
	ck_assert_uint_eq(want[MAP_IDR].index, (uint32_t)rig->n - 1);
	ck_assert_uint_eq(want[ARENA_MAP_OPS].count, 1);
	ck_u64_eq(want[ARENA_MAP_OPS].addr, IMAGE + 0x20000);
	ck_assert_uint_eq(want[MISSING].count, 0);
	ck_assert_uint_eq(want[TWICE].count, 2);
}

START_TEST(kallsyms__the_right_encoding_is_chosen)
{
	write_tables((enum offsets_encoding)_i);
	ck_resolved((enum offsets_encoding)_i);
}
END_TEST

START_TEST(kallsyms__names_may_begin_eight_bytes_after_their_number)
{
	rig->w.gap = true;
	write_tables(OFFSETS_BASE);
	ck_u64_eq(rig->w.names_at, rig->w.num_syms_at + 8);
	ck_resolved(OFFSETS_BASE);
}
END_TEST

START_TEST(kallsyms__value_of_vmcoreinfo_that_differs_is_refused)
{
	rig->stext = IMAGE + 1;
	write_tables((enum offsets_encoding)_i);
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "no encoding");
}
END_TEST

START_TEST(kallsyms__offset_that_is_damaged_is_refused)
{
	write_tables((enum offsets_encoding)_i);
	/* _stext is the third */
	physmem_u8(&rig->pm, phys_of(rig->w.offsets_at) + 2 * 4, 0x77);
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "no encoding");
}
END_TEST

START_TEST(kallsyms__base_that_is_damaged_is_refused)
{
	write_tables(_i ? OFFSETS_BASE : OFFSETS_PERCPU);
	physmem_u64(&rig->pm, phys_of(rig->w.base_at), IMAGE);
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "no encoding");
}
END_TEST

START_TEST(kallsyms__offsets_from_a_base_without_the_base_are_refused)
{
	rig->without = "kallsyms_relative_base";
	write_tables(_i ? OFFSETS_BASE : OFFSETS_PERCPU);
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "no encoding");
}
END_TEST

START_TEST(kallsyms__one_witness_is_no_proof)
{
	static const char *const witness[] = { "_stext", "init_uts_ns", "init_top_pgt",
		"kallsyms_names", "kallsyms_token_table", "kallsyms_offsets" };

	/* rename all but the witness */
	for (size_t i = 0; i < rig->n; i++)
		for (int j = 0; j < 6; j++)
			if (j != _i && !strcmp(rig->entry[i].name, witness[j]))
				rig->entry[i].name = "something_else";
	write_tables(OFFSETS_BASE);
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "no encoding");
}
END_TEST

/* What a reduced dump does not have, because its arenasnap did not ask for it. */
static uint64_t lost_byte;

static enum state read_but_one(void *source, uint64_t phys, void *buf, size_t n)
{
	const struct memory pm = physmem_memory(source);

	if (phys <= lost_byte && lost_byte < phys + n)
		return STATE_ABSENT;
	return pm.ops->read(source, phys, buf, n);
}

START_TEST(kallsyms__lost_address_of_an_optional_symbol_is_no_error)
{
	static const struct memory_ops lossy = { .read = read_but_one };

	write_tables((enum offsets_encoding)_i);
	ck_resolved((enum offsets_encoding)_i);
	/* map_idr is the last one */
	lost_byte = phys_of(rig->w.offsets_at) + (rig->n - 1) * 4;
	rig->mem.ops = &lossy;
	for (int i = 0; i < WANTED; i++)
		want[i].count = 0;
	ck_assert(!resolve());
	ck_fault(why, STATE_ABSENT, "kallsyms offsets: ");
	for (int i = 0; i < WANTED; i++)
		want[i].count = 0;
	want[MAP_IDR].optional = want[MISSING].optional = true;
	ck_ok(resolve(), why);
	ck_assert(want[MAP_IDR].lost && !want[MAP_IDR].count);
	ck_assert(!want[MISSING].lost && !want[ARENA_MAP_OPS].lost);
	ck_u64_eq(want[ARENA_MAP_OPS].addr, IMAGE + 0x20000);
}
END_TEST

/* CONFIG_KALLSYMS_ALL is not set: nothing but functions, or one thing that is none. */
START_TEST(kallsyms__of_functions_alone_stext_is_proof)
{
	bool variable = _i / 3;

	for (size_t i = 0; i < rig->n; i++) {
		struct kallsyms_entry *e = &rig->entry[i];

		if (!strncmp(e->name, "kallsyms_", 9) || !strncmp(e->name, "init_", 5))
			e->name = "some_function";
		if (!strchr("tTwW", e->type) && (!variable || strcmp(e->name, "my_map_idr")))
			e->type = 't';
	}
	write_tables((enum offsets_encoding)(_i % 3));
	if (variable) {
		ck_assert(!resolve());
		ck_fault(why, STATE_DAMAGED, "no encoding");
		return;
	}
	ck_resolved((enum offsets_encoding)(_i % 3));
}
END_TEST

/* Below 2 GiB and with a base of 0 the two older encodings mean the same. */
START_TEST(kallsyms__two_encodings_that_fit_are_refused)
{
	rig->w.base = 0;
	rig->stext = 0x1000;
	for (size_t i = 0; i < rig->n; i++) {
		struct kallsyms_entry *e = &rig->entry[i];

		if (!strcmp(e->name, "_stext"))
			e->addr = 0x1000;
		else if (!strcmp(e->name, "init_uts_ns"))
			e->addr = 0x2000;
		else if (!strncmp(e->name, "kallsyms_", 9) || !strcmp(e->name, "init_top_pgt"))
			e->name = "something_else";
	}
	write_tables(OFFSETS_BASE);
	bytes_free(&rig->text);
	rig->without = "init_uts_ns";
	copy_lines(&rig->tables_text);
	bytes_text(&rig->text, "SYMBOL(_stext)=1000\nSYMBOL(init_uts_ns)=2000\n");
	kallsyms_vmcoreinfo(&rig->w, &rig->text);
	ck_ok(vmcoreinfo_init(&rig->vi, (const char *)rig->text.data, rig->text.n, &why), why);
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "encoding");
}
END_TEST

START_TEST(kallsyms__symbol_that_vmcoreinfo_lacks_is_named)
{
	static const char *const needed[] = { "kallsyms_num_syms", "kallsyms_names",
		"kallsyms_token_table", "kallsyms_token_index", "kallsyms_offsets" };

	rig->without = needed[_i];
	write_tables(OFFSETS_PLACE);
	ck_assert(!resolve());
	ck_fault(why, FAULT_UNSUPPORTED, needed[_i]);
}
END_TEST

START_TEST(kallsyms__llvm_suffix_is_no_part_of_the_name)
{
	rig->entry[rig->n - 1].name = "map_idr.llvm.12836467";
	write_tables(OFFSETS_PLACE);
	ck_resolved(OFFSETS_PLACE);
}
END_TEST

START_TEST(kallsyms__other_suffixes_are_other_names)
{
	static const char *const names[] = { "map_idr.cold", "map_idr.llvm", "map_idr.llvm.",
		"map_idr2", "map_id", "map_idr.constprop.0" };

	rig->entry[rig->n - 1].name = names[_i];
	write_tables(OFFSETS_PLACE);
	ck_ok(resolve(), why);
	ck_assert_uint_eq(want[MAP_IDR].count, 0);
}
END_TEST

START_TEST(kallsyms__name_with_and_without_llvm_counts_twice)
{
	add_entry('d', "map_idr.llvm.77", IMAGE + 0x500000);
	write_tables(OFFSETS_BASE);
	ck_ok(resolve(), why);
	ck_assert_uint_eq(want[MAP_IDR].count, 2);
}
END_TEST

START_TEST(kallsyms__type_letters_do_not_matter)
{
	static const char letters[] = "tTdDbBrRAWVn";

	rig->entry[rig->n - 1].type = letters[_i];
	write_tables(OFFSETS_BASE);
	ck_resolved(OFFSETS_BASE);
}
END_TEST

START_TEST(kallsyms__names_that_run_into_the_next_table_are_refused)
{
	write_tables(OFFSETS_PLACE);
	physmem_u32(&rig->pm, phys_of(rig->w.num_syms_at), (uint32_t)rig->n + 100000);
	ck_assert(!resolve());
	ck_assert_int_eq(why.kind, STATE_DAMAGED);
}
END_TEST

START_TEST(kallsyms__last_name_that_is_too_long_is_refused)
{
	size_t last = strlen("map_idr") + 1;	/* it is the last one, and not packed here */

	rig->w.unpacked = "";
	write_tables(OFFSETS_PLACE);
	/* the markers follow the names: the byte before the padding is the last of the name */
	for (uint64_t va = rig->w.markers_at - 1; va > rig->w.names_at; va--) {
		const struct frame *f = physmem_find(&rig->pm, phys_of(va - last));

		if (f->data[(va - last) % 4096] != last ||
		    f->data[(va - last + 1) % 4096] != 't')
			continue;
		physmem_u8(&rig->pm, phys_of(va - last), 0x7f);
		break;
	}
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "kallsyms");
}
END_TEST

START_TEST(kallsyms__number_of_symbols_that_cannot_be_is_refused)
{
	static const uint32_t number[] = { 0, UINT32_MAX, 1u << 31 };

	write_tables(OFFSETS_PLACE);
	physmem_u32(&rig->pm, phys_of(rig->w.num_syms_at), number[_i]);
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "symbols cannot be");
}
END_TEST

START_TEST(kallsyms__empty_name_is_refused)
{
	/* no tokens; then a type letter alone */
	static const uint8_t raw[][2] = { { 0, 0 }, { 1, 'T' } };

	write_tables(OFFSETS_PLACE);
	physmem_write(&rig->pm, phys_of(rig->w.names_at), raw[_i], 2);
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "empty name");
}
END_TEST

/* 301 tokens of 9 characters each: more than any symbol has, but the next names are right. */
START_TEST(kallsyms__name_that_expands_without_end_does_no_harm)
{
	static const uint8_t head[] = { 0x80 | (301 & 0x7f), 301 >> 7, 't', 'x' };
	size_t at = 4096 - 64;

	write_tables(OFFSETS_PLACE);
	while (memcmp(rig->image.data + at, head, sizeof(head)))
		ck_assert_uint_lt(++at, rig->image.n - 400);
	for (size_t i = 0; i < 301; i++)
		physmem_u8(&rig->pm, IMAGE_PHYS + at + 2 + i, 1);
	ck_resolved(OFFSETS_PLACE);
}
END_TEST

START_TEST(kallsyms__token_outside_of_the_table_is_refused)
{
	write_tables(OFFSETS_PLACE);
	physmem_u32(&rig->pm, phys_of(rig->w.token_index_at) + 2 * 255, 0xffff);
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "outside");
}
END_TEST

START_TEST(kallsyms__token_table_without_an_end_is_refused)
{
	write_tables(OFFSETS_PLACE);
	for (uint64_t va = rig->w.token_table_at; va < rig->w.token_index_at; va++)
		physmem_u8(&rig->pm, phys_of(va), 'x');
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "outside");
}
END_TEST

START_TEST(kallsyms__token_index_must_follow_the_table)
{
	write_tables(OFFSETS_PLACE);
	rig->text.n = 0;
	rig->w.token_index_at = _i ? rig->w.token_table_at :
				     rig->w.token_table_at + (UINT64_C(1) << 30);
	kallsyms_vmcoreinfo(&rig->w, &rig->text);
	rig->vi.len = rig->text.n;
	physmem_frame(&rig->pm, 0x777000);
	tables_map(&rig->t, rig->w.token_index_at & ~UINT64_C(4095), 0x777000, 12);
	ck_assert(!resolve());
	ck_fault(why, STATE_DAMAGED, "does not follow");
}
END_TEST

START_TEST(kallsyms__page_of_a_table_that_is_excluded_is_said)
{
	uint64_t at[] = { rig->w.num_syms_at, 0, 0, 0 };

	write_tables(OFFSETS_BASE);
	at[0] = rig->w.names_at + 4096;
	at[1] = rig->w.token_table_at;
	at[2] = rig->w.offsets_at + 4 * (rig->n - 1);
	at[3] = rig->w.num_syms_at;
	physmem_set_state(&rig->pm, phys_of(at[_i]), STATE_EXCLUDED);
	ck_assert(!resolve());
	ck_fault(why, STATE_EXCLUDED, "kallsyms");
}
END_TEST

START_TEST(kallsyms__table_that_is_not_mapped_is_said)
{
	write_tables(OFFSETS_BASE);
	physmem_u64(&rig->pm, tables_entry(&rig->t, rig->w.names_at + 4096, 12), 0);
	ck_assert(!resolve());
	ck_fault(why, STATE_ABSENT, "kallsyms");
}
END_TEST

/* Any damage: an answer or a refusal, never a crash (run with ASan and valgrind). */
START_TEST(kallsyms__random_damage_does_no_harm)
{
	uint32_t seed = (uint32_t)_i * 2654435761u + 1;

	write_tables((enum offsets_encoding)(_i % 3));
	for (int i = 0; i < 40; i++) {
		seed = seed * 1664525 + 1013904223;
		physmem_u8(&rig->pm, IMAGE_PHYS + 4032 + (seed >> 8) % (rig->image.n - 4032),
			   (uint8_t)(seed >> 3));
	}
	if (!resolve())
		ck_assert_uint_gt(strlen(why.text), 0);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, kallsyms__the_right_encoding_is_chosen, 0, 3);
	tcase_add_test(tests, kallsyms__names_may_begin_eight_bytes_after_their_number);
	tcase_add_loop_test(tests, kallsyms__value_of_vmcoreinfo_that_differs_is_refused, 0, 3);
	tcase_add_loop_test(tests, kallsyms__offset_that_is_damaged_is_refused, 0, 3);
	tcase_add_loop_test(tests, kallsyms__base_that_is_damaged_is_refused, 0, 2);
	tcase_add_loop_test(tests, kallsyms__offsets_from_a_base_without_the_base_are_refused,
			    0, 2);
	tcase_add_loop_test(tests, kallsyms__one_witness_is_no_proof, 0, 6);
	tcase_add_loop_test(tests, kallsyms__lost_address_of_an_optional_symbol_is_no_error, 0, 3);
	tcase_add_loop_test(tests, kallsyms__of_functions_alone_stext_is_proof, 0, 6);
	tcase_add_test(tests, kallsyms__two_encodings_that_fit_are_refused);
	tcase_add_loop_test(tests, kallsyms__symbol_that_vmcoreinfo_lacks_is_named, 0, 5);
	tcase_add_test(tests, kallsyms__llvm_suffix_is_no_part_of_the_name);
	tcase_add_loop_test(tests, kallsyms__other_suffixes_are_other_names, 0, 6);
	tcase_add_test(tests, kallsyms__name_with_and_without_llvm_counts_twice);
	tcase_add_loop_test(tests, kallsyms__type_letters_do_not_matter, 0, 12);
	tcase_add_test(tests, kallsyms__names_that_run_into_the_next_table_are_refused);
	tcase_add_test(tests, kallsyms__last_name_that_is_too_long_is_refused);
	tcase_add_loop_test(tests, kallsyms__number_of_symbols_that_cannot_be_is_refused, 0, 3);
	tcase_add_loop_test(tests, kallsyms__empty_name_is_refused, 0, 2);
	tcase_add_test(tests, kallsyms__name_that_expands_without_end_does_no_harm);
	tcase_add_test(tests, kallsyms__token_outside_of_the_table_is_refused);
	tcase_add_test(tests, kallsyms__token_table_without_an_end_is_refused);
	tcase_add_loop_test(tests, kallsyms__token_index_must_follow_the_table, 0, 2);
	tcase_add_loop_test(tests, kallsyms__page_of_a_table_that_is_excluded_is_said, 0, 4);
	tcase_add_test(tests, kallsyms__table_that_is_not_mapped_is_said);
	tcase_add_loop_test(tests, kallsyms__random_damage_does_no_harm, 0, 60);
}

int main(void)
{
	return run_suite("kallsyms", add);
}
