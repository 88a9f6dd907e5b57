// SPDX-License-Identifier: MIT
/*
 * Whole runs against a driver that does what a driver can do wrong: this program itself, started
 * again with the wish in its environment.
 */
#include "harness/local_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/wire.h"
#include "emulator/emulator.h"
#include "harness/deadline.h"
#include "harness/interrupt.h"
#include "harness/record.h"

#define DRIVER_ENV "LOCAL_SESSION_TEST_DRIVER"
#define SECOND_NS  UINT64_C(1000000000)

static char root[] = "/tmp/session-test.XXXXXX";
static char self[4096];

/* --- the driver ----------------------------------------------------------------------------------
 */

static void say(struct wire *wire, const char *wish, const char *moment, json_t *message)
{
	char here[32];

	snprintf(here, sizeof(here), "crash-%s", moment);
	if (strcmp(wish, here) == 0) {
		fputs("driver: about to crash\n", stderr);
		abort();
	}
	snprintf(here, sizeof(here), "exit-%s", moment);
	if (strcmp(wish, here) == 0)
		_exit(7);
	snprintf(here, sizeof(here), "hang-%s", moment);
	if (strcmp(wish, here) == 0) {
		if (fork() == 0)
			fprintf(stderr, "left %d\n", (int)getpid());
		for (;;)
			pause();
	}
	snprintf(here, sizeof(here), "garbage-%s", moment);
	if (strcmp(wish, here) == 0)
		dprintf(wire->fd, "Segmentation what\n");
	snprintf(here, sizeof(here), "error-%s", moment);
	if (strcmp(wish, here) == 0) {
		message = json_pack("{s:s, s:i, s:s}", "msg", "error", "kind", 3, "text",
				    "the memory is full");
		wire_send(wire, message, NULL);
		_exit(3);
	}
	snprintf(here, sizeof(here), "skip-%s", moment);
	if (strcmp(wish, here) != 0)
		wire_send(wire, message, NULL);
	json_decref(message);
}

static void hear(struct wire *wire)
{
	json_t *message;

	if (wire_receive(wire, -1, &message, NULL) != 1)
		_exit(9);
	json_decref(message);
}

static json_t *done_message(const char *wish)
{
	const bool wrong = strcmp(wish, "wrong") == 0;

	if (strcmp(wish, "no-metric") == 0)
		return json_pack("{s:s, s:[], s:{s:s}}", "msg", "done", "metrics", "verification",
				 "status", "pass");
	return json_pack("{s:s, s:[{s:s, s:s, s:f, s:s, s:b}], s:{s:s, s:s, s:i, s:i}, s:{s:i, "
			 "s:s}}",
			 "msg", "done", "metrics", "name", "rate", "unit", "1/s", "value", 2.5,
			 "better", "higher", "primary", 1, "verification", "status",
			 wrong ? "fail" : "pass", "detail", wrong ? "3 words are wrong" : "",
			 "checked", 10, "errors", wrong ? 3 : 0, "work", "amount", 10, "unit",
			 "things");
}

static int be_driver(const char *wish)
{
	struct wire wire;

	wire_init(&wire, atoi(getenv(WIRE_ENV)));
	say(&wire, wish, "hello",
	    json_pack("{s:s, s:i, s:s, s:i, s:{s:i}}", "msg", "hello", "schema", 1, "workload",
		      "fake", "footprint_bytes", 4096, "options", "size", 4096));
	say(&wire, wish, "ready",
	    json_pack("{s:s, s:[i], s:[{s:s, s:i, s:i}], s:i, s:i, s:[i]}", "msg", "ready", "pids",
		      (int)getpid(), "regions", "name", "table", "address", 0, "bytes", 4096,
		      "setup_ns", 5000, "threads", 1, "cpus", 0));
	hear(&wire); /* go */
	say(&wire, wish, "roi",
	    json_pack("{s:s, s:i, s:s, s:i}", "msg", "roi_end", "roi_ns", 1234567, "clock",
		      "monotonic_raw", "host_ns", 1234567));
	hear(&wire); /* continue */
	say(&wire, wish, "done", done_message(wish));
	wire_close(&wire);
	return strcmp(wish, "wrong") == 0 ? 4 : strcmp(wish, "late-exit") == 0 ? 5 : 0;
}

/* --- the harness ---------------------------------------------------------------------------------
 */

struct outcome {
	json_t *record;
	struct err err;
	char directory[128];
};

static struct outcome run(const char *wish, const char *config_name, uint64_t timeout_ns)
{
	static char *arguments[] = {NULL};
	const struct run_options options = {
		.timeout_ns = timeout_ns,
		.counters = "none",
		.local_node = -1,
		.remote_node = -1,
	};
	const struct driver_plan plan = {.workload = "fake", .arguments = arguments};
	const struct record_start start = {.id = "x", .workload = "fake", .config = config_name};
	struct config config;
	struct outcome outcome = {.record = record_new(&start)};
	const struct local_session_input input = {
		.options = &options,
		.plan = &plan,
		.config = &config,
		.driver = self,
		.directory = outcome.directory,
	};

	snprintf(outcome.directory, sizeof(outcome.directory), "%s/XXXXXX", root);
	assert_non_null(mkdtemp(outcome.directory));
	assert_int_equal(config_parse(config_name, &config, NULL), 0);
	setenv(DRIVER_ENV, wish, 1);
	local_session_run(&input, outcome.record, &outcome.err);
	unsetenv(DRIVER_ENV);
	return outcome;
}

static json_int_t number(const struct outcome *outcome, const char *path)
{
	return json_integer_value(record_get(outcome->record, path));
}

