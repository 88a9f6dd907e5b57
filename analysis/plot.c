// SPDX-License-Identifier: MIT
#include "analysis/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/array.h"
#include "analysis/html.h"
#include "analysis/tool.h"

/* Bars narrower than those of 16 configs in one plot cannot be read on paper. */
#define SLOTS_PER_PLOT 16

/* --- SVG for embedding ------------------------------------------------------------------------ */

/* What gnuplot writes between these is not for a page: tool tips, and point marks by id. */
static const struct {
	const char *begin, *end;
} unwanted[] = {
	{"<title>", "</title>"},
	{"<desc>", "</desc>"},
	{"<defs>\n\n\t<circle id='gpDot'", "</defs>"},
};

static const char *skip_unwanted(const char *at)
{
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
		const char *end;

		if (strncmp(at, unwanted[i].begin, strlen(unwanted[i].begin)) != 0)
			continue;
		end = strstr(at, unwanted[i].end);
		if (end)
			return end + strlen(unwanted[i].end);
	}
	return NULL;
}

static void print_body(FILE *out, const char *at, const char *name)
{
	static const char pattern_id[] = "gpPat", canvas_id[] = "\"gnuplot_canvas\"";

	while (*at && strncmp(at, "</svg>", 6) != 0) {
		const char *after = skip_unwanted(at);

		if (after) {
			at = after;
		} else if (strncmp(at, pattern_id, strlen(pattern_id)) == 0) {
			fprintf(out, "%s-pattern", name);
			at += strlen(pattern_id);
		} else if (strncmp(at, canvas_id, strlen(canvas_id)) == 0) {
			fprintf(out, "\"%s-canvas\"", name);
			at += strlen(canvas_id);
		} else {
			fputc(*at++, out);
		}
	}
}

static void print_watermark(FILE *out)
{
	fputs("<text x=\"500\" y=\"255\" text-anchor=\"middle\" font-family=\"sans-serif\" "
	      "font-size=\"92\" font-weight=\"bold\" letter-spacing=\"8\" fill=\"#9a4f00\" "
	      "fill-opacity=\"0.13\" transform=\"rotate(-14 500 230)\">MODELLED</text>\n",
	      out);
}

char *plot_embed(const char *svg, const char *name, const char *label, bool modelled)
{
	const char *element = strstr(svg, "<svg"), *body = element ? strchr(element, '>') : NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out || !body) {
		if (out)
			fclose(out);
		free(text);
		return NULL;
	}
	fputs("<svg role=\"img\" aria-label=\"", out);
	html_text(out, label);
	fprintf(out, "\"%.*s>\n", (int)(body - element - 4), element + 4);
	print_body(out, body + 1, name);
	if (modelled)
		print_watermark(out);
	fputs("</svg>\n", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* --- drawing ---------------------------------------------------------------------------------- */

static char *script_of(const struct table *table, const struct plot *plot)
{
	char *script = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&script, &size);

	if (!out)
		return NULL;
	plot_print_script(out, table, plot);
	if (fclose(out) == 0)
		return script;
	free(script);
	return NULL;
}

static int draw(struct plot *plot, const struct table *table, struct err *err)
{
	static char *const gnuplot[] = {"gnuplot", "--default-settings", "-", NULL};
	const bool modelled = table->sections[plot->section].example->modelled;
	char *script = script_of(table, plot), *svg;
	char label[128];
	size_t length;

	if (!script)
		return err_set(err, ERR_INTERNAL, "out of memory");
	svg = tool_filter(gnuplot, "gnuplot-nox", script, &length, err);
	free(script);
	if (!svg)
		return -1;
	snprintf(label, sizeof(label), "%s runtime by config, relative to %.32s",
		 modelled ? "Modelled" : "Measured", table->panels[plot->panel].baseline);
	plot->svg = plot_embed(svg, plot->name, label, modelled);
	free(svg);
	if (!plot->svg)
		return err_set(err, ERR_RUN, "gnuplot wrote no SVG for %s", plot->name);
	plot->length = strlen(plot->svg);
	return 0;
}

static bool worth_drawing(const struct table *table, const struct table_panel *panel)
{
	for (int g = 0; g < panel->nr_groups; g++)
		if (table->groups[panel->first_group + g].baseline_row >= 0)
			return true;
	return false;
}

static int draw_panel(struct plots *plots, const struct table *table, int section, int panel_index,
		      struct err *err)
{
	const struct table_panel *panel = &table->panels[panel_index];
	const int fit = SLOTS_PER_PLOT / panel->nr_configs, per_plot = fit > 0 ? fit : 1;

	for (int g = 0; g < panel->nr_groups; g += per_plot) {
		const int left = panel->nr_groups - g;
		struct plot *items = array_grow(plots->items, plots->nr, sizeof(*items));

		if (!items)
			return err_set(err, ERR_INTERNAL, "out of memory");
		plots->items = items;
		items += plots->nr++;
		items->section = section;
		items->panel = panel_index;
		items->first_group = panel->first_group + g;
		items->nr_groups = left < per_plot ? left : per_plot;
		snprintf(items->name, sizeof(items->name), "plot-%d", plots->nr);
		if (draw(items, table, err) != 0)
			return -1;
	}
	return 0;
}

int plots_draw(struct plots *plots, const struct table *table, struct err *err)
{
	memset(plots, 0, sizeof(*plots));
	for (int s = 0; s < table->nr_sections; s++) {
		const struct table_section *section = &table->sections[s];

		for (int p = 0; p < section->nr_panels; p++) {
			const int panel = section->first_panel + p;

			if (worth_drawing(table, &table->panels[panel]) &&
			    draw_panel(plots, table, s, panel, err) != 0)
				return -1;
		}
	}
	return 0;
}

void plots_free(struct plots *plots)
{
	for (int i = 0; i < plots->nr; i++)
		free(plots->items[i].svg);
	free(plots->items);
	memset(plots, 0, sizeof(*plots));
}
