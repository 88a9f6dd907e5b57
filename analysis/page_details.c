// SPDX-License-Identifier: MIT
/* What is folded away: counters, and the machine as it was recorded. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/html.h"
#include "analysis/page.h"
#include "common/units.h"

/* --- counters --------------------------------------------------------------------------------- */

static const json_t *find_event(const struct record *run, const char *name)
{
	const json_t *counters = json_object_get(run->json, "counters");
	size_t i;
	json_t *event;

	json_array_foreach (json_object_get(counters, "events"), i, event) {
		const char *other = json_string_value(json_object_get(event, "name"));

		if (other && strcmp(other, name) == 0)
			return event;
	}
	return NULL;
}

static double median_event(const struct table *table, const struct table_row *row, const char *name)
{
	double *values = reallocarray(NULL, (size_t)row->nr_runs, sizeof(*values)), median;
	int nr = 0;

	for (int i = 0; values && i < row->nr_runs; i++) {
		const struct record *run = table->runs[row->first_run + i];
		const json_t *value = json_object_get(find_event(run, name), "value");

		if (!run->unused && json_is_number(value))
			values[nr++] = json_number_value(value);
	}
	median = stats_median(values, nr);
	free(values);
	return median;
}

static void print_event(FILE *out, const struct table *table, const struct table_panel *panel,
			const struct table_group *group, const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "name"));
	const char *unit = json_string_value(json_object_get(event, "unit"));
	char text[UNITS_TEXT_MAX];

	if (!name)
		return;
	fputs("<tr>", out);
	html_name(out, name);
	html_name(out, unit);
	for (int c = 0; c < panel->nr_configs; c++) {
		const struct table_row *row = table_find(table, group, panel->configs[c]);
		const double median = row ? median_event(table, row, name) : NAN;

		html_number(out, "%s", isnan(median) ? DASH : units_format_count(median, text));
	}
	fputs("</tr>\n", out);
}

/* A model counts only the node pairs that occur, so the configs of a group may differ in events. */
static bool listed_before(const struct table_row *rows, int row, const char *name)
{
	for (int i = 0; name && i < row; i++)
		if (find_event(rows[i].example, name))
			return true;
	return false;
}

static void print_events(FILE *out, const struct table *table, const struct table_panel *panel,
			 const struct table_group *group)
{
	const struct table_row *rows = &table->rows[group->first_row];
	size_t i;
	json_t *event;

	for (int row = 0; row < group->nr_rows; row++) {
		const json_t *counters = json_object_get(rows[row].example->json, "counters");

		json_array_foreach (json_object_get(counters, "events"), i, event) {
			const char *name = json_string_value(json_object_get(event, "name"));

			if (!listed_before(rows, row, name))
				print_event(out, table, panel, group, event);
		}
	}
}

static void print_group_counters(FILE *out, const struct table *table,
				 const struct table_panel *panel, const struct table_group *group)
{
	const struct record *run = table->rows[group->first_row].example;
	const json_t *counters = json_object_get(run->json, "counters");
	const json_t *events = json_object_get(counters, "events");
	const char *note = json_string_value(json_object_get(counters, "note"));

	fputs("<h4>", out);
	html_printf(out, "Counters of %s (medians, source: %s)", group->label,
		    *run->counters_source ? run->counters_source : "none");
	fputs("</h4>\n", out);
	if (note) {
		fputs("<p>", out);
		html_text(out, note);
		fputs("</p>\n", out);
	}
	if (json_array_size(events) == 0)
		return;
	fputs("<table>\n<thead><tr><th>counter</th><th>unit</th>", out);
	for (int c = 0; c < panel->nr_configs; c++) {
		fputs("<th class=\"n\">", out);
		html_text(out, panel->configs[c]);
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n<tbody>\n", out);
	print_events(out, table, panel, group);
	fputs("</tbody>\n</table>\n", out);
}

void page_print_counters(FILE *out, const struct table *table, const struct table_panel *panel)
{
	fputs("<details><summary>Counters</summary>\n", out);
	for (int g = 0; g < panel->nr_groups; g++)
		print_group_counters(out, table, panel, &table->groups[panel->first_group + g]);
	fputs("</details>\n", out);
}

/* --- the machine ------------------------------------------------------------------------------ */

static void print_machine_member(FILE *out, const char *name, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));

	fputs("<tr><th>", out);
	html_text(out, name);
	fputs("</th>", out);
	html_cell(out, json_is_string(value) ? json_string_value(value) : text);
	fputs("</tr>\n", out);
	free(text);
}

static void print_node(FILE *out, const json_t *node)
{
	const json_t *bytes = json_object_get(node, "memory_bytes");
	char *cpus = json_dumps(json_object_get(node, "cpus"), JSON_ENCODE_ANY);
	char *distances = json_dumps(json_object_get(node, "distances"), JSON_ENCODE_ANY);
	char size[UNITS_TEXT_MAX];

	fputs("<tr>", out);
	fprintf(out, "<td>%lld</td>", (long long)json_integer_value(json_object_get(node, "id")));
	html_number(out, "%s",
		    json_is_integer(bytes)
			    ? units_format_size((uint64_t)json_integer_value(bytes), size)
			    : DASH);
	html_cell(out, cpus ? cpus : DASH);
	html_cell(out, distances ? distances : DASH);
	fputs("</tr>\n", out);
	free(cpus);
	free(distances);
}

void page_print_machine(FILE *out, const struct record *run)
{
	json_t *machine = json_object_get(run->json, "machine");
	const char *name;
	json_t *value;
	size_t i;

	fputs("<details><summary>The machine</summary>\n<p>As recorded by run ", out);
	html_text(out, run->id);
	fputs(".</p>\n<table class=\"machine\"><tbody>\n", out);
	json_object_foreach (machine, name, value)
		if (strcmp(name, "nodes") != 0)
			print_machine_member(out, name, value);
	fputs("</tbody></table>\n<table>\n<thead><tr><th>node</th><th class=\"n\">memory</th><th>CPUs</th><th>"
	      "distances</th></tr></thead>\n<tbody>\n",
	      out);
	json_array_foreach (json_object_get(machine, "nodes"), i, value)
		print_node(out, value);
	fputs("</tbody></table>\n</details>\n", out);
}
