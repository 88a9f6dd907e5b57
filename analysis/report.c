// SPDX-License-Identifier: MIT
#include "analysis/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analysis/array.h"
#include "analysis/page.h"
#include "analysis/plot.h"
#include "analysis/records.h"
#include "analysis/reference.h"
#include "analysis/table.h"
#include "analysis/table_csv.h"
#include "analysis/tool.h"
#include "common/fs.h"
#include "common/paths.h"

#define DEFAULT_TITLE "What page-table placement costs"

struct report {
	const struct analysis_options *options;
	struct report_outcome *outcome;
	struct records records;
	struct reference reference;
	struct table table;
	struct plots plots;
};

static int out_of_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, "out of memory");
}

/* --- the outcome ------------------------------------------------------------------------------ */

static int append(char ***texts, int *nr, char *text, struct err *err)
{
	char **larger = text ? array_grow(*texts, *nr, sizeof(*larger)) : NULL;

	if (!larger) {
		free(text);
		return out_of_memory(err);
	}
	*texts = larger;
	larger[(*nr)++] = text;
	return 0;
}

__attribute__((format(printf, 3, 4))) static int warn(struct report *report, struct err *err,
						      const char *format, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return append(&report->outcome->warnings, &report->outcome->nr_warnings,
		      n < 0 ? NULL : text, err);
}

static char *path_in_output(const struct report *report, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", report->options->output_directory, name) < 0 ? NULL : path;
}

static int write_file(struct report *report, const char *name, const char *data, size_t length,
		      struct err *err)
{
	char *path = path_in_output(report, name);

	if (!path)
		return out_of_memory(err);
	if (fs_replace(path, data, length, err) != 0) {
		free(path);
		return -1;
	}
	return append(&report->outcome->files, &report->outcome->nr_files, path, err);
}

/* What an earlier report left there and this one does not replace would belie it. */
static void remove_file(const struct report *report, const char *name)
{
	char *path = path_in_output(report, name);

	if (path)
		unlink(path);
	free(path);
}

/* --- the parts -------------------------------------------------------------------------------- */

static int write_csv(struct report *report, const char *name,
		     void (*print)(FILE *, const struct table *), struct err *err)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int result;

	if (!out)
		return out_of_memory(err);
	print(out, &report->table);
	result =
		fclose(out) == 0 ? write_file(report, name, text, length, err) : out_of_memory(err);
	free(text);
	return result;
}

static int write_tables(struct report *report, struct err *err)
{
	static const struct {
		const char *name;
		void (*print)(FILE *, const struct table *);
	} sheets[] = {
		{"runs.csv", table_print_runs},
		{"summary.csv", table_print_summary},
		{"published.csv", table_print_published},
		{"counters.csv", table_print_counters},
	};

	for (size_t i = 0; i < sizeof(sheets) / sizeof(sheets[0]); i++)
		if (write_csv(report, sheets[i].name, sheets[i].print, err) != 0)
			return -1;
	return 0;
}

static int write_plots(struct report *report, struct err *err)
{
	char name[48];

	if (plots_draw(&report->plots, &report->table, err) != 0)
		return err_prefix(err, "the tables are written, the plots are not");
	for (int i = 0; i < report->plots.nr; i++) {
		const struct plot *plot = &report->plots.items[i];

		snprintf(name, sizeof(name), "%s.svg", plot->name);
		if (write_file(report, name, plot->svg, plot->length, err) != 0)
			return -1;
	}
	for (int i = report->plots.nr + 1; i <= report->plots.nr + 100; i++) {
		snprintf(name, sizeof(name), "plot-%d.svg", i);
		remove_file(report, name);
	}
	return 0;
}

/* The one thing in a report that is not a function of the records (reproducible-builds.org). */
static void print_date(char *text, size_t size)
{
	const char *fixed = getenv("SOURCE_DATE_EPOCH");
	time_t now = fixed && *fixed ? (time_t)strtoll(fixed, NULL, 10) : time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(text, size, "%Y-%m-%d %H:%M UTC", &utc);
}

