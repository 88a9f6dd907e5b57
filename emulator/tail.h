/* SPDX-License-Identifier: MIT */
/*
 * A log file together with its last lines, which go into the error message when a guest fails.
 */
#ifndef EMULATOR_TAIL_H
#define EMULATOR_TAIL_H

#include <stddef.h>

#include "common/err.h"

#define TAIL_BYTES 16384

struct tail {
	int fd; /* of the log; -1: only the last lines are kept */
	size_t used;
	char text[TAIL_BYTES + 1];
};

/* Creates the log `name` in the directory. */
int tail_open(struct tail *tail, int directory_fd, const char *name, struct err *err);
void tail_close(struct tail *tail);

/* A log that cannot be written (full disk) does not end a run: its last lines are still kept. */
void tail_add(struct tail *tail, const char *data, size_t length);

/*
 * The last lines as one, "a | b | c", without control characters, as many as fit in `size`; empty
 * lines are left out. Returns `text`.
 */
const char *tail_format(const struct tail *tail, char *text, size_t size);

/* The first line that contains the word, trimmed, or NULL; copied to `text`. */
const char *tail_find(const struct tail *tail, const char *word, char *text, size_t size);

#endif
