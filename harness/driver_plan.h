/* SPDX-License-Identifier: MIT */
/*
 * What the driver would do with some options: `bench WORKLOAD OPTIONS --plan`, asked before
 * anything is changed, so that a wrong option of a workload costs nothing.
 */
#ifndef HARNESS_DRIVER_PLAN_H
#define HARNESS_DRIVER_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "harness/run_options.h"
#include "harness/topology.h"

struct driver_plan {
	int sort;     /* free for the owner: what target it was made for */
	json_t *json; /* what the driver printed: workload, options, seed, threads, footprint, ...
		       */
	char *workload;
	char **arguments; /* for the driver, NULL-ended: --size 1G ... */
	int nr_arguments;
	int nr_given; /* the first of them: the user's; the rest settles what defaults depend on */
	uint64_t footprint_bytes;
	uint64_t published_footprint_bytes; /* 0: nothing was published for it */
};

/* What the default sizes of a workload are chosen for. */
struct driver_plan_target {
	bool emulated; /* the emulated machine, whose memory is small */
	bool one_node; /* a config that binds all data to one node: any of them must do */
	const struct topology *topology; /* of this machine; not used when emulated */
};

/*
 * ERR_USAGE with the driver's own words for an unknown workload or a wrong option. The default size
 * is settled once, so that every config of a comparison works on the same amount of memory.
 */
int driver_plan_make(struct driver_plan *plan, const char *workload,
		     const struct run_options *options, const struct driver_plan_target *target,
		     struct err *err);
void driver_plan_free(struct driver_plan *plan);

/* Fills in the record's "workload" as planned. */
void driver_plan_describe(const struct driver_plan *plan, json_t *record);

#endif
