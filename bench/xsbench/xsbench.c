// SPDX-License-Identifier: MIT
/*
 * XSBench, the workload: options, footprint, sharing the work among the threads, and the verdict.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/xsbench/xsbench.h"

/* Units of work are handed out in chunks of about this many lookups, a few milliseconds. */
#define CHUNK_LOOKUPS 1024
#define CHUNKS_MAX    (UINT64_C(1) << 20)

enum {
	SIZE,
	GRIDPOINTS,
	NUCLIDES,
	GRID,
	HASH_BINS,
	MODE,
	PARTICLES,
	LOOKUPS,
	BATCH,
	LOOKAHEAD,
	SCHEDULE,
	CHECK_LOOKUPS,
};
enum { SCHEDULE_DYNAMIC, SCHEDULE_STATIC };

static const struct option options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = options_quarter_of_memory,
		  .emulated = "512M",
		  .min = UINT64_C(1) << 20,
		  .max = UINT64_C(1) << 50,
		  .scales = true,
		  .help = "bytes of the data, as many gridpoints as fit; default: a quarter of "
			  "memory"},
	[GRIDPOINTS] = {.name = "gridpoints",
			.type = OPTION_COUNT,
			.native = "0",
			.max = XS_GRIDPOINTS_MAX,
			.scales = true,
			.help = "points of a nuclide, 11303 in Hoogenboom-Martin; 0: by --size"},
	[NUCLIDES] = {.name = "nuclides",
		      .type = OPTION_INT,
		      .native = "355",
		      .min = XS_NUCLIDES_MIN,
		      .max = 100000,
		      .help = "68 is Hoogenboom-Martin small, 355 large; all above 67 are fuel"},
	[GRID] =
		{.name = "grid",
		 .type = OPTION_CHOICE,
		 .native = "unionized",
		 .choices = "unionized|nuclide|hash",
		 .help = "how a lookup finds an energy: one search and a row of the index; a "
			 "search per nuclide; or bins. With 355 nuclides, unionized takes 30 times "
			 "the memory of the others"},
	[HASH_BINS] = {.name = "hash-bins",
		       .type = OPTION_COUNT,
		       .native = "10000",
		       .min = 1,
		       .max = UINT64_C(1) << 32,
		       .scales = true,
		       .help = "bins of energy of --grid hash"},
	[MODE] = {.name = "mode",
		  .type = OPTION_CHOICE,
		  .native = "history",
		  .choices = "history|event",
		  .help = "follow particles, whose lookups depend on each other, or look up "
			  "independent samples"},
	[PARTICLES] = {.name = "particles",
		       .type = OPTION_COUNT,
		       .native = "500000",
		       .emulated = "600",
		       .min = 1,
		       .max = UINT64_C(1) << 40,
		       .help = "of all threads together"},
	[LOOKUPS] = {.name = "lookups",
		     .type = OPTION_COUNT,
		     .native = "34",
		     .min = 1,
		     .max = UINT64_C(1) << 20,
		     .help = "per particle; event mode makes as many as history mode"},
	[BATCH] = {.name = "batch",
		   .type = OPTION_INT,
		   .native = "1",
		   .min = 1,
		   .max = XS_BATCH_MAX,
		   .help = "particles or events that a thread keeps under way at once (unionized "
			   "grid); 1: one after the other, as published"},
	[LOOKAHEAD] = {.name = "lookahead",
		       .type = OPTION_INT,
		       .native = "0",
		       .max = XS_LOOKAHEAD_MAX,
		       .help = "nuclides whose points are prefetched (unionized grid); 0: none, as "
			       "published"},
	[SCHEDULE] = {.name = "schedule",
		      .type = OPTION_CHOICE,
		      .native = "dynamic",
		      .emulated = "static",
		      .choices = "dynamic|static",
		      .help = "threads take work when they are free, or have equal shares"},
	[CHECK_LOOKUPS] =
		{.name = "check-lookups",
		 .type = OPTION_COUNT,
		 .native = "20000",
		 .emulated = "2000",
		 .help = "lookups that the check repeats by slow code of its own; 0: all"},
	{.name = NULL},
};

