/* SPDX-License-Identifier: MIT */
/* Lists of CPUs and nodes as the kernel writes them: "0-3,8". */
#ifndef BENCH_NUMBERS_H
#define BENCH_NUMBERS_H

#include <stdint.h>

#include "common/err.h"

/* Ascending numbers below `limit` without repeats; returns how many, or -1 with ERR_USAGE. */
int numbers_parse(const char *text, const char *what, int limit, int *values, int max,
		  struct err *err);

/* A mask of node numbers below 64. */
int numbers_parse_mask(const char *text, const char *what, uint64_t *mask, struct err *err);

#endif
