// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>
#include <unistd.h>

#include "bench/canneal/canneal.h"
#include "bench/canneal/names.h"
#include "datasets/netlist_write.h"

struct fixture {
	struct arena arena;
	struct team *team;
	struct workload_run run;
	struct netlist_plan plan;
	struct canneal_net net;
};

static void no_progress(struct workload_run *run, double done)
{
	(void)run;
	assert_true(done > 0 && done <= 1);
}

static void open_fixture(struct fixture *fixture, int nr_threads)
{
	const struct arena_policy policy = {.thp = ARENA_THP_NEVER};
	const int cpu = sched_getcpu();

	*fixture = (struct fixture){.net.element_bytes = CANNEAL_ELEMENT_MIN};
	arena_init(&fixture->arena, &policy);
	assert_int_equal(team_create(&fixture->team, &cpu, 1, nr_threads, NULL), 0);
	fixture->run = (struct workload_run){.arena = &fixture->arena,
					     .team = fixture->team,
					     .nr_threads = nr_threads,
					     .progress = no_progress};
}

static void close_fixture(struct fixture *fixture)
{
	team_destroy(fixture->team);
	arena_fini(&fixture->arena);
}

static void generate(struct fixture *fixture, uint64_t elements, int nr_threads)
{
	struct err err = {0};

	open_fixture(fixture, nr_threads);
	assert_int_equal(netlist_plan_make(&fixture->plan, elements, 5, 0.9, 11, &err), 0);
	if (canneal_generate(&fixture->net, &fixture->plan, &fixture->run, &err) != 0)
		fail_msg("%s", err.text);
}

/* Loads a netlist from text; the error's text, or NULL. */
static const char *load_text(struct fixture *fixture, const char *text, int nr_threads,
			     struct err *err)
{
	char path[] = "/tmp/canneal-test.XXXXXX";
	const int fd = mkstemp(path);
	int failed;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
	*err = (struct err){0};
	open_fixture(fixture, nr_threads);
	failed = canneal_load(&fixture->net, path, &fixture->run, err);
	unlink(path);
	return failed ? err->text : NULL;
}

static struct canneal_verdict check(struct fixture *fixture, bool with_plan)
{
	struct canneal_verdict verdict;

	assert_int_equal(canneal_check(&fixture->net, with_plan ? &fixture->plan : NULL,
				       fixture->team, &verdict, NULL),
			 0);
	return verdict;
}

/* --- building --------------------------------------------------------------------------------- */

/*
 * Three elements and an empty place on a grid of 2 by 2: a at (0,0), b at (0,1), c at (1,0).
 * a-b 1, b-a 1, c-a 1, c-b 2.
 */
static void a_small_netlist_has_the_known_cost(void **state)
{
	struct canneal_verdict verdict;
	struct fixture fixture;
	struct err err;

	(void)state;
	for (int threads = 1; threads <= 3; threads++) {
		const char *error = load_text(&fixture,
					      "3 2 2\n"
					      "a 1 b END\nb 2 a END\nc 1 a b END\n",
					      threads, &err);

		if (error)
			fail_msg("%s", error);
		assert_int_equal(canneal_cost(&fixture.net, fixture.team), 5);
		verdict = check(&fixture, false);
		assert_int_equal(verdict.errors, 0);
		assert_int_equal(verdict.cost, 5);
		assert_int_equal(canneal_element(&fixture.net, 0)->fan_out, 2);
		assert_int_equal(canneal_element(&fixture.net, 3)->fan_in, 0);
		close_fixture(&fixture);
	}
}

static void building_does_not_depend_on_threads(void **state)
{
	struct fixture one, many;

	(void)state;
	generate(&one, 2000, 1);
	generate(&many, 2000, 3);
	assert_int_equal(check(&one, true).errors, 0);
	assert_int_equal(check(&many, true).errors, 0);
	assert_int_equal(canneal_cost(&one.net, one.team), canneal_cost(&many.net, many.team));
	for (uint64_t i = 0; i < one.net.places; i++) {
		const struct canneal_element *left = canneal_element(&one.net, i);
		const struct canneal_element *right = canneal_element(&many.net, i);

		assert_int_equal(left->fan_in, right->fan_in);
		assert_int_equal(left->fan_out, right->fan_out);
		for (uint64_t k = 0; k < left->fan_in + left->fan_out; k++)
			assert_int_equal((unsigned char *)left->pins[k] - one.net.records,
					 (unsigned char *)right->pins[k] - many.net.records);
	}
	close_fixture(&one);
	close_fixture(&many);
}

