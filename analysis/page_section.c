// SPDX-License-Identifier: MIT
/* One machine: plots, results, checks of the placement. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/array.h"
#include "analysis/describe.h"
#include "analysis/dump.h"
#include "analysis/html.h"
#include "analysis/page.h"
#include "common/units.h"

static void print_range(FILE *out, const char *format, double low, double high)
{
	if (isnan(low))
		return;
	fputs(" <span class=\"ci\">[", out);
	html_printf(out, format, low);
	fputs(", ", out);
	html_printf(out, format, high);
	fputs("]</span>", out);
}

static void print_percent(FILE *out, double fraction)
{
	if (isnan(fraction))
		html_number(out, DASH);
	else
		html_number(out, "%.1f %%", 100 * fraction);
}

/* --- results ---------------------------------------------------------------------------------- */

static void print_runtime(FILE *out, const struct table_row *row)
{
	const struct stats_interval *interval = &row->runtime_interval;
	char text[DESCRIBE_TIME_MAX];

	fputs("<td class=\"n\">", out);
	html_text(out, describe_time(row->runtime_ns, text));
	if (interval->method != STATS_NONE) {
		fputs("<br/><span class=\"ci\">[", out);
		html_text(out, describe_time(interval->low, text));
		fputs(", ", out);
		html_text(out, describe_time(interval->high, text));
		fputs("]</span>", out);
	}
	fputs("</td>", out);
}

static void print_ratio(FILE *out, const struct table_row *row)
{
	fputs("<td class=\"n\">", out);
	if (isnan(row->ratio))
		fputs("no baseline", out);
	else
		fprintf(out, "<strong>%.3f</strong>", row->ratio);
	print_range(out, "%.3f", row->ratio_interval.low, row->ratio_interval.high);
	fputs("</td>", out);
}

static void print_published(FILE *out, const struct table_row *row)
{
	const struct published *bar = row->published;

	if (!bar) {
		fputs("<td class=\"n\">" DASH "</td><td class=\"n\">" DASH
		      "</td><td class=\"n\">" DASH "</td>",
		      out);
		return;
	}
	fputs("<td class=\"n\">", out);
	fprintf(out, "%.3f<br/><span class=\"source\">", bar->normalised);
	html_text(out, bar->figure->name);
	fputs("</span></td>", out);
	print_percent(out, bar->walk_fraction);
	if (isnan(row->ratio) || row->is_baseline)
		html_number(out, DASH);
	else
		fprintf(out, "<td class=\"n\">%+.3f<br/><span class=\"ci\">%+.1f %%</span></td>",
			row->ratio - bar->normalised, 100 * (row->ratio / bar->normalised - 1));
}

static void print_count(FILE *out, const struct table_row *row)
{
	if (row->nr_runs > row->nr_used)
		html_number(out, "%d (+%d failed)", row->nr_used, row->nr_runs - row->nr_used);
	else
		html_number(out, "%d", row->nr_used);
}

static void print_absent(FILE *out, bool failed, int columns)
{
	fprintf(out, "<td colspan=\"%d\" class=\"missing\">%s</td></tr>\n", columns,
		failed ? "failed, see <a href=\"#failures\">the list</a>" : "missing: not run");
}

static void print_result(FILE *out, const struct table *table, const struct table_group *group,
			 const char *config)
{
	const struct table_row *row = table_find(table, group, config);

	fputs("<tr>", out);
	html_name(out, group->label);
	html_name(out, config);
	if (!row) {
		print_absent(out, table_failed(table, group, config), 8);
		return;
	}
	print_count(out, row);
	if (row->nr_used == 0) {
		print_absent(out, true, 7);
		return;
	}
	print_runtime(out, row);
	print_ratio(out, row);
	print_percent(out, row->walk_fraction);
	print_published(out, row);
	html_name(out, *row->placement ? row->placement : DASH);
	fputs("</tr>\n", out);
}

static void print_results(FILE *out, const struct table *table, const struct table_panel *panel)
{
	fputs("<table>\n<thead><tr><th>workload</th><th>config</th><th class=\"n\">n</th>"
	      "<th class=\"n\">median runtime<br/>[95 % interval]</th><th class=\"n\">relative to ",
	      out);
	html_text(out, panel->baseline);
	fputs("<br/>[95 % interval]</th><th class=\"n\">walk share</th><th class=\"n\">published</th>"
	      "<th class=\"n\">its walk share</th><th class=\"n\">difference</th><th>placement</th>"
	      "</tr></thead>\n<tbody>\n",
	      out);
	for (int g = 0; g < panel->nr_groups; g++) {
		const struct table_group *group = &table->groups[panel->first_group + g];

		for (int c = 0; c < panel->nr_configs; c++)
			print_result(out, table, group, panel->configs[c]);
	}
	fputs("</tbody>\n</table>\n", out);
}

