/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the check_dumpfile*.c share: a small memory with pages in every state, and a file of it.
 */
#ifndef TESTS_DUMPFILE_RIG_H
#define TESTS_DUMPFILE_RIG_H

#include "suite.h"

#include "../core/dumpfile.h"
#include "../fixtures/synth/memfile.h"
#include "../fixtures/synth/physmem.h"

struct rig {
	struct physmem pm;
	struct bytes vmcoreinfo, file;
	struct memfile mf;
	struct dumpfile *df;
};

static struct rig *rig;
static struct fault why;

enum { RIG_END = 0x40000 };	/* all of its memory is below */

static void rig_page(uint64_t phys, enum state state, uint8_t fill)
{
	struct frame *f = physmem_frame(&rig->pm, phys);

	for (size_t i = 0; i < rig->pm.page_size; i++)
		f->data[i] = fill ? (uint8_t)(fill + i * (fill % 7)) : 0;
	f->state = state;
}

/* Stored, excluded, absent and zero pages, alone and in runs, in and between bytes of a bitmap. */
static void rig_memory(uint64_t page)
{
	physmem_init(&rig->pm, page, 0);
	for (uint64_t i = 0; i < 9; i++)
		rig_page(page * i, STATE_STORED, (uint8_t)(i + 1));
	rig_page(page * 9, STATE_EXCLUDED, 0);
	rig_page(page * 10, STATE_STORED, 0);
	rig_page(page * 11, STATE_STORED, 0);
	rig_page(page * 12, STATE_ABSENT, 0);
	rig_page(page * 13, STATE_STORED, 77);
	rig_page(page * 30, STATE_EXCLUDED, 0);
	rig_page(page * 31, STATE_EXCLUDED, 0);
	rig_page(page * 32, STATE_STORED, 5);
	rig_page(page * 63, STATE_STORED, 6);
}

static void setup(void)
{
	rig = synth_alloc(sizeof(*rig));
	bytes_text(&rig->vmcoreinfo, "OSRELEASE=6.12.107\nPAGESIZE=4096\n");
}

static void teardown(void)
{
	ck_assert_msg(!rig->mf.outside, "a read outside of the file was asked for");
	dumpfile_close(rig->df);
	bytes_free(&rig->file);
	bytes_free(&rig->vmcoreinfo);
	physmem_free(&rig->pm);
	free(rig);
}

/* Open the first @size bytes of the file. */
static bool open_cut(uint64_t size)
{
	struct dumpfile_io io;

	dumpfile_close(rig->df);
	rig->mf = memfile_cut(&rig->file, size);
	io = memfile_io(&rig->mf);
	rig->df = dumpfile_open(&io, &why);
	return rig->df;
}

static bool open_file(void)
{
	return open_cut(rig->file.n);
}

static enum state state_of(uint64_t phys)
{
	return dumpfile_state(rig->df, phys, rig->pm.page_size);
}

/* What was put into the file. */
static enum state put_state(uint64_t phys)
{
	const struct frame *f = physmem_find(&rig->pm, phys);

	return f ? f->state : STATE_ABSENT;
}

static void ck_states_are_as_put(void)
{
	for (uint64_t phys = 0; phys < 70 * rig->pm.page_size; phys += rig->pm.page_size)
		if (state_of(phys) != put_state(phys))
			ck_abort_msg("page %" PRIu64 " is %d, not %d", phys / rig->pm.page_size,
				     state_of(phys), put_state(phys));
}

enum { RIG_PAGES = 70 };	/* a few more than it has */

/* Which pages are wholly in ranges. Ranges ascend, and have something between them. */
static inline void take_ranges(bool in[RIG_PAGES])
{
	uint64_t page = rig->pm.page_size, end = 0, phys = 0, n;

	memset(in, 0, RIG_PAGES * sizeof(*in));
	for (bool first = true; dumpfile_next(rig->df, &phys, &n); phys = end, first = false) {
		if (!n || (!first && phys <= end) || phys + n < phys)
			ck_abort_msg("range 0x%" PRIx64 " of 0x%" PRIx64 " after 0x%" PRIx64, phys,
				     n, end);
		end = phys + n;
		for (uint64_t i = (phys + page - 1) / page; i < end / page && i < RIG_PAGES; i++)
			in[i] = true;
	}
}

/* After any damage too. */
static inline void ck_stored_pages_are_in_ranges(const char *what)
{
	bool in[RIG_PAGES];

	take_ranges(in);
	for (uint64_t i = 0; i < RIG_PAGES; i++)
		if (!in[i] && state_of(i * rig->pm.page_size) == STATE_STORED)
			ck_abort_msg("%s: page %" PRIu64 " is in no range", what, i);
}

/* The ranges are the pages that were put with one of the states in the mask @states. */
static inline void ck_ranges_are(unsigned states)
{
	bool in[RIG_PAGES];

	take_ranges(in);
	for (uint64_t i = 0; i < RIG_PAGES; i++)
		if (in[i] != !!(states >> put_state(i * rig->pm.page_size) & 1))
			ck_abort_msg("page %" PRIu64 " is %s", i, in[i] ? "in a range" : "in none");
}

/* The range at or after @phys is [@start, @end). */
#define ck_range(phys, start, end) \
	do { \
		uint64_t phys_ = (phys), n_ = 0; \
		ck_assert(dumpfile_next(rig->df, &phys_, &n_)); \
		ck_u64_eq(phys_, start); \
		ck_u64_eq(phys_ + n_, end); \
	} while (0)

#define ck_no_range(phys) \
	do { \
		uint64_t phys_ = (phys), n_; \
		ck_assert(!dumpfile_next(rig->df, &phys_, &n_)); \
	} while (0)

/* Asked often: an assertion of Check that holds costs a write to a file. */
static inline void need(size_t at, unsigned bytes)
{
	if (at + bytes > rig->file.n)
		ck_abort_msg("offset %zu is behind the end of the file", at);
}

static inline uint64_t get(size_t at, unsigned bytes)
{
	uint64_t v = 0;

	need(at, bytes);
	while (bytes--)
		v = v << 8 | rig->file.data[at + bytes];
	return v;
}

static inline void set(size_t at, unsigned bytes, uint64_t v)
{
	need(at, bytes);
	for (unsigned i = 0; i < bytes; i++)
		rig->file.data[at + i] = (uint8_t)(v >> 8 * i);
}

/* What a field is set to, given what it was. */
enum { DAMAGES = 10 };

static inline uint64_t damage(int i, uint64_t was)
{
	const uint64_t v[DAMAGES] = {
		0, 1, UINT64_MAX, UINT64_C(1) << 31, UINT64_C(1) << 63, was + 1, was - 1,
		was * 2, was / 2, UINT64_C(0x7fffffffffffffff),
	};

	return v[i];
}

#endif