static void good_driver_makes_a_full_record(void **state)
{
	struct outcome outcome = run("", "LP-LD", 20 * SECOND_NS);
	const json_t *phases = json_object_get(outcome.record, "phases");

	(void)state;
	assert_string_equal(outcome.err.text, "");
	assert_int_equal(number(&outcome, "runtime_ns"), 1234567);
	assert_int_equal(number(&outcome, "workload.threads"), 1);
	assert_int_equal(number(&outcome, "workload.options.size"), 4096);
	assert_int_equal(number(&outcome, "verification.checked"), 10);
	assert_int_equal(json_array_size(phases), 3);
	assert_non_null(record_primary_metric(outcome.record));
	assert_true(json_is_string(record_get(outcome.record, "placement.status")));
	assert_string_equal(json_string_value(record_get(outcome.record, "clock")),
			    "monotonic_raw");
	json_decref(outcome.record);
}

static void every_failure_is_named(void **state)
{
	static const struct {
		const char *wish;
		enum err_kind kind;
		const char *said;
	} rows[] = {
		{"crash-hello", ERR_RUN, "SIGABRT"},
		{"crash-ready", ERR_RUN, "about to crash"},
		{"crash-roi", ERR_RUN, "before it sent 'roi_end'"},
		{"crash-done", ERR_RUN, "SIGABRT"},
		{"exit-ready", ERR_RUN, "exited with status 7"},
		{"exit-roi", ERR_RUN, "exited with status 7"},
		{"late-exit", ERR_RUN, "exited with status 5 after its last message"},
		{"garbage-hello", ERR_RUN, "Segmentation what"},
		{"garbage-roi", ERR_RUN, "no JSON object"},
		{"skip-hello", ERR_RUN, "'ready' when 'hello' was due"},
		{"error-ready", ERR_MACHINE, "the memory is full"},
		{"wrong", ERR_RUN, "3 words are wrong"},
		{"no-metric", ERR_RUN, "no primary metric"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome outcome = run(rows[i].wish, "LP-LD", 20 * SECOND_NS);

		assert_int_equal(outcome.err.kind, rows[i].kind);
		if (!strstr(outcome.err.text, rows[i].said))
			fail_msg("%s: '%s'", rows[i].wish, outcome.err.text);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		json_decref(outcome.record);
	}
}

/* A driver that hangs, with a child that hangs, too. */
static void time_out_ends_the_whole_group(void **state)
{
	const uint64_t begun_ns = deadline_now_ns();
	struct outcome outcome = run("hang-roi", "LP-LD", SECOND_NS);
	char path[256];
	int left = 0;
	FILE *log;

	(void)state;
	assert_int_equal(outcome.err.kind, ERR_RUN);
	assert_non_null(strstr(outcome.err.text, "time-out"));
	assert_non_null(strstr(outcome.err.text, "--timeout"));
	assert_true(deadline_now_ns() - begun_ns < 30 * SECOND_NS);
	snprintf(path, sizeof(path), "%s/driver-stderr.log", outcome.directory);
	log = fopen(path, "r");
	assert_non_null(log);
	assert_int_equal(fscanf(log, "left %d", &left), 1);
	fclose(log);
	assert_int_equal(kill(left, 0), -1);
	assert_true(json_is_string(record_get(outcome.record, "placement.status")));
	json_decref(outcome.record);
}

static void ctrl_c_stops_a_run(void **state)
{
	const pid_t harness = getpid();
	const pid_t user = fork();
	struct outcome outcome;

	(void)state;
	if (user == 0) {
		sleep(1);
		kill(harness, SIGINT);
		_exit(0);
	}
	interrupt_install();
	outcome = run("hang-ready", "LP-LD", 60 * SECOND_NS);
	waitpid(user, NULL, 0);
	assert_int_equal(outcome.err.kind, ERR_INTERRUPTED);
	assert_non_null(strstr(outcome.err.text, "SIGINT"));
	interrupt_signal = 0;
	json_decref(outcome.record);
}

static void config_the_machine_cannot_do_starts_nothing(void **state)
{
	struct outcome outcome = run("crash-hello", "RRI", SECOND_NS);

	(void)state;
	assert_int_equal(outcome.err.kind, ERR_MACHINE);
	assert_non_null(strstr(outcome.err.text, "RRI"));
	json_decref(outcome.record);
}

/* In the emulated machine a time that no model made is no result. */
static void missing_model_fails_the_run(void **state)
{
	struct outcome outcome;

	(void)state;
	setenv(EMULATOR_ENV, "{\"profile\": \"x\"}", 1);
	outcome = run("", "LP-LD", 20 * SECOND_NS);
	unsetenv(EMULATOR_ENV);
	assert_int_not_equal(outcome.err.kind, ERR_NONE);
	assert_non_null(strstr(outcome.err.text, "the model"));
	assert_true(json_is_null(json_object_get(outcome.record, "runtime_ns")));
	assert_string_equal(json_string_value(json_object_get(outcome.record, "provenance")),
			    "modelled");
	json_decref(outcome.record);
}

static int set_up(void **state)
{
	const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char path[256];

	(void)state;
	if (n < 0 || !mkdtemp(root))
		return -1;
	self[n] = '\0';
	snprintf(path, sizeof(path), "%s/state", root);
	setenv("MITOSIS_SUITE_STATE", path, 1);
	return 0;
}

static int clean_up(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

int main(void)
{
	const char *wish = getenv(DRIVER_ENV);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_driver_makes_a_full_record),
		cmocka_unit_test(every_failure_is_named),
		cmocka_unit_test(time_out_ends_the_whole_group),
		cmocka_unit_test(ctrl_c_stops_a_run),
		cmocka_unit_test(config_the_machine_cannot_do_starts_nothing),
		cmocka_unit_test(missing_model_fails_the_run),
	};

	if (wish)
		return be_driver(wish);
	return cmocka_run_group_tests(tests, set_up, clean_up);
}