static void print_mean_ratios(FILE *out, const struct table *table, const struct table_panel *panel)
{
	bool any = false;

	for (int c = 0; c < panel->nr_configs; c++) {
		const double mean = table_mean_ratio(table, panel, panel->configs[c]);

		if (isnan(mean) || same_config(panel->configs[c], panel->baseline))
			continue;
		fputs(any ? ", "
			  : "<p>Geometric mean over the workloads that have the config, relative to ",
		      out);
		if (!any)
			html_printf(out, "%s: ", panel->baseline);
		html_printf(out, "%s %.2f", panel->configs[c], mean);
		any = true;
	}
	if (any)
		fputs(".</p>\n", out);
}

static void print_errors(FILE *out, const struct table *table, const struct table_panel *panel,
			 bool modelled)
{
	for (int g = 0; g < panel->nr_groups; g++) {
		const struct table_group *group = &table->groups[panel->first_group + g];
		double absolute, relative;
		const int nr = table_error(table, group, &absolute, &relative);

		if (nr == 0)
			continue;
		fputs("<p>", out);
		html_printf(out,
			    "%s: mean absolute difference between %s and published relative "
			    "runtime %.3f, or %.1f %% of the published value, over %d config%s "
			    "(the baseline is 1 on both sides and left out).",
			    group->label, modelled ? "modelled" : "measured", absolute,
			    100 * relative, nr, nr > 1 ? "s" : "");
		fputs("</p>\n", out);
	}
}

/* --- what each workload was ------------------------------------------------------------------- */

/* "size=1 GiB updates=2000000": sizes as a person writes them; runs.csv has the bytes. */
static void print_options(FILE *out, const struct record *run)
{
	json_t *options = json_object_get(json_object_get(run->json, "workload"), "options");
	const char *name;
	json_t *value;

	fputs("<td class=\"w\">", out);
	json_object_foreach (options, name, value) {
		const bool size = strcmp(name, "size") == 0 || strstr(name, "bytes") != NULL;
		char text[UNITS_TEXT_MAX], *compact = NULL;

		if (size && json_is_integer(value) && json_integer_value(value) >= 0)
			units_format_size((uint64_t)json_integer_value(value), text);
		else
			compact = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
		html_printf(out, "%s=%s ", name,
			    json_is_string(value) ? json_string_value(value)
			    : compact             ? compact
						  : text);
		free(compact);
	}
	fputs(json_object_size(options) ? "</td>" : DASH "</td>", out);
}

static void print_workloads(FILE *out, const struct table *table, const struct table_panel *panel)
{
	fputs("<table>\n<thead><tr><th>workload</th><th>options</th><th>arguments</th><th class=\"n\">threads"
	      "</th><th class=\"n\">footprint</th><th class=\"n\">caches scaled by</th></tr>"
	      "</thead>\n<tbody>\n",
	      out);
	for (int g = 0; g < panel->nr_groups; g++) {
		const struct table_group *group = &table->groups[panel->first_group + g];
		const struct record *run = table->rows[group->first_row].example;
		char size[UNITS_TEXT_MAX];

		fputs("<tr>", out);
		html_name(out, group->label);
		print_options(out, run);
		html_cell(out, *run->arguments ? run->arguments : DASH);
		html_number(out, isnan(run->threads) ? DASH : "%.0f", run->threads);
		html_number(out, "%s",
			    run->footprint_bytes > 0
				    ? units_format_size((uint64_t)run->footprint_bytes, size)
				    : DASH);
		html_number(out, isnan(run->scale) ? DASH : "%.4g", run->scale);
		fputs("</tr>\n", out);
	}
	fputs("</tbody>\n</table>\n", out);
}

/* --- was it where it should be ---------------------------------------------------------------- */

static int panel_nodes(const struct table *table, const struct table_panel *panel)
{
	int nodes = 0;

	for (int g = 0; g < panel->nr_groups; g++) {
		const struct table_group *group = &table->groups[panel->first_group + g];

		for (int i = 0; i < group->nr_rows; i++) {
			const struct table_row *row = &table->rows[group->first_row + i];
			const int n = dump_nodes(run_record_dump(row->example, NULL));

			nodes = n > nodes ? n : nodes;
		}
	}
	return nodes;
}

static void print_pages(FILE *out, const json_t *dump, int node)
{
	const double pages = dump_table_pages(dump, node);

	if (isnan(pages))
		html_number(out, DASH);
	else
		html_number(out, "%.0f", pages);
}

