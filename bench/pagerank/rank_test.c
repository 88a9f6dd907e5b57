// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <sched.h>

#include "bench/pagerank/rank.h"

struct fixture {
	struct graph_edges edges;
	struct graph graph;
	struct team *team;
	struct rank rank;
	void *memory;
};

static void start(struct fixture *fixture, const struct graph_edges *edges, int nr_threads)
{
	const int cpu = sched_getcpu();
	const uint64_t n = edges->nr_vertices;
	struct err err = {0};
	void *scratch = malloc(graph_scratch_bytes(edges->nr_edges));

	*fixture = (struct fixture){.edges = *edges};
	assert_int_equal(team_create(&fixture->team, &cpu, 1, nr_threads, &err), 0);
	fixture->graph.offsets = malloc(graph_offsets_bytes(n));
	fixture->graph.neighbours = malloc(graph_neighbours_bytes(edges->nr_edges, edges->wide));
	assert_int_equal(graph_build(&fixture->graph, edges, scratch, fixture->team, &err), 0);
	free(scratch);
	fixture->rank.graph = &fixture->graph;
	fixture->rank.team = fixture->team;
	fixture->rank.iterations = 1000;
	fixture->rank.tolerance = 1e-7;
	fixture->rank.ranks = malloc(n * sizeof(float));
	fixture->rank.shares[0] = malloc(n * sizeof(float));
	fixture->rank.shares[1] = malloc(n * sizeof(float));
	fixture->memory = malloc(2 * n * sizeof(long double));
}

static void stop(struct fixture *fixture)
{
	team_destroy(fixture->team);
	free(fixture->graph.offsets);
	free(fixture->graph.neighbours);
	free(fixture->rank.ranks);
	free(fixture->rank.shares[0]);
	free(fixture->rank.shares[1]);
	free(fixture->memory);
}

static void rank_thread(void *context, int thread)
{
	rank_run(context, thread);
}

/*
 * A star of 0 and three leaves, two vertices that have only each other, and 58 alone. With
 * b = 0.15 / 64: alone b; the pair r = b + 0.85 r, so 1/64; the centre c = b + 0.85 * 3 l and the
 * leaves l = b + 0.85 c / 3, so c = b (1 + 2.55) / (1 - 0.7225).
 */
static void a_star_and_a_pair_have_their_exact_ranks(void **state)
{
	static const uint32_t pairs[] = {0, 1, 2, 0, 0, 3, 7, 8, 8, 7, 5, 5};
	const double base = 0.15 / 64, centre = base * 3.55 / 0.2775;
	const double leaf = base + 0.85 * centre / 3;

	(void)state;
	for (int variant = 0; variant < 4; variant++) {
		struct graph_edges edges;
		struct fixture fixture;

		graph_edges_init(&edges, GRAPH_KRONECKER, 6, 1, false, 1);
		edges.nr_edges = 6;
		edges.stored = pairs;
		start(&fixture, &edges, variant & 1 ? 3 : 1);
		fixture.rank.in_place = variant & 2;
		fixture.rank.iterations = 200;
		fixture.rank.tolerance = 0;
		team_run(fixture.team, rank_thread, &fixture.rank);
		for (int i = 0; i < 64; i++) {
			const double expected = i == 0             ? centre
						: i <= 3           ? leaf
						: i == 7 || i == 8 ? 1.0 / 64
								   : base;

			if (!(fabs((double)fixture.rank.ranks[i] - expected) < 1e-6 * expected))
				fail_msg("rank %d is %.9g, not %.9g", i,
					 (double)fixture.rank.ranks[i], expected);
		}
		assert_true(fixture.rank.change < 1e-7 && fixture.rank.done == 200);
		stop(&fixture);
	}
}

/* One sweep, by hand: 1/64 each before; the centre gets all of its leaves, they a third of it. */
static void one_sweep_is_one_step(void **state)
{
	static const uint32_t pairs[] = {0, 1, 2, 0, 0, 3};
	struct graph_edges edges;
	struct fixture fixture;

	(void)state;
	graph_edges_init(&edges, GRAPH_KRONECKER, 6, 1, false, 1);
	edges.nr_edges = 3;
	edges.stored = pairs;
	start(&fixture, &edges, 1);
	fixture.rank.iterations = 1;
	fixture.rank.tolerance = 0;
	team_run(fixture.team, rank_thread, &fixture.rank);
	assert_int_equal(fixture.rank.done, 1);
	assert_true(fabs((double)fixture.rank.ranks[0] - (0.15 + 0.85 * 3) / 64) < 1e-8);
	assert_true(fabs((double)fixture.rank.ranks[1] - (0.15 + 0.85 / 3) / 64) < 1e-8);
	assert_true(fabs((double)fixture.rank.ranks[9] - 0.15 / 64) < 1e-9);
	assert_true(fabs(fixture.rank.change - (0.85 * 2 + 3 * 0.85 * 2 / 3 + 60 * 0.85) / 64) <
		    1e-6);
	stop(&fixture);
}

static void ranks_do_not_depend_on_threads(void **state)
{
	struct graph_edges edges;
	struct fixture one, three;

	(void)state;
	graph_edges_init(&edges, GRAPH_KRONECKER, 14, 16, false, 6);
	start(&one, &edges, 1);
	edges.wide = true;
	start(&three, &edges, 3);
	one.rank.iterations = three.rank.iterations = 5;
	team_run(one.team, rank_thread, &one.rank);
	team_run(three.team, rank_thread, &three.rank);
	assert_memory_equal(one.rank.ranks, three.rank.ranks, edges.nr_vertices * sizeof(float));
	stop(&one);
	stop(&three);
}

static void the_reference_agrees_and_notices(void **state)
{
	(void)state;
	for (int kind = GRAPH_KRONECKER; kind <= GRAPH_UNIFORM; kind++) {
		struct graph_edges edges;
		struct fixture fixture;
		struct reference reference;

		graph_edges_init(&edges, kind, 12, 16, kind == GRAPH_UNIFORM, 6);
		start(&fixture, &edges, 2);
		fixture.rank.tolerance = 1e-4;
		team_run(fixture.team, rank_thread, &fixture.rank);
		reference_compare(&fixture.rank, 1e-5, fixture.memory, &reference);
		assert_int_equal(reference.wrong, 0);
		assert_int_equal(reference.iterations, fixture.rank.done);
		assert_true(reference.change < 1e-4 && reference.worst < 1e-6);
		assert_true(reference_residual(&fixture.rank, fixture.memory) < 1e-4);
		fixture.rank.ranks[77] *= 1.0001f;
		fixture.rank.ranks[99] = NAN;
		reference_compare(&fixture.rank, 1e-5, fixture.memory, &reference);
		assert_int_equal(reference.wrong, 2);
		fixture.rank.ranks[99] = 0.5f;
		assert_true(reference_residual(&fixture.rank, fixture.memory) > 0.4);
		fixture.rank.ranks[99] = NAN;
		assert_true(isnan(reference_residual(&fixture.rank, fixture.memory)));
		stop(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_star_and_a_pair_have_their_exact_ranks),
		cmocka_unit_test(one_sweep_is_one_step),
		cmocka_unit_test(ranks_do_not_depend_on_threads),
		cmocka_unit_test(the_reference_agrees_and_notices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
