/* SPDX-License-Identifier: MIT */
/*
 * The walk over a process's tables, level by level from the root, through any reader.
 */
#ifndef HARNESS_PTDUMP_WALK_H
#define HARNESS_PTDUMP_WALK_H

#include "harness/ptdump.h"
#include "harness/ptdump_reader.h"

/*
 * Fills everything of `result` but pid and duration. Also calls `visit`, unless NULL, for each
 * table read (for recording); it returns 0 or -1 with err set.
 */
struct ptdump_visitor {
	int (*visit)(void *context, uint64_t address, const uint64_t *entries, struct err *err);
	void *context;
};

int ptdump_walk(struct ptdump_reader *reader, const struct ptdump_space *space,
		const struct ptdump_visitor *visitor, struct ptdump_result *result,
		struct err *err);

#endif