static void print_check(FILE *out, const struct table_row *row, const char *label, int nr_nodes)
{
	const struct record *run = row->example;
	const char *which = NULL;
	const json_t *dump = run_record_dump(run, &which);

	fputs("<tr>", out);
	html_name(out, label);
	html_name(out, run->config);
	html_name(out, *row->placement ? row->placement : DASH);
	print_percent(out, row->page_tables_off_fraction);
	print_percent(out, row->data_off_fraction);
	for (int node = 0; node < nr_nodes; node++)
		print_pages(out, dump, node);
	print_percent(out, dump_local_leaf_fraction(dump, describe_cpu_node(run)));
	html_name(out, which ? which : "no dump");
	html_cell(out, run->placement_detail);
	fputs("</tr>\n", out);
}

static void print_checks(FILE *out, const struct table *table, const struct table_panel *panel)
{
	const int nr_nodes = panel_nodes(table, panel);

	fputs("<h4>Placement, read back from the page tables</h4>\n<table>\n<thead><tr><th>workload"
	      "</th><th>config</th><th>placement</th><th class=\"n\">tables off</th>"
	      "<th class=\"n\">data off</th>",
	      out);
	for (int node = 0; node < nr_nodes; node++)
		fprintf(out, "<th class=\"n\">table pages on node %d</th>", node);
	fputs("<th class=\"n\">leaf entries local to the threads</th><th>dump</th><th>detail</th>"
	      "</tr></thead>\n<tbody>\n",
	      out);
	for (int g = 0; g < panel->nr_groups; g++) {
		const struct table_group *group = &table->groups[panel->first_group + g];

		for (int i = 0; i < group->nr_rows; i++)
			if (table->rows[group->first_row + i].nr_used > 0)
				print_check(out, &table->rows[group->first_row + i], group->label,
					    nr_nodes);
	}
	fputs("</tbody>\n</table>\n", out);
}

/* --- plots ------------------------------------------------------------------------------------ */

static void print_caption(FILE *out, const struct table *table, const struct plot *plot)
{
	const struct table_panel *panel = &table->panels[plot->panel];
	const bool modelled = table->sections[plot->section].example->modelled;

	fprintf(out, "<figcaption><strong>%s.</strong> ", modelled ? "MODELLED" : "Measured");
	html_printf(out,
		    "Median runtime of the region of interest relative to %s; hatched from the "
		    "ground: the share of cycles in page walks (of all threads). Whiskers: 95 %% "
		    "interval of the ratio, for %s of its own median. ",
		    panel->baseline, panel->baseline);
	fputs("Grey: the published bar, where the papers have one; Mitosis published the cycles of "
	      "all threads, vMitosis whole seconds, and nearly every published bar is one run. "
	      "\xe2\x80\xa0: placement off by more than the tolerance.</figcaption>\n",
	      out);
}

static void print_plots(FILE *out, const struct page *page, int panel)
{
	bool any = false;

	for (int i = 0; i < page->plots->nr; i++) {
		const struct plot *plot = &page->plots->items[i];

		if (plot->panel != panel)
			continue;
		fputs("<figure>\n", out);
		fwrite(plot->svg, 1, plot->length, out);
		print_caption(out, page->table, plot);
		fputs("</figure>\n", out);
		any = true;
	}
	if (any)
		return;
	fputs("<p class=\"missing\">No plot: no run of the baseline ", out);
	html_text(out, page->table->panels[panel].baseline);
	fputs(" was used, so there is nothing to divide by.</p>\n", out);
}

void page_print_section(FILE *out, const struct page *page, int index)
{
	const struct table_section *section = &page->table->sections[index];
	const struct record *example = section->example;

	fprintf(out, "<section class=\"machine\" id=\"machine-%d\">\n<h2>", index + 1);
	html_text(out, describe_machine(example));
	fprintf(out, " <span class=\"badge %s\">%s</span></h2>\n<p class=\"meta\">",
		example->modelled ? "modelled" : "measured",
		example->modelled ? "MODELLED" : "measured");
	/* The CPU that an emulator reports is not the one that was modelled. */
	html_printf(out, "%s%s%s%s", example->modelled ? "profile " : "",
		    example->modelled ? example->profile : example->cpu_model,
		    *example->kernel ? ", kernel " : "", example->kernel);
	fputs("</p>\n", out);
	for (int p = 0; p < section->nr_panels; p++) {
		const struct table_panel *panel = &page->table->panels[section->first_panel + p];

		fputs("<h3>Relative to ", out);
		html_text(out, panel->baseline);
		fputs("</h3>\n", out);
		print_plots(out, page, section->first_panel + p);
		print_results(out, page->table, panel);
		print_mean_ratios(out, page->table, panel);
		print_errors(out, page->table, panel, example->modelled);
		print_workloads(out, page->table, panel);
		print_checks(out, page->table, panel);
		page_print_counters(out, page->table, panel);
	}
	page_print_machine(out, example);
	fputs("</section>\n", out);
}
