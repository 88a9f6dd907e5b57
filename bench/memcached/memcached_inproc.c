// SPDX-License-Identifier: MIT
/*
 * Memcached's kind of store with the load in the same process, as the published runs had it: no
 * sockets, no parsing, any number of threads on one store. Not memcached itself:
 * bench/memcached/slabs.h says what it shares with it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loadgen/inproc.h"
#include "bench/memcached/slabs.h"
#include "bench/memcached/slabs_check.h"

#define VALUE_BYTES_MAX (UINT64_C(400) << 10) /* the last class has chunks of at least that */

static const struct option_preset presets[] = {
	{"mitosis-thin", "one socket in Mitosis",
	 "keys=2300M value-size=96 requests=4G reads=100 key-order=uniform"},
	{"vmitosis-thin", "one socket in vMitosis",
	 "keys=2300M value-size=96 requests=4G reads=100 key-order=uniform"},
	{"vmitosis-wide", "all sockets in vMitosis",
	 "keys=3900M value-size=80 requests=4G reads=100 key-order=uniform"},
	{.name = NULL},
};

struct worker {
	char *reply; /* where values are copied to */
	struct inproc_counts counts;
};

struct state {
	struct slabs slabs;
	struct inproc inproc;
	struct worker *workers;
	uint32_t *versions; /* of the check */
	uint64_t bytes;
	int nr_threads;
};

/* --- how large ---------------------------------------------------------------------------------
 */

/* Bytes of pages that one value takes. */
static double page_share(uint64_t value_bytes, const void *unused)
{
	const uint64_t chunk = slabs_chunk_bytes(value_bytes);

	(void)unused;
	return (double)SLABS_PAGE_BYTES / (double)(SLABS_PAGE_BYTES / chunk);
}

/* A page for every class that is in use beyond the keys' own; an update needs a second chunk for a
 * moment, in each thread. */
static uint64_t slab_bytes(const struct values *values, uint64_t nr_keys, int nr_threads)
{
	const bool fixed = values->kind == VALUES_FIXED;
	const double keys = (double)nr_keys + nr_threads;
	double pages = values_mean(values, page_share, NULL) * keys / (double)SLABS_PAGE_BYTES;
	uint64_t classes = 0;

	for (uint64_t bytes = VALUE_BYTES_MIN; !fixed && bytes <= values->bytes; classes++)
		bytes = slabs_chunk_bytes(bytes) - 48 - SLABS_KEY_BYTES + 1;
	if (!fixed)
		pages *= 1.01; /* a mean is none of a sample */
	return ((uint64_t)pages + 1 + classes) * SLABS_PAGE_BYTES;
}

static uint64_t store_bytes(const struct option_set *options, uint64_t nr_keys, int nr_threads)
{
	const struct values values = inproc_values(options, 0);

	return slab_bytes(&values, nr_keys, nr_threads) + slabs_table_bytes(nr_keys);
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

static void load_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	struct state *state = run->state;
	const struct team_slice slice =
		team_slice(state->inproc.nr_keys, 1, thread, run->nr_threads);
	struct inproc_counts counts = {0};

	for (uint64_t key = slice.begin; key < slice.end; key++)
		counts.failed +=
			!slabs_set(&state->slabs, key, values_bytes(&state->inproc.values, key), 0);
	state->workers[thread].counts = counts;
}

static int load(struct workload_run *run, struct state *state, struct err *err)
{
	uint64_t failed = 0;

	team_run(run->team, load_thread, run);
	for (int i = 0; i < run->nr_threads; i++)
		failed += state->workers[i].counts.failed;
	failed += slabs_evicted(&state->slabs);
	if (failed == 0)
		return 0;
	return err_set(err, ERR_INTERNAL, "the store has no room for %" PRIu64 " of its keys",
		       failed);
}

static int setup(struct workload_run *run, struct err *err)
{
	struct state *state = calloc(1, sizeof(*state));
	const struct inproc_plan plan = inproc_plan(run->options, run->nr_threads, store_bytes);
	uint64_t bytes;
	void *slabs, *table;

	run->state = state;
	if (!state)
		return err_set(err, ERR_INTERNAL, "out of memory");
	state->bytes = plan.bytes;
	state->nr_threads = run->nr_threads;
	inproc_init(&state->inproc, run->options, plan.nr_keys, run->seed);
	bytes = slab_bytes(&state->inproc.values, plan.nr_keys, run->nr_threads);
	state->workers = calloc((size_t)run->nr_threads, sizeof(state->workers[0]));
	if (!state->workers)
		return err_set(err, ERR_INTERNAL, "out of memory");
	for (int i = 0; i < run->nr_threads; i++) {
		state->workers[i].reply = malloc(state->inproc.values.bytes);
		if (!state->workers[i].reply)
			return err_set(err, ERR_INTERNAL, "out of memory");
	}
	slabs = arena_map(run->arena, "slabs", bytes, err);
	table = slabs ? arena_map(run->arena, "table", slabs_table_bytes(plan.nr_keys), err) : NULL;
	if (!table || slabs_open(&state->slabs, slabs, bytes, table, plan.nr_keys, err) != 0)
		return -1;
	return load(run, state, err);
}

