// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kdump-compressed files (makedumpfile's diskdump_mod.h, QEMU's dump.c).
 *
 * Block 0 has the header, block 1 the sub header, then notes, two bitmaps (memory exists; page
 * is in the file), one descriptor for each bit of the second, and the pages. The n-th
 * descriptor belongs to the n-th set bit, so the map is a rank index over the second bitmap:
 * it stays in the file and only one count for each 4096 bytes of it is held.
 */
#include "dumpfile_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "vmcoreinfo.h"

enum {
	HEADER_SIZE = 464,	/* struct disk_dump_header without its tasks */
	SUB_HEADER_SIZE = 104,	/* struct kdump_sub_header, version 6 */
	DESC_SIZE = 24,		/* struct page_desc */
	RANK_BITS = FILE_BLOCK * 8,
	ALL_DESCS = 1 << 20,	/* up to so many descriptors are all checked at open */
	LAST_DESCS = 1 << 16,	/* else so many of the last ones */
};

enum {
	STATUS_ZLIB = 0x1, STATUS_LZO = 0x2, STATUS_SNAPPY = 0x4,
	STATUS_INCOMPLETE = 0x8, STATUS_ZSTD = 0x20,
};

/* Physical addresses have at most 52 bits; a bitmap for more than 2^36 pages is not real. */
#define MAX_PAGES (UINT64_C(1) << 36)

struct kdump_map {
	uint64_t block_size;
	uint64_t bitmap[2];	/* file offsets: memory exists, page is in the file */
	uint64_t descs;		/* file offset of the descriptors */
	uint64_t pages;		/* max_mapnr: pfns are below */
	bool split;		/* a part: the descriptors are those of [start, end) */
	uint64_t start, end;	/* pfns; all of them where not split */
	uint64_t before;	/* bits set below @start */
	uint64_t stored;	/* bits set in the second bitmap */
	uint64_t *rank;		/* bits set before each RANK_BITS of it */
};

struct desc {
	uint64_t offset;
	uint32_t size, flags;
};

static const char *format_name(uint32_t status)
{
	if (status & STATUS_ZLIB)
		return "kdump, zlib";
	if (status & STATUS_LZO)
		return "kdump, lzo";
	if (status & STATUS_SNAPPY)
		return "kdump, snappy";
	if (status & STATUS_ZSTD)
		return "kdump, zstd";
	return "kdump, not compressed";
}

/* utsname.machine; QEMU writes nothing else, and "Unknown" on aarch64. */
static const char *machine_name(const char *machine)
{
	static const char *const known[] = {
		"x86_64", "aarch64", "ppc64le", "ppc64", "s390x", "riscv64", "loongarch64", "i686",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(machine, known[i], 65))
			return known[i];
	return NULL;
}

static bool damaged(struct fault *why, uint64_t offset, const char *rule)
{
	return fault_set(why, STATE_DAMAGED, SPACE_FILE, offset, "the kdump header is damaged: %s",
			 rule);
}

/* Bitmaps and descriptors from the header's numbers. */
static bool place_tables(struct dumpfile *df, struct kdump_map *map, uint32_t sub_blocks,
			 uint32_t bitmap_blocks, struct fault *why)
{
	uint64_t half = (uint64_t)bitmap_blocks / 2 * map->block_size;

	if (!sub_blocks || !bitmap_blocks || bitmap_blocks % 2)
		return damaged(why, 432, "no room for a sub header, or no two bitmaps");
	if (map->pages > MAX_PAGES || (map->pages + 7) / 8 > half)
		return damaged(why, 440, "its bitmaps do not cover its memory");
	map->bitmap[0] = (1 + (uint64_t)sub_blocks) * map->block_size;
	map->bitmap[1] = map->bitmap[0] + half;
	map->descs = map->bitmap[1] + half;
	if (map->descs > df->io.size)
		return fault_set(why, STATE_CUT, SPACE_FILE, map->descs,
			"the file is cut: its page map ends at offset %" PRIu64 ", but it has only %"
			PRIu64 " bytes", map->descs, df->io.size);
	return true;
}

static bool read_header(struct dumpfile *df, struct kdump_map *map, uint32_t *version,
			struct fault *why)
{
	uint8_t h[HEADER_SIZE];
	uint32_t status;

