// SPDX-License-Identifier: MIT
#include "harness/cmd_run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/units.h"
#include "emulator/emulator.h"
#include "harness/cells.h"
#include "harness/counters.h"
#include "harness/counters_option.h"
#include "harness/exec_session.h"
#include "harness/interrupt.h"
#include "harness/knobs.h"
#include "harness/pool.h"
#include "harness/record.h"
#include "harness/run_options.h"
#include "harness/summary.h"

struct job {
	enum run_command command;
	struct run_options options;
	struct fs root;
	struct cells cells;
	struct progress progress;
	json_t *records;
	char **argv; /* of the whole program */
	int argc;
	FILE *talk; /* what a person reads: stderr when stdout is JSON */
};

static const char run_usage[] =
	"usage: harness run WORKLOAD[,WORKLOAD...] CONFIG[,CONFIG...] [options]\n"
	"\n"
	"Runs each workload under each config and leaves one record per run in the results\n"
	"directory. Options that are not listed here are the workload's ('bench WORKLOAD --help').\n"
	"\n"
	"  harness run gups LP-LD                          one run, on the machine that can do it\n"
	"  harness run gups,btree LP-LD,RP-LD,RPI-LD --repeat 5 --machine emu --jobs 2\n"
	"  harness run btree RPI-LDM --size 64G --lookups 50M --strict\n"
	"  harness run gups RPI-LD --explain               what the config means, without running it\n"
	"\n";

static const char exec_usage[] =
	"usage: harness exec CONFIG[,CONFIG...] [options] -- PROGRAM [ARGUMENTS]\n"
	"\n"
	"Runs a program of yours under a config. Where the config wants data and page tables on\n"
	"different nodes, the program's pages are moved when it is ready (--ready-when), or, without\n"
	"that, again and again while it runs. The emulated machine has nothing of the host but the\n"
	"program, its libraries, the files that its arguments name and the interpreters of scripts, and\n"
	"the program's output is shown when it has ended.\n"
	"\n"
	"  harness exec RP-LD --ready-when output:'^ready' -- ./server --port 7000\n"
	"  harness exec F,I --repeat 3 -- ./solver input.dat\n"
	"  harness exec LP-LD --machine emu --memory 2G -- ./my-program\n"
	"\n";

static void print_help(enum run_command command)
{
	fputs(command == RUN_COMMAND_RUN ? run_usage : exec_usage, stdout);
	run_options_help(stdout, command);
	puts("\nexit status: 0 ok, 1 internal error, 2 usage, 3 this machine cannot, 4 a run failed,\n"
	     "130 interrupted");
}

/* --- before anything is changed ------------------------------------------------------------------
 */

static int check_emulator(const struct job *job, struct err *err)
{
	const char *kernel = job->options.kernel;

	/* A word without a slash may name a variant in precompiled/. */
	if (kernel && strchr(kernel, '/') && access(kernel, R_OK) != 0)
		return err_set(err, ERR_USAGE, "--kernel: there is no kernel '%s'", kernel);
	for (int i = 0; i < job->cells.nr_configs; i++) {
		if (job->cells.configs[i].target.emulated)
			return emulator_check_with(job->cells.configs[i].target.profile, kernel,
						   err);
	}
	return 0;
}

/* Opens the wanted counters on the harness itself: names and permissions are checked that way. */
static int check_counters(const struct job *job, struct err *err)
{
	const pid_t self = getpid();
	struct counters_options options;
	struct counters *counters;
	struct topology topology;
	int failed;

	counters_option_parse(job->options.counters, &options);
	if (options.backend == COUNTERS_NONE || job->cells.configs[0].target.emulated)
		return 0;
	if (topology_read(&topology, &job->root, err) != 0)
		return -1;
	failed = counters_open(&counters, &options, &topology, &self, 1, err);
	if (!failed)
		counters_close(counters);
	topology_free(&topology);
	return failed;
}

static int check_program(const struct job *job, struct err *err)
{
	char path[PATHS_MAX];

	if (job->command != RUN_COMMAND_EXEC)
		return 0;
	return exec_session_find(job->options.rest[0], path, err);
}

static int check_into(const struct job *job, struct err *err)
{
	if (!job->options.into || job->cells.nr_items == 1)
		return 0;
	return err_set(err, ERR_USAGE, "--into takes the record of one run; this command makes %d",
		       job->cells.nr_items);
}

