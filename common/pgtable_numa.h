/* SPDX-License-Identifier: MIT */
/*
 * The interface of the kernel series (kernel/README.md): page tables that are replicated, placed
 * and migrated. Reads and writes /proc/PID/pgtable_numa and wraps the prctl. Used by pgtablectl and
 * by the harness; a kernel without the series is told apart from a process that is gone.
 */
#ifndef COMMON_PGTABLE_NUMA_H
#define COMMON_PGTABLE_NUMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/fs.h"

#define PGTABLE_NUMA_NODES_MAX  64 /* node ids are bit numbers of a mask */
#define PGTABLE_NUMA_LEVELS_MAX 5
#define PGTABLE_NUMA_TEXT_MAX   192 /* of a list of nodes */

#define PGTABLE_NUMA_PLACEMENT "/proc/sys/kernel/pgtable_replication"
#define PGTABLE_NUMA_CACHE     "/proc/sys/kernel/pgtable_replication_cache"

/* Present entries of level-`level` tables on node `from` that point to node `to`, in one tree. */
struct pgtable_numa_edge {
	int tree; /* the tree that CPUs of this node use */
	int level, from, to;
	uint64_t entries;
};

struct pgtable_numa {
	uint64_t nodes;  /* tables are replicated on these; 0: not replicated */
	uint64_t failed; /* replicas that could not be allocated so far */
	uint64_t online; /* nodes with a root line */
	int root_node[PGTABLE_NUMA_NODES_MAX];        /* where the root of this node's CPUs is */
	bool root_is_replica[PGTABLE_NUMA_NODES_MAX]; /* or the master */
	/* Pages by level (index 1 to 5) and node. */
	uint64_t masters[PGTABLE_NUMA_LEVELS_MAX + 1][PGTABLE_NUMA_NODES_MAX];
	uint64_t replicas[PGTABLE_NUMA_LEVELS_MAX + 1][PGTABLE_NUMA_NODES_MAX];
	struct pgtable_numa_edge *edges;
	size_t nr_edges;
	bool empty; /* a kernel thread: no tables of its own */
};

/*
 * Text of the file. Lines that begin with an unknown word are skipped, so that a later kernel may
 * add some; a known line that cannot be read is ERR_INTERNAL with its number. Free in any case.
 */
int pgtable_numa_parse(struct pgtable_numa *numa, const char *text, struct err *err);
void pgtable_numa_free(struct pgtable_numa *numa);

/*
 * The same of a process (0: oneself). ERR_USAGE: no such process. ERR_MACHINE: a kernel without the
 * series, or no permission.
 */
int pgtable_numa_read(struct pgtable_numa *numa, const struct fs *fs, pid_t pid, struct err *err);

/*
 * Writes one command ("replicate 0-3", "replicate all", "off", "migrate 1"). Errors as above;
 * ERR_USAGE also for what cannot be meant here (a node without memory), ERR_MACHINE for what the
 * kernel refuses.
 */
int pgtable_numa_command(const struct fs *fs, pid_t pid, const char *command, struct err *err);

/* Whether this kernel has the series: 0, or ERR_MACHINE with the remedy. */
int pgtable_numa_available(const struct fs *fs, struct err *err);

/* What the prctl takes; the numbers are private to the series. */
#define PGTABLE_NUMA_PR_SET 0x50475452
#define PGTABLE_NUMA_PR_GET 0x50475453
enum pgtable_numa_flags {
	PGTABLE_NUMA_INHERIT = 1,   /* children by fork and programs by exec, too */
	PGTABLE_NUMA_EXEC_ONLY = 2, /* for what is exec'ed next, not for this process */
};

/* Replicates the calling process's tables on the nodes of the mask (0: on all with memory). */
int pgtable_numa_set(uint64_t nodes, unsigned flags, struct err *err);

/* Share (0 to 1) of the entries of one level that node `tree`'s CPUs read from other nodes; -1: no
 * entries. */
double pgtable_numa_remote_tables(const struct pgtable_numa *numa, int tree, int level);
/* Share of the level-1 entries of node `tree`'s tree that point to data on other nodes; -1: none.
 */
double pgtable_numa_remote_data(const struct pgtable_numa *numa, int tree);

uint64_t
pgtable_numa_pages(const uint64_t pages[PGTABLE_NUMA_LEVELS_MAX + 1][PGTABLE_NUMA_NODES_MAX]);

/* "0-3,8" to a mask and back. -1: not a list of nodes, or a node of 64 or more. */
int pgtable_numa_parse_nodes(const char *text, uint64_t *nodes);
const char *pgtable_numa_format_nodes(uint64_t nodes, char text[PGTABLE_NUMA_TEXT_MAX]);

#endif
