// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <sched.h>

#include "bench/hashjoin/hashjoin.h"

static struct team *new_team(int nr_threads)
{
	struct err err = {0};
	struct team *team;
	const int cpu = sched_getcpu();

	assert_int_equal(team_create(&team, &cpu, 1, nr_threads, &err), 0);
	return team;
}

static void *new_zeros(uint64_t bytes)
{
	void *memory = aligned_alloc(4096, (bytes / 4096 + 1) * 4096);

	assert_non_null(memory);
	memset(memory, 0, (bytes / 4096 + 1) * 4096);
	return memory;
}

struct relations {
	struct hj_data data;
	struct hj_tuple *build, *probe;
	uint64_t nr_build, nr_probe;
};

static struct relations new_relations(uint64_t nr_build, uint64_t nr_probe, unsigned match_percent,
				      double zipf)
{
	struct relations relations = {
		.data = {.seed = 3,
			 .nr_build = nr_build,
			 .match_percent = match_percent,
			 .zipf = zipf},
		.build = new_zeros(nr_build * sizeof(struct hj_tuple)),
		.probe = new_zeros(nr_probe * sizeof(struct hj_tuple)),
		.nr_build = nr_build,
		.nr_probe = nr_probe,
	};

	/* In two pieces, which must not matter. */
	hj_fill_build(&relations.data, relations.build, 0, nr_build / 3);
	hj_fill_build(&relations.data, relations.build, nr_build / 3, nr_build);
	hj_fill_probe(&relations.data, relations.probe, 0, nr_probe / 2);
	hj_fill_probe(&relations.data, relations.probe, nr_probe / 2, nr_probe);
	return relations;
}

static void free_relations(struct relations *relations)
{
	free(relations->build);
	free(relations->probe);
}

/* --- joining -----------------------------------------------------------------------------------
 */

struct one_join {
	struct hj_join join;
	_Atomic uint64_t matches, checksum;
};

static void join_thread(void *context, int thread)
{
	struct one_join *one = context;
	struct hj_result result;

	if (one->join.algorithm == HJ_RADIX) {
		result = hj_radix_join(&one->join, thread);
	} else {
		hj_table_build(&one->join, thread);
		team_barrier(one->join.team);
		result = hj_table_probe(&one->join, thread);
	}
	one->matches += result.matches;
	one->checksum += result.checksum;
}

static struct hj_result join(const struct relations *relations, enum hj_algorithm algorithm,
			     int nr_threads, unsigned parameter)
{
	struct one_join one = {.join = {.algorithm = algorithm,
					.nr_threads = nr_threads,
					.team = new_team(nr_threads),
					.build = relations->build,
					.probe = relations->probe,
					.nr_build = relations->nr_build,
					.nr_probe = relations->nr_probe}};
	struct hj_join *it = &one.join;
	const uint64_t tuple = sizeof(struct hj_tuple);

	it->lookahead = algorithm == HJ_RADIX ? 0 : parameter;
	it->radix_bits = algorithm == HJ_RADIX ? parameter : 1;
	it->table_bits = hj_table_bits(algorithm, it->nr_build, 90);
	it->heads = new_zeros(sizeof(uint64_t) << it->table_bits);
	it->entries = new_zeros(it->nr_build * sizeof(it->entries[0]));
	it->slots = new_zeros(tuple << it->table_bits);
	it->build_parts = new_zeros(it->nr_build * tuple);
	it->probe_parts = new_zeros(it->nr_probe * tuple);
	it->scratch = new_zeros(hj_radix_scratch_bytes(it->nr_build, it->radix_bits, nr_threads));
	team_run(it->team, join_thread, &one);
	team_destroy(it->team);
	free(it->heads);
	free(it->entries);
	free(it->slots);
	free(it->build_parts);
	free(it->probe_parts);
	free(it->scratch);
	return (struct hj_result){one.matches, one.checksum};
}

static struct hj_result nested_loops(const struct relations *relations)
{
	struct hj_result result = {0};

	for (uint64_t p = 0; p < relations->nr_probe; p++) {
		for (uint64_t b = 0; b < relations->nr_build; b++) {
			if (relations->build[b].key != relations->probe[p].key)
				continue;
			result.matches++;
			result.checksum +=
				relations->build[b].payload * relations->probe[p].payload;
		}
	}
	return result;
}

