// SPDX-License-Identifier: MIT
#include "emulator/plugin/core.h"

#include <string.h>

/* Minimum sizes under a scale: what a program touches all the time (its stack, a few globals) does
 * not shrink with its footprint and must not start to miss. */
#define MIN_TLB_L1_4K 16
#define MIN_TLB_L1_2M 4
#define MIN_TLB_L2    16
#define MIN_L1D_LINES 8
#define MIN_L2_LINES  64
#define MIN_LLC_LINES 512

enum place { IN_L1D, IN_L2, IN_LLC, IN_MEMORY };

struct found {
	enum place place;
	uint64_t latency;
};

/* --- caches
 * --------------------------------------------------------------------------------------- */

/* Looks beyond the L1D for the line of that name, and leaves it in all levels. */
static struct found look_further(struct core *core, uint64_t line)
{
	const unsigned node = frames_node(line);

	if (cache_access_hashed(&core->l2_cache, line))
		return (struct found){IN_L2, core->latencies.l2};
	if (llc_access(core->llc, line))
		return (struct found){IN_LLC, core->latencies.llc};
	core->counters.memory_accesses[core->node][node]++;
	return (struct found){IN_MEMORY, core->memory->latency_ticks[core->node][node]};
}

static inline struct found look_up(struct core *core, uint64_t line)
{
	if (cache_access(&core->l1d, line))
		return (struct found){IN_L1D, core->latencies.l1d};
	return look_further(core, line);
}

/* --- translation
 * ---------------------------------------------------------------------------------- */

static void count_table_access(struct core *core, const struct walk_step *step, enum place place)
{
	struct roi_counters *counters = &core->counters;
	const bool local = step->node == core->node;

	if (local)
		counters->table_accesses_local[step->level]++;
	else
		counters->table_accesses_remote[step->level]++;
	switch (place) {
	case IN_L1D:
		counters->table_l1_hits++;
		break;
	case IN_L2:
		counters->table_l2_hits++;
		break;
	case IN_LLC:
		counters->table_llc_hits++;
		break;
	case IN_MEMORY:
		if (local)
			counters->table_memory_local++;
		else
			counters->table_memory_remote++;
		break;
	}
}

struct translation {
	uint64_t line; /* its name */
	uint64_t ready;
};

/* The line of `address` in a page of 1 << shift bytes whose first line is `page`. */
static inline uint64_t line_in_page(uint64_t page, uint64_t address, unsigned shift)
{
	return page + ((address & ((UINT64_C(1) << shift) - 1)) >> CACHE_LINE_SHIFT);
}

/* The TLBs remember the name of a page's first line. */
static void remember_page(struct core *core, uint64_t address, const struct walk *walk,
			  uint64_t page, uint64_t ready)
{
	const uint64_t number = address >> walk->page_shift;

	if (walk->page_shift == walk_shift(0)) {
		tlb_insert(&core->l1_4k, number, page, ready);
		tlb_insert(&core->l2, number << 1, page, ready);
	} else if (walk->page_shift == walk_shift(1)) {
		tlb_insert(&core->l1_2m, number, page, ready);
		if (core->l2_tlb_holds_2m)
			tlb_insert(&core->l2, number << 1 | 1, page, ready);
	} else {
		tlb_insert(&core->l1_1g, number, page, ready);
	}
}

/* Brings the walk's entries through the caches and has a walker do it; when it ends. */
static uint64_t take_walker(struct core *core, const struct walk *walk, uint64_t address,
			    uint64_t tick)
{
	uint64_t busy = core->latencies.walk_start;

	for (unsigned i = 0; i < walk->nr_steps; i++) {
		const struct found found = look_up(core, frames_entry(&walk->steps[i], address));

		count_table_access(core, &walk->steps[i], found.place);
		busy += found.latency;
	}
	core->counters.walks++;
	core->counters.walk_cycles += busy;
	return scoreboard_walk(&core->board, tick, busy + core->latencies.walk_restart);
}

/* Walks the guest's tables; false when they do not map the address. */
static bool translate_by_walk(struct core *core, uint64_t address, uint64_t tick,
			      struct translation *translation)
{
	struct walk walk;
	uint64_t page;

	walk_run(&walk, core->memory, &core->walk_caches, core->root, core->levels, address);
	if (!walk.present || walk.page_node == MEMORY_NO_NODE) {
		core->counters.walk_failed++;
		return false;
	}
	translation->ready = take_walker(core, &walk, address, tick);
	page = frames_page(core->frames, core->memory, core->root, core->levels, &walk, address);
	translation->line = line_in_page(page, address, walk.page_shift);
	remember_page(core, address, &walk, page, translation->ready);
	return true;
}