static char *make_page(const struct report *report, size_t *length, struct err *err)
{
	const char *title = report->options->title;
	char *text = NULL, date[40];
	FILE *out = open_memstream(&text, length);
	struct page page = {
		.title = title && *title ? title : DEFAULT_TITLE,
		.date = date,
		.records = &report->records,
		.table = &report->table,
		.plots = &report->plots,
	};

	print_date(date, sizeof(date));
	if (out) {
		page_print(out, &page);
		if (fclose(out) == 0)
			return text;
	}
	free(text);
	out_of_memory(err);
	return NULL;
}

static int write_pdf(struct report *report, const char *page, struct err *err)
{
	static char *const weasyprint[] = {"weasyprint", "--quiet", "--encoding", "utf-8",
					   "-",          "-",       NULL};
	struct err why = {0};
	size_t length;
	char *pdf;
	int result;

	if (report->options->no_pdf) {
		remove_file(report, "report.pdf");
		return 0;
	}
	pdf = tool_filter(weasyprint, "weasyprint", page, &length, &why);
	if (pdf) {
		result = write_file(report, "report.pdf", pdf, length, err);
		free(pdf);
		return result;
	}
	remove_file(report, "report.pdf");
	if (report->options->require_pdf)
		return err_set(err, why.kind, "no report.pdf: %s", why.text);
	return warn(report, err, "no report.pdf (all else is written): %s", why.text);
}

static int write_page(struct report *report, struct err *err)
{
	size_t length;
	char *page = make_page(report, &length, err);
	int result;

	if (!page)
		return -1;
	result = write_file(report, "index.html", page, length, err);
	if (result == 0)
		result = write_pdf(report, page, err);
	free(page);
	return result;
}

static int load(struct report *report, struct err *err)
{
	const struct analysis_options *options = report->options;
	char directory[PATHS_MAX];

	if (records_load(options->results, options->nr_results, &report->records, err) != 0 ||
	    paths_file(directory, "analysis/reference", err) != 0 ||
	    reference_load(&report->reference, directory, err) != 0)
		return -1;
	for (int i = 0; i < report->records.nr_refused; i++)
		if (warn(report, err, "%s is left out: %s", report->records.refused[i].path,
			 report->records.refused[i].reason) != 0)
			return -1;
	report->outcome->nr_refused = report->records.nr_refused;
	report->outcome->nr_runs = report->records.nr;
	for (int i = 0; i < report->records.nr; i++)
		report->outcome->nr_used += !report->records.items[i].unused;
	return table_build(&report->table, &report->records, &report->reference, err);
}

static int make_directory(const char *path, struct err *err)
{
	if (fs_mkdir_parents(path) == 0)
		return 0;
	return err_set_errno(err, errno == EEXIST || errno == ENOTDIR ? ERR_USAGE : ERR_INTERNAL,
			     errno, "cannot make the directory '%s' for the report", path);
}

int report_write(const struct analysis_options *options, struct report_outcome *outcome,
		 struct err *err)
{
	struct report report = {.options = options, .outcome = outcome};
	int result;

	memset(outcome, 0, sizeof(*outcome));
	result = load(&report, err);
	if (result == 0)
		result = make_directory(options->output_directory, err);
	if (result == 0)
		result = write_tables(&report, err);
	if (result == 0)
		result = write_plots(&report, err);
	if (result == 0)
		result = write_page(&report, err);
	plots_free(&report.plots);
	table_free(&report.table);
	reference_free(&report.reference);
	records_free(&report.records);
	return result;
}

void report_free(struct report_outcome *outcome)
{
	for (int i = 0; i < outcome->nr_files; i++)
		free(outcome->files[i]);
	for (int i = 0; i < outcome->nr_warnings; i++)
		free(outcome->warnings[i]);
	free(outcome->files);
	free(outcome->warnings);
	memset(outcome, 0, sizeof(*outcome));
}

int analysis_report(const struct analysis_options *options, struct err *err)
{
	struct report_outcome outcome;
	const int result = report_write(options, &outcome, err);

	report_free(&outcome);
	return result;
}
