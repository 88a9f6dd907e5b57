/* SPDX-License-Identifier: MIT */
/*
 * Run records -> tidy CSV -> statistics -> plots -> one HTML page and one PDF. Reads only run
 * records (docs/RECORD.md) and analysis/reference/.
 */
#ifndef ANALYSIS_ANALYSIS_H
#define ANALYSIS_ANALYSIS_H

#include <stdbool.h>

#include "common/err.h"

struct analysis_options {
	const char *const *results; /* directories that are searched for run.json */
	int nr_results;
	const char *output_directory; /* index.html, report.pdf, *.csv, *.svg */
	const char *title;            /* NULL: a default */
	bool no_pdf;
	bool require_pdf; /* a PDF that cannot be made is an error, not a warning */
};

/* ERR_USAGE when there is no record; a record that cannot be used is named in the report, not
 * fatal. */
int analysis_report(const struct analysis_options *options, struct err *err);

/* `harness report`; returns the exit status. */
int analysis_command(int argc, char **argv);

#endif
