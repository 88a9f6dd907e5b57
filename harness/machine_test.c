// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/machine.h"
#include "tests/machine.h"

struct fixture {
	struct machine machine;
	struct topology topology;
};

static void read_topology(struct fixture *fixture)
{
	struct err err = {0};

	topology_free(&fixture->topology);
	if (topology_read(&fixture->topology, &fixture->machine.fs, &err) != 0)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	machine_open(&fixture->machine, "two-socket");
	read_topology(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	topology_free(&fixture->topology);
	machine_close(&fixture->machine);
	free(fixture);
	return 0;
}

static json_t *describe(const struct fixture *fixture)
{
	struct err err = {0};
	json_t *machine = machine_to_json(&fixture->topology, &fixture->machine.fs, &err);

	assert_non_null(machine);
	return machine;
}

static void assert_text(const json_t *object, const char *name, const char *expected)
{
	const char *text = json_string_value(json_object_get(object, name));

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static void assert_unknown(const json_t *machine, const char *name, const char *says)
{
	const char *reason =
		json_string_value(json_object_get(json_object_get(machine, "unknown"), name));

	assert_true(json_is_null(json_object_get(machine, name)));
	assert_non_null(reason);
	assert_non_null(strstr(reason, says));
}

static void test_nodes_and_processor(void **state)
{
	json_t *machine = describe(*state);
	json_t *node = json_array_get(json_object_get(machine, "nodes"), 1);
	int id, distance[2];
	json_int_t memory;

	assert_int_equal(json_array_size(json_object_get(machine, "nodes")), 2);
	assert_int_equal(json_unpack(node, "{s:i, s:I, s:[i, i!]}", "id", &id, "memory_bytes",
				     &memory, "distances", &distance[0], &distance[1]),
			 0);
	assert_int_equal(id, 1);
	assert_int_equal(memory, INT64_C(201326592) * 1024);
	assert_int_equal(distance[0], 21);
	assert_int_equal(distance[1], 10);
	assert_int_equal(json_array_size(json_object_get(node, "cpus")), 40);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(node, "cpus"), 20)), 60);
	assert_text(machine, "cpu_vendor", "GenuineIntel");
	assert_int_equal(json_integer_value(json_object_get(machine, "model")), 85);
	assert_int_equal(json_integer_value(json_object_get(machine, "stepping")), 7);
	assert_text(machine, "microcode", "0x5003605");
	assert_text(machine, "kernel", "6.1.0-28-amd64");
	assert_text(machine, "kind", "native");
	json_decref(machine);
}

