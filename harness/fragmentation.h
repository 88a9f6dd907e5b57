/* SPDX-License-Identifier: MIT */
/*
 * The F of FT configs: the program `fragment` breaks up the free memory of the data's nodes before
 * the workload starts, keeps it so while it runs, and tells what it reached.
 */
#ifndef HARNESS_FRAGMENTATION_H
#define HARNESS_FRAGMENTATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "harness/deadline.h"
#include "harness/driver_link.h"

struct fragmentation;

struct fragmentation_spec {
	uint64_t nodes; /* mask */
	const char *log_directory;
	struct deadline deadline;
	link_progress_fn *progress;
	void *context;
};

/* Whether the program is there. */
bool fragmentation_available(void);

/* Returns when the goal is reached. ERR_RUN or ERR_MACHINE when it cannot be. */
int fragmentation_start(struct fragmentation **fragmentation, const struct fragmentation_spec *spec,
			struct err *err);

/*
 * Ends it and gives the memory back. The record's "fragmentation": what it was before, at the start
 * and at the end of the run. `off` gets a sentence when it did not last, else "". ERR_RUN when the
 * program was no longer alive.
 */
#define FRAGMENTATION_TEXT_MAX 256
int fragmentation_stop(struct fragmentation *fragmentation, json_t **record,
		       char off[FRAGMENTATION_TEXT_MAX], struct err *err);

/* Kills what still runs; accepts NULL. */
void fragmentation_close(struct fragmentation *fragmentation);

/* The verdict on two reports of `fragment`; here for its test. */
void fragmentation_judge(const json_t *ready, const json_t *done, char off[FRAGMENTATION_TEXT_MAX]);

#endif
