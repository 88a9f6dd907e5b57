/* SPDX-License-Identifier: MIT */
/*
 * Names of page frames, for the caches.
 *
 * Which frames a guest's kernel hands out depends on when its threads ran, so no two guests agree,
 * and caches that are indexed by physical address would hit and miss differently in every run of
 * the same job. So a line is known to the caches by a name instead: of a data page by the virtual
 * page under which the region of interest first used its frame, of a page table by the addresses
 * that it translates. Two pages that are one frame still share lines, and what is on another node
 * is another line.
 *
 * A line's name: bits 0 to 5 of a data page's are the line in the page, 6 to 51 the virtual page;
 * bits 52 to 54 are the level of the table, counted from 1 at the leaf, or 0 for data; 58 and up
 * the node.
 */
#ifndef EMULATOR_PLUGIN_FRAMES_H
#define EMULATOR_PLUGIN_FRAMES_H

#include <stdint.h>

#include "emulator/plugin/memory.h"
#include "emulator/plugin/walk.h"

#define FRAMES_LEVEL_SHIFT 52
#define FRAMES_NODE_SHIFT  58

struct frames {
	uint64_t *names; /* by frame: virtual page */
	/* A hash of the name, 0 while it has none: of all that is walked for, a byte a frame stays
	 * in the host's caches where its name would not. */
	uint8_t *hashes;
	uint64_t count;
};

/* For all of `memory`; -1 with errno when there is no memory. */
int frames_init(struct frames *frames, const struct memory *memory);
void frames_fini(struct frames *frames);
/* Forgets all names. */
void frames_clear(struct frames *frames);

/*
 * The name of the first line of the page that `walk` found for `address`. A frame that has got
 * another page meanwhile is told from one that is mapped twice by a look into the tables at `root`.
 */
uint64_t frames_page(struct frames *frames, const struct memory *memory, uint64_t root,
		     unsigned levels, const struct walk *walk, uint64_t address);

/* The name of the line with the entry of `step` in a walk for `address`. */
static inline uint64_t frames_entry(const struct walk_step *step, uint64_t address)
{
	return (uint64_t)step->node << FRAMES_NODE_SHIFT |
	       (uint64_t)(step->level + 1) << FRAMES_LEVEL_SHIFT |
	       (address >> (walk_shift(step->level) + 3) &
		((UINT64_C(1) << FRAMES_LEVEL_SHIFT) - 1));
}

static inline unsigned frames_node(uint64_t line)
{
	return (unsigned)(line >> FRAMES_NODE_SHIFT);
}

#endif
