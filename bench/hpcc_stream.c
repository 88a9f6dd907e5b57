// SPDX-License-Identifier: MIT
#include "bench/hpcc_stream.h"

/* The product of two polynomials, modulo the stream's. */
static uint64_t multiply(uint64_t a, uint64_t b)
{
	uint64_t product = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			product ^= a;
		a = hpcc_stream_next(a);
	}
	return product;
}

uint64_t hpcc_stream_at(uint64_t k)
{
	uint64_t power = 2, result = 1; /* x and 1 */

	for (k %= HPCC_STREAM_PERIOD; k; k >>= 1) {
		if (k & 1)
			result = multiply(result, power);
		power = multiply(power, power);
	}
	return result;
}