/*
 * The address of a store is translated on its own, also when a load of the same instruction is
 * just having its page walked: the published counters of GUPS show walk cycles of stores although
 * each store follows a load of its word. That walk finds everything in the L1D. Further stores to
 * the page wait for the first walk.
 */
static uint64_t walk_for_store(struct core *core, uint64_t address, uint64_t tick)
{
	struct walk walk;

	walk_run(&walk, core->memory, &core->walk_caches, core->root, core->levels, address);
	return walk.present ? take_walker(core, &walk, address, tick) : tick;
}

static inline bool translate_by_tlb(struct core *core, uint64_t address, unsigned level,
				    struct tlb *tlb, bool store, uint64_t tick,
				    struct translation *translation)
{
	struct tlb_entry *entry = tlb_find(tlb, address >> walk_shift(level));

	if (!entry)
		return false;
	translation->line = line_in_page(entry->value, address, walk_shift(level));
	translation->ready = entry->ready > tick ? entry->ready : tick;
	if (store && entry->ready > tick && !entry->walked_for_store) {
		entry->walked_for_store = true;
		translation->ready = walk_for_store(core, address, tick);
	} else {
		core->counters.tlb_l1_hits++;
	}
	return true;
}

/* In the second level? Then it is in the first from now on. */
static bool translate_by_l2(struct core *core, uint64_t address, uint64_t tick,
			    struct translation *translation)
{
	for (unsigned level = 0; level <= (unsigned)core->l2_tlb_holds_2m; level++) {
		const uint64_t number = address >> walk_shift(level);
		const struct tlb_entry *entry = tlb_find(&core->l2, number << 1 | level);

		if (!entry)
			continue;
		core->counters.tlb_l2_hits++;
		tick += core->latencies.tlb_l2_hit;
		translation->ready = entry->ready > tick ? entry->ready : tick;
		translation->line = line_in_page(entry->value, address, walk_shift(level));
		tlb_insert(level == 0 ? &core->l1_4k : &core->l1_2m, number, entry->value,
			   entry->ready);
		return true;
	}
	return false;
}

static bool translate_further(struct core *core, uint64_t address, bool store, uint64_t tick,
			      struct translation *translation)
{
	return translate_by_tlb(core, address, 1, &core->l1_2m, store, tick, translation) ||
	       translate_by_tlb(core, address, 2, &core->l1_1g, store, tick, translation) ||
	       translate_by_l2(core, address, tick, translation) ||
	       translate_by_walk(core, address, tick, translation);
}

static inline bool translate(struct core *core, uint64_t address, bool store, uint64_t tick,
			     struct translation *translation)
{
	return translate_by_tlb(core, address, 0, &core->l1_4k, store, tick, translation) ||
	       translate_further(core, address, store, tick, translation);
}

/* --- accesses
 * ------------------------------------------------------------------------------------- */

static void count_data_access(struct core *core, enum place place, unsigned node)
{
	struct roi_counters *counters = &core->counters;

	if (place == IN_L2)
		counters->data_l2_hits++;
	else if (place == IN_LLC)
		counters->data_llc_hits++;
	else if (node == core->node)
		counters->data_memory_local++;
	else
		counters->data_memory_remote++;
}

/* As below, of a line that is not in the L1D. */
static uint64_t fetch_further(struct core *core, const struct translation *translation)
{
	const uint64_t line = translation->line;
	struct inflight *inflight = &core->inflight[line & (CORE_INFLIGHT - 1)];
	const struct found found = look_further(core, line);

	count_data_access(core, found.place, frames_node(line));
	if (inflight->line == line && inflight->ready > translation->ready)
		return scoreboard_later(translation->ready + found.latency, inflight->ready);
	*inflight = (struct inflight){
		line, scoreboard_fill(&core->board, translation->ready, found.latency)};
	return inflight->ready;
}

/* When the line at `translation` is there for the core. */
static inline uint64_t fetch_line(struct core *core, const struct translation *translation)
{
	const uint64_t line = translation->line;
	const struct inflight *inflight = &core->inflight[line & (CORE_INFLIGHT - 1)];
	const uint64_t ready = translation->ready + core->latencies.l1d;

	if (!cache_access(&core->l1d, line))
		return fetch_further(core, translation);
	core->counters.data_l1_hits++;
	return inflight->line == line ? scoreboard_later(ready, inflight->ready) : ready;
}

