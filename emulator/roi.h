/* SPDX-License-Identifier: MIT */
/*
 * The region-of-interest markers: how a program in the emulated machine talks to the model.
 *
 * A marker is a long NOP with a magic displacement, directly followed by a load from a descriptor
 * page. The plugin notices the NOP when it translates the code and learns the descriptor's address
 * from the load. On real hardware the same bytes do nothing. The descriptor must be locked in
 * memory and touched well before the first marker; the model answers by writing `answer`, and a
 * program that finds no answer knows that there is no model.
 *
 * The layout is shared by bench/, harness/ and emulator/plugin/; all fields are little-endian and
 * naturally aligned.
 */
#ifndef EMULATOR_ROI_H
#define EMULATOR_ROI_H

#include <stdint.h>

#define ROI_MAGIC      UINT64_C(0x4d49544f53495331) /* "MITOSIS1" */
#define ROI_NODES_MAX  16
#define ROI_VCPUS_MAX  64
#define ROI_LEVELS_MAX 5
#define ROI_PAGE_BYTES 4096

/* LAP, within a region: the cycles so far; the region goes on. */
enum roi_command { ROI_PROBE = 1, ROI_BEGIN = 2, ROI_END = 3, ROI_LAP = 4 };
enum roi_answer { ROI_UNANSWERED = 0, ROI_OK = 1, ROI_REFUSED = 2 };

/* Sums over the modelled vCPUs between BEGIN and END. Counts of events unless the name has a unit.
 */
struct roi_counters {
	uint64_t instructions, accesses, loads, stores;
	uint64_t tlb_l1_hits, tlb_l2_hits, walks; /* walks = misses of the last TLB */
	uint64_t walk_cycles;                     /* cycles a walker was busy, all vCPUs */
	uint64_t walk_failed;                     /* not present when walked: a fault comes first */
	uint64_t table_accesses_local[ROI_LEVELS_MAX]; /* index 0 = leaf level; any cache or memory
							*/
	uint64_t table_accesses_remote[ROI_LEVELS_MAX];
	uint64_t table_memory_local, table_memory_remote; /* those that went to DRAM */
	uint64_t data_l1_hits, data_l2_hits, data_llc_hits, data_memory_local, data_memory_remote;
	uint64_t table_l1_hits, table_l2_hits, table_llc_hits;
	uint64_t memory_accesses[ROI_NODES_MAX]
				[ROI_NODES_MAX]; /* [node of the CPU][node of the memory] */
};

/* One page. The program writes the request, the model the reply. */
struct roi_descriptor {
	/* request */
	uint64_t magic;
	uint32_t command;              /* enum roi_command */
	uint32_t levels;               /* page-table levels, 4 or 5 */
	uint64_t roots[ROI_NODES_MAX]; /* physical address of the root each node's CPUs walk */
	uint64_t vcpu_mask;            /* vCPUs that run the workload; others are not modelled */
	uint64_t contended_nodes;      /* mask: memory under interference */
	char label[64];
	/* reply */
	uint32_t answer; /* enum roi_answer */
	uint32_t nr_vcpus;
	uint64_t elapsed_cycles; /* of the slowest modelled vCPU */
	uint64_t total_cycles;   /* sum over modelled vCPUs: what the Mitosis plots call runtime */
	uint64_t frequency_hz;   /* of the profile's CPU */
	char profile[64];
	char reason[128]; /* for ROI_REFUSED */
	struct roi_counters counters;
};

_Static_assert(sizeof(struct roi_descriptor) <= ROI_PAGE_BYTES, "the descriptor fits one page");

/* 0f 1f 80 disp32: nopl disp32(%rax); the displacement spells "OTIM". */
#define ROI_NOP_BYTES ".byte 0x0f, 0x1f, 0x80, 0x4f, 0x54, 0x49, 0x4d\n\t"

static inline void roi_marker(volatile struct roi_descriptor *descriptor)
{
#if defined(__x86_64__)
	__asm__ volatile(ROI_NOP_BYTES "movq (%0), %%rcx" ::"r"(descriptor) : "rcx", "memory");
#else
	(void)descriptor;
#endif
}

#endif
