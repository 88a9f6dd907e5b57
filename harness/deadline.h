/* SPDX-License-Identifier: MIT */
/* Time limits of a run, and the look at the signal flag that belongs to every wait. */
#ifndef HARNESS_DEADLINE_H
#define HARNESS_DEADLINE_H

#include <stdint.h>

#include "common/err.h"

struct deadline {
	uint64_t at_ns; /* by deadline_now_ns() */
	uint64_t timeout_ns;
};

/* CLOCK_MONOTONIC. */
uint64_t deadline_now_ns(void);

struct deadline deadline_after(uint64_t timeout_ns);

/* Milliseconds left, at most `slice_ms`; 0 when it has passed. */
int deadline_left_ms(const struct deadline *deadline, int slice_ms);

/* 0, or -1 and ERR_INTERRUPTED with the name of the signal that asked the run to stop. */
int deadline_check_interrupt(struct err *err);

#endif
