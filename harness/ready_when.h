/* SPDX-License-Identifier: MIT */
/*
 * --ready-when: how a program that knows nothing of the suite tells that it is built up and the
 * measured region may begin.
 */
#ifndef HARNESS_READY_WHEN_H
#define HARNESS_READY_WHEN_H

#include <stdbool.h>

#include "common/err.h"

struct ready_when;

#define READY_WHEN_FORMS   "SECONDS, file:PATH, output:REGEX, tcp:PORT, roi"
#define READY_WHEN_STREAMS 2 /* stdout and stderr */

/*
 * "5s" (a time after the start), "file:PATH" (that appears), "output:REGEX" (POSIX extended, of a
 * line on stdout or stderr), "tcp:PORT" (that accepts connections on this host), "roi" (the
 * program's own markers, include/mitosis-suite/roi.h). ERR_USAGE for anything else,
 * and for a file or port that is there already: it would be taken for the program's.
 */
int ready_when_open(struct ready_when **ready_when, const char *text, struct err *err);

/*
 * For output: a descriptor to be the program's stdout (stream 0) or stderr (1); what is written
 * there is passed on to `sink`. -1 when the output is not looked at.
 */
int ready_when_output(struct ready_when *ready_when, int stream, int sink);

/* The program runs. */
void ready_when_started(struct ready_when *ready_when);

/* 1 ready, 0 not yet, -1 error. */
int ready_when_check(struct ready_when *ready_when, struct err *err);

/* To poll for output of a stream to pass on; -1: none. */
int ready_when_fd(const struct ready_when *ready_when, int stream);

/* "roi": whether it is for the program to say, and that it has. NULL is fine for the first. */
bool ready_when_by_program(const struct ready_when *ready_when);
void ready_when_program_is(struct ready_when *ready_when);

/* Passes on what there is, without waiting; goes on after the program was ready, too. */
int ready_when_pump(struct ready_when *ready_when, struct err *err);

void ready_when_close(struct ready_when *ready_when); /* NULL is fine */

#endif
