// SPDX-License-Identifier: MIT
#include "harness/results.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/fs.h"
#include "harness/record.h"

#define PROBE_BYTES       65536 /* more than any record; a disk without that is full */
#define SAME_SECOND_TRIES 10000
#define REPEAT_MEMBER     7 /* of the identity array */

/* A program's name may hold anything; a directory's name should be easy to type. */
static void make_safe(char *name)
{
	for (; *name; name++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-",
			    *name))
			*name = '_';
	}
}

/* 0, or the errno that a record of any size would meet. */
static int try_write(const char *path)
{
	static const char block[PROBE_BYTES];
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n;
	int failed = 0;

	if (fd < 0)
		return errno;
	n = write(fd, block, sizeof(block));
	if (n < 0)
		failed = errno;
	else if (n < (ssize_t)sizeof(block))
		failed = ENOSPC;
	else if (fsync(fd) != 0)
		failed = errno;
	close(fd);
	unlink(path);
	return failed;
}

static int probe(const char *directory, struct err *err)
{
	char path[PATHS_MAX + 16];
	int failed;

	snprintf(path, sizeof(path), "%s/.probe", directory);
	failed = try_write(path);
	if (failed == 0)
		return 0;
	return err_set_errno(err, ERR_MACHINE, failed,
			     "cannot write results to '%s' (--results DIR takes another place)",
			     directory);
}

static int make_directory(const char *directory, struct err *err)
{
	if (fs_mkdir_parents(directory) == 0)
		return 0;
	return err_set_errno(err, ERR_MACHINE, errno,
			     "cannot make '%s' (--results DIR takes another place)", directory);
}

int results_use(const char *directory, struct err *err)
{
	if (make_directory(directory, err) != 0)
		return -1;
	return probe(directory, err);
}

int results_create(const char *results, const char *workload, const char *config, int64_t repeat,
		   char directory[PATHS_MAX], char id[RESULTS_ID_MAX], struct err *err)
{
	char now[RECORD_TIME_MAX], base[RESULTS_ID_MAX - 8];

	if (make_directory(results, err) != 0)
		return -1;
	record_time(now, "%Y%m%dT%H%M%SZ");
	snprintf(base, sizeof(base), "%s-%.64s-%s-r%lld", now, workload, config, (long long)repeat);
	make_safe(base);
	for (int n = 1; n < SAME_SECOND_TRIES; n++) {
		if (n == 1)
			snprintf(id, RESULTS_ID_MAX, "%s", base);
		else
			snprintf(id, RESULTS_ID_MAX, "%.*s-%d", RESULTS_ID_MAX - 16, base, n);
		if (snprintf(directory, PATHS_MAX, "%s/%s", results, id) >= PATHS_MAX)
			return err_set(err, ERR_USAGE, "the path of --results is too long");
		if (mkdir(directory, 0777) == 0) {
			if (probe(directory, err) == 0)
				return 0;
			rmdir(directory);
			return -1;
		}
		if (errno != EEXIST)
			break;
	}
	return err_set_errno(err, ERR_MACHINE, errno,
			     "cannot make '%s' (--results DIR takes another place)", directory);
}

/* From started_at to the last write of the record, as "wall_ns" of the copy in memory. */
static void add_wall_time(json_t *record, const char *path)
{
	const char *started_at = json_string_value(json_object_get(record, "started_at"));
	struct tm utc = {0};
	struct stat st;
	time_t started;

	if (!started_at || !strptime(started_at, "%Y-%m-%dT%H:%M:%SZ", &utc) ||
	    stat(path, &st) != 0)
		return;
	started = timegm(&utc);
	if (st.st_mtime >= started)
		json_object_set_new(record, "wall_ns",
				    json_integer((json_int_t)(st.st_mtime - started) * 1000000000));
}

json_t *results_scan(const char *results)
{
	json_t *records = json_array();
	DIR *directory = opendir(results);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)) != NULL) {
		char path[PATHS_MAX];
		json_t *record;

		if (entry->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s/%s", results, entry->d_name, RECORD_FILE) >=
			    (int)sizeof(path) ||
		    access(path, R_OK) != 0)
			continue;
		record = record_read(path, NULL);
		if (!record)
			continue;
		add_wall_time(record, path);
		json_array_append_new(records, record);
	}
	if (directory)
		closedir(directory);
	return records;
}

/* A member of a record, or null; a new reference. A fraction is compared by six digits, because it
 * has been through text. */
static json_t *member(const json_t *record, const char *path)
{
	json_t *value = record_get(record, path);

	if (json_is_real(value))
		return json_sprintf("%.6g", json_real_value(value));
	return value ? json_incref(value) : json_null();
}

json_t *results_identity(const json_t *record, bool with_scale)
{
	static const char *const members[] = {
		"workload.name",
		"workload.options",
		"workload.seed",
		"workload.threads",
		"config",
		"placement_plan.local_node",
		"placement_plan.remote_node",
		[REPEAT_MEMBER] = "repeat.index",
		"machine.kind",
		"machine.name",
		"machine.scale",
	};
	json_t *identity = json_array();
	const size_t n = sizeof(members) / sizeof(members[0]) - !with_scale;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(identity, member(record, members[i]));
	return identity;
}

static bool succeeded(const json_t *record)
{
	const char *status = json_string_value(record_get(record, "exit.status"));

	return status && strcmp(status, "ok") == 0;
}

const char *results_find(const json_t *records, const json_t *identity, bool with_scale)
{
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record) {
		json_t *other = results_identity(record, with_scale);
		const bool same = json_equal(other, identity);

		json_decref(other);
		if (same && succeeded(record))
			return json_string_value(json_object_get(record, "id"));
	}
	return NULL;
}

uint64_t results_estimate_ns(const json_t *records, const json_t *identity, bool with_scale)
{
	uint64_t sum = 0, n = 0;
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record) {
		json_t *other = results_identity(record, with_scale);

		json_array_set(other, REPEAT_MEMBER, json_array_get(identity, REPEAT_MEMBER));
		if (succeeded(record) && json_equal(other, identity)) {
			sum += (uint64_t)json_integer_value(json_object_get(record, "wall_ns"));
			n++;
		}
		json_decref(other);
	}
	return n ? sum / n : 0;
}
