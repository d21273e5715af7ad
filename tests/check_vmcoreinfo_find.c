// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/vmcoreinfo_find.c, and core/kernel.c on dumps without a VMCOREINFO note: texts in memory,
 * each that lies beside one that does not.
 */
#include "suite.h"

#include "../core/kernel.h"
#include "../core/vmcoreinfo_find.h"
#include "../fixtures/synth/machine.h"
#include "../fixtures/synth/notes_writer.h"

static struct machine m;
static struct memory mem;
static struct kernel *k;
static struct bytes text, notes;
static struct fault why;

static void setup(void)
{
	memset(&m, 0, sizeof(m));
	memset(&text, 0, sizeof(text));
	memset(&notes, 0, sizeof(notes));
	k = NULL;
}

static void teardown(void)
{
	ck_assert_uint_eq(m.pm.crossings, 0);
	kernel_close(k);
	machine_free(&m);
	bytes_free(&text);
	bytes_free(&notes);
}

static void init(const char *name)
{
	machine_init(&m, machine_config(name));
	machine_finish(&m);
}

/* The dump has no note. */
static bool open_kernel(void)
{
	mem = machine_memory(&m);
	mem.facts.vmcoreinfo = NULL;
	mem.facts.vmcoreinfo_len = 0;
	mem.facts.notes = notes.data;
	mem.facts.notes_len = notes.n;
	k = kernel_open(&mem, &why);
	return k;
}

static void ck_found_at(uint64_t phys)
{
	ck_assert_msg(open_kernel(), "%s", why.text);
	ck_assert_int_eq(k->vmcoreinfo_from, VMCOREINFO_MEMORY);
	ck_u64_eq(k->vmcoreinfo_phys, phys);
	ck_assert_str_eq(k->release, m.c.release);
	ck_u64_eq(k->symbol[SYMBOL_map_idr].addr, m.map_idr);
	kernel_close(k);
	k = NULL;
}

static void ck_not_found(const char *part)
{
	ck_assert(!open_kernel());
	ck_fault(why, FAULT_UNSUPPORTED, part);
	ck_assert_int_eq(why.cure, CURE_VMCOREINFO);
}

static uint64_t put(const struct bytes *t)
{
	return machine_put_text(&m, t, false);
}

/* The machine's text with @line in place of the one that begins with @key. */
static const struct bytes *text_with(const char *key, const char *line)
{
	const char *at = (const char *)m.vmcoreinfo.data, *end = at + m.vmcoreinfo.n, *next;

	bytes_free(&text);
	memset(&text, 0, sizeof(text));
	for (; at < end; at = next) {
		next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
		if (strncmp(at, key, strlen(key)))
			bytes_put(&text, at, (size_t)(next - at));
		else
			bytes_text(&text, line);
	}
	return &text;
}

/* The machine's text, and lines until it has @n bytes or a few more. */
static const struct bytes *long_text(size_t n)
{
	bytes_put(&text, m.vmcoreinfo.data, m.vmcoreinfo.n);
	for (unsigned i = 0; text.n < n; i++)
		bytes_printf(&text, "OFFSET(filler.member_%u)=%u\n", i, i * 8);
	return &text;
}

/* What is found. */

START_TEST(vmcoreinfo_find__text_and_note_are_found_on_each_machine)
{
	uint64_t at;

	init(machine_configs[_i / 2].name);
	at = machine_put_text(&m, &m.vmcoreinfo, _i % 2);
	ck_u64_eq(at % 4096, _i % 2 ? 24 : 0);
	ck_found_at(at);
}
END_TEST

START_TEST(vmcoreinfo_find__nothing_there_is_said_with_the_cure)
{
	init("x86_64");
	ck_not_found("-device vmcoreinfo");
	put(&m.vmcoreinfo);
	ck_assert(open_kernel());
}
END_TEST

