/* SPDX-License-Identifier: MIT */
/*
 * Whether pages and page tables are where the config wants them, by the dumps of a run.
 *
 * Data: the bytes that should lie on the data nodes are those of the workload's arena; libraries
 * and stacks may lie elsewhere. Page tables: every table page counts, except after a migration,
 * which moves the arena's tables alone: then the arena's leaf entries count, by the node of the
 * table that holds them.
 */
#ifndef HARNESS_VERIFY_PLACEMENT_H
#define HARNESS_VERIFY_PLACEMENT_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"
#include "harness/placement.h"
#include "harness/ptdump.h"

#define VERIFY_TOLERANCE 0.01

enum verify_moment {
	VERIFY_BUILT, /* before page tables are migrated */
	VERIFY_READY,
	VERIFY_DONE,
	VERIFY_MOMENTS
};

struct verify_input {
	const struct placement *placement;
	uint64_t arena_bytes; /* 0: not known (somebody else's program); every page counts */
	const struct ptdump_result *dumps[VERIFY_MOMENTS]; /* NULL: none was taken */
	const char *reason;                                /* why there is no dump */
	const char *fragmentation_off; /* a sentence, "" or NULL: it is as wanted, or not wanted */
};

/*
 * The record's "placement" object. Sets err (ERR_RUN) to a sentence that says what is off and by
 * how much when the status is "off", and leaves it alone otherwise.
 */
json_t *verify_placement(const struct verify_input *input, struct err *err);

#endif
