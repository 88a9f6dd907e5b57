/* SPDX-License-Identifier: MIT */
/*
 * What a person sees while runs go on: one line that is rewritten on a terminal, one plain line per
 * event in a log. Time left is estimated from the runs that have ended.
 */
#ifndef HARNESS_PROGRESS_H
#define HARNESS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PROGRESS_NAME_MAX 64

struct progress {
	FILE *out;
	bool terminal;
	int total, started, finished, failed;
	uint64_t started_ns, estimate_ns; /* of all cells, from earlier records; 0: none */
	uint64_t drawn_ns;
	char drawn[256];
};

void progress_open(struct progress *progress, FILE *out, int total, uint64_t estimate_ns);
void progress_close(struct progress *progress);

/* A run begins; a line in a log. */
void progress_start(struct progress *progress, const char *cell);

/* What a run does now; rewrites the line of a terminal at most ten times a second. `done` is the
 * fraction of the phase, negative when it is not known. */
void progress_phase(struct progress *progress, const char *cell, const char *phase, double done);

/* A run has ended; `line` is what is left of it on the screen. */
void progress_finish(struct progress *progress, bool failed, const char *line);

/* A line that must be seen: a warning, a choice. */
void progress_note(struct progress *progress, const char *line);

/* "2 min 5 s left" or "" when nothing is known yet. */
void progress_left(const struct progress *progress, uint64_t now_ns, char *text, size_t size);

#endif
