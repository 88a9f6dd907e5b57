// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>

#include "bench/xsbench/xsbench.h"

static struct team *new_team(int nr_threads)
{
	struct err err = {0};
	struct team *team;
	const int cpu = sched_getcpu();

	assert_int_equal(team_create(&team, &cpu, 1, nr_threads, &err), 0);
	return team;
}

static void no_progress(struct workload_run *run, double done)
{
	(void)run;
	(void)done;
}

static struct xs_data new_data(enum xs_grid grid, uint64_t nuclides, uint64_t gridpoints,
			       uint64_t seed, int nr_threads)
{
	struct xs_data data = {.grid = grid,
			       .nuclides = nuclides,
			       .gridpoints = gridpoints,
			       .hash_bins = 77,
			       .seed = seed};
	struct workload_run run = {
		.team = new_team(nr_threads), .nr_threads = nr_threads, .progress = no_progress};
	struct err err = {0};

	data.points = aligned_alloc(64, (nuclides * gridpoints * sizeof(data.points[0]) | 63) + 1);
	data.energies = calloc(nuclides * gridpoints, sizeof(data.energies[0]));
	data.index = calloc(xs_index_rows(&data) * nuclides + 1, sizeof(data.index[0]));
	data.parts = calloc(xs_parts_total(nuclides), sizeof(data.parts[0]));
	assert_int_equal(xs_build(&data, &run, &err), 0);
	team_destroy(run.team);
	return data;
}

static void free_data(struct xs_data *data)
{
	free(data->points);
	free(data->energies);
	free(data->index);
	free(data->parts);
}

static uint64_t errors_of(const struct xs_data *data, char first[160])
{
	struct xs_verdict verdict;
	struct team *team = new_team(3);
	struct err err = {0};

	assert_int_equal(xs_check_data(data, team, &verdict, &err), 0);
	assert_true(verdict.checked >= data->nuclides * data->gridpoints);
	team_destroy(team);
	memcpy(first, verdict.first, sizeof(verdict.first));
	return verdict.errors;
}

/* --- known answers ---------------------------------------------------------------------------- */

/*
 * Sums by xs_reference(): every size is computed by it once more below. The grid decides only how
 * an energy is found.
 */
static const struct known {
	uint64_t nuclides, gridpoints, seed;
	enum xs_mode mode;
	uint64_t particles, lookups, sum;
} known[] = {
	{68, 2, 1, XS_HISTORY, 50, 34, 5203},   {68, 2, 1, XS_EVENT, 50, 34, 5258},
	{68, 3, 1, XS_HISTORY, 50, 34, 3558},   {68, 100, 1, XS_HISTORY, 100, 34, 9732},
	{68, 100, 1, XS_EVENT, 100, 34, 9595},  {68, 100, 2, XS_HISTORY, 100, 34, 10376},
	{100, 37, 1, XS_HISTORY, 100, 7, 2043}, {355, 64, 1, XS_HISTORY, 30, 34, 3322},
	{355, 64, 1, XS_EVENT, 30, 34, 3174},   {355, 200, 3, XS_EVENT, 20, 34, 1991},
	{400, 16, 1, XS_HISTORY, 20, 34, 2430}, {68, 1000, 1, XS_HISTORY, 30, 34, 3116},
};

#define NR_KNOWN (sizeof(known) / sizeof(known[0]))

static struct xs_work work_of(const struct known *size, unsigned batch, unsigned lookahead)
{
	return (struct xs_work){size->mode, size->particles, size->lookups, batch, lookahead};
}

static void slow_path_gives_the_recorded_sums(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_KNOWN; i++) {
		const struct xs_data like = {.nuclides = known[i].nuclides,
					     .gridpoints = known[i].gridpoints,
					     .seed = known[i].seed};
		const struct xs_work work = work_of(&known[i], 1, 0);
		struct err err = {0};
		uint64_t sum;

		assert_int_equal(xs_reference(&like, &work, &sum, &err), 0);
		if (sum != known[i].sum)
			fail_msg("size %d: %llu", (int)i, (unsigned long long)sum);
	}
}

static void every_grid_gives_the_recorded_sums(void **state)
{
	static const unsigned variants[][2] = {{1, 0}, {1, 5}, {3, 0}, {XS_BATCH_MAX, 64}};

	(void)state;
	for (size_t i = 0; i < NR_KNOWN * 3; i++) {
		const struct known *size = &known[i / 3];
		struct xs_data data = new_data((enum xs_grid)(i % 3), size->nuclides,
					       size->gridpoints, size->seed, 2);
		char first[160];

		if (errors_of(&data, first) != 0)
			fail_msg("size %d, grid %d: %s", (int)i / 3, (int)i % 3, first);
		for (size_t v = 0; v < sizeof(variants) / sizeof(variants[0]); v++) {
			const struct xs_work work = work_of(size, variants[v][0], variants[v][1]);
			const uint64_t units = xs_work_units(&work), cut = units / 3;
			const uint64_t sum = xs_lookup_units(&data, &work, 0, cut) +
					     xs_lookup_units(&data, &work, cut, units);

			assert_int_equal(sum, size->sum);
			assert_int_equal(xs_check_units(&data, &work, 0, cut),
					 xs_lookup_units(&data, &work, 0, cut));
		}
		free_data(&data);
	}
}

