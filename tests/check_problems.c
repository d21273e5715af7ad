// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/problems.c: errors are kept in order, and the list says when it is full.
 */
#include "suite.h"

#include "../core/problems.h"

static struct problems list;

static void setup(void)
{
	list = (struct problems){ 0 };
}

static void teardown(void)
{
	problems_free(&list);
	ck_assert_ptr_null(list.problem);
	ck_assert_uint_eq(list.n, 0);
	/* freed twice is freed once */
	problems_free(&list);
}

static struct fault numbered(unsigned i)
{
	struct fault why;

	fault_fill(&why, STATE_EXCLUDED, SPACE_PHYS, i, "problem %u", i);
	return why;
}

static void ck_numbered(size_t at, unsigned i)
{
	char text[32];

	snprintf(text, sizeof(text), "problem %u", i);
	ck_assert_str_eq(list.problem[at].why.text, text);
	ck_u64_eq(list.problem[at].why.addr, i);
	ck_assert_int_eq(list.problem[at].why.kind, STATE_EXCLUDED);
}

START_TEST(problems__are_copied_and_keep_their_order)
{
	for (unsigned i = 0; i < 100; i++) {
		struct fault why = numbered(i);

		if (i % 2)
			problems_add_map(&list, &why, i, 0x1000 * (uint64_t)i);
		else
			problems_add(&list, &why);
		memset(&why, 0xa5, sizeof(why));
	}
	ck_assert_uint_eq(list.n, 100);
	for (unsigned i = 0; i < 100; i++) {
		ck_numbered(i, i);
		ck_assert_int_eq(list.problem[i].has_arena, i % 2);
		ck_assert_uint_eq(list.problem[i].arena, i % 2 ? i : 0);
		ck_u64_eq(list.problem[i].map, i % 2 ? 0x1000 * (uint64_t)i : 0);
	}
}
END_TEST

START_TEST(problems__as_many_as_the_limit_are_all_kept)
{
	for (unsigned i = 0; i < PROBLEMS_MAX; i++) {
		const struct fault why = numbered(i);

		problems_add_map(&list, &why, i + 1, 8);
	}
	ck_assert_uint_eq(list.n, PROBLEMS_MAX);
	for (unsigned i = 0; i < PROBLEMS_MAX; i += 5)
		ck_numbered(i, i);
	ck_numbered(PROBLEMS_MAX - 1, PROBLEMS_MAX - 1);
}
END_TEST

START_TEST(problems__more_than_the_limit_end_with_a_sentence_that_says_so)
{
	const struct problem *last;

	for (unsigned i = 0; i < PROBLEMS_MAX + 3; i++) {
		const struct fault why = numbered(i);

		/* the one that makes way is of an arena */
		if (i % 2)
			problems_add_map(&list, &why, i + 1, 8);
		else
			problems_add(&list, &why);
	}
	ck_assert_uint_eq(list.n, PROBLEMS_MAX);
	for (unsigned i = 0; i < PROBLEMS_MAX - 1; i += 5)
		ck_numbered(i, i);
	ck_numbered(PROBLEMS_MAX - 2, PROBLEMS_MAX - 2);
	last = &list.problem[PROBLEMS_MAX - 1];
	ck_fault(last->why, FAULT_LIMIT, "more than 4096 errors");
	/* that is no matter of one arena */
	ck_assert(!last->has_arena);
	ck_u64_eq(last->map, 0);
	ck_assert_int_eq(last->why.space, SPACE_NONE);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, problems__are_copied_and_keep_their_order);
	tcase_add_test(tests, problems__as_many_as_the_limit_are_all_kept);
	tcase_add_test(tests, problems__more_than_the_limit_end_with_a_sentence_that_says_so);
}

int main(void)
{
	return run_suite("problems", add);
}
