// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/registers.c on notes and memory written by hand. Places are those of struct elf_prstatus
 * (include/linux/elfcore.h), struct user_regs_struct, struct user_pt_regs and of QEMU's
 * struct QEMUCPUState (target/i386/arch_dump.c), counted here.
 */
#include "memory_rig.h"

#include "../core/registers.h"

enum { PER_CPU = 0x100000, VARIABLES = 0x2000000, NOTES_AT = 0x5000, CPUS = 4 };

static struct registers r;

static void registers_setup(void)
{
	memory_setup();
	r = (struct registers){ 0 };
}

static void registers_teardown(void)
{
	registers_free(&r);
	memory_teardown();
}

static void read_all(void)
{
	memory_open();
	registers_free(&r);
	ck_ok(registers_read(&k, &r, &why), why);
}

/* struct elf_prstatus with register @i of @cpu being cpu << 32 | i + 1 */
static void prstatus(uint8_t *p, bool arm, uint64_t cpu)
{
	memset(p, 0, 392);
	for (uint64_t i = 0; i < (arm ? 34 : 27); i++)
		store_u64(p + 112 + 8 * i, cpu << 32 | (i + 1));
}

static uint64_t value(uint64_t cpu, uint64_t place)
{
	return cpu << 32 | (place + 1);
}

static size_t add_note(bool arm, uint64_t cpu)
{
	uint8_t p[392];

	prstatus(p, arm, cpu);
	return note_write(&notes, "CORE", 1, p, arm ? 392 : 336);
}

static void add_qemu(uint32_t version, size_t size, uint64_t cr2)
{
	uint8_t p[440] = { 0 };

	store_u32(p, version);
	store_u32(p + 4, 440);
	/* 18 registers, 6 segments, ldt, tr, gdt, idt of 24 bytes, cr0, cr1 */
	store_u64(p + 8 + 18 * 8 + 10 * 24 + 2 * 8, cr2);
	note_write(&notes, "QEMU", 0, p, size);
}

/* crash_notes, __per_cpu_offset and nr_cpu_ids; no CPU has saved anything. */
static void own_notes(uint32_t cpus)
{
	symbol_at(SYMBOL_crash_notes, VARIABLES);
	symbol_at(SYMBOL_nr_cpu_ids, VARIABLES + 8);
	symbol_at(SYMBOL___per_cpu_offset, VARIABLES + 16);
	/* a per-CPU pointer is an offset itself */
	physmem_u64(&pm, VARIABLES, NOTES_AT);
	physmem_u32(&pm, VARIABLES + 8, cpus);
	for (uint64_t i = 0; i < CPUS; i++) {
		physmem_u64(&pm, VARIABLES + 16 + 8 * i, DIRECT + 0x3000000 + i * PER_CPU);
		physmem_frame(&pm, 0x3000000 + i * PER_CPU + NOTES_AT);
	}
}

static uint64_t own_note_at(uint64_t cpu)
{
	return 0x3000000 + cpu * PER_CPU + NOTES_AT;
}

static void save(bool arm, uint64_t cpu)
{
	struct bytes note = { 0 };
	uint8_t p[392];

	prstatus(p, arm, cpu);
	note_write(&note, "CORE", 1, p, arm ? 392 : 336);
	physmem_write(&pm, own_note_at(cpu), note.data, note.n);
	bytes_free(&note);
}

static uint64_t named(size_t i, const char *name)
{
	for (size_t j = 0; j < r.n_info; j++)
		if (!strcmp(r.info[j].name, name))
			return r.cpu[i].value[j];
	ck_abort_msg("no register %s", name);
}

static void ck_cpu(size_t i, bool has_cpu, uint32_t cpu)
{
	ck_assert_uint_lt(i, r.n);
	ck_assert_uint_eq(r.cpu[i].has_cpu, has_cpu);
	if (has_cpu)
		ck_assert_uint_eq(r.cpu[i].cpu, cpu);
}

