/* SPDX-License-Identifier: MIT */
/*
 * Which key an operation takes. Keys are the numbers below `nr_keys`; an operation's key follows
 * from the seed and the operation's number alone.
 */
#ifndef BENCH_LOADGEN_KEYS_H
#define BENCH_LOADGEN_KEYS_H

#include <stdint.h>

#define KEYS_CHOICES "uniform|zipf|latest|sequential"
enum keys_kind {
	KEYS_UNIFORM,
	KEYS_ZIPF,      /* rank r as often as r^-exponent; ranks are spread over the keys */
	KEYS_LATEST,    /* a zipf-distributed distance behind the newest key */
	KEYS_SEQUENTIAL /* one after the other */
};

/* Numbers 1 to n, k as often as k^-exponent (exponent > 0). */
struct zipf {
	uint64_t n;
	double exponent, h_first, h_last, accept;
};
void zipf_init(struct zipf *zipf, uint64_t n, double exponent);
/* Draws from the random numbers of `seed` at and behind position `at`. */
uint64_t zipf_draw(const struct zipf *zipf, uint64_t seed, uint64_t at);

struct keys {
	enum keys_kind kind;
	uint64_t nr_keys, seed;
	struct zipf zipf;
	unsigned bits; /* nr_keys <= 2^bits */
};
void keys_init(struct keys *keys, enum keys_kind kind, uint64_t nr_keys, double exponent,
	       uint64_t seed);

/* The key of operation `n`; `newest` is the key that was written last (KEYS_LATEST). */
uint64_t keys_choose(const struct keys *keys, uint64_t n, uint64_t newest);

/* A one-to-one map of the keys onto themselves that leaves no order. */
uint64_t keys_scatter(const struct keys *keys, uint64_t number);

#endif
