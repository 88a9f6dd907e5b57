// SPDX-License-Identifier: MIT
#include "emulator/plugin/tlb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct tlb make(uint32_t sets, uint32_t ways)
{
	struct tlb tlb;

	assert_int_equal(tlb_init(&tlb, (struct geometry){sets, ways}), 0);
	return tlb;
}

/* Four entries, fully associative: pages 1 to 4 fill it, 1 is used, 5 takes the place of 2. */
static void four_entries(void **state)
{
	struct tlb tlb = make(1, 4);

	(void)state;
	for (uint64_t page = 1; page <= 4; page++) {
		assert_null(tlb_find(&tlb, page));
		tlb_insert(&tlb, page, page << 12, 10 * page);
	}
	assert_int_equal(tlb_find(&tlb, 1)->value, 1 << 12);
	assert_int_equal(tlb_find(&tlb, 1)->ready, 10);
	tlb_insert(&tlb, 5, 5 << 12, 50);
	assert_null(tlb_find(&tlb, 2));
	for (uint64_t page = 3; page <= 5; page++)
		assert_int_equal(tlb_find(&tlb, page)->value, page << 12);
	assert_non_null(tlb_find(&tlb, 1));
	tlb_fini(&tlb);
}

/* Two sets of two: even pages fight for their own two places. */
static void sets_are_the_low_bits(void **state)
{
	struct tlb tlb = make(2, 2);

	(void)state;
	tlb_insert(&tlb, 1, 0, 0);
	tlb_insert(&tlb, 2, 0, 0);
	tlb_insert(&tlb, 4, 0, 0);
	tlb_insert(&tlb, 6, 0, 0);
	assert_null(tlb_find(&tlb, 2));
	assert_non_null(tlb_find(&tlb, 1));
	assert_non_null(tlb_find(&tlb, 4));
	assert_non_null(tlb_find(&tlb, 6));
	tlb_fini(&tlb);
}

static void clear_empties(void **state)
{
	struct tlb tlb = make(1, 2);

	(void)state;
	tlb_insert(&tlb, 0, 0x1000, 0);
	assert_non_null(tlb_find(&tlb, 0));
	tlb_clear(&tlb);
	assert_null(tlb_find(&tlb, 0));
	tlb_fini(&tlb);
}

static void a_table_that_is_not_there_holds_nothing(void **state)
{
	struct tlb tlb = make(0, 0);

	(void)state;
	tlb_insert(&tlb, 0, 0x1000, 0);
	assert_null(tlb_find(&tlb, 0));
	tlb_clear(&tlb);
	tlb_fini(&tlb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_entries),
		cmocka_unit_test(sets_are_the_low_bits),
		cmocka_unit_test(clear_empties),
		cmocka_unit_test(a_table_that_is_not_there_holds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
