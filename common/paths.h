/* SPDX-License-Identifier: MIT */
/*
 * Where the suite's own files are: the source tree or PREFIX/lib/mitosis-suite, which have the same
 * layout (bin/, emulator/profiles/, analysis/reference/, precompiled/).
 */
#ifndef COMMON_PATHS_H
#define COMMON_PATHS_H

#include <stddef.h>

#include "common/err.h"

#define PATHS_MAX 4096

/*
 * The root: $MITOSIS_SUITE_ROOT, or the nearest directory above the running program that contains
 * emulator/profiles. ERR_INTERNAL if there is none.
 */
int paths_root(char path[PATHS_MAX], struct err *err);

/* A file below the root: paths_file(path, "emulator/profiles/emu.profile", err). */
int paths_file(char path[PATHS_MAX], const char *relative, struct err *err);

/* A program beside the running one ("bench"), or in bin/ of the root. */
int paths_program(char path[PATHS_MAX], const char *name, struct err *err);

#endif
