// SPDX-License-Identifier: MIT
/*
 * The radix join. Every thread counts its share of both relations by partition, copies it to where
 * the counts of all threads say, through buffers of a cache line per partition, and takes
 * partitions to join until there are none left.
 */
#include <string.h>

#include "bench/hashjoin/hashjoin.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A partition of the build relation is to take about 128 KiB; with its table that is half an L2. */
#define PART_TUPLES 8192
#define LINE        64

/* A thread's own memory, as laid out in `scratch`. */
struct own {
	uint64_t *build_counts, *probe_counts; /* by partition */
	uint64_t *build_begins, *probe_begins; /* of partitions, and the end of the last */
	uint64_t *starts, *places;             /* of this thread's part of a partition */
	struct hj_tuple *lines;                /* HJ_LINE_TUPLES for each partition */
	uint32_t *heads, *nexts;               /* of the table of a partition */
};

unsigned hj_radix_bits(uint64_t nr_build)
{
	unsigned bits = 1;

	while (bits < HJ_RADIX_BITS_MAX && nr_build >> bits > PART_TUPLES)
		bits++;
	return bits;
}

/* Tuples that a table takes: keys are spread evenly, so that it is rarely fewer than there are. */
static uint64_t table_capacity(uint64_t nr_build, unsigned radix_bits)
{
	const uint64_t even = nr_build >> radix_bits;
	const uint64_t wanted = even + even / 4 + 256;
	uint64_t capacity = 256;

	while (capacity < wanted && capacity < UINT64_C(1) << 31)
		capacity *= 2;
	return capacity;
}

#define NUMBERS 6 /* arrays of numbers by partition in `own` */

/* What a thread takes: lines first, so that they are aligned. */
static uint64_t own_bytes(uint64_t nr_build, unsigned radix_bits)
{
	const uint64_t parts = UINT64_C(1) << radix_bits;
	const uint64_t bytes = parts * HJ_LINE_TUPLES * sizeof(struct hj_tuple) +
			       NUMBERS * (parts + 8) * sizeof(uint64_t) +
			       2 * table_capacity(nr_build, radix_bits) * sizeof(uint32_t);

	return (bytes + 4095) / 4096 * 4096;
}

uint64_t hj_radix_scratch_bytes(uint64_t nr_build, unsigned radix_bits, int nr_threads)
{
	return own_bytes(nr_build, radix_bits) * (uint64_t)nr_threads;
}

static struct own own_of(const struct hj_join *join, int thread)
{
	const uint64_t parts = UINT64_C(1) << join->radix_bits;
	const uint64_t bytes = own_bytes(join->nr_build, join->radix_bits);
	struct own own = {.lines = (struct hj_tuple *)(join->scratch + bytes * (uint64_t)thread)};
	uint64_t **const numbers[NUMBERS] = {&own.build_counts, &own.probe_counts,
					     &own.build_begins, &own.probe_begins,
					     &own.starts,       &own.places};
	uint64_t *next = (uint64_t *)(own.lines + parts * HJ_LINE_TUPLES);

	for (int i = 0; i < NUMBERS; i++, next += parts + 8)
		*numbers[i] = next;
	own.heads = (uint32_t *)next;
	own.nexts = own.heads + table_capacity(join->nr_build, join->radix_bits);
	return own;
}

/* --- partitioning ------------------------------------------------------------------------------
 */

static inline uint64_t part_of(uint64_t key, unsigned bits)
{
	return hj_hash(key) >> (64 - bits);
}

static void count_parts(const struct hj_tuple *tuples, struct team_slice mine, unsigned bits,
			uint64_t *counts)
{
	memset(counts, 0, sizeof(counts[0]) << bits);
	for (uint64_t i = mine.begin; i < mine.end; i++)
		counts[part_of(tuples[i].key, bits)]++;
}

/* Partition by partition the shares of the threads follow each other. */
static void place_parts(const struct hj_join *join, int thread, const struct own *own, bool build)
{
	const uint64_t parts = UINT64_C(1) << join->radix_bits;
	uint64_t *begins = build ? own->build_begins : own->probe_begins;
	uint64_t here = 0;

	for (uint64_t p = 0; p < parts; p++)
		begins[p] = own->starts[p] = 0;
	for (int t = 0; t < join->nr_threads; t++) {
		const struct own other = own_of(join, t);
		const uint64_t *counts = build ? other.build_counts : other.probe_counts;

		for (uint64_t p = 0; p < parts; p++) {
			own->starts[p] += t < thread ? counts[p] : 0;
			begins[p] += counts[p];
		}
	}
	for (uint64_t p = 0; p < parts; p++) {
		const uint64_t count = begins[p];

		begins[p] = here;
		own->starts[p] += here;
		own->places[p] = own->starts[p];
		here += count;
	}
	begins[parts] = here;
}

