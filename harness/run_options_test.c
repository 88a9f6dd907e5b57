// SPDX-License-Identifier: MIT
#include "harness/run_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 16

static int parse(struct run_options *options, enum run_command command, const char *line,
		 struct err *err)
{
	static char copy[256]; /* the options point into it */
	char *words[WORDS_MAX], *save = NULL;
	int n = 0;

	strcpy(copy, line);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		words[n++] = word;
	return run_options_parse(options, command, n, words, err);
}

static void lists_and_own_options(void **state)
{
	struct run_options options;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		parse(&options, RUN_COMMAND_RUN,
		      "gups,btree --repeat 5 LP-LD,RP-LD --timeout=90s --strict --seed 2^10", &err),
		0);
	assert_string_equal(options.workloads[1], "btree");
	assert_string_equal(options.configs[1], "RP-LD");
	assert_null(options.configs[2]);
	assert_int_equal(options.repeat, 5);
	assert_int_equal(options.timeout_ns, UINT64_C(90000000000));
	assert_true(options.strict && options.have_seed);
	assert_int_equal(options.seed, 1024);
	assert_int_equal(options.nr_rest, 0);
	run_options_free(&options);
}

static void the_rest_is_the_workloads(void **state)
{
	struct run_options options;
	struct err err = {0};

	(void)state;
	assert_int_equal(parse(&options, RUN_COMMAND_RUN,
			       "gups LP-LD --size 1G --threads 2 --updates=5 --atomic", &err),
			 0);
	assert_int_equal(options.nr_rest, 4);
	assert_string_equal(options.rest[0], "--size");
	assert_string_equal(options.rest[1], "1G");
	assert_string_equal(options.rest[3], "--atomic");
	assert_int_equal(options.threads, 2);
	run_options_free(&options);
}

static void exec_takes_all_after_the_dashes(void **state)
{
	struct run_options options;
	struct err err = {0};

	(void)state;
	assert_int_equal(parse(&options, RUN_COMMAND_EXEC,
			       "RP-LD --ready-when tcp:80 -- prog --repeat 3", &err),
			 0);
	assert_string_equal(options.ready_when, "tcp:80");
	assert_int_equal(options.repeat, 1);
	assert_int_equal(options.nr_rest, 3);
	assert_string_equal(options.rest[0], "prog");
	run_options_free(&options);
}

static void wrong_lines_are_usage_errors(void **state)
{
	static const struct {
		enum run_command command;
		const char *line, *said;
	} rows[] = {
		{RUN_COMMAND_RUN, "", "a workload"},
		{RUN_COMMAND_RUN, "gups", "config"},
		{RUN_COMMAND_RUN, "gups LP-LD --repeat", "--repeat"},
		{RUN_COMMAND_RUN, "gups LP-LD --repeat 0", "--repeat"},
		{RUN_COMMAND_RUN, "gups LP-LD --repeat 3x", "3x"},
		{RUN_COMMAND_RUN, "gups LP-LD --timeout soon", "soon"},
		{RUN_COMMAND_RUN, "gups LP-LD --timeout 0", "--timeout"},
		{RUN_COMMAND_RUN, "gups LP-LD --json=yes", "--json"},
		{RUN_COMMAND_RUN, "gups LP-LD --keep-going --fail-fast", "--fail-fast"},
		{RUN_COMMAND_RUN, "gups LP-LD --local-node -3", "--local-node"},
		{RUN_COMMAND_RUN, "--size 1G gups LP-LD", "after WORKLOAD"},
		{RUN_COMMAND_RUN, ", LP-LD", "no workload"},
		{RUN_COMMAND_EXEC, "LP-LD", "program"},
		{RUN_COMMAND_EXEC, "LP-LD --quite -- x", "--quiet"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run_options options;
		struct err err = {0};

		assert_int_equal(parse(&options, rows[i].command, rows[i].line, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, rows[i].said))
			fail_msg("'%s' gives '%s'", rows[i].line, err.text);
		run_options_free(&options);
	}
}

static void misspelt_options_are_recognised(void **state)
{
	(void)state;
	assert_string_equal(run_options_suggest("--repat"), "--repeat");
	assert_null(run_options_suggest("--xyzzyx"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_and_own_options),
		cmocka_unit_test(the_rest_is_the_workloads),
		cmocka_unit_test(exec_takes_all_after_the_dashes),
		cmocka_unit_test(wrong_lines_are_usage_errors),
		cmocka_unit_test(misspelt_options_are_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