static int plan(struct job *job, struct err *err)
{
	if (cells_plan(&job->cells, &job->options, job->command, &job->root, err) != 0 ||
	    check_into(job, err) != 0 || check_program(job, err) != 0)
		return -1;
	if (job->options.explain)
		return 0;
	if (check_emulator(job, err) != 0 || check_counters(job, err) != 0)
		return -1;
	cells_look_up(&job->cells, &job->options);
	return 0;
}

/* --- talk
 * ------------------------------------------------------------------------------------------ */

/* The first lines: which machine, and why. */
static void announce(const struct job *job)
{
	const struct cells *cells = &job->cells;

	for (int i = 0; i < cells->nr_configs; i++) {
		const struct cell_config *config = &cells->configs[i];
		bool told = false;

		for (int j = 0; j < i; j++)
			told = told ||
			       strcmp(cells->configs[j].target.name, config->target.name) == 0;
		if (!told)
			fprintf(job->talk, "machine: %s (%s)\n", config->target.name,
				config->target.why);
	}
}

static int explain(const struct job *job)
{
	for (int i = 0; i < job->cells.nr_configs; i++)
		printf("%s%s", i ? "\n" : "", job->cells.configs[i].explanation);
	for (int i = 0; i < job->cells.nr_plans; i++) {
		const struct driver_plan *driver = &job->cells.plans[i];
		char size[UNITS_TEXT_MAX];

		printf("%s works on %s:", driver->workload,
		       units_format_size(driver->footprint_bytes, size));
		for (int j = 0; j < driver->nr_arguments; j++)
			printf(" %s", driver->arguments[j]);
		putchar('\n');
	}
	return 0;
}

static void list_cells(const struct job *job)
{
	const struct cells *cells = &job->cells;
	char size[UNITS_TEXT_MAX], duration[UNITS_TEXT_MAX];
	uint64_t total_ns;
	const int left = cells_left(cells, &total_ns);

	for (int i = 0; i < cells->nr_items; i++) {
		const struct cell *cell = &cells->items[i];

		fprintf(job->talk, "%-28s %-26s %10s  %s\n", cell->name, cell->config->target.name,
			units_format_size(cell->footprint_bytes, size),
			cell->done_by       ? cell->done_by
			: cell->estimate_ns ? units_format_duration(cell->estimate_ns, duration)
					    : "time unknown");
	}
	fprintf(job->talk, "%d runs, %d to do, %s\n", cells->nr_items, left,
		total_ns ? units_format_duration(total_ns, duration)
			 : "time unknown until a run of each kind has ended");
}

static json_t *cell_to_json(const struct cell *cell)
{
	return json_pack(
		"{s:s, s:s, s:I, s:I, s:s, s:I, s:o, s:s?}", "workload", cell->workload, "config",
		cell->config->config.name, "repeat", (json_int_t)cell->repeat_index, "of",
		(json_int_t)cell->repeat_of, "machine", cell->config->target.name,
		"footprint_bytes", (json_int_t)cell->footprint_bytes, "estimate_ns",
		cell->estimate_ns ? json_integer((json_int_t)cell->estimate_ns) : json_null(),
		"done_by", cell->done_by);
}

static int dry_run(const struct job *job)
{
	json_t *list = json_array();

	for (int i = 0; job->options.json && i < job->cells.nr_items; i++)
		json_array_append_new(list, cell_to_json(&job->cells.items[i]));
	if (job->options.json)
		json_dumpf(list, stdout, JSON_INDENT(1));
	else
		list_cells(job);
	json_decref(list);
	return 0;
}

/* --- the runs
 * --------------------------------------------------------------------------------------- */

static void take_record(void *context, const struct cell *cell, const char *directory,
			const json_t *record)
{
	const struct job *job = context;
	const char *status = json_string_value(record_get(record, "placement.status"));

	(void)cell;
	if (status && strcmp(status, "off") == 0)
		fprintf(stderr, "harness: warning: %s: placement off: %s\n", directory,
			json_string_value(record_get(record, "placement.detail")));
	json_array_append(job->records, (json_t *)record);
}