	if (!dumpfile_pread(df, h, sizeof(h), 0, "header", why))
		return false;
	*version = load_u32(h + 8);
	status = load_u32(h + 424);
	map->block_size = load_u32(h + 428);
	map->pages = load_u32(h + 440);
	if (*version < 1 || *version > 6)
		return fault_set(why, FAULT_UNSUPPORTED, SPACE_FILE, 8,
			"kdump header version %u; 1 to 6 are known", *version);
	if (!is_power_of_2(map->block_size) || map->block_size < 4096 ||
	    map->block_size > 65536)
		return damaged(why, 428, "block size is no page size");
	df->facts.format = format_name(status);
	df->facts.machine = machine_name((const char *)h + 12 + 4 * 65);
	df->facts.incomplete = status & STATUS_INCOMPLETE;
	return true;
}

static bool take_vmcoreinfo(struct dumpfile *df, uint64_t offset, uint64_t size,
			    struct fault *why)
{
	struct vmcoreinfo vi;

	if (df->facts.vmcoreinfo || !offset || !size)
		return true;
	if (size > 64 << 10)
		return damaged(why, 40, "VMCOREINFO is too large");
	df->vmcoreinfo = malloc((size_t)size);
	if (!df->vmcoreinfo)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	if (!dumpfile_pread(df, df->vmcoreinfo, size, offset, "VMCOREINFO", why))
		return false;
	df->facts.vmcoreinfo = df->vmcoreinfo;
	df->facts.vmcoreinfo_len = (size_t)size;
	return vmcoreinfo_init(&vi, df->vmcoreinfo, (size_t)size, why);
}

/* A piece of the file that the sub header names must lie inside it, or decoders run wild. */
static bool check_piece(struct dumpfile *df, uint64_t offset, uint64_t size, const char *what,
			struct fault *why)
{
	uint64_t end;

	if (!offset || !size)
		return true;
	if (!add_ok(offset, size, &end) || size > MAX_NOTES)
		return damaged(why, df->facts.size, what);
	dumpfile_needs(df, end);
	if (end <= df->io.size)
		return true;
	return fault_set(why, STATE_CUT, SPACE_FILE, offset,
		"the file is cut: its %s ends at offset %" PRIu64 ", but it has only %" PRIu64
		" bytes", what, end, df->io.size);
}

static bool read_sub_header(struct dumpfile *df, struct kdump_map *map, uint32_t version,
			    struct fault *why)
{
	uint8_t s[SUB_HEADER_SIZE];
	uint64_t note, note_size;

	if (!dumpfile_pread(df, s, sizeof(s), map->block_size, "sub header", why))
		return false;
	df->facts.level = version >= 1 ? (int)(load_u32(s + 8) & 0x3f) : -1;
	if (version >= 6)
		map->pages = load_u64(s + 96);
	map->end = map->pages;
	map->split = version >= 2 && load_u32(s + 12);
	if (map->split) {
		map->start = load_u64(s + (version >= 6 ? 80 : 16));
		map->end = load_u64(s + (version >= 6 ? 88 : 24));
		if (map->start > map->end || map->end > map->pages)
			return damaged(why, map->block_size + 16, "it is a part without a range");
	}
	note = version >= 4 ? load_u64(s + 48) : 0;
	note_size = version >= 4 ? load_u64(s + 56) : 0;
	if (version >= 5 &&
	    !check_piece(df, load_u64(s + 64), load_u64(s + 72), "erase information", why))
		return false;
	if (!check_piece(df, note, note_size, "notes", why))
		return false;
	if (note && note_size && !dumpfile_take_notes(df, note, note_size, why))
		return false;
	if (version < 3)
		return true;
	return check_piece(df, load_u64(s + 32), load_u64(s + 40), "VMCOREINFO", why) &&
	       take_vmcoreinfo(df, load_u64(s + 32), load_u64(s + 40), why);
}

static uint64_t count_bits(const uint8_t *p, size_t n)
{
	uint64_t count = 0;

	for (; n >= 8; p += 8, n -= 8)
		count += (unsigned)__builtin_popcountll(load_u64(p));
	for (; n; p++, n--)
		count += (unsigned)__builtin_popcount(*p);
	return count;
}

