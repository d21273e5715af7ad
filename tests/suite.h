/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all Check suites share: one program is one suite of one test case.
 */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/fault.h"

/** Run the tests that @add puts into its test case; the exit status of main(). */
static inline int run_suite(const char *name, void (*add)(TCase *tests))
{
	Suite *suite = suite_create(name);
	TCase *tests = tcase_create(name);
	SRunner *runner;
	int failed;

	/* valgrind on a busy machine takes its time */
	tcase_set_timeout(tests, 120);
	add(tests);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/** An expression that must be true; @why, a struct fault, says why it was not. */
#define ck_ok(expression, why) \
	ck_assert_msg((expression), "%s: %s", #expression, (why).text)

#define ck_u64_eq(a, b) \
	do { \
		uint64_t a_ = (a), b_ = (b); \
		ck_assert_msg(a_ == b_, "%s is 0x%" PRIx64 ", %s is 0x%" PRIx64, \
			      #a, a_, #b, b_); \
	} while (0)

/** A fault of that kind, whose sentence has @part. */
#define ck_fault(why, wanted, part) \
	do { \
		ck_assert_msg((why).kind == (wanted), "kind is %s, not %s: %s", \
			      fault_code((why).kind), fault_code(wanted), (why).text); \
		ck_assert_msg(strstr((why).text, part), "'%s' does not say '%s'", \
			      (why).text, part); \
	} while (0)

#endif
