// SPDX-License-Identifier: MIT
/*
 * STREAM by McCalpin's rules (www.cs.virginia.edu/stream): copy, scale, add and triad on three
 * arrays of doubles, each at least four times the last-level caches; best of n trials without the
 * first; 16, 16, 24 and 24 bytes an element. With --until-stopped it is the interference load.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/workload.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { SIZE, TRIALS, NON_TEMPORAL, UNTIL_STOPPED };
enum { COPY, SCALE, ADD, TRIAD, NR_KERNELS };

#define TRIALS_MAX 200 /* values grow by 15 a trial; a double holds 15^260 */
#define SCALAR     3.0
#define TOLERANCE  1e-13

static uint64_t default_size(const struct option_context *context)
{
	const uint64_t least = UINT64_C(96) << 20, most = context->memory_bytes / 4;
	const uint64_t by_caches = 3 * 4 * context->cache_bytes;
	const uint64_t size = by_caches > least ? by_caches : least;

	return size > most && most >= least ? most : size;
}

static const struct option options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = default_size,
		  .emulated = "96M",
		  .min = 24 * 512,
		  .max = UINT64_C(1) << 50,
		  .help = "bytes of the three arrays; default: each 4 times the caches"},
	[TRIALS] = {.name = "trials",
		    .type = OPTION_INT,
		    .native = "10",
		    .emulated = "1",
		    .min = 1,
		    .max = TRIALS_MAX,
		    .help = "the best but the first counts"},
	[NON_TEMPORAL] = {.name = "non-temporal",
			  .type = OPTION_FLAG,
			  .help = "stores that go past the caches (x86)"},
	[UNTIL_STOPPED] = {.name = "until-stopped",
			   .type = OPTION_FLAG,
			   .help = "run as interference until told to stop"},
	{.name = NULL},
};

struct stream {
	double *a, *b, *c;
	uint64_t elements; /* of an array */
	uint64_t trials;
	uint64_t (*kernel_ns)[NR_KERNELS]; /* by trial */
};

static const struct {
	const char *name;
	uint64_t bytes; /* per element */
} kernels[NR_KERNELS] = {
	[COPY] = {"copy", 16},
	[SCALE] = {"scale", 16},
	[ADD] = {"add", 24},
	[TRIAD] = {"triad", 24},
};

static uint64_t footprint_bytes(const struct option_set *set, int nr_threads)
{
	(void)nr_threads;
	return option_u64(set, SIZE);
}

static bool endless(const struct option_set *set)
{
	return option_flag(set, UNTIL_STOPPED);
}

static int check(const struct option_set *set, int nr_threads, struct err *err)
{
	(void)nr_threads;
#ifndef __SSE2__
	if (option_flag(set, NON_TEMPORAL))
		return err_set(err, ERR_MACHINE,
			       "--non-temporal: this processor's kernels have no such stores");
#endif
	(void)set;
	(void)err;
	return 0;
}

/* --- the kernels ----------------------------------------------------------------------------- */

/* Two doubles that the compiler keeps in one register; slices are whole numbers of them. */
typedef double pair __attribute__((vector_size(16), may_alias));

static void run_cached(const struct stream *stream, int kernel, struct team_slice slice)
{
	const uint64_t n = (slice.end - slice.begin) / 2;
	pair *restrict a = (pair *)(stream->a + slice.begin);
	pair *restrict b = (pair *)(stream->b + slice.begin);
	pair *restrict c = (pair *)(stream->c + slice.begin);

	if (kernel == COPY) /* what compilers make of the loop in the rules */
		memcpy(c, a, n * sizeof(pair));
	else if (kernel == SCALE)
		for (uint64_t i = 0; i < n; i++)
			b[i] = SCALAR * c[i];
	else if (kernel == ADD)
		for (uint64_t i = 0; i < n; i++)
			c[i] = a[i] + b[i];
	else
		for (uint64_t i = 0; i < n; i++)
			a[i] = b[i] + SCALAR * c[i];
}

#ifdef __SSE2__
static void store_past(pair *to, pair value)
{
	_mm_stream_pd((double *)to, (__m128d)value);
}

