// SPDX-License-Identifier: MIT
/* The whole way, with the real helper programs where they are installed. */
#include "analysis/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/fixture.h"
#include "analysis/tool.h"

struct scene {
	struct fixture fixture;
	char results[128], output[128];
	const char *paths[1];
	struct analysis_options options;
	struct report_outcome outcome;
	struct err err;
	char *path_variable;
};

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char root[4096];

	fixture_open(&scene->fixture);
	snprintf(scene->results, sizeof(scene->results), "%s/campaign", scene->fixture.directory);
	snprintf(scene->output, sizeof(scene->output), "%s/new/report", scene->fixture.directory);
	scene->paths[0] = scene->results;
	scene->options = (struct analysis_options){.results = scene->paths,
						   .nr_results = 1,
						   .output_directory = scene->output,
						   .no_pdf = true};
	scene->path_variable = strdup(getenv("PATH"));
	setenv("MITOSIS_SUITE_ROOT", getcwd(root, sizeof(root)), 1);
	setenv("SOURCE_DATE_EPOCH", "1767225600", 1);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	setenv("PATH", scene->path_variable, 1);
	free(scene->path_variable);
	report_free(&scene->outcome);
	fixture_close(&scene->fixture);
	free(scene);
	return 0;
}

static void add(struct scene *scene, const char *workload, const char *config, double runtime_ns,
		bool modelled)
{
	const struct fixture_run run = {.workload = workload,
					.config = config,
					.runtime_ns = runtime_ns,
					.walk_fraction = 0.25,
					.modelled = modelled,
					.size = 1 << 30};

	fixture_runs(&scene->fixture, run, 3);
}

/* Only this run has the counter. */
static void add_extra_counter(struct scene *scene)
{
	const struct fixture_run run = {.workload = "gups",
					.config = "RP-LD",
					.runtime_ns = 1.5e9,
					.modelled = true,
					.size = 1 << 30};
	json_t *record = fixture_record(&run, 9);

	json_array_insert_new(
		json_object_get(json_object_get(record, "counters"), "events"), 0,
		json_pack("{s:s, s:i, s:s}", "name", "extra_events", "value", 5, "unit", "events"));
	fixture_write(&scene->fixture, record);
}

static void add_some(struct scene *scene)
{
	struct fixture_run failed = {.workload = "gups",
				     .config = "RP-RD",
				     .runtime_ns = 1e9,
				     .modelled = true,
				     .exit = "failed",
				     .size = 1 << 30,
				     .reason = "<b>no</b> & \"more\" memory"};

	add(scene, "gups", "LP-LD", 1e9, true);
	add(scene, "gups", "RP-LD", 1.5e9, true);
	add(scene, "<script>alert(1)</script>", "LP-LD", 1e9, false);
	fixture_runs(&scene->fixture, failed, 1);
	fixture_text(&scene->fixture, "campaign/newer/run.json", "{\"schema_version\": 7}");
}

static int write_report(struct scene *scene)
{
	report_free(&scene->outcome);
	scene->err = (struct err){0};
	return report_write(&scene->options, &scene->outcome, &scene->err);
}

static void write_ok(struct scene *scene)
{
	if (write_report(scene) != 0)
		fail_msg("%s", scene->err.text);
}

static char *content(const struct scene *scene, const char *name)
{
	struct fs root;
	struct err err = {0};
	char *text;

	assert_int_equal(fs_open(&root, scene->output, &err), 0);
	text = fs_read_all(&root, name, NULL);
	fs_close(&root);
	return text;
}

/* Leaves only the named programs in PATH. */
static void hide_all_but(struct scene *scene, const char *program)
{
	char bin[160], link[256], target[256];

	snprintf(bin, sizeof(bin), "%s/bin", scene->fixture.directory);
	fs_mkdir_parents(bin);
	if (program) {
		snprintf(link, sizeof(link), "%s/%s", bin, program);
		snprintf(target, sizeof(target), "/usr/bin/%s", program);
		assert_int_equal(symlink(target, link), 0);
	}
	setenv("PATH", bin, 1);
}

static void need(const char *program)
{
	if (!tool_exists(program)) {
		print_message("%s is not installed\n", program);
		skip();
	}
}

static void assert_says(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("no '%s' in:\n%s", words, text);
}

static void test_page(void **state)
{
	struct scene *scene = *state;
	char *page;

	need("gnuplot");
	add_extra_counter(scene);
	add_some(scene);
	write_ok(scene);
	assert_int_equal(scene->outcome.nr_runs, 11);
	assert_int_equal(scene->outcome.nr_used, 10);
	assert_int_equal(scene->outcome.nr_refused, 1);
	assert_int_equal(scene->outcome.nr_warnings, 1);
	assert_says(scene->outcome.warnings[0], "newer/run.json is left out: written by a newer");
	page = content(scene, "index.html");
	assert_says(page, "MODELLED IN PART");
	assert_says(page, ">MODELLED</text>");
	assert_says(page,
		    "<strong>gups takes 1.50\xc3\x97</strong> the runtime of LP-LD (modelled");
	assert_says(page, "published 1.53\xc3\x97, Mitosis figure 6");
	assert_says(page, "remote page tables (RP-LD)");
	assert_says(page, "mean absolute difference between modelled and published");
	assert_says(page, "failed: &lt;b&gt;no&lt;/b&gt; &amp; &quot;more&quot; memory");
	assert_says(page, "schema_version 7");
	assert_says(page, "&lt;script&gt;alert(1)");
	assert_says(page, "2026-01-01 00:00 UTC");
	assert_says(page, "bin/harness run gups RP-LD");
	assert_says(page, "size=1 GiB");
	assert_says(page, "<td class=\"c\">extra_events</td><td class=\"c\">events</td><td "
			  "class=\"n\">\xe2\x80\x93</td><td class=\"n\">5</td>");
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "src="));
	assert_null(strstr(page, "@import"));
	free(page);
}

