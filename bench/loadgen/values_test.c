// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loadgen/values.h"
#include "bench/loadgen/versions.h"

/* Any size, and any bit that is wrong is noticed. */
static void damage_is_noticed(void **state)
{
	static const uint64_t sizes[] = {16, 17, 23, 24, 25, 100, 256};
	char value[256];
	uint32_t version;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		value_write(value, sizes[i], 12345, 678);
		assert_true(value_read(value, sizes[i], 12345, &version));
		assert_int_equal(version, 678);
		for (uint64_t bit = 0; bit < sizes[i] * 8; bit++) {
			value[bit / 8] = (char)(value[bit / 8] ^ 1 << bit % 8);
			assert_false(value_read(value, sizes[i], 12345, &version));
			value[bit / 8] = (char)(value[bit / 8] ^ 1 << bit % 8);
		}
		assert_false(value_read(value, sizes[i], 12346, &version));
		assert_false(value_read(value, sizes[i] - 1, 12345, &version));
	}
	assert_false(value_read(value, 8, 12345, &version));
}

static void versions_differ(void **state)
{
	char one[64], other[64];

	(void)state;
	value_write(one, 64, 1, 1);
	value_write(other, 64, 1, 2);
	assert_memory_not_equal(one + 16, other + 16, 48);
}

static double itself(uint64_t bytes, const void *unused)
{
	(void)unused;
	return (double)bytes;
}

/* The sizes that keys get have the mean that footprints are estimated with. */
static void sizes_have_their_mean(void **state)
{
	static const enum values_kind kinds[] = {VALUES_FIXED, VALUES_UNIFORM, VALUES_PARETO};

	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const struct values values = {.kind = kinds[k], .bytes = 4096, .seed = 9};
		double sum = 0;

		for (uint64_t key = 0; key < 200000; key++) {
			const uint64_t bytes = values_bytes(&values, key);

			assert_in_range(bytes, VALUE_BYTES_MIN, 4096);
			sum += (double)bytes;
		}
		assert_true(fabs(sum / 200000 / values_mean(&values, itself, NULL) - 1) < 0.01);
	}
}

/* Atikoglu et al.: the mean of the untruncated distribution is scale / (1 - shape) = 329. */
static void pareto_is_the_published_one(void **state)
{
	const struct values values = {.kind = VALUES_PARETO, .bytes = 1 << 20, .seed = 1};

	(void)state;
	assert_true(fabs(values_mean(&values, itself, NULL) - 329) < 5);
}

/* --- versions --------------------------------------------------------------------------------- */

static void versions_without_overlap(void **state)
{
	struct versions versions;
	struct err err = {0};

	(void)state;
	assert_int_equal(versions_open(&versions, 10, &err), 0);
	assert_int_equal(versions_floor(&versions, 3), 0);
	assert_true(versions_may_see(&versions, 3, 0, 0));
	assert_false(versions_may_see(&versions, 3, 0, 1)); /* never sent */
	assert_int_equal(versions_send(&versions, 3), 1);
	assert_int_equal(versions_floor(&versions, 3), VERSIONS_NO_FLOOR);
	assert_true(versions_may_see(&versions, 3, VERSIONS_NO_FLOOR, 0));
	assert_true(versions_may_see(&versions, 3, VERSIONS_NO_FLOOR, 1));
	assert_false(versions_may_see(&versions, 3, VERSIONS_NO_FLOOR, 2));
	versions_confirm(&versions, 3);
	assert_int_equal(versions_floor(&versions, 3), 1);
	assert_false(versions_may_see(&versions, 3, 1, 0)); /* a lost update */
	assert_true(versions_may_see(&versions, 3, 1, 1));
	/* A read that was sent before the update may see either. */
	assert_true(versions_may_see(&versions, 3, 0, 0));
	assert_true(versions_may_see(&versions, 3, 0, 1));
	assert_int_equal(versions_floor(&versions, 4), 0);
	versions_close(&versions);
}

/* Of updates under way together any may be the last. */
static void versions_with_overlap(void **state)
{
	struct versions versions;
	struct err err = {0};

	(void)state;
	assert_int_equal(versions_open(&versions, 1, &err), 0);
	versions_send(&versions, 0);
	versions_confirm(&versions, 0);
	assert_int_equal(versions_send(&versions, 0), 2);
	assert_int_equal(versions_send(&versions, 0), 3);
	versions_confirm(&versions, 0);
	assert_int_equal(versions_send(&versions, 0), 4);
	versions_confirm(&versions, 0);
	assert_int_equal(versions_floor(&versions, 0), VERSIONS_NO_FLOOR);
	versions_confirm(&versions, 0);
	assert_int_equal(versions_floor(&versions, 0), 2);
	for (uint32_t version = 2; version <= 4; version++)
		assert_true(versions_may_see(&versions, 0, 2, version));
	assert_false(versions_may_see(&versions, 0, 2, 1));
	assert_false(versions_may_see(&versions, 0, 2, 5));
	versions_close(&versions);
}

/* A key that is updated more often than there are numbers. */
static void versions_wrap(void **state)
{
	struct versions versions;
	struct err err = {0};

	(void)state;
	assert_int_equal(versions_open(&versions, 1, &err), 0);
	for (uint64_t i = 0; i < (UINT64_C(1) << 24) + 5; i++) {
		versions_send(&versions, 0);
		versions_confirm(&versions, 0);
	}
	assert_int_equal(versions_floor(&versions, 0), 5);
	versions_send(&versions, 0);
	assert_true(versions_may_see(&versions, 0, 5, 6));
	assert_false(versions_may_see(&versions, 0, 5, 4));
	assert_true(versions_may_see(&versions, 0, (1u << 24) - 3, 2));
	versions_close(&versions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(versions_differ),
		cmocka_unit_test(sizes_have_their_mean),
		cmocka_unit_test(pareto_is_the_published_one),
		cmocka_unit_test(versions_without_overlap),
		cmocka_unit_test(versions_with_overlap),
		cmocka_unit_test(versions_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
