/* SPDX-License-Identifier: MIT */
/*
 * Which shared libraries a program needs, so that it runs in a guest that has nothing else.
 */
#ifndef EMULATOR_CLOSURE_H
#define EMULATOR_CLOSURE_H

#include <jansson.h>

#include "common/err.h"

/*
 * Adds to `libraries`, a JSON object used as a set, the absolute paths of the loader and of all
 * libraries that it maps for `path`; nothing for a static program or a file that is no ELF. The
 * loader is asked ("ld.so --list"), which looks for libraries exactly as at a start but runs no
 * code of the program. ERR_USAGE when one of them is not on this host or the file cannot be read.
 */
int closure_add(json_t *libraries, const char *path, struct err *err);

/* One line of the loader's answer: 1 with the library's path, 0 for a line without one, -1 with
 * ERR_USAGE for a library that was not found. Exported for its test. */
int closure_parse_line(char *line, const char **library, struct err *err);

#endif