START_TEST(registers__x86_64_by_name)
{
	/* struct user_regs_struct, arch/x86/include/asm/user_64.h */
	static const char *const order[] = {
		"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx",
		"rdx", "rsi", "rdi", NULL, "rip", NULL, NULL, "rsp",
	};

	add_note(false, 7);
	read_all();
	ck_assert_int_eq(r.source, REGISTERS_NOTES);
	ck_assert_uint_eq(r.n, 1);
	for (uint64_t i = 0; i < 20; i++)
		if (order[i])
			ck_u64_eq(named(0, order[i]), value(7, i));
	ck_assert_uint_eq(r.n_info, 17);
	ck_assert_str_eq(r.info[r.base].name, "r12");
	ck_assert(!r.cpu[0].has_cr2);
}
END_TEST

START_TEST(registers__aarch64_by_name)
{
	char name[8];

	k.machine = "aarch64";
	add_note(true, 3);
	read_all();
	ck_assert_uint_eq(r.n_info, 33);
	for (unsigned i = 0; i < 31; i++) {
		snprintf(name, sizeof(name), "x%u", i);
		ck_u64_eq(named(0, name), value(3, i));
	}
	ck_u64_eq(named(0, "sp"), value(3, 31));
	ck_u64_eq(named(0, "pc"), value(3, 32));
	ck_assert_str_eq(r.info[r.base].name, "x28");
}
END_TEST

