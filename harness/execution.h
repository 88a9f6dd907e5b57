/* SPDX-License-Identifier: MIT */
/*
 * Carries out one cell from its directory to its record, wherever it runs. The record is there from
 * the start (as a failed run), so that whatever kills the harness leaves one.
 */
#ifndef HARNESS_EXECUTION_H
#define HARNESS_EXECUTION_H

#include "common/err.h"
#include "common/paths.h"
#include "harness/cells.h"
#include "harness/results.h"
#include "harness/local_session.h"

struct execution {
	const struct cell *cell;
	const struct run_options *options;
	char *const *command; /* argv of the harness */
	int nr_command;
	char directory[PATHS_MAX];
	char id[RESULTS_ID_MAX];
	local_session_progress_fn *progress;
	void *context;
};

/* Makes the result's directory. ERR_MACHINE when it cannot be written. */
int execution_prepare(struct execution *execution, struct err *err);

/* Runs the cell and writes its record. The error is the run's own, or that of writing the record.
 */
int execution_run(const struct execution *execution, struct err *err);

#endif
