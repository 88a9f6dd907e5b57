/* SPDX-License-Identifier: MIT */
/*
 * The results directory: one directory per run, and what earlier runs left in it.
 */
#ifndef HARNESS_RESULTS_H
#define HARNESS_RESULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/paths.h"

#define RESULTS_ID_MAX 160

/*
 * Makes <results>/<UTC time>-<workload>-<config>-r<k>[-n]/, where n makes the name unique among
 * runs side by side, and proves that it can be written. ERR_MACHINE when the disk is full or
 * read-only.
 */
int results_create(const char *results, const char *workload, const char *config, int64_t repeat,
		   char directory[PATHS_MAX], char id[RESULTS_ID_MAX], struct err *err);

/* Makes (or takes) `directory` itself and proves that it can be written. */
int results_use(const char *directory, struct err *err);

/* All readable records below a results directory; an array, empty if there is none. */
json_t *results_scan(const char *results);

/*
 * What makes two runs the same: workload with its options and seed, config, machine and repetition.
 * The records of two runs with equal identities can stand for each other. `with_scale`: the scale
 * of the emulated machine counts too, which otherwise follows from the footprint. A new reference.
 */
json_t *results_identity(const json_t *record, bool with_scale);

/* Directory name ("id") of a successful record with that identity, or NULL; borrowed. */
const char *results_find(const json_t *records, const json_t *identity, bool with_scale);

/* Mean wall time of earlier runs like that one, whatever the repetition; 0 if there are none. */
uint64_t results_estimate_ns(const json_t *records, const json_t *identity, bool with_scale);

#endif