static const struct option_preset presets[] = {
	{"hm-small", "XSBench's small", "nuclides=68 gridpoints=11303 particles=500000 lookups=34"},
	{"hm-large", "XSBench's large, its default",
	 "nuclides=355 gridpoints=11303 particles=500000 lookups=34"},
	{"xl", "XSBench's XL", "nuclides=355 gridpoints=238847 particles=500000 lookups=34"},
	{"xxl", "XSBench's XXL", "nuclides=355 gridpoints=501578 particles=500000 lookups=34"},
	{"mitosis-thin", "one socket in Mitosis, 16 threads",
	 "nuclides=355 gridpoints=180000 particles=15000000 lookups=34"},
	{"mitosis-wide", "all sockets in Mitosis",
	 "nuclides=355 gridpoints=920000 particles=25000000 lookups=34"},
	{"vmitosis-thin", "one socket in vMitosis, 48 threads",
	 "nuclides=355 gridpoints=680000 particles=15000000 lookups=34"},
	{"vmitosis-wide", "all sockets in vMitosis",
	 "nuclides=355 gridpoints=2800000 particles=75000000 lookups=34"},
	{"throughput", "several particles under way, points prefetched", "batch=16 lookahead=16"},
	{.name = NULL},
};

struct state {
	struct xs_data data;
	struct xs_work work;
	uint64_t units, nr_chunks;
	uint64_t *sums; /* by chunk */
	_Atomic uint64_t next_chunk;
	/* of the check */
	uint64_t checked_chunks;
	_Atomic uint64_t wrong_chunks;
};

/* --- how large ------------------------------------------------------------------------------- */

static uint64_t bytes_of(const struct xs_data *data)
{
	const uint64_t points = data->nuclides * data->gridpoints;
	const uint64_t energies = data->grid == XS_UNIONIZED ? points * sizeof(double) : 0;

	return points * sizeof(struct xs_point) + energies +
	       xs_index_rows(data) * data->nuclides * sizeof(uint32_t) +
	       xs_parts_total(data->nuclides) * sizeof(struct xs_part);
}

/* The data set of the options: --gridpoints, or the most that fit into --size. */
static struct xs_data planned_data(const struct option_set *set)
{
	const uint64_t size = option_u64(set, SIZE);
	struct xs_data data = {
		.grid = (enum xs_grid)option_choice(set, GRID),
		.nuclides = option_u64(set, NUCLIDES),
		.hash_bins = option_u64(set, HASH_BINS),
		.gridpoints = option_u64(set, GRIDPOINTS),
	};
	uint64_t low = 2, high = XS_GRIDPOINTS_MAX;

	if (data.gridpoints > 0)
		return data;
	while (low < high) {
		data.gridpoints = low + (high - low + 1) / 2;
		if (bytes_of(&data) <= size)
			low = data.gridpoints;
		else
			high = data.gridpoints - 1;
	}
	data.gridpoints = low;
	return data;
}

static uint64_t footprint_bytes(const struct option_set *set, int nr_threads)
{
	const struct xs_data data = planned_data(set);

	(void)nr_threads;
	return bytes_of(&data);
}

static int check(const struct option_set *set, int nr_threads, struct err *err)
{
	struct xs_data data = planned_data(set);

	(void)nr_threads;
	if (data.gridpoints < 2)
		return err_set(err, ERR_USAGE,
			       "--gridpoints: %" PRIu64
			       " is below 2, which a nuclide needs at least",
			       data.gridpoints);
	data.gridpoints = 2;
	if (option_u64(set, GRIDPOINTS) == 0 && bytes_of(&data) > option_u64(set, SIZE))
		return err_set(err, ERR_USAGE,
			       "--size: %" PRIu64
			       " bytes are less than the smallest grid of %" PRIu64
			       " nuclides takes, %" PRIu64,
			       option_u64(set, SIZE), data.nuclides, bytes_of(&data));
	return 0;
}

