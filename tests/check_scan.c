// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/scan.c: structs anywhere in memory, each with lies that must not be taken for one; and
 * all pages of the synthetic machine.
 */
#include "suite.h"

#include "../core/arena_struct.h"
#include "../core/scan.h"
#include "../fixtures/synth/bytes.h"
#include "../fixtures/synth/examples.h"

#define OPS UINT64_C(0xffffffff81e0c4a0)
#define AREA UINT64_C(0xffffb28000012000)
#define LOWEST UINT64_C(0xffff800000000000)

enum { PAGE = 4096, FIRST = 0x100000, PIECES = 4096 };

/* Of three kernels: where in bpf_map are ops, map_type; and whether ops are known. */
static const struct { uint32_t ops, type; bool known; } layouts[] = {
	{ 0, 24, true }, { 32, 56, true }, { 40, 64, true }, { 0, 24, false }, { 32, 56, false },
};

enum { LAYOUTS = 5, KNOWN = 3 };

struct piece {
	uint64_t phys;
	size_t n;
};

static struct physmem pm;
static struct memory mem;
static struct memory_ops ops;
static struct kernel kernel;
static struct fault why;

/* What a scan did. */
static uint64_t map[PIECES], vm[PIECES], missed;
static size_t maps, vms, others, stop_after;
static struct piece piece[PIECES];	/* as they were peeked */
static size_t pieces;
static uint64_t done, total;		/* of the last progress */
static unsigned progressed;

static void set_member(enum member m, uint32_t offset, uint32_t size)
{
	kernel.members.known[m] = true;
	kernel.members.offset[m] = offset;
	kernel.members.size[m] = size;
}

static void set_layout(int i)
{
	uint32_t type = layouts[i].type;

	set_member(MEMBER_bpf_map_ops, layouts[i].ops, 8);
	set_member(MEMBER_bpf_map_map_type, type, 4);
	set_member(MEMBER_bpf_map_max_entries, type + 12, 4);
	set_member(MEMBER_bpf_map_map_extra, type + 16, 8);
	set_member(MEMBER_bpf_map_map_flags, type + 24, 4);
	set_member(MEMBER_vm_struct_addr, 8, 8);
	set_member(MEMBER_vm_struct_size, 16, 8);
	set_member(MEMBER_vm_struct_flags, 24, 8);
	kernel.symbol[SYMBOL_arena_map_ops].count = layouts[i].known;
	kernel.symbol[SYMBOL_arena_map_ops].addr = layouts[i].known ? OPS : 0;
}

static void open_memory(uint64_t page_size)
{
	physmem_free(&pm);
	physmem_init(&pm, page_size, 0);
	mem = physmem_memory(&pm);
	ops = *mem.ops;
	mem.ops = &ops;
	kernel.mem = &mem;
	kernel.page_size = page_size;
	kernel.format.lowest = LOWEST;
}

static void setup(void)
{
	memset(&kernel, 0, sizeof(kernel));
	stop_after = 0;
	open_memory(PAGE);
	set_layout(1);
}

static void teardown(void)
{
	ck_assert_uint_eq(pm.crossings, 0);
	physmem_free(&pm);
}

/* The structs of an arena, as include/linux/bpf.h and vmalloc.h have them. */

static void put_map(uint64_t at)
{
	const struct members *m = &kernel.members;
	uint64_t type = at + m->offset[MEMBER_bpf_map_map_type];

	physmem_u64(&pm, at + m->offset[MEMBER_bpf_map_ops], OPS);
	physmem_u32(&pm, type, 33);
	physmem_u32(&pm, type + 4, 0);			/* key_size */
	physmem_u32(&pm, type + 8, 0);			/* value_size */
	physmem_u32(&pm, type + 12, 100);		/* max_entries */
	physmem_u64(&pm, type + 16, UINT64_C(1) << 44);	/* map_extra */
	physmem_u32(&pm, type + 24, 0x400);		/* map_flags */
	physmem_u32(&pm, type + 28, 7);			/* id */
}

