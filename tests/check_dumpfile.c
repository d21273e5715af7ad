// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/dumpfile.c: which kind of file it is, and the way from a file to a kernel. The formats
 * have their own suites.
 */
#include "dumpfile_rig.h"

#include "../core/kernel.h"
#include "../fixtures/synth/elf_writer.h"
#include "../fixtures/synth/examples.h"
#include "../fixtures/synth/kdump_writer.h"

static void take(const void *data, size_t n)
{
	rig->file.n = 0;
	bytes_put(&rig->file, data, n);
}

START_TEST(dumpfile__empty_file_is_refused)
{
	take("", 0);
	ck_assert(!open_file());
	ck_fault(why, FAULT_UNSUPPORTED, "empty");
}
END_TEST

START_TEST(dumpfile__other_files_are_named)
{
	static const struct { const char *magic; size_t n; const char *text; } other[] = {
		{ "makedumpfile\0\0\0\0", 16, "makedumpfile -R" },
		{ "\x1f\x8b\x08", 3, "gzip -d" }, { "\xfd" "7zXZ\0", 6, "xz -d" },
		{ "\x28\xb5\x2f\xfd", 4, "zstd -d" }, { "BZh9", 4, "bzip2 -d" },
		{ "\x04\x22\x4d\x18", 4, "lz4 -d" }, { "\x89LZO\0", 5, "lzop -d" },
		{ "DISKDUMP", 8, "diskdump" }, { "LinuxGuestRecord", 16, "Xen" },
		{ "QEVM", 4, "QEMU" }, { "LibvirtQemudSave", 16, "libvirt" },
		{ "PAGEDU64", 8, "Windows" }, { "EMiL", 4, "LiME" }, { "AVML", 4, "AVML" },
		{ "sadump\0\0", 8, "sadump" }, { "hello, world", 12, "not a vmcore" },
		{ "KDUMP", 5, "not a vmcore" }, { "\x7f" "EL", 3, "not a vmcore" },
		{ "\0\0\0\0\0\0\0\0", 8, "not a vmcore" },
	};
	uint8_t block[8192] = { 0 };

	/* alone, and at the start of a longer file */
	take(other[_i].magic, other[_i].n);
	ck_assert(!open_file());
	ck_fault(why, FAULT_UNSUPPORTED, other[_i].text);
	memcpy(block, other[_i].magic, other[_i].n);
	take(block, sizeof(block));
	ck_assert(!open_file());
	ck_fault(why, FAULT_UNSUPPORTED, "not");
}
END_TEST

START_TEST(dumpfile__nothing_but_the_magic_is_a_cut_file)
{
	static const char *const magics[] = { "KDUMP   ", "\x7f" "ELF" };

	take(magics[_i], strlen(magics[_i]));
	ck_assert(!open_file());
	ck_fault(why, STATE_CUT, "cut");
}
END_TEST

START_TEST(dumpfile__close_of_nothing_is_allowed)
{
	dumpfile_close(NULL);
}
END_TEST

/* Notes that are longer than any kernel writes are not read into memory. */
START_TEST(dumpfile__notes_of_absurd_size_are_refused)
{
	struct elf_options o = { .vmcoreinfo = &rig->vmcoreinfo };

	rig_memory(4096);
	elf_write(&rig->pm, &o, &rig->file);
	set(64 + 32, 8, UINT64_C(1) << 40);
	ck_assert(!open_file());
	ck_fault(why, STATE_DAMAGED, "notes");
}
END_TEST

START_TEST(dumpfile__vmcoreinfo_that_no_kernel_writes_is_refused)
{
	struct elf_options o = { .vmcoreinfo = &rig->vmcoreinfo };

	rig_memory(4096);
	while (rig->vmcoreinfo.n < 3000)
		bytes_text(&rig->vmcoreinfo, "xxxxxxxxxx");
	elf_write(&rig->pm, &o, &rig->file);
	ck_assert(!open_file());
	ck_fault(why, STATE_DAMAGED, "VMCOREINFO");
}
END_TEST

START_TEST(dumpfile__two_files_are_open_at_once)
{
	struct elf_options e = { .vmcoreinfo = &rig->vmcoreinfo };
	struct kdump_options k = { .machine = "aarch64", .zlib = true };
	struct bytes other = { 0 };
	struct memfile mf;
	struct dumpfile_io io;
	struct dumpfile *df;

	rig_memory(4096);
	elf_write(&rig->pm, &e, &rig->file);
	kdump_write(&rig->pm, &k, &other, NULL);
	mf = memfile_cut(&other, other.n);
	io = memfile_io(&mf);
	df = dumpfile_open(&io, &why);
	ck_assert_ptr_nonnull(df);
	ck_ok(open_file(), why);
	ck_states_are_as_put();
	ck_assert_str_eq(dumpfile_facts(df)->machine, "aarch64");
	ck_assert_str_eq(dumpfile_facts(rig->df)->machine, "x86_64");
	ck_assert_int_eq(dumpfile_state(df, 9 * 4096, 4096), STATE_EXCLUDED);
	ck_assert(!mf.outside);
	dumpfile_close(df);
	bytes_free(&other);
}
END_TEST

/* Each example opens, or is refused for what it is; states never leave the file. */
START_TEST(dumpfile__examples_are_opened)
{
	static const char *const names[] = {
		"elf-x86_64", "kdump-x86_64", "elf-aarch64-16k", "kdump-aarch64-4k",
		"elf-overlap", "elf-segments", "elf-unaligned", "kdump-raw", "cut-kdump",
		"cut-elf",
	};
	struct bytes truth = { 0 };
	bool cut = !strncmp(names[_i], "cut", 3);

	ck_assert(example_make(names[_i], &rig->file, &truth));
	bytes_free(&truth);
	ck_ok(open_file(), why);
	ck_assert(dumpfile_facts(rig->df)->cut == cut);
	ck_assert_ptr_nonnull(dumpfile_facts(rig->df)->vmcoreinfo);
	/* the first page of the kernel's image, which all machines have there */
	ck_assert_int_eq(dumpfile_state(rig->df, 0x44000000, 4096), STATE_STORED);
	ck_assert_int_eq(dumpfile_state(rig->df, 0x1000, 4096), STATE_ABSENT);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, dumpfile__empty_file_is_refused);
	tcase_add_loop_test(tests, dumpfile__other_files_are_named, 0, 19);
	tcase_add_loop_test(tests, dumpfile__nothing_but_the_magic_is_a_cut_file, 0, 2);
	tcase_add_test(tests, dumpfile__close_of_nothing_is_allowed);
	tcase_add_test(tests, dumpfile__notes_of_absurd_size_are_refused);
	tcase_add_test(tests, dumpfile__vmcoreinfo_that_no_kernel_writes_is_refused);
	tcase_add_test(tests, dumpfile__two_files_are_open_at_once);
	tcase_add_loop_test(tests, dumpfile__examples_are_opened, 0, 10);
}

int main(void)
{
	return run_suite("dumpfile", add);
}
