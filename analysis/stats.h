/* SPDX-License-Identifier: MIT */
/*
 * Statistics of a few repeated runs. docs/ANALYSIS.md says which method is used when, and why.
 * Everything is deterministic: the bootstrap has a fixed seed.
 */
#ifndef ANALYSIS_STATS_H
#define ANALYSIS_STATS_H

#define STATS_CONFIDENCE 0.95

enum stats_method {
	STATS_NONE,            /* fewer than two values: no interval */
	STATS_STUDENT_LOG,     /* 2 to 5 values: Student's t on the logarithms */
	STATS_ORDER,           /* 6 and more: exact, by order statistics (binomial) */
	STATS_WELCH_LOG,       /* ratio, either side 2 to 5 values: Welch's t on the logarithms */
	STATS_BOOTSTRAP_RATIO, /* ratio, both 6 and more: percentile bootstrap of the medians */
};

struct stats_interval {
	double low, high; /* NAN without an interval */
	enum stats_method method;
};

const char *stats_method_name(enum stats_method method); /* as in the CSV files */

/* NAN for no values. The arrays are not changed. */
double stats_median(const double *values, int nr);
/* Linear between neighbours (Hyndman and Fan's type 7); `fraction` from 0 to 1. */
double stats_quantile(const double *values, int nr, double fraction);
/* Median absolute deviation from the median, unscaled. */
double stats_mad(const double *values, int nr);
/* NAN when a value is not positive. */
double stats_geometric_mean(const double *values, int nr);

/* The 95% interval of the median of positive values. */
struct stats_interval stats_median_interval(const double *values, int nr);
/* The 95% interval of median(a) / median(b), positive values. */
struct stats_interval stats_ratio_interval(const double *a, int nr_a, const double *b, int nr_b);

/* Student's t: the value that |t| stays below with probability `confidence`. */
double stats_student_quantile(double confidence, double degrees);

#endif
