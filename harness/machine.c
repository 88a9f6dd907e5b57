// SPDX-License-Identifier: MIT
//
// Files: Documentation/admin-guide/{mm/transhuge.rst, pm/cpufreq.rst, pm/intel_pstate.rst,
// sysctl/kernel.rst} and Documentation/ABI/testing/sysfs-devices-system-cpu of Linux.
#include "harness/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int machine_read_choice(const struct fs *root, const char *path, char *word, size_t size)
{
	char text[512];
	const char *chosen = text;

	if (fs_read(root, path, text, sizeof(text)) < 0)
		return -1;
	if (strchr(text, '['))
		chosen = strchr(text, '[') + 1;
	snprintf(word, size, "%.*s", (int)strcspn(chosen, "] \n"), chosen);
	return 0;
}

int machine_read_governor(const struct topology *topology, const struct fs *root, char *governor,
			  size_t size)
{
	char path[96], one[64];

	governor[0] = '\0';
	for (int n = 0; n < topology->nr_nodes; n++)
		for (int i = 0; i < topology->nodes[n].nr_cpus; i++) {
			snprintf(path, sizeof(path),
				 "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor",
				 topology->nodes[n].cpus[i]);
			if (fs_read(root, path, one, sizeof(one)) <= 0)
				continue;
			if (governor[0] && strcmp(governor, one) != 0) {
				snprintf(governor, size, "mixed");
				return 0;
			}
			snprintf(governor, size, "%s", one);
		}
	return governor[0] ? 0 : -1;
}

int machine_read_turbo(const struct fs *root)
{
	/* intel_pstate says whether it is off; other drivers say whether it is on. */
	static const struct {
		const char *path;
		bool inverted;
	} files[] = {
		{"/sys/devices/system/cpu/intel_pstate/no_turbo", true},
		{"/sys/devices/system/cpu/cpufreq/boost", false},
	};
	uint64_t value;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (fs_read_u64(root, files[i].path, &value) == 0)
			return (value != 0) != files[i].inverted;
	return -1;
}

int machine_read_smt(const struct fs *root)
{
	uint64_t value;

	return fs_read_u64(root, "/sys/devices/system/cpu/smt/active", &value) == 0 ? value != 0
										    : -1;
}

/* x86 CPUs are told of a hypervisor by CPUID leaf 1, ECX bit 31, which cpuinfo shows as a flag. */
static bool cpu_says_hypervisor(const struct fs *root)
{
	char *text = fs_read_all(root, "/proc/cpuinfo", NULL);
	const char *flags = text ? strstr(text, "\nflags") : NULL;
	bool found = false;

	if (flags) {
		const char *end = strchr(flags + 1, '\n');
		const char *word = strstr(flags, " hypervisor");

		found = word && (!end || word < end);
	}
	free(text);
	return found;
}

