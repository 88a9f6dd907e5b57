/* SPDX-License-Identifier: MIT */
/* What a run was, in words, from its placement plan (never from the letters of its name). */
#ifndef ANALYSIS_DESCRIBE_H
#define ANALYSIS_DESCRIBE_H

#include <stddef.h>

#include "analysis/records.h"

/* "remote page tables under interference, migrated before the clock starts"; "" without a plan. */
void describe_placement(const struct record *record, char *text, size_t size);

/* Where: "emu:xeon-e7-4850v3-2s"; falls back to the kind. */
const char *describe_machine(const struct record *record);

/* The lowest node that the threads ran on; -1 when the plan does not say. */
int describe_cpu_node(const struct record *record);

/* "12.34 s", "856 ms": for tables. */
#define DESCRIBE_TIME_MAX 32
const char *describe_time(double ns, char text[DESCRIBE_TIME_MAX]);

#endif
