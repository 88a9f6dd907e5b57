/* SPDX-License-Identifier: MIT */
/*
 * What the two stores that live in the driver share: options, which operation does what, and what
 * must be in the store afterwards. Operation n reads a key, or sets it to version n + 1.
 */
#ifndef BENCH_LOADGEN_INPROC_H
#define BENCH_LOADGEN_INPROC_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/loadgen/keys.h"
#include "bench/loadgen/values.h"
#include "bench/workload.h"

extern const struct option inproc_options[];

struct inproc {
	struct keys keys;
	struct values values;
	uint64_t nr_keys, operations;
	double read_fraction;
	uint64_t seed;
};

struct inproc_operation {
	uint64_t key;
	bool update;
	uint32_t version;
};

/* From the options; `bytes` says what a number of keys takes up in the store. */
struct inproc_plan {
	uint64_t nr_keys, bytes;
};
typedef uint64_t inproc_bytes_fn(const struct option_set *options, uint64_t nr_keys,
				 int nr_threads);
struct inproc_plan inproc_plan(const struct option_set *options, int nr_threads,
			       inproc_bytes_fn *bytes);

int inproc_check(const struct option_set *options, uint64_t value_bytes_max, struct err *err);
struct values inproc_values(const struct option_set *options, uint64_t seed);
void inproc_init(struct inproc *inproc, const struct option_set *options, uint64_t nr_keys,
		 uint64_t seed);

/* Of operation n on the keys below `nr_keys` of `keys`. */
struct inproc_operation inproc_at(const struct inproc *inproc, const struct keys *keys, uint64_t n);

/*
 * The version that each of the keys must have when operations [begin, end) are done, by doing them
 * again: versions[key], 0 for the first. Returns how many of them were updates.
 */
uint64_t inproc_replay(const struct inproc *inproc, const struct keys *keys, uint64_t begin,
		       uint64_t end, uint32_t *versions);

/* What threads have counted in the region. */
struct inproc_counts {
	uint64_t hits, misses, wrong, updates, failed;
};
void inproc_add(struct inproc_counts *into, const struct inproc_counts *from);

void inproc_metrics(const struct workload_run *run, const struct inproc *inproc,
		    const struct inproc_counts *counts, uint64_t bytes, struct metrics *metrics);

#endif
