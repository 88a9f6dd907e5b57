// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/version.h"
#include "harness/suggest.h"
#include "pgtablectl/commands.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"show", show_command,
	 "where the page tables of a process are, and what each node's CPUs see"},
	{"run", run_command, "start a program with replicated or placed page tables"},
	{"replicate", replicate_command,
	 "give a running process a copy of its page tables on each node"},
	{"migrate", migrate_command, "move the page tables of a running process to one node"},
	{"off", off_command, "take the copies away again"},
	{"auto", auto_command,
	 "watch processes, turn replication on where it pays and off where not"},
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int print_help(void)
{
	printf("pgtablectl %s: replication, placement and migration of page tables on NUMA machines\n"
	       "\n",
	       suite_version);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		printf("  pgtablectl %-10s %s\n", commands[i].name, commands[i].summary);
	puts("\nEach takes --help. For example:\n"
	     "  pgtablectl show $$                          this shell's page tables\n"
	     "  pgtablectl run --replicate all -- ./server  every node's CPUs walk tables of their own\n"
	     "  pgtablectl migrate 4711 1                   after 'migratepages 4711 0 1'\n"
	     "  pgtablectl auto --names mysqld --dry-run    what would be done, and why\n"
	     "\n"
	     "Needs a kernel with the suite's series (kernel/README.md); any other kernel is told apart.\n"
	     "exit status: 0 ok, 1 internal error, 2 usage, 3 this machine cannot, 130 interrupted");
	return 0;
}

static int unknown(const char *name)
{
	const char *names[NR_COMMANDS + 1] = {NULL};
	const char *nearest;
	struct err err = {0};

	for (size_t i = 0; i < NR_COMMANDS; i++)
		names[i] = commands[i].name;
	nearest = suggest_nearest(name, names);
	err_set(&err, ERR_USAGE, "there is no command '%s'%s%s%s (see 'pgtablectl --help')", name,
		nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
	return err_report("pgtablectl", &err);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_help();
		return ERR_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return print_help();
	if (strcmp(argv[1], "--version") == 0) {
		printf("pgtablectl %s (%s)\n", suite_version, suite_commit);
		return 0;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	return unknown(argv[1]);
}
