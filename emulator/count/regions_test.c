// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "emulator/count/marker.h"
#include "emulator/count/regions.h"

#define KERNEL UINT64_C(0xffffffff81000000)
#define USER   UINT64_C(0x401000)

static void markers_are_told_apart(void **state)
{
	static const uint8_t begin[] = COUNT_BEGIN_BYTES, end[] = COUNT_END_BYTES;
	static const uint8_t nop[] = {0x0f, 0x1f, 0x80, 0, 0, 0, 0};

	(void)state;
	assert_int_equal(regions_recognise(begin, 7), REGIONS_BEGIN);
	assert_int_equal(regions_recognise(end, 7), REGIONS_END);
	assert_int_equal(regions_recognise(nop, 7), REGIONS_NONE);
	assert_int_equal(regions_recognise(begin, 6), REGIONS_NONE);
}

/* What the guest's programs execute is what the plugin looks for. */
static void the_functions_have_these_bytes(void **state)
{
	static const uint8_t begin[] = COUNT_BEGIN_BYTES, end[] = COUNT_END_BYTES;
	void (*const functions[])(void) = {count_begin, count_end};
	const uint8_t *const bytes[] = {begin, end};

	(void)state;
	for (int i = 0; i < 2; i++) {
		const uint8_t *code = (const uint8_t *)(uintptr_t)functions[i];

		assert_non_null(memmem(code, 128, bytes[i], COUNT_MARKER_SIZE));
		functions[i]();
	}
}

static void only_what_is_inside_counts(void **state)
{
	struct regions regions = {0};
	char line[REGIONS_LINE_MAX];

	(void)state;
	*regions_counter(&regions, KERNEL) += 1000;
	assert_false(regions_mark(&regions, REGIONS_BEGIN, line));
	*regions_counter(&regions, KERNEL) += 7;
	*regions_counter(&regions, USER) += 5;
	*regions_counter(&regions, KERNEL) += 3;
	assert_true(regions_mark(&regions, REGIONS_END, line));
	assert_string_equal(line, "count 0 kernel 10 user 5\n");
	*regions_counter(&regions, KERNEL) += 1000;
	regions_mark(&regions, REGIONS_BEGIN, line);
	assert_true(regions_mark(&regions, REGIONS_END, line));
	assert_string_equal(line, "count 1 kernel 0 user 0\n");
}

static void markers_out_of_order_are_told(void **state)
{
	struct regions regions = {0};
	char line[REGIONS_LINE_MAX];

	(void)state;
	assert_true(regions_mark(&regions, REGIONS_END, line));
	assert_int_equal(strncmp(line, "error", 5), 0);
	assert_false(regions_mark(&regions, REGIONS_BEGIN, line));
	assert_true(regions_mark(&regions, REGIONS_BEGIN, line));
	assert_int_equal(strncmp(line, "error", 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markers_are_told_apart),
		cmocka_unit_test(the_functions_have_these_bytes),
		cmocka_unit_test(only_what_is_inside_counts),
		cmocka_unit_test(markers_out_of_order_are_told),
	};

	return cmocka_run_group_tests_name("regions", tests, NULL, NULL);
}
