/* SPDX-License-Identifier: MIT */
/* The generator of XSBench for building and looking up: x <- (a x + 1) mod 2^63. */
#ifndef BENCH_XSBENCH_RANDOM_H
#define BENCH_XSBENCH_RANDOM_H

#include "bench/xsbench/xsbench.h"

/* Some number of steps at once: x <- a x + c. */
struct xs_jump {
	uint64_t a, c;
};

static inline uint64_t xs_apply(struct xs_jump jump, uint64_t state)
{
	return (jump.a * state + jump.c) & XS_STATE_MASK;
}

static inline uint64_t xs_step(uint64_t state)
{
	return (XS_MULTIPLIER * state + 1) & XS_STATE_MASK;
}

static inline struct xs_jump xs_jump_by(uint64_t steps)
{
	struct xs_jump power = {XS_MULTIPLIER, 1}, jump = {1, 0};

	for (; steps > 0; steps >>= 1) {
		if (steps & 1)
			jump = (struct xs_jump){jump.a * power.a, power.a * jump.c + power.c};
		power = (struct xs_jump){power.a * power.a, power.a * power.c + power.c};
	}
	return jump;
}

/* 0 to 1. */
static inline double xs_real(uint64_t state)
{
	return (double)(int64_t)state * 0x1p-63;
}

/* The state with which a sequence begins for a seed. */
static inline uint64_t xs_start(uint64_t start, uint64_t seed)
{
	return xs_apply(xs_jump_by((seed - 1) * XS_STEPS_PER_SEED), start);
}

#endif