static void a_file_is_the_same_as_its_plan(void **state)
{
	char path[] = "/tmp/canneal-test.XXXXXX", sums[64];
	struct netlist_write write = {.file = path, .block_elements = 64, .nr_threads = 1};
	struct fixture generated, loaded;
	struct canneal_net measured = {.element_bytes = CANNEAL_ELEMENT_MIN};
	struct err err = {0};

	(void)state;
	close(mkstemp(path));
	unlink(path);
	snprintf(sums, sizeof(sums), "%s.sums", path);
	generate(&generated, 1000, 2);
	write.plan = generated.plan;
	assert_int_equal(netlist_write(&write, &err), 0);
	assert_int_equal(canneal_measure(&measured, path, &err), 0);
	/* Names that are numbers, then, without the sums, what anybody's file is read by. */
	for (int threads = 1; threads <= 3; threads++) {
		open_fixture(&loaded, threads);
		if (canneal_load(&loaded.net, path, &loaded.run, &err) != 0)
			fail_msg("%s", err.text);
		loaded.plan = generated.plan;
		assert_int_equal(check(&loaded, true).errors, 0);
		assert_int_equal(measured.connections, loaded.net.connections);
		assert_int_equal(canneal_cost(&loaded.net, loaded.team),
				 canneal_cost(&generated.net, generated.team));
		close_fixture(&loaded);
		unlink(sums);
	}
	unlink(path);
	close_fixture(&generated);
}

static void bad_netlists_are_refused_by_line(void **state)
{
	static const struct {
		const char *text, *error;
	} files[] = {
		{"2 2 2\na 1 c END\nb 1 a END\n", "line 2: no line defines element 'c'"},
		{"2 2 2\na 1 b END\na 1 b END\n", "line 3: a second element 'a'"},
		{"3 2 2\na 1 b END\nb 1 a END\n", "truncated"},
		{"2 2 2\na 1 b END\nb 1 a\n", "line 3: no END"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct fixture fixture;
		struct err err;
		const char *error = load_text(&fixture, files[i].text, 2, &err);

		if (!error || !strstr(error, files[i].error))
			fail_msg("file %d: '%s', not '%s'", (int)i, error ? error : "no error",
				 files[i].error);
		assert_int_equal(err.kind, ERR_USAGE);
		close_fixture(&fixture);
	}
}

static void names_are_found_again(void **state)
{
	struct names names;
	char name[32];

	(void)state;
	assert_int_equal(names_init(&names, 5000, NULL), 0);
	for (uint64_t i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "a_rather_long_name_%d", (int)i);
		assert_true(names_add(&names, name, strlen(name), i));
		assert_false(names_add(&names, name, strlen(name), i));
	}
	for (uint64_t i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "a_rather_long_name_%d", (int)i);
		assert_int_equal(names_find(&names, name, strlen(name)), i);
	}
	assert_int_equal(names_find(&names, "a", 1), UINT64_MAX);
	names_fini(&names);
}

/* --- annealing -------------------------------------------------------------------------------- */

struct annealing {
	struct fixture *fixture;
	struct canneal_anneal anneal;
	struct canneal_moves moves[8];
};

static void anneal_thread(void *context, int thread)
{
	struct annealing *annealing = context;

	annealing->moves[thread] =
		canneal_anneal(&annealing->fixture->net, &annealing->anneal, thread);
}

static struct canneal_moves anneal(struct fixture *fixture, uint64_t steps, uint64_t swaps,
				   double temperature, uint64_t lookahead)
{
	struct annealing annealing = {.fixture = fixture,
				      .anneal = {.steps = steps,
						 .swaps = swaps,
						 .start_temperature = temperature,
						 .seed = 5,
						 .lookahead = lookahead,
						 .team = fixture->team,
						 .nr_threads = fixture->run.nr_threads}};
	struct canneal_moves all = {0};

	team_run(fixture->team, anneal_thread, &annealing);
	for (int i = 0; i < fixture->run.nr_threads; i++) {
		all.tried += annealing.moves[i].tried;
		all.lowered += annealing.moves[i].lowered;
		all.raised += annealing.moves[i].raised;
		all.cost += annealing.moves[i].cost;
	}
	return all;
}

/* Few elements, so that partners are often neighbours, and connections to oneself are met. */
static void one_thread_knows_the_cost_exactly(void **state)
{
	struct fixture fixture;
	struct err err;
	uint64_t cost;

	(void)state;
	assert_null(load_text(&fixture,
			      "6 3 3\na 1 b b c END\nb 2 a END\nc 1 c c a END\nd 1 a b c e END\n"
			      "e 1 END\nf 1 f d END\n",
			      1, &err));
	for (uint64_t swaps = 1; swaps < 200; swaps++) {
		cost = canneal_cost(&fixture.net, fixture.team);
		cost += (uint64_t)anneal(&fixture, 1, swaps, 10, 0).cost;
		assert_int_equal(check(&fixture, false).cost, cost);
		assert_int_equal(check(&fixture, false).errors, 0);
	}
	close_fixture(&fixture);
}

