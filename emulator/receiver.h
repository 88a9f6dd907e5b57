/* SPDX-License-Identifier: MIT */
/*
 * The host's end of the frame stream: events to the caller, output to a log, results to files.
 */
#ifndef EMULATOR_RECEIVER_H
#define EMULATOR_RECEIVER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "emulator/emulator.h"
#include "emulator/frame.h"
#include "emulator/tail.h"

struct receiver {
	int directory_fd;
	struct tail *output; /* keeps and logs what the command writes */
	emulator_progress_fn *progress;
	void *progress_context;
	struct frame_reader reader;
	int file_fd; /* the result file that is being received; -1: none */
	uint64_t file_left_bytes;
	char file_path[PATH_MAX];
	int nr_files;
	bool exited; /* the last frame has come */
	int status;
};

/* The directory must exist. */
int receiver_open(struct receiver *receiver, const char *directory, struct tail *output,
		  struct err *err);

/* Removes a file that was not received completely. */
void receiver_close(struct receiver *receiver);

/*
 * Takes what can be read from `fd` now. Returns 1, 0 at the end of the stream, -1 with ERR_RUN for
 * a damaged stream or ERR_INTERNAL when the host cannot write (a full disk).
 */
int receiver_read(struct receiver *receiver, int fd, struct err *err);

/* Acts on one frame; exported for its test. */
int receiver_take(struct receiver *receiver, const struct frame *frame, struct err *err);

#endif
