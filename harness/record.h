/* SPDX-License-Identifier: MIT */
/*
 * The run record (docs/RECORD.md): a JSON object that has every member from the start, null where
 * nothing is known yet, so that a run that fails anywhere leaves a complete record. Steps of a run
 * fill it in with json_object_set_new(); the functions here are for what has rules.
 */
#ifndef HARNESS_RECORD_H
#define HARNESS_RECORD_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"

#define RECORD_SCHEMA_VERSION 1
#define RECORD_FILE           "run.json"

struct record_start {
	const char *id;
	const char *started_at; /* NULL: now */
	char *const *command;   /* argv after the name of the program */
	int nr_command;
	const char *workload;
	char *const *arguments; /* of the workload */
	int nr_arguments;
	const char *config;
	int64_t repeat_index, repeat_of; /* from 1 */
};

/* A new reference; NULL without memory. Its exit says that the run did not come to an end. */
json_t *record_new(const struct record_start *start);

/* Appends {"name", "duration_ns"} to the phases. */
void record_phase(json_t *record, const char *name, uint64_t duration_ns);

/* Fills in exit: "ok" for an err that is not set, else the kind's status and the reason. */
void record_exit(json_t *record, const struct err *err);

/* Lists the files of the directory in "files", and writes run.json in a way that survives a crash.
 */
int record_write(json_t *record, const char *directory, struct err *err);

/* Reads a record; ERR_RUN when it is none or has another schema_version. */
json_t *record_read(const char *path, struct err *err);

/* The member at "a.b.c", or NULL. */
json_t *record_get(const json_t *record, const char *path);

/* The primary metric, or NULL. */
json_t *record_primary_metric(const json_t *record);

/* "2026-11-22T06:39:13Z" */
#define RECORD_TIME_MAX 32
void record_time(char text[RECORD_TIME_MAX], const char *format);

#endif
