/* SPDX-License-Identifier: MIT */
/* For the unit tests only: a directory of made-up run records. */
#ifndef ANALYSIS_FIXTURE_H
#define ANALYSIS_FIXTURE_H

#include <fts.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fs.h"

struct fixture {
	char directory[64];
	int nr;
};

static inline void fixture_open(struct fixture *fixture)
{
	strcpy(fixture->directory, "/tmp/analysis-test-XXXXXX");
	fixture->nr = 0;
	if (!mkdtemp(fixture->directory))
		abort();
}

static inline void fixture_close(struct fixture *fixture)
{
	char *const roots[] = {fixture->directory, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (tree && (entry = fts_read(tree)) != NULL)
		if (entry->fts_info != FTS_D)
			remove(entry->fts_accpath);
	fts_close(tree);
}

/* A text at directory/path, with the directories it needs. */
static inline void fixture_text(struct fixture *fixture, const char *path, const char *text)
{
	char full[512];
	struct err err = {0};

	snprintf(full, sizeof(full), "%s/%s", fixture->directory, path);
	*strrchr(full, '/') = '\0';
	if (fs_mkdir_parents(full) != 0)
		abort();
	full[strlen(full)] = '/';
	if (fs_replace(full, text, strlen(text), &err) != 0)
		abort();
}

struct fixture_run {
	const char *workload, *config, *baseline; /* NULL: LP-LD */
	double runtime_ns, walk_fraction;
	bool modelled;
	const char *exit, *reason; /* NULL: ok */
	const char *verification;  /* NULL: pass */
	const char *placement;     /* NULL: ok */
	const char *machine;       /* NULL: by provenance */
	int size;                  /* option of the workload */
};

static inline json_t *fixture_machine(const struct fixture_run *run)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[{s:i, s:I, s:[i], s:[i, i]}, {s:i, s:I, s:[i], "
			 "s:[i, i]}]}",
			 "kind", run->modelled ? "emu" : "native", "name",
			 run->machine    ? run->machine
			 : run->modelled ? "emu:two-sockets"
					 : "box",
			 "cpu_model", "Test CPU", "kernel", "6.12.0-test", "nodes", "id", 0,
			 "memory_bytes", (json_int_t)1 << 30, "cpus", 0, "distances", 10, 21, "id",
			 1, "memory_bytes", (json_int_t)1 << 30, "cpus", 1, "distances", 21, 10);
}

static inline json_t *fixture_plan(const struct fixture_run *run)
{
	return json_pack("{s:[i], s:{s:s, s:[i]}, s:{s:s, s:i, s:b}, s:{s:s, s:n}, s:n, s:n, s:b, "
			 "s:b, s:b, s:s}",
			 "cpu_nodes", 0, "data", "policy", "bind", "nodes",
			 strstr(run->config, "-RD") != NULL, "page_tables", "policy", "bind",
			 "node", strstr(run->config, "RP") != NULL, "replicated", 0, "migration",
			 "how", "none", "node", "interference", "extended_page_tables", "thp", 0,
			 "autonuma", 0, "fragment", 0, "baseline",
			 run->baseline ? run->baseline : "LP-LD");
}

static inline json_t *fixture_dump(void)
{
	return json_pack("{s:i, s:{s:[i, i], s:[i, i]}, s:[{s:i, s:f}, {s:i, s:f}]}", "nr_nodes", 2,
			 "table_pages", "PD", 1, 2, "PT", 30, 4, "seen_from", "node", 0,
			 "local_leaf_fraction", 0.875, "node", 1, "local_leaf_fraction", 0.125);
}

static inline json_t *fixture_counters(const struct fixture_run *run)
{
	const double cycles = run->runtime_ns * 2;

	return json_pack("{s:s, s:n, s:[{s:s, s:s, s:f, s:s}, {s:s, s:s, s:f, s:s}], s:[]}",
			 "source", run->modelled ? "model" : "perf_event", "note", "events", "name",
			 "cycles", "event", "cycles", "value", cycles, "unit", "cycles", "name",
			 "walk_cycles", "event", "walks", "value", cycles * run->walk_fraction,
			 "unit", "cycles", "derived");
}

/* A complete record; the caller may change it and owns it. */
static inline json_t *fixture_record(const struct fixture_run *run, int index)
{
	json_t *record = json_pack("{s:i, s:{s:s, s:s}, s:s++, s:s, s:[s, s, s, s], s:s, s:s}",
				   "schema_version", 1, "suite", "version", "0.1.0", "commit",
				   "c0ffee", "id", run->workload, "-", run->config, "started_at",
				   "2026-01-01T00:00:00Z", "command", "bin/harness", "run",
				   run->workload, run->config, "provenance",
				   run->modelled ? "modelled" : "measured", "config", run->config);

	json_object_set_new(record, "workload",
			    json_pack("{s:s, s:[], s:{s:i}, s:i, s:i, s:i, s:n}", "name",
				      run->workload, "arguments", "options", "size", run->size,
				      "seed", 7, "threads", 1, "footprint_bytes", 4096, "preset"));
	json_object_set_new(record, "machine", fixture_machine(run));
	json_object_set_new(record, "placement_plan", fixture_plan(run));
	json_object_set_new(record, "counters", fixture_counters(run));
	json_object_set_new(record, "runtime_ns", json_integer((json_int_t)run->runtime_ns));
	json_object_set_new(record, "clock",
			    json_string(run->modelled ? "model" : "monotonic_raw"));
	json_object_set_new(record, "repeat", json_pack("{s:i, s:i}", "index", index, "of", 3));
	json_object_set_new(
		record, "page_tables",
		json_pack("{s:n, s:o, s:n}", "ready", "done", fixture_dump(), "reason"));
	json_object_set_new(record, "verification",
			    json_pack("{s:s, s:s}", "status",
				      run->verification ? run->verification : "pass", "detail",
				      "3 of 9 words are wrong"));
	json_object_set_new(record, "placement",
			    json_pack("{s:s, s:s, s:f, s:f}", "status",
				      run->placement ? run->placement : "ok", "detail", "as wanted",
				      "data_off_fraction", 0.001, "page_tables_off_fraction",
				      0.004));
	json_object_set_new(record, "exit",
			    json_pack("{s:s, s:i, s:s?}", "status", run->exit ? run->exit : "ok",
				      "code", run->exit ? 4 : 0, "reason", run->reason));
	return record;
}

/* Writes the record into a directory of its own; takes the reference. */
static inline void fixture_write(struct fixture *fixture, json_t *record)
{
	char path[64];
	char *text = json_dumps(record, JSON_INDENT(1));

	snprintf(path, sizeof(path), "campaign/run-%03d/run.json", fixture->nr++);
	fixture_text(fixture, path, text);
	free(text);
	json_decref(record);
}

/* `nr` repetitions, 1% apart around the given runtime. */
static inline void fixture_runs(struct fixture *fixture, struct fixture_run run, int nr)
{
	const double middle = run.runtime_ns;

	for (int i = 0; i < nr; i++) {
		run.runtime_ns = middle * (1 + 0.01 * (i - nr / 2));
		fixture_write(fixture, fixture_record(&run, i));
	}
}

#endif
