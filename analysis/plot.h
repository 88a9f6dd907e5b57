/* SPDX-License-Identifier: MIT */
/*
 * Bars as in the papers: runtime relative to the baseline, the share of page walks hatched inside,
 * published values beside. Drawn by gnuplot as SVG that a browser and a PDF writer can embed.
 */
#ifndef ANALYSIS_PLOT_H
#define ANALYSIS_PLOT_H

#include <stdio.h>

#include "analysis/table.h"

struct plot {
	int section, panel; /* indices into the table */
	int first_group, nr_groups;
	char name[32]; /* "plot-1": the file's name, and unique ids inside the page */
	char *svg;     /* one <svg> element */
	size_t length;
};

struct plots {
	struct plot *items;
	int nr;
};

/*
 * Every panel that has something to draw, split so that the bars stay wide enough to read.
 * ERR_MACHINE without gnuplot.
 */
int plots_draw(struct plots *plots, const struct table *table, struct err *err);
void plots_free(struct plots *plots);

/* The gnuplot script of one plot (exported for its test). */
void plot_print_script(FILE *out, const struct table *table, const struct plot *plot);

/*
 * gnuplot's SVG as an element that may stand beside others in a page: no prologue, titles or
 * unused definitions, ids made unique by `name`, and "MODELLED" across it when it is; malloc'd.
 */
char *plot_embed(const char *svg, const char *name, const char *label, bool modelled);

#endif
