// SPDX-License-Identifier: MIT
#include "pgtablectl/auto_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "pgtablectl/commands.h"

static const char help_text[] =
	"usage: pgtablectl auto (--pids LIST | --names LIST | --cgroup PATH) [OPTION...]\n"
	"\n"
	"Looks at the selected processes every few seconds and gives those a copy of their page tables on each\n"
	"node that gain from it; takes the copies away from those that do not. Each change is logged on stdout\n"
	"with its reason. Nothing is touched that was not selected, and on SIGINT or SIGTERM what was turned on\n"
	"is turned off again.\n"
	"\n"
	"  --pids LIST        process ids: 12,34\n"
	"  --names LIST       commands as in /proc/PID/comm: mysqld,java\n"
	"  --cgroup PATH      all processes of a control group (v2), also those that come later\n"
	"\n"
	"  --dry-run          decide and log, change nothing\n"
	"  --nodes LIST       replicate on these nodes only (default all with memory)\n"
	"  --interval TIME    between two looks (default 5s)\n"
	"  --votes N          looks that must agree before a change (default 3)\n"
	"  --rounds N         end after N looks (default: never)\n"
	"  --keep             leave copies in place at the end\n"
	"  --verbose          log each look, not only changes\n"
	"\n"
	"How it decides (docs/PGTABLECTL.md has the formula and its sources):\n"
	"  --least-gain PCT   expected share of time won that turns it on (default 1)\n"
	"  --assume-walks PCT walks' share of cycles where no counter tells (default 10)\n"
	"  --least-tables SIZE  processes with smaller page tables are left alone (default 1M)\n"
	"  A process gains by the share of cycles that page walks take (hardware counters), times the share of\n"
	"  walks whose last table is on another node than the CPU. It loses by each page that is mapped.\n"
	"  One that runs on one node only gets its tables moved there instead.\n";

enum { NODES = 256, INTERVAL, VOTES, ROUNDS, GAIN, WALKS, TABLES };

static const struct option long_options[] = {
	{"pids", required_argument, NULL, 'p'},
	{"names", required_argument, NULL, 'n'},
	{"cgroup", required_argument, NULL, 'c'},
	{"dry-run", no_argument, NULL, 'd'},
	{"verbose", no_argument, NULL, 'v'},
	{"keep", no_argument, NULL, 'k'},
	{"nodes", required_argument, NULL, NODES},
	{"interval", required_argument, NULL, INTERVAL},
	{"votes", required_argument, NULL, VOTES},
	{"rounds", required_argument, NULL, ROUNDS},
	{"least-gain", required_argument, NULL, GAIN},
	{"assume-walks", required_argument, NULL, WALKS},
	{"least-tables", required_argument, NULL, TABLES},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int parse_pids(struct auto_options *options, char *list, struct err *err)
{
	for (char *word; (word = strsep(&list, ","));) {
		if (options->nr_pids == AUTO_LIST_MAX)
			return err_set(err, ERR_USAGE, "--pids takes at most %d", AUTO_LIST_MAX);
		if (parse_pid(word, &options->pids[options->nr_pids], err) != 0)
			return -1;
		options->nr_pids++;
	}
	return 0;
}

static int parse_names(struct auto_options *options, char *list, struct err *err)
{
	for (char *word; (word = strsep(&list, ","));) {
		if (options->nr_names == AUTO_LIST_MAX)
			return err_set(err, ERR_USAGE, "--names takes at most %d", AUTO_LIST_MAX);
		if (*word == '\0' || strlen(word) > 15)
			return err_set(err, ERR_USAGE,
				       "--names: '%s' is not a command's name of 1 to 15 bytes, as "
				       "/proc/PID/comm has it",
				       word);
		options->names[options->nr_names++] = word;
	}
	return 0;
}

static int parse_percent(const char *text, const char *what, double *share, struct err *err)
{
	if (units_parse_double(text, what, share, err) != 0)
		return -1;
	if (*share < 0 || *share > 100)
		return err_set(err, ERR_USAGE, "%s takes a percentage from 0 to 100, not '%s'",
			       what, text);
	*share /= 100;
	return 0;
}

static int parse_small(const char *text, const char *what, int least, int *value, struct err *err)
{
	uint64_t count;

	if (units_parse_count(text, what, &count, err) != 0)
		return -1;
	if (count < (uint64_t)least || count > 1000000000)
		return err_set(err, ERR_USAGE, "%s takes a number from %d to 1000000000, not '%s'",
			       what, least, text);
	*value = (int)count;
	return 0;
}

static int parse_interval(const char *text, uint64_t *ns, struct err *err)
{
	if (units_parse_duration(text, "--interval", ns, err) != 0)
		return -1;
	if (*ns >= 100000000 && *ns <= UINT64_C(86400000000000))
		return 0;
	return err_set(err, ERR_USAGE, "--interval takes 100ms to 24h, not '%s'", text);
}

static int apply(struct auto_options *options, int option, char *value, struct err *err)
{
	switch (option) {
	case 'p':
		return parse_pids(options, value, err);
	case 'n':
		return parse_names(options, value, err);
	case 'c':
		options->cgroup = value;
		return 0;
	case 'd':
		options->dry_run = true;
		return 0;
	case 'v':
		options->verbose = true;
		return 0;
	case 'k':
		options->keep = true;
		return 0;
	case NODES:
		return parse_nodes(value, "--nodes", &options->nodes, err);
	case INTERVAL:
		return parse_interval(value, &options->interval_ns, err);
	case VOTES:
		return parse_small(value, "--votes", 1, &options->votes, err);
	case ROUNDS:
		return parse_small(value, "--rounds", 1, &options->rounds, err);
	case GAIN:
		if (parse_percent(value, "--least-gain", &options->policy.least_gain, err) != 0)
			return -1;
		/* Kept on a third of it, as by default. */
		options->policy.least_gain_kept = options->policy.least_gain * 0.3;
		return 0;
	case WALKS:
		return parse_percent(value, "--assume-walks", &options->policy.assumed_walks, err);
	default:
		return units_parse_size(value, "--least-tables", &options->policy.least_table_bytes,
					err);
	}
}

int auto_parse_options(struct auto_options *options, int argc, char **argv, struct err *err)
{
	int option;

	*options = (struct auto_options){
		.interval_ns = UINT64_C(5000000000), .votes = 3, .policy = POLICY_DEFAULT};
	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help_text, stdout);
			return 1;
		}
		if (option == ':' || option == '?')
			return err_set(err, ERR_USAGE,
				       "auto: %s '%s'; see 'pgtablectl auto --help'",
				       option == ':' ? "no value for" : "unknown option",
				       argv[optind - 1]);
		if (apply(options, option, optarg, err) != 0)
			return -1;
	}
	if (optind < argc)
		return err_set(err, ERR_USAGE,
			       "auto does not take '%s'; see 'pgtablectl auto --help'",
			       argv[optind]);
	if (!options->nr_names && !options->nr_pids && !options->cgroup)
		return err_set(
			err, ERR_USAGE,
			"auto: say which processes it may touch: --pids, --names or --cgroup");
	return 0;
}
