/* SPDX-License-Identifier: MIT */
/*
 * One run of one of our workloads under one config on the machine that the harness runs on (which
 * may be the emulated one, seen from inside).
 */
#ifndef HARNESS_LOCAL_SESSION_H
#define HARNESS_LOCAL_SESSION_H

#include <jansson.h>

#include "common/err.h"
#include "harness/driver_plan.h"
#include "harness/placement.h"
#include "harness/run_options.h"

/* Told what the run does now; `done` as in progress_phase(). May be NULL. */
typedef void local_session_progress_fn(void *context, const char *phase, double done);

struct local_session_input {
	const struct run_options *options;
	const struct driver_plan *plan;
	const struct config *config;
	const char *driver;    /* path of the driver program */
	const char *directory; /* of the result; exists */
	local_session_progress_fn *progress;
	void *context;
};

/*
 * Runs it and fills in the record on the way; the caller adds the exit and writes it. Whatever
 * happens, no process is left and every setting is back when it returns. A placement that is off is
 * an error only with --strict; otherwise the record says so.
 */
int local_session_run(const struct local_session_input *input, json_t *record, struct err *err);

#endif
