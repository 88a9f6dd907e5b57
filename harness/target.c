// SPDX-License-Identifier: MIT
#include "harness/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "emulator/emulator.h"

#define LOCAL_DISTANCE  10
#define REMOTE_DISTANCE 21

static int use_emulator(struct target *target, const char *profile, struct err *err)
{
	struct emulator_profile_info info;

	if (!*profile)
		return err_set(err, ERR_USAGE,
			       "--machine emu: has no profile; see 'harness list machines'");
	target->emulated = true;
	snprintf(target->profile, sizeof(target->profile), "%s", profile);
	if (emulator_profile_info(profile, &info, err) != 0)
		return -1;
	snprintf(target->name, sizeof(target->name), "emu:%s", info.name);
	return 0;
}

static int choose_by_rule(struct target *target, const struct config *config,
			  const struct topology *here, struct err *err)
{
	const int nodes = topology_memory_nodes(here);

	if (config->vm != VM_NONE || config->family == CONFIG_VIRTUAL ||
	    config->family == CONFIG_MIGRATING_VM) {
		snprintf(target->why, sizeof(target->why), "%s needs a virtual machine",
			 config->name);
		return use_emulator(target, EMULATOR_DEFAULT_PROFILE, err);
	}
	if (nodes < 2) {
		snprintf(target->why, sizeof(target->why), "this machine has %d memory node",
			 nodes);
		return use_emulator(target, EMULATOR_DEFAULT_PROFILE, err);
	}
	snprintf(target->name, sizeof(target->name), "native");
	snprintf(target->why, sizeof(target->why), "this machine has %d memory nodes", nodes);
	return 0;
}

int target_choose(struct target *target, const char *machine, const struct config *config,
		  const struct topology *here, struct err *err)
{
	*target = (struct target){0};
	if (!machine)
		return choose_by_rule(target, config, here, err);
	snprintf(target->why, sizeof(target->why), "as asked for by --machine");
	if (strcmp(machine, "emu") == 0)
		return use_emulator(target, EMULATOR_DEFAULT_PROFILE, err);
	if (strncmp(machine, "emu:", 4) == 0)
		return use_emulator(target, machine + 4, err);
	if (strcmp(machine, "native") == 0) {
		snprintf(target->name, sizeof(target->name), "native");
		return 0;
	}
	return err_set(err, ERR_USAGE,
		       "--machine: there is no machine '%s'; native, emu and emu:PROFILE are "
		       "understood ('harness list machines')",
		       machine);
}

static int imagine_node(struct topology_node *node, int id,
			const struct emulator_profile_info *info)
{
	*node = (struct topology_node){
		.id = id,
		.memory_bytes = UINT64_C(1) << 30,
		.free_bytes = UINT64_C(1) << 30,
		.nr_cpus = info->cpus_per_node,
		.cpus = calloc((size_t)info->cpus_per_node + 1, sizeof(int)),
	};
	if (!node->cpus)
		return -1;
	for (int i = 0; i < info->cpus_per_node; i++)
		node->cpus[i] = id * info->cpus_per_node + i;
	for (int other = 0; other < info->nr_nodes; other++)
		node->distance[other] = other == id ? LOCAL_DISTANCE : REMOTE_DISTANCE;
	return 0;
}

int target_topology(const struct target *target, const struct fs *root, struct topology *topology,
		    struct err *err)
{
	struct emulator_profile_info info;

	if (!target->emulated)
		return topology_read(topology, root, err);
	if (emulator_profile_info(target->profile, &info, err) != 0)
		return -1;
	*topology = (struct topology){
		.nr_nodes = info.nr_nodes,
		.nr_cpus = info.nr_nodes * info.cpus_per_node,
	};
	snprintf(topology->cpu_model, sizeof(topology->cpu_model), "%.*s",
		 (int)sizeof(topology->cpu_model) - 1, info.summary);
	for (int i = 0; i < info.nr_nodes; i++) {
		if (imagine_node(&topology->nodes[i], i, &info) != 0) {
			topology_free(topology);
			return err_set(err, ERR_INTERNAL, "out of memory");
		}
	}
	return 0;
}

json_t *target_to_json(const struct target *target, double scale)
{
	struct utsname host;

	if (target->emulated)
		return json_pack("{s:s, s:s, s:f}", "kind", "emu", "name", target->name, "scale",
				 scale);
	uname(&host);
	return json_pack("{s:s, s:s}", "kind", "native", "name", host.nodename);
}
