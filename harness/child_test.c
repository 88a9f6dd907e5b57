// SPDX-License-Identifier: MIT
#include "harness/child.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/deadline.h"

#define SECOND_NS UINT64_C(1000000000)

static int output_fd;
static char output[4096];

static struct child_spec shell(char *script)
{
	static char *argv[4];
	static char name[] = "sh", flag[] = "-c";

	argv[0] = name;
	argv[1] = flag;
	argv[2] = script;
	if (ftruncate(output_fd, 0) != 0)
		fail();
	lseek(output_fd, 0, SEEK_SET);
	return (struct child_spec){.argv = argv, .stdout_fd = output_fd, .stderr_fd = output_fd};
}

static const char *read_output(void)
{
	const ssize_t n = pread(output_fd, output, sizeof(output) - 1, 0);

	output[n > 0 ? n : 0] = '\0';
	return output;
}

static int run_to_end(const struct child_spec *spec)
{
	struct child child;
	struct err err = {0};

	assert_int_equal(child_start(&child, spec, &err), 0);
	assert_true(child_wait(&child, 10000));
	child_end(&child, 0);
	return child.status;
}

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) != 0 && errno == ESRCH;
}

static void end_is_described(void **state)
{
	char text[CHILD_TEXT_MAX];
	struct child_spec spec;

	(void)state;
	spec = shell("exit 3");
	assert_string_equal(child_describe(run_to_end(&spec), text), "exited with status 3");
	spec = shell("kill -SEGV $$");
	assert_string_equal(child_describe(run_to_end(&spec), text),
			    "killed by SIGSEGV (Segmentation fault)");
}

static void missing_program_is_a_usage_error(void **state)
{
	char *argv[] = {"/no/such/program", NULL};
	const struct child_spec spec = {.argv = argv, .stdout_fd = -1, .stderr_fd = -1};
	struct child child;
	struct err err = {0};

	(void)state;
	assert_int_equal(child_start(&child, &spec, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "/no/such/program"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void impossible_placement_is_an_error(void **state)
{
	struct child_spec spec = shell("true");
	struct child child;
	struct err err = {0};

	(void)state;
	spec.memory = CHILD_MEMORY_BIND;
	spec.memory_nodes = UINT64_C(1) << 60;
	assert_int_equal(child_start(&child, &spec, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "memory policy"));
}

static void placement_holds_before_exec(void **state)
{
	const int cpu = 0;
	struct child_spec spec = shell("grep -E 'Cpus_allowed_list|THP_enabled' /proc/self/status;"
				       "head -1 /proc/self/numa_maps");

	(void)state;
	spec.cpus = &cpu;
	spec.nr_cpus = 1;
	spec.memory = CHILD_MEMORY_BIND;
	spec.memory_nodes = 1;
	spec.thp_off = true;
	assert_int_equal(run_to_end(&spec), 0);
	assert_non_null(strstr(read_output(), "Cpus_allowed_list:\t0\n"));
	assert_non_null(strstr(output, "THP_enabled:\t0"));
	if (access("/proc/self/numa_maps", R_OK) == 0)
		assert_non_null(strstr(output, "bind:0"));
}

/* A child that ignores SIGTERM and has children of its own: all are gone, soon. */
static void whole_group_is_ended(void **state)
{
	struct child_spec spec =
		shell("trap '' TERM; sleep 60 & echo $!; sleep 60 & echo $!; wait");
	struct child child;
	const uint64_t begun_ns = deadline_now_ns();
	int first, second;

	(void)state;
	assert_int_equal(child_start(&child, &spec, NULL), 0);
	while (sscanf(read_output(), "%d %d", &first, &second) != 2)
		assert_false(child_wait(&child, 10));
	child_end(&child, 300);
	assert_true(deadline_now_ns() - begun_ns > SECOND_NS / 4); /* it was asked first */
	assert_true(deadline_now_ns() - begun_ns < 20 * SECOND_NS);
	assert_true(is_gone(first));
	assert_true(is_gone(second));
	assert_true(is_gone(child.pid));
	assert_true(WIFSIGNALED(child.status));
}

static void what_an_ended_child_left_is_ended_too(void **state)
{
	struct child_spec spec = shell("sleep 60 & echo $!");
	int left;

	(void)state;
	assert_int_equal(run_to_end(&spec), 0);
	assert_int_equal(sscanf(read_output(), "%d", &left), 1);
	assert_true(is_gone(left));
}

static void child_dies_with_the_harness(void **state)
{
	struct child_spec spec = shell("echo $$; exec sleep 60");
	const pid_t harness = fork();
	int left = 0;

	(void)state;
	if (harness == 0) {
		struct child child;

		child_start(&child, &spec, NULL);
		pause();
	}
	while (sscanf(read_output(), "%d", &left) != 1)
		usleep(1000);
	kill(harness, SIGKILL);
	waitpid(harness, NULL, 0);
	for (int i = 0; i < 5000 && !is_gone(left); i++) {
		waitpid(left, NULL, WNOHANG); /* it may be ours now */
		usleep(1000);
	}
	assert_true(is_gone(left));
}

static void stopped_child_has_not_run_yet(void **state)
{
	struct child_spec spec = shell("echo ran");
	struct child child;
	struct err err = {0};

	(void)state;
	spec.stop_at_exec = true;
	assert_int_equal(child_start(&child, &spec, &err), 0);
	assert_false(child_wait(&child, 200));
	assert_string_equal(read_output(), "");
	assert_int_equal(child_continue(&child, &err), 0);
	assert_true(child_wait(&child, 10000));
	child_end(&child, 0);
	assert_int_equal(child.status, 0);
	assert_string_equal(read_output(), "ran\n");
}

static void wire_carries_messages(void **state)
{
	struct child_spec spec =
		shell("python3 -c 'import os; fd = int(os.environ[\"" WIRE_ENV "\"]);"
		      "os.write(fd, os.read(fd, 100))'");
	struct child child;
	json_t *message = json_pack("{s:s}", "msg", "echo"), *back = NULL;

	(void)state;
	if (system("python3 -c '' 2>/dev/null") != 0)
		skip();
	spec.wire = true;
	assert_int_equal(child_start(&child, &spec, NULL), 0);
	assert_int_equal(wire_send(&child.wire, message, NULL), 0);
	assert_int_equal(wire_receive(&child.wire, 20000, &back, NULL), 1);
	assert_true(json_equal(message, back));
	child_end(&child, 1000);
	json_decref(message);
	json_decref(back);
}

static int open_output(void **state)
{
	(void)state;
	output_fd = memfd_create("output", MFD_CLOEXEC);
	return output_fd < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_is_described),
		cmocka_unit_test(missing_program_is_a_usage_error),
		cmocka_unit_test(impossible_placement_is_an_error),
		cmocka_unit_test(placement_holds_before_exec),
		cmocka_unit_test(whole_group_is_ended),
		cmocka_unit_test(what_an_ended_child_left_is_ended_too),
		cmocka_unit_test(child_dies_with_the_harness),
		cmocka_unit_test(stopped_child_has_not_run_yet),
		cmocka_unit_test(wire_carries_messages),
	};

	return cmocka_run_group_tests(tests, open_output, NULL);
}
