/* SPDX-License-Identifier: MIT */
/* Which machine a config runs on: the rule of docs/CONFIGS.md, and what is known beforehand. */
#ifndef HARNESS_TARGET_H
#define HARNESS_TARGET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/paths.h"
#include "harness/placement.h"
#include "harness/topology.h"

struct target {
	bool emulated;
	char profile[PATHS_MAX]; /* emulated: a name or a path */
	char name[96];           /* "native", "emu:xeon-e7-4850v3-2s" */
	char why[160];           /* why this machine, in words */
};

/*
 * `machine` is the value of --machine, or NULL for the rule: a native or wide name runs here if
 * there are two memory nodes, else in the emulated machine, and so does a virtual name. ERR_USAGE
 * for a machine or profile that does not exist.
 */
int target_choose(struct target *target, const char *machine, const struct config *config,
		  const struct topology *here, struct err *err);

/*
 * The topology a placement is planned with: this machine's own, or what the profile describes (with
 * the SLIT's usual distances of 10 and 21; the guest resolves again on its own). ERR_USAGE for an
 * unknown profile.
 */
int target_topology(const struct target *target, const struct fs *root, struct topology *topology,
		    struct err *err);

/* What identifies the machine in a record, before a run: {"kind", "name", "scale"}. */
json_t *target_to_json(const struct target *target, double scale);

#endif
