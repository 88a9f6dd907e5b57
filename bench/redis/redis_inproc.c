// SPDX-License-Identifier: MIT
/*
 * Redis' kind of store with the load in the same process, as the published runs had it: no sockets,
 * no parsing, one thread. With more threads each has a store and a share of the keys of its own, as
 * a cluster would. Not Redis itself: bench/redis/dict.h says what it shares with it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loadgen/inproc.h"
#include "bench/redis/dict.h"
#include "bench/redis/dict_check.h"

#define VALUE_BYTES_MAX (UINT64_C(64) << 20)
#define SLACK_BYTES     UINT64_C(4096) /* so that slices of threads begin on pages */

static const struct option_preset presets[] = {
	{"mitosis-thin", "one socket in Mitosis",
	 "keys=2^30 value-size=256 requests=120M reads=50 key-order=uniform"},
	{"vmitosis-thin", "one socket in vMitosis",
	 "keys=2^30 value-size=256 requests=120M reads=50 key-order=uniform"},
	{.name = NULL},
};

struct shard {
	struct dict dict;
	struct keys keys; /* its own, counted from 0: key k is number k * threads + thread */
	struct dict_memory memory;
	struct team_slice operations;
	char *reply; /* where values are copied to */
	struct inproc_counts counts;
	struct dict_verdict verdict;
	uint64_t expected_updates;
};

struct state {
	struct inproc inproc;
	struct shard *shards;
	uint64_t bytes;
};

/* --- how large ---------------------------------------------------------------------------------
 */

static double rounded(uint64_t bytes, const void *unused)
{
	(void)unused;
	return (double)dict_value_bytes(bytes);
}

/* Of one thread's slices. */
static struct dict_memory memory_of(const struct values *values, uint64_t nr_keys)
{
	const double mean = values_mean(values, rounded, NULL);
	/* A mean is none of a sample: six times the standard error at most, and the spare. */
	const double margin = values->kind == VALUES_FIXED ? 0 : 0.01;
	struct dict_memory memory = {
		.values_bytes = (uint64_t)(mean * (double)nr_keys * (1 + margin)) +
				dict_spare_bytes(values->bytes),
		.small_bytes = nr_keys * dict_small_bytes() + dict_value_bytes(16),
	};

	memory.values_bytes = (memory.values_bytes + SLACK_BYTES - 1) / SLACK_BYTES * SLACK_BYTES;
	memory.small_bytes = (memory.small_bytes + SLACK_BYTES - 1) / SLACK_BYTES * SLACK_BYTES;
	return memory;
}

static uint64_t share_of(uint64_t nr_keys, int nr_threads)
{
	return (nr_keys + (uint64_t)nr_threads - 1) / (uint64_t)nr_threads;
}

static uint64_t store_bytes(const struct option_set *options, uint64_t nr_keys, int nr_threads)
{
	const struct values values = inproc_values(options, 0);
	const uint64_t share = share_of(nr_keys, nr_threads);
	const struct dict_memory memory = memory_of(&values, share);

	return (memory.values_bytes + memory.small_bytes + table_bytes(share, &dict_shape)) *
	       (uint64_t)nr_threads;
}

static int check(const struct option_set *options, int nr_threads, struct err *err)
{
	(void)nr_threads;
	return inproc_check(options, VALUE_BYTES_MAX, err);
}

static uint64_t footprint_bytes(const struct option_set *options, int nr_threads)
{
	return inproc_plan(options, nr_threads, store_bytes).bytes;
}

/* --- setup -------------------------------------------------------------------------------------
 */

static uint64_t number_of(const struct workload_run *run, int thread, uint64_t key)
{
	return key * (uint64_t)run->nr_threads + (uint64_t)thread;
}

static void load_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	const struct state *state = run->state;
	struct shard *shard = &state->shards[thread];

	dict_init(&shard->dict, &shard->memory, shard->keys.nr_keys);
	for (uint64_t key = 0; key < shard->keys.nr_keys; key++) {
		const uint64_t number = number_of(run, thread, key);

		shard->counts.failed += !dict_set(&shard->dict, number,
						  values_bytes(&state->inproc.values, number), 0);
	}
}

static int map_shards(struct workload_run *run, struct state *state, struct err *err)
{
	const uint64_t share = share_of(state->inproc.nr_keys, run->nr_threads);
	const uint64_t nr = (uint64_t)run->nr_threads, table = table_bytes(share, &dict_shape);
	const struct dict_memory each = memory_of(&state->inproc.values, share);
	char *values = arena_map(run->arena, "values", each.values_bytes * nr, err);
	char *small = values ? arena_map(run->arena, "entries", each.small_bytes * nr, err) : NULL;
	char *tables = small ? arena_map(run->arena, "tables", table * nr, err) : NULL;

	if (!tables)
		return -1;
	for (uint64_t i = 0; i < nr; i++) {
		struct shard *shard = &state->shards[i];

		shard->memory = each;
		shard->memory.values = values + i * each.values_bytes;
		shard->memory.small = small + i * each.small_bytes;
		shard->memory.table = tables + i * table;
	}
	return 0;
}

static int make_shard(const struct workload_run *run, struct state *state, int thread)
{
	struct shard *shard = &state->shards[thread];
	const uint64_t nr = (uint64_t)run->nr_threads;
	const struct inproc *inproc = &state->inproc;

	shard->keys = inproc->keys;
	keys_init(&shard->keys, inproc->keys.kind,
		  inproc->nr_keys / nr + ((uint64_t)thread < inproc->nr_keys % nr),
		  inproc->keys.zipf.exponent, inproc->seed);
	shard->operations = team_slice(inproc->operations, 1, thread, run->nr_threads);
	shard->reply = malloc(inproc->values.bytes);
	return shard->reply && shard->keys.nr_keys > 0 ? 0 : -1;
}

