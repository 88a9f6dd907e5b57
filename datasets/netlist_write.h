/* SPDX-License-Identifier: MIT */
/*
 * Writes a netlist file block by block, with its checksums (netlist_sums.h). It may be interrupted
 * at any time, also by a power cut, and goes on where it was: FILE.partial and FILE.partial.sums
 * become FILE and FILE.sums when all blocks are there.
 */
#ifndef DATASETS_NETLIST_WRITE_H
#define DATASETS_NETLIST_WRITE_H

#include <signal.h>
#include <stdint.h>

#include "common/err.h"
#include "datasets/netlist.h"

#define NETLIST_BLOCK_ELEMENTS (UINT64_C(1) << 20)
#define NETLIST_THREADS_MAX    256

struct netlist_write {
	const char *file;
	struct netlist_plan plan;
	uint64_t block_elements; /* lines under one checksum; a thread holds that many in memory */
	int nr_threads;
	const volatile sig_atomic_t *stop; /* NULL, or: end after the blocks under way once set */
	/* NULL, or called after each block, by one thread at a time. `before` is what an earlier
	 * run had finished. */
	void (*progress)(void *context, uint64_t bytes, uint64_t before, uint64_t total);
	void *context;
};

/* Bytes that are still to be written, 0 when the file is complete. Errors as below. */
int netlist_write_rest(const struct netlist_write *write, uint64_t *rest_bytes, struct err *err);

/*
 * ERR_USAGE: the file exists and is another. ERR_MACHINE: the disk lacks the space (nothing is
 * written), or another generator is at it. ERR_INTERRUPTED: stopped; the same call goes on.
 */
int netlist_write(const struct netlist_write *write, struct err *err);

#endif
