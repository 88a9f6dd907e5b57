// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>

#include "bench/graph500/search.h"

struct fixture {
	struct graph_edges edges;
	struct graph graph;
	struct team *team;
	struct search search;
	uint64_t root;
	void *parents;
};

static void start(struct fixture *fixture, const struct graph_edges *edges, enum search_how how,
		  int nr_threads)
{
	const int cpu = sched_getcpu();
	const uint64_t n = edges->nr_vertices;
	void *scratch = malloc(graph_scratch_bytes(edges->nr_edges));
	struct err err = {0};

	*fixture = (struct fixture){.edges = *edges};
	assert_int_equal(team_create(&fixture->team, &cpu, 1, nr_threads, &err), 0);
	fixture->graph.offsets = malloc(graph_offsets_bytes(n));
	fixture->graph.neighbours = malloc(graph_neighbours_bytes(edges->nr_edges, edges->wide));
	assert_int_equal(graph_build(&fixture->graph, edges, scratch, fixture->team, &err), 0);
	free(scratch);
	fixture->parents = malloc(n * graph_id_bytes(edges->wide));
	fixture->search.graph = &fixture->graph;
	fixture->search.team = fixture->team;
	fixture->search.how = how;
	fixture->search.lonely = malloc(n / 8);
	fixture->search.visited = malloc(n / 8);
	fixture->search.fronts[0] = malloc(n / 8);
	fixture->search.fronts[1] = malloc(n / 8);
	fixture->search.queue = malloc(n * graph_id_bytes(edges->wide));
	search_prepare(&fixture->search);
}

static void stop(struct fixture *fixture)
{
	team_destroy(fixture->team);
	free(fixture->graph.offsets);
	free(fixture->graph.neighbours);
	free(fixture->parents);
	free(fixture->search.lonely);
	free(fixture->search.visited);
	free(fixture->search.fronts[0]);
	free(fixture->search.fronts[1]);
	free(fixture->search.queue);
}

static void search_thread(void *context, int thread)
{
	struct fixture *fixture = context;

	search_run(&fixture->search, fixture->root, fixture->parents, thread);
}

/* Distances by relaxation of the list of edges, until nothing changes. */
static uint32_t *distances_from(const struct graph_edges *edges, uint64_t root)
{
	uint32_t *distances = malloc(edges->nr_vertices * sizeof(*distances));
	struct graph_block block;
	bool changed = true;

	memset(distances, 0xff, edges->nr_vertices * sizeof(*distances));
	distances[root] = 0;
	while (changed) {
		changed = false;
		for (uint64_t i = 0; i < edges->nr_edges; i++) {
			const void *pair = graph_edges_read(edges, i, i + 1, &block);
			uint32_t *a = &distances[graph_id(pair, 0, edges->wide)];
			uint32_t *b = &distances[graph_id(pair, 1, edges->wide)];
			uint32_t *low = *a < *b ? a : b, *high = *a < *b ? b : a;

			if (*low != UINT32_MAX && *high > *low + 1) {
				*high = *low + 1;
				changed = true;
			}
		}
	}
	return distances;
}

static void expect_shortest_paths(struct fixture *fixture, uint64_t root)
{
	uint32_t *distances = distances_from(&fixture->edges, root);
	const bool wide = fixture->edges.wide;

	fixture->root = root;
	team_run(fixture->team, search_thread, fixture);
	for (uint64_t vertex = 0; vertex < fixture->edges.nr_vertices; vertex++) {
		const uint64_t parent = graph_id(fixture->parents, vertex, wide);

		if (distances[vertex] == UINT32_MAX)
			assert_true(parent == (wide ? GRAPH_NONE : UINT32_MAX));
		else if (vertex == root)
			assert_int_equal(parent, root);
		else
			assert_int_equal(distances[parent], distances[vertex] - 1);
	}
	free(distances);
}

static void searches_find_shortest_paths(void **state)
{
	static const struct {
		enum graph_kind kind;
		unsigned scale, edge_factor;
	} graphs[] = {{GRAPH_KRONECKER, 12, 16},
		      {GRAPH_KRONECKER, 13, 1},
		      {GRAPH_UNIFORM, 12, 8},
		      {GRAPH_UNIFORM, 10, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(graphs) / sizeof(graphs[0]); i++) {
		for (int variant = 0; variant < 8; variant++) {
			struct graph_edges edges;
			struct fixture fixture;

			graph_edges_init(&edges, graphs[i].kind, graphs[i].scale,
					 graphs[i].edge_factor, variant & 1, 4);
			start(&fixture, &edges,
			      variant & 2 ? SEARCH_TOP_DOWN : SEARCH_BOTH_DIRECTIONS,
			      variant & 4 ? 3 : 1);
			for (uint64_t root = 0; root < 1024; root += 341)
				expect_shortest_paths(&fixture, root);
			stop(&fixture);
		}
	}
}

/* One long path: a step for every vertex, in both directions from the middle. */
static void a_path_is_followed_to_its_ends(void **state)
{
	uint32_t pairs[2 * 255];
	struct graph_edges edges;
	struct fixture fixture;

	(void)state;
	for (uint32_t i = 0; i < 255; i++) {
		pairs[2 * i] = i;
		pairs[2 * i + 1] = i + 1;
	}
	graph_edges_init(&edges, GRAPH_KRONECKER, 8, 1, false, 1);
	edges.nr_edges = 255;
	edges.stored = pairs;
	start(&fixture, &edges, SEARCH_BOTH_DIRECTIONS, 2);
	expect_shortest_paths(&fixture, 0);
	expect_shortest_paths(&fixture, 130);
	expect_shortest_paths(&fixture, 255);
	stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(searches_find_shortest_paths),
		cmocka_unit_test(a_path_is_followed_to_its_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
