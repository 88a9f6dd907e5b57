// SPDX-License-Identifier: MIT
/* The whole driver in a child process, alone and under a harness that this test plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/driver.h"
#include "common/err.h"
#include "common/wire.h"

#define ARGS_MAX 16

struct child {
	pid_t pid;
	int output; /* what it prints */
	struct wire wire;
};

/* Starts `bench` with space-separated arguments; stderr goes nowhere. */
static struct child start(const char *arguments, bool with_harness)
{
	int pipe_fds[2], socket_fds[2] = {-1, -1};
	struct child child;

	assert_int_equal(pipe(pipe_fds), 0);
	if (with_harness)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, socket_fds), 0);
	fflush(NULL);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		char *argv[ARGS_MAX] = {"bench"}, *copy = strdup(arguments), number[16];
		int argc = 1;

		for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
			argv[argc++] = word;
		snprintf(number, sizeof(number), "%d", socket_fds[1]);
		if (with_harness) {
			setenv(WIRE_ENV, number, 1);
			close(socket_fds[0]);
		}
		dup2(pipe_fds[1], STDOUT_FILENO);
		if (!freopen("/dev/null", "w", stderr))
			_exit(99);
		argc = bench_main(argc, argv);
		fflush(stdout);
		_exit(argc);
	}
	close(pipe_fds[1]);
	if (with_harness)
		close(socket_fds[1]);
	child.output = pipe_fds[0];
	wire_init(&child.wire, socket_fds[0]);
	return child;
}

/* Its exit status; what it printed goes to `text`. */
static int finish(struct child *child, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;
	int status;

	while (used + 1 < size && (n = read(child->output, text + used, size - used - 1)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	close(child->output);
	if (child->wire.fd >= 0)
		wire_close(&child->wire);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int finish_quietly(struct child *child)
{
	char text[65536];

	return finish(child, text, sizeof(text));
}

/* The next message but progress; it must be of this kind. */
static json_t *expect(struct child *child, const char *kind)
{
	struct err err = {0};
	json_t *message;

	for (;;) {
		const char *got;

		if (wire_receive(&child->wire, 20000, &message, &err) != 1)
			fail_msg("no message, '%s' was due: %s", kind, err.text);
		got = json_string_value(json_object_get(message, "msg"));
		if (strcmp(got, kind) == 0)
			return message;
		if (strcmp(got, "progress") != 0) {
			char *text = json_dumps(message, 0);

			fail_msg("%s where '%s' was due", text, kind);
		}
		json_decref(message);
	}
}

static void expect_and_drop(struct child *child, const char *kind)
{
	json_decref(expect(child, kind));
}

static void say(struct child *child, const char *text)
{
	json_t *message = json_loads(text, 0, NULL);
	struct err err = {0};

	assert_non_null(message);
	assert_int_equal(wire_send(&child->wire, message, &err), 0);
	json_decref(message);
}

static json_t *run_for_json(const char *arguments, int expected_status)
{
	struct child child = start(arguments, false);
	char text[65536];
	json_t *json;

	assert_int_equal(finish(&child, text, sizeof(text)), expected_status);
	json = json_loads(text, 0, NULL);
	if (!json)
		fail_msg("'bench %s' prints no JSON: %s", arguments, text);
	return json;
}

static const char *string_at(const json_t *json, const char *object, const char *name)
{
	return json_string_value(json_object_get(json_object_get(json, object), name));
}

/* --- alone ------------------------------------------------------------------------------------ */

static void json_output_is_a_record(void **state)
{
	json_t *json = run_for_json("gups --size 1M --updates 4096 --threads 2 --atomic --json", 0);

	(void)state;
	assert_string_equal(string_at(json, "workload", "name"), "gups");
	assert_string_equal(string_at(json, "verification", "status"), "pass");
	assert_string_equal(json_string_value(json_object_get(json, "provenance")), "measured");
	assert_string_equal(json_string_value(json_object_get(json, "clock")), "monotonic_raw");
	assert_int_equal(json_array_size(json_object_get(json, "phases")), 3);
	assert_true(json_integer_value(json_object_get(json, "runtime_ns")) > 0);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(json, "work"), "amount")), 4096);
	json_decref(json);
}