START_TEST(vmcoreinfo_find__source_without_a_map_of_pages_is_not_searched)
{
	struct memory_ops ops;

	init("x86_64");
	put(&m.vmcoreinfo);
	mem = machine_memory(&m);
	mem.facts.vmcoreinfo = NULL;
	ops = *mem.ops;
	ops.next = NULL;
	mem.ops = &ops;
	ck_assert_ptr_null(kernel_open(&mem, &why));
	ck_fault(why, FAULT_UNSUPPORTED, "no VMCOREINFO note");
}
END_TEST

START_TEST(vmcoreinfo_find__equal_texts_are_one)
{
	uint64_t first;

	init("aarch64-16k");
	first = put(&m.vmcoreinfo);
	machine_put_text(&m, &m.vmcoreinfo, true);
	/* a panic adds it to the note alone */
	put(text_with("CRASHTIME", "CRASHTIME=1795536999\n"));
	ck_found_at(first);
}
END_TEST

START_TEST(vmcoreinfo_find__user_may_stop_the_search)
{
	init("x86_64");
	put(&m.vmcoreinfo);
	ck_ok(open_kernel(), why);
	kernel_close(k);
	m.pm.stop_after = m.pm.progress;
	ck_assert(!open_kernel());
	ck_fault(why, FAULT_LIMIT, "VMCOREINFO");
}
END_TEST

/* Texts that lie, alone and before one that does not. */

static void ck_lie(const struct bytes *lie, const char *part)
{
	uint64_t at;

	put(lie);
	ck_not_found(part);
	at = put(&m.vmcoreinfo);
	ck_found_at(at);
}

START_TEST(vmcoreinfo_find__stale_text_of_another_kernel_is_not_believed)
{
	init(machine_configs[_i].name);
	ck_lie(text_with("OSRELEASE", "OSRELEASE=6.12.99-old\n"), "none of 1");
}
END_TEST

START_TEST(vmcoreinfo_find__text_whose_symbols_do_not_translate_is_not_believed)
{
	char line[80];

	init(machine_configs[_i].name);
	snprintf(line, sizeof(line), "SYMBOL(init_uts_ns)=%" PRIx64 "\n", m.image - 0x100000);
	ck_lie(text_with("SYMBOL(init_uts_ns)", line), "none of 1");
}
END_TEST

/* The tables of this kernel, but the image where another one had it. */
START_TEST(vmcoreinfo_find__text_of_the_same_kernel_elsewhere_is_not_believed)
{
	init(machine_configs[_i].name);
	if (m.t.c.arm)
		text_with("NUMBER(kimage_voffset)", "NUMBER(kimage_voffset)=0xffff800000000000\n");
	else
		text_with("NUMBER(phys_base)", "NUMBER(phys_base)=-2097152\n");
	ck_lie(&text, "none of 1");
}
END_TEST

START_TEST(vmcoreinfo_find__stext_must_translate_too)
{
	char line[80];

	init("x86_64");
	snprintf(line, sizeof(line), "SYMBOL(_stext)=%" PRIx64 "\n", m.image - 0x100000);
	ck_lie(text_with("SYMBOL(_stext)", line), "none of 1");
}
END_TEST

/* On a 4K kernel a text of 7.x may go on in the next page. */
START_TEST(vmcoreinfo_find__text_cut_by_a_lost_page_is_none)
{
	uint64_t at;

	init("x86_64");
	at = machine_put_text(&m, long_text(4096 * 2), _i);
	ck_found_at(at);
	physmem_set_state(&m.pm, at + 4096, STATE_EXCLUDED);
	ck_not_found("-device vmcoreinfo");
	ck_found_at(put(&m.vmcoreinfo));
	physmem_set_state(&m.pm, at + 4096, STATE_STORED);
	ck_found_at(at);
}
END_TEST

