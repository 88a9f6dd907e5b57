/* SPDX-License-Identifier: MIT */
/* The statistics that the Graph500 specification asks for. */
#ifndef BENCH_GRAPH500_STATISTICS_H
#define BENCH_GRAPH500_STATISTICS_H

struct statistics {
	double min, first_quartile, median, third_quartile, max;
	double mean, deviation;                   /* of a sample */
	double harmonic_mean, harmonic_deviation; /* for rates; the standard error of the mean */
};

/* Of `count` values above 0, at least one; sorts them. Deviations of a single value are 0. */
void statistics_fill(struct statistics *statistics, double *values, int count);

#endif
