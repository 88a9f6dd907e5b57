/* SPDX-License-Identifier: MIT */
/*
 * Writes a cpio archive in the "newc" format that the kernel unpacks as its initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst in the Linux source).
 *
 * Paths are absolute in the guest. Parents are not made: add directories before what is in them.
 * Everything belongs to root and has no time, so that the same input gives the same bytes.
 */
#ifndef EMULATOR_CPIO_H
#define EMULATOR_CPIO_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/err.h"

struct cpio {
	FILE *stream;
	uint32_t last_inode;
	uint64_t bytes; /* written so far */
};

/* Writes to a duplicate of `fd`, which stays the caller's. */
int cpio_open(struct cpio *cpio, int fd, struct err *err);

int cpio_directory(struct cpio *cpio, const char *path, mode_t mode, struct err *err);
int cpio_file(struct cpio *cpio, const char *path, mode_t mode, const void *data, size_t length,
	      struct err *err);
int cpio_symlink(struct cpio *cpio, const char *path, const char *target, struct err *err);
int cpio_character_device(struct cpio *cpio, const char *path, mode_t mode, unsigned major,
			  unsigned minor, struct err *err);

/* A copy of a regular file; ERR_USAGE if it cannot be read or is none. */
int cpio_copy(struct cpio *cpio, const char *path, mode_t mode, const char *host_path,
	      struct err *err);

/* Ends the archive and closes it. */
int cpio_finish(struct cpio *cpio, struct err *err);

/* Closes an archive that was given up, or was finished already. */
void cpio_abandon(struct cpio *cpio);

#endif