START_TEST(vmcoreinfo_find__text_that_does_not_begin_a_page_is_none)
{
	uint64_t at;

	init("x86_64");
	at = physmem_alloc(&m.pm, 8192);
	physmem_write(&m.pm, at + 8, m.vmcoreinfo.data, m.vmcoreinfo.n);
	ck_not_found("-device vmcoreinfo");
	physmem_write(&m.pm, at + 4096, m.vmcoreinfo.data, m.vmcoreinfo.n);
	ck_found_at(at + 4096);
}
END_TEST

/* What is no text, by its form alone. */
START_TEST(vmcoreinfo_find__other_bytes_are_no_text)
{
	static const struct { const char *key, *line; } other[] = {
		{ "PAGESIZE", "" }, { "SYMBOL(init_uts_ns)", "" }, { "KERNELOFFSET", "KERNELOFFSET\n" },
		{ "KERNELOFFSET", "=1\n" }, { "KERNELOFFSET", "KERNELOFFSET=\x01\n" },
		{ "KERNELOFFSET", "KERNELOFFSET=\xc3\xa4\n" }, { "KERNELOFFSET", "\n" },
		{ "CRASHTIME", "CRASHTIME=179" }, { "OSRELEASE", "OSRELEAS=6.12\n" },
	};

	init("x86_64");
	ck_lie(text_with(other[_i].key, other[_i].line), "-device vmcoreinfo");
}
END_TEST

START_TEST(vmcoreinfo_find__text_without_an_end_is_none)
{
	uint64_t at;

	init("x86_64");
	at = put(long_text(68 << 10));
	ck_not_found("-device vmcoreinfo");
	/* 64 KiB are the most that a kernel has room for */
	physmem_u8(&m.pm, at + (32 << 10), 0);
	physmem_u8(&m.pm, at + (32 << 10) - 1, '\n');
	physmem_u8(&m.pm, at + (32 << 10) - 2, '=');
	ck_found_at(at);
}
END_TEST

START_TEST(vmcoreinfo_find__note_must_be_one)
{
	static const uint32_t at[] = { 0, 4, 8, 12, 20 };
	uint64_t note;

	init("x86_64");
	note = machine_put_text(&m, &m.vmcoreinfo, true) - 24;
	ck_found_at(note + 24);
	physmem_u8(&m.pm, note + at[_i], 0x77);
	ck_not_found("-device vmcoreinfo");
}
END_TEST

/* An earlier kernel that is still in memory, whole: it proves as well as the last one. */

#define OLD_PHYS UINT64_C(0x50000000)
#define OLD_BASE INT64_C(0x20000000)

static struct tables old;

/* Three pages: code, page tables' root, init_uts_ns. Its text comes first. */
static uint64_t put_old_kernel(uint64_t *stext)
{
	uint64_t va = OLD_PHYS - (uint64_t)OLD_BASE + UINT64_C(0xffffffff80000000), at;

	tables_init(&old, &m.pm, tables_config("x86_64-4"), OLD_PHYS + 0x1000);
	tables_map_pages(&old, va, OLD_PHYS, 3);
	physmem_frame(&m.pm, OLD_PHYS);
	physmem_write(&m.pm, OLD_PHYS + 0x2000 + 8 + 130, "6.12.1-old", 11);
	at = physmem_alloc(&m.pm, 4096);
	bytes_printf(&text, "OSRELEASE=6.12.1-old\n");
	tables_vmcoreinfo(&old, &text);
	bytes_printf(&text, "SYMBOL(init_uts_ns)=%" PRIx64 "\nOFFSET(uts_namespace.name)=8\n"
		     "SYMBOL(_stext)=%" PRIx64 "\nSYMBOL(init_top_pgt)=%" PRIx64 "\n"
		     "NUMBER(phys_base)=%" PRId64 "\n", va + 0x2000, va, va + 0x1000, OLD_BASE);
	physmem_write(&m.pm, at, text.data, text.n);
	*stext = va;
	return at;
}

