// SPDX-License-Identifier: MIT
/*
 * The generator of edges. Kronecker: the Graph500 specification, section "Generating the edge list"
 * (A = 0.57, B = 0.19, C = 0.19, D = 0.05 at each level, vertices renumbered at random); uniform:
 * both ends independent. Both read a random function of the edge's number and not a stream, so that
 * the list does not depend on who generates what.
 */
#include <string.h>

#include "bench/graph/graph.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* SplitMix64: Steele, Lea, Flood, OOPSLA 2014. */
static inline uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* --- four levels at once ------------------------------------------------------------------------
 */

/* Initiator of the specification, by bit of row and column. */
static const double initiator[2][2] = {{0.57, 0.19}, {0.19, 0.05}};

static double probability(unsigned outcome)
{
	double product = 1;

	for (unsigned bit = 0; bit < 4; bit++)
		product *= initiator[outcome >> (4 + bit) & 1][outcome >> bit & 1];
	return product;
}

/* Walker, ACM TOMS 1977, in Vose's order (IEEE TSE 1991). */
static void fill_outcomes(struct graph_outcome outcomes[256])
{
	unsigned small[256], large[256], nr_small = 0, nr_large = 0;
	double share[256];

	for (unsigned i = 0; i < 256; i++) {
		share[i] = probability(i) * 256;
		if (share[i] < 1)
			small[nr_small++] = i;
		else
			large[nr_large++] = i;
	}
	while (nr_small > 0 && nr_large > 0) {
		const unsigned from = large[nr_large - 1], to = small[--nr_small];

		outcomes[to] = (struct graph_outcome){(uint32_t)(share[to] * (1 << 24) + 0.5),
						      {(uint8_t)to, (uint8_t)from}};
		share[from] -= 1 - share[to];
		if (share[from] < 1) {
			nr_large--;
			small[nr_small++] = from;
		}
	}
	/* What is left is 1 but for rounding. */
	while (nr_large > 0) {
		const unsigned i = large[--nr_large];

		outcomes[i] = (struct graph_outcome){1 << 24, {(uint8_t)i, (uint8_t)i}};
	}
	while (nr_small > 0) {
		const unsigned i = small[--nr_small];

		outcomes[i] = (struct graph_outcome){1 << 24, {(uint8_t)i, (uint8_t)i}};
	}
}

void graph_edges_init(struct graph_edges *edges, enum graph_kind kind, unsigned scale,
		      uint64_t edge_factor, bool wide, uint64_t seed)
{
	*edges = (struct graph_edges){.kind = kind,
				      .scale = scale,
				      .wide = wide,
				      .nr_vertices = UINT64_C(1) << scale,
				      .nr_edges = edge_factor << scale,
				      .seed = mix(seed * GOLDEN + 1)};
	for (unsigned i = 0; i < 3; i++)
		edges->multipliers[i] = mix(edges->seed + i + 1) | 1;
	edges->addend = mix(edges->seed + 4);
	fill_outcomes(edges->outcomes);
}

/* --- one edge -----------------------------------------------------------------------------------
 */

/*
 * A bijection of [0, 2^scale): odd multipliers and shifted sums can be undone. It spreads the
 * vertices of high degree, which have few bits set, without a table of as many entries.
 */
static inline uint64_t permute(const struct graph_edges *edges, uint64_t vertex)
{
	const uint64_t mask = edges->nr_vertices - 1;
	const unsigned half = (edges->scale + 1) / 2;
	uint64_t x = vertex + edges->addend;

	for (unsigned i = 0; i < 3; i++) {
		x = x * edges->multipliers[i] & mask;
		x ^= x >> half;
	}
	return x;
}

struct edge {
	uint64_t from, to;
};

static inline unsigned outcome_of(const struct graph_outcome *outcomes, uint32_t random)
{
	const struct graph_outcome *entry = &outcomes[random >> 24];

	/* An index and not a choice: nothing here can be predicted. */
	return entry->outcomes[(random & 0xffffff) >= entry->threshold];
}

