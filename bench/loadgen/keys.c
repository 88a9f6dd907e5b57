// SPDX-License-Identifier: MIT
#include "bench/loadgen/keys.h"

#include <math.h>

#include "bench/loadgen/random.h"

/* --- Zipf ----------------------------------------------------------------------------------- */

/*
 * Rejection-inversion: W. Hormann, G. Derflinger, "Rejection-inversion to generate variates from
 * monotone discrete distributions", ACM TOMACS 6(3), 1996. No table and no sum over the keys, exact
 * for any number of them. h(x) = x^-s; H is its integral from 1.
 */
static double density(const struct zipf *zipf, double x)
{
	return exp(-zipf->exponent * log(x));
}

/* (x^(1-s) - 1) / (1-s), which is log x for s = 1. */
static double integral(const struct zipf *zipf, double x)
{
	const double power = 1 - zipf->exponent, l = log(x);

	return fabs(power) < 1e-9 ? l : expm1(power * l) / power;
}

static double inverse_integral(const struct zipf *zipf, double y)
{
	const double power = 1 - zipf->exponent;

	return fabs(power) < 1e-9 ? exp(y) : exp(log1p(power * y) / power);
}

void zipf_init(struct zipf *zipf, uint64_t n, double exponent)
{
	*zipf = (struct zipf){.n = n, .exponent = exponent};
	zipf->h_first = integral(zipf, 1.5) - 1;
	zipf->h_last = integral(zipf, (double)n + 0.5);
	zipf->accept = 2 - inverse_integral(zipf, integral(zipf, 2.5) - density(zipf, 2));
}

uint64_t zipf_draw(const struct zipf *zipf, uint64_t seed, uint64_t at)
{
	uint64_t random = random_at(seed, at);

	for (;;) {
		const double u =
			zipf->h_last + random_unit(random) * (zipf->h_first - zipf->h_last);
		const double x = inverse_integral(zipf, u);
		double k = floor(x + 0.5);

		k = k < 1 ? 1 : k;
		k = k > (double)zipf->n ? (double)zipf->n : k;
		if (k - x <= zipf->accept || u >= integral(zipf, k + 0.5) - density(zipf, k))
			return (uint64_t)k;
		random = random_mix(random + RANDOM_GOLDEN);
	}
}

/* --- keys ----------------------------------------------------------------------------------- */

void keys_init(struct keys *keys, enum keys_kind kind, uint64_t nr_keys, double exponent,
	       uint64_t seed)
{
	*keys = (struct keys){.kind = kind, .nr_keys = nr_keys, .seed = seed};
	while (keys->bits < 63 && UINT64_C(1) << keys->bits < nr_keys)
		keys->bits++;
	if (kind == KEYS_ZIPF || kind == KEYS_LATEST)
		zipf_init(&keys->zipf, nr_keys, exponent);
}

/*
 * Each step (multiply by an odd number, add, fold the upper half in) can be undone modulo 2^bits; a
 * result that is no key goes round again.
 */
uint64_t keys_scatter(const struct keys *keys, uint64_t number)
{
	const uint64_t mask = (UINT64_C(1) << keys->bits) - 1;
	const unsigned half = keys->bits / 2 + 1;

	do {
		for (int round = 0; round < 3; round++) {
			number = (number * UINT64_C(0xd1342543de82ef95) + 0x632be5ab) & mask;
			number ^= number >> half;
		}
	} while (number >= keys->nr_keys);
	return number;
}

uint64_t keys_choose(const struct keys *keys, uint64_t n, uint64_t newest)
{
	uint64_t distance;

	switch (keys->kind) {
	case KEYS_UNIFORM:
		return random_below(random_at(keys->seed, n), keys->nr_keys);
	case KEYS_ZIPF:
		return keys_scatter(keys, zipf_draw(&keys->zipf, keys->seed, n) - 1);
	case KEYS_LATEST:
		distance = zipf_draw(&keys->zipf, keys->seed, n) - 1;
		return newest >= distance ? newest - distance : newest + keys->nr_keys - distance;
	case KEYS_SEQUENTIAL:
		break;
	}
	return n % keys->nr_keys;
}
