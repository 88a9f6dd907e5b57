// SPDX-License-Identifier: MIT
#include "analysis/table.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/array.h"

static int out_of_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, "out of memory");
}

/* --- the order -------------------------------------------------------------------------------- */

static int compare_numbers(double a, double b)
{
	if (isnan(a) || isnan(b))
		return !isnan(a) - !isnan(b);
	return (a > b) - (a < b);
}

static int compare_section(const struct record *a, const struct record *b)
{
	const char *const pairs[][2] = {
		{a->machine_kind, b->machine_kind},
		{a->machine_name, b->machine_name},
		{a->profile, b->profile},
		{a->cpu_model, b->cpu_model},
		{a->kernel, b->kernel},
	};

	if (a->modelled != b->modelled)
		return a->modelled - b->modelled;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (strcmp(pairs[i][0], pairs[i][1]) != 0)
			return strcmp(pairs[i][0], pairs[i][1]);
	return 0;
}

/* By position in the papers; names of our own follow, by name. */
static int compare_config(const struct reference *reference, const char *a, const char *b)
{
	const int order_a = reference_order(reference, a), order_b = reference_order(reference, b);

	if (config_same(a, b))
		return 0;
	if (order_a != order_b)
		return (order_a > order_b) - (order_a < order_b);
	return strcmp(a, b);
}

static int compare_panel(const struct reference *reference, const struct record *a,
			 const struct record *b)
{
	const int order = compare_section(a, b);

	return order ? order : compare_config(reference, a->baseline, b->baseline);
}

