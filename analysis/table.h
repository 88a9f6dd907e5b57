/* SPDX-License-Identifier: MIT */
/*
 * Run records as one table: runs in a fixed order, cut into rows, groups, panels and sections.
 *
 *   section  one machine (and kernel) and one provenance: measured and modelled never meet
 *   panel    the configs of a section that share a baseline: what is drawn side by side
 *   group    one workload with its options, arguments, threads and scale
 *   row      one config of a group: one bar
 *
 * Each level is a range of the next one; rows are ranges of `runs`.
 */
#ifndef ANALYSIS_TABLE_H
#define ANALYSIS_TABLE_H

#include <stdbool.h>

#include "analysis/records.h"
#include "analysis/reference.h"
#include "analysis/stats.h"

struct table_row {
	int first_run, nr_runs;       /* all of them */
	int nr_used;                  /* those in the bar */
	const struct record *example; /* a used one if there is any: what all runs have in common */
	bool is_baseline;
	double runtime_ns, runtime_mad_ns; /* median; NAN when no run was used */
	struct stats_interval runtime_interval;
	double ratio; /* runtime_ns / the baseline's; NAN without a baseline */
	struct stats_interval ratio_interval;
	double cycles, walk_cycles, walk_fraction;          /* medians */
	double data_off_fraction, page_tables_off_fraction; /* the worst of the used runs */
	const char *placement; /* the worst status of the used runs: off, unverified, ok, "" */
	const struct published *published; /* the first that matches, or NULL */
};

struct table_group {
	int first_row, nr_rows;
	int baseline_row; /* -1: no run of the baseline was used */
	char *label;      /* the workload, numbered where one panel has several variants */
};

struct table_panel {
	int first_group, nr_groups;
	const char **configs; /* of any of its groups, in order */
	int nr_configs;
	const char *baseline;
};

struct table_section {
	int first_panel, nr_panels;
	const struct record *example;
};

struct table {
	const struct record **runs; /* incomplete ones at the end, in no row */
	int nr_runs;
	struct table_row *rows;
	int nr_rows;
	struct table_group *groups;
	int nr_groups;
	struct table_panel *panels;
	int nr_panels;
	struct table_section *sections;
	int nr_sections;
	const struct reference *reference;
};

/* Borrows from both; they must outlive the table. */
int table_build(struct table *table, const struct records *records,
		const struct reference *reference, struct err *err);
void table_free(struct table *table);

/* NULL when the group has no run of that config: the cell is missing. */
const struct table_row *table_find(const struct table *table, const struct table_group *group,
				   const char *config);

/* Whether a cell is missing because its runs failed. */
bool table_failed(const struct table *table, const struct table_group *group, const char *config);

/* What the published bar of a row is looked up by. */
struct reference_query table_query(const struct table_row *row);

/*
 * How far the group is from the published bars, its baseline left out: the mean of
 * |ours - published| and of |ours - published| / published. Returns how many bars that is.
 */
int table_error(const struct table *table, const struct table_group *group, double *absolute,
		double *relative);

/* Geometric mean over the groups of a panel; NAN unless at least two groups have the config. */
double table_mean_ratio(const struct table *table, const struct table_panel *panel,
			const char *config);

#endif
