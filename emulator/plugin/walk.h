/* SPDX-License-Identifier: MIT */
/*
 * Walks of the guest's real page tables, with page-walk caches.
 *
 * A walk reads the entries that its caches do not spare it. It tells which entries those were; what
 * they cost is the caller's to find out. Layout of the entries: Intel SDM volume 3, chapter 4.
 */
#ifndef EMULATOR_PLUGIN_WALK_H
#define EMULATOR_PLUGIN_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "emulator/plugin/memory.h"
#include "emulator/plugin/tlb.h"
#include "emulator/roi.h"

/* Levels are counted from the leaf: 0 = PTE, 1 = PDE, 2 = PDPTE, 3 = PML4E, 4 = PML5E. */
struct walk_step {
	uint64_t entry; /* guest-physical address */
	unsigned level, node;
};

struct walk {
	bool present;         /* false: an entry was not present, or no memory */
	unsigned page_shift;  /* 12, 21 or 30 */
	unsigned page_node;   /* its node; MEMORY_NO_NODE: a device's */
	uint64_t page;        /* guest-physical address of the page */
	uint64_t page_offset; /* in the nodes' memories laid end to end */
	unsigned nr_steps;
	struct walk_step steps[ROI_LEVELS_MAX];
};

/* The caches of a walker, by the level of the entries they hold; [0] is not used: that is the TLB.
 */
struct walk_caches {
	struct tlb by_level[ROI_LEVELS_MAX];
};

int walk_caches_init(struct walk_caches *caches, const struct profile *profile, double scale);
void walk_caches_fini(struct walk_caches *caches);
void walk_caches_clear(struct walk_caches *caches);

/* Walks `levels` levels from the table at `root` for `address` and fills the caches on the way. */
void walk_run(struct walk *walk, const struct memory *memory, struct walk_caches *caches,
	      uint64_t root, unsigned levels, uint64_t address);

static inline unsigned walk_shift(unsigned level)
{
	return 12 + 9 * level;
}

#endif
