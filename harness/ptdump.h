/* SPDX-License-Identifier: MIT */
/*
 * Page tables of a process, read from user space without a kernel module.
 *
 * Reader: physical or kernel memory through /proc/kcore, through a BPF iterator, or from a recorded
 * image. Walk: x86-64, 4 and 5 levels (Intel SDM vol. 3A, 4.5), user half only. The dump is a
 * snapshot that may tear while the process runs; `torn` says when a table changed between two reads
 * of it.
 */
#ifndef HARNESS_PTDUMP_H
#define HARNESS_PTDUMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/fs.h"

#define PTDUMP_LEVELS_MAX 5 /* index 0 = leaf tables (PT), 1 = PD, 2 = PDPT, 3 = PML4, 4 = PML5 */
#define PTDUMP_NODES_MAX  64
#define PTDUMP_SIZES      3 /* leaf sizes: 4 KiB, 2 MiB, 1 GiB */

struct ptdump; /* an open reader; serves any number of processes */

struct ptdump_result {
	pid_t pid;
	int levels;            /* 4 or 5 */
	int nr_nodes;          /* highest node id + 1; arrays below are indexed by node id */
	uint64_t root_address; /* physical address of the root table */
	/* Table pages by level and by the node that holds them. */
	uint64_t table_pages[PTDUMP_LEVELS_MAX][PTDUMP_NODES_MAX];
	/* Present leaf entries by page size, node of the table page, node of the page mapped. */
	uint64_t leaves[PTDUMP_SIZES][PTDUMP_NODES_MAX][PTDUMP_NODES_MAX];
	uint64_t not_present;  /* non-empty entries without P: swapped out, being migrated, NUMA
				  hints kept apart */
	uint64_t prot_none;    /* present for software only (AutoNUMA hinting faults); counted in
				  leaves too */
	uint64_t unresolved;   /* leaf entries whose frame is on no node: device memory */
	uint64_t entries_read; /* 512 for every table page: what the rates are counted in */
	uint64_t duration_ns;
	bool torn;
	const char *reader; /* "kcore", "bpf", "image" */
};

struct ptdump_options {
	const char *reader;    /* NULL: the first that works; "kcore", "bpf", "image:PATH" */
	const struct fs *root; /* NULL: the real /proc and /sys */
};

/* ERR_MACHINE says which of kcore, kallsyms, BTF, BPF or permission is missing, and the remedy. */
int ptdump_open(struct ptdump **ptdump, const struct ptdump_options *options, struct err *err);
void ptdump_close(struct ptdump *ptdump);

/* ERR_USAGE if there is no such process or it has no address space (a kernel thread). */
int ptdump_process(struct ptdump *ptdump, pid_t pid, struct ptdump_result *result, struct err *err);

/* Only the root: what the emulator's model needs before the ROI. */
int ptdump_root(struct ptdump *ptdump, pid_t pid, uint64_t *root_address, int *levels,
		struct err *err);

/* Adds b to a (several processes of one workload). */
void ptdump_add(struct ptdump_result *sum, const struct ptdump_result *b);

uint64_t ptdump_table_pages(const struct ptdump_result *result, int node); /* all levels; -1: all */
uint64_t ptdump_table_bytes(const struct ptdump_result *result);

/*
 * Of all leaf entries, the fraction a walker on `node` finds in a table page of its own node (0 to
 * 1), and the same for the data pages they map, weighted by page size. NAN when there are none.
 */
double ptdump_local_leaf_fraction(const struct ptdump_result *result, int node);
double ptdump_local_data_fraction(const struct ptdump_result *result, int node);

json_t *ptdump_to_json(const struct ptdump_result *result);
void ptdump_print(FILE *out, const struct ptdump_result *result);
void ptdump_print_csv(FILE *out, const struct ptdump_result *result, bool header, uint64_t time_ns);

/* `harness dump` and bin/page_table_dump; returns the exit status. */
int ptdump_command(int argc, char **argv);

#endif
