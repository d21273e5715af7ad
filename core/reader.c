// SPDX-License-Identifier: GPL-2.0-or-later
#include "reader.h"

#include <endian.h>
#include <string.h>

struct reader reader_init(const void *data, size_t size)
{
	return (struct reader){ .data = data, .size = size };
}

size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : r->size - r->pos;
}

void reader_seek(struct reader *r, uint64_t pos)
{
	if (pos > r->size)
		r->bad = true;
	else
		r->pos = (size_t)pos;
}

const uint8_t *reader_bytes(struct reader *r, uint64_t n)
{
	const uint8_t *p;

	if (r->bad || n > r->size - r->pos) {
		r->bad = true;
		return NULL;
	}
	p = r->data + r->pos;
	r->pos += (size_t)n;
	return p;
}

void reader_skip(struct reader *r, uint64_t n)
{
	reader_bytes(r, n);
}

uint16_t load_u16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

uint32_t load_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

uint64_t load_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 2);

	return p ? load_u16(p) : 0;
}

uint32_t reader_u32(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 4);

	return p ? load_u32(p) : 0;
}

uint64_t reader_u64(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 8);

	return p ? load_u64(p) : 0;
}
