/* SPDX-License-Identifier: MIT */
/*
 * Reads and writes of small files, relative to a root directory.
 *
 * /proc and /sys are read through a `struct fs`, so that a recorded machine (a directory tree under
 * tests/machines/) can stand in for the real one.
 */
#ifndef COMMON_FS_H
#define COMMON_FS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct fs {
	int root_fd;
};

/* Opens `root` ("/" for the real machine). ERR_USAGE if it is no directory. */
int fs_open(struct fs *fs, const char *root, struct err *err);
void fs_close(struct fs *fs);

/*
 * Reads at most size - 1 bytes of the file at `path` (absolute paths are taken relative to the
 * root), ends them with NUL and strips the last newline. Returns the length or -1 with errno set.
 */
ssize_t fs_read(const struct fs *fs, const char *path, char *text, size_t size);

/* As fs_read, parsed as a decimal number; -1 with errno set (EINVAL when it is not a number). */
int fs_read_u64(const struct fs *fs, const char *path, uint64_t *value);

/* A whole file of any length in a malloc'd, NUL-ended buffer; NULL with errno set. */
char *fs_read_all(const struct fs *fs, const char *path, size_t *length);

/* Replaces the content of an existing file by the text, in one write(2); -1 with errno set. */
int fs_write(const struct fs *fs, const char *path, const char *text);

/* Whether the path exists under the root. */
int fs_exists(const struct fs *fs, const char *path);

/* mkdir -p; -1 with errno set. */
int fs_mkdir_parents(const char *path);

/*
 * Writes a file so that a reader sees the old or the new content and a power cut loses neither:
 * temporary name in the same directory, fsync, rename.
 */
int fs_replace(const char *path, const void *data, size_t length, struct err *err);

#endif
