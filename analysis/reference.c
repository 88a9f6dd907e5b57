// SPDX-License-Identifier: MIT
#include "analysis/reference.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/array.h"
#include "analysis/csv.h"
#include "analysis/records.h"
#include "common/fs.h"

#define COLUMNS_MAX 16
#define MITOSIS     "mitosis_runtimes.csv"
#define VMITOSIS    "vmitosis_runtimes.csv"
#define HASWELL     "4 x Intel Xeon E7-4850 v3"
#define CASCADELAKE "KVM guest on 4 x Intel Xeon Gold 6252"

/* The order decides which figure a run is compared with when several have the bar. */
static const struct reference_figure figures[] = {
	{MITOSIS, "6", "Mitosis figure 6", HASWELL, NULL, false, false},
	{MITOSIS, "10a", "Mitosis figure 10a", HASWELL, NULL, false, false},
	{MITOSIS, "6-thp", "Mitosis figure 6 (2 MiB pages)", HASWELL, NULL, false, false},
	{MITOSIS, "10b", "Mitosis figure 10b", HASWELL, NULL, false, false},
	{MITOSIS, "11", "Mitosis figure 11", HASWELL, NULL, false, true},
	{MITOSIS, "9a", "Mitosis figure 9a", HASWELL, NULL, false, false},
	{MITOSIS, "9b", "Mitosis figure 9b", HASWELL, NULL, false, false},
	{VMITOSIS, "1", "vMitosis figure 1", CASCADELAKE, "LL", true, false},
	{VMITOSIS, "3a", "vMitosis figure 3a", CASCADELAKE, "LL", true, false},
	{VMITOSIS, "3b", "vMitosis figure 3b", CASCADELAKE, "TLL", true, false},
	{VMITOSIS, "3c", "vMitosis figure 3c", CASCADELAKE, "TFLL", true, false},
	{VMITOSIS, "4a", "vMitosis figure 4a", CASCADELAKE, "F", true, false},
	{VMITOSIS, "4b", "vMitosis figure 4b", CASCADELAKE, "TF", true, false},
	{VMITOSIS, "5a", "vMitosis figure 5a", CASCADELAKE, "OF", true, false},
	{VMITOSIS, "5b", "vMitosis figure 5b", CASCADELAKE, "TOF", true, false},
};
#define NR_FIGURES (sizeof(figures) / sizeof(figures[0]))

/* The papers' thin Redis and Memcached ran their load inside the server process: ours of that name
 * do, the real servers do not. Every other workload has the paper's name. */
static const struct {
	const char *published, *ours;
} inprocess[] = {{"Redis", "redis-inproc"}, {"Memcached", "memcached-inproc"}};

