// SPDX-License-Identifier: MIT
#include "bench/redis/dict_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	const struct dict *dict;
	const struct dict_expected *expected;
	struct dict_verdict *verdict;
	unsigned char *seen;
	uint64_t steps; /* along chains: more than there are nodes is a circle */
};

static void complain(struct check *check, const char *what, uint64_t number)
{
	struct dict_verdict *verdict = check->verdict;

	if (verdict->errors++ == 0)
		snprintf(verdict->first, sizeof(verdict->first), "%s %016" PRIx64, what, number);
}

static bool inside(const void *at, uint64_t bytes, const void *memory, uint64_t size)
{
	const uint64_t begin = (uintptr_t)memory, address = (uintptr_t)at;

	return address >= begin && address % 8 == 0 && bytes <= size &&
	       address - begin <= size - bytes;
}

static bool in_small(const struct check *check, const void *at, uint64_t bytes)
{
	return inside(at, bytes, check->expected->memory->small,
		      check->expected->memory->small_bytes);
}

/* The number that a key's text spells; 0 with *ok false when it spells none. */
static uint64_t spelled(const char *text, bool *ok)
{
	char *end;
	const unsigned long long number = strtoull(text, &end, 16);

	*ok = end == text + 16;
	return number;
}

static void check_object(struct check *check, const struct dict_object *object, uint64_t key,
			 uint64_t index)
{
	const struct dict_expected *expected = check->expected;
	uint32_t version;

	if (!in_small(check, object, sizeof(*object)) ||
	    !inside(object->value, object->bytes, expected->memory->values,
		    expected->memory->values_bytes))
		complain(check, "a damaged object of key", key);
	else if (object->references != 1 || object->bytes != values_bytes(expected->values, key) ||
		 !value_read(object->value, object->bytes, key, &version))
		complain(check, "a damaged value of key", key);
	else if (version != expected->versions[index])
		complain(check, "not the last update of key", key);
	else
		check->verdict->keys++;
}

static void check_entry(struct check *check, const struct dict_entry *entry)
{
	const struct dict_expected *expected = check->expected;
	uint64_t key, index;
	bool spells;

	if (!in_small(check, entry->key, 17) || entry->key[16] != '\0') {
		complain(check, "a damaged key at", (uintptr_t)entry);
		return;
	}
	key = spelled(entry->key, &spells);
	index = (key - expected->first) / expected->step;
	if (!spells || index >= expected->nr_keys ||
	    index * expected->step + expected->first != key)
		complain(check, "a key that was never stored:", key);
	else if (check->seen[index]++)
		complain(check, "a second entry of key", key);
	else
		check_object(check, entry->object, key, index);
}

static void check_chains(struct check *check, struct table_node *const *buckets, uint64_t first,
			 uint64_t end)
{
	for (uint64_t i = first; i < end; i++) {
		const struct table_node *node = buckets[i];

		for (; node; node = node->next) {
			if (!in_small(check, node, sizeof(struct dict_entry)) ||
			    check->steps++ > check->expected->nr_keys) {
				complain(check, "a damaged chain of bucket", i);
				break;
			}
			check_entry(check, (const struct dict_entry *)node);
		}
	}
}

void dict_check(const struct dict *dict, const struct dict_expected *expected,
		struct dict_verdict *verdict)
{
	const struct table *table = &dict->table;
	struct check check = {
		.dict = dict,
		.expected = expected,
		.verdict = verdict,
		.seen = calloc(1, expected->nr_keys),
	};

	*verdict = (struct dict_verdict){0};
	if (!check.seen) {
		complain(&check, "no memory for the check of bytes", expected->nr_keys);
		return;
	}
	check_chains(&check, table->buckets, 0, table->nr_buckets);
	if (table->old)
		check_chains(&check, table->old, table->moved, table->nr_buckets / 2);
	for (uint64_t i = 0; i < expected->nr_keys; i++) {
		if (!check.seen[i])
			complain(&check, "no entry of key", i * expected->step + expected->first);
	}
	/* Every entry must also be where a look-up searches for it. */
	for (uint64_t i = 0; i < expected->nr_keys && verdict->errors == 0; i++) {
		const uint64_t key = i * expected->step + expected->first;

		if (!dict_get((struct dict *)dict, key))
			complain(&check, "no way to key", key);
	}
	free(check.seen);
}
