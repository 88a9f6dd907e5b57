// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "common/err.h"
#include "common/version.h"
#include "emulator/emulator.h"
#include "harness/cmd_run.h"
#include "harness/commands.h"
#include "harness/doctor.h"
#include "harness/ptdump.h"
#include "harness/suggest.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the command's name */
	const char *summary;
} commands[] = {
	{"doctor", doctor_command, "what this machine can do, and how to make it better"},
	{"list", list_command, "workloads, configs, machines"},
	{"run", run_command, "a workload under a config: one record per run"},
	{"exec", exec_command, "a program of yours under a config"},
	{"dump", ptdump_command, "the page tables of a process, per level and node"},
	{"report", analysis_command, "records into tables, plots, a page and a PDF"},
	{"restore", restore_command, "put back settings that a killed run left changed"},
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int print_help(void)
{
	printf("harness %s: what the placement of page tables costs, and what replication or\n"
	       "migration gives back\n\n",
	       suite_version);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		printf("  harness %-9s %s\n", commands[i].name, commands[i].summary);
	puts("\nEach takes --help. Where to begin:\n"
	     "  harness doctor\n"
	     "  harness list configs\n"
	     "  harness run gups LP-LD,RP-LD,RPI-LD --repeat 3     runs, on an emulated machine if need be\n"
	     "  harness exec RP-LD -- ./my-program                 your own program\n"
	     "  harness report                                     report/index.html\n"
	     "\n"
	     "exit status: 0 ok, 1 internal error, 2 usage, 3 this machine cannot, 4 the run failed,\n"
	     "130 interrupted");
	return 0;
}

static int print_version(void)
{
	printf("harness %s (%s)\n", suite_version, suite_commit);
	return 0;
}

static int unknown(const char *name)
{
	const char *names[NR_COMMANDS + 1];
	const char *nearest;
	struct err err = {0};

	for (size_t i = 0; i < NR_COMMANDS; i++)
		names[i] = commands[i].name;
	names[NR_COMMANDS] = NULL;
	nearest = suggest_nearest(name, names);
	err_set(&err, ERR_USAGE, "there is no command '%s'%s%s%s (see 'harness --help')", name,
		nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
	return err_report("harness", &err);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int dispatch(int argc, char **argv)
{
	const char *name = argv[1];

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
		return print_help();
	if (strcmp(name, "--version") == 0)
		return print_version();
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	return unknown(name);
}

int main(int argc, char **argv)
{
	if (getpid() == 1 || strcmp(argv[0], "/init") == 0)
		emulator_guest_init(argc, argv);
	/* A reader that goes away must not end a run before its settings are back. */
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(base_name(argv[0]), "page_table_dump") == 0)
		return ptdump_command(argc, argv);
	if (argc < 2) {
		print_help();
		return ERR_USAGE;
	}
	return dispatch(argc, argv);
}
