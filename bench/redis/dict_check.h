/* SPDX-License-Identifier: MIT */
/* The check of a store by a walk of its memory; shares no code with the store. */
#ifndef BENCH_REDIS_DICT_CHECK_H
#define BENCH_REDIS_DICT_CHECK_H

#include "bench/loadgen/values.h"
#include "bench/redis/dict.h"

/* Keys first, first + step, ...: the k-th has version versions[k]. */
struct dict_expected {
	const uint32_t *versions;
	uint64_t nr_keys, step, first;
	const struct values *values;
	const struct dict_memory *memory;
};

struct dict_verdict {
	uint64_t keys; /* that are right */
	uint64_t errors;
	char first[80]; /* what the first was */
};

/* Damaged pointers are not followed. */
void dict_check(const struct dict *dict, const struct dict_expected *expected,
		struct dict_verdict *verdict);

#endif
