/* SPDX-License-Identifier: MIT */
/*
 * Counts of durations in cells whose width grows with the value, so that every value keeps the
 * wanted number of decimal digits: log-linear, as G. Tene's HdrHistogram describes it. Exact below
 * 2 * 10^digits ns; durations above about 2.4 h count as that.
 */
#ifndef BENCH_LOADGEN_HISTOGRAM_H
#define BENCH_LOADGEN_HISTOGRAM_H

#include <stdint.h>

struct histogram {
	unsigned half_bits; /* cells of the same width come in runs of 2^half_bits */
	uint64_t count, max_ns;
	double sum_ns;
	uint32_t nr_cells;
	uint64_t cells[];
};

/* digits 1 to 4. NULL when out of memory; free() ends it. */
struct histogram *histogram_new(unsigned digits);

void histogram_record(struct histogram *histogram, uint64_t duration_ns, uint64_t times);

/* Adds what `from`, of as many digits, has counted. */
void histogram_add(struct histogram *into, const struct histogram *from);
void histogram_clear(struct histogram *histogram);

/*
 * The highest duration that falls into the cell of the value at that rank (0 to 1); never above the
 * greatest recorded. 0 when nothing was.
 */
uint64_t histogram_quantile_ns(const struct histogram *histogram, double quantile);

double histogram_mean_ns(const struct histogram *histogram);

#endif