/* Set bits of the second bitmap, before each RANK_BITS of it and in all. */
static bool build_rank(struct dumpfile *df, struct kdump_map *map, struct fault *why)
{
	uint64_t n = (map->pages + RANK_BITS - 1) / RANK_BITS;
	uint64_t bytes = (map->pages + 7) / 8;
	uint8_t block[FILE_BLOCK];

	map->rank = calloc(n ? (size_t)n : 1, sizeof(*map->rank));
	if (!map->rank)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = i * FILE_BLOCK;
		uint64_t part = bytes - at < FILE_BLOCK ? bytes - at : FILE_BLOCK;

		if (!dumpfile_pread(df, block, part, map->bitmap[1] + at, "page map", why))
			return false;
		/* bits of the last byte that are beyond max_mapnr do not count */
		if (i + 1 == n && map->pages % 8)
			block[part - 1] &= (uint8_t)((1u << map->pages % 8) - 1);
		map->rank[i] = map->stored;
		map->stored += count_bits(block, (size_t)part);
	}
	return true;
}

static bool read_desc(struct dumpfile *df, const struct kdump_map *map, uint64_t number,
		      struct desc *desc)
{
	uint8_t d[DESC_SIZE];

	if (!dumpfile_peek(df, d, sizeof(d), map->descs + number * DESC_SIZE))
		return false;
	desc->offset = load_u64(d);
	desc->size = load_u32(d + 8);
	desc->flags = load_u32(d + 12);
	return true;
}

/* What a descriptor says of its page. */
static enum state check_desc(const struct dumpfile *df, const struct kdump_map *map,
			     const struct desc *desc)
{
	uint64_t first = map->descs + map->stored * DESC_SIZE, end;

	/* makedumpfile leaves descriptors of 0 in a dump that it could not finish */
	if (!desc->offset && !desc->size)
		return STATE_CUT;
	if (desc->offset < first || !desc->size || desc->size > map->block_size ||
	    !add_ok(desc->offset, desc->size, &end))
		return STATE_DAMAGED;
	switch (desc->flags) {
	case 0:
		if (desc->size != map->block_size)
			return STATE_DAMAGED;
		break;
	case STATUS_ZLIB:
	case STATUS_LZO:
	case STATUS_SNAPPY:
	case STATUS_ZSTD:
		break;
	default:
		return STATE_DAMAGED;
	}
	return end > df->io.size || !dumpfile_written(df, desc->offset, desc->size) ? STATE_CUT :
	       STATE_STORED;
}

/* How long the file must be: by all descriptors, or by the last ones of a very large dump. */
static void measure(struct dumpfile *df, const struct kdump_map *map)
{
	uint64_t end = map->descs + map->stored * DESC_SIZE;
	uint64_t i = map->stored > ALL_DESCS && !map->split ? map->stored - LAST_DESCS : 0;
	struct desc desc;

	dumpfile_needs(df, end);
	for (; i < map->stored && read_desc(df, map, i, &desc); i++) {
		enum state state = check_desc(df, map, &desc);

		if (state == STATE_STORED || (state == STATE_CUT && desc.size))
			dumpfile_needs(df, desc.offset + desc.size);
	}
}

/* The number of bits set below @pfn: the number of its descriptor, if its own is set. */
static bool rank_of(struct dumpfile *df, const struct kdump_map *map, uint64_t pfn,
		    uint64_t *rank)
{
	uint8_t block[FILE_BLOCK];
	uint64_t first = pfn / RANK_BITS;
	size_t bytes = (size_t)(pfn % RANK_BITS / 8);

	if (!dumpfile_peek(df, block, bytes + 1, map->bitmap[1] + first * FILE_BLOCK))
		return false;
	block[bytes] &= (uint8_t)((1u << pfn % 8) - 1);
	*rank = map->rank[first] + count_bits(block, bytes + 1);
	return true;
}

/* A part alone is a dump with a gap; dumpfile_split.c fills it from the others. */
static void set_part(struct dumpfile *df, struct kdump_map *map)
{
	if (map->start < map->pages && !rank_of(df, map, map->start, &map->before))
		map->before = map->stored;
	if (map->start >= map->pages)
		map->before = map->stored;
	df->facts.parts = 1;
	df->facts.empty_parts = map->start == map->end;
	df->facts.gap = map->start || map->end < map->pages;
	df->facts.gap_start = map->start ? 0 : map->end * map->block_size;
	df->facts.gap_end = (map->start ? map->start : map->pages) * map->block_size;
}

