// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>

#include "bench/graph/graph.h"

static struct team *new_team(int nr_threads)
{
	struct err err = {0};
	struct team *team;
	int cpu = sched_getcpu();

	assert_int_equal(team_create(&team, &cpu, 1, nr_threads, &err), 0);
	return team;
}

static struct graph build(const struct graph_edges *edges, int nr_threads)
{
	struct graph graph = {
		.offsets = malloc(graph_offsets_bytes(edges->nr_vertices)),
		.neighbours = malloc(graph_neighbours_bytes(edges->nr_edges, edges->wide)),
	};
	void *scratch = malloc(graph_scratch_bytes(edges->nr_edges));
	struct team *team = new_team(nr_threads);
	struct err err = {0};

	graph_touch(graph.offsets, graph_offsets_bytes(edges->nr_vertices), team);
	assert_int_equal(graph_build(&graph, edges, scratch, team, &err), 0);
	team_destroy(team);
	free(scratch);
	return graph;
}

static void free_graph(struct graph *graph)
{
	free(graph->offsets);
	free(graph->neighbours);
}

static void a_small_graph_has_the_rows_it_should(void **state)
{
	/* A loop, an edge in both directions, one twice, and a vertex at the far end. */
	static const uint32_t pairs[] = {0, 1, 2, 2, 1, 0, 3, 1, 3, 1, 63, 0, 5, 2};
	struct graph_edges edges;
	struct graph graph;
	const uint32_t *ids;

	(void)state;
	graph_edges_init(&edges, GRAPH_KRONECKER, 6, 1, false, 1);
	edges.nr_edges = sizeof(pairs) / 8;
	edges.stored = pairs;
	graph = build(&edges, 2);
	ids = graph.neighbours;
	assert_int_equal(graph_entries(&graph), 8);
	assert_int_equal(graph_degree(&graph, 0), 2);
	assert_int_equal(graph_degree(&graph, 1), 2);
	assert_int_equal(graph_degree(&graph, 2), 1);
	assert_int_equal(graph_degree(&graph, 3), 1);
	assert_int_equal(graph_degree(&graph, 4), 0);
	assert_int_equal(graph_degree(&graph, 63), 1);
	assert_memory_equal(ids, ((const uint32_t[]){1, 63, 0, 3, 5, 1, 2, 0}), 32);
	free_graph(&graph);
}

/* Against a matrix of all pairs. */
static void expect_all_edges(const struct graph_edges *edges, const struct graph *graph)
{
	const uint64_t n = edges->nr_vertices;
	unsigned char *matrix = calloc(n, n);
	struct graph_block block;
	uint64_t entry = 0;

	for (uint64_t i = 0; i < edges->nr_edges; i++) {
		const void *pair = graph_edges_read(edges, i, i + 1, &block);
		const uint64_t from = graph_id(pair, 0, edges->wide);
		const uint64_t to = graph_id(pair, 1, edges->wide);

		matrix[from * n + to] = matrix[to * n + from] = from != to;
	}
	for (uint64_t from = 0; from < n; from++) {
		assert_int_equal(graph->offsets[from], entry);
		for (uint64_t to = 0; to < n; to++)
			if (matrix[from * n + to])
				assert_int_equal(graph_id(graph->neighbours, entry++, edges->wide),
						 to);
	}
	assert_int_equal(graph_entries(graph), entry);
	free(matrix);
}

static void every_edge_is_there_once_in_both_directions(void **state)
{
	(void)state;
	for (int kind = GRAPH_KRONECKER; kind <= GRAPH_UNIFORM; kind++) {
		for (unsigned scale = 6; scale <= 11; scale += 5) {
			for (int wide = 0; wide <= 1; wide++) {
				struct graph_edges edges;
				struct graph graph;

				graph_edges_init(&edges, kind, scale, 13, wide, 2);
				graph = build(&edges, 3);
				expect_all_edges(&edges, &graph);
				free_graph(&graph);
			}
		}
	}
}

/* Many buckets, long and short rows: stored or generated, one thread or five. */
static void the_graph_does_not_depend_on_threads(void **state)
{
	struct graph_edges edges;
	struct graph one, five;
	struct team *team = new_team(2);
	void *list;

	(void)state;
	graph_edges_init(&edges, GRAPH_KRONECKER, 16, 8, false, 9);
	one = build(&edges, 1);
	list = malloc(graph_edges_bytes(&edges));
	graph_edges_store(&edges, list, team);
	five = build(&edges, 5);
	assert_memory_equal(one.offsets, five.offsets, graph_offsets_bytes(edges.nr_vertices));
	assert_memory_equal(one.neighbours, five.neighbours, graph_entries(&one) * 4);
	assert_in_range(graph_entries(&one), edges.nr_edges, 2 * edges.nr_edges);
	team_destroy(team);
	free(list);
	free_graph(&one);
	free_graph(&five);
}

static int ascending(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y ? 1 : 0;
}

static void lists_of_every_length_are_sorted(void **state)
{
	static const uint64_t lengths[] = {0, 1, 2, 24, 25, 1000, 4096, 4097, 30000};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (unsigned bits = 3; bits <= 30; bits += 9) {
			const uint64_t n = lengths[i];
			uint64_t *wide = malloc(n * 8 + 8), *spare = malloc(n * 8 + 8);
			uint32_t *narrow = malloc(n * 4 + 4);

			for (uint64_t j = 0; j < n; j++)
				wide[j] = narrow[j] = (uint32_t)(j * 2654435761u) >> (32 - bits);
			graph_sort(narrow, spare, n, bits, false);
			graph_sort(wide, spare, n, bits, true);
			for (uint64_t j = 0; j < n; j++)
				spare[j] = (uint32_t)(j * 2654435761u) >> (32 - bits);
			qsort(spare, n, sizeof(*spare), ascending);
			for (uint64_t j = 0; j < n; j++) {
				assert_int_equal(wide[j], spare[j]);
				assert_int_equal(narrow[j], spare[j]);
			}
			free(wide);
			free(spare);
			free(narrow);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_graph_has_the_rows_it_should),
		cmocka_unit_test(every_edge_is_there_once_in_both_directions),
		cmocka_unit_test(the_graph_does_not_depend_on_threads),
		cmocka_unit_test(lists_of_every_length_are_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
