/* SPDX-License-Identifier: MIT */
/*
 * The dataflow scoreboard: when each instruction of one vCPU would finish on an out-of-order core.
 *
 * Time is counted in ticks; a core issues one micro-operation per tick, so a cycle has issue_width
 * of them. An instruction starts when it is fetched and its operands are ready. It is fetched one
 * tick after the one before it, but not before the instruction a window (ROB) earlier has retired,
 * nor before a mispredicted branch is resolved. Loads that miss take a line fill buffer, walks a
 * walker; stores wait in the store buffer. So a chain of dependent misses takes the sum of its
 * latencies and independent ones overlap, without anybody telling the model which is which.
 */
#ifndef EMULATOR_PLUGIN_SCOREBOARD_H
#define EMULATOR_PLUGIN_SCOREBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "emulator/plugin/decode.h"
#include "emulator/profile.h"

#define SCOREBOARD_ROB_MAX     4096
#define SCOREBOARD_BUFFERS_MAX 256
#define SCOREBOARD_WALKERS_MAX 16
#define SCOREBOARD_PREDICTOR   16384
#define SCOREBOARD_FORWARDS    256

/* A straight run of instructions as QEMU translates it. */
struct block {
	uint64_t start, end; /* addresses; end: what follows if nothing is jumped */
	struct insn *insns;
	uint32_t nr_insns;
	struct block *next; /* in the list of all */
};

struct forward {
	uint64_t word, ready;
};

/*
 * What every instruction changes. Many of them are run on a copy of it, which the compiler keeps in
 * registers; that it could not do in the scoreboard, of which what is written to `ready` might be
 * any part.
 */
struct scoreboard_front {
	uint64_t fetch;    /* when the next instruction is */
	uint64_t retired;  /* of the last instruction */
	uint64_t resolved; /* finish of the last instruction: that of a branch that ends a block */
	uint32_t next_rob; /* place in the window */
};

struct scoreboard {
	/* what does not change */
	uint64_t ticks_per_cycle, mispredict_ticks, forward_ticks;
	uint32_t nr_rob, nr_fills, nr_walkers, nr_stores;

	struct scoreboard_front front;
	uint64_t ready[DECODE_SLOTS];
	uint64_t rob[SCOREBOARD_ROB_MAX]; /* a ring of the first nr_rob: retire times */
	uint64_t fills[SCOREBOARD_BUFFERS_MAX];
	uint64_t stores[SCOREBOARD_BUFFERS_MAX];
	uint64_t walkers[SCOREBOARD_WALKERS_MAX];
	uint64_t last_commit; /* of a store */
	uint32_t next_store;  /* place in the store buffer */
	struct forward forwards[SCOREBOARD_FORWARDS];
	uint64_t history;
	uint8_t predictor[SCOREBOARD_PREDICTOR];
};

void scoreboard_init(struct scoreboard *board, const struct profile *profile);
/* Back to tick 0 with everything idle and ready. */
void scoreboard_reset(struct scoreboard *board);

static inline uint64_t scoreboard_later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* When the address of its memory operand is known, not before the instruction is fetched. */
static inline uint64_t scoreboard_address(const struct scoreboard *board, const struct insn *insn)
{
	uint64_t tick = board->front.fetch;

	for (unsigned i = 0; i < INSN_ADDRESSES; i++)
		tick = scoreboard_later(tick, board->ready[insn->address_slots[i]]);
	return tick;
}

/* When the other registers that it reads are ready, not before `tick`. */
static inline uint64_t scoreboard_sources(const struct scoreboard *board, const struct insn *insn,
					  uint64_t tick)
{
	for (unsigned i = 0; i < INSN_SOURCES; i++)
		tick = scoreboard_later(tick, board->ready[insn->source_slots[i]]);
	return tick;
}

static inline uint64_t *scoreboard_earliest(uint64_t *free_at, uint32_t count)
{
	uint64_t *earliest = free_at;

	for (uint32_t i = 1; i < count; i++)
		if (free_at[i] < *earliest)
			earliest = &free_at[i];
	return earliest;
}

