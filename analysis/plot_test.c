// SPDX-License-Identifier: MIT
#include "analysis/plot.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/fixture.h"
#include "analysis/tool.h"

/* What gnuplot 5.4 writes, shortened. */
static const char svg[] =
	"<?xml version=\"1.0\"?>\n<svg \n width=\"960\" height=\"440\"\n>\n\n<title>Gnuplot</title>\n"
	"<desc>Produced by GNUPLOT</desc>\n\n<g id=\"gnuplot_canvas\">\n<defs>\n\n\t<circle "
	"id='gpDot' r='0.5'/>\n</defs>\n<defs><pattern id='gpPat1'/></defs>\n<polygon "
	"fill='url(#gpPat1)'/></g>\n</svg>\n\n";

static void test_embed(void **state)
{
	char *modelled = plot_embed(svg, "plot-3", "a \"label\"", true);
	char *measured = plot_embed(svg, "plot-4", "x", false);

	(void)state;
	assert_ptr_equal(strstr(modelled, "<svg role=\"img\" aria-label=\"a &quot;label&quot;\""),
			 modelled);
	assert_non_null(strstr(modelled, "id='plot-3-pattern1'"));
	assert_non_null(strstr(modelled, "url(#plot-3-pattern1)"));
	assert_non_null(strstr(modelled, "\"plot-3-canvas\""));
	assert_null(strstr(modelled, "gpDot"));
	assert_null(strstr(modelled, "Gnuplot"));
	assert_null(strstr(modelled, "<?xml"));
	assert_non_null(strstr(modelled, ">MODELLED</text>\n</svg>"));
	assert_null(strstr(measured, "MODELLED"));
	assert_null(plot_embed("no svg", "plot-1", "x", false));
	free(modelled);
	free(measured);
}

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

static void add(struct scene *scene, const char *workload, const char *config, double runtime_ns,
		bool modelled)
{
	const struct fixture_run run = {.workload = workload,
					.config = config,
					.runtime_ns = runtime_ns,
					.walk_fraction = 0.25,
					.modelled = modelled};

	fixture_runs(&scene->fixture, run, 3);
}

static const struct table *build(struct scene *scene)
{
	const char *const paths[] = {scene->fixture.directory};
	struct err err = {0};

	assert_int_equal(records_load(paths, 1, &scene->records, &err), 0);
	assert_int_equal(table_build(&scene->table, &scene->records, &scene->reference, &err), 0);
	return &scene->table;
}

static char *script(const struct table *table, int nr_groups)
{
	const struct plot plot = {.nr_groups = nr_groups, .name = "plot-1"};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	plot_print_script(out, table, &plot);
	fclose(out);
	return text;
}

static void assert_says(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("no '%s' in:\n%s", words, text);
}

static void test_bars(void **state)
{
	struct scene *scene = *state;
	char *text;

	add(scene, "gups", "LP-LD", 1e9, true);
	add(scene, "gups", "RP-LD", 2e9, true);
	text = script(build(scene), 1);
	assert_says(text, "set title 'MODELLED on emu:two-sockets: runtime relative to LP-LD'");
	assert_says(text, "title 'modelled runtime'");
	assert_says(text, "$own << EOD\n-0.210 1.000000\n0.790 2.000000\nEOD\n");
	assert_says(text, "$own_walk << EOD\n-0.210 0.250000\n0.790 0.500000\nEOD\n");
	assert_says(text, "$published << EOD\n0.210 1.000000\n1.210 1.531500\nEOD\n");
	assert_says(text, "set xtics add ('RP-LD' 1.000)");
	assert_says(text, "title '95% interval'");
	free(text);
}

static void test_measured_looks_different(void **state)
{
	struct scene *scene = *state;
	char *text;

	add(scene, "own-program", "LP-LD", 1e9, false);
	text = script(build(scene), 1);
	assert_says(text, "title 'measured runtime'");
	assert_null(strstr(text, "MODELLED"));
	assert_null(strstr(text, "#e69f00"));
	assert_null(strstr(text, "title 'published runtime'"));
	free(text);
}

static void test_missing_and_failed(void **state)
{
	struct scene *scene = *state;
	struct fixture_run failed = {
		.workload = "btree", .config = "RP-RD", .runtime_ns = 1e9, .exit = "failed"};
	char *text;

	add(scene, "btree", "LP-LD", 1e9, false);
	add(scene, "gups", "LP-LD", 1e9, false);
	add(scene, "gups", "RP-LD", 2e9, false);
	fixture_runs(&scene->fixture, failed, 1);
	text = script(build(scene), 2);
	assert_says(text, "set label 'missing' at first 1.000");
	assert_says(text, "set label 'failed' at first 2.000");
	assert_says(text, "set label 'missing' at first 5.700");
	free(text);
}

/* A name from a record must stay a name: no command, no end of the quoted text. */
static void test_hostile_names(void **state)
{
	struct scene *scene = *state;
	char marker[80], name[300], *text;

	snprintf(marker, sizeof(marker), "%s/executed", scene->fixture.directory);
	snprintf(name, sizeof(name), "'; system(\"touch %s\"); '`touch %s`\n!touch %s\n@x\\",
		 marker, marker, marker);
	add(scene, name, "LP-LD", 1e9, false);
	add(scene, name, "R'P\n", 1e9, false);
	text = script(build(scene), 1);
	assert_null(strchr(text, '`'));
	assert_null(strstr(text, "\n!"));
	assert_null(strstr(text, "''"));
	if (tool_exists("gnuplot")) {
		static char *const gnuplot[] = {"gnuplot", "--default-settings", "-", NULL};
		struct err err = {0};
		size_t length;
		char *drawn = tool_filter(gnuplot, "gnuplot-nox", text, &length, &err);

		if (!drawn)
			fail_msg("%s", err.text);
		free(drawn);
	}
	assert_int_not_equal(access(marker, F_OK), 0);
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_embed),
		TEST(test_bars),
		TEST(test_measured_looks_different),
		TEST(test_missing_and_failed),
		TEST(test_hostile_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
