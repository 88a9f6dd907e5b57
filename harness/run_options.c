// SPDX-License-Identifier: MIT
#include "harness/run_options.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "harness/suggest.h"

#define HOUR_NS UINT64_C(3600000000000)

enum kind { FLAG, TEXT, INTEGER, COUNT, SIZE, DURATION, REAL };

struct row {
	const char *name;
	const char *argument; /* NULL for a flag */
	enum kind kind;
	size_t offset;
	unsigned commands; /* enum run_command */
	int64_t least;     /* INTEGER */
	const char *help;
};

#define BOTH         (RUN_COMMAND_RUN | RUN_COMMAND_EXEC)
#define FIELD(field) offsetof(struct run_options, field)

static const struct row rows[] = {
	{"--machine", "M", TEXT, FIELD(machine), BOTH, 0,
	 "native, emu or emu:PROFILE (default: this machine if it has two memory nodes, else emu)"},
	{"--kernel", "FILE", TEXT, FIELD(kernel), BOTH, 0,
	 "emulated machine: boot this bzImage instead of the distribution's"},
	{"--scale", "S", REAL, FIELD(scale), BOTH, 0,
	 "emulated machine: divide its caches by S (default: published / emulated footprint)"},
	{"--memory", "SIZE", SIZE, FIELD(memory_bytes), RUN_COMMAND_EXEC, 0,
	 "emulated machine: what the program needs (default 1G)"},
	{"--local-node", "N", INTEGER, FIELD(local_node), BOTH, 0,
	 "node of the CPUs (default: the lowest with CPUs and memory)"},
	{"--remote-node", "N", INTEGER, FIELD(remote_node), BOTH, 0,
	 "what 'remote' means (default: the farthest from the local node)"},
	{"--threads", "N", INTEGER, FIELD(threads), BOTH, 1,
	 "run: threads of the workload (default 1); exec: CPUs that the program may use (default: "
	 "all of its nodes; emulated machine: 1)"},
	{"--seed", "N", COUNT, FIELD(seed), RUN_COMMAND_RUN, 0, "seed of its random numbers"},
	{"--repeat", "N", INTEGER, FIELD(repeat), BOTH, 1, "runs of each cell (default 1)"},
	{"--timeout", "D", DURATION, FIELD(timeout_ns), BOTH, 0,
	 "limit of one run: 90s, 30m, 2h (default 2h)"},
	{"--counters", "C", TEXT, FIELD(counters), BOTH, 0,
	 "auto, none, perf, papi, list, or event names with commas (default auto)"},
	{"--strict", NULL, FLAG, FIELD(strict), BOTH, 0,
	 "a placement that is off by more than 1% fails the run instead of warning"},
	{"--results", "DIR", TEXT, FIELD(results), BOTH, 0,
	 "where each run gets a directory (default results)"},
	{"--into", "DIR", TEXT, FIELD(into), BOTH, 0, "the directory of one single run itself"},
	{"--json", NULL, FLAG, FIELD(json), BOTH, 0,
	 "print the record on stdout (an array of records if there are several runs)"},
	{"--explain", NULL, FLAG, FIELD(explain), BOTH, 0,
	 "say what the config means on this machine, and change nothing"},
	{"--dry-run", NULL, FLAG, FIELD(dry_run), RUN_COMMAND_RUN, 0,
	 "list the runs with footprint and estimated time, and run nothing"},
	{"--resume", NULL, FLAG, FIELD(resume), RUN_COMMAND_RUN, 0,
	 "skip runs that have a successful record in the results directory"},
	{"--shuffle", NULL, FLAG, FIELD(shuffle), RUN_COMMAND_RUN, 0,
	 "random order (default: all configs once, then again, so that drift is spread)"},
	{"--keep-going", NULL, FLAG, FIELD(keep_going), RUN_COMMAND_RUN, 0,
	 "go on after a failed run (the default; the final status is 4)"},
	{"--fail-fast", NULL, FLAG, FIELD(fail_fast), RUN_COMMAND_RUN, 0,
	 "stop after the first failed run"},
	{"--jobs", "N", INTEGER, FIELD(jobs), RUN_COMMAND_RUN, 1,
	 "emulated machines at once (modelled time does not depend on the host's load)"},
	{"--ready-when", "W", TEXT, FIELD(ready_when), RUN_COMMAND_EXEC, 0,
	 "the measured region starts after SECONDS, or with file:PATH, output:REGEX, tcp:PORT, or "
	 "where the program says: roi (default: with the program)"},
	{"--quiet", NULL, FLAG, FIELD(quiet), RUN_COMMAND_EXEC, 0,
	 "the program's output goes to files of the result only"},
	{"--help", NULL, FLAG, FIELD(help), BOTH, 0, "this text"},
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct row *find_row(const char *text, size_t length, enum run_command command)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		if ((rows[i].commands & command) && strlen(rows[i].name) == length &&
		    strncmp(rows[i].name, text, length) == 0)
			return &rows[i];
	}
	return NULL;
}

const char *run_options_suggest(const char *option)
{
	const char *names[NR_ROWS + 1];

	for (size_t i = 0; i < NR_ROWS; i++)
		names[i] = rows[i].name;
	names[NR_ROWS] = NULL;
	return suggest_nearest(option, names);
}

static int parse_integer(const struct row *row, const char *text, int64_t *value, struct err *err)
{
	char *end;
	const long long number = strtoll(text, &end, 10);

	if (end == text || *end || number < row->least || number > INT_MAX)
		return err_set(err, ERR_USAGE, "%s takes a whole number of at least %lld, not '%s'",
			       row->name, (long long)row->least, text);
	*value = number;
	return 0;
}