/* --- setup ----------------------------------------------------------------------------------- */

static int map_data(struct xs_data *data, struct arena *arena, struct err *err)
{
	const uint64_t points = data->nuclides * data->gridpoints;
	const uint64_t rows = xs_index_rows(data);

	data->points = arena_map(arena, "points", points * sizeof(data->points[0]), err);
	if (!data->points)
		return -1;
	if (data->grid == XS_UNIONIZED) {
		data->energies =
			arena_map(arena, "energies", points * sizeof(data->energies[0]), err);
		if (!data->energies)
			return -1;
	}
	if (rows > 0) {
		data->index = arena_map(arena, "index",
					rows * data->nuclides * sizeof(data->index[0]), err);
		if (!data->index)
			return -1;
	}
	data->parts = arena_map(arena, "materials",
				xs_parts_total(data->nuclides) * sizeof(data->parts[0]), err);
	return data->parts ? 0 : -1;
}

static void plan_chunks(struct state *state)
{
	const uint64_t lookups_per_unit = state->work.mode == XS_HISTORY ? state->work.lookups : 1;
	const uint64_t units_per_chunk = (CHUNK_LOOKUPS - 1) / lookups_per_unit + 1;

	state->units = xs_work_units(&state->work);
	state->nr_chunks = (state->units - 1) / units_per_chunk + 1;
	if (state->nr_chunks > CHUNKS_MAX)
		state->nr_chunks = CHUNKS_MAX;
}

/* The units of a chunk. */
static struct team_slice chunk_slice(const struct state *state, uint64_t chunk)
{
	const unsigned __int128 units = state->units;

	return (struct team_slice){(uint64_t)(units * chunk / state->nr_chunks),
				   (uint64_t)(units * (chunk + 1) / state->nr_chunks)};
}

static int setup(struct workload_run *run, struct err *err)
{
	struct state *state = calloc(1, sizeof(*state));

	run->state = state;
	if (!state)
		return err_set(err, ERR_INTERNAL, "out of memory");
	state->data = planned_data(run->options);
	state->data.seed = run->seed;
	state->work = (struct xs_work){
		.mode = (enum xs_mode)option_choice(run->options, MODE),
		.particles = option_u64(run->options, PARTICLES),
		.lookups = option_u64(run->options, LOOKUPS),
		.batch = (unsigned)option_u64(run->options, BATCH),
		.lookahead = (unsigned)option_u64(run->options, LOOKAHEAD),
	};
	plan_chunks(state);
	state->sums = calloc(state->nr_chunks, sizeof(state->sums[0]));
	if (!state->sums)
		return err_set(err, ERR_INTERNAL, "out of memory for %" PRIu64 " partial sums",
			       state->nr_chunks);
	if (map_data(&state->data, run->arena, err) != 0)
		return -1;
	return xs_build(&state->data, run, err);
}

/* --- the run --------------------------------------------------------------------------------- */

static void run_chunk(struct state *state, uint64_t chunk)
{
	const struct team_slice units = chunk_slice(state, chunk);

	state->sums[chunk] = xs_lookup_units(&state->data, &state->work, units.begin, units.end);
}

static void run_thread(struct workload_run *run, int thread)
{
	struct state *state = run->state;
	struct team_slice mine;
	uint64_t chunk;

	if (option_choice(run->options, SCHEDULE) == SCHEDULE_DYNAMIC) {
		while ((chunk = state->next_chunk++) < state->nr_chunks)
			run_chunk(state, chunk);
		return;
	}
	mine = team_slice(state->nr_chunks, 1, thread, run->nr_threads);
	for (chunk = mine.begin; chunk < mine.end; chunk++)
		run_chunk(state, chunk);
}