/* Takes a line fill buffer at `tick` or when one is free; the line is there when this returns. */
static inline uint64_t scoreboard_fill(struct scoreboard *board, uint64_t tick, uint64_t latency)
{
	uint64_t *buffer = scoreboard_earliest(board->fills, board->nr_fills);

	*buffer = (tick > *buffer ? tick : *buffer) + latency;
	return *buffer;
}

/* Takes a walker for `busy` ticks; the translation is ready when this returns. */
static inline uint64_t scoreboard_walk(struct scoreboard *board, uint64_t tick, uint64_t busy)
{
	uint64_t *walker = scoreboard_earliest(board->walkers, board->nr_walkers);

	*walker = (tick > *walker ? tick : *walker) + busy;
	return *walker;
}

/*
 * A place in the window; the one nr_rob earlier, which is where the next one goes, must be free
 * before the next is fetched.
 */
static inline void scoreboard_enter_window(struct scoreboard *board, struct scoreboard_front *front)
{
	board->rob[front->next_rob] = front->retired;
	front->next_rob = front->next_rob + 1 == board->nr_rob ? 0 : front->next_rob + 1;
	front->fetch = scoreboard_later(front->fetch + 1, board->rob[front->next_rob]);
}

/* As below, of any instruction. By value: a pointer to a copy would force it out of its registers.
 */
struct scoreboard_front scoreboard_complete_rare(struct scoreboard *board,
						 struct scoreboard_front front,
						 const struct insn *insn, uint64_t finish);

/* The instruction is done at `finish`: its results are ready, and it retires in order. */
static inline void scoreboard_complete(struct scoreboard *board, struct scoreboard_front *front,
				       const struct insn *insn, uint64_t finish)
{
	if (__builtin_expect(insn->rare, 0)) {
		*front = scoreboard_complete_rare(board, *front, insn, finish);
		return;
	}
	for (unsigned i = 0; i < INSN_COMMON_RESULTS; i++)
		board->ready[insn->result_slots[i]] = finish;
	front->resolved = finish;
	front->retired = scoreboard_later(front->retired, finish);
	scoreboard_enter_window(board, front);
}

/* Instructions that touch no memory, from `insn` to before `end`. */
static inline void scoreboard_run(struct scoreboard *board, struct scoreboard_front *front,
				  const struct insn *insn, const struct insn *end)
{
	for (; insn < end; insn++) {
		uint64_t start = front->fetch;

		for (unsigned i = 0; i < INSN_COMMON_SOURCES; i++)
			start = scoreboard_later(start, board->ready[insn->source_slots[i]]);
		if (__builtin_expect(insn->rare, 0))
			start = scoreboard_sources(board, insn, start);
		scoreboard_complete(board, front, insn,
				    start + insn->latency_cycles * board->ticks_per_cycle);
	}
}

/*
 * The store of the instruction that was completed last: it leaves the store buffer after those
 * before it and when its line is there (`line_ready`).
 */
static inline void scoreboard_store(struct scoreboard *board, struct scoreboard_front *front,
				    uint64_t line_ready)
{
	uint64_t *slot = &board->stores[board->next_store];
	const uint64_t commit = scoreboard_later(front->retired, line_ready);

	board->next_store = board->next_store + 1 == board->nr_stores ? 0 : board->next_store + 1;
	front->fetch = scoreboard_later(front->fetch, *slot);
	*slot = board->last_commit = scoreboard_later(board->last_commit, commit);
}

/* Remembers that the word at `address` is stored by an instruction that finishes at `ready`. */
static inline void scoreboard_remember(struct scoreboard *board, uint64_t address, uint64_t ready)
{
	board->forwards[address >> 3 & (SCOREBOARD_FORWARDS - 1)] =
		(struct forward){address >> 3, ready};
}

/* When a load from `address` that would be done at `tick` is, given the store it depends on. */
static inline uint64_t scoreboard_forwarded(const struct scoreboard *board, uint64_t address,
					    uint64_t tick)
{
	const struct forward *forward = &board->forwards[address >> 3 & (SCOREBOARD_FORWARDS - 1)];
	const uint64_t ready = forward->ready + board->forward_ticks;

	return forward->word == address >> 3 && ready > tick ? ready : tick;
}

/* The conditional branch at `address`, the last instruction, went this way. */
void scoreboard_branch(struct scoreboard *board, uint64_t address, bool taken);

#endif
