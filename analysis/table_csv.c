// SPDX-License-Identifier: MIT
#include "analysis/table_csv.h"

#include <math.h>
#include <string.h>

#include "analysis/csv.h"
#include "analysis/dump.h"

static void print_header(struct csv *csv, const char *const *names)
{
	for (; *names; names++)
		csv_text(csv, *names);
}

static const char *provenance_name(const struct record *record)
{
	return record->modelled ? "modelled" : "measured";
}

/* The columns that runs, bars and comparisons have in common, so that files can be joined. */
static const char *const key_columns[] = {
	"provenance", "machine_kind", "machine_name", "profile",  "scale",
	"cpu_model",  "kernel",       "workload",     "preset",   "options",
	"arguments",  "threads",      "config",       "baseline", NULL,
};

static void print_key(struct csv *csv, const struct record *record)
{
	csv_text(csv, provenance_name(record));
	csv_text(csv, record->machine_kind);
	csv_text(csv, record->machine_name);
	csv_text(csv, record->profile);
	csv_real(csv, record->scale);
	csv_text(csv, record->cpu_model);
	csv_text(csv, record->kernel);
	csv_text(csv, record->workload);
	csv_text(csv, record->preset);
	csv_text(csv, record->options);
	csv_text(csv, record->arguments);
	csv_count(csv, record->threads);
	csv_text(csv, record->config);
	csv_text(csv, record->baseline);
}

/* --- runs.csv --------------------------------------------------------------------------------- */

static const char *const run_columns[] = {
	"used",
	"unused_reason",
	"repeat_index",
	"seed",
	"footprint_bytes",
	"clock",
	"runtime_ns",
	"setup_ns",
	"migrate_ns",
	"metric_name",
	"metric_unit",
	"metric_value",
	"counters_source",
	"cycles",
	"walk_cycles",
	"walk_fraction",
	"verification_status",
	"placement_status",
	"data_off_fraction",
	"page_tables_off_fraction",
	"exit_status",
	"exit_code",
	"exit_reason",
	"started_at_utc",
	"suite_version",
	"suite_commit",
	"page_table_dump",
	"table_pages",
	NULL,
};

static int highest_nodes(const struct table *table)
{
	int highest = 0;

	for (int i = 0; i < table->nr_runs; i++) {
		const int nodes = dump_nodes(run_record_dump(table->runs[i], NULL));

		if (nodes > highest)
			highest = nodes;
	}
	return highest;
}

static void print_run(struct csv *csv, const struct record *run, int nr_nodes)
{
	const char *which = NULL;
	const json_t *dump = run_record_dump(run, &which);

	csv_text(csv, run->id);
	print_key(csv, run);
	csv_text(csv, run->unused ? "no" : "yes");
	csv_text(csv, run->unused);
	csv_count(csv, run->repeat_index);
	csv_text(csv, run->seed);
	csv_count(csv, run->footprint_bytes);
	csv_text(csv, run->clock);
	csv_count(csv, run->runtime_ns);
	csv_count(csv, run->setup_ns);
	csv_count(csv, run->migrate_ns);
	csv_text(csv, run->metric_name);
	csv_text(csv, run->metric_unit);
	csv_real(csv, run->metric_value);
	csv_text(csv, run->counters_source);
	csv_count(csv, run->cycles);
	csv_count(csv, run->walk_cycles);
	csv_real(csv, run->walk_fraction);
	csv_text(csv, run->verification);
	csv_text(csv, run->placement);
	csv_real(csv, run->data_off_fraction);
	csv_real(csv, run->page_tables_off_fraction);
	csv_text(csv, run->exit_status);
	csv_count(csv, run->exit_code);
	csv_text(csv, run->exit_reason);
	csv_text(csv, run->started_at);
	csv_text(csv, run->suite_version);
	csv_text(csv, run->suite_commit);
	csv_text(csv, which);
	csv_count(csv, dump_table_pages(dump, -1));
	for (int node = 0; node < nr_nodes; node++)
		csv_count(csv, dump_table_pages(dump, node));
	csv_text(csv, run->path);
	csv_end(csv);
}

void table_print_runs(FILE *out, const struct table *table)
{
	const int nr_nodes = highest_nodes(table);
	struct csv csv = {.out = out};

	csv_text(&csv, "run_id");
	print_header(&csv, key_columns);
	print_header(&csv, run_columns);
	for (int node = 0; node < nr_nodes; node++) {
		char name[32];

		snprintf(name, sizeof(name), "table_pages_node%d", node);
		csv_text(&csv, name);
	}
	csv_text(&csv, "record_path");
	csv_end(&csv);
	for (int i = 0; i < table->nr_runs; i++)
		print_run(&csv, table->runs[i], nr_nodes);
}

/* --- summary.csv ------------------------------------------------------------------------------ */

