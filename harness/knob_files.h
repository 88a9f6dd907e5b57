/* SPDX-License-Identifier: MIT */
/* The files behind the settings; for knobs.c only. */
#ifndef HARNESS_KNOB_FILES_H
#define HARNESS_KNOB_FILES_H

#include <glob.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/fs.h"
#include "harness/knobs.h"

#define KNOB_VALUE_MAX 256

/* "always [madvise] never" means madvise; any other text means its first line. */
void knob_chosen_value(const char *text, char *value, size_t size);

int knob_read_value(const struct fs *root, const char *path, char *value, size_t size);

/* Whether a file that lists its choices lists this one; files that list none take anything. */
bool knob_value_offered(const char *text, const char *value);

/*
 * The files of a knob: gl_pathv[i] + *prefix is a path below the root. The caller frees with
 * globfree(); -1 if there is none.
 */
int knob_files(const struct fs *root, const struct knob *knob, glob_t *files, size_t *prefix);

/* Whether the path is that of a knob: a forged journal must not make us write to another file. */
bool knob_is_path(const char *path);

#endif
