// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bench/hpcc_stream.h"

static void a_jump_equals_its_steps(void **state)
{
	uint64_t value = 1;

	(void)state;
	for (uint64_t k = 0; k < 100000; k++) {
		if (hpcc_stream_at(k) != value)
			fail_msg("r(%llu) is wrong", (unsigned long long)k);
		value = hpcc_stream_next(value);
	}
}

static void the_published_facts_hold(void **state)
{
	const uint64_t far = UINT64_C(0x123456789abcdef);
	uint64_t value;

	(void)state;
	assert_true(hpcc_stream_at(63) == UINT64_C(1) << 63);
	assert_true(hpcc_stream_at(64) == HPCC_STREAM_POLYNOMIAL);
	assert_true(hpcc_stream_at(HPCC_STREAM_PERIOD) == 1);
	assert_true(hpcc_stream_at(HPCC_STREAM_PERIOD + 5) == 32);
	/* The last value before the period steps to the first. */
	assert_true(hpcc_stream_next(hpcc_stream_at(HPCC_STREAM_PERIOD - 1)) == 1);
	value = hpcc_stream_at(far);
	for (int i = 0; i < 1000; i++)
		value = hpcc_stream_next(value);
	assert_true(value == hpcc_stream_at(far + 1000));
}

/* 1317624576693539401 = 7 * 188232082384791343. */
static void the_period_is_no_divisor(void **state)
{
	(void)state;
	assert_true(hpcc_stream_at(7) != 1);
	assert_true(hpcc_stream_at(HPCC_STREAM_PERIOD / 7) != 1);
	assert_int_equal(HPCC_STREAM_PERIOD % 7, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jump_equals_its_steps),
		cmocka_unit_test(the_published_facts_hold),
		cmocka_unit_test(the_period_is_no_divisor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
