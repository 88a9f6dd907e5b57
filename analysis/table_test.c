// SPDX-License-Identifier: MIT
#include "analysis/table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/csv.h"
#include "analysis/fixture.h"
#include "analysis/table_csv.h"

struct scene {
	struct fixture fixture;
	struct records records;
	struct reference reference;
	struct table table;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct err err = {0};

	fixture_open(&scene->fixture);
	*state = scene;
	return reference_load(&scene->reference, "analysis/reference", &err);
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	table_free(&scene->table);
	records_free(&scene->records);
	reference_free(&scene->reference);
	fixture_close(&scene->fixture);
	free(scene);
	return 0;
}

static void add(struct scene *scene, const char *config, double runtime_ns, int nr)
{
	const struct fixture_run run = {.workload = "gups",
					.config = config,
					.runtime_ns = runtime_ns,
					.walk_fraction = 0.5,
					.modelled = true};

	fixture_runs(&scene->fixture, run, nr);
}

static const struct table *build(struct scene *scene)
{
	const char *const paths[] = {scene->fixture.directory};
	struct err err = {0};

	assert_int_equal(records_load(paths, 1, &scene->records, &err), 0);
	assert_int_equal(table_build(&scene->table, &scene->records, &scene->reference, &err), 0);
	return &scene->table;
}

static void test_ratios(void **state)
{
	struct scene *scene = *state;
	const struct table *table;
	const struct table_row *row;
	double absolute, relative;

	add(scene, "RP-LD", 3e9, 3);
	add(scene, "LP-LD", 2e9, 5);
	table = build(scene);
	assert_int_equal(table->nr_rows, 2);
	assert_true(table->rows[0].is_baseline);
	assert_true(table->rows[0].ratio == 1);
	assert_int_equal(table->rows[0].ratio_interval.method, STATS_NONE);
	row = &table->rows[1];
	assert_int_equal(row->nr_used, 3);
	assert_true(fabs(row->ratio - 1.5) < 1e-9);
	assert_int_equal(row->ratio_interval.method, STATS_WELCH_LOG);
	assert_true(row->ratio_interval.low < 1.5 && row->ratio_interval.high > 1.5);
	assert_string_equal(row->published->figure->key, "6");
	assert_int_equal(table_error(table, &table->groups[0], &absolute, &relative), 1);
	assert_true(fabs(absolute - 0.0315) < 1e-3);
	assert_true(fabs(relative - 0.0315 / 1.5315) < 1e-3);
}

static void test_failed_runs_are_in_no_median(void **state)
{
	struct scene *scene = *state;
	struct fixture_run failed = {.workload = "gups",
				     .config = "RP-LD",
				     .runtime_ns = 9e12,
				     .modelled = true,
				     .exit = "failed"};
	const struct table *table;

	add(scene, "LP-LD", 2e9, 1);
	add(scene, "RP-LD", 3e9, 1);
	fixture_runs(&scene->fixture, failed, 2);
	failed.config = "RP-RD";
	failed.exit = NULL;
	failed.verification = "fail";
	fixture_runs(&scene->fixture, failed, 1);
	table = build(scene);
	assert_int_equal(table->rows[1].nr_used, 1);
	assert_int_equal(table->rows[1].nr_runs, 3);
	assert_true(table->rows[1].runtime_ns == 3e9);
	assert_int_equal(table->rows[2].nr_used, 0);
	assert_true(isnan(table->rows[2].ratio));
	assert_true(table_failed(table, &table->groups[0], "RP-RD"));
	assert_false(table_failed(table, &table->groups[0], "LP-LD"));
}

static void test_modelled_and_measured_never_meet(void **state)
{
	struct scene *scene = *state;
	struct fixture_run run = {.workload = "gups",
				  .config = "LP-LD",
				  .runtime_ns = 1e9,
				  .machine = "the same name"};
	const struct table *table;

	for (int i = 0; i < 4; i++) {
		run.modelled = i % 2;
		run.config = i < 2 ? "LP-LD" : "RP-LD";
		run.runtime_ns = (i + 1) * 1e9;
		fixture_runs(&scene->fixture, run, 1);
	}
	table = build(scene);
	assert_int_equal(table->nr_sections, 2);
	assert_false(table->sections[0].example->modelled);
	assert_true(table->sections[1].example->modelled);
	assert_true(fabs(table->rows[1].ratio - 3.0) < 1e-9);
	assert_true(fabs(table->rows[3].ratio - 2.0) < 1e-9);
}

