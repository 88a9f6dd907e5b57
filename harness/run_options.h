/* SPDX-License-Identifier: MIT */
/*
 * The command lines of `harness run` and `harness exec`: one table of options (which is also their
 * help). What `run` does not know is the workload's and goes to the driver unchanged.
 */
#ifndef HARNESS_RUN_OPTIONS_H
#define HARNESS_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

#define RUN_LIST_MAX 64

enum run_command { RUN_COMMAND_RUN = 1, RUN_COMMAND_EXEC = 2 };

struct run_options {
	char *workloads[RUN_LIST_MAX + 1]; /* NULL-ended; run only */
	char *configs[RUN_LIST_MAX + 1];
	const char *machine; /* NULL: chosen by the rule in docs/CONFIGS.md */
	const char *kernel;
	const char *results;
	const char *into; /* the record's directory itself; for one single run */
	const char *counters;
	const char *ready_when; /* exec */
	uint64_t timeout_ns;
	uint64_t memory_bytes; /* exec in the emulated machine: what the program needs */
	uint64_t seed;
	double scale;
	int64_t repeat, threads, jobs;   /* threads 0: not given */
	int64_t local_node, remote_node; /* -1: not given */
	bool have_seed, json, explain, strict, resume, shuffle, keep_going, fail_fast, dry_run,
		quiet;
	bool help;
	char **rest; /* run: the workload's options; exec: program and arguments; NULL-ended */
	int nr_rest;
};

/*
 * Parses argv after the command's name. ERR_USAGE names the option and the remedy. The texts point
 * into argv or into memory that run_options_free() releases.
 */
int run_options_parse(struct run_options *options, enum run_command command, int argc, char **argv,
		      struct err *err);
void run_options_free(struct run_options *options);

void run_options_help(FILE *out, enum run_command command);

/* The nearest of our own options to a misspelt one, or NULL. */
const char *run_options_suggest(const char *option);

#endif
