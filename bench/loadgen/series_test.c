// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "bench/loadgen/series.h"

static int64_t at(const json_t *series, const char *column, size_t second)
{
	const json_t *latency = json_object_get(series, "latency_us");
	const json_t *array =
		column ? json_object_get(latency, column) : json_object_get(series, "operations");

	return json_integer_value(json_array_get(array, second));
}

/* Two threads, of which one is ahead; a second in which one of them has finished nothing. */
static void seconds_of_all_threads(void **state)
{
	struct histogram *histogram = histogram_new(SERIES_DIGITS);
	struct series series;
	json_t *json;

	(void)state;
	assert_int_equal(series_open(&series, 2), 0);
	histogram_record(histogram, 1000000, 90);
	assert_int_equal(series_leave(&series, 0, 0, 1, histogram), 0);
	assert_int_equal(series.nr_complete, 0);
	assert_int_equal(series_leave(&series, 0, 1, 3, histogram), 0);
	histogram_clear(histogram);
	histogram_record(histogram, 9000000, 10);
	assert_int_equal(series_leave(&series, 1, 0, 2, histogram), 0);
	assert_int_equal(series.nr_complete, 2);
	assert_int_equal(series_leave(&series, 1, 2, UINT64_MAX, histogram), 0);
	histogram_clear(histogram);
	assert_int_equal(series_leave(&series, 0, 3, UINT64_MAX, histogram), 0);
	json = series_to_json(&series);
	assert_int_equal(json_array_size(json_object_get(json, "operations")), 4);
	assert_int_equal(at(json, NULL, 0), 100);
	assert_int_equal(at(json, NULL, 1), 90);
	assert_int_equal(at(json, NULL, 2), 10);
	assert_int_equal(at(json, NULL, 3), 0);
	assert_in_range(at(json, "p50", 0), 1000, 1010);
	assert_in_range(at(json, "p90", 0), 1000, 1010);
	assert_in_range(at(json, "p99", 0), 8990, 9090);
	assert_int_equal(at(json, "max", 0), 9000);
	assert_in_range(at(json, "p99", 1), 1000, 1010);
	json_decref(json);
	series_close(&series);
	free(histogram);
}

/* A run that ended early leaves nothing behind. */
static void closed_half_way(void **state)
{
	struct histogram *histogram = histogram_new(SERIES_DIGITS);
	struct series series;

	(void)state;
	assert_int_equal(series_open(&series, 2), 0);
	histogram_record(histogram, 5, 1);
	assert_int_equal(series_leave(&series, 0, 500, 501, histogram), 0);
	series_close(&series);
	series_close(&series);
	free(histogram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seconds_of_all_threads),
		cmocka_unit_test(closed_half_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