static int set_value(struct run_options *options, const struct row *row, const char *text,
		     struct err *err)
{
	void *const field = (char *)options + row->offset;

	switch (row->kind) {
	case FLAG:
		*(bool *)field = true;
		return 0;
	case TEXT:
		*(const char **)field = text;
		return 0;
	case INTEGER:
		return parse_integer(row, text, field, err);
	case COUNT:
		options->have_seed = true;
		return units_parse_count(text, row->name, field, err);
	case SIZE:
		return units_parse_size(text, row->name, field, err);
	case DURATION:
		return units_parse_duration(text, row->name, field, err);
	case REAL:
		return units_parse_double(text, row->name, field, err);
	}
	return err_set(err, ERR_INTERNAL, "option %s has no kind", row->name);
}

/* Handles argv[*at] if it is ours: 1, and *at is its last word; 0: not ours; -1: error. */
static int take_option(struct run_options *options, enum run_command command, int argc, char **argv,
		       int *at, struct err *err)
{
	const char *word = argv[*at];
	const size_t length = strcspn(word, "=");
	const struct row *row = find_row(word, length, command);
	const char *value = word[length] ? word + length + 1 : NULL;

	if (!row)
		return 0;
	if (!row->argument && value)
		return err_set(err, ERR_USAGE, "%s takes no value", row->name);
	if (row->argument && !value) {
		if (*at + 1 >= argc)
			return err_set(err, ERR_USAGE, "%s needs a value: %s %s", row->name,
				       row->name, row->argument);
		value = argv[++*at];
	}
	return set_value(options, row, value, err) == 0 ? 1 : -1;
}

static int split_list(char **list, const char *text, const char *what, struct err *err)
{
	char *copy = strdup(text), *save = NULL;
	int n = 0;

	if (!copy)
		return err_set(err, ERR_INTERNAL, "out of memory");
	for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		if (n == RUN_LIST_MAX) {
			free(copy);
			return err_set(err, ERR_USAGE, "over %d %ss in one list", RUN_LIST_MAX,
				       what);
		}
		list[n++] = strdup(item);
	}
	free(copy);
	return n ? 0 : err_set(err, ERR_USAGE, "'%s' names no %s", text, what);
}

static int take_word(struct run_options *options, enum run_command command, char *word,
		     struct err *err)
{
	const bool option = word[0] == '-';

	if (!option && command == RUN_COMMAND_RUN && !options->workloads[0])
		return options->nr_rest
			       ? err_set(err, ERR_USAGE,
					 "'%s' is an option of a workload: put it after WORKLOAD "
					 "and CONFIG",
					 options->rest[0])
			       : split_list(options->workloads, word, "workload", err);
	if (!option && !options->configs[0])
		return split_list(options->configs, word, "config", err);
	if (command == RUN_COMMAND_EXEC && option) {
		const char *nearest = run_options_suggest(word);

		return err_set(err, ERR_USAGE, "exec has no option '%s'%s%s%s", word,
			       nearest ? "; did you mean " : "", nearest ? nearest : "",
			       nearest ? "?" : "; the program and its own options go after '--'");
	}
	options->rest[options->nr_rest++] = word;
	return 0;
}

static int check(const struct run_options *options, enum run_command command, struct err *err)
{
	if (options->help)
		return 0;
	if (command == RUN_COMMAND_RUN && !options->workloads[0])
		return err_set(err, ERR_USAGE,
			       "run needs a workload and a config: harness run gups LP-LD "
			       "(see 'harness list')");
	if (!options->configs[0])
		return err_set(err, ERR_USAGE,
			       "a config is missing, such as LP-LD "
			       "(see 'harness list configs')");
	if (command == RUN_COMMAND_EXEC && options->nr_rest == 0)
		return err_set(err, ERR_USAGE,
			       "exec needs a program: harness exec RP-LD -- ./program arguments");
	if (options->keep_going && options->fail_fast)
		return err_set(err, ERR_USAGE, "--keep-going and --fail-fast exclude each other");
	if (options->timeout_ns == 0)
		return err_set(err, ERR_USAGE, "--timeout must be above 0");
	return 0;
}

int run_options_parse(struct run_options *options, enum run_command command, int argc, char **argv,
		      struct err *err)
{
	*options = (struct run_options){
		.results = "results",
		.counters = "auto",
		.timeout_ns = 2 * HOUR_NS,
		.memory_bytes = UINT64_C(1) << 30,
		.repeat = 1,
		.jobs = 1,
		.local_node = -1,
		.remote_node = -1,
		.rest = calloc((size_t)argc + 1, sizeof(char *)),
	};
	if (!options->rest)
		return err_set(err, ERR_INTERNAL, "out of memory");
	for (int i = 0; i < argc; i++) {
		int taken;

		if (strcmp(argv[i], "--") == 0) {
			for (i++; i < argc; i++)
				options->rest[options->nr_rest++] = argv[i];
			break;
		}
		taken = take_option(options, command, argc, argv, &i, err);
		if (taken < 0 || (taken == 0 && take_word(options, command, argv[i], err) != 0))
			return -1;
	}
	return check(options, command, err);
}

void run_options_free(struct run_options *options)
{
	for (char **text = options->workloads; *text; text++)
		free(*text);
	for (char **text = options->configs; *text; text++)
		free(*text);
	free(options->rest);
	*options = (struct run_options){0};
}

void run_options_help(FILE *out, enum run_command command)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		char left[32];

		if (!(rows[i].commands & command))
			continue;
		snprintf(left, sizeof(left), "%s %s", rows[i].name,
			 rows[i].argument ? rows[i].argument : "");
		fprintf(out, "  %-18s %s\n", left, rows[i].help);
	}
}