static void test_options_are_not_mixed(void **state)
{
	struct scene *scene = *state;
	struct fixture_run run = {.workload = "gups", .config = "LP-LD", .runtime_ns = 1e9};
	const struct table *table;

	fixture_runs(&scene->fixture, run, 2);
	run.size = 1 << 20;
	fixture_runs(&scene->fixture, run, 2);
	table = build(scene);
	assert_int_equal(table->nr_groups, 2);
	assert_int_equal(table->nr_panels, 1);
	assert_string_equal(table->groups[0].label, "gups (1)");
	assert_string_equal(table->groups[1].label, "gups (2)");
}

static void test_missing_baseline(void **state)
{
	struct scene *scene = *state;
	const struct table *table;

	add(scene, "RP-LD", 3e9, 2);
	table = build(scene);
	assert_int_equal(table->groups[0].baseline_row, -1);
	assert_true(isnan(table->rows[0].ratio));
	assert_int_equal(table->panels[0].nr_configs, 2);
	assert_string_equal(table->panels[0].configs[0], "LP-LD");
	assert_null(table_find(table, &table->groups[0], "LP-LD"));
}

static void test_order_is_the_papers(void **state)
{
	static const char *const given[] = {"ZZ-TOP", "RPI-LD", "LP-RD",
					    "AA-OWN", "LP-LD",  "RP-LD"};
	static const char *const wanted[] = {"LP-LD",  "LP-RD",  "RP-LD",
					     "RPI-LD", "AA-OWN", "ZZ-TOP"};
	struct scene *scene = *state;
	const struct table *table;

	for (int i = 0; i < 6; i++)
		add(scene, given[i], 1e9, 1);
	table = build(scene);
	for (int i = 0; i < 6; i++) {
		assert_string_equal(table->rows[i].example->config, wanted[i]);
		assert_string_equal(table->panels[0].configs[i], wanted[i]);
	}
}

static void test_worst_placement_shows(void **state)
{
	struct scene *scene = *state;
	struct fixture_run run = {.workload = "gups", .config = "LP-LD", .runtime_ns = 1e9};
	const struct table *table;

	fixture_runs(&scene->fixture, run, 1);
	run.placement = "off";
	fixture_runs(&scene->fixture, run, 1);
	run.placement = "unverified";
	fixture_runs(&scene->fixture, run, 1);
	table = build(scene);
	assert_string_equal(table->rows[0].placement, "off");
}

static void test_mean_ratio(void **state)
{
	struct scene *scene = *state;
	struct fixture_run run = {.config = "LP-LD", .runtime_ns = 1e9};
	const struct table *table;

	for (int i = 0; i < 4; i++) {
		run.workload = i % 2 ? "gups" : "btree";
		run.config = i < 2 ? "LP-LD" : "RP-LD";
		run.runtime_ns = i < 2 ? 1e9 : i == 2 ? 2e9 : 8e9;
		fixture_runs(&scene->fixture, run, 1);
	}
	table = build(scene);
	assert_true(fabs(table_mean_ratio(table, &table->panels[0], "RP-LD") - 4) < 1e-9);
	assert_true(isnan(table_mean_ratio(table, &table->panels[0], "RP-RD")));
}

/* --- CSV: each file reads back, and its columns say what the table has ------------------------ */

struct sheet {
	char *text, *header[64], *fields[64];
	struct csv_reader reader;
	int nr;
};

static void open_sheet(struct sheet *sheet, const struct table *table,
		       void (*print)(FILE *, const struct table *))
{
	size_t size;
	FILE *out = open_memstream(&sheet->text, &size);

	print(out, table);
	fclose(out);
	sheet->reader = (struct csv_reader){.next = sheet->text};
	sheet->nr = csv_read(&sheet->reader, sheet->header, 64);
	assert_true(sheet->nr > 0);
}

static bool next_line(struct sheet *sheet)
{
	const int nr = csv_read(&sheet->reader, sheet->fields, 64);

	assert_true(nr == 0 || nr == sheet->nr);
	return nr > 0;
}

static const char *field(const struct sheet *sheet, const char *column)
{
	for (int i = 0; i < sheet->nr; i++)
		if (strcmp(sheet->header[i], column) == 0)
			return sheet->fields[i];
	fail_msg("no column %s", column);
	return NULL;
}

