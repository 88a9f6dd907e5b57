/* SPDX-License-Identifier: MIT */
/* The table as CSV files; docs/ANALYSIS.md lists the columns. */
#ifndef ANALYSIS_TABLE_CSV_H
#define ANALYSIS_TABLE_CSV_H

#include <stdio.h>

#include "analysis/table.h"

void table_print_runs(FILE *out, const struct table *table);      /* one line per run */
void table_print_summary(FILE *out, const struct table *table);   /* one line per row (bar) */
void table_print_counters(FILE *out, const struct table *table);  /* one line per run and event */
void table_print_published(FILE *out, const struct table *table); /* one line per row and figure */

#endif
