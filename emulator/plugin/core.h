/* SPDX-License-Identifier: MIT */
/*
 * One modelled vCPU: its TLBs, walkers, caches and scoreboard. Brings an instruction's memory
 * accesses through them and keeps the counts.
 */
#ifndef EMULATOR_PLUGIN_CORE_H
#define EMULATOR_PLUGIN_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "emulator/plugin/cache.h"
#include "emulator/plugin/frames.h"
#include "emulator/plugin/llc.h"
#include "emulator/plugin/memory.h"
#include "emulator/plugin/scoreboard.h"
#include "emulator/plugin/tlb.h"
#include "emulator/plugin/walk.h"
#include "emulator/roi.h"

#define CORE_INFLIGHT 256

/* A line that is on its way: who asks for it again waits for the rest of the time. */
struct inflight {
	uint64_t line, ready;
};

struct core_latencies {
	uint64_t l1d, l2, llc, tlb_l2_hit, walk_start, walk_restart; /* ticks */
};

struct core {
	/* where in the translated code it is */
	const struct block *block;   /* NULL: not modelled now */
	const struct insn *next;     /* the first instruction that is not accounted for */
	const struct insn *open;     /* its memory accesses are coming in */
	uint64_t open_ready;         /* when what it loads is there */
	uint64_t open_last[2];       /* line + 1 of its last load and store */
	uint64_t open_store_address; /* + 1; 0: it has not stored */
	uint64_t open_line_ready;    /* when the line that it stores to is there */

	/* what does not change during a region of interest */
	bool active;
	bool l2_tlb_holds_2m;
	unsigned node, levels;
	unsigned address_bits; /* of user-mode addresses */
	uint64_t root;
	const struct memory *memory;
	struct frames *frames;
	struct llc *llc;
	struct core_latencies latencies;

	struct tlb l1_4k, l1_2m, l1_1g, l2;
	struct cache l1d, l2_cache;
	struct walk_caches walk_caches;
	struct roi_counters counters; /* walk_cycles counts ticks until core_finish() */
	struct scoreboard board;
	struct inflight inflight[CORE_INFLIGHT];
};

/* -1 with errno when there is no memory; what was made is freed by core_fini() in any case. */
int core_init(struct core *core, const struct profile *profile, double scale,
	      const struct memory *memory, struct frames *frames, struct llc *llc, unsigned node);
void core_fini(struct core *core);

/* Everything empty, tick 0, walking the tables at `root` from now on. */
void core_begin(struct core *core, uint64_t root, unsigned levels);

/* The vCPU enters a block: the one before it is over. */
void core_enter(struct core *core, const struct block *block);

/*
 * An access of an instruction of the current block. An atomic read-modify-write may come as one
 * store.
 */
void core_access(struct core *core, const struct insn *insn, uint64_t address, bool store);

/* Accounts for what is left of the current block; the cycles that the vCPU took. */
uint64_t core_finish(struct core *core);

/* The cycles so far, without the current block. */
uint64_t core_cycles(const struct core *core);

#endif