/* Past the caches: the line is complete and nobody reads it soon. */
static inline void write_line(struct hj_tuple *to, const struct hj_tuple *line)
{
#ifdef __SSE2__
	for (int i = 0; i < HJ_LINE_TUPLES; i++)
		_mm_stream_si128((__m128i *)&to[i], _mm_load_si128((const __m128i *)&line[i]));
#else
	memcpy(to, line, HJ_LINE_TUPLES * sizeof(*to));
#endif
}

/* The first line of a thread's part may begin in the part of another. */
static void write_first_line(struct hj_tuple *parts, const struct hj_tuple *line, uint64_t start,
			     uint64_t end)
{
	for (uint64_t i = start; i < end; i++)
		parts[i] = line[i % HJ_LINE_TUPLES];
}

static void copy_to_parts(const struct hj_tuple *tuples, struct team_slice mine, unsigned bits,
			  const struct own *own, struct hj_tuple *parts)
{
	const uint64_t nr_parts = UINT64_C(1) << bits;

	for (uint64_t i = mine.begin; i < mine.end; i++) {
		const uint64_t part = part_of(tuples[i].key, bits);
		struct hj_tuple *line = own->lines + part * HJ_LINE_TUPLES;
		const uint64_t place = own->places[part]++;

		line[place % HJ_LINE_TUPLES] = tuples[i];
		if (place % HJ_LINE_TUPLES != HJ_LINE_TUPLES - 1)
			continue;
		if (place + 1 - own->starts[part] >= HJ_LINE_TUPLES)
			write_line(parts + place + 1 - HJ_LINE_TUPLES, line);
		else
			write_first_line(parts, line, own->starts[part], place + 1);
	}
	for (uint64_t part = 0; part < nr_parts; part++) {
		const uint64_t end = own->places[part];
		const uint64_t line_begin = end / HJ_LINE_TUPLES * HJ_LINE_TUPLES;

		write_first_line(parts, own->lines + part * HJ_LINE_TUPLES,
				 own->starts[part] > line_begin ? own->starts[part] : line_begin,
				 end);
	}
#ifdef __SSE2__
	_mm_sfence();
#endif
}

/* --- joining partitions -------------------------------------------------------------------------
 */

static inline uint64_t place_in_table(uint64_t key, unsigned radix_bits, unsigned table_bits)
{
	return hj_hash(key) << radix_bits >> (64 - table_bits);
}

static void join_piece(const struct own *own, const struct hj_tuple *build, uint64_t nr_build,
		       const struct hj_tuple *probe, uint64_t nr_probe, unsigned radix_bits,
		       struct hj_result *result)
{
	unsigned bits = 1;

	while (UINT64_C(1) << bits < nr_build)
		bits++;
	memset(own->heads, 0, sizeof(own->heads[0]) << bits);
	for (uint64_t i = 0; i < nr_build; i++) {
		uint32_t *head = &own->heads[place_in_table(build[i].key, radix_bits, bits)];

		own->nexts[i] = *head;
		*head = (uint32_t)(i + 1);
	}
	for (uint64_t i = 0; i < nr_probe; i++) {
		uint32_t next = own->heads[place_in_table(probe[i].key, radix_bits, bits)];

		for (; next != 0; next = own->nexts[next - 1]) {
			const struct hj_tuple *tuple = &build[next - 1];

			if (tuple->key == probe[i].key) {
				result->matches++;
				result->checksum += tuple->payload * probe[i].payload;
				break;
			}
		}
	}
}

/* Keys are unique in the build relation, so that its pieces find different matches. */
static void join_part(const struct hj_join *join, const struct own *own, uint64_t part,
		      struct hj_result *result)
{
	const uint64_t capacity = table_capacity(join->nr_build, join->radix_bits);
	const uint64_t begin = own->probe_begins[part], end = own->probe_begins[part + 1];
	uint64_t at = own->build_begins[part];

	while (at < own->build_begins[part + 1]) {
		const uint64_t left = own->build_begins[part + 1] - at;
		const uint64_t piece = left < capacity ? left : capacity;

		join_piece(own, join->build_parts + at, piece, join->probe_parts + begin,
			   end - begin, join->radix_bits, result);
		at += piece;
	}
}

struct hj_result hj_radix_join(struct hj_join *join, int thread)
{
	const struct team_slice build =
		team_slice(join->nr_build, HJ_LINE_TUPLES, thread, join->nr_threads);
	const struct team_slice probe =
		team_slice(join->nr_probe, HJ_LINE_TUPLES, thread, join->nr_threads);
	const struct own own = own_of(join, thread);
	const unsigned bits = join->radix_bits;
	struct hj_result result = {0};
	uint64_t part;

	count_parts(join->build, build, bits, own.build_counts);
	count_parts(join->probe, probe, bits, own.probe_counts);
	team_barrier(join->team);
	place_parts(join, thread, &own, true);
	copy_to_parts(join->build, build, bits, &own, join->build_parts);
	place_parts(join, thread, &own, false);
	copy_to_parts(join->probe, probe, bits, &own, join->probe_parts);
	team_barrier(join->team);
	while ((part = join->next_part++) < UINT64_C(1) << bits)
		join_part(join, &own, part, &result);
	return result;
}