bool machine_read_hypervisor(const struct fs *root, char *name, size_t size)
{
	char vendor[64], product[64];

	if (fs_read(root, "/sys/hypervisor/type", vendor, sizeof(vendor)) > 0) {
		snprintf(name, size, "%s", vendor);
		return true;
	}
	if (!cpu_says_hypervisor(root))
		return false;
	if (fs_read(root, "/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor)) <= 0)
		vendor[0] = '\0';
	if (fs_read(root, "/sys/class/dmi/id/product_name", product, sizeof(product)) <= 0)
		product[0] = '\0';
	if (vendor[0] || product[0])
		snprintf(name, size, "%s%s%s", vendor, vendor[0] && product[0] ? " " : "", product);
	else
		snprintf(name, size, "unnamed");
	return true;
}

int machine_read_load(const struct fs *root, double load[3])
{
	char text[128];

	if (fs_read(root, "/proc/loadavg", text, sizeof(text)) < 0)
		return -1;
	if (sscanf(text, "%lf %lf %lf", &load[0], &load[1], &load[2]) == 3)
		return 0;
	errno = EINVAL;
	return -1;
}

static json_t *choice_json(const struct fs *root, const char *path)
{
	char word[32];

	return machine_read_choice(root, path, word, sizeof(word)) == 0 ? json_string(word) : NULL;
}

static json_t *file_json(const struct fs *root, const char *path)
{
	char text[MACHINE_TEXT_MAX];

	return fs_read(root, path, text, sizeof(text)) > 0 ? json_string(text) : NULL;
}

static json_t *number_json(const struct fs *root, const char *path)
{
	uint64_t value;

	return fs_read_u64(root, path, &value) == 0 ? json_integer((json_int_t)value) : NULL;
}

static json_t *known_text(const char *text)
{
	return *text ? json_string(text) : NULL;
}

static json_t *known_number(int number)
{
	return number >= 0 ? json_integer(number) : NULL;
}

static json_t *known_switch(int state)
{
	return state >= 0 ? json_boolean(state) : NULL;
}

/* A member that cannot be had is null; the reason goes to `unknown`. */
static void describe(json_t *machine, const char *name, json_t *value, const char *reason)
{
	if (!value && reason)
		json_object_set_new(json_object_get(machine, "unknown"), name, json_string(reason));
	json_object_set_new(machine, name, value ? value : json_null());
}

static void describe_processor(json_t *machine, const struct topology *topology)
{
	static const char not_x86[] = "the CPU has no x86 family, model and stepping";
	static const char no_name[] = "/proc/cpuinfo does not tell it";

	describe(machine, "cpu_model", known_text(topology->cpu_model), no_name);
	describe(machine, "cpu_vendor", known_text(topology->cpu_vendor), no_name);
	describe(machine, "family", known_number(topology->cpu_family), not_x86);
	describe(machine, "model", known_number(topology->cpu_model_number), not_x86);
	describe(machine, "stepping", known_number(topology->cpu_stepping), not_x86);
	describe(machine, "microcode", known_text(topology->microcode), no_name);
}

static void describe_settings(json_t *machine, const struct topology *topology,
			      const struct fs *root)
{
	static const char no_thp[] = "the kernel has no /sys/kernel/mm/transparent_hugepage";
	char text[MACHINE_TEXT_MAX];
	double load[3];

	describe(machine, "thp", choice_json(root, "/sys/kernel/mm/transparent_hugepage/enabled"),
		 no_thp);
	describe(machine, "thp_defrag",
		 choice_json(root, "/sys/kernel/mm/transparent_hugepage/defrag"), no_thp);
	describe(machine, "autonuma", number_json(root, "/proc/sys/kernel/numa_balancing"),
		 "the kernel has no /proc/sys/kernel/numa_balancing");
	describe(machine, "governor",
		 machine_read_governor(topology, root, text, sizeof(text)) == 0 ? json_string(text)
										: NULL,
		 "there is no cpufreq: the firmware or a hypervisor sets the frequency");
	describe(machine, "turbo", known_switch(machine_read_turbo(root)),
		 "neither intel_pstate/no_turbo nor cpufreq/boost is there");
	describe(machine, "smt", known_switch(machine_read_smt(root)),
		 "there is no /sys/devices/system/cpu/smt/active");
	describe(machine, "load_average",
		 machine_read_load(root, load) == 0
			 ? json_pack("[f, f, f]", load[0], load[1], load[2])
			 : NULL,
		 "/proc/loadavg cannot be read");
	/* Null without a reason: bare metal is no lack of knowledge. */
	describe(machine, "hypervisor",
		 machine_read_hypervisor(root, text, sizeof(text)) ? json_string(text) : NULL,
		 NULL);
}

static json_t *node_to_json(const struct topology *topology, const struct topology_node *node)
{
	json_t *cpus = json_array(), *distances = json_array();

	for (int i = 0; i < node->nr_cpus; i++)
		json_array_append_new(cpus, json_integer(node->cpus[i]));
	for (int i = 0; i < topology->nr_nodes; i++)
		json_array_append_new(distances,
				      json_integer(node->distance[topology->nodes[i].id]));
	return json_pack("{s:i, s:I, s:I, s:o, s:o}", "id", node->id, "memory_bytes",
			 (json_int_t)node->memory_bytes, "free_bytes", (json_int_t)node->free_bytes,
			 "cpus", cpus, "distances", distances);
}

json_t *machine_to_json(const struct topology *topology, const struct fs *root, struct err *err)
{
	json_t *machine = json_pack("{s:s, s:[], s:{}}", "kind", "native", "nodes", "unknown");

	if (!machine) {
		err_set(err, ERR_INTERNAL, "out of memory for the machine's description");
		return NULL;
	}
	for (int i = 0; i < topology->nr_nodes; i++)
		json_array_append_new(json_object_get(machine, "nodes"),
				      node_to_json(topology, &topology->nodes[i]));
	describe(machine, "name", file_json(root, "/proc/sys/kernel/hostname"),
		 "/proc/sys/kernel/hostname cannot be read");
	describe(machine, "kernel", known_text(topology->kernel),
		 "/proc/sys/kernel/osrelease cannot be read");
	describe_processor(machine, topology);
	describe_settings(machine, topology, root);
	return machine;
}
