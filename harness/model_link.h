/* SPDX-License-Identifier: MIT */
/*
 * The harness inside the emulated machine: what the environment says about the model, and how the
 * model's answer becomes the record's counters.
 */
#ifndef HARNESS_MODEL_LINK_H
#define HARNESS_MODEL_LINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "emulator/roi.h"
#include "harness/placement.h"
#include "harness/topology.h"

/* The object of EMULATOR_ENV, or NULL on real hardware; a new reference. ERR_INTERNAL when it is
 * set but no JSON object. */
int model_link_environment(json_t **environment, struct err *err);

/* Tells the host what the run does now (docs/EMULATOR.md); `environment` may be NULL. */
void model_link_progress(const json_t *environment, const char *phase, double done);

/* The "model" member of `go` for a process whose root table is at `root_address`. */
json_t *model_link_request(const struct placement *placement, const struct topology *topology,
			   uint64_t root_address, int levels, const json_t *cpus);

/* The record's "counters" from the "model" member of roi_end. */
json_t *model_link_counters(const json_t *model);

#endif