static int compare_workload(const struct record *a, const struct record *b)
{
	const char *const pairs[][2] = {
		{a->workload, b->workload},
		{a->options, b->options},
		{a->arguments, b->arguments},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (strcmp(pairs[i][0], pairs[i][1]) != 0)
			return strcmp(pairs[i][0], pairs[i][1]);
	if (compare_numbers(a->threads, b->threads) != 0)
		return compare_numbers(a->threads, b->threads);
	return compare_numbers(a->scale, b->scale);
}

static int compare_group(const struct reference *reference, const struct record *a,
			 const struct record *b)
{
	const int order = compare_panel(reference, a, b);

	return order ? order : compare_workload(a, b);
}

static int compare_row(const struct reference *reference, const struct record *a,
		       const struct record *b)
{
	const int order = compare_group(reference, a, b);
	const bool base_a = config_same(a->config, a->baseline);
	const bool base_b = config_same(b->config, b->baseline);

	if (order)
		return order;
	if (base_a != base_b)
		return base_b - base_a;
	return compare_config(reference, a->config, b->config);
}

static int compare_runs(const void *a, const void *b, void *reference)
{
	const struct record *x = *(const struct record *const *)a;
	const struct record *y = *(const struct record *const *)b;
	const int order = compare_row(reference, x, y);

	if (order)
		return order;
	return strcmp(x->id, y->id) ? strcmp(x->id, y->id) : strcmp(x->path, y->path);
}

/* --- the cuts --------------------------------------------------------------------------------- */

static int cut_row(struct table *table, int run)
{
	struct table_row *rows = array_grow(table->rows, table->nr_rows, sizeof(*rows));

	if (!rows)
		return -1;
	table->rows = rows;
	rows[table->nr_rows++] = (struct table_row){
		.first_run = run,
		.example = table->runs[run],
		.is_baseline = config_same(table->runs[run]->config, table->runs[run]->baseline),
	};
	return 0;
}

static int cut_group(struct table *table)
{
	struct table_group *groups = array_grow(table->groups, table->nr_groups, sizeof(*groups));

	if (!groups)
		return -1;
	table->groups = groups;
	groups[table->nr_groups++] =
		(struct table_group){.first_row = table->nr_rows, .baseline_row = -1};
	return 0;
}

static int cut_panel(struct table *table, const char *baseline)
{
	struct table_panel *panels = array_grow(table->panels, table->nr_panels, sizeof(*panels));

	if (!panels)
		return -1;
	table->panels = panels;
	panels[table->nr_panels++] =
		(struct table_panel){.first_group = table->nr_groups, .baseline = baseline};
	return 0;
}

static int cut_section(struct table *table, const struct record *example)
{
	struct table_section *sections =
		array_grow(table->sections, table->nr_sections, sizeof(*sections));

	if (!sections)
		return -1;
	table->sections = sections;
	sections[table->nr_sections++] =
		(struct table_section){.first_panel = table->nr_panels, .example = example};
	return 0;
}

/* A new section is a new panel, group and row as well, and so on down. */
static int add_run(struct table *table, int run)
{
	const struct reference *reference = table->reference;
	const struct record *record = table->runs[run];
	const struct record *previous = run ? table->runs[run - 1] : NULL;

	if ((!previous || compare_section(previous, record) != 0) &&
	    cut_section(table, record) != 0)
		return -1;
	if ((!previous || compare_panel(reference, previous, record) != 0)) {
		if (cut_panel(table, record->baseline) != 0)
			return -1;
		table->sections[table->nr_sections - 1].nr_panels++;
	}
	if ((!previous || compare_group(reference, previous, record) != 0)) {
		if (cut_group(table) != 0)
			return -1;
		table->panels[table->nr_panels - 1].nr_groups++;
	}
	if ((!previous || compare_row(reference, previous, record) != 0)) {
		if (cut_row(table, run) != 0)
			return -1;
		table->groups[table->nr_groups - 1].nr_rows++;
	}
	table->rows[table->nr_rows - 1].nr_runs++;
	return 0;
}

/* --- one row ---------------------------------------------------------------------------------- */

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

static int summarise_group(struct table *table, struct table_group *group)
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

/* --- panels ----------------------------------------------------------------------------------- */

static int label_groups(struct table *table, const struct table_panel *panel)
{
	struct table_group *groups = &table->groups[panel->first_group];

	for (int i = 0; i < panel->nr_groups; i++) {
		const char *name = table->rows[groups[i].first_row].example->workload;
		int before = 0, all = 0;

		for (int k = 0; k < panel->nr_groups; k++) {
			const char *other = table->rows[groups[k].first_row].example->workload;

			all += strcmp(name, other) == 0;
			before += k < i && strcmp(name, other) == 0;
		}
		if (all > 1 ? asprintf(&groups[i].label, "%s (%d)", name, before + 1) < 0
			    : !(groups[i].label = strdup(name))) {
			groups[i].label = NULL;
			return -1;
		}
	}
	return 0;
}

static int add_config(const struct table *table, struct table_panel *panel, const char *config)
{
	const char **configs;
	int at = panel->nr_configs;

	for (int i = 0; i < panel->nr_configs; i++)
		if (config_same(panel->configs[i], config))
			return 0;
	configs = array_grow(panel->configs, panel->nr_configs, sizeof(*configs));
	if (!configs)
		return -1;
	panel->configs = configs;
	panel->nr_configs++;
	/* Insertion keeps the order of the rows: the baseline, then as in the papers. */
	while (at > 0 && !config_same(configs[at - 1], panel->baseline) &&
	       (config_same(config, panel->baseline) ||
		compare_config(table->reference, config, configs[at - 1]) < 0)) {
		configs[at] = configs[at - 1];
		at--;
	}
	configs[at] = config;
	return 0;
}

static int finish_panel(struct table *table, struct table_panel *panel)
{
	if (label_groups(table, panel) != 0)
		return -1;
	for (int g = 0; g < panel->nr_groups; g++) {
		const struct table_group *group = &table->groups[panel->first_group + g];

		for (int i = 0; i < group->nr_rows; i++) {
			const struct table_row *row = &table->rows[group->first_row + i];

			if (add_config(table, panel, row->example->config) != 0)
				return -1;
		}
	}
	/* A baseline that nobody ran is a missing cell, not an absent one. */
	return add_config(table, panel, panel->baseline);
}

int table_build(struct table *table, const struct records *records,
		const struct reference *reference, struct err *err)
{
	int result = 0;

	memset(table, 0, sizeof(*table));
	table->reference = reference;
	table->runs = reallocarray(NULL, (size_t)records->nr + 1, sizeof(*table->runs));
	if (!table->runs)
		return out_of_memory(err);
	for (int i = 0; i < records->nr; i++)
		table->runs[table->nr_runs++] = &records->items[i];
	qsort_r(table->runs, (size_t)table->nr_runs, sizeof(*table->runs), compare_runs,
		(void *)reference);
	for (int i = 0; i < table->nr_runs && result == 0; i++)
		result = add_run(table, i);
	for (int i = 0; i < table->nr_groups && result == 0; i++)
		result = summarise_group(table, &table->groups[i]);
	for (int i = 0; i < table->nr_panels && result == 0; i++)
		result = finish_panel(table, &table->panels[i]);
	return result == 0 ? 0 : out_of_memory(err);
}

void table_free(struct table *table)
{
	for (int i = 0; i < table->nr_groups; i++)
		free(table->groups[i].label);
	for (int i = 0; i < table->nr_panels; i++)
		free(table->panels[i].configs);
	free(table->runs);
	free(table->rows);
	free(table->groups);
	free(table->panels);
	free(table->sections);
	memset(table, 0, sizeof(*table));
}

/* --- questions -------------------------------------------------------------------------------- */

const struct table_row *table_find(const struct table *table, const struct table_group *group,
				   const char *config)
{
	for (int i = 0; i < group->nr_rows; i++) {
		const struct table_row *row = &table->rows[group->first_row + i];

		if (config_same(row->example->config, config))
			return row;
	}
	return NULL;
}

int table_error(const struct table *table, const struct table_group *group, double *absolute,
		double *relative)
{
	int nr = 0;

	*absolute = *relative = 0;
	for (int i = 0; i < group->nr_rows; i++) {
		const struct table_row *row = &table->rows[group->first_row + i];
		double difference;

		if (row->is_baseline || !row->published || isnan(row->ratio))
			continue;
		difference = fabs(row->ratio - row->published->normalised);
		*absolute += difference;
		*relative += difference / row->published->normalised;
		nr++;
	}
	*absolute = nr ? *absolute / nr : NAN;
	*relative = nr ? *relative / nr : NAN;
	return nr;
}

double table_mean_ratio(const struct table *table, const struct table_panel *panel,
			const char *config)
{
	double *ratios = reallocarray(NULL, (size_t)panel->nr_groups, sizeof(*ratios));
	double mean;
	int nr = 0;

	for (int i = 0; ratios && i < panel->nr_groups; i++) {
		const struct table_row *row =
			table_find(table, &table->groups[panel->first_group + i], config);

		if (row && !isnan(row->ratio))
			ratios[nr++] = row->ratio;
	}
	mean = nr > 1 ? stats_geometric_mean(ratios, nr) : NAN;
	free(ratios);
	return mean;
}
