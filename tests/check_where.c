// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/where.c on an arena filled by hand: each form, and each thing that can be there. The
 * addresses are computed here by the kernel's 32-bit rule.
 */
#include "render_rig.h"

#include "../core/where.h"

#define USER (UINT64_C(1) << 44)
#define KERNEL (AREA + 0x8000)

static struct where w;

static void where_setup(void)
{
	setup();
	memset(&w, 0, sizeof(w));
	add_page(FIRST + 3, 0x77000, KIND_PAGE, STATE_STORED);
}

static void ck_forms(uint64_t pgoff, uint32_t low, uint64_t user)
{
	ck_assert(w.has_pgoff && w.has_low && w.has_user && w.has_kernel);
	ck_u64_eq(w.pgoff, pgoff);
	ck_u64_eq(w.low, low);
	ck_u64_eq(w.user, user);
	ck_u64_eq(w.kernel, KERNEL + low);
}

START_TEST(where__three_forms_are_one_byte)
{
	const uint64_t forms[] = { USER + 0x3123, KERNEL + 0x3123, 0x3123 };

	for (int i = 0; i < 3; i++) {
		ck_assert(where_find(&a, forms[i], &w));
		ck_assert_int_eq(w.form, i);
		ck_forms(3, 0x3123, USER + 0x3123);
		ck_u64_eq(w.offset, 0x123);
		ck_assert_int_eq(w.what, WHERE_MAPPED);
		ck_assert_ptr_eq(w.page, &page[0]);
		ck_u64_eq(w.phys, 0x77123);
	}
}
END_TEST

START_TEST(where__window_ends_at_its_last_byte)
{
	const uint64_t end = USER + 65536 * 4096;

	ck_assert(where_find(&a, end - 1, &w));
	ck_forms(65535, 65536 * 4096 - 1, end - 1);
	ck_assert_int_eq(w.what, WHERE_NOT_MAPPED);
	ck_assert(!where_find(&a, end, &w));
	ck_assert(!where_find(&a, USER - 1, &w));
	ck_assert(!where_find(&a, 65536 * 4096, &w));
}
END_TEST

START_TEST(where__null_is_no_address)
{
	ck_assert(!where_find(&a, 0, &w));
	ck_assert(where_find(&a, 1, &w));
	ck_assert_int_eq(w.form, FORM_LOW32);
}
END_TEST

START_TEST(where__window_may_end_at_a_border_of_4_gib)
{
	a.user_vm_start = USER + UINT64_C(0xffff0000);
	a.user_vm_end = USER + (UINT64_C(1) << 32);
	a.declared_pages = 32;
	/* pgoff 16 has wrapped: user address and place in the area are lowest */
	page[0].index = FIRST;
	page[0].kind = KIND_OUTSIDE;
	ck_assert(where_find(&a, UINT64_C(0xffff0008), &w));
	ck_forms(0, 0xffff0008, USER + UINT64_C(0xffff0008));
	ck_assert(where_find(&a, USER + 0x10, &w));
	ck_forms(16, 0x10, USER + 0x10);
	ck_assert_ptr_eq(w.page, &page[0]);
	ck_assert(!where_find(&a, USER + 0x1010, &w));
	ck_assert(!where_find(&a, USER + (UINT64_C(1) << 32), &w));
}
END_TEST

START_TEST(where__guards_have_no_other_form)
{
	const uint64_t in_guard[] = { AREA, KERNEL - 1, KERNEL + (UINT64_C(4) << 30),
				      AREA + (UINT64_C(4) << 30) + 0x10fff };

	for (int i = 0; i < 4; i++) {
		ck_assert(where_find(&a, in_guard[i], &w));
		ck_assert_int_eq(w.form, FORM_KERNEL);
		ck_assert_int_eq(w.what, WHERE_GUARD);
		ck_assert(!w.has_pgoff && !w.has_user && !w.has_low);
		ck_u64_eq(w.kernel, in_guard[i]);
	}
	ck_assert(!where_find(&a, AREA - 1, &w));
	ck_assert(!where_find(&a, AREA + (UINT64_C(4) << 30) + 0x11000, &w));
	page[0].index = 2;
	ck_assert(where_find(&a, AREA + 0x2010, &w));
	ck_assert_int_eq(w.what, WHERE_MAPPED);
	ck_u64_eq(w.phys, 0x77010);
}
END_TEST

