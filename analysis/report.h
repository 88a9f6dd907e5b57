/* SPDX-License-Identifier: MIT */
/* The whole way from directories of records to a directory with the report. */
#ifndef ANALYSIS_REPORT_H
#define ANALYSIS_REPORT_H

#include "analysis/analysis.h"

struct report_outcome {
	char **files; /* written, in this order; paths as a user would type them */
	int nr_files;
	char **warnings; /* sentences: what was left out, and the remedy */
	int nr_warnings;
	int nr_runs, nr_used, nr_refused;
};

/*
 * As analysis_report(), and says what it did. The outcome is filled as far as the report came, also
 * on failure: the CSV files are there when only gnuplot is missing.
 */
int report_write(const struct analysis_options *options, struct report_outcome *outcome,
		 struct err *err);
void report_free(struct report_outcome *outcome);

#endif
