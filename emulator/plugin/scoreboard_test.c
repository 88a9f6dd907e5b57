// SPDX-License-Identifier: MIT
/* A core that issues one micro-operation a cycle, so that a tick is a cycle. */
#include "emulator/plugin/scoreboard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BIT(index) (UINT64_C(1) << (index))

static const struct profile narrow = {
	.issue_width = 1,
	.rob_entries = 8,
	.line_fill_buffers = 2,
	.store_buffer_entries = 2,
	.walkers = 1,
	.store_forward_cycles = 5,
	.mispredict_cycles = 16,
};

static struct scoreboard board;

static int reset(void **state)
{
	(void)state;
	scoreboard_init(&board, &narrow);
	return 0;
}

static struct insn plain(uint64_t sources, uint64_t results, uint16_t latency_cycles)
{
	struct insn insn = {.sources = sources,
			    .results = results,
			    .latency_cycles = latency_cycles,
			    .micro_ops = 1};

	insn_pack(&insn);
	return insn;
}

static void execute(const struct insn *insn)
{
	scoreboard_run(&board, &board.front, insn, insn + 1);
}

/* A load of `latency` from the address in register `from` into register `to`. */
static void load(unsigned from, unsigned to, uint64_t latency)
{
	struct insn insn = plain(0, BIT(to), 1);

	insn.address_registers = BIT(from);
	insn_pack(&insn);
	scoreboard_complete(&board, &board.front, &insn,
			    scoreboard_address(&board, &insn) + latency);
}

static void dependent_operations_add_up(void **state)
{
	const struct insn insn = plain(BIT(0), BIT(0), 3);

	(void)state;
	for (int i = 0; i < 5; i++)
		execute(&insn);
	assert_int_equal(board.front.retired, 15);
}

static void independent_operations_overlap(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		const struct insn insn = plain(0, BIT(i), 3);

		execute(&insn);
	}
	assert_int_equal(board.front.retired, 4 + 3); /* the last one is fetched in cycle 4 */
}

static void issue_width_divides_time(void **state)
{
	struct profile wide = narrow;

	(void)state;
	wide.issue_width = 4;
	scoreboard_init(&board, &wide);
	for (unsigned i = 0; i < 8; i++) {
		const struct insn insn = plain(0, BIT(i), 1);

		execute(&insn);
	}
	assert_int_equal(board.front.retired,
			 7 + 4); /* ticks of a quarter: cycle 1.75 and one more */
}

static void a_chain_of_loads_takes_the_sum(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		load(0, 0, 100);
	assert_int_equal(board.front.retired, 10 * 100);
}

/* Eight fit in the window; the ninth waits until the first has retired. */
static void independent_loads_overlap_within_the_window(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		load(20, i, 100);
	assert_int_equal(board.front.retired, 7 + 100);
	load(20, 8, 100);
	assert_int_equal(board.front.retired, 100 + 100);
}

/* Two buffers: of four misses at cycle 0 two are there at 100, two at 200. */
static void fills_wait_for_a_buffer(void **state)
{
	(void)state;
	assert_int_equal(scoreboard_fill(&board, 0, 100), 100);
	assert_int_equal(scoreboard_fill(&board, 0, 100), 100);
	assert_int_equal(scoreboard_fill(&board, 0, 100), 200);
	assert_int_equal(scoreboard_fill(&board, 150, 100), 250);
}

static void walks_wait_for_a_walker(void **state)
{
	struct profile two = narrow;

	(void)state;
	assert_int_equal(scoreboard_walk(&board, 10, 50), 60);
	assert_int_equal(scoreboard_walk(&board, 10, 50), 110);
	assert_int_equal(scoreboard_walk(&board, 200, 50), 250);
	two.walkers = 2;
	scoreboard_init(&board, &two);
	assert_int_equal(scoreboard_walk(&board, 10, 50), 60);
	assert_int_equal(scoreboard_walk(&board, 10, 50), 60);
	assert_int_equal(scoreboard_walk(&board, 10, 50), 110);
}

/* Stores leave in order: the second waits for the first one's line. The third needs its place. */
static void stores_leave_in_order(void **state)
{
	const struct insn insn = plain(0, 0, 1);

	(void)state;
	execute(&insn);
	scoreboard_store(&board, &board.front, 300);
	assert_int_equal(board.last_commit, 300);
	execute(&insn);
	scoreboard_store(&board, &board.front, 50);
	assert_int_equal(board.last_commit, 300);
	assert_true(board.front.fetch < 300);
	execute(&insn);
	scoreboard_store(&board, &board.front, 50);
	assert_true(board.front.fetch >= 300);
}

static void a_load_waits_for_the_store_of_its_word(void **state)
{
	(void)state;
	scoreboard_remember(&board, 0x1000, 100);
	assert_int_equal(scoreboard_forwarded(&board, 0x1004, 4), 105);
	assert_int_equal(scoreboard_forwarded(&board, 0x1000, 200), 200);
	assert_int_equal(scoreboard_forwarded(&board, 0x1008, 4), 4);
}

static void fences_wait_for_all(void **state)
{
	struct insn fence = plain(0, 0, 10);
	const struct insn after = plain(0, BIT(1), 1);

	(void)state;
	fence.serializes = true;
	insn_pack(&fence);
	load(20, 0, 100);
	execute(&fence);
	execute(&after);
	assert_true(board.ready[1] >= 110);
}

/* A branch on a loaded value that goes the unexpected way stops the fetch until it is resolved. */
static void a_mispredicted_branch_restarts_the_fetch(void **state)
{
	const struct insn branch = plain(BIT(0), 0, 1);

	(void)state;
	load(20, 0, 100);
	execute(&branch);
	scoreboard_branch(&board, 0x1000, false);
	assert_true(board.front.fetch < 10); /* predicted: not taken */
	execute(&branch);
	scoreboard_branch(&board, 0x1000, true);
	assert_int_equal(board.front.fetch, 101 + 16);
}

static void a_branch_is_learnt(void **state)
{
	const struct insn branch = plain(0, 0, 1);
	uint64_t before;

	(void)state;
	for (int i = 0; i < 100; i++) {
		execute(&branch);
		scoreboard_branch(&board, 0x1000, true);
	}
	before = board.front.fetch;
	execute(&branch);
	scoreboard_branch(&board, 0x1000, true);
	assert_int_equal(board.front.fetch, before + 1);
}

#define TEST(function) cmocka_unit_test_setup(function, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dependent_operations_add_up),
		TEST(independent_operations_overlap),
		TEST(issue_width_divides_time),
		TEST(a_chain_of_loads_takes_the_sum),
		TEST(independent_loads_overlap_within_the_window),
		TEST(fills_wait_for_a_buffer),
		TEST(walks_wait_for_a_walker),
		TEST(stores_leave_in_order),
		TEST(a_load_waits_for_the_store_of_its_word),
		TEST(fences_wait_for_all),
		TEST(a_mispredicted_branch_restarts_the_fetch),
		TEST(a_branch_is_learnt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
