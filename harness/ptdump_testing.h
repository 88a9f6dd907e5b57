/* SPDX-License-Identifier: MIT */
/*
 * For unit tests: a directory that stands in for / and tables built by hand.
 */
#ifndef HARNESS_PTDUMP_TESTING_H
#define HARNESS_PTDUMP_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fs.h"

struct fake_root {
	char path[64];
	struct fs fs;
};

static inline void fake_root_make(struct fake_root *root)
{
	strcpy(root->path, "/tmp/ptdump-test-XXXXXX");
	assert_non_null(mkdtemp(root->path));
	assert_int_equal(fs_open(&root->fs, root->path, NULL), 0);
}

static inline void fake_root_remove(struct fake_root *root)
{
	char command[128];

	fs_close(&root->fs);
	snprintf(command, sizeof(command), "rm -rf '%s'", root->path);
	assert_int_equal(system(command), 0);
}

static inline void fake_root_write(const struct fake_root *root, const char *path, const void *data,
				   size_t length)
{
	char full[256];
	char *slash;

	snprintf(full, sizeof(full), "%s/%s", root->path, path);
	slash = strrchr(full, '/');
	*slash = '\0';
	assert_int_equal(fs_mkdir_parents(full), 0);
	*slash = '/';
	assert_int_equal(fs_replace(full, data, length, NULL), 0);
}

static inline void fake_root_text(const struct fake_root *root, const char *path, const char *text)
{
	fake_root_write(root, path, text, strlen(text));
}

static inline void fake_root_directory(const struct fake_root *root, const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root->path, path);
	assert_int_equal(fs_mkdir_parents(full), 0);
}

#endif