static void run_past_caches(const struct stream *stream, int kernel, struct team_slice slice)
{
	const uint64_t n = (slice.end - slice.begin) / 2;
	pair *restrict a = (pair *)(stream->a + slice.begin);
	pair *restrict b = (pair *)(stream->b + slice.begin);
	pair *restrict c = (pair *)(stream->c + slice.begin);

	if (kernel == COPY)
		for (uint64_t i = 0; i < n; i++)
			store_past(&c[i], a[i]);
	else if (kernel == SCALE)
		for (uint64_t i = 0; i < n; i++)
			store_past(&b[i], SCALAR * c[i]);
	else if (kernel == ADD)
		for (uint64_t i = 0; i < n; i++)
			store_past(&c[i], a[i] + b[i]);
	else
		for (uint64_t i = 0; i < n; i++)
			store_past(&a[i], b[i] + SCALAR * c[i]);
	_mm_sfence();
}
#else
#define run_past_caches run_cached
#endif

static void run_kernel(const struct workload_run *run, int kernel, struct team_slice slice)
{
	(option_flag(run->options, NON_TEMPORAL) ? run_past_caches : run_cached)(run->state, kernel,
										 slice);
}

/* --- the run --------------------------------------------------------------------------------- */

/* Pages of 4 KiB, so that no two threads touch one. */
static struct team_slice own_slice(const struct workload_run *run, int thread)
{
	const struct stream *stream = run->state;

	return team_slice(stream->elements, 512, thread, run->nr_threads);
}

static void fill_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	const struct stream *stream = run->state;
	const struct team_slice slice = own_slice(run, thread);

	for (uint64_t i = slice.begin; i < slice.end; i++) {
		stream->a[i] = 1.0;
		stream->b[i] = 2.0;
		stream->c[i] = 0.0;
	}
}

static int setup(struct workload_run *run, struct err *err)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	run->state = stream;
	if (!stream)
		return err_set(err, ERR_INTERNAL, "out of memory");
	stream->elements = option_u64(run->options, SIZE) / 24 / 512 * 512;
	stream->trials = option_u64(run->options, TRIALS);
	stream->kernel_ns = calloc(stream->trials, sizeof(stream->kernel_ns[0]));
	if (!stream->kernel_ns)
		return err_set(err, ERR_INTERNAL, "out of memory");
	stream->a = arena_map(run->arena, "a", stream->elements * sizeof(double), err);
	stream->b = stream->a ? arena_map(run->arena, "b", stream->elements * sizeof(double), err)
			      : NULL;
	stream->c = stream->b ? arena_map(run->arena, "c", stream->elements * sizeof(double), err)
			      : NULL;
	if (!stream->c)
		return -1;
	team_run(run->team, fill_thread, run);
	return 0;
}

static void run_trials(struct workload_run *run, int thread)
{
	struct stream *stream = run->state;
	const struct team_slice slice = own_slice(run, thread);

	for (uint64_t trial = 0; trial < stream->trials; trial++) {
		for (int kernel = 0; kernel < NR_KERNELS; kernel++) {
			uint64_t start_ns;

			team_barrier(run->team);
			start_ns = roi_now_ns();
			run_kernel(run, kernel, slice);
			team_barrier(run->team);
			if (thread == 0)
				stream->kernel_ns[trial][kernel] = roi_now_ns() - start_ns;
		}
	}
}

/* All kernels in turn on pieces of the thread's part, until somebody says stop. */
static void run_endless(struct workload_run *run, int thread)
{
	const struct team_slice slice = own_slice(run, thread);
	const uint64_t piece = 64 * 1024;
	bool announced = slice.begin == slice.end; /* too many threads: nothing to do */

	if (announced) {
		atomic_fetch_add(&run->threads_moving, 1);
		return;
	}
	while (!atomic_load_explicit(&run->stop, memory_order_relaxed)) {
		for (int kernel = 0; kernel < NR_KERNELS; kernel++) {
			for (uint64_t at = slice.begin; at < slice.end; at += piece) {
				const uint64_t left = slice.end - at;
				const uint64_t count = left < piece ? left : piece;

				if (atomic_load_explicit(&run->stop, memory_order_relaxed))
					return;
				run_kernel(run, kernel, (struct team_slice){at, at + count});
				atomic_fetch_add_explicit(&run->bytes_moved,
							  count * kernels[kernel].bytes,
							  memory_order_relaxed);
				if (!announced)
					atomic_fetch_add(&run->threads_moving, 1);
				announced = true;
			}
		}
	}
}