static int setup(struct workload_run *run, struct err *err)
{
	struct state *state = calloc(1, sizeof(*state));
	const struct inproc_plan plan = inproc_plan(run->options, run->nr_threads, store_bytes);
	uint64_t failed = 0;

	run->state = state;
	if (!state)
		return err_set(err, ERR_INTERNAL, "out of memory");
	state->bytes = plan.bytes;
	inproc_init(&state->inproc, run->options, plan.nr_keys, run->seed);
	state->shards = calloc((size_t)run->nr_threads, sizeof(state->shards[0]));
	if (!state->shards)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (map_shards(run, state, err) != 0)
		return -1;
	for (int i = 0; i < run->nr_threads; i++) {
		if (make_shard(run, state, i) != 0)
			return err_set(err, ERR_USAGE,
				       "%" PRIu64 " keys are too few for %d threads", plan.nr_keys,
				       run->nr_threads);
	}
	team_run(run->team, load_thread, run);
	for (int i = 0; i < run->nr_threads; i++)
		failed += state->shards[i].counts.failed;
	if (failed == 0)
		return 0;
	return err_set(err, ERR_INTERNAL, "the store has no room for %" PRIu64 " of its keys",
		       failed);
}

/* --- the run and its check ---------------------------------------------------------------------
 */

static void run_thread(struct workload_run *run, int thread)
{
	struct state *state = run->state;
	struct shard *shard = &state->shards[thread];
	struct inproc_counts counts = {0};

	for (uint64_t n = shard->operations.begin; n < shard->operations.end; n++) {
		const struct inproc_operation operation =
			inproc_at(&state->inproc, &shard->keys, n);
		const uint64_t number = number_of(run, thread, operation.key);
		const struct dict_object *object;

		if (operation.update) {
			counts.updates++;
			counts.failed += !dict_set(&shard->dict, number,
						   values_bytes(&state->inproc.values, number),
						   operation.version);
			continue;
		}
		object = dict_get(&shard->dict, number);
		if (!object) {
			counts.misses++;
			continue;
		}
		/* What a server does: copy it to where the reply is made. */
		memcpy(shard->reply, object->value, object->bytes);
		counts.hits++;
		counts.wrong += memcmp(shard->reply, &number, sizeof(number)) != 0;
	}
	shard->counts = counts;
}

static void verify_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	struct state *state = run->state;
	struct shard *shard = &state->shards[thread];
	uint32_t *versions = calloc(shard->keys.nr_keys, sizeof(*versions));
	const struct dict_expected expected = {
		.versions = versions,
		.nr_keys = shard->keys.nr_keys,
		.step = (uint64_t)run->nr_threads,
		.first = (uint64_t)thread,
		.values = &state->inproc.values,
		.memory = &shard->memory,
	};

	if (!versions) {
		shard->verdict.errors = 1;
		return;
	}
	shard->expected_updates =
		inproc_replay(&state->inproc, &shard->keys, shard->operations.begin,
			      shard->operations.end, versions);
	dict_check(&shard->dict, &expected, &shard->verdict);
	free(versions);
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	struct state *state = run->state;
	struct inproc_counts counts = {0};
	uint64_t keys = 0, wrong_counts = 0;
	const char *first = "";

	(void)err;
	team_run(run->team, verify_thread, run);
	for (int i = 0; i < run->nr_threads; i++) {
		const struct shard *shard = &state->shards[i];

		inproc_add(&counts, &shard->counts);
		keys += shard->verdict.keys;
		wrong_counts += shard->expected_updates != shard->counts.updates;
		verification->errors += shard->verdict.errors;
		if (!*first)
			first = shard->verdict.first;
	}
	verification->errors += counts.misses + counts.wrong + counts.failed + wrong_counts;
	verification->checked = keys + counts.hits + counts.misses;
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	snprintf(verification->detail, sizeof(verification->detail),
		 "%" PRIu64 " reads: %" PRIu64 " missing, %" PRIu64 " wrong; %" PRIu64
		 " updates, %" PRIu64 " without room; %" PRIu64 " of %" PRIu64
		 " keys hold their last update%s%.80s",
		 counts.hits + counts.misses, counts.misses, counts.wrong, counts.updates,
		 counts.failed, keys, state->inproc.nr_keys, *first ? "; first: " : "", first);
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const struct state *state = run->state;
	struct inproc_counts counts = {0};

	for (int i = 0; i < run->nr_threads; i++)
		inproc_add(&counts, &state->shards[i].counts);
	inproc_metrics(run, &state->inproc, &counts, state->bytes, out);
}

static void teardown(struct workload_run *run)
{
	struct state *state = run->state;

	for (int i = 0; state && state->shards && i < run->nr_threads; i++)
		free(state->shards[i].reply);
	if (state)
		free(state->shards);
	free(state);
}

const struct workload workload_redis_inproc = {
	.name = "redis-inproc",
	.summary = "a store like Redis' with the load in the same process (Mitosis, vMitosis)",
	.options = inproc_options,
	.presets = presets,
	/* Mitosis, table of workloads, one-socket runs. */
	.published_footprint_bytes = UINT64_C(75) << 30,
	.published_threads = 1,
	.check = check,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