/* Values that ANL's program (version 20) prints for -s small -p 3000 and -s small -l 102000. */
static void values_are_those_of_the_original(void **state)
{
	struct xs_data data = new_data(XS_HASH, 68, 11303, 1, 2);
	struct xs_work work = {XS_HISTORY, 3000, 34, 8, 0};

	(void)state;
	assert_int_equal(xs_lookup_units(&data, &work, 0, 3000) % XS_MODULUS, 305263);
	work.mode = XS_EVENT;
	assert_int_equal(xs_lookup_units(&data, &work, 0, 102000) % XS_MODULUS, 305631);
	free_data(&data);
}

static void published_values_are_for_their_sizes_alone(void **state)
{
	struct xs_data data = {.nuclides = 355, .gridpoints = 11303, .seed = 1};
	struct xs_work work = {XS_HISTORY, 500000, 34, 1, 0};

	(void)state;
	assert_int_equal(xs_published_value(&data, &work), 954318);
	work.mode = XS_EVENT;
	assert_int_equal(xs_published_value(&data, &work), 952131);
	work.particles++;
	assert_int_equal(xs_published_value(&data, &work), 0);
	work.particles--;
	data.seed = 2;
	assert_int_equal(xs_published_value(&data, &work), 0);
}

static void threads_build_the_same_data(void **state)
{
	(void)state;
	for (int grid = XS_UNIONIZED; grid <= XS_HASH; grid++) {
		struct xs_data one = new_data((enum xs_grid)grid, 90, 333, 5, 1);

		for (int nr_threads = 2; nr_threads <= 3; nr_threads++) {
			struct xs_data more = new_data((enum xs_grid)grid, 90, 333, 5, nr_threads);
			const uint64_t points = one.nuclides * one.gridpoints;

			assert_memory_equal(one.points, more.points,
					    points * sizeof(one.points[0]));
			assert_memory_equal(one.energies, more.energies,
					    points * sizeof(one.energies[0]));
			assert_memory_equal(one.index, more.index,
					    xs_index_rows(&one) * one.nuclides *
						    sizeof(one.index[0]));
			free_data(&more);
		}
		free_data(&one);
	}
}

/* --- damage ------------------------------------------------------------------------------------
 */

static void change_cross_section(struct xs_data *data)
{
	data->points[1234].xs[4] += 1e-12;
}

static void change_energy(struct xs_data *data)
{
	data->points[1234].energy = data->points[1235].energy;
}

static void swap_points(struct xs_data *data)
{
	const struct xs_point point = data->points[77];

	data->points[77] = data->points[78];
	data->points[78] = point;
}

static void change_union(struct xs_data *data)
{
	data->energies[500] = data->energies[501];
}

static void swap_union(struct xs_data *data)
{
	const double energy = data->energies[500];

	data->energies[500] = data->energies[501];
	data->energies[501] = energy;
}

static void change_index(struct xs_data *data)
{
	data->index[3 * data->nuclides + 67] ^= 1;
}

static void lose_nuclide(struct xs_data *data)
{
	data->materials[4].nr_parts--;
}

static void change_concentration(struct xs_data *data)
{
	data->parts[40].concentration *= 1.0000001;
}