static struct hj_result sort_merge(struct relations *relations, int nr_threads)
{
	struct team *team = new_team(nr_threads);
	struct hj_result result;

	hj_sort_merge(relations->build, relations->nr_build, relations->probe, relations->nr_probe,
		      team, &result);
	team_destroy(team);
	return result;
}

static void expect(struct hj_result got, struct hj_result right, const char *what, int number)
{
	if (got.matches != right.matches || got.checksum != right.checksum)
		fail_msg("%s, case %d: %llu matches instead of %llu, checksum %llx instead of %llx",
			 what, number, (unsigned long long)got.matches,
			 (unsigned long long)right.matches, (unsigned long long)got.checksum,
			 (unsigned long long)right.checksum);
}

/* --- known answers -----------------------------------------------------------------------------
 */

static const struct {
	uint64_t nr_build, nr_probe;
	unsigned match_percent;
	double zipf;
	struct hj_result right; /* by nested loops, once more below */
} known[] = {
	{1, 1, 100, 0, {1, UINT64_C(0x977755ecc437df85)}},
	{1, 7, 50, 0, {3, UINT64_C(0x606125cd0234a962)}},
	{5, 3, 100, 0, {3, UINT64_C(0x8c9c3fe488fdeee0)}},
	{1000, 1, 100, 0, {1, UINT64_C(0xe7442efd797de687)}},
	{1000, 1001, 0, 0, {0, UINT64_C(0x0000000000000000)}},
	{1000, 2003, 100, 0, {2003, UINT64_C(0x2042b3a5847edbe3)}},
	{777, 3001, 25, 0, {751, UINT64_C(0x8ea055edb982ce7f)}},
	{2048, 2048, 90, 1, {1828, UINT64_C(0xa15588de637ceb46)}},
	{500, 5000, 100, 0.99, {5000, UINT64_C(0x65529b9db35a3046)}},
	{3000, 900, 60, 2, {541, UINT64_C(0x0b2f63d1bca6105c)}},
};

#define NR_KNOWN (int)(sizeof(known) / sizeof(known[0]))

static struct relations known_relations(int number)
{
	return new_relations(known[number].nr_build, known[number].nr_probe,
			     known[number].match_percent, known[number].zipf);
}

static void nested_loops_give_the_recorded_results(void **state)
{
	(void)state;
	for (int i = 0; i < NR_KNOWN; i++) {
		struct relations relations = known_relations(i);

		expect(nested_loops(&relations), known[i].right, "nested loops", i);
		free_relations(&relations);
	}
}

static void every_algorithm_gives_the_recorded_results(void **state)
{
	(void)state;
	for (int i = 0; i < NR_KNOWN; i++) {
		struct relations relations = known_relations(i);

		for (int threads = 1; threads <= 3; threads++) {
			for (unsigned ahead = 0; ahead <= 20; ahead += 10) {
				expect(join(&relations, HJ_CHAINED, threads, ahead), known[i].right,
				       "chained", i);
				expect(join(&relations, HJ_LINEAR, threads, ahead), known[i].right,
				       "linear", i);
			}
			for (unsigned bits = 1; bits <= 9; bits += 4)
				expect(join(&relations, HJ_RADIX, threads, bits), known[i].right,
				       "radix", i);
		}
		free_relations(&relations);
	}
}

static void sort_merge_gives_the_recorded_results(void **state)
{
	(void)state;
	for (int i = 0; i < NR_KNOWN * 3; i++) {
		struct relations relations = known_relations(i / 3);

		expect(sort_merge(&relations, 1 + i % 3), known[i / 3].right, "sort-merge", i / 3);
		free_relations(&relations);
	}
}

