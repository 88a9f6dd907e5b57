/* SPDX-License-Identifier: MIT */
/*
 * Takes free blocks of a huge page's size and gives all of each back but one page, which is pinned:
 * what is left of the block can be used, but never again as a huge page.
 *
 * A block is taken as a transparent huge page, so it is one by construction, whatever the order of
 * the free lists; madvise(MADV_FREE) on a part of it makes the kernel split it, and then 511 of
 * 512 pages can go. So there is never more than one block in hand, and no memory runs short. The
 * page that stays is put into a pipe by vmsplice(2): its extra reference keeps compaction from
 * moving it out of the way. All ends with the process, in whatever way it ends.
 */
#ifndef FRAGMENT_HOLD_H
#define FRAGMENT_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "fragment/buddy.h"

struct hold {
	uint64_t page_bytes, huge_bytes;
	int node;
	uint64_t blocks, pinned; /* held; of them, pinned */

	char **chunks; /* address space, taken as it is needed */
	int nr_chunks;
	uint64_t chunk_used;
	int *pipes; /* write and read ends in turn */
	int nr_pipes;
	uint64_t pipe_slots; /* free ones of the last pipe */
};

void hold_open(struct hold *hold, const struct buddy *buddy, int node);

/*
 * Takes one block. Returns 1, 0 when the kernel gives no huge page now, -1 on errors. The task's
 * memory policy must allow the node.
 */
int hold_take(struct hold *hold, struct err *err);

/* Gives everything back. */
void hold_close(struct hold *hold);

#endif