/* --- the check ------------------------------------------------------------------------------- */

static void check_chunks_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	struct state *state = run->state;
	const struct team_slice mine =
		team_slice(state->checked_chunks, 1, thread, run->nr_threads);

	for (uint64_t i = mine.begin; i < mine.end; i++) {
		/* Spread evenly over all chunks, the last one included. */
		const uint64_t chunk = (uint64_t)((unsigned __int128)(i + 1) * state->nr_chunks /
						  state->checked_chunks) -
				       1;
		const struct team_slice units = chunk_slice(state, chunk);

		if (xs_check_units(&state->data, &state->work, units.begin, units.end) !=
		    state->sums[chunk])
			state->wrong_chunks++;
	}
}

static uint64_t chunks_to_check(const struct workload_run *run)
{
	const struct state *state = run->state;
	const uint64_t wanted = option_u64(run->options, CHECK_LOOKUPS);
	const uint64_t lookups = state->work.particles * state->work.lookups;
	uint64_t count;

	if (wanted == 0 || wanted >= lookups)
		return state->nr_chunks;
	count = (uint64_t)((unsigned __int128)wanted * state->nr_chunks / lookups);
	return count > 0 ? count : 1;
}

static uint64_t sum_of_chunks(const struct state *state)
{
	uint64_t sum = 0;

	for (uint64_t chunk = 0; chunk < state->nr_chunks; chunk++)
		sum += state->sums[chunk];
	return sum;
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	struct state *state = run->state;
	const uint64_t value = sum_of_chunks(state) % XS_MODULUS;
	const uint64_t published = xs_published_value(&state->data, &state->work);
	struct xs_verdict verdict;
	int used;

	if (xs_check_data(&state->data, run->team, &verdict, err) != 0)
		return -1;
	state->checked_chunks = chunks_to_check(run);
	team_run(run->team, check_chunks_thread, run);
	verification->checked = verdict.checked + state->checked_chunks;
	verification->errors = verdict.errors + state->wrong_chunks;
	if (published != 0 && published != value)
		verification->errors++;
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	used = snprintf(verification->detail, sizeof(verification->detail),
			"value %" PRIu64 "; %" PRIu64 " of %" PRIu64
			" partial sums repeated, %" PRIu64 " wrong; data %s",
			value, state->checked_chunks, state->nr_chunks, state->wrong_chunks,
			verdict.errors ? verdict.first : "sound");
	if (published != 0 && used > 0 && (size_t)used < sizeof(verification->detail))
		snprintf(verification->detail + used, sizeof(verification->detail) - (size_t)used,
			 "; published value %" PRIu64, published);
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const struct state *state = run->state;
	const double ns = (double)run->roi->duration_ns;
	const uint64_t lookups = state->work.particles * state->work.lookups;

	out->work_amount = lookups;
	out->work_unit = "lookups";
	metrics_add(out, &(struct metric){.name = "lookups_per_second",
					  .unit = "M/s",
					  .value = (double)lookups * 1e3 / ns,
					  .primary = true});
	metrics_add(out, &(struct metric){.name = "thread_ns_per_lookup",
					  .unit = "ns",
					  .value = ns * run->nr_threads / (double)lookups,
					  .better = METRIC_LOWER});
}

static void teardown(struct workload_run *run)
{
	struct state *state = run->state;

	if (state)
		free(state->sums);
	free(state);
}

const struct workload workload_xsbench = {
	.name = "xsbench",
	.summary = "neutron cross-section lookups, unionized, nuclide or hash grid (Mitosis, "
		   "vMitosis)",
	.options = options,
	.presets = presets,
	/* 180,000 points of 355 nuclides, Mitosis' one-socket run. */
	.published_footprint_bytes = UINT64_C(94316407744),
	.published_threads = 0,
	.check = check,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
