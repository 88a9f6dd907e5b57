// SPDX-License-Identifier: MIT
#include "bench/memcached/slabs_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 48
#define KEY_BYTES    16

struct check {
	const struct slabs *slabs;
	const struct slabs_expected *expected;
	struct slabs_verdict *verdict;
	unsigned char *seen; /* by key: 1 in a chain, 2 in a list */
	uint64_t steps;
};

static void complain(struct check *check, const char *what, uint64_t number)
{
	struct slabs_verdict *verdict = check->verdict;

	if (verdict->errors++ == 0)
		snprintf(verdict->first, sizeof(verdict->first), "%s %016" PRIx64, what, number);
}

/* The start of a chunk of a class that the item says it belongs to. */
static bool is_item(const struct check *check, const struct slabs_item *item)
{
	const struct slabs *slabs = check->slabs;
	const uint64_t begin = (uintptr_t)slabs->memory, at = (uintptr_t)item;
	const uint64_t used = slabs->next_page << 20;
	uint64_t chunk;

	if (at < begin || at - begin >= used || used - (at - begin) < HEADER_BYTES)
		return false;
	if (item->class >= slabs->nr_classes)
		return false;
	chunk = slabs->classes[item->class].chunk_bytes;
	return (at - begin) % (1 << 20) % chunk == 0 &&
	       (at - begin) % (1 << 20) + chunk <= 1 << 20 &&
	       HEADER_BYTES + KEY_BYTES + 1 + (uint64_t)item->bytes <= chunk;
}

/* False when the text is none of the keys. */
static bool key_of(const struct check *check, const struct slabs_item *item, uint64_t *key)
{
	char text[KEY_BYTES + 1], *end;

	memcpy(text, item->text, sizeof(text));
	if (text[KEY_BYTES] != '\0')
		return false;
	*key = strtoull(text, &end, 16);
	return end == text + KEY_BYTES && *key < check->expected->nr_keys;
}

static void check_item(struct check *check, const struct slabs_item *item)
{
	const struct slabs_expected *expected = check->expected;
	uint32_t version;
	uint64_t key;

	if (!key_of(check, item, &key))
		complain(check, "a key that was never stored at", (uintptr_t)item);
	else if (check->seen[key] & 1)
		complain(check, "a second item of key", key);
	else if (!item->linked || item->bytes != values_bytes(expected->values, key) ||
		 !value_read(item->text + KEY_BYTES + 1, item->bytes, key, &version))
		complain(check, "a damaged item of key", key);
	else if (!expected->may_have(expected->context, key, version))
		complain(check, "not an update that was made last of key", key);
	else {
		check->seen[key] |= 1;
		check->verdict->keys++;
	}
}

static void check_chains(struct check *check, struct table_node *const *buckets, uint64_t first,
			 uint64_t end)
{
	for (uint64_t i = first; i < end; i++) {
		for (const struct table_node *node = buckets[i]; node; node = node->next) {
			const struct slabs_item *item = (const struct slabs_item *)node;

			if (!is_item(check, item) || check->steps++ > check->expected->nr_keys) {
				complain(check, "a damaged chain of bucket", i);
				break;
			}
			check_item(check, item);
		}
	}
}

/* Newest to oldest, each knowing its neighbours, and as many as the class says. */
static void check_list(struct check *check, int number)
{
	const struct slabs_class *class = &check->slabs->classes[number];
	const struct slabs_item *item = class->newest, *before = NULL;
	uint64_t count = 0, key;

	for (; item; before = item, item = item->older) {
		if (!is_item(check, item) || item->class != number || item->newer != before ||
		    count++ >= class->nr_items) {
			complain(check, "a damaged list of class", (uint64_t)number);
			return;
		}
		if (key_of(check, item, &key))
			check->seen[key] |= 2;
	}
	if (count != class->nr_items || class->oldest != before)
		complain(check, "a list that is too short of class", (uint64_t)number);
}

void slabs_check(const struct slabs *slabs, const struct slabs_expected *expected,
		 struct slabs_verdict *verdict)
{
	const struct table *table = &slabs->table;
	struct table_node **old = table->old;
	struct check check = {.slabs = slabs,
			      .expected = expected,
			      .verdict = verdict,
			      .seen = calloc(1, expected->nr_keys)};

	*verdict = (struct slabs_verdict){0};
	if (!check.seen) {
		complain(&check, "no memory for the check of bytes", expected->nr_keys);
		return;
	}
	check_chains(&check, table->buckets, 0, table->nr_buckets);
	if (old)
		check_chains(&check, old, table->moved, table->nr_buckets / 2);
	for (int i = 0; i < slabs->nr_classes; i++)
		check_list(&check, i);
	for (uint64_t key = 0; key < expected->nr_keys; key++)
		if (check.seen[key] != 0 && check.seen[key] != 3)
			complain(&check, "in the table or in a list, but not in both: key", key);
	if (verdict->keys != table->nr_nodes)
		complain(&check, "keys in the table are not as many as counted:", table->nr_nodes);
	free(check.seen);
}
