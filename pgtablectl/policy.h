/* SPDX-License-Identifier: MIT */
/*
 * When replication pays: a pure function from what was seen of a process to what to do with it, and
 * the reason in words. No clock, no file, no system call.
 */
#ifndef PGTABLECTL_POLICY_H
#define PGTABLECTL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#define POLICY_REASON_MAX 256

/*
 * Mitosis (ASPLOS 2020, section 8): 280 cycles to local memory, 580 to remote memory. A walk that
 * reads its last level from memory becomes so much cheaper when that level is local.
 */
#define POLICY_LOCAL_CYCLES  280.0
#define POLICY_REMOTE_CYCLES 580.0
/*
 * Mitosis, table 5, private mappings of 8 MiB with 4 KiB pages and three replicas: a page costs 138
 * cycles more to map and fault in and 162 more to unmap, so 100 for each replica.
 */
#define POLICY_CYCLES_PER_PAGE_AND_REPLICA 100.0
#define POLICY_CPU_HZ                      2.2e9 /* of the same machine */

struct policy {
	double least_gain;          /* share of the time that must be won to turn it on */
	double least_gain_kept;     /* and to keep it on: less, so that it does not flap */
	double assumed_walks;       /* walks' share of cycles where no counter tells */
	uint64_t least_table_bytes; /* smaller tables stay in the caches */
	double one_node_share;      /* so much CPU time on one node: move the tables instead */
};

#define POLICY_DEFAULT                                           \
	((struct policy){.least_gain = 0.01,                     \
			 .least_gain_kept = 0.003,               \
			 .assumed_walks = 0.1,                   \
			 .least_table_bytes = UINT64_C(1) << 20, \
			 .one_node_share = 0.95})

/* One interval of one process. */
struct policy_view {
	double walk_fraction;  /* of its cycles; negative: no counter told */
	double cpu_seconds;    /* in the interval */
	double faults;         /* pages that were mapped in the interval */
	double node_share[64]; /* of the CPU time, by node; sums to 1 when there was any */
	/* Last-level tables by node, masters alone: where they would be without replication. */
	uint64_t last_level_pages[64];
	uint64_t table_bytes; /* masters of all levels */
	uint64_t replicated;  /* nodes; 0: not */
	uint64_t wanted;      /* nodes that it may be replicated on */
};

enum policy_act { POLICY_KEEP, POLICY_REPLICATE, POLICY_OFF, POLICY_MIGRATE };

struct policy_verdict {
	enum policy_act act;
	int node;          /* of POLICY_MIGRATE */
	double gain, cost; /* shares of the process's time */
	char reason[POLICY_REASON_MAX];
};

void policy_judge(const struct policy *policy, const struct policy_view *view,
		  struct policy_verdict *verdict);

/* "replicate", "off", "migrate", "keep" */
const char *policy_act_name(enum policy_act act);

#endif
