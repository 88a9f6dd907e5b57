/* SPDX-License-Identifier: MIT */
/*
 * Fragments the free memory of some nodes: takes large blocks (hold.h) until the share of free
 * memory that lies in blocks of a huge page or more is at most the goal.
 */
#ifndef FRAGMENT_FRAGMENTER_H
#define FRAGMENT_FRAGMENTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/fs.h"
#include "fragment/buddy.h"
#include "fragment/hold.h"

struct fragment_options {
	uint64_t nodes;         /* mask; 0: all with free memory */
	double goal;            /* 0 to 1 */
	bool exhaust;           /* then go on until the kernel has no more, compaction included */
	uint64_t reserve_bytes; /* MemAvailable never goes below this because of us */
	uint64_t limit_bytes;   /* of blocks to take on each node; 0: as many as needed */
};

enum fragment_stop { FRAGMENT_GOAL, FRAGMENT_LIMIT, FRAGMENT_NO_BLOCKS, FRAGMENT_RESERVE };

struct fragment_node {
	int node;
	struct buddy_node before, after;
	enum fragment_stop stop;
	struct hold hold;
};

struct fragmenter {
	struct fs fs;
	struct fragment_options options;
	struct buddy buddy;
	int nr_nodes;
	struct fragment_node nodes[BUDDY_NODES_MAX];
	uint64_t duration_ns;
	/* Called now and then; -1 ends the work with its error. `done`: 0 to 1. */
	int (*tick)(void *context, double done, struct err *err);
	void *context;
};

/*
 * ERR_USAGE for a node without memory; ERR_MACHINE when huge pages are switched off, or memory for
 * what has to be held would take from the reserve. fs, options, tick and context are given.
 */
int fragmenter_open(struct fragmenter *fragmenter, struct err *err);

/* Works through the nodes. A goal that is not reached is no error here: see the nodes' `stop`. */
int fragmenter_run(struct fragmenter *fragmenter, struct err *err);

/* Reads the free memory once more into `after`. */
int fragmenter_look(struct fragmenter *fragmenter, struct err *err);

bool fragmenter_reached(const struct fragmenter *fragmenter);

/* "goal", "limit", "no more blocks", "reserve" */
const char *fragment_stop_name(enum fragment_stop stop);

/* {"goal", "reached", "duration_ns", "nodes": [...]}; docs/FRAGMENT.md. A new reference. */
json_t *fragmenter_to_json(const struct fragmenter *fragmenter);

void fragmenter_close(struct fragmenter *fragmenter);

#endif
