// SPDX-License-Identifier: GPL-2.0-or-later
#include "write_kdump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "fileio.h"

/* makedumpfile's diskdump_mod.h */
enum {
	HEADER = 464, SUB_HEADER = 104, DESC = 24,
	VERSION = 6,
	STATUS_ZLIB = 1, STATUS_INCOMPLETE = 8,
	PAGE_ZLIB = 1,
	MAX_PAGE = 65536,
};

/* A part of the file that is written from its start on. */
struct stream {
	uint64_t at;		/* file offset of @buf */
	size_t n;
	uint8_t buf[32768];
};

/* A bitmap: the piece around the last bit. Pieces of zeros are holes. */
struct bitmap {
	uint64_t start;		/* file offset */
	uint64_t piece;		/* number of @buf in it */
	uint8_t buf[4096];
};

struct desc {
	uint64_t offset;
	uint32_t size, flags;
};

struct kdump_writer {
	int fd;
	uint64_t page_size;
	struct bitmap memory, in_file;
	struct stream descs, data;
	struct desc zeros, garbage;	/* of the pages that share them; size 0: none yet */
	z_stream z;
	bool has_z;
	uint8_t packed[MAX_PAGE];
};

static bool cannot_write(struct fault *why)
{
	return fault_set(why, FAULT_IO, SPACE_NONE, 0, "the reduced dump cannot be written: %s",
			 strerror(errno ? errno : EIO));
}

static bool put(const struct kdump_writer *w, const uint8_t *data, size_t n, uint64_t offset,
		struct fault *why)
{
	return write_at(w->fd, data, n, offset) || cannot_write(why);
}

/* Parts. */

static bool stream_flush(const struct kdump_writer *w, struct stream *s, struct fault *why)
{
	if (!put(w, s->buf, s->n, s->at, why))
		return false;
	s->at += s->n;
	s->n = 0;
	return true;
}

static bool stream_put(const struct kdump_writer *w, struct stream *s, const uint8_t *data,
		       size_t n, struct fault *why)
{
	while (n) {
		size_t part = sizeof(s->buf) - s->n;

		if (part > n)
			part = n;
		memcpy(s->buf + s->n, data, part);
		s->n += part;
		data += part;
		n -= part;
		if (s->n == sizeof(s->buf) && !stream_flush(w, s, why))
			return false;
	}
	return true;
}

static bool bitmap_flush(const struct kdump_writer *w, struct bitmap *b, struct fault *why)
{
	if (!put(w, b->buf, sizeof(b->buf), b->start + b->piece * sizeof(b->buf), why))
		return false;
	memset(b->buf, 0, sizeof(b->buf));
	return true;
}

static bool bitmap_set(const struct kdump_writer *w, struct bitmap *b, uint64_t number,
		       struct fault *why)
{
	uint64_t byte = number / 8;

	if (byte / sizeof(b->buf) != b->piece && !bitmap_flush(w, b, why))
		return false;
	b->piece = byte / sizeof(b->buf);
	b->buf[byte % sizeof(b->buf)] |= (uint8_t)(1u << number % 8);
	return true;
}

