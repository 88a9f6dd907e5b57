/* SPDX-License-Identifier: MIT */
/*
 * The checksums of a netlist file, in FILE.sums beside it (the published format has no room for
 * them):
 *
 *   netlist-sums 1
 *   bytes N
 *   pins N                    fan-ins of all elements together
 *   plan ELEMENTS WIDTH HEIGHT FAN-IN SEED
 *   block OFFSET BYTES CRC    one line a block; without gaps, in order
 *   ...
 *   end CRC                   of everything above
 *
 * While a file is written its blocks stand in FILE.partial.sums, in the order in which they were
 * finished and without the last line: the journal from which an interrupted generator goes on.
 */
#ifndef DATASETS_NETLIST_SUMS_H
#define DATASETS_NETLIST_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "datasets/netlist.h"

struct netlist_block {
	uint64_t offset, bytes;
	uint32_t crc;
	bool done;
};

struct netlist_sums {
	struct netlist_plan plan;
	uint64_t bytes, pins;
	struct netlist_block *blocks;
	uint64_t nr_blocks;
};

/* The blocks of a file that is to be written, none done: `block_elements` lines each, the first
 * with the header. */
int netlist_sums_plan(struct netlist_sums *sums, const struct netlist_plan *plan,
		      uint64_t block_elements, struct err *err);
void netlist_sums_free(struct netlist_sums *sums);

/* Writes FILE.sums; every block must be done. */
int netlist_sums_save(const struct netlist_sums *sums, const char *file, struct err *err);

/* 1 when there is one, 0 when there is none, -1 with ERR_USAGE when it is damaged. */
int netlist_sums_load(struct netlist_sums *sums, const char *file, struct err *err);

/*
 * The journal: netlist_journal_load marks the blocks that an earlier generator finished (none
 * without a journal; ERR_USAGE when it was about another netlist), netlist_journal_open opens it
 * for appending, with its head when it is new; netlist_journal_add adds a block.
 */
int netlist_journal_load(struct netlist_sums *sums, const char *file, struct err *err);
int netlist_journal_open(const struct netlist_sums *sums, const char *file, struct err *err);
int netlist_journal_add(int fd, const struct netlist_block *block, struct err *err);

#endif
