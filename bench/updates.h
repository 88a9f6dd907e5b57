/* SPDX-License-Identifier: MIT */
/*
 * The inner part that GUPS and RandomAccess share: a run of the HPCC sequence applied to a table of
 * 2^n words, T[r mod 2^n] ^= r, in 128 streams taken in turn, and the check of a table afterwards.
 */
#ifndef BENCH_UPDATES_H
#define BENCH_UPDATES_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/team.h"
#include "bench/workload.h"

#define UPDATES_STREAMS       128
#define UPDATES_LOOKAHEAD_MAX 1024 /* the rules of RandomAccess, per process */
#define UPDATES_PREFETCH_MAX  64

/*
 * Applies r(first + 1) to r(first + count). `lookahead` is a multiple of 128, `prefetch` at most
 * UPDATES_PREFETCH_MAX.
 */
struct updates {
	uint64_t *table;
	uint64_t words; /* a power of two */
	uint64_t first, count;
	unsigned lookahead; /* values that are drawn before the first of them is applied */
	unsigned prefetch;  /* each word is asked for that many updates ahead; 0: not at all */
	bool atomic;        /* for a shared table: no update is ever lost; without prefetch */
};
void updates_apply(const struct updates *updates);

/* T[i] = i for the words of a slice: what every run starts from. */
void updates_fill(uint64_t *table, struct team_slice slice);

/* Where in the sequence the updates of a seed begin; seed 1 is the published start. */
uint64_t updates_origin(uint64_t seed);

/*
 * Undoes the updates on the words of a slice by applying the sequence once more, in its own order,
 * and returns how many words do not hold their index then. Written without the code above.
 */
uint64_t updates_check(const struct updates *updates, struct team_slice slice);

/* The verdict: none may be wrong when `exact`; else 1% of the words that were updated. */
void updates_judge(struct verification *verification, uint64_t words, uint64_t count,
		   uint64_t errors, bool exact);

/* Rate and time per update. */
void updates_metrics(const struct workload_run *run, uint64_t count, struct metrics *metrics);

#endif
