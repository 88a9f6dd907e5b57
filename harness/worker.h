/* SPDX-License-Identifier: MIT */
/* A cell in a process of its own. */
#ifndef HARNESS_WORKER_H
#define HARNESS_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/wire.h"
#include "harness/execution.h"

struct worker {
	pid_t pid; /* 0: none */
	struct wire wire;
	struct execution execution;
	struct err err; /* of the run, once the worker has ended */
};

/* Starts worker->execution, which the caller has prepared. */
int worker_start(struct worker *worker, struct err *err);

/* Reads what it has sent: the cell's progress goes to `progress`. False when it has ended. */
bool worker_listen(struct worker *worker, local_session_progress_fn *progress, void *context);

/* Asks it to stop, as Ctrl-C would; `force` kills it and all it started. */
void worker_stop(const struct worker *worker, bool force);

/* Collects an ended worker; worker->err says how the run went. */
void worker_reap(struct worker *worker);

#endif
