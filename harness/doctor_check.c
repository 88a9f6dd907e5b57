// SPDX-License-Identifier: MIT
#include "harness/doctor_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/units.h"
#include "harness/counters_cpu.h"

#define DISK_BYTES_LOW (UINT64_C(1) << 30)

void doctor_say(struct doctor_finding *finding, enum doctor_verdict verdict, const char *format,
		...)
{
	va_list args;

	finding->verdict = verdict;
	va_start(args, format);
	vsnprintf(finding->detail, sizeof(finding->detail), format, args);
	va_end(args);
}

void doctor_fix(struct doctor_finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->fix, sizeof(finding->fix), format, args);
	va_end(args);
}

static void check_memory_nodes(const struct doctor *doctor, struct doctor_finding *finding)
{
	const struct topology *topology = &doctor->topology;
	const int nr_nodes = topology_memory_nodes(topology);
	int farthest = 0;

	if (topology->nr_nodes == 0) {
		doctor_say(finding, DOCTOR_BLOCKS, "%s", doctor->topology_error.text);
		return;
	}
	for (int i = 0; i < topology->nr_nodes; i++)
		for (int id = 0; id < TOPOLOGY_NODES_MAX; id++)
			if (topology->nodes[i].distance[id] > farthest)
				farthest = topology->nodes[i].distance[id];
	if (nr_nodes > 1) {
		doctor_say(finding, DOCTOR_OK, "%d, distances up to %d, %d CPUs", nr_nodes,
			   farthest, topology->nr_cpus);
		return;
	}
	doctor_say(finding, DOCTOR_BLOCKS,
		   "%s: no native config can have anything remote; the emulated machine can",
		   nr_nodes == 1 ? "1" : "none");
	doctor_fix(finding, "use '--machine emu'");
}

static void check_numa_policy(const struct doctor *doctor, struct doctor_finding *finding)
{
	struct err err = {0};

	if (doctor->probes->numa_policy(&err) == 0) {
		doctor_say(finding, DOCTOR_OK, "the kernel has memory policies");
		return;
	}
	doctor_say(finding, DOCTOR_BLOCKS, "%s", err.text);
	doctor_fix(finding, "boot a kernel with CONFIG_NUMA, outside of containers that forbid "
			    "set_mempolicy");
}

static void check_driver(const struct doctor *doctor, struct doctor_finding *finding)
{
	struct err err = {0};

	if (doctor->probes->driver(&err) == 0)
		doctor_say(finding, DOCTOR_OK, "bin/bench is there");
	else
		doctor_say(finding, DOCTOR_BLOCKS, "%s", err.text);
}

static void check_emulator(const struct doctor *doctor, struct doctor_finding *finding)
{
	struct err err = {0};

	if (doctor->probes->emulator(&err) == 0)
		doctor_say(finding, DOCTOR_OK, "QEMU, guest kernel and model are there");
	else
		doctor_say(finding, DOCTOR_BLOCKS, "%s", err.text);
}

static void check_page_tables(const struct doctor *doctor, struct doctor_finding *finding)
{
	struct err err = {0};
	char reader[32];

	if (doctor->probes->page_tables(reader, sizeof(reader), &err) == 0) {
		doctor_say(finding, DOCTOR_OK, "read through %s", reader);
		return;
	}
	doctor_say(finding, DOCTOR_WARN, "%s; native records say 'placement: unverified'",
		   err.text);
}

static void check_counters(const struct doctor *doctor, struct doctor_finding *finding)
{
	const struct counter_cpu *cpu = counters_cpu_of(&doctor->topology);
	const struct counter_row *walk = counters_cpu_row_named(cpu, "walk_cycles");
	struct err err = {0};

	if (doctor->probes->hardware_counters(&err) != 0) {
		doctor_say(finding, DOCTOR_WARN, "%s; only software events are counted", err.text);
		doctor_fix(finding, "measure walk cycles on bare metal, or take the model's");
	} else if (walk && walk->event)
		doctor_say(finding, DOCTOR_OK, "%s: cycles and walk cycles", cpu->label);
	else
		doctor_say(finding, DOCTOR_WARN, "%s: no walk cycles: %s", cpu->label,
			   walk ? walk->detail : "not in the table");
}

