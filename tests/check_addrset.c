// SPDX-License-Identifier: GPL-2.0-or-later
#include "suite.h"

#include "../core/addrset.h"

static struct addrset set;

static void setup(void)
{
	set = (struct addrset){ 0 };
}

static void teardown(void)
{
	addrset_free(&set);
}

/* Addresses as structs in one slab, in pages of their own, and far apart. */
static uint64_t address(uint64_t i)
{
	static const uint64_t step[] = { 8, 4096, UINT64_C(1) << 32 };

	return UINT64_C(0xffff888000000000) + (i + 1) * step[i % 3] + i % 3 * 0x10;
}

START_TEST(addrset__each_address_is_new_once)
{
	for (uint64_t i = 0; i < 10000; i++)
		ck_assert_int_eq(addrset_add(&set, address(i), SIZE_MAX), ADDRSET_NEW);
	for (uint64_t i = 0; i < 10000; i++)
		ck_assert_int_eq(addrset_add(&set, address(i), SIZE_MAX), ADDRSET_KNOWN);
	ck_assert_uint_eq(set.n, 10000);
}
END_TEST

START_TEST(addrset__limit_is_for_new_ones_alone)
{
	for (uint64_t i = 0; i < 100; i++)
		ck_assert_int_eq(addrset_add(&set, address(i), 100), ADDRSET_NEW);
	ck_assert_int_eq(addrset_add(&set, address(100), 100), ADDRSET_FULL);
	ck_assert_int_eq(addrset_add(&set, address(100), 100), ADDRSET_FULL);
	ck_assert_int_eq(addrset_add(&set, address(99), 100), ADDRSET_KNOWN);
}
END_TEST

START_TEST(addrset__freed_set_is_empty)
{
	ck_assert_int_eq(addrset_add(&set, 8, 1), ADDRSET_NEW);
	addrset_free(&set);
	ck_assert_int_eq(addrset_add(&set, 8, 1), ADDRSET_NEW);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, addrset__each_address_is_new_once);
	tcase_add_test(tests, addrset__limit_is_for_new_ones_alone);
	tcase_add_test(tests, addrset__freed_set_is_empty);
}

int main(void)
{
	return run_suite("addrset", add);
}
