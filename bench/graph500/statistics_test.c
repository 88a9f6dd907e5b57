// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "bench/graph500/statistics.h"

static void expect(double value, double expected)
{
	if (!(fabs(value - expected) < 1e-12 * fabs(expected) + 1e-15))
		fail_msg("%.15g is not %.15g", value, expected);
}

/* Worked by hand: 1/x is 1, 1/2, 1/4, 1/8; their mean 15/32, squared distances 289+1+49+121 / 1024.
 */
static void four_values(void **state)
{
	double values[] = {4, 1, 8, 2};
	struct statistics s;

	(void)state;
	statistics_fill(&s, values, 4);
	expect(s.min, 1);
	expect(s.first_quartile, 1.75);
	expect(s.median, 3);
	expect(s.third_quartile, 5);
	expect(s.max, 8);
	expect(s.mean, 3.75);
	expect(s.deviation, sqrt((7.5625 + 3.0625 + 0.0625 + 18.0625) / 3));
	expect(s.harmonic_mean, 32.0 / 15);
	expect(s.harmonic_deviation, sqrt(460.0 / 1024) / 3 * (32.0 / 15) * (32.0 / 15));
}

static void one_value_has_no_deviation(void **state)
{
	double value = 3;
	struct statistics s;

	(void)state;
	statistics_fill(&s, &value, 1);
	expect(s.min, 3);
	expect(s.third_quartile, 3);
	expect(s.harmonic_mean, 3);
	expect(s.deviation, 0);
	expect(s.harmonic_deviation, 0);
}

static void five_values_have_quartiles_among_them(void **state)
{
	double values[] = {50, 40, 30, 20, 10};
	struct statistics s;

	(void)state;
	statistics_fill(&s, values, 5);
	expect(s.first_quartile, 20);
	expect(s.median, 30);
	expect(s.third_quartile, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_values),
		cmocka_unit_test(one_value_has_no_deviation),
		cmocka_unit_test(five_values_have_quartiles_among_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
