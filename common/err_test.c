// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/err.h"

static void the_first_error_wins(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(err_set(&err, ERR_MACHINE, "node %d is not there", 3), -1);
	assert_int_equal(err_set(&err, ERR_USAGE, "later"), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_string_equal(err.text, "node 3 is not there");
}

static void errno_texts_are_appended(void **state)
{
	struct err err = {0};

	(void)state;
	err_set_errno(&err, ERR_INTERNAL, ENOSPC, "cannot write '%s'", "run.json");
	assert_string_equal(err.text, "cannot write 'run.json': No space left on device");
}

static void context_goes_in_front_and_long_texts_are_cut(void **state)
{
	struct err err = {0};
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_RUN, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_prefix(&err, "gups");
	assert_int_equal(strncmp(err.text, "gups: xxx", 9), 0);
	assert_true(strlen(err.text) < sizeof(err.text));
}

static void a_null_err_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_RUN, "x"), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_error_wins),
		cmocka_unit_test(errno_texts_are_appended),
		cmocka_unit_test(context_goes_in_front_and_long_texts_are_cut),
		cmocka_unit_test(a_null_err_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
