// SPDX-License-Identifier: MIT
#include "analysis/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_near(double got, double wanted, double tolerance)
{
	if (!(fabs(got - wanted) <= tolerance))
		fail_msg("%.12g is not %.12g", got, wanted);
}

static void test_median_and_quantiles(void **state)
{
	const double odd[] = {5, 1, 9}, even[] = {4, 1, 3, 2}, one[] = {7};

	(void)state;
	assert_near(stats_median(odd, 3), 5, 0);
	assert_near(stats_median(even, 4), 2.5, 0);
	assert_near(stats_median(one, 1), 7, 0);
	assert_true(isnan(stats_median(one, 0)));
	/* R: quantile(1:4, c(0, .25, .9, 1)), type 7 */
	assert_near(stats_quantile(even, 4, 0), 1, 0);
	assert_near(stats_quantile(even, 4, 0.25), 1.75, 1e-12);
	assert_near(stats_quantile(even, 4, 0.9), 3.7, 1e-12);
	assert_near(stats_quantile(even, 4, 1), 4, 0);
}

static void test_mad(void **state)
{
	const double values[] = {1, 1, 2, 2, 4, 6, 9}; /* median 2, deviations 1 1 0 0 2 4 7 */

	(void)state;
	assert_near(stats_mad(values, 7), 1, 0);
	assert_true(isnan(stats_mad(values, 0)));
}

static void test_geometric_mean(void **state)
{
	const double values[] = {1, 10, 100}, zero[] = {1, 0};

	(void)state;
	assert_near(stats_geometric_mean(values, 3), 10, 1e-12);
	assert_true(isnan(stats_geometric_mean(zero, 2)));
	assert_true(isnan(stats_geometric_mean(values, 0)));
}

/* Two-sided points of printed t tables; the fractional one by numerical integration. */
static void test_student_quantile(void **state)
{
	static const struct {
		double confidence, degrees, t;
	} points[] = {
		{0.95, 1, 12.7062}, {0.95, 2, 4.3027},  {0.95, 4, 2.7764},
		{0.95, 10, 2.2281}, {0.95, 30, 2.0423}, {0.95, 1e6, 1.9600},
		{0.99, 5, 4.0321},  {0.90, 3, 2.3534},  {0.95, 2.5, 3.574655},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		assert_near(stats_student_quantile(points[i].confidence, points[i].degrees),
			    points[i].t, 6e-5 * points[i].t);
}

static void test_one_value_has_no_interval(void **state)
{
	const double one[] = {3}, many[] = {1, 2, 3};

	(void)state;
	assert_int_equal(stats_median_interval(one, 1).method, STATS_NONE);
	assert_true(isnan(stats_median_interval(one, 1).low));
	assert_int_equal(stats_ratio_interval(many, 3, one, 1).method, STATS_NONE);
	assert_int_equal(stats_ratio_interval(one, 1, many, 3).method, STATS_NONE);
}

static void test_few_values_use_student(void **state)
{
	/* Logarithms -1, 0, 1: mean 0, deviation 1, so the half width is 4.3027 / sqrt(3). */
	const double values[] = {exp(-1), 1, exp(1)}, five[] = {1, 2, 3, 4, 5};
	const struct stats_interval interval = stats_median_interval(values, 3);

	(void)state;
	assert_int_equal(interval.method, STATS_STUDENT_LOG);
	assert_near(log(interval.high), 4.302653 / sqrt(3), 1e-5);
	assert_near(log(interval.low), -4.302653 / sqrt(3), 1e-5);
	/* The range of five values holds the median with 93.75% only. */
	assert_int_equal(stats_median_interval(five, 5).method, STATS_STUDENT_LOG);
	assert_int_equal(stats_ratio_interval(five, 5, five, 5).method, STATS_WELCH_LOG);
}

/* Printed tables of the sign-test interval: n = 6: 1, 8: 1, 9: 2, 20: 6, 50: 18, 100: 40. */
static void test_many_values_use_order_statistics(void **state)
{
	static const int table[][2] = {{6, 1}, {8, 1}, {9, 2}, {20, 6}, {50, 18}, {100, 40}};
	double values[100];

	(void)state;
	for (int i = 0; i < 100; i++)
		values[i] = i + 1;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct stats_interval interval = stats_median_interval(values, table[i][0]);

		assert_int_equal(interval.method, STATS_ORDER);
		assert_near(interval.low, table[i][1], 0);
		assert_near(interval.high, table[i][0] + 1 - table[i][1], 0);
	}
}

