/* SPDX-License-Identifier: MIT */
/*
 * Values are a function of key and version, so that every value that is read can be told right
 * from wrong without having been kept. A value says which key and version it is; the rest is filled
 * with what follows from these.
 */
#ifndef BENCH_LOADGEN_VALUES_H
#define BENCH_LOADGEN_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#define VALUE_BYTES_MIN UINT64_C(16)

#define VALUES_CHOICES "fixed|uniform|pareto"
enum values_kind {
	VALUES_FIXED,
	VALUES_UNIFORM, /* from the least to the given size */
	/* Generalized Pareto, scale 214.476 and shape 0.348, up to the given size: the value sizes
	 * of the ETC pool in Atikoglu et al., "Workload analysis of a large-scale key-value store",
	 * SIGMETRICS 2012. */
	VALUES_PARETO,
};

struct values {
	enum values_kind kind;
	uint64_t bytes; /* the size, or the largest */
	uint64_t seed;
};

/* The size of a key's value, whatever its version: an update does not change what is taken up. */
uint64_t values_bytes(const struct values *values, uint64_t key);

/* The mean of f(size) over the distribution, for estimates of memory. */
double values_mean(const struct values *values, double (*f)(uint64_t bytes, const void *context),
		   const void *context);

/* Writes the value; `bytes` at least VALUE_BYTES_MIN. */
void value_write(char *to, uint64_t bytes, uint64_t key, uint32_t version);

/* Whether it is a value of that key, whole and unharmed; then *version is its version. */
bool value_read(const char *from, uint64_t bytes, uint64_t key, uint32_t *version);

#endif