/* Settings that a killed run left behind. */
static int recover(const struct job *job, struct err *err)
{
	int restored = 0;

	if (knobs_recover(&job->root, NULL, &restored, err) != 0)
		return -1;
	if (restored > 0)
		fprintf(stderr, "harness: put back %d settings that an earlier run left changed\n",
			restored);
	return 0;
}

/* Records that --resume takes over count as results of this command. */
static void take_earlier_records(struct job *job)
{
	for (int i = 0; i < job->cells.nr_items; i++) {
		const char *id = job->cells.items[i].done_by;
		char path[PATHS_MAX];
		json_t *record;

		if (!id)
			continue;
		snprintf(path, sizeof(path), "%s/%s/" RECORD_FILE, job->options.results, id);
		record = record_read(path, NULL);
		if (record)
			json_array_append_new(job->records, record);
	}
}

static void print_records(const struct job *job)
{
	const json_t *shown = job->records;

	if (job->cells.nr_items == 1)
		shown = json_array_get(job->records, 0);
	if (shown) {
		json_dumpf(shown, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
		putchar('\n');
	}
}

/* How many runs go on at a time: measurements one by one. */
static uint64_t at_once(const struct job *job, int left)
{
	for (int i = 0; i < job->cells.nr_configs; i++) {
		if (!job->cells.configs[i].target.emulated)
			return 1;
	}
	return (uint64_t)(job->options.jobs < left ? job->options.jobs : left > 0 ? left : 1);
}

static int run_cells(struct job *job, struct err *err)
{
	uint64_t estimate_ns;
	const int left = cells_left(&job->cells, &estimate_ns);
	const struct pool_input input = {
		.cells = &job->cells,
		.options = &job->options,
		.command = job->argv,
		.nr_command = job->argc,
		.progress = &job->progress,
		.finished = take_record,
		.context = job,
	};
	int failed;

	if (recover(job, err) != 0)
		return -1;
	if (left < job->cells.nr_items)
		fprintf(job->talk, "%d of %d runs are in '%s' already\n",
			job->cells.nr_items - left, job->cells.nr_items, job->options.results);
	take_earlier_records(job);
	progress_open(&job->progress, stderr, left, estimate_ns / at_once(job, left));
	/* A program that talks to the terminal itself is not written over. */
	if (job->command == RUN_COMMAND_EXEC && !job->options.quiet && !job->options.json)
		job->progress.terminal = false;
	failed = pool_run(&input, err);
	progress_close(&job->progress);
	if (job->options.json)
		print_records(job);
	else if (json_array_size(job->records) > 1)
		summary_table(stdout, &job->cells, job->records);
	return failed;
}

static int list_counters(const struct job *job, struct err *err)
{
	struct topology topology;
	int failed;

	if (topology_read(&topology, &job->root, err) != 0)
		return -1;
	failed = counters_list(stdout, &topology, err);
	topology_free(&topology);
	return failed;
}

static int carry_out(struct job *job, struct err *err)
{
	if (strcmp(job->options.counters, "list") == 0)
		return list_counters(job, err);
	if (plan(job, err) != 0)
		return -1;
	announce(job);
	fflush(job->talk);
	if (job->options.explain)
		return explain(job);
	if (job->options.dry_run)
		return dry_run(job);
	return run_cells(job, err);
}

static int command(enum run_command which, int argc, char **argv)
{
	struct job job = {.command = which, .root = {.root_fd = -1}, .argv = argv, .argc = argc};
	struct err err = {0};
	int status = 0;

	interrupt_install();
	job.records = json_array();
	if (run_options_parse(&job.options, which, argc - 1, argv + 1, &err) == 0 &&
	    fs_open(&job.root, "/", &err) == 0) {
		job.talk = job.options.json ? stderr : stdout;
		if (job.options.help)
			print_help(which);
		else
			carry_out(&job, &err);
	}
	if (err.kind != ERR_NONE)
		status = err_report("harness", &err);
	cells_free(&job.cells);
	json_decref(job.records);
	fs_close(&job.root);
	run_options_free(&job.options);
	return status;
}

int run_command(int argc, char **argv)
{
	return command(RUN_COMMAND_RUN, argc, argv);
}

int exec_command(int argc, char **argv)
{
	return command(RUN_COMMAND_EXEC, argc, argv);
}
