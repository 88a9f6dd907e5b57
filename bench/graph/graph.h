/* SPDX-License-Identifier: MIT */
/*
 * Graphs for the workloads `graph500` and `pagerank`: a list of generated edges, and the undirected
 * graph that is built from it, as compressed sparse rows.
 *
 * Vertices are numbered from 0 to 2^scale - 1. A vertex number takes 32 bits, or 64 when the graph
 * is `wide`, which it must be from scale 32 on. Edges are counted in 64 bits throughout.
 */
#ifndef BENCH_GRAPH_GRAPH_H
#define BENCH_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/team.h"
#include "common/err.h"

#define GRAPH_SCALE_MIN        6 /* a word of a bitmap */
#define GRAPH_SCALE_MAX        42
#define GRAPH_SCALE_NARROW_MAX 31
#define GRAPH_BLOCK_EDGES      1024

#define GRAPH_NONE UINT64_MAX /* no vertex, of a wide graph; all bits set in a narrow one */

/* --- the list of edges (edges.c) -------------------------------------------------------------- */

enum graph_kind { GRAPH_KRONECKER, GRAPH_UNIFORM };

/*
 * Four levels of the Kronecker recursion at once, by Walker's alias method: entry i stands for one
 * or another of the 256 outcomes (row bits << 4 | column bits).
 */
struct graph_outcome {
	uint32_t threshold;  /* of 2^24 */
	uint8_t outcomes[2]; /* of a random number below it, and of the others */
};

struct graph_edges {
	enum graph_kind kind;
	unsigned scale;
	bool wide;
	uint64_t nr_vertices, nr_edges, seed;
	const void
		*stored; /* pairs of vertices; NULL: edges are generated whenever they are read */
	uint64_t multipliers[3], addend; /* of the permutation of the vertices */
	struct graph_outcome outcomes[256];
};

/*
 * Edge i depends on kind, scale and seed and nothing else: any thread may generate any part. There
 * may be loops and repeated edges, as in the Graph500 specification.
 */
void graph_edges_init(struct graph_edges *edges, enum graph_kind kind, unsigned scale,
		      uint64_t edge_factor, bool wide, uint64_t seed);

static inline uint64_t graph_id_bytes(bool wide)
{
	return wide ? 8 : 4;
}

/* Bytes of the whole list in memory. */
static inline uint64_t graph_edges_bytes(const struct graph_edges *edges)
{
	return edges->nr_edges * 2 * graph_id_bytes(edges->wide);
}

/* Generates the edges [begin, end) into `pairs`. */
void graph_edges_generate(const struct graph_edges *edges, uint64_t begin, uint64_t end,
			  void *pairs);

/* Fills the whole list on the team, and has readers use it from now on. */
void graph_edges_store(struct graph_edges *edges, void *memory, struct team *team);

/*
 * The pairs of the edges [begin, end), at most GRAPH_BLOCK_EDGES: in the list, or generated into
 * `buffer` (room for a block of wide pairs).
 */
struct graph_block {
	uint64_t words[2 * GRAPH_BLOCK_EDGES];
};
const void *graph_edges_read(const struct graph_edges *edges, uint64_t begin, uint64_t end,
			     struct graph_block *buffer);

/* --- the graph (csr.c) ------------------------------------------------------------------------ */

/* The neighbours of v are entries offsets[v] to offsets[v + 1], ascending, each once, without v. */
struct graph {
	uint64_t nr_vertices;
	bool wide;
	uint64_t *offsets;
	void *neighbours;
};

static inline uint64_t graph_id(const void *ids, uint64_t index, bool wide)
{
	return wide ? ((const uint64_t *)ids)[index] : ((const uint32_t *)ids)[index];
}

static inline void graph_id_set(void *ids, uint64_t index, uint64_t id, bool wide)
{
	if (wide)
		((uint64_t *)ids)[index] = id;
	else
		((uint32_t *)ids)[index] = (uint32_t)id;
}

static inline uint64_t graph_degree(const struct graph *graph, uint64_t vertex)
{
	return graph->offsets[vertex + 1] - graph->offsets[vertex];
}

/* Entries of the rows: each edge counts twice. */
static inline uint64_t graph_entries(const struct graph *graph)
{
	return graph->offsets[graph->nr_vertices];
}

/* What the arrays of a graph, and the memory that building needs meanwhile, take. */
static inline uint64_t graph_offsets_bytes(uint64_t nr_vertices)
{
	return (nr_vertices + 1) * sizeof(uint64_t);
}

static inline uint64_t graph_neighbours_bytes(uint64_t nr_edges, bool wide)
{
	return 2 * nr_edges * graph_id_bytes(wide);
}

static inline uint64_t graph_scratch_bytes(uint64_t nr_edges)
{
	return 2 * nr_edges * sizeof(uint16_t);
}

/*
 * Builds the graph of all edges in both directions on the team, without loops and repetitions, into
 * the arrays that the caller has mapped. The result does not depend on the number of threads.
 * `graph_scratch_bytes` of `scratch` are overwritten. ERR_INTERNAL when tables of a thread's own (a
 * 1024th of the graph and more) cannot be had.
 */
int graph_build(struct graph *graph, const struct graph_edges *edges, void *scratch,
		struct team *team, struct err *err);

/* Sorts ids ascending; `spare` has room for as many (sort.c). Below 2^scale_bits, all of them. */
void graph_sort(void *ids, void *spare, uint64_t count, unsigned scale_bits, bool wide);

/* Touches memory for the first time, every member of the team the slice that team_slice() gives. */
void graph_touch(void *memory, uint64_t bytes, struct team *team);

#endif
