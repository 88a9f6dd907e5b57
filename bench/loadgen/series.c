// SPDX-License-Identifier: MIT
#include "bench/loadgen/series.h"

#include <stddef.h>

#include <stdlib.h>
#include <string.h>

int series_open(struct series *series, int nr_threads)
{
	*series = (struct series){.nr_threads = nr_threads};
	pthread_mutex_init(&series->lock, NULL);
	series->reached = calloc((size_t)nr_threads, sizeof(series->reached[0]));
	return series->reached ? 0 : -1;
}

void series_close(struct series *series)
{
	for (uint64_t i = series->nr_complete; i < series->nr_seconds; i++)
		free(series->seconds[i].histogram);
	if (series->reached)
		pthread_mutex_destroy(&series->lock);
	free(series->seconds);
	free(series->reached);
	*series = (struct series){0};
}

static int grow(struct series *series, uint64_t second)
{
	if (second >= series->size) {
		const uint64_t size = second * 2 + 64;
		struct series_second *larger =
			realloc(series->seconds, size * sizeof(series->seconds[0]));

		if (!larger)
			return -1;
		memset(larger + series->size, 0, (size - series->size) * sizeof(larger[0]));
		series->seconds = larger;
		series->size = size;
	}
	if (second >= series->nr_seconds)
		series->nr_seconds = second + 1;
	return 0;
}

static uint32_t us(const struct histogram *histogram, double quantile)
{
	return (uint32_t)((histogram_quantile_ns(histogram, quantile) + 500) / 1000);
}

static void complete(struct series_second *second)
{
	const struct histogram *histogram = second->histogram;

	if (!histogram)
		return;
	second->operations = histogram->count;
	second->p50_us = us(histogram, 0.5);
	second->p90_us = us(histogram, 0.9);
	second->p99_us = us(histogram, 0.99);
	second->p999_us = us(histogram, 0.999);
	second->p9999_us = us(histogram, 0.9999);
	second->max_us = (uint32_t)((histogram->max_ns + 500) / 1000);
	free(second->histogram);
	second->histogram = NULL;
}

/* Under the lock. */
static int leave(struct series *series, uint64_t second, const struct histogram *histogram)
{
	struct series_second *into;

	if (grow(series, second) != 0)
		return -1;
	into = &series->seconds[second];
	if (!into->histogram)
		into->histogram = histogram_new(SERIES_DIGITS);
	if (!into->histogram)
		return -1;
	histogram_add(into->histogram, histogram);
	return 0;
}

static void complete_up_to(struct series *series, uint64_t second)
{
	while (series->nr_complete < second && series->nr_complete < series->nr_seconds)
		complete(&series->seconds[series->nr_complete++]);
}

int series_leave(struct series *series, int thread, uint64_t second, uint64_t next,
		 const struct histogram *histogram)
{
	uint64_t least = next;
	int failed;

	pthread_mutex_lock(&series->lock);
	failed = leave(series, second, histogram);
	series->reached[thread] = next;
	for (int i = 0; i < series->nr_threads; i++)
		least = series->reached[i] < least ? series->reached[i] : least;
	complete_up_to(series, least);
	pthread_mutex_unlock(&series->lock);
	return failed;
}

static json_t *column(const struct series *series, size_t offset)
{
	json_t *array = json_array();

	for (uint64_t i = 0; i < series->nr_seconds; i++) {
		uint32_t value;

		memcpy(&value, (const char *)&series->seconds[i] + offset, sizeof(value));
		json_array_append_new(array, json_integer(value));
	}
	return array;
}

json_t *series_to_json(struct series *series)
{
	static const struct {
		const char *name;
		size_t offset;
	} columns[] = {
		{"p50", offsetof(struct series_second, p50_us)},
		{"p90", offsetof(struct series_second, p90_us)},
		{"p99", offsetof(struct series_second, p99_us)},
		{"p99.9", offsetof(struct series_second, p999_us)},
		{"p99.99", offsetof(struct series_second, p9999_us)},
		{"max", offsetof(struct series_second, max_us)},
	};
	json_t *operations = json_array(), *latency = json_object();

	complete_up_to(series, series->nr_seconds);
	for (uint64_t i = 0; i < series->nr_seconds; i++)
		json_array_append_new(operations,
				      json_integer((json_int_t)series->seconds[i].operations));
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		json_object_set_new(latency, columns[i].name, column(series, columns[i].offset));
	return json_pack("{s:I, s:o, s:o}", "interval_ns", (json_int_t)1000000000, "operations",
			 operations, "latency_us", latency);
}
