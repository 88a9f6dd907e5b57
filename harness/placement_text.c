// SPDX-License-Identifier: MIT
/* A resolved placement as the record's "placement_plan" and as sentences. */
#include "harness/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const policy_names[] = {
	[PLACE_FIRST_TOUCH] = "first_touch",
	[PLACE_BIND] = "bind",
	[PLACE_INTERLEAVE] = "interleave",
};

static const char *const migration_names[] = {
	[MIGRATION_NONE] = "none",
	[MIGRATION_MREMAP] = "mremap",
	[MIGRATION_KERNEL] = "kernel",
};

static json_t *nodes_to_json(uint64_t mask)
{
	json_t *array = json_array();

	for (int node = 0; node < TOPOLOGY_NODES_MAX; node++)
		if (mask >> node & 1)
			json_array_append_new(array, json_integer(node));
	return array;
}

static json_t *node_to_json(int node)
{
	return node < 0 ? json_null() : json_integer(node);
}

/* Page tables are allocated under the policy of the task, which is that of the data. */
static const char *page_table_policy(const struct placement *placement)
{
	return policy_names[placement->page_table_bound ? PLACE_BIND : placement->data_policy];
}

static json_t *interference_to_json(const struct placement *placement)
{
	return json_pack("{s:o, s:s}", "nodes", nodes_to_json(placement->interference_nodes), "how",
			 placement->interference_nodes == 0 ? "none"
			 : placement->interference_modelled ? "modelled"
							    : "load");
}

/* The extended page tables of a virtual machine; null outside one. */
static json_t *ept_to_json(const struct placement *placement)
{
	if (placement->config.vm == VM_NONE)
		return json_null();
	return json_pack("{s:s, s:o, s:s, s:b}", "policy",
			 policy_names[placement->ept_node < 0 ? PLACE_FIRST_TOUCH : PLACE_BIND],
			 "node", node_to_json(placement->ept_node), "migration",
			 migration_names[placement->ept_migration], "replicated",
			 placement->replicate_ept);
}

json_t *placement_to_json(const struct placement *placement)
{
	const bool migrates = placement->migration != MIGRATION_NONE;

	return json_pack(
		"{s:o, s:{s:s, s:o}, s:{s:s, s:o, s:b}, s:{s:s, s:o}, s:o, s:o, s:b, s:b, "
		"s:b, s:i, s:o, s:s}",
		"cpu_nodes", nodes_to_json(placement->cpu_nodes), "data", "policy",
		policy_names[placement->data_policy], "nodes", nodes_to_json(placement->data_nodes),
		"page_tables", "policy", page_table_policy(placement), "node",
		node_to_json(placement->page_table_bound ? placement->page_table_node : -1),
		"replicated", placement->replicate_page_tables, "migration", "how",
		migration_names[placement->migration], "node",
		node_to_json(migrates ? placement->migration_node : -1), "interference",
		interference_to_json(placement), "extended_page_tables", ept_to_json(placement),
		"thp", placement->thp, "autonuma", placement->autonuma, "fragment",
		placement->fragment, "local_node", placement->local_node, "remote_node",
		node_to_json(placement->remote_node), "baseline", placement->config.baseline);
}

static void print_nodes(FILE *out, uint64_t mask)
{
	const int count = __builtin_popcountll(mask);
	int seen = 0;

	fputs(count == 1 ? "node" : "nodes", out);
	for (int node = 0; node < TOPOLOGY_NODES_MAX; node++) {
		if (!(mask >> node & 1))
			continue;
		seen++;
		fprintf(out, "%s%d", seen == 1 ? " " : seen == count ? " and " : ", ", node);
	}
}

/* "remote: distance 31, a node's own memory is at 10" */
static void print_distance(FILE *out, const struct placement *placement,
			   const struct topology *topology, int node)
{
	const struct topology_node *local = topology_node(topology, placement->local_node);

	if (node == placement->local_node)
		fputs("local: the node of the threads", out);
	else
		fprintf(out, "remote: at distance %d from the threads, where local memory is at %d",
			local->distance[node], local->distance[local->id]);
}

static void explain_cpus(FILE *out, const struct placement *placement,
			 const struct topology *topology)
{
	int cpus = 0;

	for (int i = 0; i < topology->nr_nodes; i++)
		if (placement->cpu_nodes >> topology->nodes[i].id & 1)
			cpus += topology->nodes[i].nr_cpus;
	if (placement->config.family == CONFIG_MIGRATING_VM)
		fprintf(out,
			"  Threads:      start on node %d and are moved to node %d while they "
			"run.\n",
			placement->remote_node, placement->local_node);
	else {
		fputs("  Threads:      stay on the CPUs of ", out);
		print_nodes(out, placement->cpu_nodes);
		fprintf(out, " (%d CPUs).\n", cpus);
	}
}

