// SPDX-License-Identifier: MIT
#include "pgtablectl/auto.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/counters.h"

/* One process under watch. */
struct watched {
	struct watched *next;
	pid_t pid;
	struct sample sample;
	struct counters *counters;
	enum policy_act wish; /* of the last looks */
	int votes;
	bool ours; /* replication is on because of us */
	bool seen; /* in this round */
};

__attribute__((format(printf, 3, 4))) static void
log_line(const struct auto_daemon *daemon, const struct watched *process, const char *format, ...)
{
	const time_t now = time(NULL);
	struct tm parts;
	char stamp[32] = "";
	va_list args;

	if (localtime_r(&now, &parts))
		strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &parts);
	fprintf(daemon->log, "%s %s (%d): ", stamp, process->sample.stat.command, process->pid);
	va_start(args, format);
	vfprintf(daemon->log, format, args);
	va_end(args);
	fputc('\n', daemon->log);
	fflush(daemon->log);
}

static struct watched *find(struct auto_daemon *daemon, pid_t pid)
{
	struct watched *process = daemon->watched;

	while (process && process->pid != pid)
		process = process->next;
	if (process)
		return process;
	process = calloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->pid = pid;
	process->next = daemon->watched;
	daemon->watched = process;
	return process;
}

static void forget(struct watched *process)
{
	if (process->counters)
		counters_close(process->counters);
	sample_free(&process->sample);
	free(process);
}

/* What a verdict is as a command for the kernel. */
static void command_for(const struct policy_view *view, const struct policy_verdict *verdict,
			char *command, size_t size)
{
	char nodes[PGTABLE_NUMA_TEXT_MAX];

	if (verdict->act == POLICY_REPLICATE)
		snprintf(command, size, "replicate %s",
			 pgtable_numa_format_nodes(view->wanted, nodes));
	else if (verdict->act == POLICY_MIGRATE)
		snprintf(command, size, "migrate %d", verdict->node);
	else
		snprintf(command, size, "off");
}

static void act(struct auto_daemon *daemon, struct watched *process, const struct policy_view *view,
		const struct policy_verdict *verdict)
{
	char command[PGTABLE_NUMA_TEXT_MAX + 16];
	struct err err = {0};

	command_for(view, verdict, command, sizeof(command));
	process->votes = 0;
	if (daemon->options->dry_run) {
		log_line(daemon, process, "would %s: %s", command, verdict->reason);
		return;
	}
	if (pgtable_numa_command(daemon->fs, process->pid, command, &err) != 0) {
		log_line(daemon, process, "cannot %s: %s", command, err.text);
		return;
	}
	process->ours = verdict->act == POLICY_REPLICATE;
	log_line(daemon, process, "%s: %s", command, verdict->reason);
}

/* A change is made when enough looks in a row agree; one odd second decides nothing. */
static void consider(struct auto_daemon *daemon, struct watched *process,
		     const struct policy_view *view)
{
	struct policy_verdict verdict;

	policy_judge(&daemon->options->policy, view, &verdict);
	if (daemon->options->verbose)
		log_line(daemon, process, "%s: %s", policy_act_name(verdict.act), verdict.reason);
	if (verdict.act != process->wish)
		process->votes = 0;
	process->wish = verdict.act;
	/* Only what was turned on by us is turned off: the rest is somebody's decision. */
	if (verdict.act == POLICY_KEEP ||
	    (verdict.act == POLICY_OFF && !process->ours && !daemon->options->dry_run))
		return;
	if (++process->votes >= daemon->options->votes)
		act(daemon, process, view, &verdict);
}

/* 0 also when the process has gone. */
static int look(struct auto_daemon *daemon, pid_t pid, struct err *err)
{
	struct watched *process = find(daemon, pid);
	struct policy_view view;
	uint64_t start_ticks;
	int found;

	if (!process)
		return err_set(err, ERR_INTERNAL, "out of memory for process %d", pid);
	start_ticks = process->sample.stat.start_ticks;
	found = sample_take(&process->sample, &view, daemon->fs, pid, &daemon->nodes, err);
	if (found <= 0)
		return found;
	if (start_ticks != process->sample.stat.start_ticks) {
		process->ours = false;
		process->votes = 0;
		if (process->counters)
			counters_close(process->counters);
		process->counters = NULL;
	}
	process->seen = true;
	if (daemon->options->nodes)
		view.wanted &= daemon->options->nodes;
	if (daemon->walk_fraction)
		view.walk_fraction =
			daemon->walk_fraction(daemon->context, pid, &process->counters);
	consider(daemon, process, &view);
	return 0;
}

static void forget_gone(struct auto_daemon *daemon)
{
	struct watched **place = &daemon->watched;

	while (*place) {
		struct watched *process = *place;

		if (process->seen) {
			process->seen = false;
			place = &process->next;
			continue;
		}
		*place = process->next;
		forget(process);
	}
}

int auto_round(struct auto_daemon *daemon, struct err *err)
{
	int nr, failed = 0;
	pid_t *pids;

	if (auto_select(daemon->options, daemon->fs, &pids, &nr, err) != 0)
		return -1;
	for (int i = 0; i < nr && !failed; i++)
		failed = look(daemon, pids[i], err);
	free(pids);
	forget_gone(daemon);
	return failed;
}

void auto_end(struct auto_daemon *daemon)
{
	while (daemon->watched) {
		struct watched *process = daemon->watched;
		struct err err = {0};

		daemon->watched = process->next;
		if (process->ours && !daemon->options->keep &&
		    pgtable_numa_command(daemon->fs, process->pid, "off", &err) == 0)
			log_line(daemon, process, "off: the end of pgtablectl auto");
		forget(process);
	}
}
