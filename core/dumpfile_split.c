// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kdump in several files (makedumpfile --split). Every part has the header and the bitmaps of
 * the whole, and the descriptors and pages of its own range of pfns.
 */
#include "dumpfile_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"

enum { MAX_PARTS = 4096 };

struct part {
	struct dumpfile *df;
	size_t place;			/* in the array that was given */
	struct kdump_part range;
};

struct split_map {
	struct part *part;		/* ascending, without empty ones */
	size_t n;
	size_t given;			/* parts opened so far, empty ones too */
};

static int by_start(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

/* Parts of one dump have the same header. */
static bool same_dump(struct dumpfile *a, struct dumpfile *b)
{
	uint8_t x[464], y[sizeof(x)];

	return dumpfile_peek(a, x, sizeof(x), 0) && dumpfile_peek(b, y, sizeof(y), 0) &&
	       !memcmp(x, y, sizeof(x));
}

static bool add_part(struct split_map *map, struct dumpfile *df, struct fault *why)
{
	struct part *p = &map->part[map->given];
	const struct part *first = &map->part[0];

	*p = (struct part){ .df = df, .place = map->given };
	map->given++;
	if (!dumpfile_kdump_part(df, &p->range) || !p->range.split)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_FILE, 0,
			"file %zu of the set is no part of a split dump", map->given);
	if (p->range.pages != first->range.pages || p->range.stored != first->range.stored ||
	    !same_dump(df, first->df))
		return fault_set(why, STATE_DAMAGED, SPACE_FILE, 0,
			"file %zu of the set is a part of another dump", map->given);
	return true;
}

/* Order the parts, set the empty ones aside, and find what is missing or there twice. */
static bool arrange(struct dumpfile *df, struct split_map *map, struct fault *why)
{
	struct memory_facts *facts = &df->facts;
	uint64_t next = 0, pages = map->part[0].range.pages;
	uint64_t block = map->part[0].range.block_size;

	qsort(map->part, map->given, sizeof(*map->part), by_start);
	for (size_t i = 0; i < map->given; i++) {
		struct part p = map->part[i];

		if (p.range.start == p.range.end) {
			facts->empty_parts++;
			continue;
		}
		if (p.range.start < next)
			return fault_set(why, STATE_DAMAGED, SPACE_FILE, 0,
				"two files of the set are the same part");
		if (p.range.start > next && !facts->gap) {
			facts->gap = true;
			facts->gap_start = next * block;
			facts->gap_end = p.range.start * block;
		}
		next = p.range.end;
		/* empty ones go to the end, where closing finds them */
		map->part[i] = map->part[map->n];
		map->part[map->n++] = p;
	}
	if (next < pages && !facts->gap) {
		facts->gap = true;
		facts->gap_start = next * block;
		facts->gap_end = pages * block;
	}
	return true;
}

static void take_facts(struct dumpfile *df, const struct split_map *map)
{
	df->facts = *dumpfile_facts(map->part[0].df);
	df->facts.parts = (unsigned)map->given;
	df->facts.empty_parts = 0;
	df->facts.gap = false;
	for (size_t i = 0; i < map->given; i++) {
		const struct memory_facts *f = dumpfile_facts(map->part[i].df);

		df->facts.incomplete |= f->incomplete;
		if (!f->cut || df->facts.cut)
			continue;
		df->facts.cut = true;
		df->facts.size = f->size;
		df->facts.needed = f->needed;
	}
}

static bool open_parts(struct dumpfile *df, const struct dumpfile_io *io, size_t n,
		       struct fault *why)
{
	struct split_map *map = df->map;

	for (size_t i = 0; i < n; i++) {
		struct dumpfile *part = dumpfile_open(&io[i], why);

		if (!part)
			return fault_prefix(why, "file %zu of the set: ", i + 1);
		if (!add_part(map, part, why))
			return false;
	}
	take_facts(df, map);
	return arrange(df, map, why);
}

