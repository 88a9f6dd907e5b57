// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/hpcc_stream.h"
#include "bench/updates.h"

#define WORDS UINT64_C(4096)

static const struct team_slice everything = {0, WORDS};

static uint64_t *new_table(void)
{
	uint64_t *table = malloc(WORDS * sizeof(*table));

	assert_non_null(table);
	updates_fill(table, everything);
	return table;
}

static void every_way_makes_the_same_table(void **state)
{
	static const uint64_t counts[] = {1, 127, 128, 129, 1000, 100003};
	static const struct {
		unsigned prefetch;
		bool atomic;
	} ways[] = {{0, false}, {0, true}, {1, false}, {16, false}, {UPDATES_PREFETCH_MAX, false}};
	uint64_t *expected = new_table(), *table = new_table();

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint64_t value = hpcc_stream_at(12345);

		updates_fill(expected, everything);
		for (uint64_t k = 0; k < counts[i]; k++) {
			value = hpcc_stream_next(value);
			expected[value % WORDS] ^= value;
		}
		for (unsigned lookahead = 128; lookahead <= 1024; lookahead *= 2) {
			for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
				const struct updates updates = {.table = table,
								.words = WORDS,
								.first = 12345,
								.count = counts[i],
								.lookahead = lookahead,
								.prefetch = ways[way].prefetch,
								.atomic = ways[way].atomic};

				updates_fill(table, everything);
				updates_apply(&updates);
				assert_memory_equal(table, expected, WORDS * sizeof(*table));
			}
		}
	}
	free(expected);
	free(table);
}

static void pieces_make_the_whole(void **state)
{
	struct updates updates = {
		.table = new_table(), .words = WORDS, .first = 7, .count = 5000, .lookahead = 128};

	(void)state;
	updates_apply(&updates);
	updates.first += updates.count;
	updates.count = 3001;
	updates_apply(&updates);
	updates.first = 7;
	updates.count = 8001;
	assert_int_equal(updates_check(&updates, everything), 0);
	free(updates.table);
}

static void slices_are_checked_apart(void **state)
{
	struct updates updates = {
		.table = new_table(), .words = WORDS, .count = 50000, .lookahead = 256};

	(void)state;
	updates_apply(&updates);
	updates.table[WORDS - 1] ^= 4;
	assert_int_equal(updates_check(&updates, (struct team_slice){0, 1000}), 0);
	assert_int_equal(updates_check(&updates, (struct team_slice){1000, WORDS}), 1);
	free(updates.table);
}

static void wrong_work_is_noticed(void **state)
{
	struct updates updates = {
		.table = new_table(), .words = WORDS, .count = 50000, .lookahead = 128};
	struct verification verification = {0};

	(void)state;
	/* One update too few. */
	updates.count--;
	updates_apply(&updates);
	updates.count++;
	assert_int_equal(updates_check(&updates, everything), 1);
	/* None at all. */
	updates_fill(updates.table, everything);
	assert_true(updates_check(&updates, everything) > WORDS * 9 / 10);
	/* Work from another start. */
	updates_fill(updates.table, everything);
	updates.first = 1;
	updates_apply(&updates);
	updates.first = 0;
	assert_true(updates_check(&updates, everything) > 0);
	updates_judge(&verification, WORDS, 50000, 1, true);
	assert_int_equal(verification.status, VERIFICATION_FAIL);
	updates_judge(&verification, WORDS, 50000, 40, false);
	assert_int_equal(verification.status, VERIFICATION_PASS);
	updates_judge(&verification, WORDS, 50000, 41, false);
	assert_int_equal(verification.status, VERIFICATION_FAIL);
	/* 1% of what was updated, not of a table that was hardly used. */
	updates_judge(&verification, WORDS, 300, 4, false);
	assert_int_equal(verification.status, VERIFICATION_FAIL);
	free(updates.table);
}

static void seeds_start_far_apart(void **state)
{
	(void)state;
	assert_int_equal(updates_origin(1), 0);
	assert_true(updates_origin(2) == UINT64_C(1) << 44);
	assert_true(updates_origin(0) < HPCC_STREAM_PERIOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_makes_the_same_table),
		cmocka_unit_test(pieces_make_the_whole),
		cmocka_unit_test(slices_are_checked_apart),
		cmocka_unit_test(wrong_work_is_noticed),
		cmocka_unit_test(seeds_start_far_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
