/* SPDX-License-Identifier: MIT */
/*
 * Random numbers by position: the n-th number of a seed is computed from n, so that operation n
 * does the same whatever thread makes it. The mixer is the finalizer of splitmix64 (Steele, Lea,
 * Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
 */
#ifndef BENCH_LOADGEN_RANDOM_H
#define BENCH_LOADGEN_RANDOM_H

#include <stdint.h>

#define RANDOM_GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t random_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t random_at(uint64_t seed, uint64_t n)
{
	return random_mix(random_mix(seed) + n * RANDOM_GOLDEN);
}

/* Uniform in [0, 1). */
static inline double random_unit(uint64_t random)
{
	return (double)(random >> 11) * 0x1p-53;
}

/* Uniform in [0, n), by the high half of a product. */
static inline uint64_t random_below(uint64_t random, uint64_t n)
{
	return (uint64_t)((unsigned __int128)random * n >> 64);
}

#endif
