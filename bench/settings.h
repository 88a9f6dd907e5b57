/* SPDX-License-Identifier: MIT */
/* What the driver's own options and the machine at hand come to: CPUs, threads, memory, policy. */
#ifndef BENCH_SETTINGS_H
#define BENCH_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/workload.h"

struct settings {
	const struct workload *workload;
	struct option_set driver_options, options;
	const struct option_preset *preset; /* NULL: none */
	int cpus[TEAM_CPUS_MAX], nr_cpus, nr_threads;
	/* The team: the threads above, or the clients of the workload's server. */
	bool has_server;
	struct workload_server server;
	int team_cpus[TEAM_CPUS_MAX], nr_team_cpus, nr_team;
	struct arena_policy policy;
	int page_table_node; /* -1: leave the task's policy as it is */
	uint64_t seed, memory_bytes, footprint_bytes;
	bool modelled; /* a model listens: EMULATOR_ENV is set */
	bool emulated, endless, plan, json, help;
};

/* The driver's rows, for the help. */
const struct option *settings_rows(void);

/* Parses the arguments after the workload's name and resolves everything. Allocates nothing. */
int settings_resolve(struct settings *settings, const struct workload *workload, int argc,
		     char *const *argv, struct err *err);

#endif
