// SPDX-License-Identifier: MIT
#include "bench/graph500/statistics.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y ? 1 : 0;
}

/* Linear between order statistics (Hyndman and Fan's type 7, as in Octave's statistics()). */
static double quantile(const double *sorted, int count, double share)
{
	const double place = share * (count - 1);
	const int below = (int)place;

	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]);
}

static double sum_of_squares(const double *values, int count, double mean, int inverse)
{
	double sum = 0;

	for (int i = 0; i < count; i++) {
		const double distance = (inverse ? 1 / values[i] : values[i]) - mean;

		sum += distance * distance;
	}
	return sum;
}

void statistics_fill(struct statistics *statistics, double *values, int count)
{
	double sum = 0, inverse_sum = 0;

	qsort(values, (size_t)count, sizeof(*values), ascending);
	for (int i = 0; i < count; i++) {
		sum += values[i];
		inverse_sum += 1 / values[i];
	}
	*statistics = (struct statistics){
		.min = values[0],
		.first_quartile = quantile(values, count, 0.25),
		.median = quantile(values, count, 0.5),
		.third_quartile = quantile(values, count, 0.75),
		.max = values[count - 1],
		.mean = sum / count,
		.harmonic_mean = count / inverse_sum,
	};
	if (count == 1)
		return;
	statistics->deviation =
		sqrt(sum_of_squares(values, count, statistics->mean, 0) / (count - 1));
	/* Norris, Annals of Mathematical Statistics 11 (1940), as the specification has it. */
	statistics->harmonic_deviation =
		sqrt(sum_of_squares(values, count, inverse_sum / count, 1)) / (count - 1) *
		statistics->harmonic_mean * statistics->harmonic_mean;
}