static void check_paranoid(const struct doctor *doctor, struct doctor_finding *finding)
{
	char text[32];
	int level;

	if (fs_read(doctor->root, "/proc/sys/kernel/perf_event_paranoid", text, sizeof(text)) <=
		    0 ||
	    sscanf(text, "%d", &level) != 1) {
		doctor_say(finding, DOCTOR_WARN, "the kernel has no perf events");
		doctor_fix(finding, "boot a kernel with CONFIG_PERF_EVENTS");
	} else if (level <= 1 || doctor->probes->capability(DOCTOR_CAP_SYS_ADMIN) ||
		   doctor->probes->capability(DOCTOR_CAP_PERFMON))
		doctor_say(finding, DOCTOR_OK, "%d, which allows this user everything needed",
			   level);
	else {
		doctor_say(finding, DOCTOR_WARN, "%d: this user may %s", level,
			   level == 2 ? "not count context switches and migrations"
				      : "not count anything");
		doctor_fix(finding, "sysctl kernel.perf_event_paranoid=1");
	}
}

/* The watchdog of hard lockups keeps one counter of each CPU for itself. */
static void check_watchdog(const struct doctor *doctor, struct doctor_finding *finding)
{
	uint64_t on;

	if (fs_read_u64(doctor->root, "/proc/sys/kernel/nmi_watchdog", &on) != 0 || on == 0) {
		doctor_say(finding, DOCTOR_OK, "off");
		return;
	}
	doctor_say(finding, DOCTOR_WARN, "on: it takes a hardware counter, groups take turns");
	doctor_fix(finding, "echo 0 > /proc/sys/kernel/nmi_watchdog");
}

static void check_privileges(const struct doctor *doctor, struct doctor_finding *finding)
{
	static const struct {
		int number;
		const char *name, *needed_for;
	} capabilities[] = {
		{DOCTOR_CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "settings and page tables"},
		{DOCTOR_CAP_SYS_NICE, "CAP_SYS_NICE", "moving pages of other users' processes"},
		{DOCTOR_CAP_SYS_RAWIO, "CAP_SYS_RAWIO", "/proc/kcore"},
	};
	char missing[256] = "";

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		const size_t used = strlen(missing);

		if (!doctor->probes->capability(capabilities[i].number))
			snprintf(missing + used, sizeof(missing) - used, "%s%s (%s)",
				 used ? ", " : "", capabilities[i].name,
				 capabilities[i].needed_for);
	}
	if (!missing[0]) {
		doctor_say(finding, DOCTOR_OK, "settings, page tables and other processes");
		return;
	}
	doctor_say(finding, DOCTOR_WARN, "missing: %s", missing);
	doctor_fix(finding, "run as root");
}

static void check_report(const struct doctor *doctor, struct doctor_finding *finding)
{
	const bool gnuplot = doctor->probes->program("gnuplot");
	const bool weasyprint = doctor->probes->program("weasyprint");

	if (gnuplot && weasyprint) {
		doctor_say(finding, DOCTOR_OK, "gnuplot and weasyprint are there");
		return;
	}
	doctor_say(finding, DOCTOR_WARN, "%s%s%s missing: %s", gnuplot ? "" : "gnuplot",
		   !gnuplot && !weasyprint ? " and " : "", weasyprint ? "" : "weasyprint",
		   gnuplot ? "there will be no report.pdf" : "there will be no plots");
	doctor_fix(finding, "scripts/setup, or apt install%s%s", gnuplot ? "" : " gnuplot-nox",
		   weasyprint ? "" : " weasyprint");
}

