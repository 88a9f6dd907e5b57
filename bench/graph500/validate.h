/* SPDX-License-Identifier: MIT */
/*
 * The five rules of the Graph500 specification for the result of a search, checked without anything
 * of the search.
 */
#ifndef BENCH_GRAPH500_VALIDATE_H
#define BENCH_GRAPH500_VALIDATE_H

#include <stdint.h>

#include "bench/graph/graph.h"
#include "bench/team.h"

/* Numbered as in the specification, from 0. */
enum rule {
	RULE_NO_CYCLES,   /* the parents lead to the root from everywhere */
	RULE_TREE_LEVELS, /* a tree edge leads from one level of the graph to the next */
	RULE_EDGE_LEVELS, /* an edge of the list spans at most one level of the tree */
	RULE_SPANS,       /* the tree holds the root's component and nothing else */
	RULE_REAL_EDGES,  /* a tree edge is in the list */
	NR_RULES,
};

struct validation {
	uint64_t errors[NR_RULES];
	uint64_t checked;         /* vertices of the tree and edges of the list */
	uint64_t component_edges; /* of the list, with loops and repetitions, in the tree */
	uint64_t depth;           /* levels below the root */
	char first[160];          /* the first error in words */
};

/* The memory that a validation overwrites; at most 4 bytes a vertex. */
uint64_t validate_scratch_bytes(uint64_t nr_vertices);

/*
 * Validates `parents` (GRAPH_NONE, or all bits of a narrow id: not in the tree) of a search from
 * `root`. The levels of the graph are found anew, in `graph`; the other rules refer to the list of
 * edges.
 */
void validate_tree(const struct graph *graph, const struct graph_edges *edges, const void *parents,
		   uint64_t root, void *scratch, struct team *team, struct validation *validation);

#endif
