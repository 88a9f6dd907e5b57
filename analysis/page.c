// SPDX-License-Identifier: MIT
#include "analysis/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/describe.h"
#include "analysis/html.h"

/* More sentences than this are no key results; the tables have the rest. */
#define SENTENCES_MAX 14

static int count_runs(const struct table *table, bool modelled, bool used)
{
	int nr = 0;

	for (int i = 0; i < table->nr_runs; i++)
		nr += table->runs[i]->modelled == modelled && (!table->runs[i]->unused) == used;
	return nr;
}

static void print_banner(FILE *out, const struct page *page)
{
	const int modelled = count_runs(page->table, true, true);
	const int measured = count_runs(page->table, false, true);

	if (modelled)
		fprintf(out,
			"<p class=\"banner modelled\"><strong>MODELLED%s.</strong> The times of "
			"%d run%s come from a model of a NUMA machine inside an emulator; no such "
			"machine was there. Everything modelled is marked so and drawn in "
			"orange.</p>\n",
			measured ? " IN PART" : "", modelled, modelled > 1 ? "s" : "");
	if (measured)
		fprintf(out,
			"<p class=\"banner measured\"><strong>Measured.</strong> The times of %d "
			"run%s were measured on the machine named, and are drawn in blue.</p>\n",
			measured, measured > 1 ? "s" : "");
}

static void print_head(FILE *out, const struct page *page)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
	      "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, "
	      "initial-scale=1\"/>\n<title>",
	      out);
	html_text(out, page->title);
	fputs("</title>\n<style>\n", out);
	page_print_style(out);
	fputs("</style>\n</head>\n<body>\n<header>\n<h1>", out);
	html_text(out, page->title);
	fputs("</h1>\n<p class=\"meta\">", out);
	html_printf(out,
		    "Written %s from %d run records: %d in the results, %d failed or not usable.",
		    page->date, page->records->nr + page->records->nr_refused,
		    count_runs(page->table, true, true) + count_runs(page->table, false, true),
		    count_runs(page->table, true, false) + count_runs(page->table, false, false) +
			    page->records->nr_refused);
	fputs("</p>\n", out);
	print_banner(out, page);
	fputs("</header>\n", out);
}

/* --- what was run ----------------------------------------------------------------------------- */

static void print_section_line(FILE *out, const struct page *page, int index)
{
	const struct table_section *section = &page->table->sections[index];
	const struct record *example = section->example;

	fprintf(out, "<li><a href=\"#machine-%d\">", index + 1);
	html_text(out, describe_machine(example));
	fputs("</a> (", out);
	html_text(out, example->modelled ? "modelled" : "measured");
	fputs("): ", out);
	for (int p = 0; p < section->nr_panels; p++) {
		const struct table_panel *panel = &page->table->panels[section->first_panel + p];

		if (p)
			fputs("; ", out);
		for (int g = 0; g < panel->nr_groups; g++)
			html_printf(out, "%s%s", g ? ", " : "",
				    page->table->groups[panel->first_group + g].label);
		fputs(" under ", out);
		for (int c = 0; c < panel->nr_configs; c++)
			html_printf(out, "%s%s", c ? ", " : "", panel->configs[c]);
	}
	fputs("</li>\n", out);
}

/* --- key results ------------------------------------------------------------------------------ */

static void print_sentence(FILE *out, const struct table_row *row, const char *label)
{
	const struct record *record = row->example;
	char placement[256];

	describe_placement(record, placement, sizeof(placement));
	fputs("<li>", out);
	if (*placement)
		html_printf(out, "%s (%s): ", placement, record->config);
	else
		html_printf(out, "%s: ", record->config);
	fputs("<strong>", out);
	html_text(out, label);
	fprintf(out, " takes %.2f\xc3\x97</strong> the runtime of ", row->ratio);
	html_text(out, record->baseline);
	fprintf(out, " (%s, ", record->modelled ? "modelled" : "measured");
	if (row->ratio_interval.method == STATS_NONE)
		fprintf(out, "n = %d, no interval", row->nr_used);
	else
		fprintf(out, "95 %% interval %.2f to %.2f, n = %d", row->ratio_interval.low,
			row->ratio_interval.high, row->nr_used);
	if (row->published)
		html_printf(out, "; published %.2f\xc3\x97, %s, %s", row->published->normalised,
			    row->published->figure->name, row->published->figure->machine);
	fputs(").</li>\n", out);
}

static bool has_sentence(const struct table_row *row)
{
	return !row->is_baseline && !isnan(row->ratio);
}

