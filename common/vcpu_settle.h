/* SPDX-License-Identifier: MIT */
#ifndef COMMON_VCPU_SETTLE_H
#define COMMON_VCPU_SETTLE_H

/*
 * Called in the emulated machine right before the end of a region in which another process than the
 * caller has run (and does not run now).
 *
 * Up to 7.2, QEMU remembers per CPU the callbacks of the last instruction that reads memory and
 * calls one of QEMU's helpers (a vector instruction that faulted, an indirect jump through memory),
 * and follows that pointer after the code has been dropped, which the model does at the end of a
 * region. A vector instruction that comes to its end makes it forget. So on every CPU there is one,
 * with nothing but the system call behind it that leaves the CPU. The few nanoseconds more do not
 * count.
 */
void vcpu_settle(void);

#endif
