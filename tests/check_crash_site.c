// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/crash_site.c: registers, CR2 and a log written by hand against the arenas of a synthetic
 * machine; and how it is shown. Addresses are computed here by the kernel's rule.
 */
#include "arena_rig.h"
#include "sink_rig.h"

#include "../core/render_crash_site.h"
#include "../fixtures/synth/log_writer.h"
#include "../fixtures/synth/notes_writer.h"

/* Places in struct user_regs_struct. */
enum { R12 = 3, RBX = 5, RAX = 10, RDI = 14, ORIG_AX = 15, RIP = 16, FLAGS = 18, RSP = 19 };

enum { CPUS = 8 };

/* Low half 0: page 0 of the window is that of all small numbers. */
#define USER (UINT64_C(1) << 44)

static struct log_writer lw;
static struct bytes notes;
static uint8_t prstatus[CPUS][336], qemu[CPUS][440];
static unsigned cpus;
static bool has_cr2;
static struct crash_site site;
static struct machine_arena *is, *other;

static void crash_setup(void)
{
	setup();
	sink_rig_setup();
	notes = (struct bytes){ 0 };
	site = (struct crash_site){ 0 };
	memset(prstatus, 0, sizeof(prstatus));
	memset(qemu, 0, sizeof(qemu));
	cpus = 1;
	has_cr2 = false;
	is = one_arena("x86_64-7.3", 64, USER);
	other = machine_add_arena(&m, &(struct arena_spec){
		.id = 23, .name = "other", .max_entries = 16,
		.user_vm_start = UINT64_C(0x7f1200003000), .user_vm_end = UINT64_C(0x7f1200013000) });
	is = made(9);
	other = made(23);
	machine_map_page(&m, is, 0);
	machine_map_page(&m, is, 5);
	lw = (struct log_writer){ .pm = &m.pm, .direct = m.direct, .count_bits = 5,
				  .size_bits = 12, .info_size = 112 };
	log_init(&lw);
}

static void crash_teardown(void)
{
	crash_site_free(&site);
	bytes_free(&notes);
	sink_rig_teardown();
	teardown();
}

static void set(unsigned cpu, unsigned place, uint64_t value)
{
	store_u64(prstatus[cpu] + 112 + 8 * place, value);
	if (cpu >= cpus)
		cpus = cpu + 1;
}

static void set_cr2(unsigned cpu, uint64_t value)
{
	store_u32(qemu[cpu], 1);
	store_u64(qemu[cpu] + 408, value);
	has_cr2 = true;
}

static void oops(uint64_t address, uint64_t time)
{
	char line[128];

	snprintf(line, sizeof(line), "BUG: unable to handle page fault for address: %016" PRIx64,
		 address);
	log_put(&lw, line, 0, time);
}

static bool look(void)
{
	if (!k) {
		machine_finish(&m);
		log_vmcoreinfo(&lw, &m.vmcoreinfo);
		for (unsigned i = 0; i < cpus; i++)
			note_write(&notes, "CORE", 1, prstatus[i], 336);
		for (unsigned i = 0; has_cr2 && i < cpus; i++) {
			store_u32(qemu[i], 1);
			note_write(&notes, "QEMU", 0, qemu[i], 440);
		}
		mem = machine_memory(&m);
		mem.facts.notes = notes.data;
		mem.facts.notes_len = notes.n;
		k = kernel_open(&mem, &why);
		ck_assert_msg(k, "%s", why.text);
		ck_ok(arena_find(k, false, &list, &problems, &why), why);
	}
	crash_site_free(&site);
	return crash_site_find(k, &list, &site, &why);
}

static const struct crash_hit *ck_hit(size_t i, enum crash_source source, const char *name,
				      uint64_t value, uint32_t arena, bool strong)
{
	const struct crash_hit *h;

	ck_assert_uint_lt(i, site.n);
	h = &site.hit[i];
	ck_assert_int_eq(h->source, source);
	ck_u64_eq(h->value, value);
	if (name)
		ck_assert_str_eq(h->name, name);
	else
		ck_assert_ptr_null(h->name);
	ck_assert(h->has_id);
	ck_assert_uint_eq(h->id, arena);
	ck_assert_uint_eq(h->strong, strong);
	return h;
}

static void ck_place(const struct crash_hit *h, enum where_form form, uint64_t pgoff,
		     uint64_t offset, enum where_page what)
{
	ck_assert(!h->base);
	ck_assert_int_eq(h->where.form, form);
	ck_assert(h->where.has_pgoff);
	ck_u64_eq(h->where.pgoff, pgoff);
	ck_u64_eq(h->where.offset, offset);
	ck_assert_int_eq(h->where.what, what);
}