/* All rows when they are few; else the slowest of each group. */
static const struct table_row *pick(const struct table *table, const struct table_group *group,
				    bool all, int index)
{
	const struct table_row *rows = &table->rows[group->first_row], *worst = NULL;

	if (all)
		return index < group->nr_rows ? &rows[index] : NULL;
	for (int i = 0; i < group->nr_rows && index == 0; i++)
		if (has_sentence(&rows[i]) && (!worst || rows[i].ratio > worst->ratio))
			worst = &rows[i];
	return worst;
}

static int section_sentences(const struct table *table, const struct table_section *section)
{
	int nr = 0;

	for (int p = 0; p < section->nr_panels; p++) {
		const struct table_panel *panel = &table->panels[section->first_panel + p];

		for (int g = 0; g < panel->nr_groups; g++) {
			const struct table_group *group = &table->groups[panel->first_group + g];

			for (int i = 0; i < group->nr_rows; i++)
				nr += has_sentence(&table->rows[group->first_row + i]);
		}
	}
	return nr;
}

static void print_group_sentences(FILE *out, const struct table *table,
				  const struct table_group *group, bool all)
{
	const struct table_row *row;

	for (int i = 0; (row = pick(table, group, all, i)) != NULL; i++)
		if (has_sentence(row))
			print_sentence(out, row, group->label);
}

/* Returns how many there are to tell. */
static int print_key_results(FILE *out, const struct table *table,
			     const struct table_section *section)
{
	const int nr = section_sentences(table, section);
	const bool all = nr <= SENTENCES_MAX;

	if (nr == 0)
		return 0;
	fputs("<p>On ", out);
	html_text(out, describe_machine(section->example));
	fprintf(out, "%s:</p>\n<ul>\n",
		all ? "" : ", the slowest config of each workload (the tables have the others)");
	for (int p = 0; p < section->nr_panels; p++) {
		const struct table_panel *panel = &table->panels[section->first_panel + p];

		for (int g = 0; g < panel->nr_groups; g++)
			print_group_sentences(out, table, &table->groups[panel->first_group + g],
					      all);
	}
	fputs("</ul>\n", out);
	return nr;
}

static void print_overview(FILE *out, const struct page *page)
{
	int sentences = 0;

	fputs("<section>\n<h2>What was run</h2>\n<ul>\n", out);
	for (int i = 0; i < page->table->nr_sections; i++)
		print_section_line(out, page, i);
	fputs("</ul>\n</section>\n<section>\n<h2>Key results</h2>\n", out);
	for (int i = 0; i < page->table->nr_sections; i++)
		sentences += print_key_results(out, page->table, &page->table->sections[i]);
	if (sentences == 0)
		fputs("<p>None: there is no workload with both its baseline and another config.</p>\n",
		      out);
	fputs("</section>\n", out);
}

/* --- what is not in the results --------------------------------------------------------------- */

static void print_failures(FILE *out, const struct page *page)
{
	const struct table *table = page->table;

	fputs("<section>\n<h2 id=\"failures\">Failed and unusable runs</h2>\n", out);
	if (count_runs(table, true, false) + count_runs(table, false, false) +
		    page->records->nr_refused ==
	    0) {
		fputs("<p>None.</p>\n</section>\n", out);
		return;
	}
	fputs("<p>None of these is in a figure, a bar or a median.</p>\n"
	      "<table>\n<thead><tr><th>record</th><th>workload</th><th>config</th><th>reason</th>"
	      "</tr></thead>\n<tbody>\n",
	      out);
	for (int i = 0; i < table->nr_runs; i++) {
		if (!table->runs[i]->unused)
			continue;
		fputs("<tr>", out);
		html_cell(out, table->runs[i]->path);
		html_name(out, table->runs[i]->workload);
		html_name(out, table->runs[i]->config);
		html_cell(out, table->runs[i]->unused);
		fputs("</tr>\n", out);
	}
	for (int i = 0; i < page->records->nr_refused; i++) {
		fputs("<tr>", out);
		html_cell(out, page->records->refused[i].path);
		fputs("<td>\xe2\x80\x93</td><td>\xe2\x80\x93</td>", out);
		html_cell(out, page->records->refused[i].reason);
		fputs("</tr>\n", out);
	}
	fputs("</tbody>\n</table>\n</section>\n", out);
}

void page_print(FILE *out, const struct page *page)
{
	print_head(out, page);
	fputs("<main>\n", out);
	print_overview(out, page);
	for (int i = 0; i < page->table->nr_sections; i++)
		page_print_section(out, page, i);
	print_failures(out, page);
	page_print_method(out, page);
	fputs("</main>\n</body>\n</html>\n", out);
}
