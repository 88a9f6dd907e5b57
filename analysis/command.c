// SPDX-License-Identifier: MIT
/* `harness report`. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "analysis/analysis.h"
#include "analysis/array.h"
#include "analysis/report.h"

#define PROGRAM "harness report"

enum { KEY_NO_PDF = 256, KEY_REQUIRE_PDF, KEY_JSON, KEY_TITLE };

struct arguments {
	struct analysis_options options;
	const char **results;
	int nr_results;
	bool json;
};

static const struct argp_option argp_rows[] = {
	{"results", 'r', "DIR", 0, "search DIR for run records (default: results; repeatable)", 0},
	{"output", 'o', "DIR", 0, "write the report into DIR (default: report)", 0},
	{"title", KEY_TITLE, "TEXT", 0, "title of the page", 0},
	{"no-pdf", KEY_NO_PDF, NULL, 0, "do not write report.pdf", 0},
	{"require-pdf", KEY_REQUIRE_PDF, NULL, 0, "fail when report.pdf cannot be written", 0},
	{"json", KEY_JSON, NULL, 0, "say what was written as JSON on standard output", 0},
	{0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	const char **larger;

	switch (key) {
	case 'r':
		larger = array_grow(arguments->results, arguments->nr_results, sizeof(*larger));
		if (!larger)
			return ENOMEM;
		arguments->results = larger;
		larger[arguments->nr_results++] = value;
		return 0;
	case 'o':
		arguments->options.output_directory = value;
		return 0;
	case KEY_TITLE:
		arguments->options.title = value;
		return 0;
	case KEY_NO_PDF:
		arguments->options.no_pdf = true;
		return 0;
	case KEY_REQUIRE_PDF:
		arguments->options.require_pdf = true;
		return 0;
	case KEY_JSON:
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is no option; name a directory of results with --results",
			   value);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static json_t *texts_to_json(char *const *texts, int nr)
{
	json_t *array = json_array();

	for (int i = 0; i < nr; i++)
		json_array_append_new(array, json_string(texts[i]));
	return array;
}

static void print_json(const struct report_outcome *outcome, const struct err *err)
{
	json_t *object =
		json_pack("{s:i, s:i, s:i, s:o, s:o, s:s?}", "runs", outcome->nr_runs, "runs_used",
			  outcome->nr_used, "records_refused", outcome->nr_refused, "files",
			  texts_to_json(outcome->files, outcome->nr_files), "warnings",
			  texts_to_json(outcome->warnings, outcome->nr_warnings), "error",
			  err->kind == ERR_NONE ? NULL : err->text);

	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
}

static void print_outcome(const struct report_outcome *outcome)
{
	if (outcome->nr_files == 0)
		return;
	printf("%d runs, %d of them in the results\n", outcome->nr_runs, outcome->nr_used);
	for (int i = 0; i < outcome->nr_files; i++)
		printf("wrote %s\n", outcome->files[i]);
}

static int make_report(struct arguments *arguments)
{
	static const char *const default_results[] = {"results"};
	struct report_outcome outcome;
	struct err err = {0};

	arguments->options.results = arguments->nr_results ? arguments->results : default_results;
	arguments->options.nr_results = arguments->nr_results ? arguments->nr_results : 1;
	report_write(&arguments->options, &outcome, &err);
	for (int i = 0; i < outcome.nr_warnings; i++)
		fprintf(stderr, PROGRAM ": warning: %s\n", outcome.warnings[i]);
	if (arguments->json)
		print_json(&outcome, &err);
	else
		print_outcome(&outcome);
	report_free(&outcome);
	return err_report(PROGRAM, &err);
}

int analysis_command(int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_rows,
		.parser = parse_option,
		.doc = "Makes tables, plots, a page and a PDF from run records.\v"
		       "Writes index.html, report.pdf, plot-N.svg, runs.csv, summary.csv, "
		       "published.csv and counters.csv. Exit status: 0 done; 2 no usable record, or "
		       "a wrong option; 3 gnuplot is missing (the CSV files are written), or "
		       "weasyprint with --require-pdf; 4 a helper program failed.",
	};
	struct arguments arguments = {.options = {.output_directory = "report"}};
	int status;

	argp_err_exit_status = ERR_USAGE;
	argv[0] = (char[]){PROGRAM};
	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
		status = ERR_USAGE;
	else
		status = make_report(&arguments);
	free(arguments.results);
	return status;
}
