// SPDX-License-Identifier: MIT
#include "pgtablectl/sample.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/topology.h"

#define STAT_BYTES 1024
#define PAGE_BYTES 4096

/* "12 (a (b) c) S 1 ...": a command may contain anything but its end is the last ')'. */
int sample_parse_stat(struct sample_stat *stat, const char *text)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	uint64_t minor, major, user, system;
	size_t length;

	*stat = (struct sample_stat){0};
	if (!open || !close || close < open)
		return -1;
	length = (size_t)(close - open - 1);
	if (length >= sizeof(stat->command))
		length = sizeof(stat->command) - 1;
	memcpy(stat->command, open + 1, length);
	/* Fields 3 to 39 of proc(5). */
	if (sscanf(close + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64 " %*u %" SCNu64
		   " %" SCNu64 " %*d %*d %*d %*d %*d %*d %" SCNu64
		   " %*u %*d %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %d",
		   &minor, &major, &user, &system, &stat->start_ticks, &stat->cpu) != 6)
		return -1;
	stat->faults = minor + major;
	stat->ticks = user + system;
	return 0;
}

static int read_stat(struct sample_stat *stat, const struct fs *fs, const char *path)
{
	char text[STAT_BYTES];

	if (fs_read(fs, path, text, sizeof(text)) < 0)
		return -1;
	return sample_parse_stat(stat, text);
}

/* --- nodes --- */

static void note_cpus(struct sample_nodes *nodes, const struct topology_node *node)
{
	for (int i = 0; i < node->nr_cpus; i++)
		if (node->cpus[i] < SAMPLE_CPUS_MAX)
			nodes->node_of_cpu[node->cpus[i]] = (int8_t)node->id;
	if (node->memory_bytes > 0)
		nodes->with_memory |= UINT64_C(1) << node->id;
}

int sample_nodes_read(struct sample_nodes *nodes, const struct fs *fs, struct err *err)
{
	struct topology topology;

	*nodes = (struct sample_nodes){0};
	if (topology_read(&topology, fs, err) != 0)
		return -1;
	for (int i = 0; i < topology.nr_nodes; i++)
		note_cpus(nodes, &topology.nodes[i]);
	topology_free(&topology);
	return 0;
}

/* --- threads --- */

static uint64_t ticks_before(const struct sample *previous, pid_t tid)
{
	for (int i = 0; i < previous->nr_threads; i++)
		if (previous->threads[i].tid == tid)
			return previous->threads[i].ticks;
	return 0;
}

static int keep_thread(struct sample *sample, pid_t tid, uint64_t ticks)
{
	struct sample_thread *larger;

	larger = realloc(sample->threads, (size_t)(sample->nr_threads + 1) * sizeof(*larger));
	if (!larger)
		return -1;
	sample->threads = larger;
	sample->threads[sample->nr_threads++] = (struct sample_thread){tid, ticks};
	return 0;
}

/* Adds a thread's time since the last look to the node it is on now. */
static int look_at_thread(struct sample *now, const struct sample *previous, const struct fs *fs,
			  pid_t pid, pid_t tid, const struct sample_nodes *nodes,
			  double ticks_of_node[64])
{
	struct sample_stat stat;
	char path[64];
	uint64_t before;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	if (read_stat(&stat, fs, path) != 0)
		return 0; /* it has just ended */
	before = ticks_before(previous, tid);
	if (stat.ticks > before && stat.cpu >= 0 && stat.cpu < SAMPLE_CPUS_MAX)
		ticks_of_node[nodes->node_of_cpu[stat.cpu]] += (double)(stat.ticks - before);
	return keep_thread(now, tid, stat.ticks);
}

static int look_at_threads(struct sample *now, const struct sample *previous, const struct fs *fs,
			   pid_t pid, const struct sample_nodes *nodes, double ticks_of_node[64])
{
	struct dirent *entry;
	char path[64];
	int fd, failed = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "proc/%d/task", pid);
	fd = openat(fs->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (!directory)
		return 0;
	while (!failed && (entry = readdir(directory)))
		if (isdigit((unsigned char)entry->d_name[0]))
			failed = look_at_thread(now, previous, fs, pid, atoi(entry->d_name), nodes,
						ticks_of_node);
	closedir(directory);
	return failed;
}

/* --- one look --- */

static void fill_tables(struct policy_view *view, const struct pgtable_numa *numa)
{
	for (int node = 0; node < 64; node++)
		view->last_level_pages[node] = numa->masters[1][node];
	view->table_bytes = pgtable_numa_pages(numa->masters) * PAGE_BYTES;
	view->replicated = numa->nodes;
}

static void fill_times(struct policy_view *view, const double ticks_of_node[64])
{
	double ticks = 0;

	for (int node = 0; node < 64; node++)
		ticks += ticks_of_node[node];
	view->cpu_seconds = ticks / (double)sysconf(_SC_CLK_TCK);
	for (int node = 0; node < 64 && ticks > 0; node++)
		view->node_share[node] = ticks_of_node[node] / ticks;
}

/* The tables of a process; 1, 0 when it is gone, -1. */
static int look_at_tables(struct policy_view *view, const struct fs *fs, pid_t pid, struct err *err)
{
	struct pgtable_numa numa;
	struct err why = {0};

	if (pgtable_numa_read(&numa, fs, pid, &why) != 0)
		return why.kind == ERR_USAGE ? 0 : err_set(err, why.kind, "%s", why.text);
	fill_tables(view, &numa);
	pgtable_numa_free(&numa);
	return 1;
}

int sample_take(struct sample *previous, struct policy_view *view, const struct fs *fs, pid_t pid,
		const struct sample_nodes *nodes, struct err *err)
{
	double ticks_of_node[64] = {0};
	struct sample now = {0};
	char path[64];
	int found;

	*view = (struct policy_view){.walk_fraction = -1, .wanted = nodes->with_memory};
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_stat(&now.stat, fs, path) != 0)
		return 0;
	/* The number has been given to another process. */
	if (previous->stat.start_ticks != now.stat.start_ticks)
		sample_free(previous);
	found = look_at_tables(view, fs, pid, err);
	if (found > 0 && look_at_threads(&now, previous, fs, pid, nodes, ticks_of_node) != 0)
		found = err_set(err, ERR_INTERNAL, "out of memory for the threads of %d", pid);
	if (found <= 0) {
		sample_free(&now);
		return found;
	}
	fill_times(view, ticks_of_node);
	if (now.stat.faults > previous->stat.faults)
		view->faults = (double)(now.stat.faults - previous->stat.faults);
	sample_free(previous);
	*previous = now;
	return 1;
}

void sample_free(struct sample *sample)
{
	free(sample->threads);
	*sample = (struct sample){0};
}
