// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
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

/* What the alias table amounts to: A, B, C and D of each of four levels, multiplied. */
static void four_levels_have_the_specified_probabilities(void **state)
{
	static const double levels[4] = {0.57, 0.19, 0.19, 0.05};
	struct graph_edges edges;
	double sums[256] = {0};

	(void)state;
	graph_edges_init(&edges, GRAPH_KRONECKER, 10, 1, false, 1);
	for (int i = 0; i < 256; i++) {
		const double share = edges.outcomes[i].threshold / 16777216.0;

		assert_in_range(edges.outcomes[i].threshold, 0, 1 << 24);
		sums[edges.outcomes[i].outcomes[0]] += share / 256;
		sums[edges.outcomes[i].outcomes[1]] += (1 - share) / 256;
	}
	for (int i = 0; i < 256; i++) {
		double expected = 1;

		for (int bit = 0; bit < 4; bit++)
			expected *= levels[(i >> (4 + bit) & 1) * 2 + (i >> bit & 1)];
		assert_true(fabs(sums[i] - expected) < 2e-8);
	}
}

static int descending(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/*
 * How often each vertex begins an edge: 0.76^zeros 0.24^ones by its bits before renumbering. Were
 * the renumbering no bijection, or a level forgotten, the sorted counts would differ.
 */
static void vertices_occur_as_often_as_they_should(void **state)
{
	static const int choose[7] = {1, 6, 15, 20, 15, 6, 1};
	struct graph_edges edges;
	uint64_t counts[64] = {0};
	uint32_t *pairs;
	int at = 0;

	(void)state;
	graph_edges_init(&edges, GRAPH_KRONECKER, 6, 8192, false, 3);
	pairs = malloc(graph_edges_bytes(&edges));
	graph_edges_generate(&edges, 0, edges.nr_edges, pairs);
	for (uint64_t i = 0; i < edges.nr_edges; i++)
		counts[pairs[2 * i]]++;
	qsort(counts, 64, sizeof(counts[0]), descending);
	for (int ones = 0; ones <= 6; ones++) {
		const double expected =
			(double)edges.nr_edges * pow(0.76, 6 - ones) * pow(0.24, ones);

		for (int i = 0; i < choose[ones]; i++, at++)
			assert_true(fabs((double)counts[at] - expected) < 5 * sqrt(expected) + 1);
	}
	assert_int_equal(at, 64);
	free(pairs);
}

static void uniform_edges_are_even(void **state)
{
	struct graph_edges edges;
	uint64_t counts[64] = {0}, loops = 0;
	uint32_t *pairs;

	(void)state;
	graph_edges_init(&edges, GRAPH_UNIFORM, 6, 4096, false, 3);
	pairs = malloc(graph_edges_bytes(&edges));
	graph_edges_generate(&edges, 0, edges.nr_edges, pairs);
	for (uint64_t i = 0; i < edges.nr_edges; i++) {
		counts[pairs[2 * i]]++;
		counts[pairs[2 * i + 1]]++;
		loops += pairs[2 * i] == pairs[2 * i + 1];
	}
	for (int i = 0; i < 64; i++)
		assert_in_range(counts[i], 8192 - 5 * 91, 8192 + 5 * 91);
	assert_in_range(loops, 4096 - 5 * 64, 4096 + 5 * 64);
	free(pairs);
}

/* The same list for any number of threads, width of ids, and when read in pieces. */
static void the_list_depends_on_the_seed_alone(void **state)
{
	(void)state;
	for (int kind = GRAPH_KRONECKER; kind <= GRAPH_UNIFORM; kind++) {
		struct graph_edges narrow, wide, other;
		struct team *one = new_team(1), *five = new_team(5);
		struct graph_block block;
		uint32_t *a;
		uint64_t *b, differing = 0;

		graph_edges_init(&narrow, kind, 11, 7, false, 5);
		graph_edges_init(&wide, kind, 11, 7, true, 5);
		graph_edges_init(&other, kind, 11, 7, true, 6);
		a = malloc(graph_edges_bytes(&narrow));
		b = malloc(graph_edges_bytes(&wide));
		assert_int_equal(narrow.nr_edges, 7 << 11);
		graph_edges_store(&narrow, a, one);
		graph_edges_store(&wide, b, five);
		for (uint64_t i = 0; i < narrow.nr_edges; i++) {
			const uint64_t *pair = graph_edges_read(&other, i, i + 1, &block);

			assert_int_equal(a[2 * i], b[2 * i]);
			assert_int_equal(a[2 * i + 1], b[2 * i + 1]);
			assert_true(a[2 * i] < 2048 && a[2 * i + 1] < 2048);
			differing += pair[0] != a[2 * i];
		}
		assert_true(differing > narrow.nr_edges / 2);
		wide.stored = NULL;
		assert_memory_equal(graph_edges_read(&wide, 1000, 2000, &block), b + 2000,
				    1000 * 16);
		team_destroy(one);
		team_destroy(five);
		free(a);
		free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_levels_have_the_specified_probabilities),
		cmocka_unit_test(vertices_occur_as_often_as_they_should),
		cmocka_unit_test(uniform_edges_are_even),
		cmocka_unit_test(the_list_depends_on_the_seed_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
