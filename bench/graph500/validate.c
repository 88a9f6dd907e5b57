// SPDX-License-Identifier: MIT
/*
 * Validation of a tree in four passes, each on the whole team:
 *
 *   climb   from every vertex to the root, which gives the vertices' depths in the tree (rule 1)
 *   flood   the graph level by level from the root, the parents having no say; who is reached at a
 *           level must have a parent that was reached at the level before (2), and all that are
 *           reached must be in the tree and nobody else (4)
 *   edges   of the list: depths of the ends, at most one apart (3); which tree edges occur
 *   real    tree edges that did not occur (5)
 */
#include "bench/graph500/validate.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define NO_DEPTH  UINT16_MAX
#define BAD_DEPTH (UINT16_MAX - 1)
#define DEPTH_MAX (UINT16_MAX - 2)

struct check {
	const struct graph *graph;
	const struct graph_edges *edges;
	const void *parents;
	uint64_t root;
	struct team *team;
	uint16_t *depths;
	uint64_t *reached, *now, *later, *real; /* bitmaps */
	_Atomic uint64_t nr_later;
	pthread_mutex_t lock;
	struct validation *validation;
};

/* --- what all passes need -----------------------------------------------------------------------
 */

static uint64_t parent_of(const struct check *check, uint64_t vertex)
{
	const uint64_t parent = graph_id(check->parents, vertex, check->graph->wide);

	return !check->graph->wide && parent == UINT32_MAX ? GRAPH_NONE : parent;
}

static bool has_bit(const uint64_t *bitmap, uint64_t vertex)
{
	return __atomic_load_n(&bitmap[vertex / 64], __ATOMIC_RELAXED) >> vertex % 64 & 1;
}

static void set_bit(uint64_t *bitmap, uint64_t vertex)
{
	__atomic_fetch_or(&bitmap[vertex / 64], UINT64_C(1) << vertex % 64, __ATOMIC_RELAXED);
}

static uint16_t depth_of(const struct check *check, uint64_t vertex)
{
	return __atomic_load_n(&check->depths[vertex], __ATOMIC_RELAXED);
}

static struct team_slice vertices_of(const struct check *check, int thread)
{
	return team_slice(check->graph->nr_vertices, 64, thread, team_size(check->team));
}

static void __attribute__((format(printf, 3, 4)))
complain(struct check *check, enum rule rule, const char *format, ...)
{
	struct validation *validation = check->validation;
	uint64_t before = 0;
	va_list args;
	int length;

	pthread_mutex_lock(&check->lock);
	for (int i = 0; i < NR_RULES; i++)
		before += validation->errors[i];
	validation->errors[rule]++;
	if (before == 0) {
		length = snprintf(validation->first, sizeof(validation->first),
				  "rule %d, root %" PRIu64 ": ", rule + 1, check->root);
		va_start(args, format);
		vsnprintf(validation->first + length, sizeof(validation->first) - (size_t)length,
			  format, args);
		va_end(args);
	}
	pthread_mutex_unlock(&check->lock);
}

/* --- climb --------------------------------------------------------------------------------------
 */

/*
 * The depth of a vertex, by that of the nearest ancestor whose depth is known. Threads may climb
 * the same path; they find the same.
 */
static uint16_t climb(const struct check *check, uint64_t vertex)
{
	uint64_t at = vertex, steps = 0;

	while (depth_of(check, at) == NO_DEPTH) {
		const uint64_t parent = parent_of(check, at);

		if (parent >= check->graph->nr_vertices || parent == at || ++steps > DEPTH_MAX)
			return BAD_DEPTH;
		at = parent;
	}
	if (depth_of(check, at) == BAD_DEPTH || depth_of(check, at) + steps > DEPTH_MAX)
		return BAD_DEPTH;
	return (uint16_t)(depth_of(check, at) + steps);
}

static void write_depths(const struct check *check, uint64_t vertex, uint16_t depth)
{
	while (depth_of(check, vertex) == NO_DEPTH) {
		__atomic_store_n(&check->depths[vertex], depth, __ATOMIC_RELAXED);
		if (depth == BAD_DEPTH)
			return;
		depth--;
		vertex = parent_of(check, vertex);
	}
}