START_TEST(registers__of_another_machine_or_size_are_none)
{
	uint8_t p[392];

	prstatus(p, false, 1);
	add_note(true, 0);
	note_write(&notes, "CORE", 1, p, 335);
	note_write(&notes, "CORE", 2, p, 336);
	note_write(&notes, "LINUX", 1, p, 336);
	read_all();
	ck_assert_int_eq(r.source, REGISTERS_NONE);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(registers__cut_notes_give_whole_cpus_only)
{
	size_t whole = (add_note(false, 0), notes.n);

	add_note(false, 1);
	for (size_t n = 0; n < notes.n; n += 7) {
		memory_open();
		mem.facts.notes_len = n;
		registers_free(&r);
		ck_ok(registers_read(&k, &r, &why), why);
		ck_assert_uint_eq(r.n, n >= whole);
	}
}
END_TEST

START_TEST(registers__one_note_for_each_cpu_is_in_order)
{
	own_notes(3);
	for (uint64_t i = 0; i < 3; i++)
		add_note(false, 10 + i);
	read_all();
	for (uint32_t i = 0; i < 3; i++)
		ck_cpu(i, true, i);
}
END_TEST

START_TEST(registers__fewer_notes_than_cpus_name_no_cpu)
{
	own_notes(4);
	add_note(false, 10);
	add_note(false, 11);
	read_all();
	ck_assert_uint_eq(r.n, 2);
	ck_cpu(0, false, 0);
	ck_cpu(1, false, 0);
	ck_assert_uint_eq(r.cpu[1].note, 1);
}
END_TEST

START_TEST(registers__the_kernels_own_note_says_whose_they_are)
{
	/* CPU 0 and 2 saved nothing: /proc/vmcore has two notes */
	own_notes(4);
	save(false, 1);
	save(false, 3);
	add_note(false, 1);
	add_note(false, 3);
	read_all();
	ck_assert_int_eq(r.source, REGISTERS_NOTES);
	ck_assert_uint_eq(r.n, 2);
	ck_cpu(0, true, 1);
	ck_cpu(1, true, 3);
}
END_TEST

START_TEST(registers__a_note_that_the_kernel_does_not_have_is_nobodys)
{
	/* QEMU's, taken after a panic in which other registers were saved */
	own_notes(4);
	save(false, 0);
	save(false, 1);
	add_note(false, 10);
	add_note(false, 11);
	read_all();
	ck_assert_uint_eq(r.n, 2);
	ck_cpu(0, false, 0);
	ck_cpu(1, false, 0);
}
END_TEST

START_TEST(registers__without_notes_are_those_in_memory)
{
	own_notes(4);
	save(false, 1);
	save(false, 2);
	read_all();
	ck_assert_int_eq(r.source, REGISTERS_MEMORY);
	ck_assert_uint_eq(r.n, 2);
	ck_cpu(0, true, 1);
	ck_u64_eq(named(0, "r12"), value(1, 3));
	ck_cpu(1, true, 2);
	ck_u64_eq(named(1, "rsp"), value(2, 19));
}
END_TEST

START_TEST(registers__in_memory_of_aarch64)
{
	k.machine = "aarch64";
	own_notes(4);
	save(true, 2);
	save(false, 3);
	read_all();
	ck_assert_uint_eq(r.n, 1);
	ck_cpu(0, true, 2);
	ck_u64_eq(named(0, "pc"), value(2, 32));
}
END_TEST

START_TEST(registers__before_a_panic_memory_has_none)
{
	own_notes(4);
	read_all();
	ck_assert_int_eq(r.source, REGISTERS_NONE);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(registers__lost_memory_of_a_cpu_loses_that_one)
{
	own_notes(4);
	for (uint64_t i = 0; i < 4; i++)
		save(false, i);
	physmem_set_state(&pm, own_note_at(2), STATE_EXCLUDED);
	read_all();
	ck_assert_uint_eq(r.n, 3);
	ck_cpu(2, true, 3);
	physmem_u64(&pm, VARIABLES + 16 + 8, UINT64_C(0x7ffffffffff));
	read_all();
	ck_assert_uint_eq(r.n, 2);
	physmem_set_state(&pm, VARIABLES, STATE_EXCLUDED);
	read_all();
	ck_assert_int_eq(r.source, REGISTERS_NONE);
}
END_TEST

START_TEST(registers__absurd_numbers_of_cpus_are_not_believed)
{
	static const uint32_t cpus[] = { 0, 8193, UINT32_MAX };

	own_notes(cpus[_i]);
	save(false, 0);
	read_all();
	ck_assert_uint_eq(r.n, 0);
	ck_assert_uint_lt(pm.reads, 100);
}
END_TEST

START_TEST(registers__cr2_of_qemu)
{
	add_note(false, 0);
	add_note(false, 1);
	add_qemu(1, 440, 0x1000);
	add_qemu(1, 432, UINT64_C(0xffffc90000001008));
	read_all();
	ck_assert_uint_eq(r.n, 2);
	ck_assert(r.cpu[0].has_cr2 && r.cpu[1].has_cr2);
	ck_u64_eq(r.cpu[0].cr2, 0x1000);
	ck_u64_eq(r.cpu[1].cr2, UINT64_C(0xffffc90000001008));
}
END_TEST

START_TEST(registers__cr2_of_another_number_of_cpus_is_nobodys)
{
	add_note(false, 0);
	add_note(false, 1);
	add_qemu(1, 440, 0x1000);
	add_qemu(2, 440, 0x2000);	/* another version */
	add_qemu(1, 415, 0x3000);	/* too short for it */
	read_all();
	ck_assert(!r.cpu[0].has_cr2 && !r.cpu[1].has_cr2);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, registers_setup, registers_teardown);
	tcase_add_test(tests, registers__x86_64_by_name);
	tcase_add_test(tests, registers__aarch64_by_name);
	tcase_add_test(tests, registers__of_another_machine_or_size_are_none);
	tcase_add_test(tests, registers__cut_notes_give_whole_cpus_only);
	tcase_add_test(tests, registers__one_note_for_each_cpu_is_in_order);
	tcase_add_test(tests, registers__fewer_notes_than_cpus_name_no_cpu);
	tcase_add_test(tests, registers__the_kernels_own_note_says_whose_they_are);
	tcase_add_test(tests, registers__a_note_that_the_kernel_does_not_have_is_nobodys);
	tcase_add_test(tests, registers__without_notes_are_those_in_memory);
	tcase_add_test(tests, registers__in_memory_of_aarch64);
	tcase_add_test(tests, registers__before_a_panic_memory_has_none);
	tcase_add_test(tests, registers__lost_memory_of_a_cpu_loses_that_one);
	tcase_add_loop_test(tests, registers__absurd_numbers_of_cpus_are_not_believed, 0, 3);
	tcase_add_test(tests, registers__cr2_of_qemu);
	tcase_add_test(tests, registers__cr2_of_another_number_of_cpus_is_nobodys);
}

int main(void)
{
	return run_suite("registers", add);
}
