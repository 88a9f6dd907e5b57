// SPDX-License-Identifier: MIT
#include "analysis/stats.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES      10000
#define BOOTSTRAP_SEED UINT64_C(0x9e3779b97f4a7c15)

/* Below this many values even the whole range covers the median with less than 95%. */
#define ORDER_MINIMUM 6

const char *stats_method_name(enum stats_method method)
{
	static const char *const names[] = {
		[STATS_NONE] = "none",
		[STATS_STUDENT_LOG] = "student_log",
		[STATS_ORDER] = "order_statistics",
		[STATS_WELCH_LOG] = "welch_log",
		[STATS_BOOTSTRAP_RATIO] = "bootstrap_ratio",
	};

	return names[method];
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double *sorted_copy(const double *values, int nr)
{
	double *copy = nr > 0 ? reallocarray(NULL, (size_t)nr, sizeof(*copy)) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, values, (size_t)nr * sizeof(*copy));
	qsort(copy, (size_t)nr, sizeof(*copy), compare_doubles);
	return copy;
}

static double sorted_quantile(const double *sorted, int nr, double fraction)
{
	const double position = fraction * (nr - 1);
	const int below = (int)floor(position);

	if (below >= nr - 1)
		return sorted[nr - 1];
	return sorted[below] + (position - below) * (sorted[below + 1] - sorted[below]);
}

double stats_quantile(const double *values, int nr, double fraction)
{
	double *sorted = sorted_copy(values, nr);
	double result;

	if (!sorted)
		return NAN;
	result = sorted_quantile(sorted, nr, fraction);
	free(sorted);
	return result;
}

double stats_median(const double *values, int nr)
{
	return stats_quantile(values, nr, 0.5);
}

double stats_mad(const double *values, int nr)
{
	const double median = stats_median(values, nr);
	double *deviations = sorted_copy(values, nr);
	double result;

	if (!deviations)
		return NAN;
	for (int i = 0; i < nr; i++)
		deviations[i] = fabs(values[i] - median);
	result = stats_median(deviations, nr);
	free(deviations);
	return result;
}

/* Mean and variance of the logarithms; -1 when a value is not positive. */
static int log_moments(const double *values, int nr, double *mean, double *variance)
{
	double sum = 0, squares = 0;

	for (int i = 0; i < nr; i++) {
		if (!(values[i] > 0))
			return -1;
		sum += log(values[i]);
	}
	*mean = sum / nr;
	for (int i = 0; i < nr; i++)
		squares += pow(log(values[i]) - *mean, 2);
	*variance = nr > 1 ? squares / (nr - 1) : 0;
	return 0;
}

double stats_geometric_mean(const double *values, int nr)
{
	double mean, variance;

	if (nr < 1 || log_moments(values, nr, &mean, &variance) != 0)
		return NAN;
	return exp(mean);
}

/* --- Student's t ----------------------------------------------------------------------------- */

/* The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method. */
static double beta_fraction(double x, double a, double b)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1), f;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	f = d;
	for (int m = 1; m < 500; m++) {
		const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		const double terms[] = {even, odd};
		double step = 1;

		for (int i = 0; i < 2; i++) {
			d = 1 + terms[i] * d;
			c = 1 + terms[i] / c;
			d = 1 / (fabs(d) < tiny ? tiny : d);
			c = fabs(c) < tiny ? tiny : c;
			step = c * d;
			f *= step;
		}
		if (fabs(step - 1) < 1e-15)
			break;
	}
	return f;
}

static double beta_regularised(double x, double a, double b)
{
	const double front =
		exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));

	if (x <= 0 || x >= 1)
		return x <= 0 ? 0 : 1;
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(x, a, b) / a;
	return 1 - front * beta_fraction(1 - x, b, a) / b;
}

