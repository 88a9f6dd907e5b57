// SPDX-License-Identifier: MIT
#include "harness/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *const names[] = {"doctor", "list", "run", "restore", "report", NULL};

static void near_names_are_found(void **state)
{
	(void)state;
	assert_string_equal(suggest_nearest("dcotor", names), "doctor");
	assert_string_equal(suggest_nearest("RUN", names), "run");
	assert_string_equal(suggest_nearest("reprt", names), "report");
	assert_string_equal(suggest_nearest("restor", names), "restore");
}

static void far_names_are_not(void **state)
{
	(void)state;
	assert_null(suggest_nearest("frobnicate", names));
	assert_null(suggest_nearest("", names));
	assert_null(suggest_nearest("a name that is longer than any letter row has room for here",
				    names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near_names_are_found),
		cmocka_unit_test(far_names_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
