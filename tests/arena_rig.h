/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the check_arena*.c share: one synthetic machine, and what core/ says of it. Expected
 * addresses are computed here by the kernel's 32-bit rule.
 */
#ifndef TESTS_ARENA_RIG_H
#define TESTS_ARENA_RIG_H

#include "suite.h"

#include "../core/arena.h"
#include "../fixtures/synth/examples.h"

#define GIB4 (UINT64_C(1) << 32)

static struct machine m;
static struct memory mem;
static struct kernel *k;
static struct arena_list list;
static struct arena_snapshot a;
static struct problems problems;
static struct fault why;

static inline void setup(void)
{
	memset(&m, 0, sizeof(m));
	memset(&list, 0, sizeof(list));
	memset(&a, 0, sizeof(a));
	memset(&problems, 0, sizeof(problems));
	k = NULL;
}

static inline void teardown(void)
{
	ck_assert_uint_eq(m.pm.crossings, 0);
	arena_list_free(&list);
	arena_snapshot_free(&a);
	problems_free(&problems);
	kernel_close(k);
	machine_free(&m);
}

static inline void init(const char *name)
{
	machine_init(&m, machine_config(name));
}

static inline uint64_t ps(void)
{
	return m.pm.page_size;
}

static inline void open_kernel(void)
{
	machine_finish(&m);
	mem = machine_memory(&m);
	k = kernel_open(&mem, &why);
	ck_assert_msg(k, "%s", why.text);
}

static inline void find(void)
{
	if (!k)
		open_kernel();
	ck_ok(arena_find(k, false, &list, &problems, &why), why);
}

static inline struct machine_arena *made(uint32_t id)
{
	for (size_t i = 0; i < m.arenas; i++)
		if (m.arena[i].spec.id == id)
			return &m.arena[i];
	ck_abort_msg("no arena %u was made", id);
}

static inline bool is_listed(uint32_t id)
{
	for (size_t i = 0; i < list.n; i++)
		if (!list.found[i].no_id && list.found[i].id == id)
			return true;
	return false;
}

/* Physical address of the vmap_area of arena @id. */
static inline uint64_t vmap_area_of(uint32_t id)
{
	for (size_t i = 0; i < MACHINE_AREAS; i++)
		if (m.area[i].start == made(id)->area)
			return m.area[i].phys;
	ck_abort_msg("arena %u has no vmalloc area", id);
}

/* The row of arena @id's window; NULL: there is none. */
static inline const struct arena_found *row_of(uint32_t id)
{
	for (size_t i = 0; i < list.n; i++)
		if (list.found[i].area.addr == made(id)->area)
			return &list.found[i];
	return NULL;
}

/* Arena @id is listed by its window alone. */
static inline void ck_window_alone(uint32_t id)
{
	const struct arena_found *row = row_of(id);

	ck_assert(!is_listed(id));
	ck_assert_ptr_nonnull(row);
	ck_assert(row->no_struct && row->no_id && !row->map && !row->user_vm_end);
	ck_assert_int_eq(row->by, FOUND_VMALLOC);
}

/* Snapshot of arena @id, which need not be listed. */
static inline void snapshot_max(uint32_t id, uint64_t max_pages)
{
	const struct arena_found found = { .id = id, .map = made(id)->map };

	if (!k)
		open_kernel();
	arena_snapshot_free(&a);
	ck_ok(arena_snapshot(k, &found, max_pages, &a, &problems, &why), why);
}

static inline void snapshot(uint32_t id)
{
	snapshot_max(id, 0);
}

/* A machine with one arena, id 9, of @max_entries at @start. */
static inline struct machine_arena *one_arena(const char *machine, uint32_t max_entries, uint64_t start)
{
	struct arena_spec spec = {
		.id = 9, .name = "arena", .max_entries = max_entries, .user_vm_start = start,
		.user_vm_end = start + max_entries * UINT64_C(4096),
	};

	init(machine);
	return machine_add_arena(&m, &spec);
}

static inline uint64_t pgoff_of(const struct arena_page *p)
{
	uint64_t pgoff = UINT64_MAX;

	ck_assert(arena_page_pgoff(&a, p, &pgoff));
	return pgoff;
}

/* The kernel's rule, kernel/bpf/arena.c: window base plus 32 bits of the user address. */
static inline uint64_t kernel_address(const struct machine_arena *made, uint64_t pgoff)
{
	return made->base + (uint32_t)(made->spec.user_vm_start + pgoff * ps());
}

static inline const struct machine_page *truth(uint32_t id, uint64_t pgoff)
{
	for (size_t i = 0; i < m.pages; i++)
		if (m.page[i].id == id && m.page[i].pgoff == pgoff)
			return &m.page[i];
	return NULL;
}

static inline size_t truth_count(uint32_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < m.pages; i++)
		n += m.page[i].id == id;
	return n;
}

/* The snapshot has exactly the pages that were mapped, in order. */
static inline void ck_pages(uint32_t id)
{
	const struct machine_arena *is = made(id);
	uint64_t upper = is->spec.user_vm_start & ~(GIB4 - 1), last = 0;

	ck_assert_uint_eq(a.n_pages, truth_count(id));
	for (size_t i = 0; i < a.n_pages; i++) {
		uint64_t pgoff = pgoff_of(&a.pages[i]);
		const struct machine_page *t = truth(id, pgoff);

		ck_assert_msg(t, "page 0x%" PRIx64 " was never mapped", pgoff);
		ck_assert(!i || pgoff > last);
		last = pgoff;
		ck_u64_eq(a.pages[i].phys, t->phys);
		ck_u64_eq(arena_page_kernel(&a, &a.pages[i]), kernel_address(is, pgoff));
		ck_u64_eq(arena_user_address(&a, pgoff),
			  upper | (uint32_t)(is->spec.user_vm_start + pgoff * ps()));
		ck_assert_int_eq(a.pages[i].kind, pgoff < is->spec.max_entries ? KIND_PAGE :
				 KIND_OUTSIDE);
		ck_assert_int_eq(a.pages[i].state, STATE_STORED);
	}
}

static inline void ck_counts(uint64_t mapped, uint64_t scratch, uint64_t outside, uint64_t missing)
{
	ck_assert_uint_eq(a.mapped, mapped);
	ck_assert_uint_eq(a.scratch, scratch);
	ck_assert_uint_eq(a.outside, outside);
	ck_assert_uint_eq(a.missing, missing);
}

#endif
