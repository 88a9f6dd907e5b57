/* SPDX-License-Identifier: MIT */
/*
 * What the guest's init does before the job: file systems, host name, loopback, the result port.
 */
#ifndef EMULATOR_GUEST_SETUP_H
#define EMULATOR_GUEST_SETUP_H

#include "common/err.h"

#define GUEST_RESULT_DIRECTORY "/result"
#define GUEST_HOST_NAME        "emulated"

int guest_setup(struct err *err);

/* The descriptor of the virtio-serial port FRAME_PORT; waits for the driver to find it. */
int guest_open_port(struct err *err);

#endif