START_TEST(crash__registers_that_point_nowhere_hit_nothing)
{
	set(0, R12, is->area - 1);
	set(0, RBX, other->area + other->area_size);
	set(0, RAX, USER - 1);
	set(0, RDI, USER + 64 * 4096);
	set(0, RIP, m.stext);
	ck_ok(look(), why);
	ck_assert(site.looked);
	ck_assert_uint_eq(site.n, 0);
	ck_assert_uint_eq(site.cpus, 1);
	ck_assert_int_eq(site.registers, REGISTERS_NOTES);
	ck_assert(site.has_log);
	ck_assert(crash_site_table(&out, &site, true));
	ck_taken("");
}
END_TEST

START_TEST(crash__a_kernel_address_in_a_register)
{
	set(0, RDI, kernel_address(is, 5) + 0x18);
	set(0, RAX, kernel_address(other, 2));
	ck_ok(look(), why);
	ck_assert_uint_eq(site.n, 2);
	/* by the register's name */
	ck_place(ck_hit(0, CRASH_NOTES, "rax", kernel_address(other, 2), 23, true), FORM_KERNEL, 2, 0,
		 WHERE_NOT_MAPPED);
	ck_place(ck_hit(1, CRASH_NOTES, "rdi", kernel_address(is, 5) + 0x18, 9, true), FORM_KERNEL, 5,
		 0x18, WHERE_MAPPED);
	ck_assert_int_eq(site.hit[1].kind, KIND_PAGE);
	ck_assert_int_eq(site.hit[1].state, STATE_STORED);
}
END_TEST

START_TEST(crash__guards_count_to_their_last_byte)
{
	set(0, RAX, is->area);
	set(0, RBX, is->area + is->area_size - 1);
	ck_ok(look(), why);
	ck_assert_uint_eq(site.n, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(site.hit[i].where.what, WHERE_GUARD);
		ck_assert(!site.hit[i].where.has_pgoff);
	}
}
END_TEST

START_TEST(crash__a_user_address_in_a_register)
{
	set(0, RSP, USER);
	set(0, RDI, UINT64_C(0x7f1200012fff));
	set(0, RAX, UINT64_C(0x7f1200013000));
	ck_ok(look(), why);
	ck_assert_uint_eq(site.n, 2);
	ck_place(ck_hit(0, CRASH_NOTES, "rdi", UINT64_C(0x7f1200012fff), 23, true), FORM_USER, 15,
		 0xfff, WHERE_NOT_MAPPED);
	ck_place(ck_hit(1, CRASH_NOTES, "rsp", USER, 9, true), FORM_USER, 0, 0, WHERE_MAPPED);
}
END_TEST

START_TEST(crash__r12_holds_the_base)
{
	set(0, R12, is->base);
	set(0, RBX, other->base);
	ck_ok(look(), why);
	ck_assert_uint_eq(site.n, 2);
	ck_assert(ck_hit(0, CRASH_NOTES, "r12", is->base, 9, true)->base);
	/* in any other register it is an address as others */
	ck_assert(!ck_hit(1, CRASH_NOTES, "rbx", other->base, 23, true)->base);
}
END_TEST

START_TEST(crash__low_halves_are_said_beside_the_base_alone)
{
	/* pgoff 5 is mapped, 6 is not, and a number below a page is a number */
	set(0, R12, is->base);
	set(0, RAX, 0x5008);
	set(0, RBX, 0x6000);
	set(0, RDI, 0xff8);
	set(0, RSP, 0x5010);
	set(0, ORIG_AX, 0x5018);
	set(0, FLAGS, 0x5020);
	set(1, RAX, 0x5008);
	ck_ok(look(), why);
	ck_assert_uint_eq(site.n, 2);
	ck_assert_uint_eq(site.strong, 1);
	ck_assert(ck_hit(0, CRASH_NOTES, "r12", is->base, 9, true)->base);
	ck_place(ck_hit(1, CRASH_NOTES, "rax", 0x5008, 9, false), FORM_LOW32, 5, 8, WHERE_MAPPED);
	ck_assert_uint_eq(site.hit[1].cpu, 0);
}
END_TEST

START_TEST(crash__the_oops_of_the_log)
{
	oops(kernel_address(is, 7) + 8, UINT64_C(1500000));
	oops(is->area + is->area_size - 1, UINT64_C(12345678999));
	oops(UINT64_C(0x100), UINT64_C(13000000000));
	ck_ok(look(), why);
	ck_assert_uint_eq(site.log.n, 3);
	ck_assert_uint_eq(site.n, 2);
	/* the later one first */
	ck_assert_int_eq(ck_hit(0, CRASH_LOG, NULL, is->area + is->area_size - 1, 9, true)->where.what,
			 WHERE_GUARD);
	ck_u64_eq(site.hit[0].time, UINT64_C(12345678999));
	ck_place(ck_hit(1, CRASH_LOG, NULL, kernel_address(is, 7) + 8, 9, true), FORM_KERNEL, 7, 8,
		 WHERE_NOT_MAPPED);
}
END_TEST

