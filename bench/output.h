/* SPDX-License-Identifier: MIT */
/* What a run amounts to, as JSON (docs/RECORD.md) and as text for a person. */
#ifndef BENCH_OUTPUT_H
#define BENCH_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "bench/workload.h"

struct outcome {
	const struct workload *workload;
	const struct option_set *options;
	const char *preset; /* NULL: none */
	int argc;
	char *const *argv; /* the arguments after the workload's name */
	int nr_threads;
	const int *cpus;
	int nr_cpus;
	uint64_t seed, footprint_bytes;
	uint64_t planned_memory_bytes; /* what sizes were adapted to */
	bool emulated_defaults;
	const char *server_program; /* NULL: none */
	uint64_t setup_ns, verify_ns;
	const struct roi *roi;
	struct metrics metrics;
	struct verification verification;
	json_t *series; /* NULL: none */
};

json_t *output_metrics(const struct metrics *metrics);
json_t *output_verification(const struct verification *verification);
json_t *output_work(const struct metrics *metrics);

/* The record's "workload" member; a new reference. */
json_t *output_workload(const struct outcome *outcome);

/* `--plan`; a new reference. */
json_t *output_plan(const struct outcome *outcome);

/* `--json`: workload, phases, runtime, metrics, verification; a new reference. */
json_t *output_record(const struct outcome *outcome);

void output_print_json(FILE *file, json_t *object); /* takes the reference */
void output_print_summary(FILE *file, const struct outcome *outcome);

#endif
