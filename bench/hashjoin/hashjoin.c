// SPDX-License-Identifier: MIT
/* HashJoin, the workload: options, footprint, the phases of a join, and the verdict. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/hashjoin/hashjoin.h"
#include "bench/setup_progress.h"

#define PUBLISHED_BYTES (UINT64_C(17) << 30)

/* Setup counts its progress in pieces of this many bytes. */
#define PIECE_BYTES (UINT64_C(4) << 20)

enum {
	SIZE,
	BUILD_TUPLES,
	PROBE_TUPLES,
	ALGORITHM,
	TIMED,
	ROUNDS,
	FILL,
	MATCH_PERCENT,
	ZIPF,
	LOOKAHEAD,
	RADIX_BITS,
};
enum { TIMED_JOIN, TIMED_PROBE };

static const struct option options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = options_quarter_of_memory,
		  .emulated = "512M",
		  .min = UINT64_C(1) << 20,
		  .max = UINT64_C(1) << 50,
		  .scales = true,
		  .help = "bytes of relations and table, as many tuples as fit; default: a quarter "
			  "of memory"},
	[BUILD_TUPLES] = {.name = "build-tuples",
			  .type = OPTION_COUNT,
			  .native = "0",
			  .max = UINT64_C(1) << 44,
			  .scales = true,
			  .help = "tuples of the relation that the table is made of; 0: by --size"},
	[PROBE_TUPLES] = {.name = "probe-tuples",
			  .type = OPTION_COUNT,
			  .native = "0",
			  .emulated = "500k",
			  .max = UINT64_C(1) << 44,
			  .scales = true,
			  .help = "tuples that look for a partner; 0: as many as --build-tuples"},
	[ALGORITHM] =
		{.name = "algorithm",
		 .type = OPTION_CHOICE,
		 .native = "chained",
		 .choices = "chained|linear|radix",
		 .help = "one table with chains, as published; one table with linear probing; "
			 "or partitions that fit a cache"},
	[TIMED] = {.name = "timed",
		   .type = OPTION_CHOICE,
		   .native = "join",
		   .emulated = "probe",
		   .choices = "join|probe",
		   .help = "time building and probing, or build during setup"},
	[ROUNDS] = {.name = "rounds",
		    .type = OPTION_COUNT,
		    .native = "1",
		    .min = 1,
		    .max = UINT64_C(1) << 32,
		    .help = "times that the probe relation is gone through"},
	[FILL] = {.name = "fill",
		  .type = OPTION_INT,
		  .native = "50",
		  .min = 10,
		  .max = 95,
		  .help = "percent of the slots of --algorithm linear that are taken at most"},
	[MATCH_PERCENT] = {.name = "match-percent",
			   .type = OPTION_INT,
			   .native = "100",
			   .max = 100,
			   .help = "share of the probe tuples that have a partner"},
	[ZIPF] = {.name = "zipf",
		  .type = OPTION_DOUBLE,
		  .native = "0",
		  .help = "exponent of the frequencies of the probe's keys; 0: uniform"},
	[LOOKAHEAD] = {.name = "lookahead",
		       .type = OPTION_INT,
		       .native = "0",
		       .max = HJ_LOOKAHEAD_MAX,
		       .help = "tuples whose place in the table is prefetched; 0: none, as "
			       "published"},
	[RADIX_BITS] = {.name = "radix-bits",
			.type = OPTION_INT,
			.native = "0",
			.max = HJ_RADIX_BITS_MAX,
			.help = "2^N partitions of --algorithm radix; 0: by the tuples"},
	{.name = NULL},
};

static const struct option_preset presets[] = {
	{"mitosis-thin", "one thread in Mitosis, by its footprint",
	 "size=17G algorithm=chained timed=probe"},
	{"mitosis-wide", "all sockets in Mitosis, by its footprint",
	 "size=480G algorithm=chained timed=probe"},
	{"blanas", "16 Mi with 256 Mi tuples (SIGMOD 2011)",
	 "build-tuples=16Mi probe-tuples=256Mi"},
	{"throughput", "partitioned", "algorithm=radix"},
	{.name = NULL},
};

