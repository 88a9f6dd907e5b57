// SPDX-License-Identifier: MIT
#include "harness/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/record-test.XXXXXX";

static json_t *fresh_record(void)
{
	static char *const command[] = {"run", "gups", "LP-LD"};
	static char *const arguments[] = {"--size", "1G"};
	const struct record_start start = {
		.id = "20261122T000000Z-gups-LP-LD-r1",
		.started_at = "2026-11-22T00:00:00Z",
		.command = command,
		.nr_command = 3,
		.workload = "gups",
		.arguments = arguments,
		.nr_arguments = 2,
		.config = "LP-LD",
		.repeat_index = 2,
		.repeat_of = 5,
	};

	return record_new(&start);
}

/* Every member of docs/RECORD.md is there before anything is known, and says so. */
static const char golden[] =
	"{\"schema_version\":1,\"suite\":{\"version\":\"V\",\"commit\":\"C\"},"
	"\"id\":\"20261122T000000Z-gups-LP-LD-r1\",\"started_at\":\"2026-11-22T00:00:00Z\","
	"\"command\":[\"harness\",\"run\",\"gups\",\"LP-LD\"],\"provenance\":\"measured\","
	"\"workload\":{\"name\":\"gups\",\"arguments\":[\"--size\",\"1G\"],\"options\":{},"
	"\"seed\":null,\"threads\":null,\"footprint_bytes\":null,\"preset\":null},"
	"\"config\":\"LP-LD\",\"repeat\":{\"index\":2,\"of\":5},\"phases\":[],"
	"\"placement_plan\":null,\"machine\":null,\"runtime_ns\":null,\"clock\":null,"
	"\"metrics\":null,\"work\":null,\"counters\":null,\"verification\":null,"
	"\"placement\":null,\"interference\":null,\"fragmentation\":null,"
	"\"page_tables\":{\"ready\":null,\"done\":null,"
	"\"reason\":\"the run did not get that far\"},"
	"\"exit\":{\"status\":\"failed\",\"code\":1,"
	"\"reason\":\"the harness was stopped before the run ended\"},\"files\":[]}";

static void new_record_is_complete(void **state)
{
	json_t *record = fresh_record();
	char *text;

	(void)state;
	json_object_set_new(record, "suite",
			    json_pack("{s:s, s:s}", "version", "V", "commit", "C"));
	text = json_dumps(record, JSON_COMPACT);
	assert_string_equal(text, golden);
	free(text);
	json_decref(record);
}

static void exit_says_how_it_ended(void **state)
{
	static const struct {
		enum err_kind kind;
		const char *status;
	} rows[] = {
		{ERR_NONE, "ok"},         {ERR_MACHINE, "failed"},
		{ERR_RUN, "failed"},      {ERR_INTERRUPTED, "interrupted"},
		{ERR_INTERNAL, "failed"},
	};
	json_t *record = fresh_record();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {.kind = rows[i].kind, .text = "why"};

		record_exit(record, &err);
		assert_string_equal(json_string_value(record_get(record, "exit.status")),
				    rows[i].status);
		assert_int_equal(json_integer_value(record_get(record, "exit.code")), rows[i].kind);
		assert_int_equal(json_is_null(record_get(record, "exit.reason")),
				 rows[i].kind == ERR_NONE);
	}
	json_decref(record);
}

static void written_record_lists_its_files(void **state)
{
	char path[128];
	json_t *record = fresh_record(), *again;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/driver-stderr.log", directory);
	file = fopen(path, "w");
	fclose(file);
	record_phase(record, "setup", UINT64_C(5000000000));
	assert_int_equal(record_write(record, directory, NULL), 0);
	snprintf(path, sizeof(path), "%s/" RECORD_FILE, directory);
	again = record_read(path, NULL);
	assert_non_null(again);
	assert_true(json_equal(again, record));
	assert_int_equal(json_array_size(json_object_get(again, "files")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(again, "files"), 0)),
			    "driver-stderr.log");
	json_decref(again);
	json_decref(record);
}

static void unwritable_place_is_an_error(void **state)
{
	json_t *record = fresh_record();
	struct err err = {0};

	(void)state;
	assert_int_equal(record_write(record, "/proc/no-such-directory", &err), -1);
	assert_non_null(strstr(err.text, "run.json"));
	json_decref(record);
}

static void other_schemas_are_not_read(void **state)
{
	static const char *const texts[] = {"{\"schema_version\": 2}", "[]", "{", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char path[128];
		struct err err = {0};
		FILE *file;

		snprintf(path, sizeof(path), "%s/other.json", directory);
		file = fopen(path, "w");
		fputs(texts[i], file);
		fclose(file);
		assert_null(record_read(path, &err));
		assert_int_equal(err.kind, ERR_RUN);
		unlink(path);
	}
}

static void primary_metric_is_found(void **state)
{
	json_t *record = fresh_record();

	(void)state;
	assert_null(record_primary_metric(record));
	json_object_set_new(record, "metrics",
			    json_pack("[{s:s, s:b}, {s:s, s:b}]", "name", "a", "primary", 0, "name",
				      "b", "primary", 1));
	assert_string_equal(
		json_string_value(json_object_get(record_primary_metric(record), "name")), "b");
	json_decref(record);
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_record_is_complete),
		cmocka_unit_test(exit_says_how_it_ended),
		cmocka_unit_test(written_record_lists_its_files),
		cmocka_unit_test(unwritable_place_is_an_error),
		cmocka_unit_test(other_schemas_are_not_read),
		cmocka_unit_test(primary_metric_is_found),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
