/* SPDX-License-Identifier: MIT */
/*
 * Which events say what about page walks, for each CPU model: one table, and nothing else in the
 * suite knows an event's name. docs/COUNTERS.md is the same table in prose.
 */
#ifndef HARNESS_COUNTERS_CPU_H
#define HARNESS_COUNTERS_CPU_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/topology.h"

/* Rows of this group happen in the kernel: counted in user mode they would always be 0. */
#define COUNTERS_KERNEL_GROUP   "scheduler"
#define COUNTERS_SOFTWARE_GROUP "software"

/*
 * One line of the record's "counters.events". `event` is a libpfm4 name without the PMU's prefix
 * ("DTLB_LOAD_MISSES:WALK_ACTIVE"), with it ("perf::CYCLES"), or a raw code ("r0346") where
 * libpfm4 4.13 has no name; "=a+b" is the sum of other rows of the same group; NULL is a named
 * absence and `detail` its reason.
 */
struct counter_row {
	const char *group;
	const char *name;
	const char *event;
	const char *unit;
	const char *detail; /* what is counted, and where the vendor says so */
};

#define COUNTERS_CPU_SETS_MAX 8

struct counter_cpu {
	const char *label; /* "Intel Haswell-EP" */
	const char *pmu;   /* libpfm4's prefix; NULL: the rows are raw codes */
	/*
	 * The largest group: programmable counters of a thread with SMT on. Ice Lake and later have
	 * eight, but TLB events only count on the first four.
	 */
	int counters;
	int walkers; /* walks that can be under way at once; 0: not documented */
	/* Arrays of rows, each ended by a row without a name. */
	const struct counter_row *sets[COUNTERS_CPU_SETS_MAX];
};

/* A ratio of the record's "counters.derived": sum of numerators / sum of denominators * scale. */
struct counter_ratio {
	const char *name;
	const char *unit;
	const char *numerator;   /* "a+b" */
	const char *denominator; /* "c", "c+d" */
	double scale;
	bool always; /* listed with a reason even when an operand does not exist here */
};

struct counter_cpu_id {
	const char *vendor; /* "GenuineIntel", "AuthenticAMD", or "ARM" */
	int family, model, stepping;
	int part; /* Arm: MIDR_EL1.PartNum, "CPU part" of /proc/cpuinfo */
};

/* Never NULL: an unknown CPU gets the kernel's generic events and a named absence of the rest. */
const struct counter_cpu *counters_cpu_find(const struct counter_cpu_id *id);

/* The same for a topology. */
const struct counter_cpu *counters_cpu_of(const struct topology *topology);

/* All CPUs of the table, the unknown one last; NULL after it. */
const struct counter_cpu *counters_cpu_at(int index);

/* The index-th row of a CPU, software events last; NULL after the last. */
const struct counter_row *counters_cpu_row(const struct counter_cpu *cpu, int index);
const struct counter_row *counters_cpu_row_named(const struct counter_cpu *cpu, const char *name);

/* NULL after the last. */
const struct counter_ratio *counters_ratio_at(int index);

/* Takes the next name of "a+b" from *text into name; false at its end. */
bool counters_next_term(const char **text, char *name, size_t size);

#endif
