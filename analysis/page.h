/* SPDX-License-Identifier: MIT */
/*
 * The report as one HTML page: no script, no request to anywhere, well-formed XML. The same page is
 * printed to PDF.
 */
#ifndef ANALYSIS_PAGE_H
#define ANALYSIS_PAGE_H

#include <stdio.h>

#include "analysis/plot.h"
#include "analysis/records.h"
#include "analysis/table.h"

#define DASH "\xe2\x80\x93" /* what stands where a value is absent */

struct page {
	const char *title;
	const char *date; /* "2026-01-31 12:00 UTC" */
	const struct records *records;
	const struct table *table;
	const struct plots *plots;
};

void page_print(FILE *out, const struct page *page);

/* The parts, in files of their own. */
void page_print_style(FILE *out);
void page_print_section(FILE *out, const struct page *page, int section);
void page_print_counters(FILE *out, const struct table *table, const struct table_panel *panel);
void page_print_machine(FILE *out, const struct record *run);
void page_print_method(FILE *out, const struct page *page);

#endif
