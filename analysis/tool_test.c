// SPDX-License-Identifier: MIT
#include "analysis/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_large_input_comes_back(void **state)
{
	static char *const cat[] = {"cat", NULL};
	const size_t size = 8 << 20;
	char *input = malloc(size + 1), *output;
	struct err err = {0};
	size_t length;

	(void)state;
	for (size_t i = 0; i < size; i++)
		input[i] = (char)('a' + i % 23);
	input[size] = '\0';
	output = tool_filter(cat, "coreutils", input, &length, &err);
	assert_non_null(output);
	assert_int_equal(length, size);
	assert_memory_equal(input, output, size + 1);
	free(output);
	free(input);
}

static void assert_fails(char *const *argv, enum err_kind kind, const char *words)
{
	struct err err = {0};
	size_t length;

	assert_null(tool_filter(argv, "the-package", "input that nobody reads", &length, &err));
	assert_int_equal(err.kind, kind);
	if (!strstr(err.text, words))
		fail_msg("'%s' does not say '%s'", err.text, words);
}

static void test_absent_program(void **state)
{
	static char *const argv[] = {"no-such-program-anywhere", NULL};

	(void)state;
	assert_false(tool_exists(argv[0]));
	assert_fails(argv, ERR_MACHINE, "install the package 'the-package'");
}

static void test_failing_program(void **state)
{
	static char *const argv[] = {"sh", "-c", "echo first >&2; echo '  last word' >&2; exit 7",
				     NULL};

	(void)state;
	assert_fails(argv, ERR_RUN, "exit status 7): last word");
}

static void test_silent_program(void **state)
{
	static char *const argv[] = {"true", NULL};

	(void)state;
	assert_fails(argv, ERR_RUN, "true failed");
}

static void test_killed_program(void **state)
{
	static char *const argv[] = {"sh", "-c", "kill -SEGV $$", NULL};

	(void)state;
	assert_fails(argv, ERR_RUN, "signal 11");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_input_comes_back),
		cmocka_unit_test(test_absent_program),
		cmocka_unit_test(test_failing_program),
		cmocka_unit_test(test_silent_program),
		cmocka_unit_test(test_killed_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