static void clear_thread(void *context, int thread)
{
	const struct check *check = context;
	const struct team_slice slice = vertices_of(check, thread);
	const uint64_t word = slice.begin / 64, bytes = (slice.end - slice.begin) / 8;

	memset(check->depths + slice.begin, 0xff, (slice.end - slice.begin) * sizeof(uint16_t));
	memset(check->reached + word, 0, bytes);
	memset(check->now + word, 0, bytes);
	memset(check->later + word, 0, bytes);
	memset(check->real + word, 0, bytes);
}

static void climb_thread(void *context, int thread)
{
	struct check *check = context;
	const struct team_slice slice = vertices_of(check, thread);
	uint64_t nr_vertices = 0, deepest = 0;

	for (uint64_t vertex = slice.begin; vertex < slice.end; vertex++) {
		uint16_t depth;

		if (parent_of(check, vertex) == GRAPH_NONE)
			continue;
		nr_vertices++;
		depth = climb(check, vertex);
		write_depths(check, vertex, depth);
		if (depth == BAD_DEPTH)
			complain(check, RULE_NO_CYCLES,
				 "the parents of vertex %" PRIu64
				 " do not lead to the root within %d steps",
				 vertex, DEPTH_MAX);
		else if (depth > deepest)
			deepest = depth;
	}
	pthread_mutex_lock(&check->lock);
	check->validation->checked += nr_vertices;
	if (deepest > check->validation->depth)
		check->validation->depth = deepest;
	pthread_mutex_unlock(&check->lock);
}

static void check_climbs(struct check *check)
{
	team_run(check->team, clear_thread, check);
	if (parent_of(check, check->root) != check->root)
		complain(check, RULE_NO_CYCLES, "the root is not its own parent");
	check->depths[check->root] = 0;
	team_run(check->team, climb_thread, check);
}

/* --- flood --------------------------------------------------------------------------------------
 */

static void spread(struct check *check, uint64_t vertex)
{
	const struct graph *graph = check->graph;

	for (uint64_t at = graph->offsets[vertex]; at < graph->offsets[vertex + 1]; at++) {
		const uint64_t neighbour = graph_id(graph->neighbours, at, graph->wide);

		if (!has_bit(check->reached, neighbour) && !has_bit(check->later, neighbour))
			set_bit(check->later, neighbour);
	}
}

static void spread_thread(void *context, int thread)
{
	struct check *check = context;
	const struct team_slice slice = vertices_of(check, thread);

	for (uint64_t word = slice.begin / 64; word < slice.end / 64; word++)
		for (uint64_t left = check->now[word]; left; left &= left - 1)
			spread(check, word * 64 + (unsigned)__builtin_ctzll(left));
}

static void check_arrival(struct check *check, uint64_t vertex)
{
	const uint64_t parent = parent_of(check, vertex);

	if (parent == GRAPH_NONE)
		complain(check, RULE_SPANS,
			 "vertex %" PRIu64 " can be reached and is not in the tree", vertex);
	else if (parent < check->graph->nr_vertices && !has_bit(check->now, parent))
		complain(check, RULE_TREE_LEVELS,
			 "the parent of vertex %" PRIu64 " is not one level above it", vertex);
}

static void arrive_thread(void *context, int thread)
{
	struct check *check = context;
	const struct team_slice slice = vertices_of(check, thread);
	uint64_t count = 0;

	for (uint64_t word = slice.begin / 64; word < slice.end / 64; word++) {
		const uint64_t arrived = check->later[word];

		check->reached[word] |= arrived;
		count += (uint64_t)__builtin_popcountll(arrived);
		for (uint64_t left = arrived; left; left &= left - 1)
			check_arrival(check, word * 64 + (unsigned)__builtin_ctzll(left));
	}
	check->nr_later += count;
}

/* What was `now` is all zero before it serves as the next `later`. */
static void advance_thread(void *context, int thread)
{
	struct check *check = context;
	const struct team_slice slice = vertices_of(check, thread);

	memset(check->now + slice.begin / 64, 0, (slice.end - slice.begin) / 8);
}

static void outside_thread(void *context, int thread)
{
	struct check *check = context;
	const struct team_slice slice = vertices_of(check, thread);

	for (uint64_t vertex = slice.begin; vertex < slice.end; vertex++)
		if (parent_of(check, vertex) != GRAPH_NONE && !has_bit(check->reached, vertex))
			complain(check, RULE_SPANS,
				 "vertex %" PRIu64 " is in the tree and cannot be reached", vertex);
}

