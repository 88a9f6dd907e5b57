/* SPDX-License-Identifier: MIT */
/*
 * `harness exec`: somebody else's program under a config. It is placed before exec, counted from
 * its first instruction, and, where data and page tables are to be apart, its pages are moved by
 * migrate_pages(2) when it is ready: the kernel moves data and leaves page tables behind.
 */
#ifndef HARNESS_EXEC_SESSION_H
#define HARNESS_EXEC_SESSION_H

#include <jansson.h>

#include "common/err.h"
#include "common/paths.h"
#include "harness/local_session.h"

/* Logs of a program whose output is not passed through, in the result directory. */
#define EXEC_LOG_OUTPUT   "program-stdout.log"
#define EXEC_LOG_MESSAGES "program-stderr.log"

/* input->options->rest is the program with its arguments. */
int exec_session_run(const struct local_session_input *input, json_t *record, struct err *err);

/* The program as execvp(3) would find it. ERR_USAGE when there is none. */
int exec_session_find(const char *program, char path[PATHS_MAX], struct err *err);

#endif
