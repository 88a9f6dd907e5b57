// SPDX-License-Identifier: MIT
#include "harness/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "harness/record.h"

#define NO_VALUE (-1.0)

static const char *text_at(const json_t *record, const char *path, const char *otherwise)
{
	const char *text = json_string_value(record_get(record, path));

	return text ? text : otherwise;
}

/* The value of a derived counter, or NO_VALUE. */
static double derived(const json_t *record, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach (record_get(record, "counters.derived"), i, item) {
		const char *item_name = json_string_value(json_object_get(item, "name"));
		const json_t *value = json_object_get(item, "value");

		if (item_name && strcmp(item_name, name) == 0 && json_is_number(value))
			return json_number_value(value);
	}
	return NO_VALUE;
}

static void add_placement(FILE *out, const json_t *record)
{
	const char *status = text_at(record, "placement.status", "unverified");

	fprintf(out, ", placement %s", status);
	if (strcmp(status, "off") == 0)
		fprintf(out, " (%s)", text_at(record, "placement.detail", ""));
}

static void print_success(FILE *out, const json_t *record)
{
	const json_int_t runtime_ns = json_integer_value(json_object_get(record, "runtime_ns"));
	const double walks = derived(record, "walk_fraction");
	char duration[UNITS_TEXT_MAX];

	fprintf(out, "%s%s", units_format_duration((uint64_t)runtime_ns, duration),
		strcmp(text_at(record, "provenance", ""), "modelled") == 0 ? " modelled" : "");
	if (walks >= 0)
		fprintf(out, ", page walks %.0f%%", 100 * walks);
	add_placement(out, record);
	if (strcmp(text_at(record, "verification.status", ""), "pass") == 0)
		fputs(", verified", out);
}

void summary_line(const struct cell *cell, const json_t *record, const struct err *err,
		  const char *directory, bool alone, char line[SUMMARY_LINE_MAX])
{
	FILE *out = fmemopen(line, SUMMARY_LINE_MAX, "w");

	line[0] = '\0';
	if (!out)
		return;
	fprintf(out, "%s: ", cell->name);
	if (err->kind == ERR_NONE)
		print_success(out, record);
	else if (alone) /* the error itself is the last line of the command */
		fputs("no result", out);
	else
		fprintf(out, "%s: %s", err->kind == ERR_INTERRUPTED ? "stopped" : "FAILED",
			err->text);
	fprintf(out, " -> %s", directory);
	fclose(out);
	line[SUMMARY_LINE_MAX - 1] = '\0';
}

/* --- the table ----------------------------------------------------------------------------------
 */

struct row {
	const char *workload, *config, *baseline;
	double *seconds; /* room for every record */
	int count, failed;
	double walks; /* of the first run */
};

struct table {
	struct row *rows;
	int nr_rows;
};

static struct row *find_row(const struct table *table, const char *workload, const char *config)
{
	for (int i = 0; config && i < table->nr_rows; i++) {
		if (strcmp(table->rows[i].workload, workload) == 0 &&
		    strcmp(table->rows[i].config, config) == 0)
			return &table->rows[i];
	}
	return NULL;
}

static void add_row(struct table *table, const struct cell *cell, size_t most)
{
	const struct config *config = &cell->config->config;

	if (find_row(table, cell->workload, config->name))
		return;
	table->rows[table->nr_rows++] = (struct row){
		.workload = cell->workload,
		.config = config->name,
		.baseline = config->baseline,
		.seconds = calloc(most + 1, sizeof(double)),
		.walks = NO_VALUE,
	};
}

static void add_record(const struct table *table, const json_t *record)
{
	const json_t *runtime_ns = json_object_get(record, "runtime_ns");
	struct row *row = find_row(table, text_at(record, "workload.name", "?"),
				   text_at(record, "config", NULL));

	if (!row)
		return;
	if (!row->seconds || strcmp(text_at(record, "exit.status", ""), "ok") != 0 ||
	    !json_is_integer(runtime_ns)) {
		row->failed++;
		return;
	}
	if (row->count == 0)
		row->walks = derived(record, "walk_fraction");
	row->seconds[row->count++] = (double)json_integer_value(runtime_ns) / 1e9;
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(struct row *row)
{
	const int n = row->count;

	if (n == 0)
		return NAN;
	qsort(row->seconds, (size_t)n, sizeof(double), ascending);
	return n % 2 ? row->seconds[n / 2] : (row->seconds[n / 2 - 1] + row->seconds[n / 2]) / 2;
}

static void print_row(FILE *out, const struct table *table, struct row *row)
{
	struct row *base = find_row(table, row->workload, row->baseline);
	const double seconds = median(row);
	const double ratio = base ? seconds / median(base) : NAN;
	char walks[16] = "-", against[16] = "-", middle[16] = "-";

	if (!isnan(seconds))
		snprintf(middle, sizeof(middle), "%.4f", seconds);
	if (row->walks >= 0)
		snprintf(walks, sizeof(walks), "%.0f%%", 100 * row->walks);
	if (!isnan(ratio))
		snprintf(against, sizeof(against), "%.2f", ratio);
	fprintf(out, "%-14s %-10s %5d %12s %9s %11s", row->workload, row->config, row->count,
		middle, against, walks);
	if (row->failed)
		fprintf(out, "  %d failed", row->failed);
	fputc('\n', out);
}

void summary_table(FILE *out, const struct cells *cells, const json_t *records)
{
	struct table table = {.rows = calloc((size_t)cells->nr_items, sizeof(struct row))};
	const json_t *record;
	size_t i;

	if (!table.rows)
		return;
	for (int cell = 0; cell < cells->nr_items; cell++)
		add_row(&table, &cells->items[cell], json_array_size(records));
	json_array_foreach (records, i, record)
		add_record(&table, record);
	fprintf(out, "%-14s %-10s %5s %12s %9s %11s\n", "workload", "config", "runs", "median s",
		"/baseline", "page walks");
	for (int row = 0; row < table.nr_rows; row++) {
		if (table.rows[row].count + table.rows[row].failed > 0)
			print_row(out, &table, &table.rows[row]);
	}
	/* Not before: a row reads the runs of its baseline. */
	for (int row = 0; row < table.nr_rows; row++)
		free(table.rows[row].seconds);
	free(table.rows);
}
