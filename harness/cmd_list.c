// SPDX-License-Identifier: MIT
/* `harness list`: what there is to choose from, as tables or as JSON. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "emulator/emulator.h"
#include "harness/commands.h"
#include "harness/list.h"

#define COLUMNS_MAX 6
#define CELL_MAX    256

typedef void format_fn(const json_t *value, char cell[CELL_MAX]);

static void format_text(const json_t *value, char cell[CELL_MAX])
{
	if (json_is_string(value))
		snprintf(cell, CELL_MAX, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(cell, CELL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		snprintf(cell, CELL_MAX, "-");
}

static void format_size(const json_t *value, char cell[CELL_MAX])
{
	char text[UNITS_TEXT_MAX];

	if (json_is_integer(value) && json_integer_value(value) > 0)
		snprintf(cell, CELL_MAX, "%s",
			 units_format_size((uint64_t)json_integer_value(value), text));
	else
		snprintf(cell, CELL_MAX, "-");
}

static void format_list(const json_t *value, char cell[CELL_MAX])
{
	size_t used = 0, i;
	json_t *item;

	snprintf(cell, CELL_MAX, "-");
	json_array_foreach (value, i, item)
		if (used < CELL_MAX)
			used += (size_t)snprintf(cell + used, CELL_MAX - used, "%s%s", i ? " " : "",
						 json_string_value(item));
}

struct column {
	const char *title, *member;
	format_fn *format;
};

/* One kind of thing to list. */
static const struct topic {
	const char *name;
	json_t *(*collect)(struct err *err);
	struct column columns[COLUMNS_MAX];
	const char *note;
} topics[] = {
	{"workloads",
	 list_workloads,
	 {{"workload", "name", format_text},
	  {"published size", "published_footprint_bytes", format_size},
	  {"what it does", "summary", format_text}},
	 "The options of one: bench WORKLOAD --help. Your own program: harness exec CONFIG -- "
	 "PROGRAM."},
	{"configs",
	 list_configs,
	 {{"config", "name", format_text},
	  {"family", "family", format_text},
	  {"baseline", "baseline", format_text},
	  {"published in", "published", format_text},
	  {"meaning", "meaning", format_text}},
	 "Letters combine to more names than were published (T in front: huge pages). "
	 "Capitals and hyphens do not matter.\n"
	 "What a name means on this machine: harness run WORKLOAD CONFIG --explain."},
	{"machines",
	 list_machines,
	 {{"machine", "name", format_text},
	  {"figures are", "provenance", format_text},
	  {"nodes", "nodes", format_text},
	  {"CPUs", "cpus", format_text},
	  {"memory", "memory_bytes", format_size},
	  {"what it is", "summary", format_text}},
	 "Choose one with --machine; --machine emu is emu:" EMULATOR_DEFAULT_PROFILE
	 ". The memory of an emulated machine is made to fit the workload."},
	{"figures",
	 list_figures,
	 {{"figure", "figure", format_text},
	  {"published values", "reference_values", format_text},
	  {"what it shows", "title", format_text},
	  {"configs", "configs", format_list}},
	 "Published values come with the suite and stand beside yours in the report."},
};

#define NR_TOPICS (int)(sizeof(topics) / sizeof(topics[0]))

struct request {
	struct err err;
	bool json;
	bool wanted[NR_TOPICS];
	int nr_wanted;
};

/* As wide as the widest cell of each column; the last column needs no padding. */
static void measure(const struct topic *topic, const json_t *items, int widths[COLUMNS_MAX])
{
	char cell[CELL_MAX];
	json_t *item;
	size_t i;

	for (int c = 0; c < COLUMNS_MAX && topic->columns[c].title; c++) {
		const struct column *column = &topic->columns[c];

		widths[c] = (int)strlen(column->title);
		json_array_foreach (items, i, item) {
			column->format(json_object_get(item, column->member), cell);
			if ((int)strlen(cell) > widths[c])
				widths[c] = (int)strlen(cell);
		}
	}
}