static void check_disk(const struct doctor *doctor, struct doctor_finding *finding)
{
	char text[UNITS_TEXT_MAX];
	struct err err = {0};
	uint64_t bytes;

	if (doctor->probes->disk_free(doctor->results, &bytes, &err) != 0) {
		doctor_say(finding, DOCTOR_BLOCKS, "%s", err.text);
		doctor_fix(finding, "name another directory with --results");
		return;
	}
	doctor_say(finding, bytes < DISK_BYTES_LOW ? DOCTOR_WARN : DOCTOR_OK, "%s free for '%s'",
		   units_format_size(bytes, text), doctor->results);
	if (bytes < DISK_BYTES_LOW)
		doctor_fix(finding, "make room, or name another directory with --results");
}

static void check_stale(const struct doctor *doctor, struct doctor_finding *finding)
{
	struct err err = {0};
	int count = 0;

	if (doctor->probes->stale_settings(&count, &err) != 0)
		doctor_say(finding, DOCTOR_WARN, "%s", err.text);
	else if (count == 0)
		doctor_say(finding, DOCTOR_OK, "none is left over from a run that died");
	else {
		doctor_say(finding, DOCTOR_WARN, "%d %s left over from a run that died", count,
			   count == 1 ? "is" : "are");
		doctor_fix(finding, "harness restore");
	}
}

static const struct doctor_check system_checks[] = {
	{"memory nodes", check_memory_nodes},
	{"memory policies", check_numa_policy},
	{"driver", check_driver},
	{"emulator", check_emulator},
	{"page tables", check_page_tables},
	{"counters", check_counters},
	{"perf_event_paranoid", check_paranoid},
	{"NMI watchdog", check_watchdog},
	{"privileges", check_privileges},
	{NULL, NULL},
};

static const struct doctor_check suite_checks[] = {
	{"report", check_report},
	{"disk", check_disk},
	{"changed settings", check_stale},
	{NULL, NULL},
};

static void run_checks(struct doctor *doctor, const struct doctor_check *checks)
{
	for (; checks->name && doctor->nr_findings < DOCTOR_FINDINGS_MAX; checks++) {
		struct doctor_finding *finding = &doctor->findings[doctor->nr_findings++];

		finding->check = checks->name;
		checks->examine(doctor, finding);
	}
}

const struct doctor_finding *doctor_finding(const struct doctor *doctor, const char *check)
{
	for (int i = 0; i < doctor->nr_findings; i++)
		if (strcmp(doctor->findings[i].check, check) == 0)
			return &doctor->findings[i];
	return NULL;
}

static bool blocked(const struct doctor *doctor, const char *check)
{
	return doctor_finding(doctor, check)->verdict == DOCTOR_BLOCKS;
}

/* One memory node is enough for the local configs; without a driver or policies nothing runs. */
static void conclude(struct doctor *doctor)
{
	const char *text = "every native config of a stock kernel";

	doctor->native = doctor->topology.nr_nodes > 0 && !blocked(doctor, "memory policies") &&
			 !blocked(doctor, "driver");
	if (!doctor->native)
		text = "nothing";
	else if (blocked(doctor, "memory nodes"))
		text = "local configs only (LP-LD and the like): there is one memory node";
	else if (doctor_finding(doctor, "replication")->verdict == DOCTOR_OK)
		text = "every native config, page-table replication too";
	snprintf(doctor->native_text, sizeof(doctor->native_text), "%s", text);
	doctor->emulated = !blocked(doctor, "emulator") && !blocked(doctor, "driver");
	snprintf(doctor->emulated_text, sizeof(doctor->emulated_text), "%s",
		 doctor->emulated ? "every native config, with modelled times" : "nothing");
}

void doctor_examine(struct doctor *doctor)
{
	if (topology_read(&doctor->topology, doctor->root, &doctor->topology_error) != 0)
		memset(&doctor->topology, 0, sizeof(doctor->topology));
	doctor->nr_findings = 0;
	run_checks(doctor, system_checks);
	run_checks(doctor, doctor_settings_checks);
	run_checks(doctor, suite_checks);
	conclude(doctor);
}
