// SPDX-License-Identifier: MIT
#include "harness/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/machine.h"

/* What each recorded machine must be read as; farthest is seen from `from`. */
static const struct expectation {
	const char *name;
	int nr_nodes, nr_cpus, memory_nodes, from, farthest;
	int first_id, last_id;
	const char *vendor;
	int model_number;
} expectations[] = {
	{"one-socket", 1, 8, 1, 0, -1, 0, 0, "GenuineIntel", 142},
	{"two-socket", 2, 80, 2, 0, 1, 0, 1, "GenuineIntel", 85},
	{"xeon-e7-4850v3-4s", 4, 112, 4, 1, 3, 0, 3, "GenuineIntel", 63},
	{"sub-numa-holes", 8, 128, 8, 9, 0, 0, 11, "AuthenticAMD", 17},
	{"cxl-memory", 3, 64, 3, 1, 2, 0, 2, "GenuineIntel", 143},
	{"node-without-memory", 3, 24, 2, 1, 2, 0, 2, "AuthenticAMD", 49},
	{"no-numa-kernel", 1, 16, 1, 0, -1, 0, 0, "0x41", -1},
};

static void reads_recorded_machines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
		const struct expectation *want = &expectations[i];
		struct topology topology;
		struct machine machine;
		struct err err = {0};

		machine_open(&machine, want->name);
		if (topology_read(&topology, &machine.fs, &err) != 0)
			fail_msg("%s: %s", want->name, err.text);
		assert_int_equal(topology.nr_nodes, want->nr_nodes);
		assert_int_equal(topology.nr_cpus, want->nr_cpus);
		assert_int_equal(topology_memory_nodes(&topology), want->memory_nodes);
		assert_int_equal(topology_farthest(&topology, want->from), want->farthest);
		assert_int_equal(topology.nodes[0].id, want->first_id);
		assert_int_equal(topology.nodes[want->nr_nodes - 1].id, want->last_id);
		assert_string_equal(topology.cpu_vendor, want->vendor);
		assert_int_equal(topology.cpu_model_number, want->model_number);
		topology_free(&topology);
		machine_close(&machine);
	}
}

static void reads_details(void **state)
{
	struct topology topology;
	struct machine machine;

	(void)state;
	machine_open(&machine, "sub-numa-holes");
	assert_int_equal(topology_read(&topology, &machine.fs, NULL), 0);
	assert_null(topology_node(&topology, 4));
	assert_non_null(topology_node(&topology, 8));
	/* The fifth number of a distance line belongs to node 8, not to node 4. */
	assert_int_equal(topology_node(&topology, 0)->distance[8], 32);
	assert_int_equal(topology_node(&topology, 0)->distance[4], 0);
	assert_int_equal(topology_node(&topology, 9)->distance[8], 12);
	assert_int_equal(topology_node(&topology, 8)->cpus[0], 32);
	assert_int_equal(topology_node(&topology, 8)->cpus[15], 103);
	assert_int_equal(topology.nodes[0].memory_bytes, UINT64_C(64) << 30);
	assert_int_equal(topology.nodes[0].free_bytes, UINT64_C(60) << 30);
	assert_string_equal(topology.kernel, "6.12.9-amd64");
	assert_string_equal(topology.cpu_model, "AMD EPYC 9334 32-Core Processor");
	assert_string_equal(topology.microcode, "0xa10113e");
	assert_int_equal(topology.cpu_family, 25);
	topology_free(&topology);
	machine_close(&machine);
}

static void reads_this_machine(void **state)
{
	struct topology topology;
	struct fs fs;

	(void)state;
	assert_int_equal(fs_open(&fs, "/", NULL), 0);
	assert_int_equal(topology_read(&topology, &fs, NULL), 0);
	assert_true(topology.nr_nodes >= 1 && topology.nr_cpus >= 1);
	assert_true(topology_memory_nodes(&topology) >= 1);
	topology_free(&topology);
	fs_close(&fs);
}

/* A file of the two-socket machine is replaced by nonsense; the message must name the file. */
static void refuses_broken_machines(void **state)
{
	static const struct {
		const char *path, *text, *named;
	} broken[] = {
		{"/sys/devices/system/node/online", "zero", "node/online"},
		{"/sys/devices/system/node/online", "", "node/online"},
		{"/sys/devices/system/node/online", "0,64", "node 64"},
		{"/sys/devices/system/node/online", "0-2", "not 3 distances"},
		{"/sys/devices/system/node/node1/cpulist", "20-", "node1/cpulist"},
		{"/sys/devices/system/node/node1/cpulist", "0-5000", "node1/cpulist"},
		{"/sys/devices/system/node/node1/distance", "21", "node1/distance"},
		{"/sys/devices/system/node/node0/distance", "10 x", "node0/distance"},
		{"/sys/devices/system/node/node0/distance", "10 0", "node0/distance"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct topology topology;
		struct machine machine;
		struct err err = {0};

		machine_open(&machine, "two-socket");
		machine_write(&machine, broken[i].path, broken[i].text);
		assert_int_equal(topology_read(&topology, &machine.fs, &err), -1);
		assert_int_equal(err.kind, ERR_MACHINE);
		if (!strstr(err.text, broken[i].named))
			fail_msg("'%s' does not name %s", err.text, broken[i].named);
		machine_close(&machine);
	}
}

static void parses_lists(void **state)
{
	static const char *const wrong[] = {"a",     "1-",         "-1",  "3-1", "1,",
					    ",1",    "1,,2",       "2,1", "1,1", "1 2",
					    "0-9,5", "9999999999", "0-10"};
	int values[10];

	(void)state;
	assert_int_equal(topology_parse_list("", values, 10), 0);
	assert_int_equal(topology_parse_list("0-3,8", values, 10), 5);
	assert_int_equal(values[3], 3);
	assert_int_equal(values[4], 8);
	assert_int_equal(topology_parse_list("0-9", values, 10), 10);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (topology_parse_list(wrong[i], values, 10) != -1)
			fail_msg("'%s' was taken for a list", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_recorded_machines),
		cmocka_unit_test(reads_details),
		cmocka_unit_test(reads_this_machine),
		cmocka_unit_test(refuses_broken_machines),
		cmocka_unit_test(parses_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
