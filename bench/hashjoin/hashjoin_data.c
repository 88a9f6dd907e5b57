// SPDX-License-Identifier: MIT
/* The relations. A tuple follows from its number and the seed alone. */
#include <math.h>

#include "bench/hashjoin/hashjoin.h"

/* A bijection that scatters (the finaliser of SplitMix64; Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t below(uint64_t uniform, uint64_t limit)
{
	return (uint64_t)((unsigned __int128)uniform * limit >> 64);
}

/* Keys are images of consecutive numbers from 1 on, so that none is 0 and no two are equal. */
static uint64_t key_at(const struct hj_data *data, uint64_t number)
{
	return mix(1 + (mix(data->seed) >> 2) + number);
}

void hj_fill_build(const struct hj_data *data, struct hj_tuple *tuples, uint64_t begin,
		   uint64_t end)
{
	for (uint64_t i = begin; i < end; i++) {
		tuples[i].key = key_at(data, i);
		tuples[i].payload = mix(tuples[i].key ^ data->seed);
	}
}

/* --- Zipf --------------------------------------------------------------------------------------
 */

/*
 * Numbers 1 to n with probability proportional to k^-s by rejection-inversion: W. Hoermann,
 * G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
 * ACM TOMACS 6(3), 1996. Needs no table and few draws.
 */
struct zipf {
	double exponent, count, first, last, shortcut;
};

static double density(const struct zipf *zipf, double x)
{
	return exp(-zipf->exponent * log(x));
}

/* Integral of the density from 1 to x, also for an exponent of 1. */
static double integral(const struct zipf *zipf, double x)
{
	const double power = (1 - zipf->exponent) * log(x);

	return fabs(power) > 1e-8 ? expm1(power) / (1 - zipf->exponent) : log(x) * (1 + power / 2);
}

static double integral_inverse(const struct zipf *zipf, double y)
{
	const double power = y * (1 - zipf->exponent);

	return exp(fabs(power) > 1e-8 ? log1p(power) / (1 - zipf->exponent) : y * (1 - power / 2));
}

static struct zipf zipf_init(double exponent, uint64_t count)
{
	struct zipf zipf = {.exponent = exponent, .count = (double)count};

	zipf.first = integral(&zipf, 1.5) - 1;
	zipf.last = integral(&zipf, zipf.count + 0.5);
	zipf.shortcut = 2 - integral_inverse(&zipf, integral(&zipf, 2.5) - density(&zipf, 2));
	return zipf;
}

static uint64_t zipf_draw(const struct zipf *zipf, uint64_t state)
{
	for (;;) {
		const double part = (double)(mix(state++) >> 11) * 0x1p-53;
		const double u = zipf->last + part * (zipf->first - zipf->last);
		const double x = integral_inverse(zipf, u);
		double k = floor(x + 0.5);

		k = k < 1 ? 1 : k > zipf->count ? zipf->count : k;
		if (k - x <= zipf->shortcut || u >= integral(zipf, k + 0.5) - density(zipf, k))
			return (uint64_t)k;
	}
}

/* ------------------------------------------------------------------------------------------------
 */

void hj_fill_probe(const struct hj_data *data, struct hj_tuple *tuples, uint64_t begin,
		   uint64_t end)
{
	const uint64_t salt = mix(~data->seed);
	const struct zipf zipf = zipf_init(data->zipf > 0 ? data->zipf : 1, data->nr_build);

	for (uint64_t i = begin; i < end; i++) {
		const uint64_t number = mix(salt + i), chance = mix(number ^ 0x5bd1e995);
		uint64_t partner = data->zipf > 0 ? zipf_draw(&zipf, number) - 1
						  : below(number, data->nr_build);

		/* Keys of numbers from nr_build on have no partner. */
		if (below(chance, 100) >= data->match_percent)
			partner += data->nr_build;
		tuples[i].key = key_at(data, partner);
		tuples[i].payload = chance;
	}
}
