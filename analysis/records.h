/* SPDX-License-Identifier: MIT */
/*
 * Run records (docs/RECORD.md) found below directories, as plain values.
 *
 * Strings are borrowed from the record's JSON and never NULL ("" when absent); numbers that the
 * record does not have are NAN.
 */
#ifndef ANALYSIS_RECORDS_H
#define ANALYSIS_RECORDS_H

#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"

#define RECORD_SCHEMA 1

struct record {
	char *path;   /* of run.json, as it was found */
	json_t *json; /* the whole record */

	const char *id, *started_at, *suite_version, *suite_commit;
	bool modelled; /* provenance */
	const char *machine_kind, *machine_name, *profile, *cpu_model, *kernel;
	double scale;

	const char *workload, *preset, *config, *baseline;
	char *options, *arguments; /* "key=value key=value", sorted; words joined by spaces */
	char *seed;
	double threads, footprint_bytes, repeat_index;
	bool virtual_machine; /* page tables are nested: compared with vMitosis */

	const char *clock;
	double runtime_ns, setup_ns, migrate_ns;
	const char *metric_name, *metric_unit;
	double metric_value;
	const char *counters_source;
	double cycles, walk_cycles, walk_fraction;

	const char *verification, *placement, *placement_detail;
	double data_off_fraction, page_tables_off_fraction;
	const char *exit_status, *exit_reason;
	double exit_code;

	char *unused;    /* why the run is in no bar; NULL when it is */
	bool incomplete; /* it failed before it was known what it would have been */
};

/* A file that is named run.json and could not be used at all. */
struct record_refusal {
	char *path, *reason;
};

struct records {
	struct record *items; /* ascending by path */
	int nr;
	struct record_refusal *refused;
	int nr_refused;
};

/*
 * Searches the directories (or takes the file, where a path is one). A record that is garbage or
 * newer is a refusal, not an error. ERR_USAGE for a path that does not exist and when there is no
 * record that could be used.
 */
int records_load(const char *const *paths, int nr_paths, struct records *records, struct err *err);
void records_free(struct records *records);

/* The page-table dump to show: of the end of the run, or of its start; NULL. `which` may be NULL.
 */
const json_t *run_record_dump(const struct record *record, const char **which);

/* Whether two names are one config: "RPI-LD+M", "RPI-LDM" and "rpildm" are. */
bool same_config(const char *a, const char *b);

#endif