static void put_u32(uint8_t *p, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static void put_u64(uint8_t *p, uint64_t value)
{
	put_u32(p, (uint32_t)value);
	put_u32(p + 4, (uint32_t)(value >> 32));
}

/* Headers. */

static uint32_t low_32(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static bool put_header(const struct kdump_writer *w, const struct kdump_head *head,
		       uint64_t sub_blocks, uint64_t half, struct fault *why)
{
	uint8_t h[HEADER] = "KDUMP   ";

	put_u32(h + 8, VERSION);
	memcpy(h + 12, head->utsname, sizeof(head->utsname));
	put_u64(h + 408, head->time);
	put_u32(h + 424, STATUS_ZLIB | (head->incomplete ? STATUS_INCOMPLETE : 0));
	put_u32(h + 428, (uint32_t)head->page_size);
	put_u32(h + 432, (uint32_t)sub_blocks);
	put_u32(h + 436, (uint32_t)(2 * half));
	put_u32(h + 440, low_32(head->pages));
	put_u32(h + 460, head->cpus);
	return put(w, h, sizeof(h), 0, why);
}

static bool put_sub_header(const struct kdump_writer *w, const struct kdump_head *head,
			   struct fault *why)
{
	uint64_t notes = head->page_size + SUB_HEADER;
	uint8_t s[SUB_HEADER] = { 0 };

	put_u64(s, head->phys_base);
	put_u32(s + 8, (uint32_t)head->level);
	put_u64(s + 32, notes + head->vmcoreinfo);
	put_u64(s + 40, head->vmcoreinfo_len);
	put_u64(s + 48, notes);
	put_u64(s + 56, head->notes_len);
	put_u64(s + 96, head->pages);
	return put(w, s, sizeof(s), head->page_size, why) &&
	       put(w, head->notes, head->notes_len, notes, why);
}

static uint64_t blocks(uint64_t bytes, uint64_t size)
{
	return (bytes + size - 1) / size;
}

static bool begin(struct kdump_writer *w, const struct kdump_head *head, struct fault *why)
{
	uint64_t size = head->page_size;
	uint64_t sub_blocks = blocks(SUB_HEADER + head->notes_len, size);
	uint64_t half = blocks(blocks(head->pages, 8), size);

	w->page_size = size;
	w->memory.start = (1 + sub_blocks) * size;
	w->in_file.start = w->memory.start + half * size;
	w->descs.at = w->in_file.start + half * size;
	w->data.at = w->descs.at + head->in_file * DESC;
	w->has_z = deflateInit(&w->z, Z_BEST_COMPRESSION) == Z_OK;
	if (!w->has_z)
		return fault_set(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
	return put_header(w, head, sub_blocks, half, why) && put_sub_header(w, head, why);
}

struct kdump_writer *kdump_writer_new(int fd, const struct kdump_head *head, struct fault *why)
{
	struct kdump_writer *w = calloc(1, sizeof(*w));

	if (!w) {
		fault_fill(why, FAULT_NOMEM, SPACE_NONE, 0, "out of memory");
		return NULL;
	}
	w->fd = fd;
	if (begin(w, head, why))
		return w;
	kdump_writer_free(w);
	return NULL;
}

void kdump_writer_free(struct kdump_writer *w)
{
	if (w && w->has_z)
		deflateEnd(&w->z);
	free(w);
}

/* Pages. */

static uint64_t data_end(const struct kdump_writer *w)
{
	return w->data.at + w->data.n;
}

/* Pack a page; false where that makes it no smaller. */
static bool pack(struct kdump_writer *w, const uint8_t *data, uint32_t *size)
{
	w->z.next_in = (uint8_t *)data;
	w->z.avail_in = (uInt)w->page_size;
	w->z.next_out = w->packed;
	w->z.avail_out = (uInt)w->page_size - 1;
	if (deflateReset(&w->z) != Z_OK || deflate(&w->z, Z_FINISH) != Z_STREAM_END)
		return false;
	*size = (uint32_t)w->z.total_out;
	return true;
}

static bool put_contents(struct kdump_writer *w, const uint8_t *data, struct desc *desc,
			 struct fault *why)
{
	*desc = (struct desc){ .offset = data_end(w), .size = (uint32_t)w->page_size };
	if (pack(w, data, &desc->size)) {
		desc->flags = PAGE_ZLIB;
		data = w->packed;
	}
	return stream_put(w, &w->data, data, desc->size, why);
}

/* A page that every decoder of zlib refuses. */
static bool put_garbage(struct kdump_writer *w, struct fault *why)
{
	const uint8_t none[16] = { 0xff, 0xff };

	w->garbage = (struct desc){ data_end(w), sizeof(none), PAGE_ZLIB };
	return stream_put(w, &w->data, none, sizeof(none), why);
}

static bool all_zero(const uint8_t *data, size_t n)
{
	return !*data && !memcmp(data, data + 1, n - 1);
}

/*
 * Not packed, as QEMU does it: from 7.0 on an arena has thousands of page tables of zeros, and
 * unpacking this one block for each was most of the time that a reduced dump took to read.
 */
static bool put_zeros(struct kdump_writer *w, const uint8_t *data, struct fault *why)
{
	w->zeros = (struct desc){ data_end(w), (uint32_t)w->page_size, 0 };
	return stream_put(w, &w->data, data, w->page_size, why);
}

static bool put_stored(struct kdump_writer *w, const uint8_t *data, struct desc *desc,
		       struct fault *why)
{
	if (!data) {
		if (!w->garbage.size && !put_garbage(w, why))
			return false;
		*desc = w->garbage;
	} else if (all_zero(data, w->page_size)) {
		if (!w->zeros.size && !put_zeros(w, data, why))
			return false;
		*desc = w->zeros;
	} else {
		return put_contents(w, data, desc, why);
	}
	return true;
}

bool kdump_writer_page(struct kdump_writer *w, uint64_t number, enum state state,
		       const uint8_t *data, struct fault *why)
{
	struct desc desc = { 0 };
	uint8_t d[DESC] = { 0 };

	if (state == STATE_ABSENT)
		return true;
	if (!bitmap_set(w, &w->memory, number, why))
		return false;
	if (state == STATE_EXCLUDED)
		return true;
	if (state == STATE_STORED && !put_stored(w, data, &desc, why))
		return false;
	/* a size that no reader takes */
	if (state == STATE_DAMAGED)
		desc = (struct desc){ data_end(w), UINT32_MAX, 0 };
	put_u64(d, desc.offset);
	put_u32(d + 8, desc.size);
	put_u32(d + 12, desc.flags);
	return bitmap_set(w, &w->in_file, number, why) &&
	       stream_put(w, &w->descs, d, sizeof(d), why);
}

bool kdump_writer_end(struct kdump_writer *w, uint64_t *size, struct fault *why)
{
	if (!bitmap_flush(w, &w->memory, why) || !bitmap_flush(w, &w->in_file, why) ||
	    !stream_flush(w, &w->descs, why) || !stream_flush(w, &w->data, why))
		return false;
	*size = w->data.at;
	/* where no page is stored the tables may end in a hole */
	errno = 0;
	return !ftruncate(w->fd, (off_t)*size) || cannot_write(why);
}
