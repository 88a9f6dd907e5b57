// SPDX-License-Identifier: MIT
#include "bench/loadgen/inproc.h"

#include <inttypes.h>

#include "bench/loadgen/random.h"

enum { SIZE, KEYS, REQUESTS, READS, KEY_ORDER, ZIPF_EXPONENT, VALUE_SIZE, VALUE_SIZES };

#define MIX_SEED UINT64_C(0x6d6978)

const struct option inproc_options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = options_quarter_of_memory,
		  .emulated = "512M",
		  .min = 65536,
		  .max = UINT64_C(1) << 50,
		  .scales = true,
		  .help = "bytes of the store, as many keys as fit; default: a quarter of memory"},
	[KEYS] = {.name = "keys",
		  .type = OPTION_COUNT,
		  .native = "0",
		  .max = UINT64_C(1) << 44,
		  .scales = true,
		  .help = "number of keys; 0: by --size"},
	[REQUESTS] = {.name = "requests",
		      .type = OPTION_COUNT,
		      .native = "20M",
		      .emulated = "100k",
		      .min = 1,
		      .max = UINT64_C(1) << 32,
		      .help = "reads and updates by all threads together"},
	[READS] = {.name = "reads",
		   .type = OPTION_DOUBLE,
		   .native = "50",
		   .help = "percent of the requests that read; the others update"},
	[KEY_ORDER] = {.name = "key-order",
		       .type = OPTION_CHOICE,
		       .native = "uniform",
		       .choices = KEYS_CHOICES,
		       .help = "which keys: zipf takes some much oftener than others, latest those "
			       "just written"},
	[ZIPF_EXPONENT] = {.name = "zipf-exponent",
			   .type = OPTION_DOUBLE,
			   .native = "0.99",
			   .help = "of zipf and latest: rank r as often as r^-exponent"},
	[VALUE_SIZE] = {.name = "value-size",
			.type = OPTION_SIZE,
			.native = "256",
			.min = VALUE_BYTES_MIN,
			.max = 64 << 20,
			.help = "bytes of a value, or of the largest"},
	[VALUE_SIZES] = {.name = "value-sizes",
			 .type = OPTION_CHOICE,
			 .native = "fixed",
			 .choices = VALUES_CHOICES,
			 .help = "distribution of the values' sizes; pareto: of a published "
				 "memcached pool"},
	{.name = NULL},
};

struct values inproc_values(const struct option_set *options, uint64_t seed)
{
	return (struct values){
		.kind = (enum values_kind)option_choice(options, VALUE_SIZES),
		.bytes = option_u64(options, VALUE_SIZE),
		.seed = seed,
	};
}

struct inproc_plan inproc_plan(const struct option_set *options, int nr_threads,
			       inproc_bytes_fn *bytes)
{
	struct inproc_plan plan = {.nr_keys = option_u64(options, KEYS)};
	const uint64_t size = option_u64(options, SIZE);

	if (plan.nr_keys == 0) {
		uint64_t low = 1, high = size / VALUE_BYTES_MIN;

		while (low < high) {
			const uint64_t middle = low + (high - low + 1) / 2;

			if (bytes(options, middle, nr_threads) <= size)
				low = middle;
			else
				high = middle - 1;
		}
		plan.nr_keys = low;
	}
	plan.bytes = bytes(options, plan.nr_keys, nr_threads);
	return plan;
}

static int check_number(const struct option_set *options, int index, double least, double most,
			struct err *err)
{
	const double value = option_f64(options, index);

	if (value >= least && value <= most)
		return 0;
	return err_set(err, ERR_USAGE, "--%s: %g is not between %g and %g",
		       options->rows[index].name, value, least, most);
}

int inproc_check(const struct option_set *options, uint64_t value_bytes_max, struct err *err)
{
	if (check_number(options, READS, 0, 100, err) != 0 ||
	    check_number(options, ZIPF_EXPONENT, 0.01, 10, err) != 0)
		return -1;
	if (option_u64(options, VALUE_SIZE) <= value_bytes_max)
		return 0;
	return err_set(err, ERR_USAGE,
		       "--value-size: %" PRIu64 " bytes; this store takes %" PRIu64 " at most",
		       option_u64(options, VALUE_SIZE), value_bytes_max);
}

void inproc_init(struct inproc *inproc, const struct option_set *options, uint64_t nr_keys,
		 uint64_t seed)
{
	*inproc = (struct inproc){
		.values = inproc_values(options, seed),
		.nr_keys = nr_keys,
		.operations = option_u64(options, REQUESTS),
		.read_fraction = option_f64(options, READS) / 100,
		.seed = seed,
	};
	keys_init(&inproc->keys, (enum keys_kind)option_choice(options, KEY_ORDER), nr_keys,
		  option_f64(options, ZIPF_EXPONENT), seed);
}

/* "Newest" is the key that would have been written last if updates came at equal distances: so an
 * operation follows from its number alone. */
struct inproc_operation inproc_at(const struct inproc *inproc, const struct keys *keys, uint64_t n)
{
	struct inproc_operation operation = {.version = (uint32_t)(n + 1)};
	uint64_t newest = 0;

	operation.update =
		random_unit(random_at(inproc->seed ^ MIX_SEED, n)) >= inproc->read_fraction;
	if (keys->kind == KEYS_LATEST)
		newest = (uint64_t)((double)n * (1 - inproc->read_fraction)) % keys->nr_keys;
	operation.key = operation.update && keys->kind == KEYS_LATEST
				? newest
				: keys_choose(keys, n, newest);
	return operation;
}

uint64_t inproc_replay(const struct inproc *inproc, const struct keys *keys, uint64_t begin,
		       uint64_t end, uint32_t *versions)
{
	uint64_t updates = 0;

	for (uint64_t n = begin; n < end; n++) {
		const struct inproc_operation operation = inproc_at(inproc, keys, n);

		if (!operation.update)
			continue;
		versions[operation.key] = operation.version;
		updates++;
	}
	return updates;
}

void inproc_add(struct inproc_counts *into, const struct inproc_counts *from)
{
	into->hits += from->hits;
	into->misses += from->misses;
	into->wrong += from->wrong;
	into->updates += from->updates;
	into->failed += from->failed;
}

static void add(struct metrics *metrics, const char *name, const char *unit, double value,
		enum metric_better better)
{
	metrics_add(metrics,
		    &(struct metric){.name = name, .unit = unit, .value = value, .better = better});
}

void inproc_metrics(const struct workload_run *run, const struct inproc *inproc,
		    const struct inproc_counts *counts, uint64_t bytes, struct metrics *metrics)
{
	const double ns = (double)run->roi->duration_ns;
	const double operations = (double)inproc->operations;

	metrics->work_amount = inproc->operations;
	metrics->work_unit = "operations";
	metrics_add(metrics, &(struct metric){.name = "operations_per_second",
					      .unit = "op/s",
					      .value = operations * 1e9 / ns,
					      .primary = true});
	add(metrics, "thread_ns_per_operation", "ns", ns * run->nr_threads / operations,
	    METRIC_LOWER);
	add(metrics, "keys", "keys", (double)inproc->nr_keys, METRIC_HIGHER);
	add(metrics, "bytes_per_key", "B", (double)bytes / (double)inproc->nr_keys, METRIC_LOWER);
	add(metrics, "hits", "keys", (double)counts->hits, METRIC_HIGHER);
	add(metrics, "misses", "keys", (double)counts->misses, METRIC_LOWER);
}
