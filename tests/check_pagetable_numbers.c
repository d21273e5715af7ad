// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/pagetable_*.c: tables from the numbers of VMCOREINFO, also from those that no kernel
 * writes.
 */
#include "suite.h"

#include "../core/pagetable.h"

static struct fault why;

/* True: core takes the text, and fills @f. */
static bool take(struct pagetable_format *f, bool arm, const char *text)
{
	struct vmcoreinfo vi;

	ck_ok(vmcoreinfo_init(&vi, text, strlen(text), &why), why);
	return arm ? pagetable_aarch64(f, &vi, &why) : pagetable_x86_64(f, &vi, &why);
}

START_TEST(pagetable_numbers__vmcoreinfo_without_a_needed_line_is_refused)
{
	static const char *const arm[] = {
		"PAGESIZE=4096\n", "NUMBER(VA_BITS)=48\n", "NUMBER(kimage_voffset)=0x100000\n",
		"SYMBOL(swapper_pg_dir)=ffff800081000000\n",
	};
	static const char *const x86[] = {
		"NUMBER(phys_base)=0\n", "SYMBOL(init_top_pgt)=ffffffff81000000\n",
	};
	struct pagetable_format f;
	char text[512];

	for (int without = -1; without < 4; without++) {
		text[0] = '\0';
		for (int i = 0; i < 4; i++)
			strcat(text, i == without ? "" : arm[i]);
		ck_assert_int_eq(take(&f, true, text), without < 0);
		if (without >= 0)
			ck_fault(why, FAULT_UNSUPPORTED, "VMCOREINFO");
	}
	for (int without = -1; without < 2; without++) {
		text[0] = '\0';
		for (int i = 0; i < 2; i++)
			strcat(text, i == without ? "" : x86[i]);
		ck_assert_int_eq(take(&f, false, text), without < 0);
		if (without >= 0)
			ck_fault(why, FAULT_UNSUPPORTED, "VMCOREINFO");
	}
}
END_TEST

START_TEST(pagetable_numbers__contradicting_signs_of_lpa2_are_refused)
{
	struct pagetable_format f;

	ck_assert(!take(&f, true, "PAGESIZE=4096\nNUMBER(VA_BITS)=52\n"
			"NUMBER(TCR_EL1_T1SZ)=0xc\nNUMBER(MAX_PHYSMEM_BITS)=48\n"
			"NUMBER(kimage_voffset)=0xffff800040000000\n"
			"SYMBOL(swapper_pg_dir)=ffff800081000000\n"));
	ck_fault(why, FAULT_UNSUPPORTED, "LPA2");
}
END_TEST

/*
 * Whatever the numbers are: refused, or tables of at most a page each whose entries cover one
 * another without a gap.
 */
START_TEST(pagetable_numbers__absurd_numbers_never_give_tables_larger_than_a_page)
{
	static const unsigned page_shifts[] = { 12, 14, 16 };
	struct pagetable_format f;
	unsigned taken = 0;
	char text[512];

	for (unsigned p = 0; p < 3; p++)
		for (unsigned built = 0; built < 70; built++)
			for (unsigned t1sz = 0; t1sz < 70; t1sz++) {
				snprintf(text, sizeof(text), "PAGESIZE=%u\nNUMBER(VA_BITS)=%u\n"
					 "NUMBER(TCR_EL1_T1SZ)=0x%x\n"
					 "NUMBER(kimage_voffset)=0xffff800040000000\n"
					 "SYMBOL(swapper_pg_dir)=ffff800081000000\n",
					 1u << page_shifts[p], built, t1sz);
				if (!take(&f, true, text))
					continue;
				taken++;
				ck_assert_uint_le(f.levels, PAGETABLE_MAX_LEVELS);
				ck_assert_uint_gt(f.levels, 0);
				for (unsigned i = 0; i < f.levels; i++)
					ck_assert_msg(f.level[i].entries * UINT64_C(8) <=
						      UINT64_C(1) << page_shifts[p],
						      "%s: VA_BITS %u, T1SZ %u: level %u has %u "
						      "entries", f.name, built, t1sz, i,
						      f.level[i].entries);
			}
	ck_assert_uint_gt(taken, 10);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, pagetable_numbers__vmcoreinfo_without_a_needed_line_is_refused);
	tcase_add_test(tests, pagetable_numbers__contradicting_signs_of_lpa2_are_refused);
	tcase_add_test(tests, pagetable_numbers__absurd_numbers_never_give_tables_larger_than_a_page);
}

int main(void)
{
	return run_suite("pagetable_numbers", add);
}
