// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/doctor_check.h"
#include "tests/machine.h"

#define GIB (UINT64_C(1) << 30)

/* What the probes answer, as each test sets it; probes take no context. */
static struct {
	bool no_policy, no_driver, no_reader, no_emulator, no_hardware, no_disk, no_capabilities;
	const char *missing_program;
	int stale;
	uint64_t disk_bytes;
} world;

static int answer(bool fails, const char *text, struct err *err)
{
	return fails ? err_set(err, ERR_MACHINE, "%s", text) : 0;
}

static int fake_policy(struct err *err)
{
	return answer(world.no_policy, "no memory policies", err);
}

static int fake_driver(struct err *err)
{
	return answer(world.no_driver, "no driver", err);
}

static int fake_page_tables(char *reader, size_t size, struct err *err)
{
	snprintf(reader, size, "kcore");
	return answer(world.no_reader, "no /proc/kcore", err);
}

static int fake_emulator(struct err *err)
{
	return answer(world.no_emulator, "no QEMU", err);
}

static int fake_hardware(struct err *err)
{
	return answer(world.no_hardware, "no hardware counters", err);
}

static int fake_stale(int *count, struct err *err)
{
	*count = world.stale;
	return answer(world.stale < 0, "the journal is damaged", err);
}

static int fake_disk(const char *path, uint64_t *bytes, struct err *err)
{
	assert_string_equal(path, "results");
	*bytes = world.disk_bytes;
	return answer(world.no_disk, "cannot write", err);
}

static bool fake_program(const char *name)
{
	return !world.missing_program || strcmp(world.missing_program, name) != 0;
}

static bool fake_capability(int number)
{
	(void)number;
	return !world.no_capabilities;
}

static const struct doctor_probes probes = {fake_policy,   fake_driver,   fake_page_tables,
					    fake_emulator, fake_hardware, fake_stale,
					    fake_disk,     fake_program,  fake_capability};

struct fixture {
	struct machine machine;
	struct doctor doctor;
};

static void machine_is(struct fixture *fixture, const char *name)
{
	if (fixture->machine.root[0])
		machine_close(&fixture->machine);
	machine_open(&fixture->machine, name);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	memset(&world, 0, sizeof(world));
	world.disk_bytes = 100 * GIB;
	machine_is(fixture, "two-socket");
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	topology_free(&fixture->doctor.topology);
	machine_close(&fixture->machine);
	free(fixture);
	return 0;
}

static const struct doctor *examine(struct fixture *fixture)
{
	struct doctor *doctor = &fixture->doctor;

	topology_free(&doctor->topology);
	memset(doctor, 0, sizeof(*doctor));
	doctor->root = &fixture->machine.fs;
	doctor->probes = &probes;
	doctor->results = "results";
	doctor_examine(doctor);
	return doctor;
}

/* A finding that is not ok says what is the matter; `says` is part of detail or fix. */
static void assert_finding(const struct doctor *doctor, const char *check,
			   enum doctor_verdict verdict, const char *says)
{
	const struct doctor_finding *finding = doctor_finding(doctor, check);

	assert_non_null(finding);
	if (finding->verdict != verdict ||
	    (!strstr(finding->detail, says) && !strstr(finding->fix, says)))
		fail_msg("%s: verdict %d, '%s' (fix: '%s'), expected %d and '%s'", check,
			 finding->verdict, finding->detail, finding->fix, verdict, says);
}

static void test_a_numa_machine_runs_everything(void **state)
{
	const struct doctor *doctor = examine(*state);

	assert_true(doctor->native);
	assert_true(doctor->emulated);
	assert_non_null(strstr(doctor->native_text, "every native config"));
	assert_finding(doctor, "memory nodes", DOCTOR_OK, "2, distances up to 21, 80 CPUs");
	assert_finding(doctor, "page tables", DOCTOR_OK, "kcore");
	assert_finding(doctor, "counters", DOCTOR_OK, "Intel Cascade Lake");
	assert_finding(doctor, "replication", DOCTOR_WARN, "kernel/");
	assert_finding(doctor, "free memory", DOCTOR_OK, "node 1 188 GiB of 192 GiB");
}

