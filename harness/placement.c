// SPDX-License-Identifier: MIT
/*
 * From a config to the nodes of a machine. Each thing is placed by itself: the CPUs stay on the
 * local node whatever is remote, and data and page tables go where their own letter says. (The
 * published scripts could fix page tables on node 0 only, and moved CPUs and data instead; seen
 * from the CPUs the result is the same.)
 */
#include "harness/placement.h"

#include <stdio.h>
#include <string.h>

static uint64_t bit(int node)
{
	return UINT64_C(1) << node;
}

static uint64_t mask_of(const struct topology *topology, bool cpus)
{
	uint64_t mask = 0;

	for (int i = 0; i < topology->nr_nodes; i++) {
		const struct topology_node *node = &topology->nodes[i];

		if (cpus ? node->nr_cpus > 0 : node->memory_bytes > 0)
			mask |= bit(node->id);
	}
	return mask;
}

static void list_nodes(uint64_t mask, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (int node = 0; node < TOPOLOGY_NODES_MAX && used < size; node++)
		if (mask & bit(node))
			used += (size_t)snprintf(text + used, size - used, "%s%d", used ? ", " : "",
						 node);
}

enum need {
	NEED_VM,
	NEED_REMOTE_NODE,
	NEED_NODES_TO_INTERLEAVE,
	NEED_FRAGMENTER,
	NEED_REPLICATION,
	NEED_EPT_CONTROL,
	NEED_TABLE_MIGRATION,
	NR_NEEDS,
};

static const char *const need_texts[NR_NEEDS] = {
	[NEED_VM] = "is about a virtual machine and its extended page tables, and this run is in "
		    "none; choose one with --machine vm:NAME, or the native config with the same "
		    "placement (LP-LD, RP-LD, RPI-LD, ...)",
	[NEED_REMOTE_NODE] = "needs a second node with memory for what is remote, and this machine "
			     "has one; use --machine emu",
	[NEED_NODES_TO_INTERLEAVE] = "interleaves over the nodes with memory, and this machine has "
				     "one; use --machine emu",
	[NEED_FRAGMENTER] = "needs fragmented memory, and the program that fragments it is missing "
			    "(bin/fragment); run make, or leave the F out to run with unfragmented "
			    "huge pages",
	[NEED_REPLICATION] = "needs a kernel that replicates page tables, and the running kernel "
			     "does not; boot the kernel of kernel/ or leave the M out",
	[NEED_EPT_CONTROL] = "needs a kernel that migrates or replicates extended page tables, and "
			     "the running kernel does not; boot the kernel of kernel/",
	[NEED_TABLE_MIGRATION] = "must move the page tables of a running program: the running "
				 "kernel has no page-table migration, and only the suite's own "
				 "workloads can do it by mremap; boot the kernel of kernel/, run a "
				 "workload of 'harness list workloads', or leave the M out",
};

static bool wants_remote(const struct config *config)
{
	return config->remote_data || config->remote_page_tables || config->remote_ept;
}

static int check_needs(const struct config *config, const struct topology *topology,
		       const struct placement_means *means, struct err *err)
{
	const bool several = topology_memory_nodes(topology) >= 2;
	const struct {
		bool wanted, met;
	} needs[NR_NEEDS] = {
		[NEED_VM] = {config->vm != VM_NONE, means->virtual_machine},
		[NEED_REMOTE_NODE] = {wants_remote(config), several},
		[NEED_NODES_TO_INTERLEAVE] = {config->interleave, several},
		[NEED_FRAGMENTER] = {config->fragment, means->fragmenter},
		[NEED_REPLICATION] = {config->replicate_page_tables, means->kernel_replication},
		[NEED_EPT_CONTROL] = {config->migrate_ept ||
					      (config->replicate_ept && config->vm != VM_NONE),
				      means->kernel_replication},
		[NEED_TABLE_MIGRATION] = {config->migrate_page_tables,
					  means->kernel_replication || means->mremap},
	};

	for (int i = 0; i < NR_NEEDS; i++)
		if (needs[i].wanted && !needs[i].met)
			return err_set(err, ERR_MACHINE, "config %s %s", config->name,
				       need_texts[i]);
	return 0;
}

static int require_node(const struct topology *topology, int id, const char *option,
			struct err *err)
{
	char known[256];

	if (topology_node(topology, id))
		return 0;
	list_nodes(mask_of(topology, true) | mask_of(topology, false), known, sizeof(known));
	return err_set(err, ERR_USAGE, "%s %d: this machine has no such node; its nodes are %s",
		       option, id, known);
}

static int choose_local(const struct topology *topology, int given, int *local, struct err *err)
{
	const uint64_t usable = mask_of(topology, true) & mask_of(topology, false);
	char usable_text[256];

	if (usable == 0)
		return err_set(err, ERR_MACHINE,
			       "no node of this machine has both CPUs and memory");
	if (given < 0) {
		*local = __builtin_ctzll(usable);
		return 0;
	}
	if (require_node(topology, given, "--local-node", err) != 0)
		return -1;
	list_nodes(usable, usable_text, sizeof(usable_text));
	if (!(usable & bit(given)))
		return err_set(
			err, ERR_MACHINE,
			"--local-node %d: the node has no %s; nodes with CPUs and memory: %s",
			given, mask_of(topology, true) & bit(given) ? "memory" : "CPUs",
			usable_text);
	*local = given;
	return 0;
}

