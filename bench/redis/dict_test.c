// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loadgen/random.h"
#include "bench/redis/dict.h"
#include "bench/redis/dict_check.h"

enum { KEYS = 5000 };

struct fixture {
	struct dict dict;
	struct dict_memory memory;
	struct values values;
	uint32_t versions[KEYS];
};

static void open_store(struct fixture *fixture, uint64_t nr_keys, enum values_kind kind)
{
	fixture->values = (struct values){.kind = kind, .bytes = 300, .seed = 3};
	fixture->memory = (struct dict_memory){
		.values_bytes = nr_keys * dict_value_bytes(300) + dict_spare_bytes(300),
		.small_bytes = nr_keys * dict_small_bytes() + 16,
	};
	fixture->memory.values = calloc(1, fixture->memory.values_bytes);
	fixture->memory.small = calloc(1, fixture->memory.small_bytes);
	fixture->memory.table = calloc(1, table_bytes(nr_keys, &dict_shape));
	memset(fixture->versions, 0, sizeof(fixture->versions));
	dict_init(&fixture->dict, &fixture->memory, nr_keys);
}

static void close_store(struct fixture *fixture)
{
	free(fixture->memory.values);
	free(fixture->memory.small);
	free(fixture->memory.table);
}

static struct dict_verdict check(struct fixture *fixture, uint64_t nr_keys)
{
	const struct dict_expected expected = {
		.versions = fixture->versions,
		.nr_keys = nr_keys,
		.step = 1,
		.values = &fixture->values,
		.memory = &fixture->memory,
	};
	struct dict_verdict verdict;

	dict_check(&fixture->dict, &expected, &verdict);
	return verdict;
}

static void set(struct fixture *fixture, uint64_t key, uint32_t version)
{
	assert_true(dict_set(&fixture->dict, key, values_bytes(&fixture->values, key), version));
	fixture->versions[key] = version;
}

/* While it grows there are two tables; at every moment all keys are found. */
static void grows_bit_by_bit(void **state)
{
	struct fixture fixture;
	int growing = 0;

	(void)state;
	open_store(&fixture, KEYS, VALUES_UNIFORM);
	for (uint64_t key = 0; key < KEYS; key++) {
		set(&fixture, key, 0);
		growing += fixture.dict.table.old != NULL;
		if (key < 70 || key % 1500 == 1100) { /* in the midst of growing */
			const struct dict_verdict verdict = check(&fixture, key + 1);

			if (verdict.errors)
				fail_msg("after %d keys: %s", (int)key + 1, verdict.first);
			assert_int_equal(verdict.keys, key + 1);
		}
	}
	assert_true(growing > 1000);
	/* Reads move buckets as well. */
	for (uint64_t key = 0; key < KEYS; key++)
		assert_non_null(dict_get(&fixture.dict, key));
	assert_null(fixture.dict.table.old);
	assert_int_equal(check(&fixture, KEYS).errors, 0);
	assert_int_equal(fixture.dict.table.nr_buckets, 8192);
	assert_null(dict_get(&fixture.dict, KEYS));
	close_store(&fixture);
}

/* Memory for the keys and one value more is enough for ever. */
static void updates_use_what_they_free(void **state)
{
	struct fixture fixture;
	struct dict_verdict verdict;

	(void)state;
	open_store(&fixture, 500, VALUES_UNIFORM);
	for (uint64_t key = 0; key < 500; key++)
		set(&fixture, key, 0);
	for (uint32_t i = 1; i < 100000; i++)
		set(&fixture, random_below(random_at(1, i), 500), i);
	verdict = check(&fixture, 500);
	assert_int_equal(verdict.errors, 0);
	assert_int_equal(verdict.keys, 500);
	close_store(&fixture);
}

static void says_when_it_is_full(void **state)
{
	struct fixture fixture;
	uint64_t key = 0;

	(void)state;
	open_store(&fixture, 100, VALUES_FIXED);
	while (key < 1000 && dict_set(&fixture.dict, key, 300, 0))
		key++;
	assert_in_range(key, 100, 120);
	assert_non_null(dict_get(&fixture.dict, 99));
	close_store(&fixture);
}

/* Every word of values, keys, entries and objects matters, and none makes the check follow it. */
static void damage_is_noticed(void **state)
{
	struct fixture fixture;
	uint64_t noticed = 0, words;

	(void)state;
	open_store(&fixture, 64, VALUES_FIXED);
	for (uint64_t key = 0; key < 64; key++)
		set(&fixture, key, (uint32_t)key);
	words = (uint64_t)(fixture.dict.values.next - (char *)fixture.memory.values) / 8;
	for (uint64_t i = 0; i < words; i++) {
		uint64_t *word = (uint64_t *)fixture.memory.values + i;

		*word ^= UINT64_C(0x1100);
		noticed += check(&fixture, 64).errors > 0;
		*word ^= UINT64_C(0x1100);
	}
	/* 300 of the 320 bytes of a block are the value: 37.5 of 40 words. */
	assert_in_range(noticed, words * 37 / 40, words * 38 / 40);
	words = (uint64_t)(fixture.dict.small.next - (char *)fixture.memory.small) / 8;
	noticed = 0;
	for (uint64_t i = 0; i < words; i++) {
		uint64_t *word = (uint64_t *)fixture.memory.small + i;

		*word ^= UINT64_C(0x1100000000001100);
		noticed += check(&fixture, 64).errors > 0;
		*word ^= UINT64_C(0x1100000000001100);
	}
	/* Entry 3 of 4 words; key 2 and a byte of 4, of which a flip hits nothing; object 2 of 2.
	 */
	assert_in_range(noticed, words * 7 / 10, words * 8 / 10);
	assert_int_equal(check(&fixture, 64).errors, 0);
	close_store(&fixture);
}

static void a_lost_update_is_noticed(void **state)
{
	struct fixture fixture;

	(void)state;
	open_store(&fixture, 10, VALUES_FIXED);
	for (uint64_t key = 0; key < 10; key++)
		set(&fixture, key, 0);
	fixture.versions[7] = 1;
	assert_int_equal(check(&fixture, 10).errors, 1);
	fixture.versions[7] = 0;
	assert_int_equal(check(&fixture, 9).errors, 1);  /* a key that was never stored */
	assert_int_equal(check(&fixture, 11).errors, 1); /* one that is not there */
	close_store(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_bit_by_bit),
		cmocka_unit_test(updates_use_what_they_free),
		cmocka_unit_test(says_when_it_is_full),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(a_lost_update_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