static void a_plan_allocates_nothing(void **state)
{
	json_t *json = run_for_json("gups --plan --memory 8T --threads 2 --preset mitosis", 0);

	(void)state;
	assert_true(json_integer_value(json_object_get(json, "footprint_bytes")) == (json_int_t)64
											    << 30);
	assert_int_equal(json_integer_value(json_object_get(json, "threads")), 2);
	json_decref(json);
	json = run_for_json("btree --plan --memory 40G", 0);
	assert_in_range(json_integer_value(json_object_get(json, "footprint_bytes")),
			(uint64_t)9.9e9, (uint64_t)10.8e9);
	json_decref(json);
	json = run_for_json("gups --plan --emulated", 0);
	assert_int_equal(json_integer_value(json_object_get(json, "footprint_bytes")), 1 << 30);
	json_decref(json);
	json = run_for_json("list --json", 0);
	assert_true(json_array_size(json) >= 5);
	json_decref(json);
}

static void statuses_say_what_happened(void **state)
{
	static const struct {
		const char *arguments;
		int status;
	} cases[] = {
		{"null", 0},
		{"null --sleep-ms 5 --threads 3", 0},
		{"null --help", 0},
		{"--help", 0},
		{"--version", 0},
		{"list", 0},
		{"nul", 2},
		{"null --sise 5", 2},
		{"null --size 5", 2},
		{"null --cpus 1-0", 2},
		{"gups --preset nonsense", 2},
		{"gups --size 3M", 2},
		{"null --scale 0", 2},
		{"null --cpus 4095", 3},
		{"null --size 512T", 3},
		{"null --data-policy bind:63", 3},
		{"null --misbehave wrong", 4},
		{"null --misbehave exit=77", 77},
		{"null --misbehave crash", 1000 + SIGSEGV},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct child child = start(cases[i].arguments, false);
		const int status = finish_quietly(&child);

		if (status != cases[i].status)
			fail_msg("'bench %s' exits %d, not %d", cases[i].arguments, status,
				 cases[i].status);
	}
}

static void wait_a_little(void)
{
	const struct timespec delay = {0, 200000000};

	nanosleep(&delay, NULL);
}

static void an_interrupt_ends_it(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct child child = start("null --sleep-ms 60000", false);

		wait_a_little();
		kill(child.pid, signals[i]);
		assert_int_equal(finish_quietly(&child), ERR_INTERRUPTED);
	}
}

/* --- under a harness -------------------------------------------------------------------------- */

static void the_whole_conversation(void **state)
{
	struct child child = start("gups --size 8M --updates 100000 --threads 2 --atomic", true);
	json_t *message = expect(&child, "hello");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(message, "workload")), "gups");
	assert_int_equal(json_integer_value(json_object_get(message, "footprint_bytes")), 8 << 20);
	json_decref(message);
	message = expect(&child, "ready");
	assert_int_equal(json_integer_value(json_array_get(json_object_get(message, "pids"), 0)),
			 child.pid);
	assert_int_equal(json_array_size(json_object_get(message, "tids")), 2);
	assert_int_equal(json_array_size(json_object_get(message, "regions")), 1);
	json_decref(message);
	say(&child, "{\"msg\":\"migrate_tables\",\"node\":63}");
	message = expect(&child, "migrated");
	assert_string_equal(json_string_value(json_object_get(message, "status")), "failed");
	assert_true(json_is_string(json_object_get(message, "reason")));
	json_decref(message);
	say(&child, "{\"msg\":\"migrate_tables\",\"node\":0}");
	expect_and_drop(&child, "migrated");
	say(&child, "{\"msg\":\"go\",\"model\":{\"roots\":{\"0\":4096},\"levels\":4}}");
	message = expect(&child, "roi_end");
	assert_string_equal(json_string_value(json_object_get(message, "clock")), "monotonic_raw");
	json_decref(message);
	say(&child, "{\"msg\":\"continue\"}");
	message = expect(&child, "done");
	assert_string_equal(string_at(message, "verification", "status"), "pass");
	json_decref(message);
	assert_int_equal(finish_quietly(&child), 0);
}

