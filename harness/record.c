// SPDX-License-Identifier: MIT
#include "harness/record.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/fs.h"
#include "common/version.h"

/* Members that are null until a run fills them in, in the order in which the record shows them. */
static const char *const null_members[] = {
	"placement_plan", "machine",      "runtime_ns", "clock",        "metrics",       "work",
	"counters",       "verification", "placement",  "interference", "fragmentation",
};

void record_time(char text[RECORD_TIME_MAX], const char *format)
{
	const time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	if (strftime(text, RECORD_TIME_MAX, format, &utc) == 0)
		text[0] = '\0';
}

static json_t *string_array(char *const *strings, int n)
{
	json_t *array = json_array();

	for (int i = 0; i < n; i++) {
		/* A command line may hold any bytes; JSON holds UTF-8. */
		json_t *string = json_string(strings[i]);

		json_array_append_new(array, string ? string : json_string("(not a UTF-8 text)"));
	}
	return array;
}

/* The program's name stands before its arguments, which begin with the command. */
static json_t *command_line(const struct record_start *start)
{
	json_t *command = string_array(start->command, start->nr_command);

	json_array_insert_new(command, 0, json_string("harness"));
	return command;
}

static json_t *skeleton(const struct record_start *start)
{
	char now[RECORD_TIME_MAX];

	record_time(now, "%Y-%m-%dT%H:%M:%SZ");
	return json_pack(
		"{s:i, s:{s:s, s:s}, s:s, s:s, s:o, s:s,"
		" s:{s:s, s:o, s:{}, s:n, s:n, s:n, s:n}, s:s, s:{s:I, s:I}, s:[]}",
		"schema_version", RECORD_SCHEMA_VERSION, "suite", "version", suite_version,
		"commit", suite_commit, "id", start->id, "started_at",
		start->started_at ? start->started_at : now, "command", command_line(start),
		"provenance", "measured", "workload", "name", start->workload, "arguments",
		string_array(start->arguments, start->nr_arguments), "options", "seed", "threads",
		"footprint_bytes", "preset", "config", start->config, "repeat", "index",
		(json_int_t)start->repeat_index, "of", (json_int_t)start->repeat_of, "phases");
}

json_t *record_new(const struct record_start *start)
{
	json_t *record = skeleton(start);
	const size_t n = sizeof(null_members) / sizeof(null_members[0]);

	if (!record)
		return NULL;
	for (size_t i = 0; i < n; i++)
		json_object_set_new(record, null_members[i], json_null());
	json_object_set_new(record, "page_tables",
			    json_pack("{s:n, s:n, s:s}", "ready", "done", "reason",
				      "the run did not get that far"));
	json_object_set_new(record, "exit",
			    json_pack("{s:s, s:i, s:s}", "status", "failed", "code", ERR_INTERNAL,
				      "reason", "the harness was stopped before the run ended"));
	json_object_set_new(record, "files", json_array());
	return record;
}

void record_phase(json_t *record, const char *name, uint64_t duration_ns)
{
	json_array_append_new(
		json_object_get(record, "phases"),
		json_pack("{s:s, s:I}", "name", name, "duration_ns", (json_int_t)duration_ns));
}

void record_exit(json_t *record, const struct err *err)
{
	const char *status = err->kind == ERR_NONE          ? "ok"
			     : err->kind == ERR_INTERRUPTED ? "interrupted"
							    : "failed";

	json_object_set_new(record, "exit",
			    json_pack("{s:s, s:i, s:s?}", "status", status, "code", err->kind,
				      "reason", err->kind == ERR_NONE ? NULL : err->text));
}

static int is_log(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strncmp(entry->d_name, RECORD_FILE, 8) != 0;
}

static json_t *list_files(const char *directory)
{
	struct dirent **entries = NULL;
	const int n = scandir(directory, &entries, is_log, alphasort);
	json_t *files = json_array();

	for (int i = 0; i < n; i++) {
		char path[4096];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			json_array_append_new(files, json_string(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return files;
}

int record_write(json_t *record, const char *directory, struct err *err)
{
	char path[4096];
	char *text;
	int failed;

	json_object_set_new(record, "files", list_files(directory));
	text = json_dumps(record, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	if (!text)
		return err_set(err, ERR_INTERNAL, "out of memory for the record");
	snprintf(path, sizeof(path), "%s/%s", directory, RECORD_FILE);
	failed = fs_replace(path, text, strlen(text), err);
	free(text);
	return failed;
}

json_t *record_read(const char *path, struct err *err)
{
	json_error_t error;
	json_t *record = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	const json_int_t version = json_integer_value(json_object_get(record, "schema_version"));

	if (json_is_object(record) && version == RECORD_SCHEMA_VERSION)
		return record;
	json_decref(record);
	if (!record)
		err_set(err, ERR_RUN, "'%s' is no run record: %s", path, error.text);
	else
		err_set(err, ERR_RUN, "'%s' is no run record of schema %d", path,
			RECORD_SCHEMA_VERSION);
	return NULL;
}

json_t *record_get(const json_t *record, const char *path)
{
	char name[64];

	while (record) {
		const size_t length = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		record = json_object_get(record, name);
		if (path[length] == '\0')
			break;
		path += length + 1;
	}
	return (json_t *)record;
}

json_t *record_primary_metric(const json_t *record)
{
	json_t *metrics = json_object_get(record, "metrics");
	json_t *metric;
	size_t i;

	json_array_foreach (metrics, i, metric) {
		if (json_is_true(json_object_get(metric, "primary")))
			return metric;
	}
	return NULL;
}
