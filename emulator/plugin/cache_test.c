// SPDX-License-Identifier: MIT
#include "emulator/plugin/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulator/plugin/llc.h"

static struct cache make(uint32_t sets, uint32_t ways)
{
	struct cache cache;

	assert_int_equal(cache_init(&cache, (struct geometry){sets, ways}), 0);
	return cache;
}

static void the_least_recently_used_line_leaves(void **state)
{
	struct cache cache = make(1, 4);

	(void)state;
	for (uint64_t line = 0; line < 4; line++)
		assert_false(cache_access(&cache, line));
	assert_true(cache_access(&cache, 0));  /* order is now 0 3 2 1 */
	assert_false(cache_access(&cache, 9)); /* 1 leaves */
	assert_true(cache_access(&cache, 0));
	assert_true(cache_access(&cache, 2));
	assert_true(cache_access(&cache, 3));
	assert_false(cache_access(&cache, 1)); /* 9 leaves */
	assert_false(cache_access(&cache, 9));
	cache_fini(&cache);
}

static void sets_do_not_disturb_each_other(void **state)
{
	struct cache cache = make(4, 1);

	(void)state;
	assert_false(cache_access(&cache, 0));
	assert_false(cache_access(&cache, 1));
	assert_false(cache_access(&cache, 4)); /* the set of line 0 */
	assert_true(cache_access(&cache, 1));
	assert_false(cache_access(&cache, 0));
	cache_fini(&cache);
}

static void clear_empties(void **state)
{
	struct cache cache = make(2, 2);

	(void)state;
	assert_false(cache_access(&cache, 0));
	assert_true(cache_access(&cache, 0));
	cache_clear(&cache);
	assert_false(cache_access(&cache, 0));
	cache_fini(&cache);
}

static void geometry_shrinks_with_the_scale(void **state)
{
	const struct {
		uint64_t items, ways;
		double scale;
		uint64_t min_items;
		uint32_t sets, ways_left;
	} cases[] = {
		{512, 8, 1, 8, 64, 8},   /* an L1D as it is */
		{512, 8, 64, 8, 1, 8},   /* one set is left */
		{4096, 8, 64, 64, 8, 8}, /* an L2 */
		{32, 4, 64, 1, 1, 1},    /* a walk cache: one entry */
		{64, 4, 64, 16, 4, 4},   /* the minimum holds */
		{4, 4, 1000, 16, 1, 4},  /* but makes nothing larger than it is */
		{1024, 8, 3, 16, 32, 8}, /* 42 sets, rounded to a power of two */
		{0, 1, 1, 16, 0, 0},     /* not there, not there scaled */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct geometry geometry = geometry_scale(cases[i].items, cases[i].ways,
								cases[i].scale, cases[i].min_items);

		assert_int_equal(geometry.sets, cases[i].sets);
		assert_int_equal(geometry.ways, cases[i].ways_left);
	}
	assert_int_equal(geometry_scale_any(573440, 20, 64, 512).sets, 448);
}

static void an_lru_llc_is_a_cache(void **state)
{
	struct llc llc;

	(void)state;
	assert_int_equal(llc_init(&llc, (struct geometry){1, 2}, false), 0);
	llc_clear(&llc, 1);
	assert_false(llc_access(&llc, 1));
	assert_false(llc_access(&llc, 2));
	assert_true(llc_access(&llc, 1));
	assert_false(llc_access(&llc, 3)); /* 2 leaves */
	assert_true(llc_access(&llc, 1));
	assert_false(llc_access(&llc, 2));
	llc_fini(&llc);
}

/* One set of two ways, which leads for the long insertion: a line that was hit outlives one that
 * was not, though it is the older one. */
static void an_adaptive_llc_keeps_what_was_used_again(void **state)
{
	struct llc llc;

	(void)state;
	assert_int_equal(llc_init(&llc, (struct geometry){1, 2}, true), 0);
	llc_clear(&llc, 1);
	assert_false(llc_access(&llc, 1));
	assert_true(llc_access(&llc, 1));
	for (uint64_t line = 2; line < 4; line++) {
		assert_false(llc_access(&llc, line));
		assert_true(llc_access(&llc, 1));
	}
	llc_fini(&llc);
}

/* Half of all accesses go to few lines, half to ever new ones: LRU loses the few. */
static void an_adaptive_llc_withstands_a_scan(void **state)
{
	unsigned hits[2] = {0, 0};

	(void)state;
	for (int adaptive = 0; adaptive < 2; adaptive++) {
		struct llc llc;

		assert_int_equal(llc_init(&llc, (struct geometry){64, 4}, adaptive != 0), 0);
		llc_clear(&llc, 1);
		for (uint64_t i = 0; i < 200000; i++) {
			hits[adaptive] += llc_access(&llc, i % 200);
			llc_access(&llc, 1000000 + i);
		}
		llc_fini(&llc);
	}
	assert_true(hits[1] > hits[0] + 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_recently_used_line_leaves),
		cmocka_unit_test(sets_do_not_disturb_each_other),
		cmocka_unit_test(clear_empties),
		cmocka_unit_test(geometry_shrinks_with_the_scale),
		cmocka_unit_test(an_lru_llc_is_a_cache),
		cmocka_unit_test(an_adaptive_llc_keeps_what_was_used_again),
		cmocka_unit_test(an_adaptive_llc_withstands_a_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