static void test_runs_csv(void **state)
{
	struct scene *scene = *state;
	struct fixture_run failed = {.workload = "a,\"b\"\nc",
				     .config = "LP-LD",
				     .runtime_ns = 1e9,
				     .exit = "failed",
				     .reason = "a \"quoted\", reason"};
	struct sheet sheet;

	add(scene, "LP-LD", 2e9, 1);
	fixture_runs(&scene->fixture, failed, 1);
	open_sheet(&sheet, build(scene), table_print_runs);
	assert_true(next_line(&sheet));
	assert_string_equal(field(&sheet, "provenance"), "measured");
	assert_string_equal(field(&sheet, "workload"), "a,\"b\"\nc");
	assert_string_equal(field(&sheet, "used"), "no");
	assert_string_equal(field(&sheet, "unused_reason"), "failed: a \"quoted\", reason");
	assert_true(next_line(&sheet));
	assert_string_equal(field(&sheet, "provenance"), "modelled");
	assert_string_equal(field(&sheet, "runtime_ns"), "2000000000");
	assert_string_equal(field(&sheet, "walk_cycles"), "2000000000");
	assert_string_equal(field(&sheet, "walk_fraction"), "0.5");
	assert_string_equal(field(&sheet, "setup_ns"), "");
	assert_string_equal(field(&sheet, "table_pages"), "37");
	assert_string_equal(field(&sheet, "table_pages_node0"), "31");
	assert_string_equal(field(&sheet, "table_pages_node1"), "6");
	assert_string_equal(field(&sheet, "page_table_dump"), "done");
	assert_false(next_line(&sheet));
	free(sheet.text);
}

static void test_summary_csv(void **state)
{
	struct scene *scene = *state;
	struct sheet sheet;

	add(scene, "LP-LD", 2e9, 1);
	add(scene, "RPI-LD", 6e9, 7);
	open_sheet(&sheet, build(scene), table_print_summary);
	assert_true(next_line(&sheet));
	assert_string_equal(field(&sheet, "n_used"), "1");
	assert_string_equal(field(&sheet, "runtime_interval_method"), "none");
	assert_string_equal(field(&sheet, "runtime_low95_ns"), "");
	assert_true(next_line(&sheet));
	assert_string_equal(field(&sheet, "config"), "RPI-LD");
	assert_string_equal(field(&sheet, "runtime_median_ns"), "6000000000");
	assert_string_equal(field(&sheet, "runtime_low95_ns"), "5820000000");
	assert_string_equal(field(&sheet, "runtime_interval_method"), "order_statistics");
	assert_string_equal(field(&sheet, "normalised"), "3");
	assert_string_equal(field(&sheet, "normalised_low95"), "");
	assert_string_equal(field(&sheet, "published_normalised"), "3.2247");
	assert_string_equal(field(&sheet, "difference"), "-0.2247");
	assert_false(next_line(&sheet));
	free(sheet.text);
}

static void test_published_and_counters_csv(void **state)
{
	struct scene *scene = *state;
	struct sheet sheet;
	int lines = 0;

	add(scene, "LP-LD", 2e9, 1);
	add(scene, "RPI-LD", 6e9, 1);
	open_sheet(&sheet, build(scene), table_print_published);
	while (next_line(&sheet))
		lines++;
	assert_int_equal(lines, 4 + 2); /* LP-LD in 6, 10a, 10b, 11; RPI-LD in 6, 10a */
	free(sheet.text);
	open_sheet(&sheet, &scene->table, table_print_counters);
	assert_true(next_line(&sheet));
	assert_string_equal(field(&sheet, "counter"), "cycles");
	assert_string_equal(field(&sheet, "value"), "4000000000");
	assert_string_equal(field(&sheet, "time_running_ns"), "");
	free(sheet.text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ratios),
		TEST(test_failed_runs_are_in_no_median),
		TEST(test_modelled_and_measured_never_meet),
		TEST(test_options_are_not_mixed),
		TEST(test_missing_baseline),
		TEST(test_order_is_the_papers),
		TEST(test_worst_placement_shows),
		TEST(test_mean_ratio),
		TEST(test_runs_csv),
		TEST(test_summary_csv),
		TEST(test_published_and_counters_csv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
