/* SPDX-License-Identifier: MIT */
/* Event names into what perf_event_open(2) takes, by libpfm4. */
#ifndef HARNESS_COUNTERS_ENCODE_H
#define HARNESS_COUNTERS_ENCODE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "harness/counters_cpu.h"

#define COUNTER_EVENT_MAX 256

/* The event of a row with its PMU's prefix: what libpfm4 and PAPI understand. */
void counters_event_text(const struct counter_cpu *cpu, const char *event, char *text, size_t size);

/*
 * Encodes a full name ("skx::DTLB_LOAD_MISSES:WALK_ACTIVE", "perf::CYCLES", "r01c2") for user mode,
 * also of a PMU that this machine does not have. ERR_USAGE when libpfm4 does not know the name.
 */
int counters_encode(const char *text, struct perf_event_attr *attr, struct err *err);

/*
 * What a user may write: a libpfm4 name with or without prefix, perf's spelling with dots, a
 * generic or software event, rNNNN. `text` receives the full name. ERR_USAGE with the nearest names
 * when there is none, or when the event belongs to another CPU's PMU.
 */
int counters_encode_user(const struct counter_cpu *cpu, const char *event, char *text, size_t size,
			 struct perf_event_attr *attr, struct err *err);

/* Whether the kernel counts it without hardware. */
bool counters_is_software(const struct perf_event_attr *attr);

#endif
