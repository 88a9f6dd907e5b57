/* SPDX-License-Identifier: MIT */
/*
 * For the tests: a machine of two nodes, 8 MiB each, with page tables that map a run of pages, and
 * round latencies: L1D 4, L2 10, LLC 50, local memory 100, remote 300 cycles, one micro-operation a
 * cycle, walks without start and restart cycles.
 */
#ifndef EMULATOR_PLUGIN_GUEST_FAKE_H
#define EMULATOR_PLUGIN_GUEST_FAKE_H

#include <stdlib.h>
#include <string.h>

#include "emulator/plugin/machine.h"

#define FAKE_NODE_BYTES UINT64_C(0x800000)
#define FAKE_VIRTUAL    UINT64_C(0x10000000) /* where the pages are mapped; 2 MiB-aligned */
#define FAKE_PAGES      512
#define FAKE_PRESENT    UINT64_C(1)

static const struct profile fake_profile = {
	.name = "fake",
	.nr_nodes = 2,
	.cpus_per_node = 1,
	.frequency_hz = 1000000000,
	.latency_cycles = {{100, 300}, {300, 100}},
	.cores_per_node = 10,
	.outstanding_per_core = 10,
	.bandwidth_bytes_per_s = 6400000000, /* a saturated node is 1000 cycles away */
	.l1_4k = {16, 4},
	.l1_2m = {4, 4},
	.l1_1g = {4, 4},
	.l2 = {64, 4},
	.l2_hit_cycles = 7,
	.l2_holds_2m = 1,
	.walkers = 1,
	.pwc = {{4, 4}, {2, 2}, {1, 1}, {0, 1}},
	.l1d = {4096, 4, 4},
	.l2_cache = {65536, 8, 10},
	.llc = {1 << 20, 16, 50},
	.issue_width = 1,
	.rob_entries = 64,
	.line_fill_buffers = 4,
	.store_buffer_entries = 16,
	.store_forward_cycles = 5,
};

struct fake_guest {
	struct machine machine;
	char *nodes[2];
	uint64_t root;
};

static inline void fake_set(struct fake_guest *guest, uint64_t address, uint64_t entry)
{
	unsigned node;

	memcpy(memory_host(&guest->machine.memory, address, &node), &entry, sizeof(entry));
}

/* Tables on node `tables`, pages on node `data`; the first page is at its 1 MiB. */
static inline void fake_map(struct fake_guest *guest, unsigned tables, unsigned data)
{
	const uint64_t base = tables * FAKE_NODE_BYTES + 0x1000;
	const uint64_t page = data * FAKE_NODE_BYTES + 0x100000;
	const uint64_t address = FAKE_VIRTUAL;

	guest->root = base;
	fake_set(guest, base + (address >> 39 & 511) * 8, (base + 0x1000) | FAKE_PRESENT);
	fake_set(guest, base + 0x1000 + (address >> 30 & 511) * 8, (base + 0x2000) | FAKE_PRESENT);
	fake_set(guest, base + 0x2000 + (address >> 21 & 511) * 8, (base + 0x3000) | FAKE_PRESENT);
	for (uint64_t i = 0; i < FAKE_PAGES; i++)
		fake_set(guest, base + 0x3000 + i * 8, (page + i * 4096) | FAKE_PRESENT);
}

static inline int fake_start(struct fake_guest *guest, const struct profile *profile)
{
	*guest = (struct fake_guest){.machine = {.profile = *profile,
						 .scale = 1.0,
						 .nr_vcpus = 2,
						 .vcpu_nodes = {0, 1},
						 .memory = {.below_4g_bytes = 1u << 30}}};
	for (int i = 0; i < 2; i++) {
		guest->nodes[i] = calloc(1, FAKE_NODE_BYTES);
		if (!guest->nodes[i])
			return -1;
		memory_add_node(&guest->machine.memory, guest->nodes[i], FAKE_NODE_BYTES);
	}
	return machine_start(&guest->machine, NULL);
}

static inline void fake_stop(struct fake_guest *guest)
{
	machine_stop(&guest->machine);
	free(guest->nodes[0]);
	free(guest->nodes[1]);
}

static inline struct roi_descriptor fake_request(const struct fake_guest *guest)
{
	return (struct roi_descriptor){.magic = ROI_MAGIC,
				       .levels = 4,
				       .roots = {guest->root, guest->root},
				       .vcpu_mask = 1};
}

#endif
