// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "bench/loadgen/random.h"
#include "bench/memcached/slabs.h"
#include "bench/memcached/slabs_check.h"

enum { KEYS = 40000, THREADS = 3 };

struct fixture {
	struct slabs slabs;
	struct values values;
	void *memory, *table;
};

static void open_store(struct fixture *fixture, uint64_t pages, enum values_kind kind,
		       uint64_t value_bytes)
{
	struct err err = {0};

	fixture->values = (struct values){.kind = kind, .bytes = value_bytes, .seed = 5};
	fixture->memory = calloc(pages, SLABS_PAGE_BYTES);
	fixture->table = calloc(1, slabs_table_bytes(KEYS));
	assert_int_equal(slabs_open(&fixture->slabs, fixture->memory, pages * SLABS_PAGE_BYTES,
				    fixture->table, KEYS, &err),
			 0);
}

static void close_store(struct fixture *fixture)
{
	slabs_close(&fixture->slabs);
	free(fixture->memory);
	free(fixture->table);
}

static bool any_version(const void *context, uint64_t key, uint32_t version)
{
	(void)context;
	(void)key;
	(void)version;
	return true;
}

static struct slabs_verdict check(const struct fixture *fixture)
{
	const struct slabs_expected expected = {
		.values = &fixture->values, .nr_keys = KEYS, .may_have = any_version};
	struct slabs_verdict verdict;

	slabs_check(&fixture->slabs, &expected, &verdict);
	return verdict;
}

static bool set(struct fixture *fixture, uint64_t key, uint32_t version)
{
	return slabs_set(&fixture->slabs, key, values_bytes(&fixture->values, key), version);
}

static bool holds(struct fixture *fixture, uint64_t key)
{
	char value[2048];
	uint32_t version;
	const uint64_t bytes = slabs_get(&fixture->slabs, key, value);

	return bytes == values_bytes(&fixture->values, key) &&
	       value_read(value, bytes, key, &version);
}

/* From 96 bytes by 1.25 in multiples of 8, as memcached -vv prints them. */
static void chunks_grow_as_published(void **state)
{
	static const uint64_t chunks[] = {96, 120, 152, 192, 240, 304, 384, 480, 600, 752, 944};

	(void)state;
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		const uint64_t value = chunks[i] - 48 - SLABS_KEY_BYTES;

		assert_int_equal(slabs_chunk_bytes(value), chunks[i]);
		if (i > 0)
			assert_int_equal(
				slabs_chunk_bytes(chunks[i - 1] - 48 - SLABS_KEY_BYTES + 1),
				chunks[i]);
	}
	assert_int_equal(slabs_chunk_bytes(1 << 20), 0);
}

static void grows_bit_by_bit(void **state)
{
	struct slabs_verdict verdict;
	struct fixture fixture;
	int growing = 0;

	(void)state;
	open_store(&fixture, 40, VALUES_UNIFORM, 700);
	for (uint64_t key = 0; key < KEYS; key++) {
		assert_true(set(&fixture, key, 0));
		growing += fixture.slabs.table.old != NULL;
		if (key % 4001 == 0) {
			verdict = check(&fixture);
			if (verdict.errors)
				fail_msg("after %d keys: %s", (int)key, verdict.first);
			assert_int_equal(verdict.keys, key + 1);
		}
	}
	assert_true(growing > 1000);
	for (uint64_t key = 0; key < KEYS; key++)
		assert_true(holds(&fixture, key));
	assert_int_equal(slabs_evicted(&fixture.slabs), 0);
	assert_int_equal(check(&fixture).errors, 0);
	close_store(&fixture);
}

/* Two pages of chunks of 384 bytes hold 2 * 2730 items: the oldest go first, and a key that is read
 * becomes young again. */
