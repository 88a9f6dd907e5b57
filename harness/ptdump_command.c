// SPDX-License-Identifier: MIT
/*
 * `harness dump`, also installed as page_table_dump.
 */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/units.h"
#include "harness/ptdump.h"
#include "harness/ptdump_image.h"
#include "harness/ptdump_output.h"

#define PIDS_MAX 256

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };

struct command {
	struct err err;
	const char *name; /* of the program, for messages */
	enum format format;
	uint64_t interval_ns; /* 0: one dump */
	uint64_t count;       /* 0: until interrupted */
	const char *reader;
	const char *record;
	pid_t pids[PIDS_MAX]; /* 0: has ended */
	int nr_pids;
	struct ptdump *ptdump;
	struct ptdump_result *before; /* of each PID: the last dump */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

enum { KEY_JSON = 256, KEY_CSV, KEY_READER, KEY_RECORD };

static const struct argp_option options[] = {
	{"json", KEY_JSON, NULL, 0, "Print one JSON object a line", 0},
	{"csv", KEY_CSV, NULL, 0, "Print CSV, one number a line", 0},
	{"interval", 'i', "TIME", 0, "Dump again every TIME (1s, 500ms), with the change", 0},
	{"count", 'n', "N", 0, "Stop after N dumps (with --interval)", 0},
	{"reader", KEY_READER, "READER", 0,
	 "How to read kernel memory: kcore, bpf, or image:PATH (default: the first that works)", 0},
	{"record", KEY_RECORD, "PATH", OPTION_HIDDEN, "Record the tables as an image", 0},
	{0}};

static void parse_pid(struct command *command, const char *text)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(text, &end, 10);
	if (errno || end == text || *end || pid <= 0 || pid > INT32_MAX)
		err_set(&command->err, ERR_USAGE, "'%s' is no process id", text);
	else if (command->nr_pids == PIDS_MAX)
		err_set(&command->err, ERR_USAGE, "more than %d processes", PIDS_MAX);
	else
		command->pids[command->nr_pids++] = (pid_t)pid;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct command *command = state->input;

	switch (key) {
	case KEY_JSON:
		command->format = FORMAT_JSON;
		return 0;
	case KEY_CSV:
		command->format = FORMAT_CSV;
		return 0;
	case 'i':
		units_parse_duration(argument, "--interval", &command->interval_ns, &command->err);
		return 0;
	case 'n':
		units_parse_count(argument, "--count", &command->count, &command->err);
		return 0;
	case KEY_READER:
		command->reader = argument;
		return 0;
	case KEY_RECORD:
		command->record = argument;
		return 0;
	case ARGP_KEY_ARG:
		parse_pid(command, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "PID...",
	.doc = "Prints how many page-table pages and leaf entries of a process are on which NUMA "
	       "node.\vReads the kernel's memory through /proc/kcore or BPF, without a kernel "
	       "module; needs root. The process goes on meanwhile: a dump that its changes may have "
	       "blurred says 'torn'.",
};

static int check(struct command *command)
{
	if (command->err.kind != ERR_NONE)
		return -1;
	if (command->nr_pids == 0)
		return err_set(&command->err, ERR_USAGE,
			       "which process? give a PID (see --help for options)");
	if (command->count > 0 && command->interval_ns == 0)
		return err_set(&command->err, ERR_USAGE, "--count needs --interval");
	if (command->record && (command->nr_pids > 1 || command->interval_ns > 0))
		return err_set(&command->err, ERR_USAGE, "--record takes one dump of one process");
	return 0;
}

static void print_json(const struct ptdump_result *result, const struct ptdump_result *before,
		       uint64_t time_ns)
{
	json_t *object = ptdump_to_json(result);

	json_object_set_new(object, "time_ns", json_integer((json_int_t)time_ns));
	if (before)
		json_object_set_new(object, "change", ptdump_change_to_json(result, before));
	json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(object);
}

static int dump_one(struct command *command, int index, bool first)
{
	struct ptdump_result *before = &command->before[index];
	struct ptdump_result result;
	struct timespec now;
	uint64_t time_ns;

	if (ptdump_process(command->ptdump, command->pids[index], &result, &command->err))
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	if (command->format == FORMAT_JSON)
		print_json(&result, first ? NULL : before, time_ns);
	else if (command->format == FORMAT_CSV)
		ptdump_print_csv(stdout, &result, first && index == 0, time_ns);
	else
		ptdump_print_change(stdout, &result, first ? NULL : before);
	*before = result;
	if (fflush(stdout) != 0 && !interrupted)
		return err_set_errno(&command->err, ERR_INTERNAL, errno, "cannot write the dump");
	return 0;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Signals arrive inside of ppoll() only, so that none is lost between the look and the sleep. */
static void wait_until(uint64_t until_ns)
{
	sigset_t stops, before;
	uint64_t now;

	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	sigprocmask(SIG_BLOCK, &stops, &before);
	while (!interrupted && (now = monotonic_ns()) < until_ns) {
		const struct timespec left = {(time_t)((until_ns - now) / 1000000000u),
					      (long)((until_ns - now) % 1000000000u)};

		ppoll(NULL, 0, &left, &before);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* A process that ends after its first dump only leaves the series. */
static int dump_round(struct command *command, uint64_t round, int *left)
{
	*left = 0;
	for (int i = 0; i < command->nr_pids; i++) {
		if (command->pids[i] == 0)
			continue;
		if (dump_one(command, i, round == 0) == 0) {
			++*left;
			continue;
		}
		/* Once dumped, a process is no user's mistake any more: it has ended. */
		if (round == 0 || command->err.kind != ERR_USAGE)
			return -1;
		fprintf(stderr, "%s: process %d has ended\n", command->name, command->pids[i]);
		command->pids[i] = 0;
		err_clear(&command->err);
	}
	return 0;
}

/* Every dump starts at a multiple of the interval since the first, so that they do not drift. */
static int dump_all(struct command *command)
{
	const uint64_t start_ns = monotonic_ns();
	int left;

	for (uint64_t round = 0; !interrupted; round++) {
		if (dump_round(command, round, &left))
			return -1;
		if (left == 0 || command->interval_ns == 0 || round + 1 == command->count)
			return 0;
		wait_until(start_ns + (round + 1) * command->interval_ns);
	}
	return err_set(&command->err, ERR_INTERRUPTED, "interrupted");
}

static int run(struct command *command)
{
	const struct ptdump_options how = {.reader = command->reader};
	int status;

	if (check(command))
		return -1;
	command->before = calloc((size_t)command->nr_pids, sizeof(*command->before));
	if (!command->before)
		return err_set(&command->err, ERR_INTERNAL, "out of memory");
	status = ptdump_open(&command->ptdump, &how, &command->err);
	if (status == 0 && command->record)
		status = ptdump_record(command->ptdump, command->pids[0], command->record,
				       &command->err);
	else if (status == 0)
		status = dump_all(command);
	ptdump_close(command->ptdump);
	free(command->before);
	return status;
}

int ptdump_command(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_signal};
	const char *slash = strrchr(argv[0], '/');
	struct command command = {.name = slash ? slash + 1 : argv[0]};

	argp_err_exit_status = ERR_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &command) != 0)
		return ERR_INTERNAL;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	run(&command);
	/* Ctrl-C is how an endless series ends: nothing to complain about. */
	return command.err.kind == ERR_INTERRUPTED ? ERR_INTERRUPTED
						   : err_report(command.name, &command.err);
}
