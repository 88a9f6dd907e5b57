/* SPDX-License-Identifier: MIT */
/*
 * What there is to choose from, as JSON arrays of objects; `harness list` prints them as tables.
 * Each returns a new reference, or NULL with err set.
 */
#ifndef HARNESS_LIST_H
#define HARNESS_LIST_H

#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"
#include "harness/placement.h"

/* As `bench list --json` prints them: [{name, summary, published_footprint_bytes, ...}]. */
json_t *list_workloads(struct err *err);

/* [{name, family, meaning, published, baseline}] */
json_t *list_configs(struct err *err);

/*
 * [{name, provenance, nodes, memory_nodes, cpus, memory_bytes, summary, usable, reason}];
 * memory_bytes is null for an emulated machine: it is sized for the workload.
 */
json_t *list_machines(struct err *err);

/*
 * [{figure, title, configs, reference_values, reference_file}]; reference_values is the number of
 * published values that come with the suite, null if there are none.
 */
json_t *list_figures(struct err *err);

/* Whether the config is in that figure: ("Mitosis", "10a"). */
bool list_in_figure(const struct config *config, const char *paper, const char *figure);

#endif
