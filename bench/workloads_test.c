// SPDX-License-Identifier: MIT
/* What every workload must do: keep its promises about memory, verify right work, reject wrong
 * work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>

#include "bench/workload.h"

struct fixture {
	struct option_set options;
	struct arena arena;
	struct team *team;
	struct roi roi;
	struct workload_run run;
};

static void no_progress(struct workload_run *run, double done)
{
	(void)run;
	(void)done;
}

static void run_thread(void *context, int thread)
{
	struct workload_run *run = context;
	const struct workload *workload = run->driver;

	workload->run(run, thread);
}

/* Small, with the other options as given; setup and run are over when it returns. */
static void start(struct fixture *fixture, const struct workload *workload, int nr_threads,
		  int nr_settings, const char *const (*settings)[2])
{
	const struct option_context context = {
		.memory_bytes = 64 << 20, .nr_threads = nr_threads, .emulated = true};
	const struct arena_policy policy = {.thp = ARENA_THP_NEVER};
	const int cpu = sched_getcpu();
	struct err err = {0};

	memset(fixture, 0, sizeof(*fixture));
	options_init(&fixture->options, workload->options);
	assert_int_equal(options_set(&fixture->options, "size", "4M", OPTION_USER, &err), 0);
	for (int i = 0; i < nr_settings; i++)
		assert_int_equal(options_set(&fixture->options, settings[i][0], settings[i][1],
					     OPTION_USER, &err),
				 0);
	assert_int_equal(options_default(&fixture->options, &context, &err), 0);
	arena_init(&fixture->arena, &policy);
	assert_int_equal(team_create(&fixture->team, &cpu, 1, nr_threads, &err), 0);
	assert_int_equal(roi_open(&fixture->roi, false, &err), 0);
	fixture->run = (struct workload_run){.options = &fixture->options,
					     .arena = &fixture->arena,
					     .team = fixture->team,
					     .nr_threads = nr_threads,
					     .seed = 7,
					     .roi = &fixture->roi,
					     .progress = no_progress,
					     .driver = (void *)workload};
	if (workload->setup(&fixture->run, &err) != 0)
		fail_msg("%s: %s", workload->name, err.text);
	assert_int_equal(roi_begin(&fixture->roi, &err), 0);
	team_run(fixture->team, run_thread, &fixture->run);
	assert_int_equal(roi_end(&fixture->roi, &err), 0);
}

static struct verification verify(struct fixture *fixture, const struct workload *workload)
{
	struct verification verification = {0};
	struct err err = {0};

	assert_int_equal(workload->verify(&fixture->run, &verification, &err), 0);
	return verification;
}

static void stop(struct fixture *fixture, const struct workload *workload)
{
	workload->teardown(&fixture->run);
	team_destroy(fixture->team);
	arena_fini(&fixture->arena);
	roi_close(&fixture->roi);
}

static void right_work_passes(const struct workload *workload, int nr_threads)
{
	struct metrics metrics = {0};
	struct verification verification;
	struct fixture fixture;
	uint64_t promised;
	int primaries = 0;

	start(&fixture, workload, nr_threads, 0, NULL);
	promised = workload->footprint_bytes(&fixture.options, nr_threads);
	/* Regions are rounded up to pages. */
	assert_in_range(arena_bytes(&fixture.arena), promised - promised / 100,
			promised + 4096u * (unsigned)fixture.arena.nr_regions);
	verification = verify(&fixture, workload);
	if (verification.status != VERIFICATION_PASS)
		fail_msg("%s with %d threads: %s", workload->name, nr_threads, verification.detail);
	assert_true(verification.checked > 0);
	workload->metrics(&fixture.run, &metrics);
	for (int i = 0; i < metrics.nr_metrics; i++)
		primaries += metrics.items[i].primary;
	assert_int_equal(primaries, 1);
	assert_true(metrics.work_amount > 0 && metrics.work_unit);
	stop(&fixture, workload);
}

static void wrong_work_fails(const struct workload *workload)
{
	struct verification verification;
	struct fixture fixture;
	unsigned char *at;

	start(&fixture, workload, 1, 0, NULL);
	at = fixture.arena.regions[0].address;
	for (int i = 0; i < 8; i++)
		at[2 * 4096 + i] ^= 0x11;
	verification = verify(&fixture, workload);
	if (verification.status != VERIFICATION_FAIL || verification.errors == 0)
		fail_msg("%s did not notice a damaged word", workload->name);
	stop(&fixture, workload);
}

