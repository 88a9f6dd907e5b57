// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bench/numbers.h"

static void lists_are_parsed(void **state)
{
	struct err err = {0};
	uint64_t mask;
	int values[8];

	(void)state;
	assert_int_equal(numbers_parse("0-2,5", "--cpus", 8, values, 8, &err), 4);
	assert_int_equal(values[3], 5);
	assert_int_equal(numbers_parse("7", "--cpus", 8, values, 8, &err), 1);
	assert_int_equal(numbers_parse_mask("0,63", "nodes", &mask, &err), 0);
	assert_true(mask == (UINT64_C(1) << 63 | 1));
}

static void bad_lists_are_usage_errors(void **state)
{
	static const char *const cases[] = {"",    ",",   "1,",  "1-", "-1",  "3-1", "8",
					    "0-8", "1,1", "2,1", "a",  "1 2", "0x1"};
	int values[8];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};

		if (numbers_parse(cases[i], "--cpus", 8, values, 8, &err) != -1)
			fail_msg("'%s' was taken", cases[i]);
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_parsed),
		cmocka_unit_test(bad_lists_are_usage_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
