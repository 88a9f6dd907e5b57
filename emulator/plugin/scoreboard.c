// SPDX-License-Identifier: MIT
#include "emulator/plugin/scoreboard.h"

#include <string.h>

#define HISTORY_BITS 12
/* Two-bit counters: 0 and 1 predict not taken, 2 and 3 taken. */
#define PREDICT_MAX 3

void scoreboard_init(struct scoreboard *board, const struct profile *profile)
{
	const uint64_t ticks = profile->issue_width;

	*board = (struct scoreboard){
		.ticks_per_cycle = ticks,
		.mispredict_ticks = profile->mispredict_cycles * ticks,
		.forward_ticks = profile->store_forward_cycles * ticks,
		.nr_rob = (uint32_t)profile->rob_entries,
		.nr_fills = (uint32_t)profile->line_fill_buffers,
		.nr_stores = (uint32_t)profile->store_buffer_entries,
		.nr_walkers = (uint32_t)profile->walkers,
	};
	scoreboard_reset(board);
}

void scoreboard_reset(struct scoreboard *board)
{
	board->front = (struct scoreboard_front){0};
	board->last_commit = board->history = 0;
	board->next_store = 0;
	memset(board->ready, 0, sizeof(board->ready));
	memset(board->rob, 0, sizeof(board->rob));
	memset(board->fills, 0, sizeof(board->fills));
	memset(board->stores, 0, sizeof(board->stores));
	memset(board->walkers, 0, sizeof(board->walkers));
	memset(board->predictor, 1, sizeof(board->predictor));
	memset(board->forwards, 0xff, sizeof(board->forwards));
	for (unsigned i = 0; i < SCOREBOARD_FORWARDS; i++)
		board->forwards[i].ready = 0;
}

/* A serializing instruction finishes after all before it, and nothing is fetched before that. */
static uint64_t drain(const struct scoreboard *board, struct scoreboard_front *front,
		      const struct insn *insn, uint64_t finish)
{
	const uint64_t latency = insn->latency_cycles * board->ticks_per_cycle;

	finish = scoreboard_later(finish, board->last_commit + latency);
	finish = scoreboard_later(finish, front->retired + latency);
	front->fetch = scoreboard_later(front->fetch, finish);
	return finish;
}

struct scoreboard_front scoreboard_complete_rare(struct scoreboard *board,
						 struct scoreboard_front front,
						 const struct insn *insn, uint64_t finish)
{
	uint64_t fetch;

	if (insn->serializes)
		finish = drain(board, &front, insn, finish);
	for (unsigned i = 0; i < INSN_RESULTS; i++)
		board->ready[insn->result_slots[i]] = finish;
	front.resolved = finish;
	front.retired = scoreboard_later(front.retired, finish);
	/* All its places at once: only the last of those that must be free counts. */
	fetch = front.fetch + insn->micro_ops;
	for (unsigned i = 0; i < insn->micro_ops; i++)
		scoreboard_enter_window(board, &front);
	front.fetch = scoreboard_later(fetch, board->rob[front.next_rob]);
	return front;
}

void scoreboard_branch(struct scoreboard *board, uint64_t address, bool taken)
{
	const uint64_t index =
		(address ^ address >> 14 ^ board->history << 2) & (SCOREBOARD_PREDICTOR - 1);
	uint8_t *counter = &board->predictor[index];
	const bool predicted = *counter > PREDICT_MAX / 2;
	const uint64_t restart = board->front.resolved + board->mispredict_ticks;

	if (predicted != taken && restart > board->front.fetch)
		board->front.fetch = restart;
	if (taken && *counter < PREDICT_MAX)
		++*counter;
	else if (!taken && *counter > 0)
		--*counter;
	board->history = (board->history << 1 | taken) & ((1u << HISTORY_BITS) - 1);
}
