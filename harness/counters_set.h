/* SPDX-License-Identifier: MIT */
/*
 * What the parts of counters.c share: the counters of one run, and the two back ends that can count
 * them. A back end opens each counter or writes the reason why not.
 */
#ifndef HARNESS_COUNTERS_SET_H
#define HARNESS_COUNTERS_SET_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/err.h"
#include "harness/counters.h"
#include "harness/counters_cpu.h"
#include "harness/counters_encode.h"

#define COUNTER_REASON_MAX 256

struct counter {
	char name[64];
	char event[COUNTER_EVENT_MAX]; /* with PMU; "a + b" for a sum; empty for an absence */
	char group[32];
	const char *unit;
	const char *sum; /* "=a+b" of the row, or NULL */
	struct perf_event_attr attr;
	bool hardware;
	bool opened;
	bool leads;     /* perf_event: switched by itself, not by another of its group */
	bool has_times; /* PAPI does not tell them */
	bool counted;   /* value is meaningful */
	char reason[COUNTER_REASON_MAX];
	int *fds; /* perf_event: one per thread, -1 where it is gone */
	uint64_t raw, time_enabled_ns, time_running_ns;
	uint64_t value; /* raw, scaled by enabled / running */
};

/* The system calls of the perf_event back end, so that tests can be the kernel. */
struct perf_kernel {
	void *context;
	/* As perf_event_open(2), read(2), ioctl(2), close(2): -1 and errno. */
	int (*open)(void *context, struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
		    unsigned long flags);
	ssize_t (*read)(void *context, int fd, void *data, size_t size);
	int (*control)(void *context, int fd, unsigned long request);
	int (*close)(void *context, int fd);
	/* Appends the thread ids of a process to *tids (realloc'd); their number or -1 and errno.
	 */
	int (*threads)(void *context, pid_t pid, pid_t **tids, int nr_tids);
};

extern const struct perf_kernel perf_kernel_linux;

struct counters {
	enum counters_backend backend;
	const struct counter_cpu *cpu;
	const struct perf_kernel *kernel;
	struct counter *list;
	int nr;
	bool explicit_events;
	pid_t *tids;
	int nr_tids, nr_late_threads;
	int *papi_sets;   /* PAPI: one event set per thread */
	int papi_running; /* how many of them */
	char note[1024];
};

/* Adds a counter; NULL when memory is out. */
struct counter *counters_add(struct counters *counters, const char *group, const char *name,
			     const char *unit);
__attribute__((format(printf, 2, 3))) void counter_absent(struct counter *counter,
							  const char *format, ...);

/* value from raw and the times; without time running there is none. */
void counter_scale(struct counter *counter);

/* The list of counters, from the CPU's table or from a comma-separated list. */
int counters_plan_cpu(struct counters *counters, struct err *err);
int counters_plan_events(struct counters *counters, const char *events, struct err *err);

/* counters_open with another kernel and CPU: what the tests call. */
int counters_open_with(struct counters **counters, const struct counters_options *options,
		       const struct counter_cpu *cpu, const struct perf_kernel *kernel,
		       const pid_t *pids, int nr_pids, struct err *err);

/* Fills tids with all threads of the processes. */
int counters_find_threads(struct counters *counters, const pid_t *pids, int nr_pids,
			  struct err *err);

/* Back ends. Opening fails only when nothing at all can go on; else counters carry reasons. */
int counters_perf_open(struct counters *counters, const pid_t *pids, int nr_pids, struct err *err);
int counters_perf_start(struct counters *counters, struct err *err);
int counters_perf_stop(struct counters *counters, struct err *err);
void counters_perf_close(struct counters *counters);

int counters_papi_open(struct counters *counters, const pid_t *pids, int nr_pids, struct err *err);
int counters_papi_start(struct counters *counters, struct err *err);
int counters_papi_stop(struct counters *counters, struct err *err);
void counters_papi_close(struct counters *counters);

/* "(a + b) / c * 1000" */
void counters_ratio_formula(const struct counter_ratio *ratio, char *text, size_t size);

/* counters_list for any CPU. */
void counters_list_cpu(FILE *out, const struct counter_cpu *cpu);

/* Whether the kernel counts cycles of this process in user mode; else why not. Opens and closes. */
bool counters_hardware_available(char reason[COUNTER_REASON_MAX]);

#endif
