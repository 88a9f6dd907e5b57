/* SPDX-License-Identifier: MIT */
/* The driver: carries one workload from its options to its verified result. */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

/*
 * The whole program, `bench ARGUMENTS`; returns its exit status. Results go to stdout, talk to
 * stderr.
 */
int bench_main(int argc, char **argv);

#endif
