/* SPDX-License-Identifier: MIT */
/*
 * Names of a netlist's elements to their numbers, filled by many threads at once. Names are kept as
 * 88 bits of two hashes: of a billion names two are taken for one with a probability of 2e-9.
 */
#ifndef BENCH_CANNEAL_NAMES_H
#define BENCH_CANNEAL_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct names {
	_Atomic uint64_t *slots; /* pairs */
	uint64_t nr_slots;
};

/* For so many names below 2^40. ERR_MACHINE when there is no memory. */
int names_init(struct names *names, uint64_t nr_names, struct err *err);
void names_fini(struct names *names);

/* False when the name is there already. */
bool names_add(struct names *names, const char *name, uint64_t length, uint64_t number);

/* UINT64_MAX: unknown. No name may be added meanwhile. */
uint64_t names_find(const struct names *names, const char *name, uint64_t length);

#endif
