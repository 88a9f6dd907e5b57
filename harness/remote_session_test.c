// SPDX-License-Identifier: MIT
#include "harness/remote_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/record.h"

static struct cell_config config = {.config = {.name = "RPI-LD"}, .target = {.emulated = true}};

static const char *joined(const struct execution *execution)
{
	static char text[1024];
	struct words argv = {0};
	size_t used = 0;

	remote_session_argv(execution, &argv);
	assert_false(argv.failed);
	for (int i = 0; i < argv.count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 argv.items[i]);
	words_free(&argv);
	return text;
}

static void workload_is_run_by_the_harness_inside(void **state)
{
	char *arguments[] = {"--size", "1G", "--threads", "1", "--memory", "2147483648", NULL};
	const struct driver_plan plan = {.arguments = arguments, .nr_arguments = 6};
	const struct cell cell = {.config = &config, .plan = &plan, .workload = "gups"};
	const struct run_options options = {
		.timeout_ns = 5000, .local_node = 1, .remote_node = -1, .strict = true};
	const struct execution execution = {.cell = &cell, .options = &options};

	(void)state;
	assert_string_equal(joined(&execution),
			    "/suite/bin/harness run gups RPI-LD --machine native --into /result "
			    "--timeout 5000ns --local-node 1 --strict --size 1G --threads 1 "
			    "--memory 2147483648");
}

static void program_goes_behind_the_dashes(void **state)
{
	char *program[] = {"/opt/prog", "--repeat", "7", NULL};
	const struct cell cell = {.config = &config, .workload = "prog"};
	const struct run_options options = {
		.timeout_ns = 5000,
		.local_node = -1,
		.remote_node = -1,
		.ready_when = "tcp:80",
		.rest = program,
		.nr_rest = 3,
	};
	const struct execution execution = {.cell = &cell, .options = &options};

	(void)state;
	assert_string_equal(joined(&execution),
			    "/suite/bin/harness exec RPI-LD --machine native --into /result "
			    "--timeout 5000ns --ready-when tcp:80 -- /opt/prog --repeat 7");
}

static void record_gets_the_hosts_identity(void **state)
{
	json_t *guest = json_pack("{s:s, s:[s], s:{s:s, s:[s]}, s:{s:s, s:s, s:i}, s:i}", "id",
				  "result", "command", "inside", "workload", "name", "gups",
				  "arguments", "--emulated", "machine", "kind", "native", "kernel",
				  "6.12", "model", 85, "runtime_ns", 42);
	json_t *host =
		json_pack("{s:s, s:[s], s:{s:[s]}, s:{s:i}}", "id", "outside", "command", "harness",
			  "workload", "arguments", "--size", "repeat", "index", 3);
	json_t *machine = json_pack("{s:s, s:s, s:f, s:b}", "kind", "emu", "profile", "x", "scale",
				    64.0, "model", 1);

	(void)state;
	remote_session_complete(guest, host, machine);
	assert_string_equal(json_string_value(record_get(guest, "id")), "outside");
	assert_int_equal(json_integer_value(record_get(guest, "repeat.index")), 3);
	assert_string_equal(
		json_string_value(json_array_get(record_get(guest, "workload.arguments"), 0)),
		"--size");
	assert_string_equal(json_string_value(record_get(guest, "machine.kind")), "emu");
	assert_string_equal(json_string_value(record_get(guest, "machine.kernel")), "6.12");
	assert_int_equal(json_integer_value(record_get(guest, "machine.model")), 85);
	assert_int_equal(json_integer_value(record_get(guest, "runtime_ns")), 42);
	json_decref(guest);
	json_decref(host);
	json_decref(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workload_is_run_by_the_harness_inside),
		cmocka_unit_test(program_goes_behind_the_dashes),
		cmocka_unit_test(record_gets_the_hosts_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
