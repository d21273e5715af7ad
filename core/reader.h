/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded little-endian reading of bytes that nobody vouches for.
 */
#ifndef ARENA_READER_H
#define ARENA_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A position in a buffer. After the first read past the end all reads give 0 and @bad stays
 * true: parse straight on and ask once before the values are used.
 */
struct reader {
	const uint8_t *data;
	size_t size, pos;
	bool bad;
};

/** @data is borrowed for the life of the reader. */
struct reader reader_init(const void *data, size_t size);
/** Bytes left; 0 when bad. */
size_t reader_left(const struct reader *r);
/** Go to absolute position @pos; past the end makes the reader bad. */
void reader_seek(struct reader *r, uint64_t pos);
void reader_skip(struct reader *r, uint64_t n);
/** The next @n bytes, borrowed from the buffer, or NULL (and bad). */
const uint8_t *reader_bytes(struct reader *r, uint64_t n);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);

/** Unaligned little-endian loads from memory that is known to be long enough. */
uint16_t load_u16(const void *p);
uint32_t load_u32(const void *p);
uint64_t load_u64(const void *p);

/** *@sum = @a + @b; false on overflow (then *@sum is not set). */
static inline bool add_ok(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

/** *@product = @a * @b; false on overflow. */
static inline bool mul_ok(uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

/** The bytes [@off, @off + @n) lie inside [0, @size). */
static inline bool range_ok(uint64_t off, uint64_t n, uint64_t size)
{
	return off <= size && n <= size - off;
}

static inline bool is_power_of_2(uint64_t n)
{
	return n && !(n & (n - 1));
}

#endif