static void damage_is_noticed(void **state)
{
	static const struct {
		void (*damage)(struct xs_data *);
		enum xs_grid grid;
	} damages[] = {
		{change_cross_section, XS_NUCLIDE},
		{change_energy, XS_NUCLIDE},
		{swap_points, XS_HASH},
		{change_union, XS_UNIONIZED},
		{swap_union, XS_UNIONIZED},
		{change_index, XS_UNIONIZED},
		{change_index, XS_HASH},
		{lose_nuclide, XS_NUCLIDE},
		{change_concentration, XS_NUCLIDE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct xs_data data = new_data(damages[i].grid, 68, 50, 1, 1);
		char first[160];

		assert_int_equal(errors_of(&data, first), 0);
		damages[i].damage(&data);
		if (errors_of(&data, first) == 0)
			fail_msg("damage %d was not noticed", (int)i);
		assert_true(strlen(first) > 0);
		free_data(&data);
	}
}

/* --- the workload ------------------------------------------------------------------------------
 */

struct fixture {
	struct option_set options;
	struct arena arena;
	struct roi roi;
	struct workload_run run;
};

static const struct workload *xsbench(void)
{
	const struct workload *workload = workload_find("xsbench", NULL);

	assert_non_null(workload);
	return workload;
}

static void open_fixture(struct fixture *fixture, int nr_threads, int nr_settings,
			 const char *const (*settings)[2])
{
	const struct option_context context = {.memory_bytes = 64 << 20, .nr_threads = nr_threads};
	const struct arena_policy policy = {.thp = ARENA_THP_NEVER};
	struct err err = {0};

	memset(fixture, 0, sizeof(*fixture));
	options_init(&fixture->options, xsbench()->options);
	for (int i = 0; i < nr_settings; i++)
		assert_int_equal(options_set(&fixture->options, settings[i][0], settings[i][1],
					     OPTION_USER, &err),
				 0);
	assert_int_equal(options_default(&fixture->options, &context, &err), 0);
	arena_init(&fixture->arena, &policy);
	assert_int_equal(roi_open(&fixture->roi, false, &err), 0);
	fixture->run = (struct workload_run){.options = &fixture->options,
					     .arena = &fixture->arena,
					     .team = new_team(nr_threads),
					     .nr_threads = nr_threads,
					     .seed = 1,
					     .roi = &fixture->roi,
					     .progress = no_progress};
	assert_int_equal(xsbench()->setup(&fixture->run, &err), 0);
}

static void run_thread(void *context, int thread)
{
	xsbench()->run(context, thread);
}

static struct verification run_and_verify(struct fixture *fixture, double *damaged)
{
	struct verification verification = {0};
	const double sound = damaged ? *damaged : 0;
	struct err err = {0};

	if (damaged)
		*damaged += 0.5;
	team_run(fixture->run.team, run_thread, &fixture->run);
	if (damaged)
		*damaged = sound;
	assert_int_equal(xsbench()->verify(&fixture->run, &verification, &err), 0);
	return verification;
}

static void close_fixture(struct fixture *fixture)
{
	xsbench()->teardown(&fixture->run);
	team_destroy(fixture->run.team);
	arena_fini(&fixture->arena);
	roi_close(&fixture->roi);
}

static void value_does_not_depend_on_threads(void **state)
{
	static const char *const settings[][2] = {{"gridpoints", "50"},
						  {"nuclides", "68"},
						  {"particles", "400"},
						  {"check-lookups", "0"}};
	static const char *const schedules[] = {"dynamic", "static"};
	char first[32] = "";

	(void)state;
	for (int i = 0; i < 6; i++) {
		const char *const all[][2] = {{settings[0][0], settings[0][1]},
					      {settings[1][0], settings[1][1]},
					      {settings[2][0], settings[2][1]},
					      {settings[3][0], settings[3][1]},
					      {"schedule", schedules[i % 2]}};
		struct verification verification;
		struct fixture fixture;

		open_fixture(&fixture, 1 + i / 2, 5, all);
		verification = run_and_verify(&fixture, NULL);
		assert_int_equal(verification.status, VERIFICATION_PASS);
		assert_memory_equal(verification.detail, "value ", 6);
		if (i == 0)
			snprintf(first, sizeof(first), "%.*s",
				 (int)strcspn(verification.detail, ";"), verification.detail);
		assert_memory_equal(verification.detail, first, strlen(first));
		close_fixture(&fixture);
	}
}

/* Sound data and wrong lookups: a cross section was another one while they were made. */
static void wrong_lookups_are_noticed(void **state)
{
	static const char *const settings[][2] = {{"gridpoints", "4"},
						  {"nuclides", "68"},
						  {"particles", "400"},
						  {"check-lookups", "1"}};
	struct verification verification;
	struct fixture fixture;
	struct xs_point *points;

	(void)state;
	open_fixture(&fixture, 1, 4, settings);
	points = fixture.arena.regions[0].address;
	/* Water, which many lookups are for, has nuclide 24. */
	verification = run_and_verify(&fixture, &points[24 * 4 + 1].xs[3]);
	assert_int_equal(verification.status, VERIFICATION_FAIL);
	assert_non_null(strstr(verification.detail, "data sound"));
	close_fixture(&fixture);
}

static void impossible_sizes_are_refused(void **state)
{
	static const struct {
		const char *name, *value, *word;
	} cases[] = {{"gridpoints", "1", "--gridpoints: 1"}, {"size", "1M", "--size: 1048576"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct option_context context = {.memory_bytes = 64 << 20};
		struct option_set set;
		struct err err = {0};

		options_init(&set, xsbench()->options);
		assert_int_equal(
			options_set(&set, cases[i].name, cases[i].value, OPTION_USER, &err), 0);
		assert_int_equal(options_default(&set, &context, &err), 0);
		assert_int_equal(xsbench()->check(&set, 1, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, cases[i].word));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_path_gives_the_recorded_sums),
		cmocka_unit_test(every_grid_gives_the_recorded_sums),
		cmocka_unit_test(values_are_those_of_the_original),
		cmocka_unit_test(published_values_are_for_their_sizes_alone),
		cmocka_unit_test(threads_build_the_same_data),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(value_does_not_depend_on_threads),
		cmocka_unit_test(wrong_lookups_are_noticed),
		cmocka_unit_test(impossible_sizes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