static void run_thread(struct workload_run *run, int thread)
{
	(endless(run->options) ? run_endless : run_trials)(run, thread);
}

/* --- the check ------------------------------------------------------------------------------- */

/* What the arrays must hold after the trials, by the definition of the kernels. */
static void expected_values(uint64_t trials, double values[3])
{
	double a = 1.0, b = 2.0, c = 0.0;

	while (trials-- > 0) {
		c = a;
		b = SCALAR * c;
		c = a + b;
		a = b + SCALAR * c;
	}
	values[0] = a;
	values[1] = b;
	values[2] = c;
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	const struct stream *stream = run->state;
	const double *const arrays[3] = {stream->a, stream->b, stream->c};
	double expected[3], worst = 0;

	(void)err;
	if (endless(run->options)) {
		verification->status = VERIFICATION_SKIPPED;
		snprintf(verification->detail, sizeof(verification->detail),
			 "stopped somewhere in the middle");
		return 0;
	}
	expected_values(stream->trials, expected);
	for (int array = 0; array < 3; array++) {
		double sum = 0;

		for (uint64_t i = 0; i < stream->elements; i++) {
			const double error = fabs(arrays[array][i] / expected[array] - 1.0);

			sum += error;
			verification->errors += !(error <= TOLERANCE);
		}
		sum /= (double)stream->elements;
		worst = sum > worst || isnan(sum) ? sum : worst;
	}
	verification->checked = 3 * stream->elements;
	verification->status = worst <= TOLERANCE ? VERIFICATION_PASS : VERIFICATION_FAIL;
	snprintf(verification->detail, sizeof(verification->detail),
		 "worst average relative error of an array %.1e, %.0e is allowed", worst,
		 TOLERANCE);
	return 0;
}

/* --- metrics --------------------------------------------------------------------------------- */

static uint64_t total_bytes(const struct workload_run *run)
{
	const struct stream *stream = run->state;
	uint64_t per_element = 0;

	if (endless(run->options))
		return run->bytes_moved;
	for (int kernel = 0; kernel < NR_KERNELS; kernel++)
		per_element += kernels[kernel].bytes;
	return stream->trials * stream->elements * per_element;
}

static void best_of_trials(const struct stream *stream, struct metrics *out)
{
	for (int kernel = 0; kernel < NR_KERNELS; kernel++) {
		const uint64_t first = stream->trials > 1 ? 1 : 0;
		uint64_t best_ns = UINT64_MAX;

		for (uint64_t trial = first; trial < stream->trials; trial++)
			if (stream->kernel_ns[trial][kernel] < best_ns)
				best_ns = stream->kernel_ns[trial][kernel];
		metrics_add(out, &(struct metric){.name = kernels[kernel].name,
						  .unit = "GB/s",
						  .value = (double)(stream->elements *
								    kernels[kernel].bytes) /
							   (double)best_ns,
						  .primary = kernel == TRIAD});
	}
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const bool average_only = endless(run->options) || run->roi->modelled;

	out->work_amount = total_bytes(run);
	out->work_unit = "bytes";
	/* Single kernels are timed by the host's clock, which says nothing of a modelled machine.
	 */
	if (!average_only)
		best_of_trials(run->state, out);
	metrics_add(out, &(struct metric){.name = "bandwidth",
					  .unit = "GB/s",
					  .value = (double)out->work_amount /
						   (double)run->roi->duration_ns,
					  .primary = average_only});
}

static void teardown(struct workload_run *run)
{
	struct stream *stream = run->state;

	if (stream)
		free(stream->kernel_ns);
	free(stream);
}

const struct workload workload_stream = {
	.name = "stream",
	.summary = "memory bandwidth by McCalpin's rules; the interference load",
	.options = options,
	.check = check,
	.endless = endless,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
