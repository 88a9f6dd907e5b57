/* SPDX-License-Identifier: MIT */
/*
 * The interference load of the papers: STREAM on every CPU of the contended nodes, on memory of the
 * same node. Unlike the published scripts, the load is awaited until it runs, is never put on CPUs
 * of the workload, is watched while the workload runs, and tells the bandwidth it took.
 */
#ifndef HARNESS_INTERFERENCE_H
#define HARNESS_INTERFERENCE_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"
#include "harness/deadline.h"
#include "harness/topology.h"

struct interference;

struct interference_spec {
	uint64_t nodes;       /* mask */
	const int *busy_cpus; /* of the workload */
	int nr_busy_cpus;
	const char *log_directory; /* interference-nodeN.log go here */
	struct deadline deadline;
};

/* Starts the loads and waits until each runs on all its CPUs. ERR_MACHINE: a node without a CPU
 * to spare. */
int interference_start(struct interference **interference, const struct interference_spec *spec,
		       const struct topology *topology, struct err *err);

/* 0 while all loads are alive; ERR_RUN names the one that has died, or fell silent. */
int interference_check(struct interference *interference, struct err *err);

/* Ends the loads in order and collects what they achieved; the record's "interference" array. */
json_t *interference_stop(struct interference *interference, struct err *err);

/* Kills what still runs; accepts NULL. */
void interference_close(struct interference *interference);

#endif
