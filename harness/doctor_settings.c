// SPDX-License-Identifier: MIT
//
// Checks of what can be read below /proc and /sys: settings that change results, load and memory.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "harness/doctor_check.h"
#include "harness/machine.h"

#define FREE_BYTES_LOW (UINT64_C(1) << 30)
#define HUGE_ORDER     9    /* 2 MiB of 4 KiB pages */
#define HUGE_SHARE_LOW 0.25 /* of free memory that is in blocks of 2 MiB and more */
#define BUSY_CPUS      0.5  /* load average that other programs may have */
#define BUDDY_ORDERS   11

static void check_thp(const struct doctor *doctor, struct doctor_finding *finding)
{
	char enabled[32], defrag[32] = "unknown";

	if (machine_read_choice(doctor->root, "/sys/kernel/mm/transparent_hugepage/enabled",
				enabled, sizeof(enabled)) != 0) {
		doctor_say(finding, DOCTOR_BLOCKS,
			   "the kernel has no transparent huge pages: configs with T cannot run");
		doctor_fix(finding, "boot a kernel with CONFIG_TRANSPARENT_HUGEPAGE");
		return;
	}
	machine_read_choice(doctor->root, "/sys/kernel/mm/transparent_hugepage/defrag", defrag,
			    sizeof(defrag));
	doctor_say(finding, DOCTOR_OK, "%s, defrag %s; a run sets what its config wants", enabled,
		   defrag);
}

static void check_autonuma(const struct doctor *doctor, struct doctor_finding *finding)
{
	uint64_t mode;

	if (fs_read_u64(doctor->root, "/proc/sys/kernel/numa_balancing", &mode) != 0)
		doctor_say(finding, DOCTOR_OK, "the kernel does not have it");
	else if (mode == 0)
		doctor_say(finding, DOCTOR_OK, "off");
	else if (doctor->probes->capability(DOCTOR_CAP_SYS_ADMIN))
		doctor_say(finding, DOCTOR_OK, "on; a run switches it off and on again");
	else {
		doctor_say(finding, DOCTOR_WARN, "on: it moves pages while a run measures");
		doctor_fix(finding, "echo 0 > /proc/sys/kernel/numa_balancing");
	}
}

static void check_governor(const struct doctor *doctor, struct doctor_finding *finding)
{
	char governor[64];

	if (machine_read_governor(&doctor->topology, doctor->root, governor, sizeof(governor)) != 0)
		doctor_say(finding, DOCTOR_OK,
			   "no frequency scaling to be seen: firmware or a hypervisor does it");
	else if (strcmp(governor, "performance") == 0)
		doctor_say(finding, DOCTOR_OK, "performance");
	else {
		doctor_say(finding, DOCTOR_WARN, "%s: clock rates that follow the load blur times",
			   governor);
		doctor_fix(finding, "cpupower frequency-set -g performance");
	}
}

static void check_turbo(const struct doctor *doctor, struct doctor_finding *finding)
{
	static const char intel[] = "/sys/devices/system/cpu/intel_pstate/no_turbo";
	const int turbo = machine_read_turbo(doctor->root);

	if (turbo < 0)
		doctor_say(finding, DOCTOR_OK, "no switch to be seen");
	else if (turbo == 0)
		doctor_say(finding, DOCTOR_OK, "off");
	else {
		doctor_say(finding, DOCTOR_WARN, "on: clock rates depend on heat and neighbours");
		doctor_fix(finding,
			   fs_exists(doctor->root, intel)
				   ? "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"
				   : "echo 0 > /sys/devices/system/cpu/cpufreq/boost");
	}
}

static void check_smt(const struct doctor *doctor, struct doctor_finding *finding)
{
	const int smt = machine_read_smt(doctor->root);

	if (smt == 1)
		doctor_say(finding, DOCTOR_OK,
			   "on: two threads of a core share its TLBs and page walkers");
	else
		doctor_say(finding, DOCTOR_OK, smt == 0 ? "off" : "unknown");
}

static void check_hypervisor(const struct doctor *doctor, struct doctor_finding *finding)
{
	char name[MACHINE_TEXT_MAX];

	if (!machine_read_hypervisor(doctor->root, name, sizeof(name))) {
		doctor_say(finding, DOCTOR_OK, "none: bare metal");
		return;
	}
	doctor_say(finding, DOCTOR_WARN,
		   "a virtual machine (%s): every walk also walks the hypervisor's tables, whose "
		   "nodes cannot be seen from here",
		   name);
	doctor_fix(finding, "measure native configs on bare metal");
}

