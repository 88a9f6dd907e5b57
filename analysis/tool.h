/* SPDX-License-Identifier: MIT */
/* A helper program used as a filter: text in, bytes out, no temporary files. */
#ifndef ANALYSIS_TOOL_H
#define ANALYSIS_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* Whether the program is in PATH. */
bool tool_exists(const char *program);

/*
 * Runs argv with `input` on its standard input and gives what it wrote to its standard output:
 * malloc'd, `*length` bytes and a NUL. ERR_MACHINE when there is no such program (naming
 * `package`), ERR_RUN when it fails, says nothing, or takes longer than two minutes (with the end
 * of its standard error).
 */
char *tool_filter(char *const *argv, const char *package, const char *input, size_t *length,
		  struct err *err);

#endif
