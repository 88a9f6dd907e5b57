/* SPDX-License-Identifier: MIT */
/* A run of a workload with a server; for service*.c only. */
#ifndef BENCH_LOADGEN_SERVICE_STATE_H
#define BENCH_LOADGEN_SERVICE_STATE_H

#include "bench/loadgen/service.h"

enum {
	SERVICE_SIZE,
	SERVICE_KEYS,
	SERVICE_REQUESTS,
	SERVICE_DURATION,
	SERVICE_READS,
	SERVICE_KEY_ORDER,
	SERVICE_ZIPF_EXPONENT,
	SERVICE_VALUE_SIZE,
	SERVICE_VALUE_SIZES,
	SERVICE_MULTIGET,
	SERVICE_CONNECTIONS,
	SERVICE_CLIENT_THREADS,
	SERVICE_CLIENT_CPUS,
	SERVICE_PIPELINE,
	SERVICE_RATE,
	SERVICE_ARRIVALS,
	SERVICE_WARM_UP,
	SERVICE_TRANSPORT,
	SERVICE_PORT,
	SERVICE_SERVER,
	SERVICE_LOAD_PIPELINE,
};

struct service_state {
	const struct service *service;
	struct workload_run *run;
	struct service_plan plan;
	struct server server;
	void *admin;
	struct client_mix mix;
	struct client_phase phase;
	struct series series;
	struct client_thread **threads; /* by member of the team */
	struct err *errs;
	int nr_clients;
	double progress_from, progress_to;
	uint64_t load_ns, move_ns;

	/* Of the measured region. */
	struct server_usage before, after;
	uint64_t client_cpu_before_ns, client_cpu_after_ns;
	struct client_counts counts;
	struct service_numbers numbers;
};

struct service_plan service_make_plan(const struct service *service,
				      const struct option_set *options, int nr_threads);

/* Runs a phase on all threads. ERR_RUN with what the server did when one failed. */
int service_run_phase(struct service_state *state, struct err *err);

/* The first thread's error; better the server's end, if it has ended. */
int service_first_error(struct service_state *state, struct err *err);

#endif
