// SPDX-License-Identifier: MIT
/*
 * `pgtablectl run`: replication is asked for by prctl for what is exec'ed next and is inherited. A
 * placement has no interface of one process: the sysctl is set while the program runs.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/pgtable_numa.h"
#include "harness/interrupt.h"
#include "pgtablectl/commands.h"

#define POLL_NS 50000000L

static const char help_text[] =
	"usage: pgtablectl run [--replicate NODES] [--place NODE] [--] COMMAND [ARGUMENT...]\n"
	"\n"
	"  --replicate NODES  each node of the list (0-3, 0,2 or 'all') gets a copy of the page tables, and its\n"
	"                     CPUs walk that. Programs that COMMAND starts inherit it. No privilege needed.\n"
	"  --place NODE       new page tables are allocated on this node, wherever the thread runs: what an\n"
	"                     experiment with remote page tables needs. The setting is the whole system's\n"
	"                     (kernel.pgtable_replication), needs root, and is put back when COMMAND ends.\n"
	"\n"
	"The exit status is COMMAND's (128 + N when signal N killed it); 126 and 127 as the shell has them.\n";

struct wish {
	bool replicate;
	uint64_t nodes; /* 0: all */
	int place;      /* -1: not asked for */
	char **command;
};

static int parse_options(struct wish *wish, int argc, char **argv, struct err *err)
{
	static const struct option options[] = {
		{"replicate", required_argument, NULL, 'r'},
		{"place", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	*wish = (struct wish){.place = -1};
	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			wish->replicate = true;
			if (parse_nodes(optarg, "--replicate", &wish->nodes, err) != 0)
				return -1;
			break;
		case 'p':
			if (parse_node(optarg, "--place", &wish->place, err) != 0)
				return -1;
			break;
		case 'h':
			return 1;
		default:
			return err_set(err, ERR_USAGE, "run: %s '%s'; see 'pgtablectl run --help'",
				       option == ':' ? "no value for" : "unknown option",
				       argv[optind - 1]);
		}
	}
	wish->command = argv + optind;
	if (!wish->command[0])
		return err_set(err, ERR_USAGE, "run: no command; see 'pgtablectl run --help'");
	if (!wish->replicate && wish->place < 0)
		return err_set(err, ERR_USAGE, "run: nothing to do without --replicate or --place");
	return 0;
}

_Noreturn static void become(char *const *command)
{
	const int missing = 127, not_runnable = 126;

	signal(SIGPIPE, SIG_DFL); /* ignored here, and exec would keep that */
	execvp(command[0], command);
	fprintf(stderr, "pgtablectl: cannot run '%s': %s\n", command[0], strerror(errno));
	_exit(errno == ENOENT ? missing : not_runnable);
}

static int replicate_next(const struct wish *wish, struct err *err)
{
	if (!wish->replicate)
		return 0;
	return pgtable_numa_set(wish->nodes, PGTABLE_NUMA_INHERIT | PGTABLE_NUMA_EXEC_ONLY, err);
}

/* Takes the system's setting for this run; somebody else's is left alone. */
static int take_placement(const struct fs *fs, int node, struct err *err)
{
	char text[32];

	if (fs_read(fs, PGTABLE_NUMA_PLACEMENT, text, sizeof(text)) < 0) {
		if (pgtable_numa_available(fs, err) != 0)
			return -1;
		return err_set_errno(err, ERR_MACHINE, errno,
				     "cannot read " PGTABLE_NUMA_PLACEMENT);
	}
	if (strcmp(text, "-1") != 0)
		return err_set(
			err, ERR_MACHINE,
			"page tables are being placed on node %s already, by another run or by "
			"hand: wait, or 'sysctl kernel.pgtable_replication=-1'",
			text);
	snprintf(text, sizeof(text), "%d", node);
	if (fs_write(fs, PGTABLE_NUMA_PLACEMENT, text) == 0)
		return 0;
	if (errno == EACCES || errno == EPERM)
		return err_set(err, ERR_MACHINE,
			       "--place sets kernel.pgtable_replication: run as root");
	if (errno == EINVAL || errno == ENODEV)
		return err_set(err, ERR_USAGE, "--place %d: there is no such node with memory",
			       node);
	return err_set_errno(err, ERR_INTERNAL, errno, "cannot write " PGTABLE_NUMA_PLACEMENT);
}

/* Waits for the command; a signal to us is passed on to it. */
static int wait_for(pid_t child)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	bool passed_on = false;
	int status;

	for (;;) {
		const pid_t ended = waitpid(child, &status, WNOHANG);

		if (ended == child)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		if (ended < 0 && errno != EINTR)
			return ERR_INTERNAL;
		if (interrupt_signal && !passed_on) {
			kill(child, interrupt_signal);
			passed_on = true;
		}
		nanosleep(&pause, NULL);
	}
}

static int run_placed(const struct wish *wish, struct err *err)
{
	int status = 0;
	struct fs fs;
	pid_t child;

	if (fs_open(&fs, "/", err) != 0)
		return -1;
	interrupt_install();
	if (take_placement(&fs, wish->place, err) != 0) {
		fs_close(&fs);
		return -1;
	}
	child = fork();
	if (child == 0) {
		if (replicate_next(wish, err) == 0)
			become(wish->command);
		_exit(err_report("pgtablectl", err));
	}
	if (child < 0)
		status = err_set_errno(err, ERR_INTERNAL, errno, "cannot start the command");
	else
		status = wait_for(child);
	if (fs_write(&fs, PGTABLE_NUMA_PLACEMENT, "-1") != 0)
		fprintf(stderr,
			"pgtablectl: cannot put back kernel.pgtable_replication to -1: %s\n",
			strerror(errno));
	fs_close(&fs);
	return status;
}

int run_command(int argc, char **argv)
{
	struct err err = {0};
	struct wish wish;
	int status = parse_options(&wish, argc, argv, &err);

	if (status > 0) {
		fputs(help_text, stdout);
		return 0;
	}
	if (status == 0 && wish.place >= 0)
		status = run_placed(&wish, &err);
	else if (status == 0 && replicate_next(&wish, &err) == 0)
		become(wish.command);
	return err.kind != ERR_NONE ? err_report("pgtablectl", &err) : status;
}
