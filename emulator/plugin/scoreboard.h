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

/* A power of two, for the ring of retire times. */
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

struct scoreboard {
	/* what does not change */
	uint64_t ticks_per_cycle, mispredict_ticks, forward_ticks;
	uint32_t nr_rob, nr_fills, nr_walkers, nr_stores;

	uint64_t fetch;    /* when the next instruction is */
	uint64_t retired;  /* of the last instruction */
	uint64_t resolved; /* finish of the last instruction: that of a branch that ends a block */
	uint64_t ready[DECODE_SLOTS];
	uint64_t rob[SCOREBOARD_ROB_MAX];
	uint64_t fills[SCOREBOARD_BUFFERS_MAX];
	uint64_t stores[SCOREBOARD_BUFFERS_MAX];
	uint64_t walkers[SCOREBOARD_WALKERS_MAX];
	uint64_t last_commit; /* of a store */
	uint64_t nr_micro_ops;
	uint32_t next_store; /* place in the store buffer */
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
	uint64_t tick = board->fetch;

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

/* A serializing instruction finishes after all before it, and nothing is fetched before that. */
void scoreboard_drain(struct scoreboard *board, const struct insn *insn, uint64_t *finish);

/* A place in the window per micro-operation; the one nr_rob earlier must be free before the next.
 */
static inline void scoreboard_enter_window(struct scoreboard *board, unsigned micro_ops)
{
	uint64_t oldest;

	for (unsigned i = 0; i < micro_ops; i++)
		board->rob[board->nr_micro_ops++ & (SCOREBOARD_ROB_MAX - 1)] = board->retired;
	oldest = board->rob[(board->nr_micro_ops - board->nr_rob) & (SCOREBOARD_ROB_MAX - 1)];
	board->fetch = scoreboard_later(board->fetch + micro_ops, oldest);
}

/* The instruction is done at `finish`: its results are ready, and it retires in order. */
static inline void scoreboard_complete(struct scoreboard *board, const struct insn *insn,
				       uint64_t finish)
{
	if (insn->serializes)
		scoreboard_drain(board, insn, &finish);
	for (unsigned i = 0; i < INSN_RESULTS; i++)
		board->ready[insn->result_slots[i]] = finish;
	board->resolved = finish;
	board->retired = scoreboard_later(board->retired, finish);
	scoreboard_enter_window(board, insn->micro_ops);
}

/* An instruction that touches no memory. */
static inline void scoreboard_execute(struct scoreboard *board, const struct insn *insn)
{
	const uint64_t start = scoreboard_sources(board, insn, scoreboard_address(board, insn));

	scoreboard_complete(board, insn, start + insn->latency_cycles * board->ticks_per_cycle);
}

/*
 * The store of the instruction that was completed last: it leaves the store buffer after those
 * before it and when its line is there (`line_ready`).
 */
void scoreboard_store(struct scoreboard *board, uint64_t line_ready);

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