static void cpu_at(uint64_t pc)
{
	uint8_t status[336] = { 0 };

	store_u64(status + 112 + 128, pc);
	bytes_free(&notes);
	memset(&notes, 0, sizeof(notes));
	note_write(&notes, "CORE", 1, status, sizeof(status));
}

START_TEST(vmcoreinfo_find__of_two_kernels_the_one_that_ran_is_believed)
{
	uint64_t stext, first, last;

	init("x86_64");
	first = put_old_kernel(&stext);
	last = put(&m.vmcoreinfo);
	cpu_at(m.stext + 0x40);
	ck_found_at(last);
	/* and not because it is the last, or has symbols */
	cpu_at(stext + 0x40);
	ck_assert(!open_kernel());
	ck_fault(why, FAULT_UNSUPPORTED, "kallsyms_num_syms");
	ck_assert_uint_lt(first, last);
}
END_TEST

START_TEST(vmcoreinfo_find__of_two_kernels_none_is_guessed)
{
	uint64_t stext;

	init("x86_64");
	put_old_kernel(&stext);
	put(&m.vmcoreinfo);
	/* in a module, or in a process */
	cpu_at(_i ? UINT64_C(0xffffffffc0001000) : UINT64_C(0x7f0000001000));
	ck_not_found("two kernels");
	ck_assert_msg(strstr(why.text, m.c.release) && strstr(why.text, "6.12.1-old"), "%s",
		      why.text);
}
END_TEST

/* Notes and files. */

START_TEST(vmcoreinfo_find__note_that_lies_is_replaced)
{
	const struct bytes *lie;
	uint64_t at;

	init(machine_configs[_i].name);
	lie = text_with("OSRELEASE", "OSRELEASE=6.12.99-old\n");
	mem = machine_memory(&m);
	mem.facts.vmcoreinfo = (const char *)lie->data;
	mem.facts.vmcoreinfo_len = lie->n;
	ck_assert_ptr_null(kernel_open(&mem, &why));
	ck_fault(why, STATE_DAMAGED, "VMCOREINFO is of Linux 6.12.99-old");
	ck_assert_int_eq(why.cure, CURE_VMCOREINFO);
	at = put(&m.vmcoreinfo);
	k = kernel_open(&mem, &why);
	ck_assert_msg(k, "%s", why.text);
	ck_u64_eq(k->vmcoreinfo_phys, at);
	ck_fault(k->bad_note, STATE_DAMAGED, "6.12.99-old");
	ck_assert_str_eq(k->release, m.c.release);
}
END_TEST

START_TEST(vmcoreinfo_find__true_note_needs_no_search)
{
	init("x86_64");
	put(&m.vmcoreinfo);
	mem = machine_memory(&m);
	k = kernel_open(&mem, &why);
	ck_assert_msg(k, "%s", why.text);
	ck_assert_int_eq(k->vmcoreinfo_from, VMCOREINFO_NOTE);
	ck_assert_ptr_eq(k->vmcoreinfo.text, mem.facts.vmcoreinfo);
	ck_assert_str_eq(k->bad_note.text, "");
}
END_TEST

START_TEST(vmcoreinfo_find__file_by_hand_is_proved_and_not_replaced)
{
	init("x86_64");
	put(&m.vmcoreinfo);
	mem = machine_memory(&m);
	mem.facts.vmcoreinfo_file = "/tmp/by-hand";
	k = kernel_open(&mem, &why);
	ck_assert_msg(k, "%s", why.text);
	ck_assert_int_eq(k->vmcoreinfo_from, VMCOREINFO_FILE);
	kernel_close(k);
	text_with("OSRELEASE", "OSRELEASE=6.12.99-old\n");
	mem.facts.vmcoreinfo = (const char *)text.data;
	mem.facts.vmcoreinfo_len = text.n;
	k = kernel_open(&mem, &why);
	ck_assert_ptr_null(k);
	ck_fault(why, STATE_DAMAGED, "vmcoreinfo /tmp/by-hand proves nothing for this dump: ");
}
END_TEST

