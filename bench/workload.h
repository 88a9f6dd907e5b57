/* SPDX-License-Identifier: MIT */
/*
 * The contract of a workload.
 *
 * A workload is one file with one `const struct workload` and one line in bench/workloads.def. It
 * takes its memory from the arena, its threads from the team and its options from its rows. It
 * never calls mmap, mbind, an affinity or counter interface, and never reads a clock: the driver
 * places, pins, times and reports. The time of a part of setup or run is the driver's to give:
 * roi_lap_ns().
 *
 *   setup     untimed: allocate, build, load; may run jobs on the team
 *   run       the region of interest: called once on every thread of the team
 *   verify    afterwards, on the driver's thread (may run jobs on the team): was the right work
 *             done? Shares no code with run.
 *   metrics   what the run amounts to; exactly one is primary
 *   teardown  what setup took besides the arena's memory; also after a setup that failed half-way
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/arena.h"
#include "bench/options.h"
#include "bench/roi.h"
#include "bench/team.h"
#include "common/err.h"

enum metric_better { METRIC_HIGHER, METRIC_LOWER };

struct metric {
	const char *name, *unit;
	double value;
	enum metric_better better;
	bool primary;
};

#define METRICS_MAX 48

struct metrics {
	int nr_metrics;
	struct metric items[METRICS_MAX];
	uint64_t work_amount;
	const char *work_unit; /* "updates" */
};

void metrics_add(struct metrics *metrics, const struct metric *metric);

enum verification_status { VERIFICATION_PASS, VERIFICATION_FAIL, VERIFICATION_SKIPPED };

struct verification {
	enum verification_status status;
	uint64_t checked, errors;
	char detail[256];
};

#define WORKLOAD_PATH_MAX 4096

/* A workload whose work a program of its own does: the driver's team are its clients. */
struct workload_server {
	char program[WORKLOAD_PATH_MAX]; /* path */
	int nr_clients;                  /* threads of the team */
	const char *client_cpus;         /* "0-3"; NULL: CPUs that the server does not use */
};

/* What the driver hands to the functions below. */
struct workload_run {
	const struct option_set *options;
	struct arena *arena;
	struct team *team;
	int nr_threads;
	const int *cpus; /* of these threads: thread i runs on cpus[i % nr_cpus] */
	int nr_cpus;
	const struct workload_server *server; /* NULL: none; its threads are nr_threads then */
	uint64_t seed;
	bool modelled;   /* in an emulated machine: the host's time means nothing */
	struct roi *roi; /* setup, run: roi_lap_ns(); in metrics: how long it took, by which clock
			  */
	/* Set by setup when there is a server: what the harness shall measure instead of us. */
	pid_t server_pid;
	uint64_t server_bytes; /* of memory that is its own */
	/* An endless run ends soon after `stop` is set; meanwhile every thread announces itself
	 * once it has moved something, and the driver reports the rate. */
	atomic_bool stop;
	_Atomic int threads_moving;
	_Atomic uint64_t bytes_moved;
	void (*progress)(struct workload_run *run, double done); /* of the setup, 0 to 1 */
	void *driver;                                            /* for progress */
	void *state;                                             /* the workload's own */
};

struct workload {
	const char *name, *summary;
	const struct option *options;        /* ends with a row without a name */
	const struct option_preset *presets; /* NULL, or ends with one without a name */
	/* Of the published one-socket runs; 0 when there is none. */
	uint64_t published_footprint_bytes;
	int published_threads; /* default number of threads; 0: one per CPU */

	/* What the rows cannot say about the values together. NULL: nothing. ERR_USAGE. */
	int (*check)(const struct option_set *options, int nr_threads, struct err *err);
	uint64_t (*footprint_bytes)(const struct option_set *options, int nr_threads);
	/* NULL: the team does the work. Otherwise run is called by clients of the server that setup
	 * starts. ERR_MACHINE when the program is not there. */
	int (*server)(const struct option_set *options, struct workload_server *server,
		      struct err *err);
	/* Whether these options ask to run until stopped. NULL: never. */
	bool (*endless)(const struct option_set *options);

	int (*setup)(struct workload_run *run, struct err *err);
	void (*run)(struct workload_run *run, int thread);
	/* Straight after run, while all is in place: whether it could do its work. NULL: always. */
	int (*check_run)(struct workload_run *run, struct err *err);
	int (*verify)(struct workload_run *run, struct verification *verification, struct err *err);
	void (*metrics)(struct workload_run *run, struct metrics *metrics);
	/* Values over time (docs/RECORD.md); a new reference. NULL: none. */
	json_t *(*series)(struct workload_run *run);
	void (*teardown)(struct workload_run *run);
};

/* Zeroed memory for a workload's state, aligned as its type wants; free(3). NULL: out of memory. */
void *workload_state_new(size_t alignment, size_t bytes);

/* --- the registry: bench/workloads.def is the only list --------------------------------------- */

/* NULL after the last. */
const struct workload *workload_at(int index);

/* NULL with ERR_USAGE and the nearest names when there is none of that name. */
const struct workload *workload_find(const char *name, struct err *err);

#endif