static void every_workload_passes_and_notices_damage(void **state)
{
	const struct workload *workload;

	(void)state;
	for (int i = 0; (workload = workload_at(i)) != NULL; i++) {
		if (workload->server) /* its memory is not ours: tests/servers_test.sh */
			continue;
		right_work_passes(workload, 1);
		right_work_passes(workload, 3);
		wrong_work_fails(workload);
	}
	assert_true(workload == NULL);
}

static void variants_pass(void **state)
{
	static const struct {
		const char *workload;
		int nr_threads, nr_settings;
		const char *settings[4][2];
	} variants[] = {
		{"gups", 3, 1, {{"atomic", "on"}}},
		{"gups", 1, 1, {{"lookahead", "1024"}}},
		{"randomaccess", 3, 2, {{"mode", "star"}, {"updates-per-word", "4"}}},
		{"btree", 2, 2, {{"build", "random"}, {"record-bytes", "0"}}},
		{"btree", 1, 3, {{"build", "sequential"}, {"order", "32"}, {"batch", "8"}}},
		{"graph500",
		 2,
		 3,
		 {{"search", "top-down"}, {"ids", "64"}, {"edge-list", "generated"}}},
		{"graph500", 3, 2, {{"edge-factor", "1"}, {"roots", "64"}}},
		{"pagerank",
		 2,
		 3,
		 {{"graph", "uniform"}, {"update", "in-place"}, {"iterations", "20"}}},
		{"pagerank", 3, 3, {{"ids", "64"}, {"edge-list", "stored"}, {"iterations", "4"}}},
		{"xsbench", 2, 3, {{"nuclides", "68"}, {"grid", "nuclide"}, {"mode", "event"}}},
		{"xsbench", 3, 3, {{"grid", "hash"}, {"hash-bins", "100"}, {"nuclides", "68"}}},
		{"xsbench", 1, 2, {{"batch", "16"}, {"lookahead", "16"}}},
		{"hashjoin", 3, 2, {{"algorithm", "linear"}, {"lookahead", "16"}}},
		{"hashjoin", 2, 2, {{"algorithm", "radix"}, {"timed", "join"}}},
		{"hashjoin", 1, 3, {{"timed", "join"}, {"rounds", "2"}, {"zipf", "0.9"}}},
		{"stream", 2, 2, {{"non-temporal", "on"}, {"trials", "200"}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		const struct workload *workload = workload_find(variants[i].workload, NULL);
		struct verification verification;
		struct fixture fixture;

		start(&fixture, workload, variants[i].nr_threads, variants[i].nr_settings,
		      variants[i].settings);
		verification = verify(&fixture, workload);
		if (verification.status != VERIFICATION_PASS)
			fail_msg("variant %d of %s: %s", (int)i, workload->name,
				 verification.detail);
		stop(&fixture, workload);
	}
}

/* The same work must leave the same memory, however many threads share it. */
static void gups_does_not_depend_on_threads(void **state)
{
	static const char *const settings[][2] = {{"atomic", "on"}, {"updates", "100003"}};
	const struct workload *workload = workload_find("gups", NULL);
	struct fixture one, five;

	(void)state;
	start(&one, workload, 1, 2, settings);
	start(&five, workload, 5, 2, settings);
	assert_memory_equal(one.arena.regions[0].address, five.arena.regions[0].address, 4 << 20);
	stop(&one, workload);
	stop(&five, workload);
}

static void presets_name_real_options(void **state)
{
	const struct workload *workload;

	(void)state;
	for (int i = 0; (workload = workload_at(i)) != NULL; i++) {
		const struct option_preset *preset = workload->presets;

		for (; preset && preset->name; preset++) {
			const struct option_context context = {.memory_bytes = UINT64_C(1) << 40};
			struct option_set set;
			struct err err = {0};

			options_init(&set, workload->options);
			assert_int_equal(options_apply_preset(&set, preset, 1, &err), 0);
			assert_int_equal(options_default(&set, &context, &err), 0);
			assert_true(workload->footprint_bytes(&set, 1) > 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_workload_passes_and_notices_damage),
		cmocka_unit_test(variants_pass),
		cmocka_unit_test(gups_does_not_depend_on_threads),
		cmocka_unit_test(presets_name_real_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
