// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/reader.c: no read outside, and the first failure stays.
 */
#include "suite.h"

#include "../core/reader.h"

static const uint8_t sample[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

/* A copy of exactly @n bytes, so that ASan and valgrind see a step over its end. */
static uint8_t *copy(size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	memcpy(p, sample, n);
	return p;
}

START_TEST(reader__values_are_little_endian)
{
	struct reader r = reader_init(sample, sizeof(sample));

	ck_assert_uint_eq(reader_u16(&r), 0x0201);
	ck_assert_uint_eq(reader_u32(&r), 0x06050403);
	ck_u64_eq(reader_u64(&r), UINT64_C(0x0e0d0c0b0a090807));
	ck_assert(!r.bad);
	ck_assert_uint_eq(reader_left(&r), 1);
}
END_TEST

START_TEST(reader__loads_need_no_alignment)
{
	for (size_t i = 0; i < 8; i++) {
		ck_assert_uint_eq(load_u16(sample + i), (i + 2) << 8 | (i + 1));
		ck_assert_uint_eq(load_u32(sample + i) >> 24, i + 4);
		ck_u64_eq(load_u64(sample + i) >> 56, i + 8);
	}
}
END_TEST

START_TEST(reader__short_u16_sets_bad_and_stays)
{
	uint8_t *p = copy(1);
	struct reader r = reader_init(p, 1);

	ck_assert_uint_eq(reader_u16(&r), 0);
	ck_assert(r.bad);
	ck_assert_uint_eq(reader_left(&r), 0);
	ck_assert_ptr_null(reader_bytes(&r, 1));
	free(p);
}
END_TEST

START_TEST(reader__short_u32_sets_bad_and_stays)
{
	uint8_t *p = copy(3);
	struct reader r = reader_init(p, 3);

	ck_assert_uint_eq(reader_u32(&r), 0);
	ck_assert(r.bad);
	ck_assert_uint_eq(reader_u16(&r), 0);
	ck_assert(r.bad);
	free(p);
}
END_TEST

START_TEST(reader__short_u64_sets_bad_and_stays)
{
	uint8_t *p = copy(7);
	struct reader r = reader_init(p, 7);

	ck_u64_eq(reader_u64(&r), 0);
	ck_assert(r.bad);
	ck_assert_uint_eq(reader_u32(&r), 0);
	free(p);
}
END_TEST

START_TEST(reader__last_bytes_can_be_read)
{
	uint8_t *p = copy(8);
	struct reader r = reader_init(p, 8);

	ck_u64_eq(reader_u64(&r), UINT64_C(0x0807060504030201));
	ck_assert(!r.bad);
	ck_assert_uint_eq(reader_left(&r), 0);
	ck_assert_ptr_nonnull(reader_bytes(&r, 0));
	ck_assert(!r.bad);
	free(p);
}
END_TEST

START_TEST(reader__skip_and_bytes_of_any_length_stay_inside)
{
	static const uint64_t lengths[] = { 16, 17, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX,
					    UINT64_MAX - 14, UINT64_C(1) << 63 };
	uint8_t *p = copy(15);
	struct reader r = reader_init(p, 15);

	reader_skip(&r, 1);
	ck_assert_ptr_null(reader_bytes(&r, lengths[_i] - 1));
	ck_assert(r.bad);
	r = reader_init(p, 15);
	reader_skip(&r, lengths[_i]);
	ck_assert(r.bad);
	ck_assert_uint_eq(reader_u16(&r), 0);
	free(p);
}
END_TEST

START_TEST(reader__seek_goes_to_the_end_and_not_further)
{
	struct reader r = reader_init(sample, sizeof(sample));

	reader_seek(&r, 15);
	ck_assert(!r.bad);
	ck_assert_uint_eq(reader_left(&r), 0);
	reader_seek(&r, 4);
	ck_assert_uint_eq(reader_u16(&r), 0x0605);
	reader_seek(&r, 16);
	ck_assert(r.bad);
	reader_seek(&r, 0);
	ck_assert(r.bad);
	ck_assert_uint_eq(reader_u16(&r), 0);
	r = reader_init(sample, sizeof(sample));
	reader_seek(&r, UINT64_MAX);
	ck_assert(r.bad);
}
END_TEST

START_TEST(reader__empty_buffer_has_nothing)
{
	struct reader r = reader_init(NULL, 0);

	ck_assert_uint_eq(reader_left(&r), 0);
	ck_assert(!r.bad);
	ck_assert_uint_eq(reader_u32(&r), 0);
	ck_assert(r.bad);
}
END_TEST

START_TEST(reader__sums_and_products_that_overflow_are_refused)
{
	uint64_t v = 77;

	ck_assert(add_ok(UINT64_MAX - 1, 1, &v));
	ck_u64_eq(v, UINT64_MAX);
	ck_assert(!add_ok(UINT64_MAX, 1, &v));
	ck_assert(!add_ok(UINT64_C(1) << 63, UINT64_C(1) << 63, &v));
	ck_assert(mul_ok(UINT32_MAX, UINT32_MAX, &v));
	ck_u64_eq(v, UINT64_C(0xfffffffe00000001));
	ck_assert(!mul_ok(UINT64_C(1) << 32, UINT64_C(1) << 32, &v));
}
END_TEST

START_TEST(reader__range_must_lie_inside)
{
	ck_assert(range_ok(0, 10, 10));
	ck_assert(range_ok(10, 0, 10));
	ck_assert(!range_ok(0, 11, 10));
	ck_assert(!range_ok(11, 0, 10));
	ck_assert(!range_ok(5, 6, 10));
	ck_assert(!range_ok(5, UINT64_MAX, 10));
	ck_assert(!range_ok(UINT64_MAX, 1, 10));
	ck_assert(!range_ok(UINT64_MAX, UINT64_MAX, UINT64_MAX - 1));
}
END_TEST

START_TEST(reader__powers_of_two)
{
	ck_assert(!is_power_of_2(0));
	ck_assert(is_power_of_2(1));
	ck_assert(is_power_of_2(UINT64_C(1) << 63));
	ck_assert(!is_power_of_2(UINT64_MAX));
	ck_assert(!is_power_of_2(4097));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, reader__values_are_little_endian);
	tcase_add_test(tests, reader__loads_need_no_alignment);
	tcase_add_test(tests, reader__short_u16_sets_bad_and_stays);
	tcase_add_test(tests, reader__short_u32_sets_bad_and_stays);
	tcase_add_test(tests, reader__short_u64_sets_bad_and_stays);
	tcase_add_test(tests, reader__last_bytes_can_be_read);
	tcase_add_loop_test(tests, reader__skip_and_bytes_of_any_length_stay_inside, 0, 7);
	tcase_add_test(tests, reader__seek_goes_to_the_end_and_not_further);
	tcase_add_test(tests, reader__empty_buffer_has_nothing);
	tcase_add_test(tests, reader__sums_and_products_that_overflow_are_refused);
	tcase_add_test(tests, reader__range_must_lie_inside);
	tcase_add_test(tests, reader__powers_of_two);
}

int main(void)
{
	return run_suite("reader", add);
}