static void print_row(const struct topic *topic, const json_t *item, const int widths[COLUMNS_MAX])
{
	char cell[CELL_MAX];

	for (int c = 0; c < COLUMNS_MAX && topic->columns[c].title; c++) {
		const struct column *column = &topic->columns[c];
		const bool last = c + 1 == COLUMNS_MAX || !topic->columns[c + 1].title;

		if (item)
			column->format(json_object_get(item, column->member), cell);
		else
			snprintf(cell, sizeof(cell), "%s", column->title);
		printf("%-*s%s", last ? 0 : widths[c], cell, last ? "\n" : "  ");
	}
}

/* Machines that cannot be used have a reason, the same for all of them. */
static void print_reason(const json_t *items)
{
	const char *reason = NULL;
	json_t *item;
	size_t i;

	json_array_foreach (items, i, item)
		if (json_is_string(json_object_get(item, "reason")))
			reason = json_string_value(json_object_get(item, "reason"));
	if (reason)
		printf("No emulated machine can run here yet: %s\n", reason);
}

static void print_table(const struct topic *topic, const json_t *items)
{
	int widths[COLUMNS_MAX];
	json_t *item;
	size_t i;

	measure(topic, items, widths);
	print_row(topic, NULL, widths);
	json_array_foreach (items, i, item)
		print_row(topic, item, widths);
	printf("\n%s\n", topic->note);
	print_reason(items);
}

/* One topic alone is printed as its array, several as an object of arrays. */
static int list(struct request *request)
{
	json_t *all = json_object();
	json_t *items = NULL;
	bool first = true;

	for (int i = 0; i < NR_TOPICS; i++) {
		if (request->nr_wanted > 0 && !request->wanted[i])
			continue;
		items = topics[i].collect(&request->err);
		if (!items)
			break;
		if (!request->json) {
			printf("%s", first ? "" : "\n");
			print_table(&topics[i], items);
		}
		first = false;
		json_object_set_new(all, topics[i].name, items);
	}
	if (items && request->json) {
		json_dumpf(request->nr_wanted == 1 ? items : all, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(all);
	/* A reader that has seen enough ('harness list configs | head') is no error. */
	if (items && fflush(stdout) != 0 && errno != EPIPE)
		return err_set_errno(&request->err, ERR_INTERNAL, errno, "cannot write the list");
	return items ? 0 : -1;
}

static void want(struct request *request, const char *name)
{
	for (int i = 0; i < NR_TOPICS; i++)
		if (strcmp(topics[i].name, name) == 0) {
			request->nr_wanted += !request->wanted[i];
			request->wanted[i] = true;
			return;
		}
	err_set(&request->err, ERR_USAGE,
		"there is no list of '%s'; there are workloads, configs, machines and figures",
		name);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 'j':
		request->json = true;
		return 0;
	case ARGP_KEY_ARG:
		want(request, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int list_command(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"json", 'j', NULL, 0, "Print JSON: an array, or an object of all the arrays", 0},
		{0}};
	static const struct argp argp = {
		options,
		parse_option,
		"[workloads|configs|machines|figures]...",
		"What there is to choose from."
		"\vA run is a workload under a config on a machine:\n"
		"\n"
		"  harness list workloads   what does the work: gups, btree, ...\n"
		"  harness list configs     where data and page tables are: LP-LD, RPI-LD, ...\n"
		"  harness list machines    this one, and those that can be emulated\n"
		"  harness list figures     what was published, to compare with\n"
		"\n"
		"Without a name all four are listed.",
		NULL,
		NULL,
		NULL};
	struct request request = {0};
	char name[] = "harness list";

	argv[0] = name;
	argp_err_exit_status = ERR_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &request) == 0 && request.err.kind == ERR_NONE &&
	    list(&request) == 0)
		return 0;
	return err_report(name, &request.err);
}
