// SPDX-License-Identifier: MIT
#include "bench/loadgen/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_BITS 43 /* 2^43 ns are 2.4 h */

struct histogram *histogram_new(unsigned digits)
{
	unsigned half_bits = 0, wanted = 1;
	struct histogram *histogram;
	uint32_t nr_cells;

	while (digits-- > 0)
		wanted *= 10;
	while (1u << half_bits < wanted)
		half_bits++;
	/* The first 2^(half_bits + 1) values have a cell each, every doubling above 2^half_bits. */
	nr_cells = (VALUE_BITS - half_bits + 1) << half_bits;
	histogram = calloc(1, sizeof(*histogram) + nr_cells * sizeof(histogram->cells[0]));
	if (!histogram)
		return NULL;
	histogram->half_bits = half_bits;
	histogram->nr_cells = nr_cells;
	return histogram;
}

static uint32_t cell_of(const struct histogram *histogram, uint64_t value)
{
	const unsigned half_bits = histogram->half_bits;
	unsigned shift = 0;

	if (value >> (half_bits + 1))
		shift = 63 - (unsigned)__builtin_clzll(value) - half_bits;
	return (uint32_t)((shift << half_bits) + (value >> shift));
}

/* The highest value of a cell. */
static uint64_t cell_end(const struct histogram *histogram, uint32_t cell)
{
	const unsigned half_bits = histogram->half_bits;
	unsigned shift = 0;

	if (cell >> (half_bits + 1))
		shift = (cell >> half_bits) - 1;
	return ((uint64_t)(cell - (shift << half_bits)) + 1) * (UINT64_C(1) << shift) - 1;
}

void histogram_record(struct histogram *histogram, uint64_t duration_ns, uint64_t times)
{
	const uint64_t most = (UINT64_C(1) << VALUE_BITS) - 1;
	const uint64_t value = duration_ns < most ? duration_ns : most;

	histogram->cells[cell_of(histogram, value)] += times;
	histogram->count += times;
	histogram->sum_ns += (double)duration_ns * (double)times;
	if (duration_ns > histogram->max_ns)
		histogram->max_ns = duration_ns;
}

void histogram_add(struct histogram *into, const struct histogram *from)
{
	for (uint32_t i = 0; i < from->nr_cells; i++)
		into->cells[i] += from->cells[i];
	into->count += from->count;
	into->sum_ns += from->sum_ns;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
}

void histogram_clear(struct histogram *histogram)
{
	memset(histogram->cells, 0, histogram->nr_cells * sizeof(histogram->cells[0]));
	histogram->count = 0;
	histogram->max_ns = 0;
	histogram->sum_ns = 0;
}

uint64_t histogram_quantile_ns(const struct histogram *histogram, double quantile)
{
	uint64_t rank = (uint64_t)ceil(quantile * (double)histogram->count), seen = 0;

	if (histogram->count == 0)
		return 0;
	if (rank < 1)
		rank = 1;
	for (uint32_t i = 0; i < histogram->nr_cells; i++) {
		seen += histogram->cells[i];
		if (seen >= rank) {
			const uint64_t end = cell_end(histogram, i);

			return end < histogram->max_ns ? end : histogram->max_ns;
		}
	}
	return histogram->max_ns;
}

double histogram_mean_ns(const struct histogram *histogram)
{
	return histogram->count ? histogram->sum_ns / (double)histogram->count : 0;
}