static const char *const summary_columns[] = {
	"n_used",
	"n_unused",
	"runtime_median_ns",
	"runtime_low95_ns",
	"runtime_high95_ns",
	"runtime_interval_method",
	"runtime_mad_ns",
	"normalised",
	"normalised_low95",
	"normalised_high95",
	"normalised_interval_method",
	"cycles_median",
	"walk_cycles_median",
	"walk_fraction_median",
	"placement_status",
	"data_off_fraction_max",
	"page_tables_off_fraction_max",
	"published_figure",
	"published_normalised",
	"published_walk_fraction",
	"difference",
	"difference_percent",
	NULL,
};

static void print_comparison(struct csv *csv, const struct table_row *row,
			     const struct published *bar)
{
	const double published = bar ? bar->normalised : NAN;
	const double difference = row->ratio - published;

	csv_text(csv, bar ? bar->figure->name : NULL);
	csv_real(csv, published);
	csv_real(csv, bar ? bar->walk_fraction : NAN);
	csv_real(csv, difference);
	csv_real(csv, 100 * difference / published);
}

static void print_row(struct csv *csv, const struct table_row *row)
{
	print_key(csv, row->example);
	csv_count(csv, row->nr_used);
	csv_count(csv, row->nr_runs - row->nr_used);
	csv_count(csv, row->runtime_ns);
	csv_count(csv, row->runtime_interval.low);
	csv_count(csv, row->runtime_interval.high);
	csv_text(csv, stats_method_name(row->runtime_interval.method));
	csv_count(csv, row->runtime_mad_ns);
	csv_real(csv, row->ratio);
	csv_real(csv, row->ratio_interval.low);
	csv_real(csv, row->ratio_interval.high);
	csv_text(csv, stats_method_name(row->ratio_interval.method));
	csv_count(csv, row->cycles);
	csv_count(csv, row->walk_cycles);
	csv_real(csv, row->walk_fraction);
	csv_text(csv, row->placement);
	csv_real(csv, row->data_off_fraction);
	csv_real(csv, row->page_tables_off_fraction);
	print_comparison(csv, row, row->published);
	csv_end(csv);
}

void table_print_summary(FILE *out, const struct table *table)
{
	struct csv csv = {.out = out};

	print_header(&csv, key_columns);
	print_header(&csv, summary_columns);
	csv_end(&csv);
	for (int i = 0; i < table->nr_rows; i++)
		print_row(&csv, &table->rows[i]);
}

/* --- published.csv ---------------------------------------------------------------------------- */

static const char *const published_columns[] = {
	"normalised",
	"published_figure",
	"published_normalised",
	"published_walk_fraction",
	"difference",
	"difference_percent",
	"published_value",
	"published_unit",
	"published_config",
	"published_machine",
	NULL,
};

void table_print_published(FILE *out, const struct table *table)
{
	struct csv csv = {.out = out};

	print_header(&csv, key_columns);
	print_header(&csv, published_columns);
	csv_end(&csv);
	for (int i = 0; i < table->nr_rows; i++) {
		const struct table_row *row = &table->rows[i];
		const struct reference_query query = table_query(row);
		const struct published *bar = NULL;

		while ((bar = reference_next(table->reference, &query, bar)) != NULL) {
			print_key(&csv, row->example);
			csv_real(&csv, row->ratio);
			print_comparison(&csv, row, bar);
			csv_real(&csv, bar->value);
			csv_text(&csv, bar->unit);
			csv_text(&csv, bar->config);
			csv_text(&csv, bar->figure->machine);
			csv_end(&csv);
		}
	}
}

/* --- counters.csv ----------------------------------------------------------------------------- */

static const char *const counter_columns[] = {
	"run_id", "provenance",      "workload",        "config", "counter",       "event", "value",
	"unit",   "time_enabled_ns", "time_running_ns", "scope",  "reason_absent", NULL,
};

static double number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void print_counter(struct csv *csv, const struct record *run, const json_t *event)
{
	csv_text(csv, run->id);
	csv_text(csv, provenance_name(run));
	csv_text(csv, run->workload);
	csv_text(csv, run->config);
	csv_text(csv, json_string_value(json_object_get(event, "name")));
	csv_text(csv, json_string_value(json_object_get(event, "event")));
	csv_real(csv, number(event, "value"));
	csv_text(csv, json_string_value(json_object_get(event, "unit")));
	csv_count(csv, number(event, "time_enabled_ns"));
	csv_count(csv, number(event, "time_running_ns"));
	csv_text(csv, json_string_value(json_object_get(event, "scope")));
	csv_text(csv, json_string_value(json_object_get(event, "reason")));
	csv_end(csv);
}

void table_print_counters(FILE *out, const struct table *table)
{
	struct csv csv = {.out = out};

	print_header(&csv, counter_columns);
	csv_end(&csv);
	for (int i = 0; i < table->nr_runs; i++) {
		const json_t *counters = json_object_get(table->runs[i]->json, "counters");
		size_t k;
		json_t *event;

		json_array_foreach (json_object_get(counters, "events"), k, event)
			print_counter(&csv, table->runs[i], event);
	}
}
