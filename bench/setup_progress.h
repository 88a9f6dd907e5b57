/* SPDX-License-Identifier: MIT */
/* A job of the team during setup, with its progress reported by the thread that waits for it. */
#ifndef BENCH_SETUP_PROGRESS_H
#define BENCH_SETUP_PROGRESS_H

#include "bench/workload.h"

/*
 * team_run() of a job that counts what it has done in `*done` until it reaches `total`. The job's
 * progress is reported as the part from `from` to `to` (0 to 1) of the whole setup.
 */
void setup_run(struct workload_run *run, team_fn *fn, void *context, const _Atomic uint64_t *done,
	       uint64_t total, double from, double to);

#endif