/* A line of its own for each thread. */
struct thread_result {
	_Alignas(128) struct hj_result result;
};

struct state {
	struct hj_data data;
	struct hj_join join;
	struct thread_result *results;
	uint64_t build_digest, probe_digest;
	/* of setup */
	_Atomic uint64_t done_bytes;
};

/* --- how large ---------------------------------------------------------------------------------
 */

static unsigned radix_bits_of(const struct option_set *set, uint64_t nr_build)
{
	const unsigned bits = (unsigned)option_u64(set, RADIX_BITS);

	return bits > 0 ? bits : hj_radix_bits(nr_build);
}

static uint64_t probe_tuples_of(const struct option_set *set, uint64_t nr_build)
{
	const uint64_t tuples = option_u64(set, PROBE_TUPLES);
	const bool chosen = set->values[PROBE_TUPLES].source != OPTION_DEFAULT;

	/* A default yields to a small --size. */
	return tuples == 0 || (!chosen && tuples > nr_build) ? nr_build : tuples;
}

static uint64_t bytes_of(const struct option_set *set, uint64_t nr_build, int nr_threads)
{
	const enum hj_algorithm algorithm = (enum hj_algorithm)option_choice(set, ALGORITHM);
	const uint64_t relations =
		(nr_build + probe_tuples_of(set, nr_build)) * sizeof(struct hj_tuple);

	if (algorithm == HJ_RADIX)
		return 2 * relations +
		       hj_radix_scratch_bytes(nr_build, radix_bits_of(set, nr_build), nr_threads);
	return relations +
	       hj_table_bytes(algorithm, nr_build,
			      hj_table_bits(algorithm, nr_build, (unsigned)option_u64(set, FILL)));
}