/* P(|T| > t) = I_{v / (v + t^2)}(v/2, 1/2) (DLMF 8.17, Abramowitz and Stegun 26.7.1). */
double stats_student_quantile(double confidence, double degrees)
{
	double low = 0, high = 1;

	while (beta_regularised(degrees / (degrees + high * high), degrees / 2, 0.5) >
		       1 - confidence &&
	       high < 1e12)
		high *= 2;
	for (int i = 0; i < 200 && high - low > 1e-13 * high; i++) {
		const double middle = (low + high) / 2;
		const double outside =
			beta_regularised(degrees / (degrees + middle * middle), degrees / 2, 0.5);

		if (outside > 1 - confidence)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

/* --- intervals ------------------------------------------------------------------------------- */

static struct stats_interval no_interval(void)
{
	return (struct stats_interval){.low = NAN, .high = NAN, .method = STATS_NONE};
}

static struct stats_interval student_interval(const double *values, int nr)
{
	double mean, variance, half;

	if (log_moments(values, nr, &mean, &variance) != 0)
		return no_interval();
	half = stats_student_quantile(STATS_CONFIDENCE, nr - 1) * sqrt(variance / nr);
	return (struct stats_interval){
		.low = exp(mean - half),
		.high = exp(mean + half),
		.method = STATS_STUDENT_LOG,
	};
}

/*
 * How many values may be left out at each end: the median is below the k-th smallest value exactly
 * when fewer than k of the values are below it, a binomial probability with p = 1/2.
 */
static int order_rank(int nr)
{
	double log_probability = -nr * log(2), tail = 0;
	int rank = 0;

	for (int i = 0; i < nr / 2; i++) {
		tail += exp(log_probability);
		if (2 * tail > 1 - STATS_CONFIDENCE)
			break;
		rank = i + 1;
		log_probability += log((double)(nr - i) / (i + 1));
	}
	return rank;
}

static struct stats_interval order_interval(const double *values, int nr)
{
	const int rank = order_rank(nr);
	double *sorted = sorted_copy(values, nr);
	struct stats_interval interval;

	if (!sorted)
		return no_interval();
	interval = (struct stats_interval){
		.low = sorted[rank - 1],
		.high = sorted[nr - rank],
		.method = STATS_ORDER,
	};
	free(sorted);
	return interval;
}

struct stats_interval stats_median_interval(const double *values, int nr)
{
	if (nr < 2)
		return no_interval();
	return nr < ORDER_MINIMUM ? student_interval(values, nr) : order_interval(values, nr);
}

static struct stats_interval welch_interval(const double *a, int nr_a, const double *b, int nr_b)
{
	double mean_a, mean_b, variance_a, variance_b, degrees, half;

	if (log_moments(a, nr_a, &mean_a, &variance_a) != 0 ||
	    log_moments(b, nr_b, &mean_b, &variance_b) != 0)
		return no_interval();
	variance_a /= nr_a;
	variance_b /= nr_b;
	half = 0;
	/* Identical runs, as a deterministic model gives them, leave nothing to estimate. */
	if (variance_a + variance_b > 0) {
		degrees = pow(variance_a + variance_b, 2) / (variance_a * variance_a / (nr_a - 1) +
							     variance_b * variance_b / (nr_b - 1));
		half = stats_student_quantile(STATS_CONFIDENCE, degrees) *
		       sqrt(variance_a + variance_b);
	}
	return (struct stats_interval){
		.low = exp(mean_a - mean_b - half),
		.high = exp(mean_a - mean_b + half),
		.method = STATS_WELCH_LOG,
	};
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static double resampled_median(const double *values, int nr, double *scratch, uint64_t *state)
{
	for (int i = 0; i < nr; i++)
		scratch[i] = values[((random_next(state) >> 32) * (uint64_t)nr) >> 32];
	qsort(scratch, (size_t)nr, sizeof(*scratch), compare_doubles);
	return sorted_quantile(scratch, nr, 0.5);
}

static struct stats_interval bootstrap_interval(const double *a, int nr_a, const double *b,
						int nr_b)
{
	const int longest = nr_a > nr_b ? nr_a : nr_b;
	double *scratch = reallocarray(NULL, (size_t)longest, sizeof(*scratch));
	double *ratios = reallocarray(NULL, RESAMPLES, sizeof(*ratios));
	struct stats_interval interval = no_interval();
	uint64_t state = BOOTSTRAP_SEED;

	if (scratch && ratios) {
		for (int i = 0; i < RESAMPLES; i++) {
			const double above = resampled_median(a, nr_a, scratch, &state);

			ratios[i] = above / resampled_median(b, nr_b, scratch, &state);
		}
		qsort(ratios, RESAMPLES, sizeof(*ratios), compare_doubles);
		interval.low = sorted_quantile(ratios, RESAMPLES, (1 - STATS_CONFIDENCE) / 2);
		interval.high = sorted_quantile(ratios, RESAMPLES, (1 + STATS_CONFIDENCE) / 2);
		interval.method = STATS_BOOTSTRAP_RATIO;
	}
	free(scratch);
	free(ratios);
	return interval;
}

struct stats_interval stats_ratio_interval(const double *a, int nr_a, const double *b, int nr_b)
{
	if (nr_a < 2 || nr_b < 2)
		return no_interval();
	if (nr_a < ORDER_MINIMUM || nr_b < ORDER_MINIMUM)
		return welch_interval(a, nr_a, b, nr_b);
	return bootstrap_interval(a, nr_a, b, nr_b);
}