static void the_oldest_goes_first(void **state)
{
	enum { FIT = 2 * 2730 };
	struct fixture fixture;

	(void)state;
	open_store(&fixture, 2, VALUES_FIXED, 256);
	fixture.slabs.bump_interval = 0;
	for (uint64_t key = 0; key < FIT; key++)
		assert_true(set(&fixture, key, 0));
	assert_int_equal(slabs_evicted(&fixture.slabs), 0);
	/* Ages are counted in blocks of operations. */
	for (int i = 0; i < 200; i++)
		assert_true(holds(&fixture, 0));
	for (uint64_t key = FIT; key < FIT + 1000; key++)
		assert_true(set(&fixture, key, 0));
	assert_int_equal(slabs_evicted(&fixture.slabs), 1000);
	assert_true(holds(&fixture, 0));
	for (uint64_t key = 1; key <= 1000; key++)
		assert_false(holds(&fixture, key));
	for (uint64_t key = 1001; key < FIT + 1000; key++)
		assert_true(holds(&fixture, key));
	assert_int_equal(check(&fixture).errors, 0);
	assert_int_equal(check(&fixture).keys, FIT);
	close_store(&fixture);
}

/* A class without an item of its own and without a page has nothing to give. */
static void a_class_without_pages_says_so(void **state)
{
	struct fixture fixture;

	(void)state;
	open_store(&fixture, 1, VALUES_FIXED, 256);
	assert_true(set(&fixture, 1, 0));
	fixture.values.bytes = 1000;
	assert_false(set(&fixture, 2, 0));
	assert_false(slabs_set(&fixture.slabs, 3, 1 << 20, 0));
	fixture.values.bytes = 256;
	assert_true(holds(&fixture, 1));
	close_store(&fixture);
}

static void an_update_replaces(void **state)
{
	struct fixture fixture;
	char value[256];
	uint32_t version;

	(void)state;
	open_store(&fixture, 1, VALUES_FIXED, 256);
	for (uint32_t i = 0; i < 20000; i++)
		assert_true(set(&fixture, i % 100, i));
	for (uint64_t key = 0; key < 100; key++) {
		assert_int_equal(slabs_get(&fixture.slabs, key, value), 256);
		assert_true(value_read(value, 256, key, &version));
		assert_int_equal(version, 19900 + key);
	}
	assert_int_equal(slabs_evicted(&fixture.slabs), 0);
	assert_int_equal(check(&fixture).keys, 100);
	close_store(&fixture);
}

static void *hammer(void *context)
{
	struct fixture *fixture = context;
	static _Atomic uint64_t seed;
	const uint64_t mine = ++seed;

	for (uint32_t i = 0; i < 30000; i++) {
		const uint64_t key = random_below(random_at(mine, i), KEYS);

		if (i % 2)
			set(fixture, key, i);
		else
			holds(fixture, key);
	}
	return NULL;
}

/* Threads that update, read, grow the table and evict at once leave a sound store. */
static void many_threads(void **state)
{
	struct slabs_verdict verdict;
	struct fixture fixture;
	pthread_t threads[THREADS];

	(void)state;
	open_store(&fixture, 6, VALUES_FIXED, 256);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, &fixture), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	verdict = check(&fixture);
	if (verdict.errors)
		fail_msg("%s", verdict.first);
	assert_true(slabs_evicted(&fixture.slabs) > 0);
	assert_in_range(verdict.keys, 6 * 2730 - 10, 6 * 2730);
	close_store(&fixture);
}

/* Every word of the items matters but the unused ones, and none makes the check follow it. */
static void damage_is_noticed(void **state)
{
	struct fixture fixture;
	uint64_t noticed = 0;
	const uint64_t words = 20 * 384 / 8;

	(void)state;
	open_store(&fixture, 1, VALUES_FIXED, 256);
	for (uint64_t key = 0; key < 20; key++)
		assert_true(set(&fixture, key, 0));
	for (uint64_t i = 0; i < words; i++) {
		uint64_t *word = (uint64_t *)fixture.memory + i;

		*word ^= UINT64_C(0x1100000000001100);
		noticed += check(&fixture).errors > 0;
		*word ^= UINT64_C(0x1100000000001100);
	}
	/* Of 48 words: 3 links, 1 size and age, 1 class, 2.1 key, 32 value, the rest unused. */
	assert_in_range(noticed, 20 * 37, 20 * 41);
	assert_int_equal(check(&fixture).errors, 0);
	close_store(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_grow_as_published),
		cmocka_unit_test(grows_bit_by_bit),
		cmocka_unit_test(the_oldest_goes_first),
		cmocka_unit_test(a_class_without_pages_says_so),
		cmocka_unit_test(an_update_replaces),
		cmocka_unit_test(many_threads),
		cmocka_unit_test(damage_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
