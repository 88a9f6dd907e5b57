/* SPDX-License-Identifier: MIT */
/* What a script needs to run: the programs that its first line names. */
#ifndef HARNESS_INTERPRETER_H
#define HARNESS_INTERPRETER_H

#include "common/err.h"
#include "common/paths.h"

/* The longest first line that Linux reads. */
#define INTERPRETER_LINE_MAX 256

struct interpreter {
	char path[INTERPRETER_LINE_MAX];    /* "/bin/sh"; empty: the file is no script */
	char program[INTERPRETER_LINE_MAX]; /* what "/usr/bin/env" is to find in PATH, or empty */
};

/* From a first line without its newline. */
void interpreter_parse(const char *line, struct interpreter *interpreter);

/* From the file at `path`; ERR_USAGE when it cannot be read. */
int interpreter_read(const char *path, struct interpreter *interpreter, struct err *err);

#endif