static void test_settings(void **state)
{
	struct fixture *fixture = *state;
	json_t *machine;

	machine_write(&fixture->machine, "/sys/kernel/mm/transparent_hugepage/enabled",
		      "always [madvise] never\n");
	machine_write(&fixture->machine, "/sys/kernel/mm/transparent_hugepage/defrag",
		      "always defer defer+madvise madvise [never]\n");
	machine_write(&fixture->machine, "/proc/sys/kernel/numa_balancing", "1\n");
	machine_write(&fixture->machine, "/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
	machine_write(&fixture->machine, "/sys/devices/system/cpu/smt/active", "1\n");
	machine_write(&fixture->machine, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
		      "performance\n");
	machine_write(&fixture->machine, "/sys/devices/system/cpu/cpu79/cpufreq/scaling_governor",
		      "performance\n");
	machine_write(&fixture->machine, "/proc/loadavg", "0.25 1.50 3.00 1/200 4321\n");
	machine_write(&fixture->machine, "/proc/sys/kernel/hostname", "numa7\n");
	machine = describe(fixture);
	assert_text(machine, "thp", "madvise");
	assert_text(machine, "thp_defrag", "never");
	assert_int_equal(json_integer_value(json_object_get(machine, "autonuma")), 1);
	assert_true(json_is_false(json_object_get(machine, "turbo")));
	assert_true(json_is_true(json_object_get(machine, "smt")));
	assert_text(machine, "governor", "performance");
	assert_text(machine, "name", "numa7");
	assert_float_equal(
		json_real_value(json_array_get(json_object_get(machine, "load_average"), 2)), 3.0,
		1e-9);
	assert_true(json_is_null(json_object_get(machine, "hypervisor")));
	assert_int_equal(json_object_size(json_object_get(machine, "unknown")), 0);
	json_decref(machine);
}

static void test_what_cannot_be_read_is_null_with_a_reason(void **state)
{
	json_t *machine = describe(*state);

	assert_unknown(machine, "thp", "transparent_hugepage");
	assert_unknown(machine, "autonuma", "numa_balancing");
	assert_unknown(machine, "governor", "cpufreq");
	assert_unknown(machine, "turbo", "no_turbo");
	assert_unknown(machine, "smt", "smt/active");
	assert_unknown(machine, "load_average", "loadavg");
	assert_unknown(machine, "name", "hostname");
	json_decref(machine);
}

static void test_nonsense_in_files_is_unknown(void **state)
{
	struct fixture *fixture = *state;
	json_t *machine;

	machine_write(&fixture->machine, "/proc/sys/kernel/numa_balancing", "maybe\n");
	machine_write(&fixture->machine, "/proc/loadavg", "busy\n");
	machine_write(&fixture->machine, "/sys/devices/system/cpu/smt/active", "\n");
	machine_write(&fixture->machine, "/proc/sys/kernel/hostname", "\xff\xfe\n");
	machine = describe(fixture);
	assert_unknown(machine, "autonuma", "numa_balancing");
	assert_unknown(machine, "load_average", "loadavg");
	assert_unknown(machine, "smt", "smt/active");
	assert_unknown(machine, "name", "hostname");
	json_decref(machine);
}

static void test_governors_that_differ_are_mixed(void **state)
{
	struct fixture *fixture = *state;
	char governor[64];

	machine_write(&fixture->machine, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
		      "performance\n");
	machine_write(&fixture->machine, "/sys/devices/system/cpu/cpu21/cpufreq/scaling_governor",
		      "powersave\n");
	assert_int_equal(machine_read_governor(&fixture->topology, &fixture->machine.fs, governor,
					       sizeof(governor)),
			 0);
	assert_string_equal(governor, "mixed");
}

static void test_boost_is_turbo_the_right_way_round(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(machine_read_turbo(&fixture->machine.fs), -1);
	machine_write(&fixture->machine, "/sys/devices/system/cpu/cpufreq/boost", "1\n");
	assert_int_equal(machine_read_turbo(&fixture->machine.fs), 1);
	machine_write(&fixture->machine, "/sys/devices/system/cpu/cpufreq/boost", "0\n");
	assert_int_equal(machine_read_turbo(&fixture->machine.fs), 0);
	machine_write(&fixture->machine, "/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
	assert_int_equal(machine_read_turbo(&fixture->machine.fs), 1);
}

static void test_hypervisors(void **state)
{
	struct fixture *fixture = *state;
	const struct fs *root = &fixture->machine.fs;
	char name[MACHINE_TEXT_MAX];

	machine_write(&fixture->machine, "/proc/cpuinfo",
		      "processor\t: 0\nflags\t\t: fpu vme\nbugs\t\t: hypervisor\n");
	assert_false(machine_read_hypervisor(root, name, sizeof(name)));
	machine_write(&fixture->machine, "/proc/cpuinfo",
		      "processor\t: 0\nflags\t\t: fpu hypervisor");
	assert_true(machine_read_hypervisor(root, name, sizeof(name)));
	assert_string_equal(name, "unnamed");
	machine_write(&fixture->machine, "/sys/class/dmi/id/sys_vendor", "QEMU\n");
	assert_true(machine_read_hypervisor(root, name, sizeof(name)));
	assert_string_equal(name, "QEMU");
	machine_write(&fixture->machine, "/sys/class/dmi/id/product_name", "Standard PC\n");
	assert_true(machine_read_hypervisor(root, name, sizeof(name)));
	assert_string_equal(name, "QEMU Standard PC");
	machine_write(&fixture->machine, "/sys/hypervisor/type", "xen\n");
	assert_true(machine_read_hypervisor(root, name, sizeof(name)));
	assert_string_equal(name, "xen");
}

static void test_choices(void **state)
{
	static const struct {
		const char *text, *word;
	} files[] = {
		{"always [madvise] never\n", "madvise"},
		{"[always] madvise never", "always"},
		{"always madvise [never]\n", "never"},
		{"performance\n", "performance"},
		{"", ""},
		{"[broken", "broken"},
	};
	struct fixture *fixture = *state;
	char word[32];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		machine_write(&fixture->machine, "/choice", files[i].text);
		assert_int_equal(
			machine_read_choice(&fixture->machine.fs, "/choice", word, sizeof(word)),
			0);
		assert_string_equal(word, files[i].word);
	}
	assert_int_equal(machine_read_choice(&fixture->machine.fs, "/none", word, sizeof(word)),
			 -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nodes_and_processor),
		TEST(test_settings),
		TEST(test_what_cannot_be_read_is_null_with_a_reason),
		TEST(test_nonsense_in_files_is_unknown),
		TEST(test_governors_that_differ_are_mixed),
		TEST(test_boost_is_turbo_the_right_way_round),
		TEST(test_hypervisors),
		TEST(test_choices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