struct dumpfile *dumpfile_open_set(const struct dumpfile_io *io, size_t n, struct fault *why)
{
	struct dumpfile *df;
	struct split_map *map;

	if (n == 1)
		return dumpfile_open(io, why);
	df = calloc(1, sizeof(*df));
	map = calloc(1, sizeof(*map));
	if (map && n && n <= MAX_PARTS)
		map->part = calloc(n, sizeof(*map->part));
	if (!df || !map || !map->part) {
		free(df);
		free(map);
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	df->format = &dumpfile_split;
	df->map = map;
	if (open_parts(df, io, n, why))
		return df;
	dumpfile_close(df);
	return NULL;
}

static void split_close(struct dumpfile *df)
{
	struct split_map *map = df->map;

	for (size_t i = 0; i < map->given; i++)
		dumpfile_close(map->part[i].df);
	free(map->part);
	free(map);
}

/* The part that has page @pfn, or the nearest: it has the bitmaps, and knows that it is not its. */
static const struct part *find(const struct split_map *map, uint64_t pfn)
{
	for (size_t i = 0; i + 1 < map->n; i++)
		if (pfn < map->part[i].range.end)
			return &map->part[i];
	return &map->part[map->n ? map->n - 1 : 0];
}

static enum state split_state(struct dumpfile *df, uint64_t phys, uint64_t n)
{
	const struct split_map *map = df->map;
	uint64_t block = map->part[0].range.block_size;

	while (n) {
		uint64_t part = block - phys % block;
		enum state state;

		if (part > n)
			part = n;
		state = dumpfile_state(find(map, phys / block)->df, phys, (size_t)part);
		if (state != STATE_STORED)
			return state;
		phys += part;
		n -= part;
	}
	return STATE_STORED;
}

/* A range may go on in the parts that follow. */
static bool split_next(struct dumpfile *df, uint64_t *phys, uint64_t *n)
{
	const struct split_map *map = df->map;
	uint64_t at = *phys;
	bool found = false;

	for (size_t i = 0; i < map->n; i++) {
		const struct part *p = &map->part[i];
		uint64_t end = p->range.end * p->range.block_size, size;

		if (end <= at || !dumpfile_next(p->df, &at, &size)) {
			if (found)
				break;
			continue;
		}
		if (found && at != *phys + *n)
			break;
		if (!found) {
			*phys = at;
			*n = 0;
			found = true;
		}
		*n += size;
		at += size;
		if (at < end)
			break;
	}
	return found;
}

uint64_t dumpfile_block_size(const struct dumpfile *df)
{
	struct kdump_part part;

	if (df->format == &dumpfile_split)
		return ((const struct split_map *)df->map)->part[0].range.block_size;
	return dumpfile_kdump_part(df, &part) ? part.block_size : 0;
}

size_t dumpfile_parts(const struct dumpfile *df)
{
	const struct split_map *map = df->map;

	/* all empty: one of them still has the bitmaps */
	return df->format != &dumpfile_split ? 1 : map->n ? map->n : 1;
}

size_t dumpfile_part(const struct dumpfile *df, size_t i)
{
	const struct split_map *map = df->map;

	return df->format == &dumpfile_split ? map->part[i].place : 0;
}

uint64_t dumpfile_split_key(const uint8_t *head, size_t n)
{
	uint64_t key = UINT64_C(0xcbf29ce484222325);	/* FNV-1a */
	uint32_t block;

	if (n < 464 || memcmp(head, "KDUMP   ", 8) || load_u32(head + 8) < 2)
		return 0;
	block = load_u32(head + 428);
	if (block > n || n - block < 16 || !load_u32(head + block + 12))
		return 0;
	for (size_t i = 0; i < 464; i++)
		key = (key ^ head[i]) * UINT64_C(0x100000001b3);
	return key ? key : 1;
}

const struct dumpfile_format dumpfile_split = {
	.open = NULL,		/* by dumpfile_open_set() */
	.close = split_close,
	.state = split_state,
	.next = split_next,
};
