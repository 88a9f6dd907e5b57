/* SPDX-License-Identifier: MIT */
/*
 * The guest's memory: where a guest-physical address is on the host, on which node it is, and how
 * many ticks it is away.
 *
 * Guest-physical layout: the memories of the nodes one after the other, the first below_4g_bytes of
 * them from 0, the rest from 4 GiB on.
 */
#ifndef EMULATOR_PLUGIN_MEMORY_H
#define EMULATOR_PLUGIN_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "emulator/profile.h"

struct memory_node {
	char *host;
	uint64_t start, bytes; /* start: offset in the nodes' memories laid end to end */
};

struct memory {
	struct memory_node nodes[ROI_NODES_MAX];
	unsigned nr_nodes;
	uint64_t below_4g_bytes, total_bytes;
	uint64_t latency_ticks[ROI_NODES_MAX][ROI_NODES_MAX]; /* [from][to] */
};

#define MEMORY_NO_NODE UINT32_MAX

/* Appends a node whose memory is `host`. */
void memory_add_node(struct memory *memory, void *host, uint64_t bytes);
/* As memory_add_node, mapping the shared file `fd`. */
int memory_map_node(struct memory *memory, int fd, uint64_t bytes, struct err *err);

/* Fills latency_ticks for nodes under interference (a bit each in `contended_nodes`). */
void memory_set_latencies(struct memory *memory, const struct profile *profile,
			  uint64_t contended_nodes, uint64_t ticks_per_cycle);

/* The host's pointer to guest-physical `address`, NULL where there is no memory; *node is filled.
 */
void *memory_host(const struct memory *memory, uint64_t address, unsigned *node);

/* The node of `address`, or MEMORY_NO_NODE; *offset: where in the nodes' memories laid end to end.
 */
unsigned memory_node_of(const struct memory *memory, uint64_t address, uint64_t *offset);

#endif