static bool same_workload(const char *published, const char *ours)
{
	for (size_t i = 0; i < sizeof(inprocess) / sizeof(inprocess[0]); i++)
		if (strcmp(inprocess[i].published, published) == 0)
			return strcasecmp(inprocess[i].ours, ours) == 0;
	return strcasecmp(published, ours) == 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct sheet {
	const struct reference_figure *figure;
	char *header[COLUMNS_MAX], *fields[COLUMNS_MAX];
	int nr;
};

static const char *cell(const struct sheet *sheet, const char *column)
{
	for (int i = 0; i < sheet->nr; i++)
		if (strcmp(sheet->header[i], column) == 0)
			return sheet->fields[i];
	return NULL;
}

static double cell_number(const struct sheet *sheet, const char *column)
{
	const char *text = cell(sheet, column);
	char *end;
	double value;

	if (!text || !*text)
		return NAN;
	value = strtod(text, &end);
	return *end == '\0' ? value : NAN;
}

static int add_bar(struct reference *reference, const struct sheet *sheet, const char *baseline,
		   double normalised)
{
	struct published *bars = array_grow(reference->bars, reference->nr, sizeof(*bars));
	const struct reference_figure *figure = sheet->figure;
	const char *config = cell(sheet, "config");
	const bool prefix = figure->fragmented && config[0] == 'T';
	const bool base_prefix = figure->fragmented && baseline[0] == 'T';
	struct published *bar;

	if (!bars)
		return -1;
	reference->bars = bars;
	bar = &bars[reference->nr++];
	bar->figure = figure;
	bar->workload = strdup(cell(sheet, "workload"));
	if (asprintf(&bar->config, "%s%s", prefix ? "F" : "", config) < 0)
		bar->config = NULL;
	if (asprintf(&bar->baseline, "%s%s", base_prefix ? "F" : "", baseline) < 0)
		bar->baseline = NULL;
	bar->normalised = normalised;
	bar->walk_fraction = cell_number(sheet, "walk_fraction");
	bar->unit = figure->virtual_machine ? "seconds" : "cycles";
	bar->value =
		cell_number(sheet, figure->virtual_machine ? "mean_seconds" : "runtime_cycles");
	return bar->workload && bar->config && bar->baseline ? 0 : -1;
}

/* A line is one bar, or two when the paper's data give a second baseline of the same page size. */
static int take_line(struct reference *reference, const struct sheet *sheet)
{
	const char *baseline = cell(sheet, "baseline"), *second;

	if (!baseline)
		baseline = sheet->figure->baseline;
	if (!baseline || !cell(sheet, "workload") || !cell(sheet, "config") ||
	    !(cell_number(sheet, "normalized") > 0))
		return -1;
	if (add_bar(reference, sheet, baseline, cell_number(sheet, "normalized")) != 0)
		return -1;
	second = cell(sheet, "same_page_size_baseline");
	if (!second || same_config(second, baseline))
		return 0;
	return add_bar(reference, sheet, second, cell_number(sheet, "normalized_same_page_size"));
}

static int read_figure(struct reference *reference, const struct reference_figure *figure,
		       char *text, const char *path, struct err *err)
{
	struct csv_reader reader = {.next = text};
	struct sheet sheet = {.figure = figure};
	int nr = sheet.nr = csv_read(&reader, sheet.header, COLUMNS_MAX);
	bool sound = nr > 0;

	while (sound && (nr = csv_read(&reader, sheet.fields, COLUMNS_MAX)) != 0) {
		const char *key = nr == sheet.nr ? cell(&sheet, "figure") : NULL;

		sound = key && (strcmp(key, figure->key) != 0 || take_line(reference, &sheet) == 0);
	}
	if (sound)
		return 0;
	return err_set(err, ERR_INTERNAL,
		       "%s:%d: not a line of the published bars; put the file back from the "
		       "suite's sources",
		       path, reader.line);
}

int reference_load(struct reference *reference, const char *directory, struct err *err)
{
	struct fs root = {.root_fd = -1};
	int result = 0;

	memset(reference, 0, sizeof(*reference));
	if (fs_open(&root, directory, err) != 0)
		return err_prefix(err, "published figures");
	for (size_t i = 0; i < NR_FIGURES && result == 0; i++) {
		char *text = fs_read_all(&root, figures[i].file, NULL);

		if (!text)
			result = err_set_errno(err, ERR_INTERNAL, errno, "cannot read '%s/%s'",
					       directory, figures[i].file);
		else
			result = read_figure(reference, &figures[i], text, figures[i].file, err);
		free(text);
	}
	fs_close(&root);
	if (result != 0)
		reference_free(reference);
	return result;
}

void reference_free(struct reference *reference)
{
	for (int i = 0; i < reference->nr; i++) {
		free(reference->bars[i].workload);
		free(reference->bars[i].config);
		free(reference->bars[i].baseline);
	}
	free(reference->bars);
	memset(reference, 0, sizeof(*reference));
}

/* --- joining ---------------------------------------------------------------------------------- */

/* Names like LL and RRI exist only with nested tables, wherever they were run. */
static bool is_native_name(const struct reference *reference, const char *config)
{
	for (int i = 0; i < reference->nr; i++)
		if (!reference->bars[i].figure->virtual_machine &&
		    same_config(reference->bars[i].config, config))
			return true;
	return false;
}

const struct published *reference_next(const struct reference *reference,
				       const struct reference_query *query,
				       const struct published *after)
{
	const bool nested = query->virtual_machine || !is_native_name(reference, query->config);

	for (int i = after ? (int)(after - reference->bars) + 1 : 0; i < reference->nr; i++) {
		const struct published *bar = &reference->bars[i];

		if (bar->figure->virtual_machine == nested &&
		    same_workload(bar->workload, query->workload) &&
		    same_config(bar->config, query->config) &&
		    same_config(bar->baseline, query->baseline))
			return bar;
	}
	return NULL;
}

int reference_order(const struct reference *reference, const char *config)
{
	for (int i = 0; i < reference->nr; i++)
		if (same_config(reference->bars[i].config, config))
			return i;
	return INT_MAX;
}
