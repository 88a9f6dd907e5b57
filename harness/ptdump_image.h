/* SPDX-License-Identifier: MIT */
/*
 * A recorded image: the page tables of one process as they were, with what it takes to walk them.
 *
 * A gzip file. First a line of JSON: "format" ("ptdump-image"), "version" (1), "pid",
 * "root_address", "levels", "frame_mask", "nodes" ([{"node", "first_frame", "end_frame"}, ...]) and
 * "tables" (their number). Then that many tables: address (8 bytes) and content (4096 bytes),
 * little-endian.
 */
#ifndef HARNESS_PTDUMP_IMAGE_H
#define HARNESS_PTDUMP_IMAGE_H

#include "harness/ptdump.h"
#include "harness/ptdump_reader.h"

struct ptdump_image_writer;

int ptdump_image_create(struct ptdump_image_writer **writer, struct err *err);
void ptdump_image_free(struct ptdump_image_writer *writer);

/* A visitor of ptdump_walk(): `context` is the writer. */
int ptdump_image_add(void *context, uint64_t address, const uint64_t *entries, struct err *err);

int ptdump_image_write(const struct ptdump_image_writer *writer, const char *path,
		       const struct ptdump_reader *reader, pid_t pid,
		       const struct ptdump_space *space, struct err *err);

/* Dumps a process into an image: `harness dump --record PATH PID`. */
int ptdump_record(struct ptdump *ptdump, pid_t pid, const char *path, struct err *err);

#endif