static void large_relations_agree(void **state)
{
	struct relations relations = new_relations(150000, 250001, 80, 0);
	const struct hj_result chained = join(&relations, HJ_CHAINED, 2, 8);

	(void)state;
	expect(join(&relations, HJ_LINEAR, 3, 0), chained, "linear", 0);
	expect(join(&relations, HJ_RADIX, 3, hj_radix_bits(150000)), chained, "radix", 0);
	/* A partition of more tuples than its table takes. */
	for (uint64_t i = 0; i < relations.nr_build; i++)
		relations.build[i].key = (i + 1) * UINT64_C(0xf1de83e19937733d) >> 20;
	for (uint64_t i = 0; i < relations.nr_probe; i++)
		relations.probe[i].key = (i / 2 + 1) * UINT64_C(0xf1de83e19937733d) >> 20;
	expect(join(&relations, HJ_RADIX, 2, 6), join(&relations, HJ_CHAINED, 1, 0), "pieces", 0);
	expect(sort_merge(&relations, 3), join(&relations, HJ_LINEAR, 1, 0), "pieces", 1);
	free_relations(&relations);
}

static void merging_counts_all_pairs_of_equal_keys(void **state)
{
	struct relations relations = new_relations(600, 400, 100, 0);
	struct hj_result right;

	(void)state;
	for (uint64_t i = 0; i < 600; i++)
		relations.build[i].key = 1 + i % 7;
	for (uint64_t i = 0; i < 400; i++)
		relations.probe[i].key = 1 + i % 11;
	right = nested_loops(&relations);
	expect(sort_merge(&relations, 3), right, "equal keys", 0);
	free_relations(&relations);
}

/* --- the relations -----------------------------------------------------------------------------
 */

static int compare_keys(const void *a, const void *b)
{
	const uint64_t one = ((const struct hj_tuple *)a)->key;
	const uint64_t other = ((const struct hj_tuple *)b)->key;

	return (one > other) - (one < other);
}

static void keys_are_unique_and_shares_as_asked(void **state)
{
	struct relations relations = new_relations(20000, 100000, 30, 0);
	const struct hj_result result = join(&relations, HJ_CHAINED, 1, 0);

	(void)state;
	assert_in_range(result.matches, 29000, 31000);
	qsort(relations.build, 20000, sizeof(relations.build[0]), compare_keys);
	assert_true(relations.build[0].key != 0);
	for (int i = 1; i < 20000; i++)
		assert_true(relations.build[i].key != relations.build[i - 1].key);
	free_relations(&relations);
}

/* The most frequent keys have the shares of the distribution, within five deviations. */
static void zipf_has_the_shares_of_its_definition(void **state)
{
	static const double exponents[] = {0.5, 0.99, 1, 1.5};

	(void)state;
	for (size_t e = 0; e < sizeof(exponents) / sizeof(exponents[0]); e++) {
		struct relations relations = new_relations(1000, 200000, 100, exponents[e]);
		double sum = 0;

		for (int k = 1; k <= 1000; k++)
			sum += pow(k, -exponents[e]);
		for (int k = 1; k <= 40; k += 13) {
			const double share = pow(k, -exponents[e]) / sum;
			const double deviation = sqrt(200000 * share);
			double count = 0;

			for (int i = 0; i < 200000; i++)
				count += relations.probe[i].key == relations.build[k - 1].key;
			assert_true(fabs(count - 200000 * share) < 5 * deviation);
		}
		free_relations(&relations);
	}
}

static void digest_knows_every_bit_and_no_order(void **state)
{
	struct relations relations = new_relations(999, 1, 100, 0);
	struct team *team = new_team(3);
	const uint64_t digest = hj_digest(relations.build, 999, team);
	const struct hj_tuple first = relations.build[0];

	(void)state;
	relations.build[0] = relations.build[998];
	relations.build[998] = first;
	assert_true(hj_digest(relations.build, 999, team) == digest);
	relations.build[500].payload ^= 1;
	assert_false(hj_digest(relations.build, 999, team) == digest);
	relations.build[500].payload ^= 1;
	relations.build[7].key ^= UINT64_C(1) << 63;
	assert_false(hj_digest(relations.build, 999, team) == digest);
	team_destroy(team);
	free_relations(&relations);
}

/* --- the workload ------------------------------------------------------------------------------
 */

struct fixture {
	struct option_set options;
	struct arena arena;
	struct roi roi;
	struct workload_run run;
};

static const struct workload *hashjoin(void)
{
	const struct workload *workload = workload_find("hashjoin", NULL);

	assert_non_null(workload);
	return workload;
}

static void no_progress(struct workload_run *run, double done)
{
	(void)run;
	(void)done;
}

static void run_thread(void *context, int thread)
{
	hashjoin()->run(context, thread);
}

