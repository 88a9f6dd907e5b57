// SPDX-License-Identifier: MIT
#include "analysis/table.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/array.h"
#include "analysis/table_summary.h"

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

	if (a->incomplete != b->incomplete)
		return a->incomplete - b->incomplete;
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

	if (same_config(a, b))
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

/* Options are what the arguments came to; only a program of the user's has arguments alone. */
static int compare_workload(const struct record *a, const struct record *b)
{
	const bool resolved = *a->options && *b->options;
	const char *const pairs[][2] = {
		{a->workload, b->workload},
		{a->options, b->options},
		{resolved ? "" : a->arguments, resolved ? "" : b->arguments},
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
	const bool base_a = same_config(a->config, a->baseline);
	const bool base_b = same_config(b->config, b->baseline);

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
		.is_baseline = same_config(table->runs[run]->config, table->runs[run]->baseline),
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
		if (same_config(panel->configs[i], config))
			return 0;
	configs = array_grow(panel->configs, panel->nr_configs, sizeof(*configs));
	if (!configs)
		return -1;
	panel->configs = configs;
	panel->nr_configs++;
	/* Insertion keeps the order of the rows: the baseline, then as in the papers. */
	while (at > 0 && !same_config(configs[at - 1], panel->baseline) &&
	       (same_config(config, panel->baseline) ||
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
		if (!table->runs[i]->incomplete)
			result = add_run(table, i);
	for (int i = 0; i < table->nr_groups && result == 0; i++)
		result = table_summarise_group(table, &table->groups[i]);
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

		if (same_config(row->example->config, config))
			return row;
	}
	return NULL;
}

bool table_failed(const struct table *table, const struct table_group *group, const char *config)
{
	const struct record *example = table->rows[group->first_row].example;

	for (int i = 0; i < table->nr_runs; i++) {
		const struct record *run = table->runs[i];

		if (run->unused && same_config(run->config, config) &&
		    strcmp(run->workload, example->workload) == 0 &&
		    (!*run->machine_name || strcmp(run->machine_name, example->machine_name) == 0))
			return true;
	}
	return false;
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
