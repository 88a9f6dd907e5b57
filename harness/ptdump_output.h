/* SPDX-License-Identifier: MIT */
/*
 * The writers over a dump that ptdump.h does not declare, and the names they share.
 */
#ifndef HARNESS_PTDUMP_OUTPUT_H
#define HARNESS_PTDUMP_OUTPUT_H

#include "harness/ptdump.h"

extern const char *const ptdump_level_names[PTDUMP_LEVELS_MAX]; /* "pt", "pd", ... */
extern const uint64_t ptdump_size_bytes[PTDUMP_SIZES];

/* As ptdump_print(), with the change since `before` (NULL: none) behind every number. */
void ptdump_print_change(FILE *out, const struct ptdump_result *result,
			 const struct ptdump_result *before);

/* What grew (positive) or shrank since `before`, in the form of ptdump_to_json(). */
json_t *ptdump_change_to_json(const struct ptdump_result *result,
			      const struct ptdump_result *before);

#endif