static void wrong_work_is_reported_and_fails(void **state)
{
	struct child child = start("null --misbehave wrong", true);
	json_t *message;

	(void)state;
	expect_and_drop(&child, "hello");
	expect_and_drop(&child, "ready");
	say(&child, "{\"msg\":\"go\"}");
	expect_and_drop(&child, "roi_end");
	say(&child, "{\"msg\":\"continue\"}");
	message = expect(&child, "done");
	assert_string_equal(string_at(message, "verification", "status"), "fail");
	json_decref(message);
	assert_int_equal(finish_quietly(&child), 4);
}

static void errors_travel_to_the_harness(void **state)
{
	static const struct {
		const char *arguments;
		int kind;
	} cases[] = {{"null --size 5", 2}, {"nothing", 2}, {"null --cpus 4095", 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct child child = start(cases[i].arguments, true);
		json_t *message;

		if (cases[i].kind == 3)
			expect_and_drop(&child, "hello");
		message = expect(&child, "error");
		assert_int_equal(json_integer_value(json_object_get(message, "kind")),
				 cases[i].kind);
		assert_true(strlen(json_string_value(json_object_get(message, "text"))) > 0);
		json_decref(message);
		assert_int_equal(finish_quietly(&child), cases[i].kind);
	}
}

static void a_dead_harness_is_noticed(void **state)
{
	struct child child = start("null --sleep-ms 60000", true);

	(void)state;
	expect_and_drop(&child, "hello");
	expect_and_drop(&child, "ready");
	wire_close(&child.wire); /* while it waits for go */
	assert_int_equal(finish_quietly(&child), 4);

	child = start("null --sleep-ms 60000", true);
	expect_and_drop(&child, "hello");
	expect_and_drop(&child, "ready");
	say(&child, "{\"msg\":\"go\"}");
	wait_a_little();
	wire_close(&child.wire); /* while it works */
	assert_int_equal(finish_quietly(&child), 4);
}

static void nonsense_from_the_harness_ends_it(void **state)
{
	struct child child = start("null", true);

	(void)state;
	expect_and_drop(&child, "hello");
	expect_and_drop(&child, "ready");
	say(&child, "{\"msg\":\"continue\"}");
	expect_and_drop(&child, "error");
	assert_int_equal(finish_quietly(&child), 4);

	child = start("null", true);
	expect_and_drop(&child, "hello");
	expect_and_drop(&child, "ready");
	assert_int_equal(write(child.wire.fd, "}{\n", 3), 3);
	expect_and_drop(&child, "error");
	assert_int_equal(finish_quietly(&child), 4);
}

static void the_interference_load_reports_and_stops(void **state)
{
	struct child child = start("stream --size 12M --threads 2 --until-stopped", true);
	json_t *message;

	(void)state;
	expect_and_drop(&child, "hello");
	expect_and_drop(&child, "ready");
	message = expect(&child, "alive");
	assert_true(json_real_value(json_object_get(message, "gb_per_s")) > 0);
	json_decref(message);
	say(&child, "{\"msg\":\"stop\"}");
	message = expect(&child, "done");
	assert_string_equal(string_at(message, "verification", "status"), "skipped");
	json_decref(message);
	assert_int_equal(finish_quietly(&child), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_output_is_a_record),
		cmocka_unit_test(a_plan_allocates_nothing),
		cmocka_unit_test(statuses_say_what_happened),
		cmocka_unit_test(an_interrupt_ends_it),
		cmocka_unit_test(the_whole_conversation),
		cmocka_unit_test(wrong_work_is_reported_and_fails),
		cmocka_unit_test(errors_travel_to_the_harness),
		cmocka_unit_test(a_dead_harness_is_noticed),
		cmocka_unit_test(nonsense_from_the_harness_ends_it),
		cmocka_unit_test(the_interference_load_reports_and_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