static void cold_steps_only_shorten(void **state)
{
	struct fixture fixture;
	struct canneal_moves moves;
	uint64_t start;

	(void)state;
	for (int lookahead = 0; lookahead <= 8; lookahead += 8) {
		generate(&fixture, 2000, 1);
		start = canneal_cost(&fixture.net, fixture.team);
		moves = anneal(&fixture, 5, 20000, 1e-9, (uint64_t)lookahead);
		assert_int_equal(moves.tried, 100000);
		/* Only swaps that change nothing are accepted besides. */
		assert_true(moves.lowered > 1000 && moves.raised < moves.lowered);
		assert_true(moves.cost < 0);
		assert_int_equal(canneal_cost(&fixture.net, fixture.team),
				 start + (uint64_t)moves.cost);
		assert_true((uint64_t)-moves.cost > start / 4);
		assert_int_equal(check(&fixture, true).errors, 0);
		close_fixture(&fixture);
	}
}

/* At an endless temperature half of the swaps lengthen, and nearly all are done. */
static void hot_steps_accept_nearly_all(void **state)
{
	struct fixture fixture;
	struct canneal_moves moves;

	(void)state;
	generate(&fixture, 2000, 1);
	moves = anneal(&fixture, 1, 20000, 1e12, 0);
	assert_in_range(moves.lowered, 8000, 12000);
	assert_in_range(moves.lowered + moves.raised, 19990, 20000);
	close_fixture(&fixture);
}

static void threads_lose_no_place(void **state)
{
	struct fixture fixture;
	struct canneal_moves moves;
	struct canneal_verdict verdict;

	(void)state;
	/* So few that threads often want the same element. */
	generate(&fixture, 20, 4);
	moves = anneal(&fixture, 20, 10001, 1e6, 0);
	assert_int_equal(moves.tried, 200020);
	verdict = check(&fixture, true);
	if (verdict.errors)
		fail_msg("%s", verdict.first);
	close_fixture(&fixture);
}

/* --- the check -------------------------------------------------------------------------------- */

static void expect_refused(struct fixture *fixture, const char *words)
{
	const struct canneal_verdict verdict = check(fixture, true);

	assert_true(verdict.errors > 0);
	if (!strstr(verdict.first, words))
		fail_msg("'%s', not '%s'", verdict.first, words);
}

static void damage_is_refused(void **state)
{
	struct fixture fixture;
	struct canneal_element *a, *b;
	struct canneal_element **pins;
	uintptr_t kept;

	(void)state;
	generate(&fixture, 300, 2);
	a = canneal_element(&fixture.net, 10);
	b = canneal_element(&fixture.net, 20);
	assert_int_equal(check(&fixture, true).errors, 0);
	kept = a->location;
	a->location = b->location;
	expect_refused(&fixture, "shares its place");
	a->location = kept | 1;
	expect_refused(&fixture, "at no place");
	a->location = kept;
	fixture.net.locations[7].x++;
	expect_refused(&fixture, "location of that number");
	fixture.net.locations[7].x--;
	a->pins[0] = a->pins[0] == b ? canneal_element(&fixture.net, 21) : b;
	expect_refused(&fixture, "another element than planned");
	a->pins[0] = (struct canneal_element *)((char *)b + 8);
	expect_refused(&fixture, "leads to no element");
	a->pins[0] = canneal_element(&fixture.net, netlist_fan_in(&fixture.plan, 10, 0));
	pins = b->pins;
	b->pins = NULL;
	expect_refused(&fixture, "list of pins");
	b->pins = pins;
	b->pins[b->fan_in] = b;
	expect_refused(&fixture, "two ends");
	close_fixture(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_netlist_has_the_known_cost),
		cmocka_unit_test(building_does_not_depend_on_threads),
		cmocka_unit_test(a_file_is_the_same_as_its_plan),
		cmocka_unit_test(bad_netlists_are_refused_by_line),
		cmocka_unit_test(names_are_found_again),
		cmocka_unit_test(one_thread_knows_the_cost_exactly),
		cmocka_unit_test(cold_steps_only_shorten),
		cmocka_unit_test(hot_steps_accept_nearly_all),
		cmocka_unit_test(threads_lose_no_place),
		cmocka_unit_test(damage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
