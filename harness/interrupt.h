/* SPDX-License-Identifier: MIT */
/*
 * The one signal flag: SIGINT, SIGTERM and SIGHUP ask a run to stop and put everything back.
 *
 * The handler only notes the signal and is installed without SA_RESTART, so that a blocking call
 * returns with EINTR. A signal may still arrive between the look at the flag and the call: code
 * that waits does so for at most INTERRUPT_SLICE_MS at a time and looks again.
 */
#ifndef HARNESS_INTERRUPT_H
#define HARNESS_INTERRUPT_H

#include <signal.h>

#define INTERRUPT_SLICE_MS 100

/* 0, or the number of the first signal that came. Never reset. */
extern volatile sig_atomic_t interrupt_signal;

/*
 * Call once, early in main(). SIGHUP stays ignored where it is (nohup); SIGINT does not, which
 * shells ignore for everything that a script puts into the background.
 */
void interrupt_install(void);

#endif