/* 64 KiB of guards on 4 KiB and 16 KiB pages, 128 KiB on 64 KiB pages; and a page. */
static uint64_t area_size(void)
{
	return kernel.page_size == 4096 ? UINT64_C(0x100011000) :
	       kernel.page_size == 16384 ? UINT64_C(0x100014000) : UINT64_C(0x100030000);
}

static void put_vm(uint64_t at)
{
	physmem_u64(&pm, at + 8, AREA & ~(kernel.page_size - 1));
	physmem_u64(&pm, at + 16, area_size());
	physmem_u64(&pm, at + 24, 0x1008);
}

static bool on_map(void *ctx, uint64_t phys)
{
	ck_assert_ptr_eq(ctx, &kernel);
	ck_assert_uint_lt(maps, PIECES);
	ck_u64_eq(phys % 8, 0);
	map[maps++] = phys;
	return maps + vms != stop_after;
}

static bool on_vm(void *ctx, uint64_t phys)
{
	ck_assert_ptr_eq(ctx, &kernel);
	ck_assert_uint_lt(vms, PIECES);
	ck_u64_eq(phys % 8, 0);
	vm[vms++] = phys;
	return maps + vms != stop_after;
}

static bool on_unread(void *ctx, uint64_t phys, enum state state)
{
	(void)phys;
	ck_assert_ptr_eq(ctx, &kernel);
	ck_assert_int_ne(state, STATE_STORED);
	missed++;
	return true;
}

/* vmap_areas and VMAs: only counted. */
static bool on_other(void *ctx, uint64_t phys)
{
	(void)phys;
	ck_assert_ptr_eq(ctx, &kernel);
	others++;
	return true;
}

static bool scan(void)
{
	const struct scan_visitor visitor = { on_map, on_vm, on_other, on_other, on_unread, &kernel };

	maps = vms = others = missed = pieces = 0;
	progressed = 0;
	physmem_forget_reads(&pm);
	return scan_pages(&kernel, &visitor, &why);
}

static void ck_found(size_t n_maps, size_t n_vms)
{
	ck_ok(scan(), why);
	ck_assert_uint_eq(maps, n_maps);
	ck_assert_uint_eq(vms, n_vms);
}

static enum state note_piece(void *source, uint64_t phys, void *buf, size_t n)
{
	if (pieces < PIECES)
		piece[pieces++] = (struct piece){ phys, n };
	return physmem_memory(source).ops->read(source, phys, buf, n);
}

START_TEST(scan__area_is_the_window_and_the_guards)
{
	kernel.page_size = 4096;
	ck_u64_eq(arena_area_size(&kernel), UINT64_C(0x100011000));
	kernel.page_size = 16384;
	ck_u64_eq(arena_area_size(&kernel), UINT64_C(0x100014000));
	kernel.page_size = 65536;
	ck_u64_eq(arena_area_size(&kernel), UINT64_C(0x100030000));
}
END_TEST

/* At every multiple of 8 in two pages that adjoin, and over their border. */
START_TEST(scan__struct_anywhere_is_found_once)
{
	set_layout(_i);
	for (uint64_t at = 0; at + 128 <= 2 * PAGE; at += 8) {
		open_memory(PAGE);
		physmem_frame(&pm, FIRST + PAGE);
		put_map(FIRST + at);
		ck_ok(scan(), why);
		if (maps != 1 || map[0] != FIRST + at || vms)
			ck_abort_msg("map at 0x%" PRIx64 ": %zu, %zu", at, maps, vms);
		open_memory(PAGE);
		physmem_frame(&pm, FIRST + PAGE);
		put_vm(FIRST + at);
		ck_ok(scan(), why);
		if (vms != 1 || vm[0] != FIRST + at || maps)
			ck_abort_msg("vm_struct at 0x%" PRIx64 ": %zu, %zu", at, maps, vms);
	}
}
END_TEST

/* The struct over the border after FIRST is there, but not without either page. */
static void ck_needs_both_pages(size_t n_maps, size_t n_vms)
{
	static const uint64_t pages[] = { FIRST, FIRST + PAGE };

	for (int i = 0; i < 2; i++) {
		ck_found(n_maps, n_vms);
		physmem_set_state(&pm, pages[i], STATE_ABSENT);
		ck_found(0, 0);
		ck_u64_eq(missed, 0);
		physmem_set_state(&pm, pages[i], STATE_DAMAGED);
		ck_found(0, 0);
		ck_u64_eq(missed, 1);
		physmem_set_state(&pm, pages[i], STATE_STORED);
	}
}

