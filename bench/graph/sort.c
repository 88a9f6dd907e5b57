// SPDX-License-Identifier: MIT
/*
 * Sorting the neighbours of a vertex. Their numbers are scattered over the whole range, so a first
 * pass by leading bits into about as many bins as there are numbers leaves little for insertion;
 * long lists, in which few vertices occur often, go through a radix sort.
 */
#include <string.h>

#include "bench/graph/graph.h"

#define INSERTION_MAX 24
#define BINS_MAX      4096
#define RADIX_BITS    11

static inline __attribute__((always_inline)) void insertion(void *ids, uint64_t count, bool wide)
{
	for (uint64_t i = 1; i < count; i++) {
		const uint64_t id = graph_id(ids, i, wide);
		uint64_t at = i;

		for (; at > 0 && graph_id(ids, at - 1, wide) > id; at--)
			graph_id_set(ids, at, graph_id(ids, at - 1, wide), wide);
		graph_id_set(ids, at, id, wide);
	}
}

/* One stable pass by `bits` bits from `shift` on. */
static inline __attribute__((always_inline)) void
distribute(const void *from, void *to, uint64_t count, unsigned shift, unsigned bits, bool wide)
{
	const uint64_t mask = (UINT64_C(1) << bits) - 1;
	uint64_t starts[BINS_MAX + 1];

	memset(starts, 0, (mask + 2) * sizeof(starts[0]));
	for (uint64_t i = 0; i < count; i++)
		starts[(graph_id(from, i, wide) >> shift & mask) + 1]++;
	for (uint64_t bin = 1; bin <= mask; bin++)
		starts[bin] += starts[bin - 1];
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t id = graph_id(from, i, wide);

		graph_id_set(to, starts[id >> shift & mask]++, id, wide);
	}
}

static inline __attribute__((always_inline)) void radix(void *ids, void *spare, uint64_t count,
							unsigned scale_bits, bool wide)
{
	void *from = ids, *to = spare;

	for (unsigned shift = 0; shift < scale_bits; shift += RADIX_BITS) {
		void *last = from;

		distribute(from, to, count, shift, RADIX_BITS, wide);
		from = to;
		to = last;
	}
	if (from != ids)
		memcpy(ids, from, count * graph_id_bytes(wide));
}

static inline __attribute__((always_inline)) void sort(void *ids, void *spare, uint64_t count,
						       unsigned scale_bits, bool wide)
{
	unsigned bits = 4;

	if (count <= INSERTION_MAX) {
		insertion(ids, count, wide);
		return;
	}
	if (count > BINS_MAX) {
		radix(ids, spare, count, scale_bits, wide);
		return;
	}
	while (UINT64_C(1) << bits < count)
		bits++;
	if (bits > scale_bits)
		bits = scale_bits;
	distribute(ids, spare, count, scale_bits - bits, bits, wide);
	memcpy(ids, spare, count * graph_id_bytes(wide));
	insertion(ids, count, wide);
}

void graph_sort(void *ids, void *spare, uint64_t count, unsigned scale_bits, bool wide)
{
	if (wide)
		sort(ids, spare, count, scale_bits, true);
	else
		sort(ids, spare, count, scale_bits, false);
}
