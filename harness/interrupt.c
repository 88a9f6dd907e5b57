// SPDX-License-Identifier: MIT
#include "harness/interrupt.h"

#include <stddef.h>

volatile sig_atomic_t interrupt_signal;

static void note_signal(int number)
{
	if (interrupt_signal == 0)
		interrupt_signal = number;
}

void interrupt_install(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = note_signal};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction old;

		if (signals[i] == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 &&
		    old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
	}
}