START_TEST(scan__struct_over_a_border_needs_the_next_page)
{
	set_layout(_i);
	/* map_type is the last word of the page */
	put_map(FIRST + PAGE - layouts[_i].type - 8);
	ck_needs_both_pages(1, 0);
	open_memory(PAGE);
	put_vm(FIRST + PAGE - 16);
	ck_needs_both_pages(0, 1);
}
END_TEST

/* What does not make it one need not be stored. */
START_TEST(scan__struct_is_found_by_its_members_alone)
{
	put_vm(FIRST + PAGE - 8);
	put_map(FIRST + 2 * PAGE - 32);
	physmem_set_state(&pm, FIRST, STATE_ABSENT);
	ck_found(1, 1);
	physmem_set_state(&pm, FIRST + PAGE, STATE_EXCLUDED);
	ck_found(1, 0);
	ck_u64_eq(map[0], FIRST + 2 * PAGE - 32);
}
END_TEST

/* The page behind a hole is no neighbour, though it is read next. */
START_TEST(scan__pages_around_a_hole_are_not_joined)
{
	put_vm(FIRST + PAGE - 16);
	ck_found(0, 1);
	for (uint64_t i = 0; i < 64; i += 8)
		physmem_u64(&pm, FIRST + 2 * PAGE + i, physmem_get_u64(&pm, FIRST + PAGE + i));
	physmem_set_state(&pm, FIRST + PAGE, _i ? STATE_DAMAGED : STATE_ABSENT);
	ck_found(0, 0);
	ck_u64_eq(missed, _i);
}
END_TEST

START_TEST(scan__each_page_is_looked_at_once)
{
	for (uint64_t i = 0; i < 40; i++)
		physmem_frame(&pm, FIRST + (i < 20 ? i : i * i) * PAGE);
	physmem_set_state(&pm, FIRST + 7 * PAGE, STATE_DAMAGED);
	physmem_set_state(&pm, FIRST + 9 * PAGE, STATE_CUT);
	physmem_set_state(&pm, FIRST + 11 * PAGE, STATE_EXCLUDED);
	ops.peek = note_piece;
	ck_found(0, 0);
	ck_assert_uint_eq(pieces, 39);
	for (uint64_t i = 0; i < 40; i++)
		ck_assert_uint_eq(physmem_reads(&pm, FIRST + (i < 20 ? i : i * i) * PAGE), i != 11);
	for (size_t i = 1; i < pieces; i++)
		ck_assert(piece[i].phys > piece[i - 1].phys);
	ck_u64_eq(missed, 2);
}
END_TEST

START_TEST(scan__neighbours_of_each_kind_are_all_found)
{
	uint64_t at = FIRST;

	/* vm_structs as kmalloc-96 has them, maps as kmalloc-512 */
	for (int i = 0; i < 500; i++, at += 96)
		put_vm(at);
	at = (at + 511) & ~UINT64_C(511);
	for (int i = 0; i < 100; i++)
		put_map(at + 512 * (uint64_t)i);
	ck_found(100, 500);
	for (uint64_t i = 0; i < 500; i++)
		ck_u64_eq(vm[i], FIRST + 96 * i);
	for (uint64_t i = 0; i < 100; i++)
		ck_u64_eq(map[i], at + 512 * i);
}
END_TEST

START_TEST(scan__pages_of_any_size)
{
	open_memory(UINT64_C(4096) << 2 * _i);
	physmem_frame(&pm, FIRST);
	physmem_frame(&pm, FIRST + pm.page_size);
	put_vm(FIRST + pm.page_size - 24);
	put_map(FIRST + pm.page_size - 80 - 1024);
	put_vm(FIRST + 2 * pm.page_size - 40);
	ck_found(1, 2);
	ck_assert_uint_eq(pm.reads, 2);
	/* an area of another size of pages is none */
	physmem_u64(&pm, FIRST + pm.page_size - 24 + 16, area_size() + 8192);
	ck_found(1, 1);
}
END_TEST

