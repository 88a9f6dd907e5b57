// SPDX-License-Identifier: MIT
#include "harness/deadline.h"

#include <string.h>
#include <time.h>

#include "harness/interrupt.h"

uint64_t deadline_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct deadline deadline_after(uint64_t timeout_ns)
{
	return (struct deadline){
		.at_ns = deadline_now_ns() + timeout_ns,
		.timeout_ns = timeout_ns,
	};
}

int deadline_left_ms(const struct deadline *deadline, int slice_ms)
{
	const uint64_t now_ns = deadline_now_ns();
	uint64_t left_ms;

	if (now_ns >= deadline->at_ns)
		return 0;
	left_ms = (deadline->at_ns - now_ns) / 1000000 + 1;
	return left_ms < (uint64_t)slice_ms ? (int)left_ms : slice_ms;
}

int deadline_check_interrupt(struct err *err)
{
	const int number = interrupt_signal;

	if (number == 0)
		return 0;
	return err_set(err, ERR_INTERRUPTED, "interrupted by SIG%s", sigabbrev_np(number));
}
