// SPDX-License-Identifier: MIT
#include "bench/setup_progress.h"

#include <poll.h>

#define REPORT_MS 500

void setup_run(struct workload_run *run, team_fn *fn, void *context, const _Atomic uint64_t *done,
	       uint64_t total, double from, double to)
{
	struct pollfd finished = {.fd = team_fd(run->team), .events = POLLIN};

	team_start(run->team, fn, context);
	while (poll(&finished, 1, REPORT_MS) <= 0) {
		const double part = (double)atomic_load(done) / (double)total;

		run->progress(run, from + (to - from) * (part < 1 ? part : 1));
	}
	team_wait(run->team);
	run->progress(run, to);
}