/* --- the run and its check ---------------------------------------------------------------------
 */

static void run_thread(struct workload_run *run, int thread)
{
	struct state *state = run->state;
	const struct inproc *inproc = &state->inproc;
	struct worker *worker = &state->workers[thread];
	const struct team_slice slice = team_slice(inproc->operations, 1, thread, run->nr_threads);
	struct inproc_counts counts = {0};

	for (uint64_t n = slice.begin; n < slice.end; n++) {
		const struct inproc_operation operation = inproc_at(inproc, &inproc->keys, n);

		if (operation.update) {
			counts.updates++;
			counts.failed += !slabs_set(&state->slabs, operation.key,
						    values_bytes(&inproc->values, operation.key),
						    operation.version);
		} else if (slabs_get(&state->slabs, operation.key, worker->reply) == 0) {
			counts.misses++;
		} else {
			counts.hits++;
			counts.wrong +=
				memcmp(worker->reply, &operation.key, sizeof(operation.key)) != 0;
		}
	}
	worker->counts = counts;
}

/*
 * With one thread, the last update. With several, who was last is chance: an update of that key,
 * and a key that was updated at all must not have its first value.
 */
static bool may_have(const void *context, uint64_t key, uint32_t version)
{
	const struct state *state = context;
	struct inproc_operation operation;

	if (state->nr_threads == 1 || version == 0 || state->versions[key] == 0)
		return state->versions[key] == version;
	operation = inproc_at(&state->inproc, &state->inproc.keys, version - 1);
	return operation.update && operation.key == key && version - 1 < state->inproc.operations;
}

static void judge(struct state *state, const struct slabs_verdict *verdict,
		  uint64_t expected_updates, struct verification *verification)
{
	struct inproc_counts counts = {0};
	const uint64_t evicted = slabs_evicted(&state->slabs);

	for (int i = 0; i < state->nr_threads; i++)
		inproc_add(&counts, &state->workers[i].counts);
	verification->checked = verdict->keys + counts.hits + counts.misses;
	verification->errors = verdict->errors + counts.misses + counts.wrong + counts.failed +
			       evicted + (counts.updates != expected_updates) +
			       (verdict->keys != state->inproc.nr_keys);
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	snprintf(verification->detail, sizeof(verification->detail),
		 "%" PRIu64 " reads: %" PRIu64 " missing, %" PRIu64 " wrong; %" PRIu64
		 " updates, %" PRIu64 " without room; %" PRIu64 " of %" PRIu64
		 " keys hold %s update%s%.70s",
		 counts.hits + counts.misses, counts.misses, counts.wrong, counts.updates,
		 counts.failed + evicted, verdict->keys, state->inproc.nr_keys,
		 state->nr_threads == 1 ? "their last" : "an", *verdict->first ? "; first: " : "",
		 verdict->first);
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	struct state *state = run->state;
	const struct slabs_expected expected = {
		.values = &state->inproc.values,
		.nr_keys = state->inproc.nr_keys,
		.may_have = may_have,
		.context = state,
	};
	struct slabs_verdict verdict;
	uint64_t updates;

	state->versions = calloc(state->inproc.nr_keys, sizeof(state->versions[0]));
	if (!state->versions)
		return err_set(err, ERR_MACHINE, "no memory to check %" PRIu64 " keys",
			       state->inproc.nr_keys);
	updates = inproc_replay(&state->inproc, &state->inproc.keys, 0, state->inproc.operations,
				state->versions);
	slabs_check(&state->slabs, &expected, &verdict);
	judge(state, &verdict, updates, verification);
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const struct state *state = run->state;
	struct inproc_counts counts = {0};

	for (int i = 0; i < run->nr_threads; i++)
		inproc_add(&counts, &state->workers[i].counts);
	inproc_metrics(run, &state->inproc, &counts, state->bytes, out);
}

static void teardown(struct workload_run *run)
{
	struct state *state = run->state;

	if (!state)
		return;
	for (int i = 0; state->workers && i < run->nr_threads; i++)
		free(state->workers[i].reply);
	slabs_close(&state->slabs);
	free(state->workers);
	free(state->versions);
	free(state);
}

const struct workload workload_memcached_inproc = {
	.name = "memcached-inproc",
	.summary = "a store like Memcached's with the load in the same process (vMitosis)",
	.options = inproc_options,
	.presets = presets,
	/* Mitosis, table of workloads. */
	.published_footprint_bytes = UINT64_C(350) << 30,
	.check = check,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
