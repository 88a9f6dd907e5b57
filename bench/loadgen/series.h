/* SPDX-License-Identifier: MIT */
/*
 * Operations and latencies of each second of a run, over all threads. A thread hands in a second
 * when it is past it; a second that all are past becomes a handful of numbers.
 */
#ifndef BENCH_LOADGEN_SERIES_H
#define BENCH_LOADGEN_SERIES_H

#include <jansson.h>
#include <pthread.h>
#include <stdint.h>

#include "bench/loadgen/histogram.h"

#define SERIES_DIGITS 2

struct series_second {
	struct histogram *histogram; /* until it is complete */
	uint64_t operations;
	uint32_t p50_us, p90_us, p99_us, p999_us, p9999_us, max_us;
};

struct series {
	pthread_mutex_t lock;
	struct series_second *seconds;
	uint64_t nr_seconds, size;
	uint64_t nr_complete;
	int nr_threads;
	uint64_t *reached; /* by thread: the second it is in */
};

/* -1 when out of memory. */
int series_open(struct series *series, int nr_threads);
void series_close(struct series *series);

/* The thread has left `second` with these durations (SERIES_DIGITS) and is in `next` now. -1 when
 * out of memory. */
int series_leave(struct series *series, int thread, uint64_t second, uint64_t next,
		 const struct histogram *histogram);

/* All threads have left: docs/RECORD.md, `series`; a new reference. */
json_t *series_to_json(struct series *series);

#endif