/* Runs while one bit of the named region is another than it should be. */
static struct verification run_damaged(const char *algorithm, const char *timed, int region)
{
	const struct option_context context = {.memory_bytes = 64 << 20};
	const struct arena_policy policy = {.thp = ARENA_THP_NEVER};
	struct verification verification = {0};
	struct fixture fixture = {0};
	struct err err = {0};
	uint64_t *word = NULL;

	options_init(&fixture.options, hashjoin()->options);
	options_set(&fixture.options, "build-tuples", "5000", OPTION_USER, &err);
	options_set(&fixture.options, "algorithm", algorithm, OPTION_USER, &err);
	options_set(&fixture.options, "timed", timed, OPTION_USER, &err);
	assert_int_equal(options_default(&fixture.options, &context, &err), 0);
	assert_int_equal(hashjoin()->check(&fixture.options, 2, &err), 0);
	arena_init(&fixture.arena, &policy);
	assert_int_equal(roi_open(&fixture.roi, false, &err), 0);
	fixture.run = (struct workload_run){.options = &fixture.options,
					    .arena = &fixture.arena,
					    .team = new_team(2),
					    .nr_threads = 2,
					    .seed = 1,
					    .roi = &fixture.roi,
					    .progress = no_progress};
	assert_int_equal(hashjoin()->setup(&fixture.run, &err), 0);
	if (region >= 0) {
		word = fixture.arena.regions[region].address;
		/* A payload: every third word of an entry, every second of a tuple. */
		word += strcmp(fixture.arena.regions[region].name, "entries") == 0 ? 3 * 7 + 1 : 1;
		*word ^= 1;
	}
	team_run(fixture.run.team, run_thread, &fixture.run);
	if (word && region < 2)
		*word ^= 1;
	assert_int_equal(hashjoin()->verify(&fixture.run, &verification, &err), 0);
	hashjoin()->teardown(&fixture.run);
	team_destroy(fixture.run.team);
	arena_fini(&fixture.arena);
	roi_close(&fixture.roi);
	return verification;
}

static void wrong_results_are_noticed(void **state)
{
	static const char *const algorithms[] = {"chained", "linear", "radix"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run_damaged(algorithms[i], "join", -1).status, VERIFICATION_PASS);
		/* Of the probe relation, whose first tuple has a partner. */
		assert_int_equal(run_damaged(algorithms[i], "join", 1).status, VERIFICATION_FAIL);
	}
	/* Entry 7 of the table that setup built; some probe tuple finds it. */
	assert_int_equal(run_damaged("chained", "probe", -1).status, VERIFICATION_PASS);
	assert_int_equal(run_damaged("chained", "probe", 3).status, VERIFICATION_FAIL);
}

static void impossible_options_are_refused(void **state)
{
	static const struct {
		const char *settings[2][2], *word;
	} cases[] = {
		{{{"zipf", "-1"}, {"fill", "50"}}, "--zipf"},
		{{{"algorithm", "radix"}, {"timed", "probe"}}, "--timed probe"},
		{{{"algorithm", "radix"}, {"rounds", "2"}}, "--rounds"},
		{{{"size", "1M"}, {"probe-tuples", "1M"}}, "--size"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct option_context context = {.memory_bytes = 64 << 20};
		struct option_set set;
		struct err err = {0};

		options_init(&set, hashjoin()->options);
		for (int s = 0; s < 2; s++)
			options_set(&set, cases[i].settings[s][0], cases[i].settings[s][1],
				    OPTION_USER, &err);
		assert_int_equal(options_default(&set, &context, &err), 0);
		assert_int_equal(hashjoin()->check(&set, 1, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, cases[i].word));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_loops_give_the_recorded_results),
		cmocka_unit_test(every_algorithm_gives_the_recorded_results),
		cmocka_unit_test(sort_merge_gives_the_recorded_results),
		cmocka_unit_test(large_relations_agree),
		cmocka_unit_test(merging_counts_all_pairs_of_equal_keys),
		cmocka_unit_test(keys_are_unique_and_shares_as_asked),
		cmocka_unit_test(zipf_has_the_shares_of_its_definition),
		cmocka_unit_test(digest_knows_every_bit_and_no_order),
		cmocka_unit_test(wrong_results_are_noticed),
		cmocka_unit_test(impossible_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