/* The instruction's accesses are all known: it can be completed. */
static inline void close_open(struct core *core, struct scoreboard_front *front)
{
	const struct insn *insn = core->open;
	struct scoreboard *board = &core->board;
	uint64_t finish = scoreboard_later(core->open_ready, front->fetch);

	core->open = NULL;
	/* A plain load has its latency in the cache's; a store's data waits in the buffer. */
	if (insn->has_sources || !insn->reads_memory)
		finish = scoreboard_sources(board, insn, finish) +
			 insn->latency_cycles * board->ticks_per_cycle;
	scoreboard_complete(board, front, insn, finish);
	if (core->open_store_address != 0) {
		scoreboard_store(board, front, core->open_line_ready);
		scoreboard_remember(board, core->open_store_address - 1, finish);
	}
}

/* Everything before `insn` in the block is over. */
static inline void advance(struct core *core, const struct insn *insn)
{
	struct scoreboard_front front = core->board.front;

	if (core->open)
		close_open(core, &front);
	if (core->next < insn)
		scoreboard_run(&core->board, &front, core->next, insn);
	core->next = insn;
	core->board.front = front;
}

static inline void open_insn(struct core *core, const struct insn *insn)
{
	advance(core, insn);
	core->next = insn + 1;
	core->open = insn;
	core->open_ready = 0;
	core->open_last[0] = core->open_last[1] = 0;
	core->open_store_address = 0;
}

static inline void load_or_store(struct core *core, const struct insn *insn, uint64_t address,
				 bool store)
{
	struct translation translation;
	uint64_t tick, ready;

	/* Wide accesses come in pieces. */
	if (core->open_last[store] == (address >> CACHE_LINE_SHIFT) + 1)
		return;
	tick = scoreboard_address(&core->board, insn);
	if (!translate(core, address, store, tick, &translation))
		return;
	core->open_last[store] = (address >> CACHE_LINE_SHIFT) + 1;
	ready = fetch_line(core, &translation);
	if (store) {
		core->counters.stores++;
		core->open_store_address = address + 1;
		core->open_line_ready = ready;
		ready = translation.ready;
	} else {
		core->counters.loads++;
		ready = scoreboard_forwarded(&core->board, address, ready);
	}
	if (ready > core->open_ready)
		core->open_ready = ready;
}

/*
 * The only access of a plain load: the instruction is over with it, which saves opening and
 * closing.
 */
static inline void load_plainly(struct core *core, const struct insn *insn, uint64_t address)
{
	struct translation translation;
	struct scoreboard *board = &core->board;
	struct scoreboard_front front;
	uint64_t finish;

	advance(core, insn);
	core->next = insn + 1;
	finish = scoreboard_address(board, insn);
	if (translate(core, address, false, finish, &translation)) {
		core->counters.loads++;
		finish = scoreboard_forwarded(board, address, fetch_line(core, &translation));
	} else {
		finish = board->front.fetch;
	}
	front = board->front;
	if (insn->has_sources)
		finish = scoreboard_sources(board, insn, finish) +
			 insn->latency_cycles * board->ticks_per_cycle;
	scoreboard_complete(board, &front, insn, finish);
	board->front = front;
}

void core_access(struct core *core, const struct insn *insn, uint64_t address, bool store)
{
	if (address >> core->address_bits)
		return;
	if (insn->plain && !insn->writes_memory && !store) {
		load_plainly(core, insn, address);
		return;
	}
	if (core->open != insn)
		open_insn(core, insn);
	if (store && insn->reads_memory && insn->writes_memory && core->open_last[false] == 0)
		load_or_store(core, insn, address, false);
	load_or_store(core, insn, address, store);
}

static void leave_block(struct core *core, uint64_t next_address)
{
	const struct block *block = core->block;
	const struct insn *end = block->insns + block->nr_insns;

	advance(core, end);
	core->counters.instructions += block->nr_insns;
	if (end[-1].branches)
		scoreboard_branch(&core->board, end[-1].address, next_address != block->end);
}

/*
 * QEMU runs a repeated string instruction as a block that jumps to itself, once per element. While
 * it does, the instruction stays open: it is one, and its accesses to a line are one.
 */
static inline bool is_repetition(const struct core *core, const struct block *block)
{
	return core->open && core->open->repeats && core->open->address == block->insns[0].address;
}