/* The search alone. */

START_TEST(vmcoreinfo_find__texts_come_by_address)
{
	struct vmcoreinfo_search s;
	struct vmcoreinfo vi;
	uint64_t at[2], phys;

	init("aarch64-64k");
	at[0] = put(&m.vmcoreinfo);
	/* within a page of 64 KiB */
	physmem_write(&m.pm, at[0] + 0x3000, m.vmcoreinfo.data, m.vmcoreinfo.n);
	at[1] = machine_put_text(&m, &m.vmcoreinfo, true);
	mem = machine_memory(&m);
	ck_ok(vmcoreinfo_search_begin(&s, &mem, &why), why);
	for (int i = 0; i < 3; i++) {
		ck_ok(vmcoreinfo_search_next(&s, &vi, &phys, &why), why);
		ck_assert_ptr_nonnull(vi.text);
		ck_assert_uint_eq(vi.len, m.vmcoreinfo.n);
		ck_assert(!memcmp(vi.text, m.vmcoreinfo.data, vi.len));
		ck_u64_eq(phys, i == 0 ? at[0] : i == 1 ? at[0] + 0x3000 : at[1]);
	}
	for (int i = 0; i < 2; i++) {
		ck_ok(vmcoreinfo_search_next(&s, &vi, &phys, &why), why);
		ck_assert_ptr_null(vi.text);
	}
	ck_u64_eq(s.done, s.total);
	vmcoreinfo_search_end(&s);
}
END_TEST

static void add(TCase *tests)
{
	int n = (int)machine_configs_n;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, vmcoreinfo_find__text_and_note_are_found_on_each_machine, 0,
			    2 * n);
	tcase_add_test(tests, vmcoreinfo_find__nothing_there_is_said_with_the_cure);
	tcase_add_test(tests, vmcoreinfo_find__source_without_a_map_of_pages_is_not_searched);
	tcase_add_test(tests, vmcoreinfo_find__equal_texts_are_one);
	tcase_add_test(tests, vmcoreinfo_find__user_may_stop_the_search);
	tcase_add_loop_test(tests, vmcoreinfo_find__stale_text_of_another_kernel_is_not_believed,
			    0, n);
	tcase_add_loop_test(tests,
			    vmcoreinfo_find__text_whose_symbols_do_not_translate_is_not_believed,
			    0, n);
	tcase_add_loop_test(tests,
			    vmcoreinfo_find__text_of_the_same_kernel_elsewhere_is_not_believed,
			    0, n);
	tcase_add_test(tests, vmcoreinfo_find__stext_must_translate_too);
	tcase_add_loop_test(tests, vmcoreinfo_find__text_cut_by_a_lost_page_is_none, 0, 2);
	tcase_add_test(tests, vmcoreinfo_find__text_that_does_not_begin_a_page_is_none);
	tcase_add_loop_test(tests, vmcoreinfo_find__other_bytes_are_no_text, 0, 9);
	tcase_add_test(tests, vmcoreinfo_find__text_without_an_end_is_none);
	tcase_add_loop_test(tests, vmcoreinfo_find__note_must_be_one, 0, 5);
	tcase_add_test(tests, vmcoreinfo_find__of_two_kernels_the_one_that_ran_is_believed);
	tcase_add_loop_test(tests, vmcoreinfo_find__of_two_kernels_none_is_guessed, 0, 2);
	tcase_add_loop_test(tests, vmcoreinfo_find__note_that_lies_is_replaced, 0, n);
	tcase_add_test(tests, vmcoreinfo_find__true_note_needs_no_search);
	tcase_add_test(tests, vmcoreinfo_find__file_by_hand_is_proved_and_not_replaced);
	tcase_add_test(tests, vmcoreinfo_find__texts_come_by_address);
}

int main(void)
{
	return run_suite("vmcoreinfo_find", add);
}
