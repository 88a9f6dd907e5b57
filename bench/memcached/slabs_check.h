/* SPDX-License-Identifier: MIT */
/* The check of a store by a walk of its memory; shares no code with the store. */
#ifndef BENCH_MEMCACHED_SLABS_CHECK_H
#define BENCH_MEMCACHED_SLABS_CHECK_H

#include "bench/loadgen/values.h"
#include "bench/memcached/slabs.h"

struct slabs_expected {
	const struct values *values;
	uint64_t nr_keys;
	/* Whether a key may have that version. */
	bool (*may_have)(const void *context, uint64_t key, uint32_t version);
	const void *context;
};

struct slabs_verdict {
	uint64_t keys; /* that are right */
	uint64_t errors;
	char first[80]; /* what the first was */
};

/* Nobody may use the store meanwhile. Damaged pointers are not followed. */
void slabs_check(const struct slabs *slabs, const struct slabs_expected *expected,
		 struct slabs_verdict *verdict);

#endif