static bool kdump_open(struct dumpfile *df, struct fault *why)
{
	struct kdump_map *map = calloc(1, sizeof(*map));
	uint32_t version;
	uint8_t h[8];

	df->map = map;
	if (!map)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	if (!read_header(df, map, &version, why) || !read_sub_header(df, map, version, why))
		return false;
	if (!dumpfile_pread(df, h, sizeof(h), 432, "header", why) ||
	    !place_tables(df, map, load_u32(h), load_u32(h + 4), why) ||
	    !build_rank(df, map, why))
		return false;
	if (map->split)
		set_part(df, map);
	measure(df, map);
	return true;
}

static void kdump_close(struct dumpfile *df)
{
	struct kdump_map *map = df->map;

	if (map)
		free(map->rank);
	free(map);
}

static bool bit(struct dumpfile *df, uint64_t bitmap, uint64_t pfn)
{
	uint8_t byte;

	return dumpfile_peek(df, &byte, 1, bitmap + pfn / 8) && byte >> pfn % 8 & 1;
}

static enum state page_state(struct dumpfile *df, uint64_t pfn)
{
	const struct kdump_map *map = df->map;
	struct desc desc;
	uint64_t rank;

	if (pfn >= map->pages)
		return STATE_ABSENT;
	if (!bit(df, map->bitmap[1], pfn))
		return bit(df, map->bitmap[0], pfn) ? STATE_EXCLUDED : STATE_ABSENT;
	/* in a part that was not given */
	if (pfn < map->start || pfn >= map->end)
		return STATE_CUT;
	if (!rank_of(df, map, pfn, &rank) || rank < map->before)
		return STATE_CUT;
	if (!read_desc(df, map, rank - map->before, &desc))
		return STATE_CUT;
	return check_desc(df, map, &desc);
}

static enum state kdump_state(struct dumpfile *df, uint64_t phys, uint64_t n)
{
	const struct kdump_map *map = df->map;
	uint64_t last = (phys + n - 1) / map->block_size;

	for (uint64_t pfn = phys / map->block_size; pfn <= last; pfn++) {
		enum state state = page_state(df, pfn);

		if (state != STATE_STORED)
			return state;
	}
	return STATE_STORED;
}

/*
 * From *@pfn on to the first page below @end whose bit in the second bitmap is @set. A piece of
 * the bitmap that cannot be read any more counts as set: its pages fail when they are read.
 */
static bool find_bit(struct dumpfile *df, const struct kdump_map *map, uint64_t *pfn,
		     uint64_t end, bool set)
{
	while (*pfn < end) {
		uint64_t piece = *pfn / RANK_BITS, next = (piece + 1) * RANK_BITS;
		uint64_t count = (next < map->pages ? map->rank[piece + 1] : map->stored) -
				 map->rank[piece];
		uint8_t word[8];
		uint64_t bits;

		if (count == (set ? 0 : RANK_BITS)) {
			*pfn = next;
			continue;
		}
		/* bitmaps are whole blocks, so 8 bytes are there */
		bits = dumpfile_peek(df, word, 8, map->bitmap[1] + *pfn / 64 * 8) ?
		       load_u64(word) : UINT64_MAX;
		bits = (set ? bits : ~bits) >> *pfn % 64;
		if (bits) {
			*pfn += (unsigned)__builtin_ctzll(bits);
			break;
		}
		*pfn = (*pfn / 64 + 1) * 64;
	}
	return *pfn < end;
}

static bool kdump_next(struct dumpfile *df, uint64_t *phys, uint64_t *n)
{
	const struct kdump_map *map = df->map;
	uint64_t pfn = *phys / map->block_size, end;

	if (pfn < map->start)
		pfn = map->start;
	if (!find_bit(df, map, &pfn, map->end, true))
		return false;
	end = pfn;
	if (!find_bit(df, map, &end, map->end, false))
		end = map->end;
	if (*phys < pfn * map->block_size)
		*phys = pfn * map->block_size;
	*n = end * map->block_size - *phys;
	return true;
}

bool dumpfile_kdump_part(const struct dumpfile *df, struct kdump_part *part)
{
	const struct kdump_map *map = df->map;

	if (df->format != &dumpfile_kdump)
		return false;
	*part = (struct kdump_part){
		.split = map->split, .start = map->start, .end = map->end, .pages = map->pages,
		.block_size = map->block_size, .stored = map->stored,
	};
	return true;
}

const struct dumpfile_format dumpfile_kdump = {
	.open = kdump_open,
	.close = kdump_close,
	.state = kdump_state,
	.next = kdump_next,
};
