/* SPDX-License-Identifier: MIT */
/* What the graph workloads share of options and set-up. */
#ifndef BENCH_GRAPH_PLAN_H
#define BENCH_GRAPH_PLAN_H

#include "bench/workload.h"

/* `scale`, or if that is 0 the largest whose bytes_at_scale() fits into `size_bytes`. */
unsigned graph_plan_scale(const struct option_set *set, uint64_t scale, uint64_t size_bytes,
			  uint64_t (*bytes_at_scale)(const struct option_set *set, unsigned scale));

/* Of --graph-scale and --ids; narrow: 32 bits were asked for. ERR_USAGE. */
int graph_check_scale(unsigned scale, bool narrow, struct err *err);

/* A region of the arena whose pages lie where the threads are that will work on them. */
void *graph_map_touched(struct workload_run *run, const char *name, uint64_t bytes,
			struct err *err);

#endif
