// SPDX-License-Identifier: MIT
#include "bench/updates.h"

#include <string.h>

#include "bench/hpcc_stream.h"

#define STREAMS   UPDATES_STREAMS
#define RING_SIZE (UPDATES_LOOKAHEAD_MAX / STREAMS)

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

static inline void update_round(const struct updates *updates, const uint64_t *values)
{
	uint64_t *const table = updates->table;
	const uint64_t mask = updates->words - 1;

	if (updates->atomic) {
		for (int s = 0; s < STREAMS; s++)
			update_one(updates, values[s]);
		return;
	}
	for (int s = 0; s < STREAMS; s++)
		table[values[s] & mask] ^= values[s];
}

static inline void prefetch_round(const struct updates *updates, const uint64_t *values)
{
	for (int s = 0; s < STREAMS; s++)
		__builtin_prefetch(&updates->table[values[s] & (updates->words - 1)], 1, 3);
}

/* The published loop: a step of every stream, an update for every stream. */
static void apply_rounds(const struct updates *updates, uint64_t *values, uint64_t rounds)
{
	for (; rounds > 0; rounds--) {
		uint64_t next[STREAMS];

		advance(values, next);
		update_round(updates, next);
		memcpy(values, next, sizeof(next));
	}
}

/* The same updates in the same order, each announced to the memory `distance` rounds before. */
static void apply_rounds_ahead(const struct updates *updates, uint64_t *values, uint64_t rounds,
			       unsigned distance)
{
	uint64_t ring[RING_SIZE][STREAMS];
	const uint64_t *newest = values;

	for (uint64_t round = 0; round < rounds + distance; round++) {
		if (round < rounds) {
			uint64_t *slot = ring[round % RING_SIZE];

			advance(newest, slot);
			prefetch_round(updates, slot);
			newest = slot;
		}
		if (round >= distance)
			update_round(updates, ring[(round - distance) % RING_SIZE]);
	}
}

void updates_apply(const struct updates *updates)
{
	const uint64_t rounds = updates->count / STREAMS;
	const unsigned distance = updates->lookahead / STREAMS;
	uint64_t values[STREAMS], value;

	for (uint64_t s = 0; s < STREAMS; s++)
		values[s] = hpcc_stream_at(updates->first + s * rounds);
	if (distance > 1)
		apply_rounds_ahead(updates, values, rounds, distance - 1);
	else
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
