/* SPDX-License-Identifier: MIT */
/* What is said of a run in one line, and of several in a table. */
#ifndef HARNESS_SUMMARY_H
#define HARNESS_SUMMARY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/err.h"
#include "harness/cells.h"

#define SUMMARY_LINE_MAX 1536

/*
 * "gups RPI-LD 2/5: 1.23 s modelled, page walks 61%, placement ok, verified -> DIR"; record may be
 * NULL. `alone`: it is the command's only run, and the command ends with the error.
 */
void summary_line(const struct cell *cell, const json_t *record, const struct err *err,
		  const char *directory, bool alone, char line[SUMMARY_LINE_MAX]);

/*
 * Medians of the runs, per workload and config in the order of the plan, with the ratio to the
 * baseline if it was run.
 */
void summary_table(FILE *out, const struct cells *cells, const json_t *records);

#endif