START_TEST(crash__cr2_is_strong_where_it_is_the_kernels)
{
	set_cr2(0, kernel_address(is, 7) + 8);
	set(1, RAX, 0);
	set_cr2(1, USER + 0x1000);
	ck_ok(look(), why);
	ck_assert(site.has_cr2);
	ck_assert_uint_eq(site.n, 2);
	ck_assert_uint_eq(site.strong, 1);
	ck_place(ck_hit(0, CRASH_CR2, "cr2", kernel_address(is, 7) + 8, 9, true), FORM_KERNEL, 7, 8,
		 WHERE_NOT_MAPPED);
	ck_assert_uint_eq(site.hit[0].cpu, 0);
	ck_place(ck_hit(1, CRASH_CR2, "cr2", USER + 0x1000, 9, false), FORM_USER, 1, 0,
		 WHERE_NOT_MAPPED);
}
END_TEST

START_TEST(crash__weak_hints_alone_are_not_above_the_list)
{
	set_cr2(0, USER + 0x1000);
	ck_ok(look(), why);
	ck_assert_uint_eq(site.n, 1);
	ck_assert(crash_site_table(&out, &site, false));
	ck_taken("");
	ck_assert(crash_site_table(&out, &site, true));
	ck_taken("note 0: cr2 100000001000 (last page fault), user address, not mapped\n"
		 "       arena 9 arena, pgoff 1, byte 0x0\n"
		 "\n");
}
END_TEST

START_TEST(crash__as_it_is_shown)
{
	char text[512];

	oops(kernel_address(is, 7) + 8, UINT64_C(12345678999));
	set(0, R12, is->base);
	set(0, RAX, 0x5008);
	ck_ok(look(), why);
	site.hit[1].has_cpu = site.hit[2].has_cpu = true;
	snprintf(text, sizeof(text),
		 "oops at 12.345678 (log): %" PRIx64 ", kernel address, not mapped\n"
		 "       arena 9 arena, pgoff 7, byte 0x8\n"
		 "CPU 0: r12 %" PRIx64 " (NT_PRSTATUS), base of the window\n"
		 "       arena 9 arena\n"
		 "CPU 0: rax 5008 (NT_PRSTATUS), may be low half, mapped\n"
		 "       arena 9 arena, pgoff 5, byte 0x8\n"
		 "\n", kernel_address(is, 7) + 8, is->base);
	ck_assert(crash_site_table(&out, &site, false));
	ck_taken(text);
}
END_TEST

START_TEST(crash__a_weak_cr2_is_not_above_the_list_beside_strong_hints)
{
	set(0, R12, is->base);
	set_cr2(0, USER + 0x1000);
	ck_ok(look(), why);
	ck_assert_uint_eq(site.n, 2);
	ck_assert(crash_site_table(&out, &site, false));
	ck_assert_ptr_null(strstr(taken_text(), "cr2"));
	ck_assert(crash_site_table(&out, &site, true));
	ck_assert_ptr_nonnull(strstr(taken_text(), "note 0: cr2 "));
}
END_TEST

START_TEST(crash__as_json)
{
	char text[1024];

	oops(kernel_address(is, 7) + 8, UINT64_C(12345678999));
	set(0, R12, is->base);
	ck_ok(look(), why);
	snprintf(text, sizeof(text),
		 ",\"crash\":{\"registers\":\"prstatus\",\"cpus\":1,\"cr2\":false,"
		 "\"log\":{\"records\":2,\"lost\":0,\"oopses\":1,\"more\":false},\"no_log\":null,"
		 "\"hits\":[{\"source\":\"log\",\"cpu\":null,\"note\":null,\"register\":null,"
		 "\"time_ns\":12345678999,\"value\":\"0x%" PRIx64 "\",\"strong\":true,\"arena\":9,"
		 "\"name\":\"arena\",\"map\":\"0x%" PRIx64 "\",\"form\":\"kernel\",\"pgoff\":7,"
		 "\"offset\":8,\"page\":\"not_mapped\",\"stored\":null},"
		 "{\"source\":\"prstatus\",\"cpu\":null,\"note\":0,\"register\":\"r12\","
		 "\"time_ns\":null,\"value\":\"0x%" PRIx64 "\",\"strong\":true,\"arena\":9,"
		 "\"name\":\"arena\",\"map\":\"0x%" PRIx64 "\",\"form\":\"base\",\"pgoff\":null,"
		 "\"offset\":null,\"page\":null,\"stored\":null}],\"more\":0}",
		 kernel_address(is, 7) + 8, is->map, is->base, is->map);
	ck_assert(crash_site_json(&out, &site));
	ck_taken(text);
}
END_TEST