static void test_one_node_leaves_local_configs_and_the_emulator(void **state)
{
	const struct doctor *doctor;

	machine_is(*state, "one-socket");
	doctor = examine(*state);
	assert_finding(doctor, "memory nodes", DOCTOR_BLOCKS, "--machine emu");
	assert_true(doctor->native);
	assert_non_null(strstr(doctor->native_text, "local configs only"));
	assert_true(doctor->emulated);
}

static void test_nothing_runs_without_policies_and_emulator(void **state)
{
	const struct doctor *doctor;

	world.no_policy = true;
	doctor = examine(*state);
	assert_false(doctor->native);
	assert_true(doctor->emulated);
	world.no_emulator = true;
	doctor = examine(*state);
	assert_false(doctor->native);
	assert_false(doctor->emulated);
	assert_finding(doctor, "emulator", DOCTOR_BLOCKS, "no QEMU");
	assert_finding(doctor, "memory policies", DOCTOR_BLOCKS, "CONFIG_NUMA");
}

static void test_nothing_runs_without_the_driver(void **state)
{
	const struct doctor *doctor;

	world.no_driver = true;
	doctor = examine(*state);
	assert_false(doctor->native || doctor->emulated);
	assert_finding(doctor, "driver", DOCTOR_BLOCKS, "no driver");
}

static void test_an_unreadable_machine_is_examined_all_the_same(void **state)
{
	struct fixture *fixture = *state;
	const struct doctor *doctor;

	machine_close(&fixture->machine);
	machine_create(&fixture->machine);
	doctor = examine(fixture);
	assert_finding(doctor, "memory nodes", DOCTOR_BLOCKS, "cannot read");
	assert_false(doctor->native);
	assert_true(doctor->emulated);
	for (int i = 0; i < doctor->nr_findings; i++)
		assert_true(doctor->findings[i].detail[0]);
}

static void test_missing_means_are_named(void **state)
{
	const struct doctor *doctor;

	world.no_reader = world.no_hardware = world.no_capabilities = true;
	world.missing_program = "weasyprint";
	world.disk_bytes = 1000;
	world.stale = 3;
	doctor = examine(*state);
	assert_finding(doctor, "page tables", DOCTOR_WARN, "unverified");
	assert_finding(doctor, "counters", DOCTOR_WARN, "only software events");
	assert_finding(doctor, "privileges", DOCTOR_WARN, "CAP_SYS_NICE");
	assert_finding(doctor, "report", DOCTOR_WARN, "apt install weasyprint");
	assert_finding(doctor, "disk", DOCTOR_WARN, "--results");
	assert_finding(doctor, "changed settings", DOCTOR_WARN, "harness restore");
	world.no_disk = true;
	world.stale = -1;
	doctor = examine(*state);
	assert_finding(doctor, "disk", DOCTOR_BLOCKS, "cannot write");
	assert_finding(doctor, "changed settings", DOCTOR_WARN, "damaged");
}