static void check_levels(struct check *check)
{
	set_bit(check->reached, check->root);
	set_bit(check->now, check->root);
	do {
		uint64_t *last = check->now;

		check->nr_later = 0;
		team_run(check->team, spread_thread, check);
		team_run(check->team, arrive_thread, check);
		team_run(check->team, advance_thread, check);
		check->now = check->later;
		check->later = last;
	} while (check->nr_later > 0);
	team_run(check->team, outside_thread, check);
}

/* --- edges --------------------------------------------------------------------------------------
 */

static void check_edge(struct check *check, uint64_t from, uint64_t to)
{
	const uint16_t a = depth_of(check, from), b = depth_of(check, to);

	if (from == to)
		return;
	if (parent_of(check, from) == to)
		set_bit(check->real, from);
	if (parent_of(check, to) == from)
		set_bit(check->real, to);
	if (a == BAD_DEPTH || b == BAD_DEPTH)
		return; /* refused already, by rule 1 */
	if (a == NO_DEPTH && b == NO_DEPTH)
		return;
	if (a == NO_DEPTH || b == NO_DEPTH)
		complain(check, RULE_EDGE_LEVELS,
			 "of the edge %" PRIu64 " - %" PRIu64 " only one end is in the tree", from,
			 to);
	else if (a > b + 1 || b > a + 1)
		complain(check, RULE_EDGE_LEVELS,
			 "the edge %" PRIu64 " - %" PRIu64 " spans the levels %d and %d", from, to,
			 a, b);
}

static void edges_thread(void *context, int thread)
{
	struct check *check = context;
	const struct graph_edges *edges = check->edges;
	const struct team_slice slice =
		team_slice(edges->nr_edges, GRAPH_BLOCK_EDGES, thread, team_size(check->team));
	struct graph_block block;
	uint64_t inside = 0;

	for (uint64_t at = slice.begin; at < slice.end; at += GRAPH_BLOCK_EDGES) {
		const uint64_t end =
			at + GRAPH_BLOCK_EDGES < slice.end ? at + GRAPH_BLOCK_EDGES : slice.end;
		const void *pairs = graph_edges_read(edges, at, end, &block);

		for (uint64_t i = 0; i < end - at; i++) {
			const uint64_t from = graph_id(pairs, 2 * i, edges->wide);

			check_edge(check, from, graph_id(pairs, 2 * i + 1, edges->wide));
			inside += depth_of(check, from) <= DEPTH_MAX;
		}
	}
	pthread_mutex_lock(&check->lock);
	check->validation->component_edges += inside;
	check->validation->checked += slice.end - slice.begin;
	pthread_mutex_unlock(&check->lock);
}

/* --- real ---------------------------------------------------------------------------------------
 */

static void real_thread(void *context, int thread)
{
	struct check *check = context;
	const struct team_slice slice = vertices_of(check, thread);

	for (uint64_t vertex = slice.begin; vertex < slice.end; vertex++) {
		const uint64_t parent = parent_of(check, vertex);

		if (parent != GRAPH_NONE && vertex != check->root && !has_bit(check->real, vertex))
			complain(check, RULE_REAL_EDGES,
				 "the tree edge %" PRIu64 " - %" PRIu64 " is not in the list",
				 parent, vertex);
	}
}

/* --- all of it ----------------------------------------------------------------------------------
 */

uint64_t validate_scratch_bytes(uint64_t nr_vertices)
{
	return nr_vertices * sizeof(uint16_t) + 4 * (nr_vertices / 8);
}

void validate_tree(const struct graph *graph, const struct graph_edges *edges, const void *parents,
		   uint64_t root, void *scratch, struct team *team, struct validation *validation)
{
	const uint64_t nr_words = graph->nr_vertices / 64;
	uint64_t *bitmaps = scratch;
	struct check check = {
		.graph = graph,
		.edges = edges,
		.parents = parents,
		.root = root,
		.team = team,
		.reached = bitmaps,
		.now = bitmaps + nr_words,
		.later = bitmaps + 2 * nr_words,
		.real = bitmaps + 3 * nr_words,
		.depths = (uint16_t *)(bitmaps + 4 * nr_words),
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.validation = validation,
	};

	assert(root < graph->nr_vertices);
	*validation = (struct validation){0};
	check_climbs(&check);
	check_levels(&check);
	team_run(team, edges_thread, &check);
	team_run(team, real_thread, &check);
	pthread_mutex_destroy(&check.lock);
}