static void test_well_formed(void **state)
{
	static char *const xmllint[] = {"xmllint", "--nonet", "-", NULL};
	struct scene *scene = *state;
	struct err err = {0};
	char *page, *parsed;
	size_t length;

	need("gnuplot");
	need("xmllint");
	add_some(scene);
	write_ok(scene);
	page = content(scene, "index.html");
	parsed = tool_filter(xmllint, "libxml2-utils", page, &length, &err);
	if (!parsed)
		fail_msg("%s", err.text);
	free(parsed);
	free(page);
}

static void test_same_records_same_bytes(void **state)
{
	static const char *const names[] = {"index.html",  "plot-1.svg",    "runs.csv",
					    "summary.csv", "published.csv", "counters.csv"};
	struct scene *scene = *state;
	char *first[6];

	need("gnuplot");
	add_some(scene);
	write_ok(scene);
	for (int i = 0; i < 6; i++)
		first[i] = content(scene, names[i]);
	write_ok(scene);
	for (int i = 0; i < 6; i++) {
		char *second = content(scene, names[i]);

		assert_string_equal(first[i], second);
		free(second);
		free(first[i]);
	}
}

/* A smaller report over a larger one leaves nothing of the larger. */
static void test_stale_files_go(void **state)
{
	struct scene *scene = *state;

	need("gnuplot");
	add(scene, "gups", "LP-LD", 1e9, true);
	fixture_text(&scene->fixture, "new/report/plot-2.svg", "old");
	fixture_text(&scene->fixture, "new/report/report.pdf", "old");
	fixture_text(&scene->fixture, "new/report/notes.txt", "the user's");
	write_ok(scene);
	assert_null(content(scene, "plot-2.svg"));
	assert_null(content(scene, "report.pdf"));
	free(content(scene, "notes.txt"));
	free(content(scene, "plot-1.svg"));
}

static void test_pdf(void **state)
{
	struct scene *scene = *state;
	char *pdf;

	need("gnuplot");
	need("weasyprint");
	add_some(scene);
	scene->options.no_pdf = false;
	write_ok(scene);
	pdf = content(scene, "report.pdf");
	assert_non_null(pdf);
	assert_memory_equal(pdf, "%PDF-", 5);
	free(pdf);
}

static void test_no_gnuplot(void **state)
{
	struct scene *scene = *state;
	char *csv;

	add_some(scene);
	hide_all_but(scene, NULL);
	assert_int_equal(write_report(scene), -1);
	assert_int_equal(scene->err.kind, ERR_MACHINE);
	assert_says(scene->err.text, "gnuplot-nox");
	csv = content(scene, "summary.csv");
	assert_says(csv, "RP-LD");
	free(csv);
	assert_null(content(scene, "index.html"));
}

static void test_no_weasyprint(void **state)
{
	struct scene *scene = *state;

	need("gnuplot");
	add(scene, "gups", "LP-LD", 1e9, true);
	hide_all_but(scene, "gnuplot");
	scene->options.no_pdf = false;
	write_ok(scene);
	assert_int_equal(scene->outcome.nr_warnings, 1);
	assert_says(scene->outcome.warnings[0], "install the package 'weasyprint'");
	scene->options.require_pdf = true;
	assert_int_equal(write_report(scene), -1);
	assert_int_equal(scene->err.kind, ERR_MACHINE);
}

static void test_bad_places(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(write_report(scene), -1);
	assert_int_equal(scene->err.kind, ERR_USAGE);
	add(scene, "gups", "LP-LD", 1e9, true);
	fixture_text(&scene->fixture, "new/report", "a file");
	assert_int_equal(write_report(scene), -1);
	assert_int_equal(scene->err.kind, ERR_USAGE);
	assert_says(scene->err.text, "new/report");
}

static int command(struct scene *scene, const char *option, const char *value)
{
	char *argv[] = {"report",   "--results",    scene->results, "--output", scene->output,
			"--no-pdf", (char *)option, (char *)value,  NULL};

	return analysis_command(option ? value ? 8 : 7 : 6, argv);
}

static void test_command_status(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(command(scene, NULL, NULL), ERR_USAGE);
	add(scene, "gups", "LP-LD", 1e9, true);
	if (tool_exists("gnuplot")) {
		assert_int_equal(command(scene, "--json", NULL), 0);
		assert_int_equal(command(scene, "--title", "A & B"), 0);
	}
	hide_all_but(scene, NULL);
	assert_int_equal(command(scene, NULL, NULL), ERR_MACHINE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_page),
		TEST(test_well_formed),
		TEST(test_same_records_same_bytes),
		TEST(test_stale_files_go),
		TEST(test_pdf),
		TEST(test_no_gnuplot),
		TEST(test_no_weasyprint),
		TEST(test_bad_places),
		TEST(test_command_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
