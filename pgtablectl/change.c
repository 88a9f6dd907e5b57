// SPDX-License-Identifier: MIT
/* The commands that change a running process: replicate, migrate, off. */
#include <stdio.h>
#include <string.h>

#include "common/fs.h"
#include "common/pgtable_numa.h"
#include "pgtablectl/commands.h"

#define COMMAND_MAX (PGTABLE_NUMA_TEXT_MAX + 16)

static const char replicate_help[] =
	"usage: pgtablectl replicate PID NODES\n"
	"\n"
	"Copies the page tables of a running process to each node of the list (like 0-3 or 0,2; 'all': every\n"
	"node with memory) and has the CPUs of each node walk the copy that is nearest. The process goes on\n"
	"meanwhile; copies cost memory (N times the page tables) and time at each change of a mapping.\n"
	"Another list later replaces this one. Needs CAP_SYS_NICE for a process of somebody else.\n";

static const char migrate_help[] =
	"usage: pgtablectl migrate PID NODE\n"
	"\n"
	"Moves all page tables of a running process to one node; none stays behind. This is what a process\n"
	"needs whose threads and data have been moved (taskset, migratepages). Ends replication.\n";

static const char off_help[] =
	"usage: pgtablectl off PID\n"
	"\n"
	"Frees the copies of a process's page tables. Without copies nothing is done.\n";

static int help(const char *text)
{
	fputs(text, stdout);
	return 0;
}

static int asks_for_help(int argc, char **argv)
{
	return argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static int send(pid_t pid, const char *command, struct err *err)
{
	struct fs fs;
	int failed;

	if (fs_open(&fs, "/", err) != 0)
		return -1;
	failed = pgtable_numa_command(&fs, pid, command, err);
	fs_close(&fs);
	return failed;
}

static int finish(int failed, const struct err *err)
{
	return failed ? err_report("pgtablectl", err) : 0;
}

int replicate_command(int argc, char **argv)
{
	char command[COMMAND_MAX], text[PGTABLE_NUMA_TEXT_MAX];
	struct err err = {0};
	uint64_t nodes;
	pid_t pid;

	if (asks_for_help(argc, argv))
		return help(replicate_help);
	if (argc != 3)
		return finish(err_set(&err, ERR_USAGE,
				      "replicate takes a process id and a list of nodes; see "
				      "'pgtablectl replicate --help'"),
			      &err);
	if (parse_pid(argv[1], &pid, &err) != 0 ||
	    parse_nodes(argv[2], "replicate", &nodes, &err) != 0)
		return finish(-1, &err);
	snprintf(command, sizeof(command), "replicate %s",
		 nodes ? pgtable_numa_format_nodes(nodes, text) : "all");
	return finish(send(pid, command, &err), &err);
}

int migrate_command(int argc, char **argv)
{
	char command[COMMAND_MAX];
	struct err err = {0};
	pid_t pid;
	int node;

	if (asks_for_help(argc, argv))
		return help(migrate_help);
	if (argc != 3)
		return finish(err_set(&err, ERR_USAGE,
				      "migrate takes a process id and a node; see 'pgtablectl "
				      "migrate --help'"),
			      &err);
	if (parse_pid(argv[1], &pid, &err) != 0 || parse_node(argv[2], "migrate", &node, &err) != 0)
		return finish(-1, &err);
	snprintf(command, sizeof(command), "migrate %d", node);
	return finish(send(pid, command, &err), &err);
}

int off_command(int argc, char **argv)
{
	struct err err = {0};
	pid_t pid;

	if (asks_for_help(argc, argv))
		return help(off_help);
	if (argc != 2)
		return finish(err_set(&err, ERR_USAGE,
				      "off takes a process id; see 'pgtablectl off --help'"),
			      &err);
	if (parse_pid(argv[1], &pid, &err) != 0)
		return finish(-1, &err);
	return finish(send(pid, "off", &err), &err);
}
