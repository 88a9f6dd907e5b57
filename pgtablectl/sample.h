/* SPDX-License-Identifier: MIT */
/*
 * What a process did since it was looked at last, from /proc: CPU time by node, pages mapped, page
 * tables. Everything is read below a root, so that recorded text can stand in.
 */
#ifndef PGTABLECTL_SAMPLE_H
#define PGTABLECTL_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/fs.h"
#include "common/pgtable_numa.h"
#include "pgtablectl/policy.h"

#define SAMPLE_COMMAND_MAX 17 /* TASK_COMM_LEN and a NUL */
#define SAMPLE_CPUS_MAX    4096

/* The fields of /proc/PID/stat that matter (proc(5)). */
struct sample_stat {
	char command[SAMPLE_COMMAND_MAX];
	uint64_t faults; /* minor and major */
	uint64_t ticks;  /* user and system */
	uint64_t start_ticks;
	int cpu; /* it ran on last */
};

/* 0, or -1 when the text is not that of a stat file. */
int sample_parse_stat(struct sample_stat *stat, const char *text);

struct sample_thread {
	pid_t tid;
	uint64_t ticks;
};

struct sample {
	struct sample_stat stat;
	struct sample_thread *threads; /* ascending by tid */
	int nr_threads;
};

/* Which node a CPU is on. */
struct sample_nodes {
	int8_t node_of_cpu[SAMPLE_CPUS_MAX];
	uint64_t with_memory;
};

int sample_nodes_read(struct sample_nodes *nodes, const struct fs *fs, struct err *err);

/*
 * Looks at a process and fills `view` with what happened since `previous` (a sample of the same
 * process, or one that is all zeros: then CPU time counts from the process's start). `previous` is
 * replaced. 1: looked at, 0: it is gone, -1: an error.
 */
int sample_take(struct sample *previous, struct policy_view *view, const struct fs *fs, pid_t pid,
		const struct sample_nodes *nodes, struct err *err);
void sample_free(struct sample *sample);

#endif
