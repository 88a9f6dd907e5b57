// SPDX-License-Identifier: MIT
/*
 * The workload that tests the harness: touches a region page by page, sleeps, and misbehaves in
 * each of the ways that a harness must survive.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench/workload.h"
#include "common/wire.h"

enum { SIZE, TOUCHES, SLEEP, MISBEHAVE, WHEN };
enum { BEHAVES, CRASH, HANG, GARBAGE, WRONG, EXIT };
enum { IN_SETUP, IN_RUN, IN_VERIFY };

#define PAGE_BYTES UINT64_C(4096)

static const struct option options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .native = "16M",
		  .min = PAGE_BYTES,
		  .max = UINT64_C(1) << 50,
		  .help = "bytes of the region"},
	[TOUCHES] = {.name = "touches",
		     .type = OPTION_COUNT,
		     .native = "4",
		     .min = 1,
		     .max = 1000000000,
		     .help = "times that every page is written"},
	[SLEEP] = {.name = "sleep-ms",
		   .type = OPTION_INT,
		   .native = "0",
		   .max = 86400000,
		   .help = "milliseconds that the run sleeps"},
	[MISBEHAVE] = {.name = "misbehave",
		       .type = OPTION_CHOICE,
		       .native = "none",
		       .choices = "none|crash|hang|garbage|wrong|exit=N",
		       .help = "what to do to the harness"},
	[WHEN] = {.name = "when",
		  .type = OPTION_CHOICE,
		  .native = "run",
		  .choices = "setup|run|verify",
		  .help = "the phase that misbehaves"},
	{.name = NULL},
};

struct null {
	volatile unsigned char *region;
	uint64_t pages;
	_Atomic uint64_t touched;
};

static uint64_t footprint_bytes(const struct option_set *set, int nr_threads)
{
	(void)nr_threads;
	return option_u64(set, SIZE);
}

static void crash(const struct workload_run *run)
{
	(void)run;
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static void hang(const struct workload_run *run)
{
	(void)run;
	for (;;)
		sleep(3600);
}

/* Where the harness listens, or on stdout. */
static void print_garbage(const struct workload_run *run)
{
	static const char text[] = "\x01 this is no JSON {]\n";
	const char *fd = getenv(WIRE_ENV);

	(void)run;
	if (write(fd ? atoi(fd) : STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		abort();
}

static void end_process(const struct workload_run *run)
{
	_exit((int)run->options->values[MISBEHAVE].extra);
}

static void misbehave(const struct workload_run *run, int phase)
{
	static void (*const ways[])(const struct workload_run *) = {
		[CRASH] = crash,
		[HANG] = hang,
		[GARBAGE] = print_garbage,
		[EXIT] = end_process,
	};
	const int way = option_choice(run->options, MISBEHAVE);

	if (phase == option_choice(run->options, WHEN) && way != BEHAVES && way != WRONG)
		ways[way](run);
}

static int setup(struct workload_run *run, struct err *err)
{
	struct null *null = calloc(1, sizeof(*null));

	run->state = null;
	if (!null)
		return err_set(err, ERR_INTERNAL, "out of memory");
	misbehave(run, IN_SETUP);
	null->pages = option_u64(run->options, SIZE) / PAGE_BYTES;
	null->region = arena_map(run->arena, "region", null->pages * PAGE_BYTES, err);
	if (!null->region)
		return -1;
	for (uint64_t page = 0; page < null->pages; page++)
		null->region[page * PAGE_BYTES] = 0;
	return 0;
}

static void run_thread(struct workload_run *run, int thread)
{
	struct null *null = run->state;
	const struct team_slice slice = team_slice(null->pages, 1, thread, run->nr_threads);
	const uint64_t ms = option_u64(run->options, SLEEP);
	const struct timespec delay = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	const uint64_t touches = option_u64(run->options, TOUCHES);

	if (thread == 0)
		misbehave(run, IN_RUN);
	for (uint64_t touch = 0; touch < touches; touch++)
		for (uint64_t page = slice.begin; page < slice.end; page++)
			null->region[page * PAGE_BYTES]++;
	null->touched += (slice.end - slice.begin) * touches;
	if (ms > 0)
		nanosleep(&delay, NULL);
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	const struct null *null = run->state;
	const unsigned char expected = (unsigned char)option_u64(run->options, TOUCHES);

	(void)err;
	misbehave(run, IN_VERIFY);
	if (option_choice(run->options, MISBEHAVE) == WRONG)
		null->region[0]++;
	for (uint64_t page = 0; page < null->pages; page++)
		verification->errors += null->region[page * PAGE_BYTES] != expected;
	verification->checked = null->pages;
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	snprintf(verification->detail, sizeof(verification->detail),
		 "%" PRIu64 " of %" PRIu64 " pages were not touched as often as asked",
		 verification->errors, null->pages);
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	struct null *null = run->state;
	const double ns = (double)run->roi->duration_ns;

	out->work_amount = null->touched;
	out->work_unit = "touches";
	metrics_add(out, &(struct metric){.name = "touches_per_second",
					  .unit = "M/s",
					  .value = (double)out->work_amount * 1e3 / ns,
					  .primary = true});
}

static void teardown(struct workload_run *run)
{
	free(run->state);
}

const struct workload workload_null = {
	.name = "null",
	.summary = "touches a region; misbehaves on request, to test the harness",
	.options = options,
	.published_threads = 1,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