START_TEST(where__behind_the_window_is_its_kernel_area_all_the_same)
{
	ck_assert(where_find(&a, KERNEL + UINT64_C(0x80000000), &w));
	ck_forms(0x80000, 0x80000000, USER + UINT64_C(0x80000000));
	ck_assert_int_eq(w.what, WHERE_NOT_MAPPED);
}
END_TEST

START_TEST(where__lost_table_is_not_an_unmapped_page)
{
	a.n_lost = 1;
	lost[0] = (struct arena_lost){ .has_pgoff = true, .pgoff = 512, .n = 512,
				       .kernel = KERNEL + 0x200000 };
	fault_fill(&why, STATE_EXCLUDED, SPACE_PHYS, 0x5000, "excluded");
	lost[0].why = why;
	ck_assert(where_find(&a, USER + 0x200000, &w));
	ck_assert_int_eq(w.what, WHERE_UNKNOWN);
	ck_assert_ptr_eq(w.why, &lost[0].why);
	ck_assert_str_eq(w.why->text, "excluded");
	ck_assert(where_find(&a, USER + 0x3fffff, &w));
	ck_assert_int_eq(w.what, WHERE_UNKNOWN);
	ck_assert(where_find(&a, USER + 0x1fffff, &w));
	ck_assert_int_eq(w.what, WHERE_NOT_MAPPED);
	ck_assert(where_find(&a, USER + 0x400000, &w));
	ck_assert_int_eq(w.what, WHERE_NOT_MAPPED);
}
END_TEST

START_TEST(where__without_its_kernel_area_only_user_addresses_are_known)
{
	window_unknown();
	a.n_pages = 0;
	ck_assert(!where_find(&a, KERNEL + 0x3123, &w));
	ck_assert(where_find(&a, USER + 0x3123, &w));
	ck_assert_int_eq(w.what, WHERE_UNKNOWN);
	ck_assert_ptr_eq(w.why, &a.window);
	ck_assert(!w.has_kernel);
	ck_u64_eq(w.pgoff, 3);
}
END_TEST

START_TEST(where__without_its_struct_low_halves_mean_what_is_mapped)
{
	struct_lost();
	ck_assert(where_find(&a, 0x3123, &w));
	ck_assert_int_eq(w.form, FORM_LOW32);
	ck_assert(!w.has_pgoff && !w.has_user);
	ck_u64_eq(w.kernel, KERNEL + 0x3123);
	ck_u64_eq(w.phys, 0x77123);
	ck_assert(!where_find(&a, 0x4123, &w));
	ck_assert(where_find(&a, KERNEL + 0x4123, &w));
	ck_assert_int_eq(w.what, WHERE_NOT_MAPPED);
	ck_assert(!where_find(&a, USER + 0x3123, &w));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, where_setup, teardown);
	tcase_add_test(tests, where__three_forms_are_one_byte);
	tcase_add_test(tests, where__window_ends_at_its_last_byte);
	tcase_add_test(tests, where__null_is_no_address);
	tcase_add_test(tests, where__window_may_end_at_a_border_of_4_gib);
	tcase_add_test(tests, where__guards_have_no_other_form);
	tcase_add_test(tests, where__behind_the_window_is_its_kernel_area_all_the_same);
	tcase_add_test(tests, where__lost_table_is_not_an_unmapped_page);
	tcase_add_test(tests, where__without_its_kernel_area_only_user_addresses_are_known);
	tcase_add_test(tests, where__without_its_struct_low_halves_mean_what_is_mapped);
}

int main(void)
{
	return run_suite("where", add);
}
