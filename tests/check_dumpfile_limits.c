// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/dumpfile*.c: the cache of blocks of the file, and how many segments are read.
 */
#include "suite.h"

#include <elf.h>

#include "../core/dumpfile_internal.h"
#include "../fixtures/synth/bytes.h"

/* The cache: two turns of its slots and half a block. */

enum { SIZE = 2 * FILE_BLOCKS * FILE_BLOCK + FILE_BLOCK / 2 };

static struct bytes file;
static struct dumpfile *df;
static struct fault why;
static unsigned reads, fail_at;	/* the n-th read fails; 0: none */

/* A read that fails leaves garbage. */
static bool read_at(void *of, void *buf, size_t n, uint64_t offset)
{
	ck_assert_ptr_eq(of, &file);
	if (offset > file.n || n > file.n - offset)
		ck_abort_msg("a read outside of the file");
	memset(buf, 0xa5, n);
	if (++reads == fail_at)
		return false;
	memcpy(buf, file.data + offset, n);
	return true;
}

static struct dumpfile_io io(void)
{
	return (struct dumpfile_io){ .pread = read_at, .file = &file, .size = file.n };
}

static void setup(void)
{
	file = (struct bytes){ 0 };
	df = NULL;
	reads = fail_at = 0;
}

static void teardown(void)
{
	free(df);
	bytes_free(&file);
}

/* Each word of the file is its own offset. */
static void open_cache(void)
{
	for (uint32_t at = 0; at < SIZE; at += 4)
		bytes_u32(&file, at);
	df = synth_alloc(sizeof(*df));
	df->io = io();
}

static bool peek_is_right(uint64_t offset, size_t n)
{
	uint8_t buf[2 * FILE_BLOCK];

	ck_assert_uint_le(n, sizeof(buf));
	if (!dumpfile_peek(df, buf, n, offset))
		return false;
	ck_assert_msg(!memcmp(buf, file.data + offset, n), "wrong bytes at %" PRIu64, offset);
	return true;
}

START_TEST(limits__neighbours_share_a_read)
{
	open_cache();
	for (uint64_t at = 0; at < FILE_BLOCK; at += 64)
		ck_assert(peek_is_right(at, 64));
	ck_assert_uint_eq(reads, 1);
	/* over the border of two blocks */
	ck_assert(peek_is_right(FILE_BLOCK - 10, 20));
	ck_assert_uint_eq(reads, 2);
}
END_TEST

START_TEST(limits__blocks_of_one_slot_are_not_confused)
{
	open_cache();
	for (int i = 0; i < 3; i++)
		for (uint64_t turn = 0; turn < 3; turn++)
			ck_assert(peek_is_right(turn * FILE_BLOCKS * FILE_BLOCK + 100, 8));
	ck_assert_uint_eq(reads, 9);
}
END_TEST

START_TEST(limits__end_of_the_file_is_the_end)
{
	open_cache();
	ck_assert(peek_is_right(SIZE - 8, 8));
	ck_assert(!peek_is_right(SIZE - 8, 9));
	ck_assert(!peek_is_right(SIZE, 1));
	ck_assert(!peek_is_right(UINT64_MAX, 2));
	ck_assert_uint_eq(reads, 1);
}
END_TEST

/* The failed read overwrote the slot of another block, which must not be given out as that. */
START_TEST(limits__failed_read_leaves_nothing_in_the_cache)
{
	const uint64_t other = FILE_BLOCKS * FILE_BLOCK;

	open_cache();
	ck_assert(peek_is_right(100, 8));
	fail_at = 2;
	ck_assert(!peek_is_right(other + 100, 8));
	ck_assert(peek_is_right(100, 8));
	ck_assert(peek_is_right(other + 100, 8));
	ck_assert_uint_eq(reads, 4);
}
END_TEST

START_TEST(limits__failed_read_in_the_middle_fails_the_whole)
{
	open_cache();
	fail_at = 2;
	ck_assert(!peek_is_right(FILE_BLOCK - 10, 20));
	ck_assert(peek_is_right(FILE_BLOCK - 10, 20));
	ck_assert_uint_eq(reads, 3);
}
END_TEST

/* Segments: an ELF header, section header 0 with their number, and nothing else. */

enum { MOST = 1 << 18 };

static void write_elf(uint32_t count)
{
	Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		.e_phoff = 128, .e_shoff = 64, .e_ehsize = 64, .e_phentsize = 56,
		.e_phnum = PN_XNUM, .e_shentsize = 64, .e_shnum = 1,
	};
	const Elf64_Shdr sh = { .sh_info = count };

	bytes_put(&file, &eh, sizeof(eh));
	bytes_put(&file, &sh, sizeof(sh));
}

START_TEST(limits__more_segments_than_the_limit_are_refused)
{
	struct dumpfile_io elf;

	write_elf(_i ? UINT32_MAX : MOST + 1);
	elf = io();
	ck_assert_ptr_null(dumpfile_open(&elf, &why));
	ck_fault(why, FAULT_LIMIT, _i ? "4294967295 program headers" : "262145 program headers");
	ck_assert_uint_le(reads, 3);
}
END_TEST

/* As many as the limit are read: here the file has no room for them. */
START_TEST(limits__as_many_segments_as_the_limit_are_read)
{
	struct dumpfile_io elf;

	write_elf(MOST);
	elf = io();
	ck_assert_ptr_null(dumpfile_open(&elf, &why));
	ck_fault(why, STATE_CUT, "262144 program headers from offset 128");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, limits__neighbours_share_a_read);
	tcase_add_test(tests, limits__blocks_of_one_slot_are_not_confused);
	tcase_add_test(tests, limits__end_of_the_file_is_the_end);
	tcase_add_test(tests, limits__failed_read_leaves_nothing_in_the_cache);
	tcase_add_test(tests, limits__failed_read_in_the_middle_fails_the_whole);
	tcase_add_loop_test(tests, limits__more_segments_than_the_limit_are_refused, 0, 2);
	tcase_add_test(tests, limits__as_many_segments_as_the_limit_are_read);
}

int main(void)
{
	return run_suite("dumpfile_limits", add);
}
