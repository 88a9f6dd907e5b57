// SPDX-License-Identifier: MIT
#include "bench/updates.h"

#include <string.h>

#include "bench/hpcc_stream.h"

#define STREAMS UPDATES_STREAMS

uint64_t updates_origin(uint64_t seed)
{
	return (uint64_t)(((unsigned __int128)(seed - 1) << 44) % HPCC_STREAM_PERIOD);
}

void updates_fill(uint64_t *table, struct team_slice slice)
{
	for (uint64_t i = slice.begin; i < slice.end; i++)
		table[i] = i;
}

/* All streams one step on, from one round of values to the next; the compiler makes vectors of it.
 */
static inline void advance(const uint64_t *restrict from, uint64_t *restrict to)
{
	for (int s = 0; s < STREAMS; s++)
		to[s] = hpcc_stream_next(from[s]);
}

static inline void update_one(const struct updates *updates, uint64_t value)
{
	uint64_t *word = &updates->table[value & (updates->words - 1)];

	if (updates->atomic)
		__atomic_fetch_xor(word, value, __ATOMIC_RELAXED);
	else
		*word ^= value;
}

/* The loops of a batch take eight turns at once: where an update waits for memory, what counts is
 * how many of them the CPU can hold, and that is how few instructions each has. */
#define UNROLL _Pragma("GCC unroll 8")

static void update_atomically(const struct updates *updates, const uint64_t *values, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		update_one(updates, values[i]);
}

static void update_all(uint64_t *restrict table, uint64_t mask, const uint64_t *restrict values,
		       uint64_t count)
{
	UNROLL
	for (uint64_t i = 0; i < count; i++)
		table[values[i] & mask] ^= values[i];
}

static void prefetch_all(const uint64_t *table, uint64_t mask, const uint64_t *values,
			 uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		__builtin_prefetch(&table[values[i] & mask], 1, 3);
}

/* Each word is asked for `distance` updates before its own. */
static void update_all_ahead(uint64_t *restrict table, uint64_t mask,
			     const uint64_t *restrict values, uint64_t count, uint64_t distance)
{
	const uint64_t with_prefetch = count - distance;

	prefetch_all(table, mask, values, distance);
	UNROLL
	for (uint64_t i = 0; i < with_prefetch; i++) {
		__builtin_prefetch(&table[values[i + distance] & mask], 1, 3);
		table[values[i] & mask] ^= values[i];
	}
	update_all(table, mask, values + with_prefetch, distance);
}

static void update_batch(const struct updates *updates, const uint64_t *values, uint64_t count)
{
	const uint64_t mask = updates->words - 1;

	if (updates->atomic)
		update_atomically(updates, values, count);
	else if (updates->prefetch > 0)
		update_all_ahead(updates->table, mask, values, count, updates->prefetch);
	else
		update_all(updates->table, mask, values, count);
}

/* As published: a step of every stream, an update for every stream; `lookahead` values at a time.
 */
static void apply_rounds(const struct updates *updates, uint64_t *newest, uint64_t rounds)
{
	const uint64_t rounds_at_once = updates->lookahead / STREAMS;
	uint64_t values[UPDATES_LOOKAHEAD_MAX / STREAMS][STREAMS];

	while (rounds > 0) {
		const uint64_t n = rounds < rounds_at_once ? rounds : rounds_at_once;
		const uint64_t *from = newest;

		for (uint64_t round = 0; round < n; round++) {
			advance(from, values[round]);
			from = values[round];
		}
		memcpy(newest, from, sizeof(values[0]));
		update_batch(updates, values[0], n * STREAMS);
		rounds -= n;
	}
}

void updates_apply(const struct updates *updates)
{
	const uint64_t rounds = updates->count / STREAMS;
	uint64_t values[STREAMS], value;

	for (uint64_t s = 0; s < STREAMS; s++)
		values[s] = hpcc_stream_at(updates->first + s * rounds);
	apply_rounds(updates, values, rounds);
	value = hpcc_stream_at(updates->first + rounds * STREAMS);
	for (uint64_t left = updates->count % STREAMS; left > 0; left--) {
		value = hpcc_stream_next(value);
		update_one(updates, value);
	}
}

void updates_metrics(const struct workload_run *run, uint64_t count, struct metrics *metrics)
{
	const double ns = (double)run->roi->duration_ns;

	metrics_add(metrics, &(struct metric){.name = "updates_per_second",
					      .unit = "GUP/s",
					      .value = (double)count / ns,
					      .primary = true});
	metrics_add(metrics, &(struct metric){.name = "thread_ns_per_update",
					      .unit = "ns",
					      .value = ns * run->nr_threads / (double)count,
					      .better = METRIC_LOWER});
	metrics->work_amount = count;
	metrics->work_unit = "updates";
}
