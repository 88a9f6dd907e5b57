// SPDX-License-Identifier: MIT
/*
 * The join by sorting and merging. Sorts in place, for there may be no memory for copies: by the
 * highest byte with cycles of exchanges (McIlroy, Bostic, McIlroy, "Engineering radix sort",
 * Computing Systems 1993), each bucket by the next byte, and small ones by insertion.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/hashjoin/hashjoin.h"

#define INSERTION_MAX 48

/* --- digest ------------------------------------------------------------------------------------
 */

struct digest {
	const struct hj_tuple *tuples;
	uint64_t count;
	int nr_threads;
	_Atomic uint64_t sum;
};

static void digest_thread(void *context, int thread)
{
	struct digest *digest = context;
	const struct team_slice mine = team_slice(digest->count, 1, thread, digest->nr_threads);
	uint64_t sum = 0;

	for (uint64_t i = mine.begin; i < mine.end; i++) {
		uint64_t word = digest->tuples[i].key * UINT64_C(0xff51afd7ed558ccd);

		word = (word ^ word >> 33) + digest->tuples[i].payload;
		word *= UINT64_C(0xc4ceb9fe1a85ec53);
		sum += word ^ word >> 29;
	}
	digest->sum += sum;
}

uint64_t hj_digest(const struct hj_tuple *tuples, uint64_t count, struct team *team)
{
	struct digest digest = {.tuples = tuples, .count = count, .nr_threads = team_size(team)};

	team_run(team, digest_thread, &digest);
	return digest.sum;
}

/* --- sorting -----------------------------------------------------------------------------------
 */

static void sort_small(struct hj_tuple *tuples, uint64_t count)
{
	for (uint64_t i = 1; i < count; i++) {
		const struct hj_tuple tuple = tuples[i];
		uint64_t at = i;

		for (; at > 0 && tuples[at - 1].key > tuple.key; at--)
			tuples[at] = tuples[at - 1];
		tuples[at] = tuple;
	}
}

static unsigned byte_of(const struct hj_tuple *tuple, int shift)
{
	return (unsigned)(tuple->key >> shift) & 255;
}

static void sort_by_byte(struct hj_tuple *tuples, uint64_t count, int shift)
{
	uint64_t ends[256] = {0}, places[256], sum = 0;

	if (count <= INSERTION_MAX) {
		sort_small(tuples, count);
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		ends[byte_of(&tuples[i], shift)]++;
	for (int b = 0; b < 256; b++) {
		places[b] = sum;
		sum += ends[b];
		ends[b] = sum;
	}
	for (unsigned b = 0; b < 256; b++) {
		while (places[b] < ends[b]) {
			struct hj_tuple tuple = tuples[places[b]];
			unsigned bucket;

			while ((bucket = byte_of(&tuple, shift)) != b) {
				const struct hj_tuple other = tuples[places[bucket]];

				tuples[places[bucket]++] = tuple;
				tuple = other;
			}
			tuples[places[b]++] = tuple;
		}
	}
	for (int b = 0; shift > 0 && b < 256; b++) {
		const uint64_t begin = b == 0 ? 0 : ends[b - 1];

		sort_by_byte(tuples + begin, ends[b] - begin, shift - 8);
	}
}

/* --- merging -----------------------------------------------------------------------------------
 */

struct merge {
	struct hj_tuple *build, *probe;
	uint64_t nr_build, nr_probe;
	int nr_threads;
	_Atomic uint64_t matches, checksum;
};

static void sort_thread(void *context, int thread)
{
	struct merge *merge = context;
	const struct team_slice build = team_slice(merge->nr_build, 1, thread, merge->nr_threads);
	const struct team_slice probe = team_slice(merge->nr_probe, 1, thread, merge->nr_threads);

	sort_by_byte(merge->build + build.begin, build.end - build.begin, 56);
	sort_by_byte(merge->probe + probe.begin, probe.end - probe.begin, 56);
}

/* All pairs of equal keys of two sorted runs, however often a key is there. */
static void merge_runs(const struct hj_tuple *build, uint64_t nr_build,
		       const struct hj_tuple *probe, uint64_t nr_probe, struct hj_result *result)
{
	uint64_t b = 0, p = 0;

	while (b < nr_build && p < nr_probe) {
		const uint64_t key = build[b].key;
		uint64_t payloads = 0, count = 0;

		if (key > probe[p].key) {
			p++;
			continue;
		}
		for (; b < nr_build && build[b].key == key; b++, count++)
			payloads += build[b].payload;
		for (; p < nr_probe && probe[p].key == key; p++) {
			result->matches += count;
			result->checksum += payloads * probe[p].payload;
		}
	}
}

/* A thread's run of the build relation meets the probe runs of all. */
static void merge_thread(void *context, int thread)
{
	struct merge *merge = context;
	const struct team_slice build = team_slice(merge->nr_build, 1, thread, merge->nr_threads);
	struct hj_result result = {0};

	for (int t = 0; t < merge->nr_threads; t++) {
		const struct team_slice probe =
			team_slice(merge->nr_probe, 1, t, merge->nr_threads);

		merge_runs(merge->build + build.begin, build.end - build.begin,
			   merge->probe + probe.begin, probe.end - probe.begin, &result);
	}
	merge->matches += result.matches;
	merge->checksum += result.checksum;
}

void hj_sort_merge(struct hj_tuple *build, uint64_t nr_build, struct hj_tuple *probe,
		   uint64_t nr_probe, struct team *team, struct hj_result *result)
{
	struct merge merge = {.build = build,
			      .probe = probe,
			      .nr_build = nr_build,
			      .nr_probe = nr_probe,
			      .nr_threads = team_size(team)};

	team_run(team, sort_thread, &merge);
	team_run(team, merge_thread, &merge);
	*result = (struct hj_result){merge.matches, merge.checksum};
}