/* Each word of random bits decides eight levels; the surplus ones of the last word are dropped. */
static inline struct edge kronecker_edge(const struct graph_edges *edges, uint64_t number)
{
	const unsigned nr_words = (edges->scale + 7) / 8;
	const unsigned surplus = nr_words * 8 - edges->scale;
	uint64_t state = edges->seed + number * nr_words * GOLDEN;
	struct edge edge = {0, 0};

	for (unsigned i = 0; i < nr_words; i++) {
		const uint64_t random = mix(state += GOLDEN);
		const unsigned high = outcome_of(edges->outcomes, (uint32_t)(random >> 32));
		const unsigned low = outcome_of(edges->outcomes, (uint32_t)random);

		edge.from = edge.from << 8 | (high & 0xf0) | low >> 4;
		edge.to = edge.to << 8 | (high & 0x0f) << 4 | (low & 0x0f);
	}
	edge.from = permute(edges, edge.from >> surplus);
	edge.to = permute(edges, edge.to >> surplus);
	return edge;
}

static inline struct edge uniform_edge(const struct graph_edges *edges, uint64_t number)
{
	const uint64_t state = edges->seed + 2 * number * GOLDEN, mask = edges->nr_vertices - 1;

	return (struct edge){mix(state + GOLDEN) & mask, mix(state + 2 * GOLDEN) & mask};
}

/* --- the list -----------------------------------------------------------------------------------
 */

static inline __attribute__((always_inline)) void generate(const struct graph_edges *edges,
							   uint64_t begin, uint64_t end,
							   void *pairs, bool wide,
							   enum graph_kind kind)
{
	for (uint64_t i = begin; i < end; i++) {
		const struct edge edge =
			kind == GRAPH_KRONECKER ? kronecker_edge(edges, i) : uniform_edge(edges, i);

		graph_id_set(pairs, 2 * (i - begin), edge.from, wide);
		graph_id_set(pairs, 2 * (i - begin) + 1, edge.to, wide);
	}
}

void graph_edges_generate(const struct graph_edges *edges, uint64_t begin, uint64_t end,
			  void *pairs)
{
	if (edges->kind == GRAPH_KRONECKER && edges->wide)
		generate(edges, begin, end, pairs, true, GRAPH_KRONECKER);
	else if (edges->kind == GRAPH_KRONECKER)
		generate(edges, begin, end, pairs, false, GRAPH_KRONECKER);
	else if (edges->wide)
		generate(edges, begin, end, pairs, true, GRAPH_UNIFORM);
	else
		generate(edges, begin, end, pairs, false, GRAPH_UNIFORM);
}

struct store {
	const struct graph_edges *edges;
	struct team *team;
	char *memory;
};

static void store_thread(void *context, int thread)
{
	const struct store *store = context;
	const uint64_t pair_bytes = 2 * graph_id_bytes(store->edges->wide);
	const struct team_slice slice = team_slice(store->edges->nr_edges, GRAPH_BLOCK_EDGES,
						   thread, team_size(store->team));

	graph_edges_generate(store->edges, slice.begin, slice.end,
			     store->memory + slice.begin * pair_bytes);
}

void graph_edges_store(struct graph_edges *edges, void *memory, struct team *team)
{
	struct store store = {edges, team, memory};

	team_run(team, store_thread, &store);
	edges->stored = memory;
}

const void *graph_edges_read(const struct graph_edges *edges, uint64_t begin, uint64_t end,
			     struct graph_block *buffer)
{
	if (edges->stored)
		return (const char *)edges->stored + begin * 2 * graph_id_bytes(edges->wide);
	graph_edges_generate(edges, begin, end, buffer->words);
	return buffer->words;
}

/* --- first touch --------------------------------------------------------------------------------
 */

struct touch {
	struct team *team;
	volatile char *memory;
	uint64_t bytes;
};

static void touch_thread(void *context, int thread)
{
	const struct touch *touch = context;
	const struct team_slice slice =
		team_slice(touch->bytes, UINT64_C(2) << 20, thread, team_size(touch->team));

	for (uint64_t at = slice.begin; at < slice.end; at += 4096)
		touch->memory[at] = 0;
}

void graph_touch(void *memory, uint64_t bytes, struct team *team)
{
	struct touch touch = {team, memory, bytes};

	team_run(team, touch_thread, &touch);
}
