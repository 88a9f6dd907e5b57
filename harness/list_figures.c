// SPDX-License-Identifier: MIT
/*
 * The published figures that the suite can draw, with the configs that are in them and the values
 * of analysis/reference/. Mitosis: ASPLOS'20; vMitosis: ASPLOS'21.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/paths.h"
#include "harness/list.h"

/* Rows of a reference file whose `column` says `value`; column NULL: all rows. */
struct reference {
	const char *file, *column, *value;
};

static const struct figure {
	const char *paper, *number, *title;
	struct reference reference;
} figures[] = {
	{"Mitosis",
	 "4",
	 "leaf page tables that each socket finds remote, all sockets",
	 {"mitosis_figure4.csv", NULL, NULL}},
	{"Mitosis",
	 "6",
	 "one socket: page tables and data apart, with a loaded node",
	 {"mitosis_runtimes.csv", "figure", "6"}},
	{"Mitosis",
	 "6-thp",
	 "the same with huge pages (data of the artifact, not plotted)",
	 {"mitosis_runtimes.csv", "figure", "6-thp"}},
	{"Mitosis",
	 "9a",
	 "all sockets: replicated page tables, 4 KiB pages",
	 {"mitosis_runtimes.csv", "figure", "9a"}},
	{"Mitosis",
	 "9b",
	 "all sockets: replicated page tables, huge pages",
	 {"mitosis_runtimes.csv", "figure", "9b"}},
	{"Mitosis",
	 "10a",
	 "one socket: page tables brought home, 4 KiB pages",
	 {"mitosis_runtimes.csv", "figure", "10a"}},
	{"Mitosis",
	 "10b",
	 "one socket: page tables brought home, huge pages",
	 {"mitosis_runtimes.csv", "figure", "10b"}},
	{"Mitosis",
	 "11",
	 "one socket: huge pages in fragmented memory",
	 {"mitosis_runtimes.csv", "figure", "11"}},
	{"Mitosis",
	 "table 5",
	 "cost of mmap, mprotect and munmap with replicas",
	 {"mitosis_table5.csv", NULL, NULL}},
	{"vMitosis",
	 "1",
	 "VM, one socket: guest and extended page tables misplaced",
	 {"vmitosis_runtimes.csv", "figure", "1"}},
	{"vMitosis",
	 "2a",
	 "VM that sees its nodes: where page tables land",
	 {"vmitosis_figure2_ptdump.csv", "vm_type", "numa-visible"}},
	{"vMitosis",
	 "2b",
	 "VM that does not see its nodes: where page tables land",
	 {"vmitosis_figure2_ptdump.csv", "vm_type", "numa-oblivious"}},
	{"vMitosis",
	 "3a",
	 "VM, one socket: page tables migrate, 4 KiB pages",
	 {"vmitosis_runtimes.csv", "figure", "3a"}},
	{"vMitosis",
	 "3b",
	 "VM, one socket: page tables migrate, huge pages",
	 {"vmitosis_runtimes.csv", "figure", "3b"}},
	{"vMitosis",
	 "3c",
	 "VM, one socket: the same in fragmented memory",
	 {"vmitosis_runtimes.csv", "figure", "3c"}},
	{"vMitosis",
	 "4a",
	 "VM that sees its nodes: replication, 4 KiB pages",
	 {"vmitosis_runtimes.csv", "figure", "4a"}},
	{"vMitosis",
	 "4b",
	 "VM that sees its nodes: replication, huge pages",
	 {"vmitosis_runtimes.csv", "figure", "4b"}},
	{"vMitosis",
	 "5a",
	 "VM that does not see its nodes: replication, 4 KiB pages",
	 {"vmitosis_runtimes.csv", "figure", "5a"}},
	{"vMitosis",
	 "5b",
	 "VM that does not see its nodes: replication, huge pages",
	 {"vmitosis_runtimes.csv", "figure", "5b"}},
	{"vMitosis",
	 "6a",
	 "throughput while a process moves inside its VM",
	 {"vmitosis_figure6_throughput.csv", "panel", "a"}},
	{"vMitosis",
	 "6b",
	 "throughput while a VM moves",
	 {"vmitosis_figure6_throughput.csv", "panel", "b"}},
};

/* "Mitosis fig. 9a, 9b; vMitosis fig. 4a": a list of papers, each with a list of figures. */
bool list_in_figure(const struct config *config, const char *paper, const char *figure)
{
	const char *at = config->published;
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "%s fig. ", paper);
	while (at && strncmp(at, prefix, strlen(prefix)) != 0) {
		at = strchr(at, ';');
		at = at ? at + strlen("; ") : NULL;
	}
	if (!at)
		return false;
	for (at += strlen(prefix);; at += strlen(", ")) {
		const size_t length = strcspn(at, ",;");

		if (length == strlen(figure) && strncmp(at, figure, length) == 0)
			return true;
		at += length;
		if (*at != ',')
			return false;
	}
}

static json_t *configs_of(const struct figure *figure)
{
	json_t *names = json_array();
	const struct config *config;

	for (int i = 0; (config = config_published(i)); i++)
		if (list_in_figure(config, figure->paper, figure->number))
			json_array_append_new(names, json_string(config->name));
	return names;
}

/* The fields of these files hold neither commas nor quotes. */
static bool field_is(const char *line, int column, const char *value)
{
	while (column-- > 0) {
		line = strchr(line, ',');
		if (!line)
			return false;
		line++;
	}
	return strcspn(line, ",\r\n") == strlen(value) && strncmp(line, value, strlen(value)) == 0;
}

static int column_number(const char *header, const char *name)
{
	int column = 0;

	for (const char *at = header; at; at = strchr(at, ','), column++) {
		at += *at == ',';
		if (field_is(at, 0, name))
			return column;
	}
	return -1;
}

static int count_rows(FILE *file, const struct reference *reference)
{
	char *line = NULL;
	size_t size = 0;
	int column = -1, count = 0;

	if (getline(&line, &size, file) > 0 && reference->column)
		column = column_number(line, reference->column);
	while (getline(&line, &size, file) > 0)
		count += !reference->column ||
			 (column >= 0 && field_is(line, column, reference->value));
	free(line);
	return count;
}

/* 0 if the file is not there: then there are no published values to show. */
static int reference_values(const struct reference *reference, int *values, struct err *err)
{
	char relative[128], path[PATHS_MAX];
	FILE *file;

	snprintf(relative, sizeof(relative), "analysis/reference/%s", reference->file);
	*values = 0;
	if (paths_file(path, relative, err) != 0)
		return -1;
	file = fopen(path, "re");
	if (!file && errno != ENOENT)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot read '%s'", path);
	if (file) {
		*values = count_rows(file, reference);
		fclose(file);
	}
	return 0;
}

json_t *list_figures(struct err *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		const struct figure *figure = &figures[i];
		int values;

		if (reference_values(&figure->reference, &values, err) != 0) {
			json_decref(array);
			return NULL;
		}
		json_array_append_new(
			array,
			json_pack("{s:o, s:s, s:o, s:o, s:s}", "figure",
				  json_sprintf("%s %s", figure->paper, figure->number), "title",
				  figure->title, "configs", configs_of(figure), "reference_values",
				  values ? json_integer(values) : json_null(), "reference_file",
				  figure->reference.file));
	}
	return array;
}
