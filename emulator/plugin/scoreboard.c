// SPDX-License-Identifier: MIT
#include "emulator/plugin/scoreboard.h"

#include <string.h>

#define HISTORY_BITS 12
/* Two-bit counters: 0 and 1 predict not taken, 2 and 3 taken. */
#define PREDICT_MAX 3

_Static_assert((SCOREBOARD_ROB_MAX & (SCOREBOARD_ROB_MAX - 1)) == 0, "the ring wraps by a mask");

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
	board->fetch = board->retired = board->resolved = board->last_commit = 0;
	board->nr_micro_ops = board->history = 0;
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

void scoreboard_drain(struct scoreboard *board, const struct insn *insn, uint64_t *finish)
{
	const uint64_t latency = insn->latency_cycles * board->ticks_per_cycle;

	*finish = scoreboard_later(*finish, board->last_commit + latency);
	*finish = scoreboard_later(*finish, board->retired + latency);
	board->fetch = scoreboard_later(board->fetch, *finish);
}

void scoreboard_store(struct scoreboard *board, uint64_t line_ready)
{
	uint64_t *slot = &board->stores[board->next_store];
	const uint64_t commit = scoreboard_later(board->retired, line_ready);

	board->next_store = board->next_store + 1 == board->nr_stores ? 0 : board->next_store + 1;
	board->fetch = scoreboard_later(board->fetch, *slot);
	*slot = board->last_commit = scoreboard_later(board->last_commit, commit);
}

void scoreboard_branch(struct scoreboard *board, uint64_t address, bool taken)
{
	const uint64_t index =
		(address ^ address >> 14 ^ board->history << 2) & (SCOREBOARD_PREDICTOR - 1);
	uint8_t *counter = &board->predictor[index];
	const bool predicted = *counter > PREDICT_MAX / 2;
	const uint64_t restart = board->resolved + board->mispredict_ticks;

	if (predicted != taken && restart > board->fetch)
		board->fetch = restart;
	if (taken && *counter < PREDICT_MAX)
		++*counter;
	else if (!taken && *counter > 0)
		--*counter;
	board->history = (board->history << 1 | taken) & ((1u << HISTORY_BITS) - 1);
}
