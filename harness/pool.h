/* SPDX-License-Identifier: MIT */
/*
 * Carries out the cells of a command, one after the other on this machine or several emulated
 * machines at once. A cell of an emulated machine runs in a process of its own, which cleans up
 * behind its guest even when the harness is killed.
 */
#ifndef HARNESS_POOL_H
#define HARNESS_POOL_H

#include <jansson.h>

#include "common/err.h"
#include "harness/cells.h"
#include "harness/execution.h"
#include "harness/progress.h"

struct pool_input {
	const struct cells *cells;
	const struct run_options *options;
	char *const *command;
	int nr_command;
	struct progress *progress;
	/* Told of each record as soon as it is there; may be NULL. */
	void (*finished)(void *context, const struct cell *cell, const char *directory,
			 const json_t *record);
	void *context;
};

/*
 * Runs what --resume has not left out. Failed cells are recorded and do not end the rest, unless
 * --fail-fast; the error is then ERR_RUN with their number, or the error itself when there was but
 * one cell. ERR_INTERRUPTED after a signal: what runs leaves its record and nothing new begins.
 */
int pool_run(const struct pool_input *input, struct err *err);

#endif
