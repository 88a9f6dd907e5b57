/* SPDX-License-Identifier: MIT */
/*
 * A machine profile: the numbers that the model of an emulated NUMA machine is made of.
 *
 * A profile is a small text file, emulator/profiles/NAME.profile, in INI form with one section per
 * part of the machine; each number has its source in a comment above it. Every key must be there:
 * a profile with a value that nobody chose would be a guess that looks like a fact. docs/MODEL.md
 * says what the model does with each of them.
 */
#ifndef EMULATOR_PROFILE_H
#define EMULATOR_PROFILE_H

#include <stdint.h>

#include "common/err.h"
#include "emulator/roi.h"

#define PROFILE_NAME_MAX    64
#define PROFILE_SUMMARY_MAX 160
#define PROFILE_SUFFIX      ".profile"

struct profile_cache {
	uint64_t bytes, ways, latency_cycles; /* latency: from the load to the use */
};

/* entries 0: there is none */
struct profile_tlb {
	uint64_t entries, ways;
};

struct profile {
	char name[PROFILE_NAME_MAX]; /* of the file, without directory and suffix */
	char summary[PROFILE_SUMMARY_MAX];

	/* [machine] */
	uint64_t nr_nodes, cpus_per_node; /* as emulated; the real sockets have more cores */
	uint64_t frequency_hz;
	uint64_t la57; /* 1: five-level page tables */
	/* The footprint that the caches of the real machine go with. A smaller one in the guest
	 * keeps the ratios when the caches shrink by the same factor: see profile_scale(). */
	uint64_t reference_footprint_bytes;

	/* [memory], [from][to] */
	uint64_t distance[ROI_NODES_MAX][ROI_NODES_MAX]; /* as in the SLIT: local is 10 */
	uint64_t latency_cycles[ROI_NODES_MAX][ROI_NODES_MAX];
	/* A node under interference is saturated by all its cores: Little's law gives its latency
	 * from their number, the lines each keeps in flight and the node's bandwidth. */
	uint64_t cores_per_node, outstanding_per_core, bandwidth_bytes_per_s;

	/* [tlb] */
	struct profile_tlb l1_4k, l1_2m, l1_1g, l2;
	uint64_t l2_hit_cycles; /* added to the access */
	uint64_t l2_holds_2m;   /* 1: the second level is shared by 4 KiB and 2 MiB pages */

	/* [walker] */
	uint64_t walkers;             /* walks at a time */
	uint64_t walk_start_cycles;   /* of each walk, beside its memory accesses */
	uint64_t walk_restart_cycles; /* after each walk, until the walker takes the next one */
	struct profile_tlb pwc[ROI_LEVELS_MAX - 1]; /* by level of the entry: 0 = PDE, 3 = PML5E */

	/* [l1d], [l2], [llc]: L1D and L2 belong to a core, the LLC to a node */
	struct profile_cache l1d, l2_cache, llc;
	uint64_t llc_adaptive; /* 1: adaptive replacement (see plugin/llc.h), 0: LRU */

	/* [core] */
	uint64_t issue_width, rob_entries, line_fill_buffers, store_buffer_entries;
	uint64_t store_forward_cycles; /* from a store to a load of the same word */
	uint64_t mispredict_cycles;    /* from a resolved branch to the right instruction */
};

/*
 * Reads the profile `name`: a path if there is a '/' in it, otherwise a file in emulator/profiles.
 * ERR_USAGE when there is none, or with file, line and key for an unknown, missing or repeated key
 * or a value that no machine can have.
 */
int profile_load(struct profile *profile, const char *name, struct err *err);

/* reference_footprint_bytes / footprint_bytes, at least 1: what a run's caches are divided by. */
double profile_scale(const struct profile *profile, uint64_t footprint_bytes);

/*
 * Cycles to memory of node `to` seen from node `from`. Under interference the queue at the memory
 * takes the place of its idle time: cores x outstanding x line / bandwidth, plus what the way from
 * another node costs.
 */
double profile_latency_cycles(const struct profile *profile, unsigned from, unsigned to,
			      int contended);

#endif
