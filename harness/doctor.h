/* SPDX-License-Identifier: MIT */
/* `harness doctor`: what this machine can do for the suite, and how to make it better. */
#ifndef HARNESS_DOCTOR_H
#define HARNESS_DOCTOR_H

/* Reads only. The exit status: 0 if anything can be run here, 3 if nothing, 2 for wrong options. */
int doctor_command(int argc, char **argv);

#endif