static void test_equal_values_have_an_interval_of_no_width(void **state)
{
	const double values[] = {2, 2, 2, 2, 2, 2, 2};

	(void)state;
	assert_near(stats_median_interval(values, 3).low, 2, 1e-12);
	assert_near(stats_median_interval(values, 3).high, 2, 1e-12);
	assert_near(stats_median_interval(values, 7).high, 2, 0);
	assert_near(stats_ratio_interval(values, 3, values, 3).high, 1, 1e-12);
	assert_near(stats_ratio_interval(values, 7, values, 7).high, 1, 1e-12);
}

/* Welch on logarithms, by hand: means 1 and 0, variances 1/3 each, 4 degrees, t = 2.7764. */
static void test_ratio_of_few(void **state)
{
	const double a[] = {exp(0), exp(1), exp(2)}, b[] = {exp(-1), exp(0), exp(1)};
	const struct stats_interval interval = stats_ratio_interval(a, 3, b, 3);

	(void)state;
	assert_int_equal(interval.method, STATS_WELCH_LOG);
	assert_near(log(interval.low), 1 - 2.776445 * sqrt(2.0 / 3), 1e-5);
	assert_near(log(interval.high), 1 + 2.776445 * sqrt(2.0 / 3), 1e-5);
}

static void test_ratio_of_many(void **state)
{
	double a[21], b[21];
	struct stats_interval first, second;

	(void)state;
	for (int i = 0; i < 21; i++) {
		a[i] = 200 + i;
		b[i] = 100 + (i * 8) % 21;
	}
	first = stats_ratio_interval(a, 21, b, 21);
	second = stats_ratio_interval(a, 21, b, 21);
	assert_int_equal(first.method, STATS_BOOTSTRAP_RATIO);
	assert_true(first.low == second.low && first.high == second.high);
	assert_true(first.low < 210.0 / 110 && first.high > 210.0 / 110);
	assert_true(first.low > 1.75 && first.high < 2.1);
}

/* The intervals must hold what they promise: simulated coverage of a known median. */
static void test_coverage(void **state)
{
	uint64_t x = 88172645463325252;

	(void)state;
	for (int nr = 3; nr <= 12; nr += 3) {
		int covered = 0;

		for (int trial = 0; trial < 4000; trial++) {
			double values[12];

			for (int i = 0; i < nr; i++) {
				double sum = 0;

				for (int k = 0; k < 12; k++) {
					x ^= x << 13;
					x ^= x >> 7;
					x ^= x << 17;
					sum += (double)(x >> 11) * 0x1p-53;
				}
				values[i] = exp(0.1 * (sum - 6));
			}
			const struct stats_interval interval = stats_median_interval(values, nr);

			covered += interval.low <= 1 && interval.high >= 1;
		}
		if (covered < 0.94 * 4000)
			fail_msg("n = %d: the interval holds the median in %d of 4000", nr,
				 covered);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_median_and_quantiles),
		cmocka_unit_test(test_mad),
		cmocka_unit_test(test_geometric_mean),
		cmocka_unit_test(test_student_quantile),
		cmocka_unit_test(test_one_value_has_no_interval),
		cmocka_unit_test(test_few_values_use_student),
		cmocka_unit_test(test_many_values_use_order_statistics),
		cmocka_unit_test(test_equal_values_have_an_interval_of_no_width),
		cmocka_unit_test(test_ratio_of_few),
		cmocka_unit_test(test_ratio_of_many),
		cmocka_unit_test(test_coverage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
