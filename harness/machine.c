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
		snprintf(name, size, "present");
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

static json_t *thp_json(const struct topology *topology, const struct fs *root, const char **reason)
{
	char word[32];

	(void)topology;
	*reason = "the kernel has no /sys/kernel/mm/transparent_hugepage";
	if (machine_read_choice(root, "/sys/kernel/mm/transparent_hugepage/enabled", word,
				sizeof(word)) != 0)
		return NULL;
	return json_string(word);
}

static json_t *thp_defrag_json(const struct topology *topology, const struct fs *root,
			       const char **reason)
{
	char word[32];

	(void)topology;
	*reason = "the kernel has no /sys/kernel/mm/transparent_hugepage";
	if (machine_read_choice(root, "/sys/kernel/mm/transparent_hugepage/defrag", word,
				sizeof(word)) != 0)
		return NULL;
	return json_string(word);
}

static json_t *autonuma_json(const struct topology *topology, const struct fs *root,
			     const char **reason)
{
	uint64_t value;

	(void)topology;
	*reason = "the kernel has no /proc/sys/kernel/numa_balancing";
	if (fs_read_u64(root, "/proc/sys/kernel/numa_balancing", &value) != 0)
		return NULL;
	return json_integer((json_int_t)value);
}

static json_t *governor_json(const struct topology *topology, const struct fs *root,
			     const char **reason)
{
	char governor[64];

	*reason = "there is no cpufreq: the firmware or a hypervisor sets the frequency";
	if (machine_read_governor(topology, root, governor, sizeof(governor)) != 0)
		return NULL;
	return json_string(governor);
}

static json_t *turbo_json(const struct topology *topology, const struct fs *root,
			  const char **reason)
{
	const int turbo = machine_read_turbo(root);

	(void)topology;
	*reason = "neither intel_pstate/no_turbo nor cpufreq/boost is there";
	return turbo < 0 ? NULL : json_boolean(turbo);
}

static json_t *smt_json(const struct topology *topology, const struct fs *root, const char **reason)
{
	const int smt = machine_read_smt(root);

	(void)topology;
	*reason = "there is no /sys/devices/system/cpu/smt/active";
	return smt < 0 ? NULL : json_boolean(smt);
}

static json_t *load_json(const struct topology *topology, const struct fs *root,
			 const char **reason)
{
	double load[3];

	(void)topology;
	*reason = "/proc/loadavg cannot be read";
	if (machine_read_load(root, load) != 0)
		return NULL;
	return json_pack("[f, f, f]", load[0], load[1], load[2]);
}

/* Null without a reason: bare metal is no lack of knowledge. */
static json_t *hypervisor_json(const struct topology *topology, const struct fs *root,
			       const char **reason)
{
	char name[MACHINE_TEXT_MAX];

	(void)topology;
	*reason = NULL;
	return machine_read_hypervisor(root, name, sizeof(name)) ? json_string(name) : NULL;
}

static json_t *name_json(const struct topology *topology, const struct fs *root,
			 const char **reason)
{
	char name[MACHINE_TEXT_MAX];

	(void)topology;
	*reason = "/proc/sys/kernel/hostname cannot be read";
	return fs_read(root, "/proc/sys/kernel/hostname", name, sizeof(name)) > 0
		       ? json_string(name)
		       : NULL;
}

static json_t *known_text(const char *text)
{
	return *text ? json_string(text) : NULL;
}

static json_t *known_number(int number)
{
	return number >= 0 ? json_integer(number) : NULL;
}

#define TOPOLOGY_MEMBER(function, expression, why)                                      \
	static json_t *function(const struct topology *topology, const struct fs *root, \
				const char **reason)                                    \
	{                                                                               \
		(void)root;                                                             \
		*reason = (why);                                                        \
		return expression;                                                      \
	}
#define NOT_X86 "the CPU has no x86 family, model and stepping"
TOPOLOGY_MEMBER(model_name_json, known_text(topology->cpu_model), "/proc/cpuinfo does not name it")
TOPOLOGY_MEMBER(vendor_json, known_text(topology->cpu_vendor), "/proc/cpuinfo does not name it")
TOPOLOGY_MEMBER(family_json, known_number(topology->cpu_family), NOT_X86)
TOPOLOGY_MEMBER(model_json, known_number(topology->cpu_model_number), NOT_X86)
TOPOLOGY_MEMBER(stepping_json, known_number(topology->cpu_stepping), NOT_X86)
TOPOLOGY_MEMBER(microcode_json, known_text(topology->microcode), "/proc/cpuinfo does not tell it")
TOPOLOGY_MEMBER(kernel_json, known_text(topology->kernel), "the kernel does not tell its release")

static const struct member {
	const char *name;
	/* NULL: cannot be had, because of *reason. */
	json_t *(*read)(const struct topology *topology, const struct fs *root,
			const char **reason);
} members[] = {
	{"name", name_json},
	{"cpu_model", model_name_json},
	{"cpu_vendor", vendor_json},
	{"family", family_json},
	{"model", model_json},
	{"stepping", stepping_json},
	{"microcode", microcode_json},
	{"kernel", kernel_json},
	{"thp", thp_json},
	{"thp_defrag", thp_defrag_json},
	{"autonuma", autonuma_json},
	{"governor", governor_json},
	{"turbo", turbo_json},
	{"smt", smt_json},
	{"load_average", load_json},
	{"hypervisor", hypervisor_json},
};

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
	json_t *nodes = json_array(), *unknown = json_object();
	json_t *machine = json_pack("{s:s}", "kind", "native");

	for (int i = 0; i < topology->nr_nodes; i++)
		json_array_append_new(nodes, node_to_json(topology, &topology->nodes[i]));
	json_object_set_new(machine, "nodes", nodes);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *reason = NULL;
		json_t *value = members[i].read(topology, root, &reason);

		/* A name that is not UTF-8 is as good as none. */
		if (!value && reason)
			json_object_set_new(unknown, members[i].name, json_string(reason));
		json_object_set_new(machine, members[i].name, value ? value : json_null());
	}
	if (json_object_set_new(machine, "unknown", unknown) != 0) {
		json_decref(machine);
		err_set(err, ERR_INTERNAL, "out of memory for the machine's description");
		return NULL;
	}
	return machine;
}