static void explain_data(FILE *out, const struct placement *placement,
			 const struct topology *topology)
{
	fputs("  Data:         ", out);
	switch (placement->data_policy) {
	case PLACE_FIRST_TOUCH:
		fputs("each page goes to the node whose CPU touches it first.\n", out);
		return;
	case PLACE_INTERLEAVE:
		fputs("pages go in turn to ", out);
		print_nodes(out, placement->data_nodes);
		fputs(".\n", out);
		return;
	case PLACE_BIND:
		fputs("all pages are on ", out);
		print_nodes(out, placement->data_nodes);
		fputs(" (", out);
		print_distance(out, placement, topology, __builtin_ctzll(placement->data_nodes));
		fputs(").\n", out);
	}
}

static void explain_page_tables(FILE *out, const struct placement *placement,
				const struct topology *topology)
{
	fprintf(out, "  %s", placement->config.vm == VM_NONE ? "Page tables:  " : "Guest tables: ");
	if (!placement->page_table_bound)
		fprintf(out, "%s, as the data.\n",
			placement->data_policy == PLACE_INTERLEAVE ? "interleaved"
								   : "by first touch");
	else {
		fprintf(out, "are built on node %d (", placement->page_table_node);
		print_distance(out, placement, topology, placement->page_table_node);
		fputs(").\n", out);
	}
	if (placement->replicate_page_tables)
		fputs("  Replication:  the kernel keeps a copy of the page tables on every node, so "
		      "each walk is local.\n",
		      out);
	if (placement->migration != MIGRATION_NONE)
		fprintf(out,
			"  Migration:    before the clock starts they are moved to node %d by %s.\n",
			placement->migration_node,
			placement->migration == MIGRATION_KERNEL ? "the kernel"
								 : "mremap(2) in the workload");
}

static void explain_ept(FILE *out, const struct placement *placement,
			const struct topology *topology)
{
	if (placement->config.vm == VM_NONE)
		return;
	fputs("  Host tables:  the VM's extended page tables ", out);
	if (placement->ept_node < 0)
		fputs("are placed by first touch", out);
	else {
		fprintf(out, "are built on node %d (", placement->ept_node);
		print_distance(out, placement, topology, placement->ept_node);
		fputs(")", out);
	}
	if (placement->ept_migration != MIGRATION_NONE)
		fprintf(out, " and moved to node %d", placement->migration_node);
	if (placement->replicate_ept)
		fputs(" and replicated on every node", out);
	fputs(".\n", out);
}

static void explain_interference(FILE *out, const struct placement *placement)
{
	if (placement->interference_nodes == 0)
		return;
	fputs("  Interference: ", out);
	print_nodes(out, placement->interference_nodes);
	fputs(placement->interference_modelled
		      ? " answers as slowly as memory under load; the model does this, no load runs.\n"
		      : " is kept busy by a memory load (STREAM) on its own CPUs.\n",
	      out);
	if (!placement->interference_modelled &&
	    (placement->interference_nodes & placement->cpu_nodes))
		fputs("                These are the workload's CPUs as well: give it fewer "
		      "--threads than there are CPUs.\n",
		      out);
}

static void explain_system(FILE *out, const struct placement *placement)
{
	fprintf(out, "  Page size:    %s.\n",
		placement->fragment
			? "2 MiB wherever the kernel finds room (THP always); memory is "
			  "fragmented first, so that it often does not"
		: placement->thp ? "2 MiB where the kernel can (THP always)"
				 : "4 KiB (no huge pages)");
	fprintf(out, "  AutoNUMA:     %s.\n",
		placement->autonuma ? "on; the kernel may move pages towards the threads"
				    : "off, so that nothing moves");
	if (placement->remote_node >= 0)
		fprintf(out,
			"  Remote means: node %d. Another node: --remote-node N; other CPUs: "
			"--local-node N.\n",
			placement->remote_node);
	if (strcmp(placement->config.baseline, placement->config.name) == 0)
		fputs("  Compare with: nothing; others are compared with this one.\n", out);
	else
		fprintf(out, "  Compare with: %s.\n", placement->config.baseline);
}

char *placement_explain(const struct placement *placement, const struct topology *topology)
{
	const struct config *config = &placement->config;
	char words[256];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s: %s (%s)\n", config->name, config_describe(config, words, sizeof(words)),
		config->published ? config->published : "not in a published figure");
	explain_cpus(out, placement, topology);
	explain_data(out, placement, topology);
	explain_page_tables(out, placement, topology);
	explain_ept(out, placement, topology);
	explain_interference(out, placement);
	explain_system(out, placement);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
