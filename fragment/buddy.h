/* SPDX-License-Identifier: MIT */
/*
 * How the free memory of each node is cut up: /proc/buddyinfo, and /proc/pagetypeinfo where it may
 * be read. Zone DMA (the lowest 16 MiB) is left out: programs get nothing from it.
 */
#ifndef FRAGMENT_BUDDY_H
#define FRAGMENT_BUDDY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/fs.h"

#define BUDDY_NODES_MAX 64

struct buddy_node {
	bool present;
	uint64_t free_bytes;
	uint64_t large_bytes; /* of it, in blocks of a huge page or more */
};

struct buddy {
	uint64_t page_bytes, huge_bytes;
	struct buddy_node nodes[BUDDY_NODES_MAX];
};

/* Sizes of this machine's pages; ERR_MACHINE when its kernel has no transparent huge pages. */
int buddy_page_sizes(const struct fs *fs, struct buddy *buddy, struct err *err);

/* Reads the state of all nodes; page_bytes and huge_bytes are given. */
int buddy_read(const struct fs *fs, struct buddy *buddy, struct err *err);

/* Share of the node's free memory in large blocks, 0 to 1; 0 when nothing is free. */
double buddy_share(const struct buddy_node *node);

/*
 * Bytes of a node's large blocks by the kernel's migrate type, {"Movable": N, ...}; NULL where
 * /proc/pagetypeinfo may not be read. A new reference.
 */
json_t *buddy_types(const struct fs *fs, const struct buddy *buddy, int node);

#endif