struct lie {
	enum member member;
	unsigned bytes;
	uint64_t value;
	bool true_one;		/* not a lie */
};

static void tell(uint64_t at, const struct lie *lie)
{
	uint64_t phys = at + kernel.members.offset[lie->member];

	if (lie->bytes == 4)
		physmem_u32(&pm, phys, (uint32_t)lie->value);
	else
		physmem_u64(&pm, phys, lie->value);
}

START_TEST(scan__vm_struct_that_lies_is_none)
{
	static const struct lie lies[] = {
		{ MEMBER_vm_struct_size, 8, 0x100011001, false },
		{ MEMBER_vm_struct_size, 8, 0x100010000, false },
		{ MEMBER_vm_struct_size, 8, 0x11000, false },
		{ MEMBER_vm_struct_size, 8, 0x200011000, false },
		{ MEMBER_vm_struct_flags, 8, 0x1000, false },
		{ MEMBER_vm_struct_flags, 8, 0x8, false },
		{ MEMBER_vm_struct_flags, 8, 0x100a, false },
		{ MEMBER_vm_struct_flags, 8, UINT64_C(0x100001008), false },
		{ MEMBER_vm_struct_addr, 8, AREA + 8, false },
		{ MEMBER_vm_struct_addr, 8, 0, false },
		{ MEMBER_vm_struct_addr, 8, 0x7fff00000000, false },
		{ MEMBER_vm_struct_addr, 8, UINT64_C(0xfffffffffffff000), false },
		{ MEMBER_vm_struct_addr, 8, LOWEST, true },
	};

	put_vm(FIRST + 96);
	ck_found(0, 1);
	tell(FIRST + 96, &lies[_i]);
	ck_found(0, lies[_i].true_one);
}
END_TEST

/* With arena_map_ops, and without. */
START_TEST(scan__map_that_lies_is_none)
{
	static const struct lie lies[] = {
		{ MEMBER_bpf_map_map_type, 4, 32, false },
		{ MEMBER_bpf_map_map_type, 4, 34, false },
		{ MEMBER_bpf_map_max_entries, 4, 0, false },
		{ MEMBER_bpf_map_max_entries, 4, 1, true },
		{ MEMBER_bpf_map_max_entries, 4, UINT32_MAX, true },
		{ MEMBER_bpf_map_map_flags, 4, 0, false },
		{ MEMBER_bpf_map_map_flags, 4, 0x60000, false },
		{ MEMBER_bpf_map_map_flags, 4, 0x60400, true },
		{ MEMBER_bpf_map_map_extra, 8, 0, true },
	};

	for (int layout = 0; layout < LAYOUTS; layout++) {
		open_memory(PAGE);
		set_layout(layout);
		put_map(FIRST + 0x400);
		ck_found(1, 0);
		tell(FIRST + 0x400, &lies[_i]);
		ck_found(lies[_i].true_one, 0);
	}
}
END_TEST

START_TEST(scan__ops_must_be_those_of_arenas)
{
	const struct lie other = { MEMBER_bpf_map_ops, 8, OPS + 0x200, false };

	for (int layout = 0; layout < LAYOUTS; layout++) {
		open_memory(PAGE);
		set_layout(layout);
		put_map(FIRST + 0x400);
		tell(FIRST + 0x400, &other);
		/* what is not known cannot be wrong */
		ck_found(layout >= KNOWN, 0);
	}
	/* two symbols of that name prove nothing */
	kernel.symbol[SYMBOL_arena_map_ops].count = 2;
	kernel.symbol[SYMBOL_arena_map_ops].addr = OPS;
	ck_found(1, 0);
}
END_TEST