static void check_load(const struct doctor *doctor, struct doctor_finding *finding)
{
	double load[3];

	if (machine_read_load(doctor->root, load) != 0)
		doctor_say(finding, DOCTOR_WARN, "unknown: /proc/loadavg cannot be read");
	else if (load[0] <= BUSY_CPUS)
		doctor_say(finding, DOCTOR_OK, "%.2f of %d CPUs busy", load[0],
			   doctor->topology.nr_cpus);
	else {
		doctor_say(finding, DOCTOR_WARN,
			   "%.2f of %d CPUs busy in the last minute: others share caches and "
			   "memory with a run",
			   load[0], doctor->topology.nr_cpus);
		doctor_fix(finding, "stop other programs, or wait");
	}
}

static void append(char *text, size_t size, const char *separator, const char *more)
{
	const size_t used = strlen(text);

	if (used < size)
		snprintf(text + used, size - used, "%s%s", used ? separator : "", more);
}

static void check_free_memory(const struct doctor *doctor, struct doctor_finding *finding)
{
	char list[512] = "", one[96], free_text[UNITS_TEXT_MAX], all_text[UNITS_TEXT_MAX];
	bool low = false;

	for (int i = 0; i < doctor->topology.nr_nodes; i++) {
		const struct topology_node *node = &doctor->topology.nodes[i];

		if (node->memory_bytes == 0)
			continue;
		low = low || node->free_bytes < FREE_BYTES_LOW;
		snprintf(one, sizeof(one), "node %d %s of %s", node->id,
			 units_format_size(node->free_bytes, free_text),
			 units_format_size(node->memory_bytes, all_text));
		append(list, sizeof(list), ", ", one);
	}
	doctor_say(finding, low ? DOCTOR_WARN : DOCTOR_OK, "%s", *list ? list : "unknown");
	if (low)
		doctor_fix(finding, "sync; echo 3 > /proc/sys/vm/drop_caches; stop other programs");
}

/* "Node 0, zone   Normal   4 3 ..." : free blocks of 2^0, 2^1, ... pages (proc(5), buddyinfo). */
static bool parse_buddy_line(const char *line, int *node, double *all, double *huge)
{
	const char *at = strstr(line, "zone");
	int skipped = 0;

	if (sscanf(line, "Node %d,", node) != 1 || !at || sscanf(at, "zone %*s%n", &skipped) != 0)
		return false;
	at += skipped;
	for (int order = 0; order < BUDDY_ORDERS; order++) {
		char *end;
		const double pages = (double)strtoull(at, &end, 10) * (double)(1 << order);

		if (end == at)
			break;
		*all += pages;
		*huge += order >= HUGE_ORDER ? pages : 0;
		at = end;
	}
	return true;
}

static void check_fragmentation(const struct doctor *doctor, struct doctor_finding *finding)
{
	double all[TOPOLOGY_NODES_MAX] = {0}, huge[TOPOLOGY_NODES_MAX] = {0};
	char *text = fs_read_all(doctor->root, "/proc/buddyinfo", NULL);
	char list[512] = "", one[64], *rest = text;
	bool low = false;

	for (char *line; text && (line = strsep(&rest, "\n"));) {
		double line_all = 0, line_huge = 0;
		int node;

		if (!parse_buddy_line(line, &node, &line_all, &line_huge) || node < 0 ||
		    node >= TOPOLOGY_NODES_MAX)
			continue;
		all[node] += line_all;
		huge[node] += line_huge;
	}
	free(text);
	for (int node = 0; node < TOPOLOGY_NODES_MAX; node++) {
		if (all[node] == 0)
			continue;
		low = low || huge[node] / all[node] < HUGE_SHARE_LOW;
		snprintf(one, sizeof(one), "node %d %.0f%%", node, 100 * huge[node] / all[node]);
		append(list, sizeof(list), ", ", one);
	}
	doctor_say(finding, low ? DOCTOR_WARN : DOCTOR_OK, "free memory in blocks of 2 MiB: %s",
		   *list ? list : "unknown");
	if (low)
		doctor_fix(finding, "echo 1 > /proc/sys/vm/compact_memory");
}

static void check_replication(const struct doctor *doctor, struct doctor_finding *finding)
{
	static const char path[] = "/proc/sys/kernel/pgtable_replication";

	if (fs_exists(doctor->root, path)) {
		doctor_say(finding, DOCTOR_OK, "the kernel has %s", path);
		return;
	}
	doctor_say(finding, DOCTOR_WARN,
		   "a stock kernel: configs that replicate page tables (FM, TFM, ...) cannot run; "
		   "page tables are migrated by mremap instead");
	doctor_fix(finding, "boot a kernel with the patches of kernel/");
}

const struct doctor_check doctor_settings_checks[] = {
	{"huge pages", check_thp},
	{"AutoNUMA", check_autonuma},
	{"governor", check_governor},
	{"turbo", check_turbo},
	{"SMT", check_smt},
	{"hypervisor", check_hypervisor},
	{"load", check_load},
	{"free memory", check_free_memory},
	{"fragmentation", check_fragmentation},
	{"replication", check_replication},
	{NULL, NULL},
};
