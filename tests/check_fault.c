// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/fault.c: the codes of the JSON, and sentences that do not fit.
 */
#include "suite.h"

static struct fault why;

/* design.md §5: code is one of these, and nothing else. */
START_TEST(fault__each_state_has_a_code_of_the_contract)
{
	static const char *const code[] = {
		[STATE_STORED] = "damaged", [STATE_EXCLUDED] = "excluded",
		[STATE_ABSENT] = "absent", [STATE_CUT] = "cut", [STATE_DAMAGED] = "damaged",
		[STATE_UNKNOWN] = "io", [FAULT_UNKNOWN_TYPE] = "unknown_type",
		[FAULT_UNSUPPORTED] = "unsupported", [FAULT_LIMIT] = "limit",
		[FAULT_WORKER] = "worker", [FAULT_IO] = "io", [FAULT_NOMEM] = "nomem",
		[FAULT_NOMEM + 1] = "damaged",
	};

	for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++)
		ck_assert_str_eq(fault_code((enum state)i), code[i]);
}
END_TEST

START_TEST(fault__spaces_have_their_names_and_none_has_none)
{
	ck_assert_str_eq(fault_space(SPACE_PHYS), "phys");
	ck_assert_str_eq(fault_space(SPACE_VIRT), "virt");
	ck_assert_str_eq(fault_space(SPACE_FILE), "file");
	ck_assert_ptr_null(fault_space(SPACE_NONE));
}
END_TEST

START_TEST(fault__set_fills_all_and_is_false)
{
	memset(&why, 0xa5, sizeof(why));
	ck_assert(!fault_set(&why, STATE_CUT, SPACE_FILE, 77, "at %d", 5));
	ck_assert_int_eq(why.kind, STATE_CUT);
	ck_assert_int_eq(why.space, SPACE_FILE);
	ck_u64_eq(why.addr, 77);
	ck_assert_int_eq(why.cure, CURE_NONE);
	ck_assert_str_eq(why.text, "at 5");
}
END_TEST

START_TEST(fault__levels_put_their_names_in_front)
{
	fault_fill(&why, STATE_EXCLUDED, SPACE_PHYS, 0x1000, "it is excluded");
	why.cure = CURE_DEBUGINFO;
	ck_assert(!fault_prefix(&why, "node %d: ", 3));
	ck_assert(!fault_prefix(&why, "map_idr: "));
	ck_assert(!fault_add(&why, "; and %s", "more"));
	ck_assert_str_eq(why.text, "map_idr: node 3: it is excluded; and more");
	ck_assert_int_eq(why.kind, STATE_EXCLUDED);
	ck_assert_int_eq(why.space, SPACE_PHYS);
	ck_u64_eq(why.addr, 0x1000);
	ck_assert_int_eq(why.cure, CURE_DEBUGINFO);
}
END_TEST

/* A write over the end is seen without valgrind, too. */
static struct { struct fault why; char guard[64]; } tight;

static void ck_full(char first)
{
	ck_assert_uint_eq(strlen(tight.why.text), sizeof(tight.why.text) - 1);
	ck_assert_int_eq(tight.why.text[0], first);
	for (size_t i = 0; i < sizeof(tight.guard); i++)
		ck_assert_int_eq(tight.guard[i], 'G');
}

START_TEST(fault__sentence_that_is_too_long_is_cut_at_its_end)
{
	memset(&tight, 'G', sizeof(tight));
	fault_fill(&tight.why, STATE_CUT, SPACE_NONE, 0, "x%0*d", 2000, 0);
	ck_full('x');
	/* what is in front stays whole */
	fault_put_before(&tight.why, "arena 9: ");
	ck_full('a');
	ck_assert_int_eq(strncmp(tight.why.text, "arena 9: x000", 13), 0);
	fault_put_after(&tight.why, " more");
	ck_full('a');
	ck_assert_int_eq(tight.why.text[sizeof(tight.why.text) - 2], '0');
	fault_put_before(&tight.why, "y%0*d", 2000, 0);
	ck_full('y');
	ck_assert_ptr_null(strstr(tight.why.text, "arena"));
}
END_TEST

START_TEST(fault__end_is_added_as_far_as_it_fits)
{
	memset(&tight, 'G', sizeof(tight));
	fault_fill(&tight.why, STATE_CUT, SPACE_NONE, 0, "z%0*d",
		   (int)sizeof(tight.why.text) - 4, 0);
	fault_put_after(&tight.why, "%s", "abcdef");
	ck_full('z');
	ck_assert_str_eq(tight.why.text + sizeof(tight.why.text) - 4, "0ab");
}
END_TEST

START_TEST(fault__nothing_in_front_and_behind_changes_nothing)
{
	const char *const none = "";

	fault_fill(&why, STATE_CUT, SPACE_NONE, 0, "text");
	fault_prefix(&why, "%s", none);
	fault_add(&why, "%s", none);
	ck_assert_str_eq(why.text, "text");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, fault__each_state_has_a_code_of_the_contract);
	tcase_add_test(tests, fault__spaces_have_their_names_and_none_has_none);
	tcase_add_test(tests, fault__set_fills_all_and_is_false);
	tcase_add_test(tests, fault__levels_put_their_names_in_front);
	tcase_add_test(tests, fault__sentence_that_is_too_long_is_cut_at_its_end);
	tcase_add_test(tests, fault__end_is_added_as_far_as_it_fits);
	tcase_add_test(tests, fault__nothing_in_front_and_behind_changes_nothing);
}

int main(void)
{
	return run_suite("fault", add);
}