void core_enter(struct core *core, const struct block *block)
{
	if (core->block && is_repetition(core, block)) {
		core->counters.instructions += core->block->nr_insns - 1;
		core->block = block;
		core->open = block->insns;
		core->next = block->insns + 1;
		return;
	}
	if (core->block)
		leave_block(core, block->start);
	core->block = block;
	core->next = block->insns;
}

/* --- life
 * ----------------------------------------------------------------------------------------- */

int core_init(struct core *core, const struct profile *profile, double scale,
	      const struct memory *memory, struct frames *frames, struct llc *llc, unsigned node)
{
	const uint64_t ticks = profile->issue_width;
	const struct profile_tlb *l1_4k = &profile->l1_4k, *l1_2m = &profile->l1_2m;
	const struct profile_tlb *l1_1g = &profile->l1_1g, *l2 = &profile->l2;
	const uint64_t l1d_lines = profile->l1d.bytes / CACHE_LINE_BYTES;
	const uint64_t l2_lines = profile->l2_cache.bytes / CACHE_LINE_BYTES;

	*core = (struct core){
		.node = node,
		.memory = memory,
		.frames = frames,
		.llc = llc,
		.l2_tlb_holds_2m = profile->l2_holds_2m != 0,
		.latencies = {.l1d = profile->l1d.latency_cycles * ticks,
			      .l2 = profile->l2_cache.latency_cycles * ticks,
			      .llc = profile->llc.latency_cycles * ticks,
			      .tlb_l2_hit = profile->l2_hit_cycles * ticks,
			      .walk_start = profile->walk_start_cycles * ticks,
			      .walk_restart = profile->walk_restart_cycles * ticks},
	};
	scoreboard_init(&core->board, profile);
	if (tlb_init(&core->l1_4k,
		     geometry_scale(l1_4k->entries, l1_4k->ways, scale, MIN_TLB_L1_4K)) != 0 ||
	    tlb_init(&core->l1_2m,
		     geometry_scale(l1_2m->entries, l1_2m->ways, scale, MIN_TLB_L1_2M)) != 0 ||
	    tlb_init(&core->l1_1g, geometry_scale(l1_1g->entries, l1_1g->ways, scale, 1)) != 0 ||
	    tlb_init(&core->l2, geometry_scale(l2->entries, l2->ways, scale, MIN_TLB_L2)) != 0 ||
	    walk_caches_init(&core->walk_caches, profile, scale) != 0 ||
	    cache_init(&core->l1d,
		       geometry_scale(l1d_lines, profile->l1d.ways, scale, MIN_L1D_LINES)) != 0)
		return -1;
	return cache_init(&core->l2_cache, geometry_scale_any(l2_lines, profile->l2_cache.ways,
							      scale, MIN_L2_LINES));
}

void core_fini(struct core *core)
{
	tlb_fini(&core->l1_4k);
	tlb_fini(&core->l1_2m);
	tlb_fini(&core->l1_1g);
	tlb_fini(&core->l2);
	walk_caches_fini(&core->walk_caches);
	cache_fini(&core->l1d);
	cache_fini(&core->l2_cache);
}

void core_begin(struct core *core, uint64_t root, unsigned levels)
{
	tlb_clear(&core->l1_4k);
	tlb_clear(&core->l1_2m);
	tlb_clear(&core->l1_1g);
	tlb_clear(&core->l2);
	walk_caches_clear(&core->walk_caches);
	cache_clear(&core->l1d);
	cache_clear(&core->l2_cache);
	memset(core->inflight, 0, sizeof(core->inflight));
	memset(&core->counters, 0, sizeof(core->counters));
	scoreboard_reset(&core->board);
	core->root = root;
	core->levels = levels;
	core->address_bits = walk_shift(levels) - 1;
	core->block = NULL;
	core->next = NULL;
	core->open = NULL;
}

uint64_t core_finish(struct core *core)
{
	if (core->block)
		leave_block(core, core->block->end);
	core->block = NULL;
	core->counters.walk_cycles /= core->board.ticks_per_cycle;
	core->counters.accesses = core->counters.loads + core->counters.stores;
	return core->board.front.retired / core->board.ticks_per_cycle;
}

uint64_t core_cycles(const struct core *core)
{
	return __atomic_load_n(&core->board.front.retired, __ATOMIC_RELAXED) /
	       core->board.ticks_per_cycle;
}