START_TEST(crash__many_cpus_at_one_base_are_one_line)
{
	char text[512];

	for (unsigned i = 0; i < 5; i++)
		set(i, R12, is->base);
	set(5, R12, other->base);
	ck_ok(look(), why);
	ck_assert_uint_eq(site.n, 6);
	snprintf(text, sizeof(text),
		 "r12 %" PRIx64 " of 5 CPUs, base of the window\n"
		 "       arena 9 arena\n"
		 "note 5: r12 %" PRIx64 " (NT_PRSTATUS), base of the window\n"
		 "       arena 23 other\n"
		 "\n", is->base, other->base);
	ck_assert(crash_site_table(&out, &site, false));
	ck_taken(text);
}
END_TEST

START_TEST(crash__of_too_many_hits_the_rest_is_counted)
{
	set(0, R12, is->base);
	ck_ok(look(), why);
	/* the same note 5000 times */
	for (unsigned i = 1; i < 5000; i++)
		note_write(&notes, "CORE", 1, prstatus[0], 336);
	mem.facts.notes = notes.data;
	mem.facts.notes_len = notes.n;
	ck_ok(look(), why);
	ck_assert_uint_eq(site.cpus, 5000);
	ck_assert_uint_eq(site.n, 4096);
	ck_u64_eq(site.more, 5000 - 4096);
}
END_TEST

START_TEST(crash__only_arenas_that_are_hit_are_walked)
{
	uint64_t window;

	set(0, RDI, kernel_address(is, 5));
	ck_ok(look(), why);
	window = m.pm.reads;
	set(0, RDI, 0);
	physmem_forget_reads(&m.pm);
	memset(notes.data, 0, notes.n);
	ck_ok(look(), why);
	ck_assert_uint_lt(m.pm.reads, window);
	/* nor is a page's contents read */
	for (size_t i = 0; i < m.pages; i++)
		ck_assert_uint_eq(physmem_reads(&m.pm, m.page[i].phys), 0);
}
END_TEST

START_TEST(crash__without_a_log_registers_are_said_all_the_same)
{
	const char *text;

	set(0, RDI, kernel_address(is, 5));
	physmem_set_state(&m.pm, lw.prb, STATE_EXCLUDED);
	ck_ok(look(), why);
	ck_assert_uint_eq(site.n, 1);
	ck_assert(!site.has_log);
	ck_fault(site.no_log, STATE_EXCLUDED, "the kernel's log: ");
	ck_assert(crash_site_sources(&out, &site));
	text = taken_text();
	ck_assert_ptr_nonnull(strstr(text, "registers of 1 CPU (NT_PRSTATUS),\n"));
	ck_assert_ptr_nonnull(strstr(text, "the log cannot be read (excluded)\n"));
}
END_TEST

START_TEST(crash__interrupted)
{
	set(0, RDI, kernel_address(is, 5));
	ck_ok(look(), why);
	m.pm.stop_after = m.pm.progress;
	ck_assert(!look());
	ck_fault(why, FAULT_LIMIT, "interrupted");
	/* in the walk, behind the log */
	m.pm.stop_after = m.pm.progress + 1;
	ck_assert(!look());
	ck_fault(why, FAULT_LIMIT, "interrupted");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, crash_setup, crash_teardown);
	tcase_add_test(tests, crash__registers_that_point_nowhere_hit_nothing);
	tcase_add_test(tests, crash__a_kernel_address_in_a_register);
	tcase_add_test(tests, crash__guards_count_to_their_last_byte);
	tcase_add_test(tests, crash__a_user_address_in_a_register);
	tcase_add_test(tests, crash__r12_holds_the_base);
	tcase_add_test(tests, crash__low_halves_are_said_beside_the_base_alone);
	tcase_add_test(tests, crash__the_oops_of_the_log);
	tcase_add_test(tests, crash__cr2_is_strong_where_it_is_the_kernels);
	tcase_add_test(tests, crash__weak_hints_alone_are_not_above_the_list);
	tcase_add_test(tests, crash__as_it_is_shown);
	tcase_add_test(tests, crash__a_weak_cr2_is_not_above_the_list_beside_strong_hints);
	tcase_add_test(tests, crash__as_json);
	tcase_add_test(tests, crash__many_cpus_at_one_base_are_one_line);
	tcase_add_test(tests, crash__of_too_many_hits_the_rest_is_counted);
	tcase_add_test(tests, crash__only_arenas_that_are_hit_are_walked);
	tcase_add_test(tests, crash__without_a_log_registers_are_said_all_the_same);
	tcase_add_test(tests, crash__interrupted);
}

int main(void)
{
	return run_suite("crash_site", add);
}
