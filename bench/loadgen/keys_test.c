// SPDX-License-Identifier: MIT
/* Distributions by chi-square against the probabilities that they claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loadgen/keys.h"

#define DRAWS 400000

/* Above the 99.99% point of the distribution with so many degrees of freedom (Wilson, Hilferty,
 * 1931). The draws are the same in every run, so this does not fail by chance. */
static double critical(int freedom)
{
	const double ninth = 2.0 / (9.0 * freedom);

	return freedom * pow(1 - ninth + 3.719 * sqrt(ninth), 3);
}

/* Cells with fewer than ten expected draws are taken together. */
static void check_chi_square(const uint64_t *counts, const double *expected, int n)
{
	double chi = 0, rest_expected = 0, rest = 0;
	int cells = 0;

	for (int i = 0; i < n; i++) {
		rest_expected += expected[i];
		rest += (double)counts[i];
		if (rest_expected < 10)
			continue;
		chi += (rest - rest_expected) * (rest - rest_expected) / rest_expected;
		cells++;
		rest = rest_expected = 0;
	}
	if (chi > critical(cells - 1))
		fail_msg("chi-square %g with %d cells", chi, cells);
	assert_true(cells > 3);
}

static void check_zipf(uint64_t n, double exponent)
{
	uint64_t *counts = calloc(n, sizeof(*counts));
	double *expected = calloc(n, sizeof(*expected)), sum = 0;
	struct zipf zipf;

	for (uint64_t k = 0; k < n; k++)
		sum += pow((double)(k + 1), -exponent);
	for (uint64_t k = 0; k < n; k++)
		expected[k] = DRAWS * pow((double)(k + 1), -exponent) / sum;
	zipf_init(&zipf, n, exponent);
	for (uint64_t i = 0; i < DRAWS; i++) {
		const uint64_t k = zipf_draw(&zipf, 42, i);

		assert_in_range(k, 1, n);
		counts[k - 1]++;
	}
	check_chi_square(counts, expected, (int)n);
	free(counts);
	free(expected);
}

static void zipf_has_its_frequencies(void **state)
{
	(void)state;
	check_zipf(10, 0.99);
	check_zipf(1000, 0.99);
	check_zipf(100000, 0.99);
	check_zipf(1000, 1);
	check_zipf(1000, 0.5);
	check_zipf(100, 2.5);
}

/* Where no sum can be made: how often the first is drawn follows from the integral. */
static void zipf_of_many_keys(void **state)
{
	const uint64_t n = UINT64_C(1) << 40;
	/* zeta(n, s) by Euler and Maclaurin from 1000 on. */
	const double s = 0.99;
	double zeta = 0;
	uint64_t first = 0;
	struct zipf zipf;

	(void)state;
	for (int k = 1; k < 1000; k++)
		zeta += pow(k, -s);
	zeta += (pow((double)n, 1 - s) - pow(1000, 1 - s)) / (1 - s) + 0.5 * pow(1000, -s);
	zipf_init(&zipf, n, s);
	for (uint64_t i = 0; i < DRAWS; i++)
		first += zipf_draw(&zipf, 7, i) == 1;
	assert_true(fabs((double)first - DRAWS / zeta) < 5 * sqrt(DRAWS / zeta));
}

static void uniform_is_uniform(void **state)
{
	enum { N = 1000 };
	static uint64_t counts[N];
	static double expected[N];
	struct keys keys;

	(void)state;
	keys_init(&keys, KEYS_UNIFORM, N, 0, 3);
	for (uint64_t i = 0; i < DRAWS; i++)
		counts[keys_choose(&keys, i, 0)]++;
	for (int i = 0; i < N; i++)
		expected[i] = (double)DRAWS / N;
	check_chi_square(counts, expected, N);
}

/* One to one for sizes at and beside powers of two. */
static void scatter_is_a_permutation(void **state)
{
	static const uint64_t sizes[] = {1, 2, 3, 7, 8, 9, 1000, 4096, 65537};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned char *seen = calloc(1, sizes[i]);
		uint64_t in_place = 0;
		struct keys keys;

		keys_init(&keys, KEYS_ZIPF, sizes[i], 0.99, 1);
		for (uint64_t k = 0; k < sizes[i]; k++) {
			const uint64_t to = keys_scatter(&keys, k);

			assert_true(to < sizes[i]);
			assert_int_equal(seen[to]++, 0);
			in_place += to == k;
		}
		if (sizes[i] >= 1000)
			assert_true(in_place < sizes[i] / 100);
		free(seen);
	}
}

static void zipf_keys_are_skewed_and_spread(void **state)
{
	enum { N = 1 << 16 };
	uint64_t *counts = calloc(N, sizeof(*counts)), halves[2] = {0}, most = 0;
	struct keys keys;

	(void)state;
	keys_init(&keys, KEYS_ZIPF, N, 0.99, 9);
	for (uint64_t i = 0; i < DRAWS; i++) {
		const uint64_t key = keys_choose(&keys, i, 0);

		counts[key]++;
		halves[key >= N / 2]++;
	}
	for (int i = 0; i < N; i++)
		most = counts[i] > most ? counts[i] : most;
	/* The first rank has 1/zeta(65536, 0.99) = 8.1% of the draws, wherever it has gone. */
	assert_in_range(most, DRAWS * 78 / 1000, DRAWS * 84 / 1000);
	assert_true(halves[0] > DRAWS / 5 && halves[1] > DRAWS / 5);
	free(counts);
}

static void latest_follows_the_newest(void **state)
{
	uint64_t near = 0;
	struct keys keys;

	(void)state;
	keys_init(&keys, KEYS_LATEST, 10000, 0.99, 5);
	for (uint64_t i = 0; i < 10000; i++) {
		const uint64_t newest = i * 37 % 10000, key = keys_choose(&keys, i, newest);

		assert_true(key < 10000);
		near += (newest + 10000 - key) % 10000 < 100;
	}
	/* The first hundred ranks: zeta(100) / zeta(10000) = 0.53. */
	assert_in_range(near, 5000, 5700);
}

static void sequential_goes_round(void **state)
{
	struct keys keys;

	(void)state;
	keys_init(&keys, KEYS_SEQUENTIAL, 3, 0, 1);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(keys_choose(&keys, i, 0), i % 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zipf_has_its_frequencies),
		cmocka_unit_test(zipf_of_many_keys),
		cmocka_unit_test(uniform_is_uniform),
		cmocka_unit_test(scatter_is_a_permutation),
		cmocka_unit_test(zipf_keys_are_skewed_and_spread),
		cmocka_unit_test(latest_follows_the_newest),
		cmocka_unit_test(sequential_goes_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
