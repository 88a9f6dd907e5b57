/* SPDX-License-Identifier: MIT */
/*
 * The pseudo-random sequence of the HPC Challenge RandomAccess benchmark
 * (icl.utk.edu/projectsfiles/hpcc/RandomAccess): r(0) = 1, and each step multiplies by x in
 * GF(2)[x] modulo x^64 + x^2 + x + 1, so r(k) is the polynomial x^k and one can jump to any k.
 */
#ifndef BENCH_HPCC_STREAM_H
#define BENCH_HPCC_STREAM_H

#include <stdint.h>

#define HPCC_STREAM_POLYNOMIAL UINT64_C(7)
#define HPCC_STREAM_PERIOD     UINT64_C(1317624576693539401)

static inline uint64_t hpcc_stream_next(uint64_t r)
{
	return (r << 1) ^ (-(r >> 63) & HPCC_STREAM_POLYNOMIAL);
}

/* r(k), for any k; the sequence repeats after HPCC_STREAM_PERIOD. */
uint64_t hpcc_stream_at(uint64_t k);

#endif
