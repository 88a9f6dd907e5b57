// SPDX-License-Identifier: MIT
#include "analysis/table_summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double runtime_of(const struct record *record)
{
	return record->runtime_ns;
}

static double cycles_of(const struct record *record)
{
	return record->cycles;
}

static double walk_cycles_of(const struct record *record)
{
	return record->walk_cycles;
}

static double walk_fraction_of(const struct record *record)
{
	return record->walk_fraction;
}

/* The values of the used runs that have one; the array holds nr_runs. */
static int collect(const struct table *table, const struct table_row *row,
		   double (*value)(const struct record *), double *values)
{
	int nr = 0;

	for (int i = 0; i < row->nr_runs; i++) {
		const struct record *record = table->runs[row->first_run + i];

		if (!record->unused && !isnan(value(record)))
			values[nr++] = value(record);
	}
	return nr;
}

static void take_placement(const struct table *table, struct table_row *row)
{
	static const char *const worst_first[] = {"off", "unverified", "ok"};
	size_t worst = 3;

	row->placement = "";
	row->data_off_fraction = row->page_tables_off_fraction = NAN;
	for (int i = 0; i < row->nr_runs; i++) {
		const struct record *record = table->runs[row->first_run + i];

		if (record->unused)
			continue;
		row->data_off_fraction = fmax(row->data_off_fraction, record->data_off_fraction);
		row->page_tables_off_fraction =
			fmax(row->page_tables_off_fraction, record->page_tables_off_fraction);
		for (size_t k = 0; k < worst; k++)
			if (strcmp(record->placement, worst_first[k]) == 0)
				worst = k;
	}
	if (worst < 3)
		row->placement = worst_first[worst];
}

static int summarise_row(const struct table *table, struct table_row *row)
{
	double *values = reallocarray(NULL, (size_t)row->nr_runs, sizeof(*values));

	if (!values)
		return -1;
	for (int i = row->nr_runs - 1; i >= 0; i--)
		if (!table->runs[row->first_run + i]->unused)
			row->example = table->runs[row->first_run + i];
	row->nr_used = collect(table, row, runtime_of, values);
	row->runtime_ns = stats_median(values, row->nr_used);
	row->runtime_mad_ns = stats_mad(values, row->nr_used);
	row->runtime_interval = stats_median_interval(values, row->nr_used);
	row->cycles = stats_median(values, collect(table, row, cycles_of, values));
	row->walk_cycles = stats_median(values, collect(table, row, walk_cycles_of, values));
	row->walk_fraction = stats_median(values, collect(table, row, walk_fraction_of, values));
	free(values);
	take_placement(table, row);
	return 0;
}

static int compare_with_baseline(const struct table *table, struct table_row *row,
				 const struct table_row *baseline)
{
	double *values, *base;
	int nr, nr_base;

	row->ratio = row->runtime_ns / baseline->runtime_ns;
	if (row == baseline)
		return 0;
	values = reallocarray(NULL, (size_t)(row->nr_runs + baseline->nr_runs), sizeof(*values));
	if (!values)
		return -1;
	nr = collect(table, row, runtime_of, values);
	base = values + nr;
	nr_base = collect(table, baseline, runtime_of, base);
	row->ratio_interval = stats_ratio_interval(values, nr, base, nr_base);
	free(values);
	return 0;
}

struct reference_query table_query(const struct table_row *row)
{
	return (struct reference_query){
		.workload = row->example->workload,
		.config = row->example->config,
		.baseline = row->example->baseline,
		.virtual_machine = row->example->virtual_machine,
	};
}

int table_summarise_group(struct table *table, struct table_group *group)
{
	struct table_row *rows = &table->rows[group->first_row];

	for (int i = 0; i < group->nr_rows; i++) {
		struct reference_query query = table_query(&rows[i]);

		if (summarise_row(table, &rows[i]) != 0)
			return -1;
		if (rows[i].is_baseline && rows[i].nr_used > 0)
			group->baseline_row = group->first_row + i;
		rows[i].ratio = NAN;
		rows[i].ratio_interval =
			(struct stats_interval){.low = NAN, .high = NAN, .method = STATS_NONE};
		rows[i].published = reference_next(table->reference, &query, NULL);
	}
	for (int i = 0; i < group->nr_rows && group->baseline_row >= 0; i++)
		if (compare_with_baseline(table, &rows[i], &table->rows[group->baseline_row]) != 0)
			return -1;
	return 0;
}
