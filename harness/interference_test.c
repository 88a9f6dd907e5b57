// SPDX-License-Identifier: MIT
/* With the real load (bench stream) on node 0, which every machine has. */
#include "harness/interference.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fs.h"
#include "common/paths.h"
#include "harness/cpulist.h"

#define SECOND_NS UINT64_C(1000000000)

struct fixture {
	struct topology topology;
	char logs[32];
};

static int start(const struct fixture *fixture, const int *busy, int nr_busy,
		 struct interference **interference, struct err *err)
{
	const struct interference_spec spec = {
		.nodes = 1,
		.busy_cpus = busy,
		.nr_busy_cpus = nr_busy,
		.log_directory = fixture->logs,
		.deadline = deadline_after(60 * SECOND_NS),
	};

	return interference_start(interference, &spec, &fixture->topology, err);
}

static void need_driver_and_two_cpus(const struct fixture *fixture)
{
	char program[PATHS_MAX];

	if (paths_program(program, "bench", NULL) != 0 || fixture->topology.nodes[0].nr_cpus < 2)
		skip();
}

static void load_is_awaited_watched_and_measured(void **state)
{
	const struct fixture *fixture = *state;
	const struct topology_node *node = &fixture->topology.nodes[0];
	struct interference *interference;
	struct err err = {0};
	const json_t *load;
	json_t *array;

	need_driver_and_two_cpus(fixture);
	/* One CPU is left for the load. */
	if (start(fixture, node->cpus, node->nr_cpus - 1, &interference, &err) != 0)
		fail_msg("%s", err.text);
	usleep(1500000);
	assert_int_equal(interference_check(interference, &err), 0);
	array = interference_stop(interference, &err);
	assert_int_equal(err.kind, ERR_NONE);
	interference_close(interference);
	load = json_array_get(array, 0);
	assert_int_equal(json_integer_value(json_object_get(load, "node")), 0);
	assert_true(json_is_true(json_object_get(load, "alive")));
	assert_true(json_number_value(json_object_get(load, "gb_per_s")) > 0.1);
	json_decref(array);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static pid_t only_child(void)
{
	char path[64];
	FILE *file;
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "r");
	if (file) {
		if (fscanf(file, "%d", &pid) != 1)
			pid = 0;
		fclose(file);
	}
	return pid;
}

static void load_that_dies_is_named(void **state)
{
	const struct fixture *fixture = *state;
	const struct topology_node *node = &fixture->topology.nodes[0];
	struct interference *interference;
	struct err err = {0};
	json_t *array;
	pid_t pid;

	need_driver_and_two_cpus(fixture);
	assert_int_equal(start(fixture, node->cpus, node->nr_cpus - 1, &interference, &err), 0);
	pid = only_child();
	if (pid == 0)
		skip();
	kill(pid, SIGKILL);
	for (int i = 0; i < 500 && interference_check(interference, &err) == 0; i++)
		usleep(10000);
	assert_int_equal(err.kind, ERR_RUN);
	assert_non_null(strstr(err.text, "node 0"));
	assert_non_null(strstr(err.text, "SIGKILL"));
	array = interference_stop(interference, NULL);
	assert_true(json_is_false(json_object_get(json_array_get(array, 0), "alive")));
	json_decref(array);
	interference_close(interference);
}

static void node_without_a_spare_cpu_is_refused(void **state)
{
	const struct fixture *fixture = *state;
	const struct topology_node *node = &fixture->topology.nodes[0];
	struct interference *interference;
	struct err err = {0};

	assert_int_equal(start(fixture, node->cpus, node->nr_cpus, &interference, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "no CPU"));
}

static void lists_are_written_as_the_kernel_does(void **state)
{
	static const int cpus[] = {0, 1, 2, 5, 7, 8};
	char *text = cpulist_format(cpus, 6);

	(void)state;
	assert_string_equal(text, "0-2,5,7-8");
	free(text);
	text = cpulist_format_nodes(0xb);
	assert_string_equal(text, "0-1,3");
	free(text);
	text = cpulist_format(cpus, 0);
	assert_string_equal(text, "");
	free(text);
}

static int set_up(void **state)
{
	static struct fixture fixture = {.logs = "/tmp/interference.XXXXXX"};
	struct fs root;

	if (!mkdtemp(fixture.logs) || fs_open(&root, "/", NULL) != 0 ||
	    topology_read(&fixture.topology, &root, NULL) != 0)
		return -1;
	fs_close(&root);
	*state = &fixture;
	return 0;
}

static int clean_up(void **state)
{
	struct fixture *fixture = *state;
	char command[64];

	topology_free(&fixture->topology);
	snprintf(command, sizeof(command), "rm -rf %s", fixture->logs);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_is_awaited_watched_and_measured),
		cmocka_unit_test(load_that_dies_is_named),
		cmocka_unit_test(node_without_a_spare_cpu_is_refused),
		cmocka_unit_test(lists_are_written_as_the_kernel_does),
	};

	return cmocka_run_group_tests(tests, set_up, clean_up);
}
