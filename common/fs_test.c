// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fs.h"

struct tree {
	char directory[64];
	struct fs fs;
};

static int make_tree(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	struct err err = {0};

	strcpy(tree->directory, "/tmp/fs_test.XXXXXX");
	if (!mkdtemp(tree->directory))
		return -1;
	*state = tree;
	return fs_open(&tree->fs, tree->directory, &err);
}

static int remove_tree(void **state)
{
	struct tree *tree = *state;
	char command[128];
	int status;

	fs_close(&tree->fs);
	snprintf(command, sizeof(command), "rm -rf '%s'", tree->directory);
	status = system(command);
	free(tree);
	return status;
}

static void path_in(const struct tree *tree, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", tree->directory, name);
}

static void absolute_paths_stay_below_the_root(void **state)
{
	struct tree *tree = *state;
	struct err err = {0};
	char path[128], text[64];
	uint64_t value = 0;

	path_in(tree, "sys/kernel", path);
	assert_int_equal(fs_mkdir_parents(path), 0);
	assert_int_equal(fs_mkdir_parents(path), 0);
	path_in(tree, "sys/kernel/knob", path);
	assert_int_equal(fs_replace(path, "42\n", 3, &err), 0);
	assert_int_equal(fs_read(&tree->fs, "/sys/kernel/knob", text, sizeof(text)), 2);
	assert_string_equal(text, "42");
	assert_int_equal(fs_read_u64(&tree->fs, "/sys/kernel/knob", &value), 0);
	assert_int_equal(value, 42);
	assert_int_equal(fs_write(&tree->fs, "/sys/kernel/knob", "43x"), 0);
	assert_int_equal(fs_read_u64(&tree->fs, "/sys/kernel/knob", &value), -1);
	assert_int_equal(errno, EINVAL);
	assert_false(fs_exists(&tree->fs, "/etc/passwd"));
}

static void whole_files_of_any_length(void **state)
{
	struct tree *tree = *state;
	struct err err = {0};
	const size_t length = 100000;
	char *data = malloc(length), *back, path[128];
	size_t got = 0;

	memset(data, 'a', length);
	path_in(tree, "large", path);
	assert_int_equal(fs_replace(path, data, length, &err), 0);
	back = fs_read_all(&tree->fs, "large", &got);
	assert_non_null(back);
	assert_int_equal(got, length);
	assert_memory_equal(back, data, length);
	free(back);
	free(data);
}

static void replace_leaves_no_temporary_file(void **state)
{
	struct tree *tree = *state;
	struct err err = {0};
	char path[128], command[192];

	path_in(tree, "absent/file", path);
	assert_int_equal(fs_replace(path, "x", 1, &err), -1);
	assert_int_equal(err.kind, ERR_INTERNAL);
	path_in(tree, "directory", path);
	assert_int_equal(mkdir(path, 0777), 0);
	err_clear(&err);
	assert_int_equal(fs_replace(path, "x", 1, &err), -1);
	snprintf(command, sizeof(command), "test \"$(ls '%s')\" = directory", tree->directory);
	assert_int_equal(system(command), 0);
}

static void a_root_must_exist(void **state)
{
	struct err err = {0};
	struct fs fs;

	(void)state;
	assert_int_equal(fs_open(&fs, "/no/such/machine", &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "/no/such/machine"));
}

#define FS_TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, remove_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FS_TEST(absolute_paths_stay_below_the_root),
		FS_TEST(whole_files_of_any_length),
		FS_TEST(replace_leaves_no_temporary_file),
		cmocka_unit_test(a_root_must_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