/* Where only the signature speaks for a map, all of it has to. */
START_TEST(scan__signature_is_more_than_a_type)
{
	static const struct lie lies[] = {
		{ MEMBER_bpf_map_map_flags, 4, 0x401, false },
		{ MEMBER_bpf_map_map_flags, 4, 0x80000400, false },
		{ MEMBER_bpf_map_map_extra, 8, 0x100000000800, false },
		{ MEMBER_bpf_map_map_extra, 8, 1, false },
		{ MEMBER_bpf_map_map_type, 8, UINT64_C(1) << 32 | 33, false },	/* key_size 1 */
		{ MEMBER_bpf_map_max_entries, 8, 100, true },			/* and map_extra */
	};

	set_layout(4);
	put_map(FIRST + 0x400);
	ck_found(1, 0);
	tell(FIRST + 0x400, &lies[_i]);
	ck_found(lies[_i].true_one, 0);
	put_map(FIRST + 0x400);
	physmem_u32(&pm, FIRST + 0x400 + 56 + 8, 4);	/* value_size */
	ck_found(0, 0);
	/* with ops that are known they do not count */
	set_layout(1);
	ck_found(1, 0);
}
END_TEST

/* Addresses, sizes and types in rows, which the loop over words has to look at one by one. */
START_TEST(scan__pages_full_of_keys_hold_no_struct)
{
	const uint64_t key[] = { OPS, area_size(), 33 };

	set_layout(_i < 3 ? 1 : 4);
	for (uint64_t at = 0; at < 3 * PAGE; at += 8)
		physmem_u64(&pm, FIRST + at, key[_i % 3]);
	ck_found(0, 0);
	put_vm(FIRST + PAGE - 16);
	put_map(FIRST + 2 * PAGE - 64);
	ck_found(1, 1);
}
END_TEST

START_TEST(scan__first_page_of_memory_has_no_struct_before_it)
{
	put_vm(PAGE - 16);
	put_map(0);
	ck_found(1, 1);
	ck_u64_eq(map[0], 0);
	/* the members of a vm_struct at -8 */
	open_memory(PAGE);
	physmem_u64(&pm, 0, AREA);
	physmem_u64(&pm, 8, area_size());
	physmem_u64(&pm, 16, 0x1008);
	ck_found(0, 0);
	/* the same one page later is one */
	physmem_u64(&pm, PAGE, AREA);
	physmem_u64(&pm, PAGE + 8, area_size());
	physmem_u64(&pm, PAGE + 16, 0x1008);
	ck_found(0, 1);
	ck_u64_eq(vm[0], PAGE - 8);
}
END_TEST

/* Segments of an ELF file need not begin and end at pages. */

static uint64_t odd_start, odd_end;

static bool odd_range(void *source, uint64_t *phys, uint64_t *n)
{
	(void)source;
	if (*phys >= odd_end)
		return false;
	if (*phys < odd_start)
		*phys = odd_start;
	*n = odd_end - *phys;
	return true;
}

START_TEST(scan__ranges_begin_and_end_anywhere)
{
	ops.next = odd_range;
	ops.peek = note_piece;
	physmem_frame(&pm, FIRST);
	physmem_frame(&pm, FIRST + 2 * PAGE);
	put_vm(FIRST + 0x100);
	put_vm(FIRST + PAGE - 16);
	put_vm(FIRST + 2 * PAGE + 0x100);
	odd_start = FIRST;
	odd_end = FIRST + 3 * PAGE;
	ck_found(0, 3);
	/* all but the last byte of the first one's address */
	odd_start = FIRST + 0x100 + 9;
	odd_end = FIRST + 2 * PAGE + 0x100 + 32;
	ck_found(0, 2);
	ck_assert_uint_eq(pieces, 3);
	for (size_t i = 0; i < pieces; i++) {
		ck_u64_eq(piece[i].phys % 8, 0);
		ck_assert_uint_le(piece[i].phys % PAGE + piece[i].n, PAGE);
		ck_assert(piece[i].phys >= odd_start && piece[i].phys + piece[i].n <= odd_end);
	}
	odd_start = FIRST + 0x108;
	odd_end--;
	ck_found(0, 2);
	/* less than a word */
	odd_start = FIRST + 1;
	odd_end = FIRST + 15;
	ck_found(0, 0);
	ck_assert_uint_eq(pieces, 0);
	odd_start = UINT64_MAX - 6;
	odd_end = UINT64_MAX;
	ck_found(0, 0);
}
END_TEST

START_TEST(scan__source_without_a_map_is_not_looked_at)
{
	put_vm(FIRST);
	ck_found(0, 1);
	ops.next = NULL;
	ck_found(0, 0);
	ck_assert_uint_eq(pm.reads, 0);
	ck_u64_eq(missed, 0);
}
END_TEST

