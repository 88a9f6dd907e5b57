// SPDX-License-Identifier: MIT
#include "harness/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/record.h"

static char root[] = "/tmp/results-test.XXXXXX";

static json_t *record_of(const char *id, int repeat, const char *status)
{
	const struct record_start start = {
		.id = id,
		.workload = "gups",
		.config = "RP-LD",
		.repeat_index = repeat,
		.repeat_of = 3,
	};
	json_t *record = record_new(&start);

	json_object_set_new(json_object_get(record, "workload"), "options",
			    json_pack("{s:i}", "size", 1 << 20));
	json_object_set_new(json_object_get(record, "workload"), "seed", json_integer(1));
	json_object_set_new(
		record, "machine",
		json_pack("{s:s, s:s, s:f}", "kind", "emu", "name", "emu:x", "scale", 64.0 / 3));
	json_object_set_new(json_object_get(record, "exit"), "status", json_string(status));
	return record;
}

static void store(json_t *record, const char *id)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, id);
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(record_write(record, path, NULL), 0);
	json_decref(record);
}

static const char *find(const json_t *records, json_t *wanted)
{
	json_t *identity = results_identity(wanted, true);
	const char *id = results_find(records, identity, true);

	json_decref(identity);
	json_decref(wanted);
	return id;
}

static void same_run_is_found_and_no_other(void **state)
{
	json_t *records, *other;

	(void)state;
	store(record_of("one", 1, "ok"), "one");
	store(record_of("two", 2, "failed"), "two");
	records = results_scan(root);
	assert_int_equal(json_array_size(records), 2);
	assert_string_equal(find(records, record_of("", 1, "?")), "one");
	assert_null(find(records, record_of("", 2, "?"))); /* it failed */
	assert_null(find(records, record_of("", 3, "?"))); /* it never ran */

	other = record_of("", 1, "?");
	json_object_set_new(other, "config", json_string("LP-LD"));
	assert_null(find(records, other));
	other = record_of("", 1, "?");
	json_object_set_new(json_object_get(other, "machine"), "name", json_string("emu:y"));
	assert_null(find(records, other));
	other = record_of("", 1, "?");
	json_object_set_new(json_object_get(other, "machine"), "scale", json_real(64));
	assert_null(find(records, other));
	other = record_of("", 1, "?");
	json_object_set_new(json_object_get(other, "workload"), "options",
			    json_pack("{s:i}", "size", 1 << 21));
	assert_null(find(records, other));
	json_decref(records);
}

static void names_are_unique(void **state)
{
	char first[PATHS_MAX], second[PATHS_MAX], id[RESULTS_ID_MAX];
	struct stat st;

	(void)state;
	assert_int_equal(results_create(root, "my prog/ram", "LP-LD", 1, first, id, NULL), 0);
	assert_int_equal(results_create(root, "my prog/ram", "LP-LD", 1, second, id, NULL), 0);
	assert_string_not_equal(first, second);
	assert_non_null(strstr(first, "-my_prog_ram-LP-LD-r1"));
	assert_int_equal(stat(second, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
}

static void full_disk_is_said_before_the_run(void **state)
{
	char directory[PATHS_MAX], id[RESULTS_ID_MAX], small[64];
	struct err err = {0};

	(void)state;
	snprintf(small, sizeof(small), "%s/small", root);
	mkdir(small, 0777);
	if (mount("tmpfs", small, "tmpfs", 0, "size=32k") != 0)
		skip();
	assert_int_equal(results_create(small, "gups", "LP-LD", 1, directory, id, &err), -1);
	umount(small);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "No space left on device"));
	assert_non_null(strstr(err.text, "--results"));
}

static void place_that_cannot_be_made_is_an_error(void **state)
{
	char directory[PATHS_MAX], id[RESULTS_ID_MAX];
	struct err err = {0};

	(void)state;
	assert_int_equal(results_create("/proc/results", "gups", "F", 1, directory, id, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
}

static int make_root(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_run_is_found_and_no_other),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(full_disk_is_said_before_the_run),
		cmocka_unit_test(place_that_cannot_be_made_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
