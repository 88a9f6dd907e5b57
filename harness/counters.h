/* SPDX-License-Identifier: MIT */
/*
 * Hardware and software counters of a run, through perf_event (event names and encodings by
 * libpfm4) or through PAPI. Absent counters are absent by name, never 0; multiplexed counts keep
 * the times they were enabled and running, so that the scaling can be judged.
 */
#ifndef HARNESS_COUNTERS_H
#define HARNESS_COUNTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/err.h"
#include "harness/topology.h"

enum counters_backend { COUNTERS_AUTO, COUNTERS_PERF_EVENT, COUNTERS_PAPI, COUNTERS_NONE };

struct counters_options {
	enum counters_backend backend;
	const char *events; /* NULL: the default groups of this CPU; else a comma-separated list */
};

struct counters;

/*
 * Opens counters on every thread of the processes and on those they will create. Falls back to
 * software events where the machine has no hardware counters (counters_note() says so). ERR_USAGE
 * for an unknown event or back end, ERR_MACHINE when not even software events may be counted.
 */
int counters_open(struct counters **counters, const struct counters_options *options,
		  const struct topology *topology, const pid_t *pids, int nr_pids, struct err *err);
int counters_start(struct counters *counters, struct err *err);
int counters_stop(struct counters *counters, struct err *err);
void counters_close(struct counters *counters);

/* One sentence on what could not be counted and why; NULL when all was counted. */
const char *counters_note(const struct counters *counters);

/*
 * The record's "counters" object: {source, note, events: [{name, event, value|null, unit, scope,
 * time_enabled_ns, time_running_ns, reason}], derived: [{name, value|null, unit, formula}]}.
 */
json_t *counters_to_json(const struct counters *counters);

/* `harness run --counters list`: what this CPU has, by group, with the formula of each ratio. */
int counters_list(FILE *out, const struct topology *topology, struct err *err);

#endif