/* One row per file that a check judges. */
static void test_settings_are_judged(void **state)
{
	static const struct {
		const char *path, *text, *check;
		enum doctor_verdict verdict;
		const char *says;
	} cases[] = {
		{"/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n",
		 "huge pages", DOCTOR_OK, "madvise"},
		{"/proc/sys/kernel/numa_balancing", "0\n", "AutoNUMA", DOCTOR_OK, "off"},
		{"/proc/sys/kernel/numa_balancing", "1\n", "AutoNUMA", DOCTOR_OK, "switches it"},
		{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "schedutil\n", "governor",
		 DOCTOR_WARN, "cpupower"},
		{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n",
		 "governor", DOCTOR_OK, "performance"},
		{"/sys/devices/system/cpu/cpufreq/boost", "1\n", "turbo", DOCTOR_WARN,
		 "echo 0 > /sys/devices/system/cpu/cpufreq/boost"},
		{"/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n", "turbo", DOCTOR_WARN,
		 "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"},
		{"/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n", "turbo", DOCTOR_OK, "off"},
		{"/sys/devices/system/cpu/smt/active", "1\n", "SMT", DOCTOR_OK, "page walkers"},
		{"/proc/loadavg", "0.10 0.1 0.1 1/1 1\n", "load", DOCTOR_OK, "0.10 of 80"},
		{"/proc/loadavg", "12.00 0.1 0.1 1/1 1\n", "load", DOCTOR_WARN, "stop other"},
		{"/proc/sys/kernel/nmi_watchdog", "1\n", "NMI watchdog", DOCTOR_WARN, "echo 0"},
		{"/proc/sys/kernel/nmi_watchdog", "0\n", "NMI watchdog", DOCTOR_OK, "off"},
		{"/proc/sys/kernel/perf_event_paranoid", "4\n", "perf_event_paranoid", DOCTOR_OK,
		 "4"},
		{"/proc/sys/kernel/pgtable_replication", "-1\n", "replication", DOCTOR_OK,
		 "pgtable_replication"},
		{"/sys/hypervisor/type", "xen\n", "hypervisor", DOCTOR_WARN, "xen"},
		{"/sys/devices/system/node/node1/meminfo",
		 "Node 1 MemTotal: 201326592 kB\nNode 1 MemFree: 20000 kB\n", "free memory",
		 DOCTOR_WARN, "drop_caches"},
		{"/proc/buddyinfo",
		 "Node 0, zone   Normal 100 0 0 0 0 0 0 0 0 10 10\n"
		 "Node 1, zone   Normal 100 0 0 0 0 0 0 0 0 0 100\n",
		 "fragmentation", DOCTOR_OK, "node 0 99%, node 1 100%"},
		{"/proc/buddyinfo",
		 "Node 0, zone   Normal 1024 0 0 0 0 0 0 0 0 0 0\n"
		 "Node 1, zone   Normal 3072 0 0 0 0 0 0 0 0 2 0\nnonsense\n",
		 "fragmentation", DOCTOR_WARN, "node 0 0%, node 1 25%"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fixture = *state;

		machine_is(fixture, "two-socket");
		machine_write(&fixture->machine, cases[i].path, cases[i].text);
		assert_finding(examine(fixture), cases[i].check, cases[i].verdict, cases[i].says);
	}
}

static void test_what_a_plain_user_may_not(void **state)
{
	static const struct {
		const char *level, *says;
		enum doctor_verdict verdict;
	} cases[] = {
		{"1\n", "1", DOCTOR_OK},
		{"2\n", "context switches", DOCTOR_WARN},
		{"3\n", "not count anything", DOCTOR_WARN},
		{"strange\n", "no perf events", DOCTOR_WARN},
	};
	struct fixture *fixture = *state;

	world.no_capabilities = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		machine_write(&fixture->machine, "/proc/sys/kernel/perf_event_paranoid",
			      cases[i].level);
		assert_finding(examine(fixture), "perf_event_paranoid", cases[i].verdict,
			       cases[i].says);
	}
	machine_write(&fixture->machine, "/proc/sys/kernel/numa_balancing", "1\n");
	assert_finding(examine(fixture), "AutoNUMA", DOCTOR_WARN, "echo 0");
}

static void test_every_finding_says_something(void **state)
{
	static const char *const machines[] = {"two-socket", "one-socket", "cxl-memory",
					       "no-numa-kernel", "node-without-memory"};

	world.no_reader = world.no_hardware = world.no_capabilities = world.no_emulator = true;
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		const struct doctor *doctor;

		machine_is(*state, machines[i]);
		doctor = examine(*state);
		for (int j = 0; j < doctor->nr_findings; j++)
			assert_true(doctor->findings[j].detail[0]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_numa_machine_runs_everything),
		TEST(test_one_node_leaves_local_configs_and_the_emulator),
		TEST(test_nothing_runs_without_policies_and_emulator),
		TEST(test_nothing_runs_without_the_driver),
		TEST(test_an_unreadable_machine_is_examined_all_the_same),
		TEST(test_missing_means_are_named),
		TEST(test_settings_are_judged),
		TEST(test_what_a_plain_user_may_not),
		TEST(test_every_finding_says_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