static bool note_progress(void *source, const char *what, uint64_t done_now, uint64_t total_now)
{
	(void)source;
	ck_assert_str_eq(what, "searching all pages");
	ck_assert(done_now < total_now);
	ck_assert(progressed ? done_now > done && total_now == total : !done_now);
	done = done_now;
	total = total_now;
	progressed++;
	return true;
}

START_TEST(scan__progress_is_that_of_all_bytes)
{
	for (uint64_t i = 0; i < 2000; i++)
		physmem_frame(&pm, FIRST + (i + i / 300) * PAGE);
	ops.progress = note_progress;
	ck_found(0, 0);
	ck_u64_eq(total, 2000 * PAGE);
	/* every few hundred pages */
	ck_assert_uint_ge(progressed, 3);
	ck_assert_uint_le(progressed, 20);
	ck_assert_uint_gt(done, 1000 * PAGE);
}
END_TEST

START_TEST(scan__user_can_stop)
{
	for (uint64_t i = 0; i < 2000; i++)
		physmem_frame(&pm, FIRST + i * PAGE);
	pm.stop_after = 1;
	ck_assert(!scan());
	ck_fault(why, FAULT_LIMIT, "interrupted while searching all pages");
	ck_assert_uint_lt(pm.reads, 1000);
}
END_TEST

START_TEST(scan__visitor_can_stop)
{
	for (uint64_t i = 0; i < 3; i++) {
		put_vm(FIRST + 96 * i);
		put_map(FIRST + 512 * (i + 1));
	}
	memset(&why, 0, sizeof(why));
	for (stop_after = 1; stop_after <= 6; stop_after++) {
		ck_assert(!scan());
		ck_assert_uint_eq(maps + vms, stop_after);
		ck_assert_uint_eq(strlen(why.text), 0);
	}
	ck_found(3, 3);
}
END_TEST

/* Members so far apart that no page has them all, at odd places, or at the same place. */
START_TEST(scan__forged_layout_does_no_harm)
{
	static const struct { enum member member; uint32_t offset; } forged[] = {
		{ MEMBER_bpf_map_ops, UINT32_MAX }, { MEMBER_bpf_map_ops, UINT32_MAX - 7 },
		{ MEMBER_bpf_map_ops, 4 }, { MEMBER_bpf_map_ops, 1 },
		{ MEMBER_bpf_map_map_type, 4096 }, { MEMBER_bpf_map_map_type, UINT32_MAX },
		{ MEMBER_bpf_map_map_flags, 600 }, { MEMBER_bpf_map_max_entries, 0x80000000 },
		{ MEMBER_bpf_map_map_extra, 0 },
		{ MEMBER_vm_struct_addr, UINT32_MAX }, { MEMBER_vm_struct_addr, 16 },
		{ MEMBER_vm_struct_size, UINT32_MAX - 7 }, { MEMBER_vm_struct_size, 8 },
		{ MEMBER_vm_struct_size, 20 }, { MEMBER_vm_struct_flags, 3000 },
		{ MEMBER_vm_struct_flags, 513 },
	};

	for (int layout = 0; layout < LAYOUTS; layout++) {
		open_memory(PAGE);
		set_layout(layout);
		for (uint64_t i = 0; i < 20; i++) {
			put_map(FIRST + 512 * i);
			put_vm(FIRST + 512 * i + 256);
		}
		ck_found(20, 20);
		set_member(forged[_i].member, forged[_i].offset, 8);
		ck_ok(scan(), why);
		/* the other kind of struct does not suffer */
		if (forged[_i].member < MEMBER_vm_struct_addr)
			ck_assert_uint_eq(vms, 20);
		else
			ck_assert_uint_eq(maps, 20);
	}
}
END_TEST

/* Its members would be where the forged layout has them. */
START_TEST(scan__struct_at_an_odd_place_is_none)
{
	put_vm(FIRST + 96);
	for (uint32_t shift = 0; shift <= 8; shift++) {
		set_member(MEMBER_vm_struct_addr, 8 + shift, 8);
		set_member(MEMBER_vm_struct_size, 16 + shift, 8);
		set_member(MEMBER_vm_struct_flags, 24 + shift, 8);
		ck_found(0, shift % 8 == 0);
	}
}
END_TEST

