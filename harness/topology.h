/* SPDX-License-Identifier: MIT */
/*
 * The NUMA topology a run is planned for: read from sysfs below a root, so that recorded machines
 * can stand in for the real one (tests/machines/).
 */
#ifndef HARNESS_TOPOLOGY_H
#define HARNESS_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/fs.h"

/* Node ids are bit numbers in a 64-bit mask everywhere; a machine with higher ids is refused. */
#define TOPOLOGY_NODES_MAX 64
#define TOPOLOGY_CPUS_MAX  4096

struct topology_node {
	int id;
	uint64_t memory_bytes; /* MemTotal of the node; 0 for a node that has CPUs only */
	uint64_t free_bytes;   /* MemFree */
	int nr_cpus;
	int *cpus;                        /* online CPUs, ascending */
	int distance[TOPOLOGY_NODES_MAX]; /* SLIT distance to the node of that id; 0 = absent */
};

struct topology {
	int nr_nodes;
	struct topology_node nodes[TOPOLOGY_NODES_MAX]; /* ascending by id, ids may have holes */
	int nr_cpus;
	char cpu_model[128];
	char cpu_vendor[32];
	int cpu_family, cpu_model_number, cpu_stepping; /* x86 numbers; -1 elsewhere */
	char microcode[32];
	char kernel[128]; /* uname -r */
};

int topology_read(struct topology *topology, const struct fs *fs, struct err *err);
void topology_free(struct topology *topology);

/* NULL when there is no such node. */
const struct topology_node *topology_node(const struct topology *topology, int id);

/* Nodes that have memory; a machine needs two for any remote config. */
int topology_memory_nodes(const struct topology *topology);

/* The memory node farthest from `node` by SLIT distance (lowest id wins ties); -1 if there is none.
 */
int topology_farthest(const struct topology *topology, int node);

/* "0-3,8" into ascending numbers; returns their count or -1. */
int topology_parse_list(const char *text, int *values, int max);

#endif