/* --build-tuples, or the most that fit into --size; 0 when not even one does. */
static uint64_t planned_tuples(const struct option_set *set, int nr_threads)
{
	const uint64_t size = option_u64(set, SIZE);
	uint64_t low = 0, high = size / sizeof(struct hj_tuple);

	if (option_u64(set, BUILD_TUPLES) > 0)
		return option_u64(set, BUILD_TUPLES);
	while (low < high) {
		const uint64_t middle = low + (high - low + 1) / 2;

		if (bytes_of(set, middle, nr_threads) <= size)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static uint64_t footprint_bytes(const struct option_set *set, int nr_threads)
{
	return bytes_of(set, planned_tuples(set, nr_threads), nr_threads);
}

static int check(const struct option_set *set, int nr_threads, struct err *err)
{
	const double zipf = option_f64(set, ZIPF);
	const bool radix = option_choice(set, ALGORITHM) == HJ_RADIX;

	if (!(zipf >= 0 && zipf <= 10))
		return err_set(err, ERR_USAGE, "--zipf: %g is not between 0 and 10", zipf);
	if (radix && option_choice(set, TIMED) == TIMED_PROBE)
		return err_set(err, ERR_USAGE,
			       "--timed probe: --algorithm radix has no table to be built before; "
			       "use --timed join");
	if (radix && option_u64(set, ROUNDS) > 1)
		return err_set(err, ERR_USAGE,
			       "--rounds: %" PRIu64
			       " is more than the 1 that --algorithm radix makes",
			       option_u64(set, ROUNDS));
	if (planned_tuples(set, nr_threads) == 0)
		return err_set(err, ERR_USAGE,
			       "--size: %" PRIu64
			       " bytes do not hold the probe relation of %" PRIu64
			       " tuples and a table; choose fewer --probe-tuples",
			       option_u64(set, SIZE), option_u64(set, PROBE_TUPLES));
	return 0;
}

/* --- setup -------------------------------------------------------------------------------------
 */

static int map_tables(struct hj_join *join, const struct option_set *set, struct arena *arena,
		      struct err *err)
{
	const uint64_t tuple = sizeof(struct hj_tuple);

	switch (join->algorithm) {
	case HJ_CHAINED:
		join->heads = arena_map(arena, "heads", sizeof(uint64_t) << join->table_bits, err);
		if (join->heads)
			join->entries = arena_map(arena, "entries",
						  join->nr_build * sizeof(join->entries[0]), err);
		return join->entries ? 0 : -1;
	case HJ_LINEAR:
		join->slots = arena_map(arena, "slots", tuple << join->table_bits, err);
		return join->slots ? 0 : -1;
	case HJ_RADIX:
		break;
	}
	join->radix_bits = radix_bits_of(set, join->nr_build);
	join->build_parts = arena_map(arena, "build partitions", join->nr_build * tuple, err);
	if (join->build_parts)
		join->probe_parts =
			arena_map(arena, "probe partitions", join->nr_probe * tuple, err);
	if (join->probe_parts)
		join->scratch = arena_map(
			arena, "scratch",
			hj_radix_scratch_bytes(join->nr_build, join->radix_bits, join->nr_threads),
			err);
	return join->scratch ? 0 : -1;
}

static int map_relations(struct hj_join *join, struct arena *arena, struct err *err)
{
	const uint64_t tuple = sizeof(struct hj_tuple);

	join->build = arena_map(arena, "build", join->nr_build * tuple, err);
	if (join->build)
		join->probe = arena_map(arena, "probe", join->nr_probe * tuple, err);
	return join->probe ? 0 : -1;
}

/* Fills a part of region number `region`; relations are the first two, tables begin as zero. */
static void fill_piece(struct state *state, const struct arena *arena, int region,
		       struct team_slice bytes)
{
	const uint64_t tuple = sizeof(struct hj_tuple);
	const uint64_t count = region == 0 ? state->join.nr_build : state->join.nr_probe;
	const uint64_t begin = bytes.begin / tuple;
	const uint64_t end = bytes.end / tuple < count ? bytes.end / tuple : count;

	if (region == 0 && begin < end)
		hj_fill_build(&state->data, state->join.build, begin, end);
	else if (region == 1 && begin < end)
		hj_fill_probe(&state->data, state->join.probe, begin, end);
	else if (region > 1)
		memset((char *)arena->regions[region].address + bytes.begin, 0,
		       bytes.end - bytes.begin);
}

static void fill_thread(void *context, int thread)
{
	struct workload_run *run = context;
	struct state *state = run->state;

	for (int region = 0; region < run->arena->nr_regions; region++) {
		const struct team_slice mine = team_slice(run->arena->regions[region].bytes, 4096,
							  thread, run->nr_threads);

		for (uint64_t at = mine.begin; at < mine.end; at += PIECE_BYTES) {
			const uint64_t end =
				at + PIECE_BYTES < mine.end ? at + PIECE_BYTES : mine.end;

			fill_piece(state, run->arena, region, (struct team_slice){at, end});
			state->done_bytes += end - at;
		}
	}
}

static void build_thread(void *context, int thread)
{
	hj_table_build(context, thread);
}

static int setup(struct workload_run *run, struct err *err)
{
	const struct option_set *set = run->options;
	struct state *state = workload_state_new(_Alignof(struct state), sizeof(*state));
	struct hj_join *join;

	run->state = state;
	if (!state)
		return err_set(err, ERR_INTERNAL, "out of memory");
	join = &state->join;
	join->algorithm = (enum hj_algorithm)option_choice(set, ALGORITHM);
	join->nr_threads = run->nr_threads;
	join->team = run->team;
	join->lookahead = (unsigned)option_u64(set, LOOKAHEAD);
	join->nr_build = planned_tuples(set, run->nr_threads);
	join->nr_probe = probe_tuples_of(set, join->nr_build);
	join->table_bits =
		hj_table_bits(join->algorithm, join->nr_build, (unsigned)option_u64(set, FILL));
	state->data = (struct hj_data){.seed = run->seed,
				       .nr_build = join->nr_build,
				       .match_percent = (unsigned)option_u64(set, MATCH_PERCENT),
				       .zipf = option_f64(set, ZIPF)};
	state->results = aligned_alloc(_Alignof(struct thread_result),
				       (size_t)run->nr_threads * sizeof(state->results[0]));
	if (!state->results)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (map_relations(join, run->arena, err) != 0 ||
	    map_tables(join, set, run->arena, err) != 0)
		return -1;
	setup_run(run, fill_thread, run, &state->done_bytes, arena_bytes(run->arena), 0, 1);
	state->build_digest = hj_digest(join->build, join->nr_build, run->team);
	state->probe_digest = hj_digest(join->probe, join->nr_probe, run->team);
	if (option_choice(set, TIMED) == TIMED_PROBE)
		team_run(run->team, build_thread, join);
	return 0;
}

/* --- the run -----------------------------------------------------------------------------------
 */

static void run_thread(struct workload_run *run, int thread)
{
	struct state *state = run->state;
	struct hj_join *join = &state->join;
	struct hj_result sum = {0};

	if (join->algorithm == HJ_RADIX) {
		state->results[thread].result = hj_radix_join(join, thread);
		return;
	}
	if (option_choice(run->options, TIMED) == TIMED_JOIN) {
		hj_table_build(join, thread);
		team_barrier(join->team);
	}
	for (uint64_t round = option_u64(run->options, ROUNDS); round > 0; round--) {
		const struct hj_result result = hj_table_probe(join, thread);

		sum.matches += result.matches;
		sum.checksum += result.checksum;
	}
	state->results[thread].result = sum;
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	struct state *state = run->state;
	const struct hj_join *join = &state->join;
	const uint64_t rounds = option_u64(run->options, ROUNDS);
	const bool same =
		hj_digest(join->build, join->nr_build, run->team) == state->build_digest &&
		hj_digest(join->probe, join->nr_probe, run->team) == state->probe_digest;
	struct hj_result right, sum = {0};

	(void)err;
	for (int thread = 0; thread < run->nr_threads; thread++) {
		sum.matches += state->results[thread].result.matches;
		sum.checksum += state->results[thread].result.checksum;
	}
	/* The last use of the relations: sorted in place. */
	hj_sort_merge(join->build, join->nr_build, join->probe, join->nr_probe, run->team, &right);
	verification->checked = join->nr_build + join->nr_probe;
	verification->errors = (sum.matches != right.matches * rounds) +
			       (sum.checksum != right.checksum * rounds) + !same;
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	snprintf(verification->detail, sizeof(verification->detail),
		 "%" PRIu64 " matches, checksum %016" PRIx64 "; by sort-merge %" PRIu64
		 ", %016" PRIx64 "%s",
		 sum.matches, sum.checksum, right.matches * rounds, right.checksum * rounds,
		 same ? "" : "; the relations changed during the run");
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const struct state *state = run->state;
	const double ns = (double)run->roi->duration_ns;
	const bool built = option_choice(run->options, TIMED) == TIMED_JOIN;
	const uint64_t tuples = state->join.nr_probe * option_u64(run->options, ROUNDS) +
				(built ? state->join.nr_build : 0);

	out->work_amount = tuples;
	out->work_unit = "tuples";
	metrics_add(out, &(struct metric){.name = "tuples_per_second",
					  .unit = "M/s",
					  .value = (double)tuples * 1e3 / ns,
					  .primary = true});
	metrics_add(out, &(struct metric){.name = "thread_ns_per_tuple",
					  .unit = "ns",
					  .value = ns * run->nr_threads / (double)tuples,
					  .better = METRIC_LOWER});
}

static void teardown(struct workload_run *run)
{
	struct state *state = run->state;

	if (state)
		free(state->results);
	free(state);
}

const struct workload workload_hashjoin = {
	.name = "hashjoin",
	.summary = "joins two relations by a hash table, chained, linear or partitioned (Mitosis)",
	.options = options,
	.presets = presets,
	/* Mitosis, table of workloads, one-socket runs. */
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
