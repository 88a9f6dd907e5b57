// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>

#include "bench/graph500/validate.h"

/*
 * Levels from vertex 0:   0 | 1 2 | 3 6 | 4 | 5, and a component apart, 10 and 11. A loop and a
 * repeated edge count in the list and nowhere else.
 */
static const uint32_t pairs[] = {0, 1, 0, 2, 1, 2, 1,  3,  2,  3,  2, 6,
				 3, 4, 4, 5, 3, 3, 10, 11, 11, 10, 4, 3};
#define NR_PAIRS 12
#define NONE     UINT32_MAX

struct fixture {
	struct graph_edges edges;
	struct graph graph;
	struct team *team;
	uint32_t tree[64];
	unsigned char *scratch;
};

static void start(struct fixture *fixture)
{
	static const uint32_t right[7] = {0, 0, 0, 1, 3, 4, 2};
	struct err err = {0};
	const int cpu = sched_getcpu();

	assert_int_equal(team_create(&fixture->team, &cpu, 1, 2, &err), 0);
	graph_edges_init(&fixture->edges, GRAPH_KRONECKER, 6, 1, false, 1);
	fixture->edges.nr_edges = NR_PAIRS;
	fixture->edges.stored = pairs;
	fixture->graph.offsets = malloc(graph_offsets_bytes(64));
	fixture->graph.neighbours = malloc(graph_neighbours_bytes(NR_PAIRS, false));
	fixture->scratch = malloc(4 * 64 + graph_scratch_bytes(NR_PAIRS));
	assert_true(validate_scratch_bytes(64) <= 4 * 64);
	assert_int_equal(graph_build(&fixture->graph, &fixture->edges, fixture->scratch,
				     fixture->team, &err),
			 0);
	memset(fixture->tree, 0xff, sizeof(fixture->tree));
	memcpy(fixture->tree, right, sizeof(right));
}

static void stop(struct fixture *fixture)
{
	team_destroy(fixture->team);
	free(fixture->graph.offsets);
	free(fixture->graph.neighbours);
	free(fixture->scratch);
}

static void a_right_tree_passes(void **state)
{
	static const uint64_t none[NR_RULES];
	struct validation validation;
	struct fixture fixture;

	(void)state;
	start(&fixture);
	validate_tree(&fixture.graph, &fixture.edges, fixture.tree, 0, fixture.scratch,
		      fixture.team, &validation);
	assert_memory_equal(validation.errors, none, sizeof(none));
	assert_string_equal(validation.first, "");
	assert_int_equal(validation.checked, 7 + NR_PAIRS);
	assert_int_equal(validation.component_edges, 10);
	assert_int_equal(validation.depth, 4);
	stop(&fixture);
}

/* What is wrong with a tree, and how often each rule must be found broken. */
struct wrong {
	const char *what;
	uint64_t root, vertex, parent, vertex2, parent2;
	uint64_t errors[NR_RULES];
};

static void wrong_trees_are_refused_by_their_rules(void **state)
{
	static const struct wrong wrongs[] = {
		/* The edge 4 - 3 is in the list twice. */
		{"a cycle", 0, 4, 5, 5, 4, {2, 1, 0, 0, 0}},
		{"a second root", 0, 5, 5, 5, 5, {1, 1, 0, 0, 1}},
		{"a parent outside the tree", 0, 5, 20, 5, 20, {1, 1, 0, 0, 1}},
		{"a parent that is no vertex", 0, 5, 1000, 5, 1000, {1, 0, 0, 0, 1}},
		{"a root with a parent", 0, 0, 1, 0, 1, {1, 0, 0, 0, 0}},
		{"a tree edge within a level", 0, 2, 1, 2, 1, {0, 1, 1, 0, 0}},
		{"a detour", 0, 3, 2, 2, 1, {0, 1, 2, 0, 0}},
		{"a vertex that is missing", 0, 5, NONE, 5, NONE, {0, 0, 1, 1, 0}},
		{"another component", 0, 10, 0, 11, 10, {0, 0, 0, 2, 1}},
		{"half of another component", 0, 10, 0, 10, 0, {0, 0, 2, 1, 1}},
		{"an edge that is not there", 0, 6, 1, 6, 1, {0, 0, 0, 0, 1}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *wrong = &wrongs[i];
		struct validation validation;
		struct fixture fixture;
		bool named = false;

		start(&fixture);
		fixture.tree[wrong->vertex] = (uint32_t)wrong->parent;
		fixture.tree[wrong->vertex2] = (uint32_t)wrong->parent2;
		validate_tree(&fixture.graph, &fixture.edges, fixture.tree, wrong->root,
			      fixture.scratch, fixture.team, &validation);
		for (int rule = 0; rule < NR_RULES; rule++) {
			char text[16];

			snprintf(text, sizeof(text), "rule %d,", rule + 1);
			if (validation.errors[rule] != wrong->errors[rule])
				fail_msg("%s: rule %d broken %d times, not %d", wrong->what,
					 rule + 1, (int)validation.errors[rule],
					 (int)wrong->errors[rule]);
			named |= wrong->errors[rule] && strstr(validation.first, text);
		}
		if (!named)
			fail_msg("%s: '%s'", wrong->what, validation.first);
		stop(&fixture);
	}
}

/* The same tree is right from one root and wrong from another. */
static void the_root_matters(void **state)
{
	struct validation validation;
	struct fixture fixture;

	(void)state;
	start(&fixture);
	validate_tree(&fixture.graph, &fixture.edges, fixture.tree, 3, fixture.scratch,
		      fixture.team, &validation);
	assert_true(validation.errors[RULE_NO_CYCLES] > 0);
	stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_tree_passes),
		cmocka_unit_test(wrong_trees_are_refused_by_their_rules),
		cmocka_unit_test(the_root_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
