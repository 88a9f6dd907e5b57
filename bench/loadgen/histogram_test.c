// SPDX-License-Identifier: MIT
/* Quantiles against those of the sorted values themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loadgen/histogram.h"
#include "bench/loadgen/random.h"

#define VALUES 50000

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Each quantile lies at or above the exact one, by no more than the digits allow. */
static void check_quantiles(uint64_t (*value)(uint64_t i), unsigned digits)
{
	static const double quantiles[] = {0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
	struct histogram *histogram = histogram_new(digits);
	uint64_t *values = calloc(VALUES, sizeof(*values));
	const double width = pow(10, -(double)digits);
	double sum = 0;

	assert_true(histogram && values);
	for (uint64_t i = 0; i < VALUES; i++) {
		values[i] = value(i);
		sum += (double)values[i];
		histogram_record(histogram, values[i], 1);
	}
	qsort(values, VALUES, sizeof(*values), compare);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		const double rank = ceil(quantiles[i] * VALUES);
		const uint64_t exact = values[rank < 1 ? 0 : (size_t)rank - 1];
		const uint64_t got = histogram_quantile_ns(histogram, quantiles[i]);

		assert_true(got >= exact);
		assert_true((double)(got - exact) <= width * (double)exact);
	}
	assert_int_equal(histogram->max_ns, values[VALUES - 1]);
	assert_true(fabs(histogram_mean_ns(histogram) - sum / VALUES) < 1e-6 * sum / VALUES);
	free(values);
	free(histogram);
}

static uint64_t small(uint64_t i)
{
	return random_below(random_at(1, i), 2000);
}

static uint64_t wide(uint64_t i)
{
	return (uint64_t)exp(random_unit(random_at(2, i)) * 29);
}

static uint64_t heavy_tail(uint64_t i)
{
	return (uint64_t)(1e5 / pow(1 - random_unit(random_at(3, i)), 0.7));
}

static void quantiles_agree_with_sorted_values(void **state)
{
	(void)state;
	check_quantiles(wide, 3);
	check_quantiles(heavy_tail, 3);
	check_quantiles(wide, 2);
	check_quantiles(heavy_tail, 1);
}

static void small_values_are_exact(void **state)
{
	struct histogram *histogram = histogram_new(3);

	(void)state;
	check_quantiles(small, 3);
	for (uint64_t value = 0; value < 2000; value++) {
		histogram_clear(histogram);
		histogram_record(histogram, value, 1);
		histogram_record(histogram, 1u << 30, 1);
		assert_int_equal(histogram_quantile_ns(histogram, 0.5), value);
	}
	free(histogram);
}

/* Borders of the cells, and what lies beyond the last. */
static void borders(void **state)
{
	struct histogram *histogram = histogram_new(3);

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int64_t offset = -1; offset <= 1; offset++) {
			const uint64_t value = (UINT64_C(1) << bit) + (uint64_t)offset;

			histogram_clear(histogram);
			histogram_record(histogram, value, 3);
			assert_int_equal(histogram->count, 3);
			assert_int_equal(histogram->max_ns, value);
			if (value < UINT64_C(1) << 43)
				assert_int_equal(histogram_quantile_ns(histogram, 0.5), value);
		}
	}
	histogram_clear(histogram);
	assert_int_equal(histogram_quantile_ns(histogram, 0.99), 0);
	assert_true(histogram_mean_ns(histogram) == 0);
	free(histogram);
}

static void adding_is_recording_both(void **state)
{
	struct histogram *parts[2] = {histogram_new(3), histogram_new(3)}, *all = histogram_new(3);

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		histogram_record(parts[i % 2], wide(i), 1);
		histogram_record(all, wide(i), 1);
	}
	histogram_add(parts[0], parts[1]);
	assert_int_equal(parts[0]->count, all->count);
	assert_int_equal(parts[0]->max_ns, all->max_ns);
	assert_memory_equal(parts[0]->cells, all->cells, all->nr_cells * sizeof(all->cells[0]));
	free(parts[0]);
	free(parts[1]);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_agree_with_sorted_values),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(borders),
		cmocka_unit_test(adding_is_recording_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
