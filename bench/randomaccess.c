// SPDX-License-Identifier: MIT
/*
 * RandomAccess by the rules of the HPC Challenge: 4 x 2^n updates of a table of 2^n words, at most
 * 1024 values drawn ahead by a thread, checked serially with at most 1% of the words wrong. "star":
 * every thread has a table of its own; "shared": one table for all.
 */
#include <stdlib.h>

#include "bench/updates.h"
#include "bench/workload.h"

enum { SIZE, MODE, UPDATES_PER_WORD, LOOKAHEAD, PREFETCH };
enum { MODE_SHARED, MODE_STAR };

static uint64_t default_size(const struct option_context *context)
{
	return options_power_of_two(context->memory_bytes / 8, UINT64_C(1) << 20,
				    UINT64_C(1) << 50);
}

static const struct option options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = default_size,
		  .emulated = "256M",
		  .min = 4096,
		  .max = UINT64_C(1) << 50,
		  .scales = true,
		  .help = "bytes of all tables together; default: an eighth of memory"},
	[MODE] = {.name = "mode",
		  .type = OPTION_CHOICE,
		  .native = "shared",
		  .choices = "shared|star",
		  .help = "one table for all threads, or one each"},
	[UPDATES_PER_WORD] = {.name = "updates-per-word",
			      .type = OPTION_DOUBLE,
			      .native = "4",
			      .emulated = "0.0625",
			      .help = "anything but 4 is not RandomAccess"},
	[LOOKAHEAD] = {.name = "lookahead",
		       .type = OPTION_COUNT,
		       .native = "1024",
		       .emulated = "128",
		       .min = UPDATES_STREAMS,
		       .max = UPDATES_LOOKAHEAD_MAX,
		       .power_of_two = true,
		       .help = "values drawn before the first of them is applied"},
	[PREFETCH] = {.name = "prefetch",
		      .type = OPTION_COUNT,
		      .native = "16",
		      .emulated = "0",
		      .min = 0,
		      .max = UPDATES_PREFETCH_MAX,
		      .help = "ask for each word so many updates ahead; 0: not at all"},
	{.name = NULL},
};

struct randomaccess {
	uint64_t **tables; /* by thread; all the same when shared */
	uint64_t *errors;  /* by thread */
	uint64_t words;    /* of a table */
	uint64_t updates;  /* of a table */
	bool star;
};

static uint64_t table_words(const struct option_set *set, int nr_threads)
{
	const uint64_t tables = option_choice(set, MODE) == MODE_STAR ? (uint64_t)nr_threads : 1;

	return options_power_of_two(option_u64(set, SIZE) / sizeof(uint64_t) / tables, 64,
				    UINT64_MAX);
}

static uint64_t footprint_bytes(const struct option_set *set, int nr_threads)
{
	const uint64_t tables = option_choice(set, MODE) == MODE_STAR ? (uint64_t)nr_threads : 1;

	return table_words(set, nr_threads) * sizeof(uint64_t) * tables;
}

static int check(const struct option_set *set, int nr_threads, struct err *err)
{
	const double per_word = option_f64(set, UPDATES_PER_WORD);

	(void)nr_threads;
	if (per_word > 0 && per_word <= 1e6)
		return 0;
	return err_set(err, ERR_USAGE, "--updates-per-word: %g is not between 0 and 1000000",
		       per_word);
}

/* The words of its table that a thread fills and checks. */
static struct team_slice own_words(const struct workload_run *run, int thread)
{
	const struct randomaccess *all = run->state;

	if (all->star)
		return (struct team_slice){0, all->words};
	return team_slice(all->words, 512, thread, run->nr_threads);
}

static void fill_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	const struct randomaccess *all = run->state;

	updates_fill(all->tables[thread], own_words(run, thread));
}

static int map_tables(struct workload_run *run, struct randomaccess *all, struct err *err)
{
	const uint64_t bytes = all->words * sizeof(uint64_t);
	uint64_t tables = all->star ? (uint64_t)run->nr_threads : 1;
	uint64_t *first =
		arena_map(run->arena, all->star ? "tables" : "table", bytes * tables, err);

	if (!first)
		return -1;
	for (int thread = 0; thread < run->nr_threads; thread++)
		all->tables[thread] = all->star ? first + (uint64_t)thread * all->words : first;
	return 0;
}

static int setup(struct workload_run *run, struct err *err)
{
	struct randomaccess *all = calloc(1, sizeof(*all));

	run->state = all;
	if (!all)
		return err_set(err, ERR_INTERNAL, "out of memory");
	all->star = option_choice(run->options, MODE) == MODE_STAR;
	all->words = table_words(run->options, run->nr_threads);
	all->updates = (uint64_t)((double)all->words * option_f64(run->options, UPDATES_PER_WORD));
	if (all->updates == 0)
		all->updates = 1;
	all->tables = calloc((size_t)run->nr_threads, sizeof(all->tables[0]));
	all->errors = calloc((size_t)run->nr_threads, sizeof(all->errors[0]));
	if (!all->tables || !all->errors)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (map_tables(run, all, err) != 0)
		return -1;
	team_run(run->team, fill_thread, run);
	return 0;
}

/* All updates of a thread's table. */
static struct updates whole(const struct workload_run *run, int thread)
{
	const struct randomaccess *all = run->state;

	return (struct updates){
		.table = all->tables[thread],
		.words = all->words,
		.first = updates_origin(run->seed),
		.count = all->updates,
		.lookahead = (unsigned)option_u64(run->options, LOOKAHEAD),
		.prefetch = (unsigned)option_u64(run->options, PREFETCH),
	};
}

static void run_thread(struct workload_run *run, int thread)
{
	const struct randomaccess *all = run->state;
	struct updates mine = whole(run, thread);

	if (!all->star) {
		const struct team_slice slice = team_slice(mine.count, 1, thread, run->nr_threads);

		mine.first += slice.begin;
		mine.count = slice.end - slice.begin;
	}
	updates_apply(&mine);
}

static void verify_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	const struct randomaccess *all = run->state;
	const struct updates updates = whole(run, thread);

	all->errors[thread] = updates_check(&updates, own_words(run, thread));
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	const struct randomaccess *all = run->state;
	const uint64_t tables = all->star ? (uint64_t)run->nr_threads : 1;
	uint64_t errors = 0;

	(void)err;
	team_run(run->team, verify_thread, run);
	for (int thread = 0; thread < run->nr_threads; thread++)
		errors += all->errors[thread];
	updates_judge(verification, all->words * tables, all->updates * tables, errors,
		      all->star || run->nr_threads == 1);
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const struct randomaccess *all = run->state;

	updates_metrics(run, all->updates * (all->star ? (uint64_t)run->nr_threads : 1), out);
}

static void teardown(struct workload_run *run)
{
	struct randomaccess *all = run->state;

	if (all) {
		free(all->tables);
		free(all->errors);
	}
	free(all);
}

const struct workload workload_randomaccess = {
	.name = "randomaccess",
	.summary = "HPC Challenge RandomAccess, star or shared",
	.options = options,
	.check = check,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