static int choose_remote(const struct topology *topology, int given, int local, int *remote,
			 struct err *err)
{
	if (given < 0) {
		*remote = topology_farthest(topology, local);
		return 0;
	}
	if (require_node(topology, given, "--remote-node", err) != 0)
		return -1;
	if (given == local)
		return err_set(err, ERR_USAGE,
			       "--remote-node %d: that is the local node; choose another for one "
			       "of the two",
			       given);
	if (topology_node(topology, given)->memory_bytes == 0)
		return err_set(err, ERR_MACHINE, "--remote-node %d: the node has no memory", given);
	*remote = given;
	return 0;
}

static void place_wide(struct placement *placement, const struct topology *topology)
{
	placement->cpu_nodes = mask_of(topology, true);
	if (placement->config.interleave) {
		placement->data_policy = PLACE_INTERLEAVE;
		placement->data_nodes = mask_of(topology, false);
	}
}

/* It starts on the remote node, by first touch, and is moved to the local one while it runs. */
static void place_moving(struct placement *placement)
{
	const struct config *config = &placement->config;

	placement->cpu_nodes = bit(placement->local_node);
	placement->page_table_bound = config->remote_page_tables;
	if (config->remote_page_tables)
		placement->page_table_node = placement->remote_node;
	placement->ept_node = placement->remote_node;
}

static void place_one_socket(struct placement *placement)
{
	const struct config *config = &placement->config;
	const int local = placement->local_node, remote = placement->remote_node;

	placement->cpu_nodes = bit(local);
	placement->data_policy = PLACE_BIND;
	placement->data_nodes = bit(config->remote_data ? remote : local);
	placement->page_table_bound = true;
	placement->page_table_node = config->remote_page_tables ? remote : local;
	if (config->vm != VM_NONE)
		placement->ept_node = config->remote_ept ? remote : local;
}

/* The load goes to the node that holds the thing; in a VM, to the node of what is remote. */
static void place_interference(struct placement *placement)
{
	const struct config *config = &placement->config;

	if (config->interfere_page_tables)
		placement->interference_nodes |=
			bit(config->vm != VM_NONE ? placement->remote_node
						  : placement->page_table_node);
	if (config->interfere_data)
		placement->interference_nodes |= placement->data_nodes;
}

static int check_interference(const struct placement *placement, const struct topology *topology,
			      struct err *err)
{
	const uint64_t idle = placement->interference_nodes & ~mask_of(topology, true);
	const uint64_t usable =
		mask_of(topology, true) & mask_of(topology, false) & ~bit(placement->local_node);
	char remedy[256];

	if (idle == 0 || placement->interference_modelled)
		return 0;
	list_nodes(usable, remedy, sizeof(remedy));
	return err_set(err, ERR_MACHINE,
		       "config %s loads node %d, which has memory and no CPUs to run the load on; "
		       "nodes for --remote-node that have both: %s",
		       placement->config.name, __builtin_ctzll(idle), usable ? remedy : "none");
}

int placement_resolve(const struct config *config, const struct topology *topology,
		      const struct placement_options *options, const struct placement_means *means,
		      struct placement *placement, struct err *err)
{
	const enum place_migration mechanism =
		means->kernel_replication ? MIGRATION_KERNEL : MIGRATION_MREMAP;
	int local = -1, remote = -1;

	if (check_needs(config, topology, means, err) != 0 ||
	    choose_local(topology, options->local_node, &local, err) != 0 ||
	    choose_remote(topology, options->remote_node, local, &remote, err) != 0)
		return -1;
	*placement = (struct placement){
		.config = *config,
		.data_policy = PLACE_FIRST_TOUCH,
		.page_table_node = -1,
		.migration = config->migrate_page_tables ? mechanism : MIGRATION_NONE,
		.migration_node = config->migrate_page_tables || config->migrate_ept ? local : -1,
		.interference_modelled = means->interference_modelled,
		.thp = config->thp,
		.autonuma = config->autonuma,
		.fragment = config->fragment,
		.replicate_page_tables = config->replicate_page_tables,
		.local_node = local,
		.remote_node = wants_remote(config) ? remote : -1,
		.ept_node = -1,
		.ept_migration = config->migrate_ept ? MIGRATION_KERNEL : MIGRATION_NONE,
		.replicate_ept = config->replicate_ept && config->vm != VM_NONE,
	};
	if (config->family == CONFIG_WIDE)
		place_wide(placement, topology);
	else if (config->family == CONFIG_MIGRATING_VM)
		place_moving(placement);
	else
		place_one_socket(placement);
	place_interference(placement);
	return check_interference(placement, topology, err);
}
