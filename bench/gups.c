// SPDX-License-Identifier: MIT
/*
 * GUPS as the Mitosis papers ran it (WORKLOAD `gups` of the ASPLOS'20 and '21 artifacts): a given
 * number of random updates of one table, in 128 streams taken in turn; threads share the table and
 * divide the sequence, so that the result does not depend on their number.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "bench/updates.h"
#include "bench/workload.h"

enum { SIZE, UPDATES, ATOMIC, LOOKAHEAD, PREFETCH };

#define PUBLISHED_BYTES (UINT64_C(64) << 30)

static uint64_t default_size(const struct option_context *context)
{
	return options_power_of_two(context->memory_bytes / 4, UINT64_C(1) << 20, PUBLISHED_BYTES);
}

static const struct option options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = default_size,
		  .emulated = "1G",
		  .min = 4096,
		  .max = UINT64_C(1) << 50,
		  .power_of_two = true,
		  .scales = true,
		  .help = "bytes of the table; default: a quarter of memory, 64G at most"},
	[UPDATES] = {.name = "updates",
		     .type = OPTION_COUNT,
		     .native = "2^28",
		     .emulated = "2^21",
		     .min = 1,
		     .max = UINT64_C(1) << 60,
		     .help = "updates by all threads together"},
	[ATOMIC] = {.name = "atomic",
		    .type = OPTION_FLAG,
		    .help = "atomic updates: exact with any number of threads, and slower"},
	[LOOKAHEAD] = {.name = "lookahead",
		       .type = OPTION_COUNT,
		       .native = "1024",
		       .emulated = "128",
		       .min = UPDATES_STREAMS,
		       .max = UPDATES_LOOKAHEAD_MAX,
		       .power_of_two = true,
		       .help = "values drawn before the first of them is applied"},
	[PREFETCH] =
		{.name = "prefetch",
		 .type = OPTION_COUNT,
		 .native = "0",
		 .min = 0,
		 .max = UPDATES_PREFETCH_MAX,
		 .help = "ask for each word so many updates ahead; 0, as published: not at all"},
	{.name = NULL},
};

static const struct option_preset presets[] = {
	{"mitosis", "one socket in both papers", "size=64G updates=2^30 lookahead=128 prefetch=0"},
	{.name = NULL},
};

struct gups {
	uint64_t *table, words;
	uint64_t *errors; /* by thread */
};

static uint64_t footprint_bytes(const struct option_set *set, int nr_threads)
{
	(void)nr_threads;
	return option_u64(set, SIZE);
}

static int check(const struct option_set *set, int nr_threads, struct err *err)
{
	(void)nr_threads;
	if (option_u64(set, PREFETCH) == 0 || !option_flag(set, ATOMIC))
		return 0;
	return err_set(err, ERR_USAGE,
		       "--prefetch %" PRIu64
		       ": atomic updates take none; leave one of --prefetch and --atomic out",
		       option_u64(set, PREFETCH));
}

static void fill_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	const struct gups *gups = run->state;

	updates_fill(gups->table, team_slice(gups->words, 512, thread, run->nr_threads));
}

static int setup(struct workload_run *run, struct err *err)
{
	struct gups *gups = calloc(1, sizeof(*gups));

	run->state = gups;
	if (!gups)
		return err_set(err, ERR_INTERNAL, "out of memory");
	gups->words = option_u64(run->options, SIZE) / sizeof(uint64_t);
	gups->errors = calloc((size_t)run->nr_threads, sizeof(gups->errors[0]));
	gups->table = arena_map(run->arena, "table", gups->words * sizeof(uint64_t), err);
	if (!gups->errors)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (!gups->table)
		return -1;
	team_run(run->team, fill_thread, run);
	return 0;
}

/* The whole run as one piece of the sequence. */
static struct updates whole(const struct workload_run *run)
{
	const struct gups *gups = run->state;

	return (struct updates){
		.table = gups->table,
		.words = gups->words,
		.first = updates_origin(run->seed),
		.count = option_u64(run->options, UPDATES),
		.lookahead = (unsigned)option_u64(run->options, LOOKAHEAD),
		.prefetch = (unsigned)option_u64(run->options, PREFETCH),
		.atomic = option_flag(run->options, ATOMIC),
	};
}

static void run_thread(struct workload_run *run, int thread)
{
	struct updates mine = whole(run);
	const struct team_slice slice = team_slice(mine.count, 1, thread, run->nr_threads);

	mine.first += slice.begin;
	mine.count = slice.end - slice.begin;
	updates_apply(&mine);
}

static void verify_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	const struct gups *gups = run->state;
	const struct updates all = whole(run);

	gups->errors[thread] =
		updates_check(&all, team_slice(gups->words, 512, thread, run->nr_threads));
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	const struct gups *gups = run->state;
	const bool exact = run->nr_threads == 1 || option_flag(run->options, ATOMIC);
	uint64_t errors = 0;

	(void)err;
	team_run(run->team, verify_thread, run);
	for (int thread = 0; thread < run->nr_threads; thread++)
		errors += gups->errors[thread];
	updates_judge(verification, gups->words, option_u64(run->options, UPDATES), errors, exact);
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	updates_metrics(run, option_u64(run->options, UPDATES), out);
}

static void teardown(struct workload_run *run)
{
	struct gups *gups = run->state;

	if (gups)
		free(gups->errors);
	free(gups);
}

const struct workload workload_gups = {
	.name = "gups",
	.summary = "random updates of one table in 128 streams (Mitosis, vMitosis)",
	.options = options,
	.presets = presets,
	.published_footprint_bytes = PUBLISHED_BYTES,
	.published_threads = 1,
	.check = check,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