/* The whole machine: its arenas and no other map, with arena_map_ops and without. */

static struct machine m;

static bool has(const uint64_t *list, size_t n, uint64_t phys)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == phys)
			return true;
	return false;
}

static void ck_machine_is_found(const struct kernel *k)
{
	const struct scan_visitor visitor = { on_map, on_vm, on_other, on_other, on_unread, &kernel };

	maps = vms = missed = 0;
	ck_ok(scan_pages(k, &visitor, &why), why);
	ck_assert_uint_eq(maps, m.arenas);
	ck_assert_uint_eq(vms, m.arenas);
	for (size_t i = 0; i < m.arenas; i++) {
		ck_assert(has(map, maps, m.arena[i].map_phys));
		ck_assert(has(vm, vms, m.arena[i].vm_phys));
	}
	ck_u64_eq(missed, 0);
}

START_TEST(scan__machine_has_its_arenas)
{
	const struct machine_config *c = &machine_configs[_i / 2];
	struct arena_spec spec = { .id = 3, .name = "arena", .max_entries = 100 };
	struct memory memory;
	struct kernel *k;

	machine_init(&m, c);
	machine_add_map(&m, 2, 1, "hash");
	for (; spec.id < 9; spec.id++) {
		const struct machine_arena *a = machine_add_arena(&m, &spec);

		machine_map_page(&m, a, 1);
		spec.map_flags = spec.id == 5 ? 0x60400 : 0x20400;
	}
	machine_add_map(&m, 20, 2, "array");
	machine_finish(&m);
	memory = machine_memory(&m);
	k = kernel_open(&memory, &why);
	ck_assert_msg(k, "%s: %s", c->name, why.text);
	ck_assert_uint_eq(k->symbol[SYMBOL_arena_map_ops].count, 1);
	/* as without KALLSYMS_ALL */
	if (_i % 2)
		k->symbol[SYMBOL_arena_map_ops].count = 0;
	ck_machine_is_found(k);
	kernel_close(k);
	machine_free(&m);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, scan__area_is_the_window_and_the_guards);
	tcase_add_loop_test(tests, scan__struct_anywhere_is_found_once, 0, LAYOUTS);
	tcase_add_loop_test(tests, scan__struct_over_a_border_needs_the_next_page, 0, LAYOUTS);
	tcase_add_test(tests, scan__struct_is_found_by_its_members_alone);
	tcase_add_loop_test(tests, scan__pages_around_a_hole_are_not_joined, 0, 2);
	tcase_add_test(tests, scan__each_page_is_looked_at_once);
	tcase_add_test(tests, scan__neighbours_of_each_kind_are_all_found);
	tcase_add_loop_test(tests, scan__pages_of_any_size, 0, 3);
	tcase_add_loop_test(tests, scan__vm_struct_that_lies_is_none, 0, 13);
	tcase_add_loop_test(tests, scan__map_that_lies_is_none, 0, 9);
	tcase_add_test(tests, scan__ops_must_be_those_of_arenas);
	tcase_add_loop_test(tests, scan__signature_is_more_than_a_type, 0, 6);
	tcase_add_loop_test(tests, scan__pages_full_of_keys_hold_no_struct, 0, 6);
	tcase_add_test(tests, scan__first_page_of_memory_has_no_struct_before_it);
	tcase_add_test(tests, scan__ranges_begin_and_end_anywhere);
	tcase_add_test(tests, scan__source_without_a_map_is_not_looked_at);
	tcase_add_test(tests, scan__progress_is_that_of_all_bytes);
	tcase_add_test(tests, scan__user_can_stop);
	tcase_add_test(tests, scan__visitor_can_stop);
	tcase_add_loop_test(tests, scan__forged_layout_does_no_harm, 0, 16);
	tcase_add_test(tests, scan__struct_at_an_odd_place_is_none);
	tcase_add_loop_test(tests, scan__machine_has_its_arenas, 0, 2 * (int)machine_configs_n);
}

int main(void)
{
	return run_suite("scan", add);
}
