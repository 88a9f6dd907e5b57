/* SPDX-License-Identifier: MIT */
/*
 * Breadth-first search for the workload `graph500`: parents of all vertices of a component, by the
 * whole team.
 */
#ifndef BENCH_GRAPH500_SEARCH_H
#define BENCH_GRAPH500_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/graph/graph.h"
#include "bench/team.h"

enum search_how { SEARCH_BOTH_DIRECTIONS, SEARCH_TOP_DOWN };

/* Counters of a step, alone in their cache lines. */
struct search_step {
	_Alignas(128) _Atomic uint64_t next; /* the part of the work that is taken next */
	_Alignas(128) _Atomic uint64_t found, degrees;
};

#define SEARCH_STEPS 3

struct search {
	const struct graph *graph;
	struct team *team;
	enum search_how how;
	/* Mapped by the caller: bitmaps of all vertices, and a queue of as many ids. */
	uint64_t *lonely; /* vertices without neighbours: search_prepare() */
	uint64_t *visited, *fronts[2];
	void *queue;
	_Atomic uint64_t queue_end;
	/* Those of the steps before, at and after the current one. */
	struct search_step steps[SEARCH_STEPS];
};

static inline uint64_t search_bitmap_bytes(uint64_t nr_vertices)
{
	return nr_vertices / 8;
}

/* Finds the lonely vertices; part of the construction. */
void search_prepare(struct search *search);

/*
 * Called by every member of the team, at a barrier each: searches from `root` and leaves each
 * vertex's parent, the root itself for the root and GRAPH_NONE for vertices that it does not reach,
 * in `parents`. Returns after the last member is done.
 */
void search_run(struct search *search, uint64_t root, void *parents, int thread);

#endif
