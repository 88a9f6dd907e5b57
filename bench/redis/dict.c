// SPDX-License-Identifier: MIT
#include "bench/redis/dict.h"

#include <string.h>

#include "bench/loadgen/dialect.h"
#include "bench/loadgen/random.h"
#include "bench/loadgen/values.h"

#define KEY_BYTES     (DIALECT_KEY_BYTES + 1)
#define EMPTY_BUCKETS 10 /* that one operation may pass over while it moves one */

const struct table_shape dict_shape = {.first_buckets = 16, .load_percent = 100};

/* --- memory ------------------------------------------------------------------------------------
 */

/* Multiples of 16 up to 128, then four to a doubling. */
static unsigned class_of(uint64_t bytes, uint64_t *rounded)
{
	unsigned shift;

	if (bytes <= 128) {
		*rounded = (bytes + 15) / 16 * 16;
		return (unsigned)(*rounded / 16);
	}
	shift = 63 - (unsigned)__builtin_clzll(bytes - 1) - 2;
	*rounded = (((bytes - 1) >> shift) + 1) << shift;
	return (shift - 5) * 4 + 9 + (unsigned)(((bytes - 1) >> shift) & 3);
}

uint64_t dict_value_bytes(uint64_t bytes)
{
	uint64_t rounded;

	class_of(bytes, &rounded);
	return rounded;
}

uint64_t dict_small_bytes(void)
{
	return dict_value_bytes(sizeof(struct dict_entry)) + dict_value_bytes(KEY_BYTES) +
	       dict_value_bytes(sizeof(struct dict_object));
}

uint64_t dict_spare_bytes(uint64_t value_bytes_max)
{
	uint64_t sum = 0, rounded = 0;

	for (uint64_t bytes = 16; rounded < value_bytes_max; bytes = rounded + 1) {
		class_of(bytes, &rounded);
		sum += rounded;
	}
	return sum;
}

static void *take(struct dict_heap *heap, uint64_t bytes)
{
	uint64_t rounded;
	const unsigned class = class_of(bytes, &rounded);
	void *block = heap->free[class];

	if (block) {
		memcpy(&heap->free[class], block, sizeof(void *));
		return block;
	}
	if ((uint64_t)(heap->end - heap->next) < rounded)
		return NULL;
	block = heap->next;
	heap->next += rounded;
	return block;
}

static void give(struct dict_heap *heap, void *block, uint64_t bytes)
{
	uint64_t rounded;
	const unsigned class = class_of(bytes, &rounded);

	memcpy(block, &heap->free[class], sizeof(void *));
	heap->free[class] = block;
}

/* --- entries -----------------------------------------------------------------------------------
 */

static uint64_t hash_of(const struct table_node *node)
{
	uint64_t key;

	dialect_read_key(((const struct dict_entry *)node)->key, &key);
	return random_mix(key);
}

static void heap_init(struct dict_heap *heap, void *memory, uint64_t bytes)
{
	*heap = (struct dict_heap){.begin = memory, .next = memory, .end = (char *)memory + bytes};
}

void dict_init(struct dict *dict, const struct dict_memory *memory, uint64_t nr_keys)
{
	table_init(&dict->table, memory->table, nr_keys, &dict_shape, hash_of);
	heap_init(&dict->values, memory->values, memory->values_bytes);
	heap_init(&dict->small, memory->small, memory->small_bytes);
}

static void step(struct dict *dict)
{
	int64_t bucket = table_next_move(&dict->table);

	if (table_is_full(&dict->table))
		table_grow(&dict->table);
	for (int i = 0; i < EMPTY_BUCKETS && bucket >= 0; i++) {
		const bool empty = !dict->table.old[bucket];

		table_move(&dict->table);
		if (!empty)
			break;
		bucket = table_next_move(&dict->table);
	}
}

static struct dict_entry *find(struct dict *dict, uint64_t key, const char *text)
{
	struct table_node *node = *table_chain(&dict->table, random_mix(key));

	while (node && memcmp(((struct dict_entry *)node)->key, text, DIALECT_KEY_BYTES) != 0)
		node = node->next;
	return (struct dict_entry *)node;
}

static struct dict_object *make_object(struct dict *dict, uint64_t key, uint64_t bytes,
				       uint32_t version)
{
	struct dict_object *object = take(&dict->small, sizeof(*object));

	if (!object)
		return NULL;
	*object = (struct dict_object){take(&dict->values, bytes), (uint32_t)bytes, 1};
	if (!object->value) {
		give(&dict->small, object, sizeof(*object));
		return NULL;
	}
	value_write(object->value, bytes, key, version);
	return object;
}

static bool add_entry(struct dict *dict, const char *text, struct dict_object *object)
{
	struct dict_entry *entry = take(&dict->small, sizeof(*entry));
	char *copy = take(&dict->small, KEY_BYTES);

	if (!entry || !copy)
		return false;
	memcpy(copy, text, DIALECT_KEY_BYTES);
	copy[DIALECT_KEY_BYTES] = '\0';
	*entry = (struct dict_entry){.key = copy, .object = object};
	table_insert(&dict->table, &entry->node);
	return true;
}

bool dict_set(struct dict *dict, uint64_t key, uint64_t bytes, uint32_t version)
{
	char text[DIALECT_KEY_BYTES];
	struct dict_object *object = make_object(dict, key, bytes, version), *before;
	struct dict_entry *entry;

	if (!object)
		return false;
	dialect_put_key(text, key);
	step(dict);
	entry = find(dict, key, text);
	if (!entry)
		return add_entry(dict, text, object);
	before = entry->object;
	entry->object = object;
	give(&dict->values, before->value, before->bytes);
	give(&dict->small, before, sizeof(*before));
	return true;
}

const struct dict_object *dict_get(struct dict *dict, uint64_t key)
{
	char text[DIALECT_KEY_BYTES];
	struct dict_entry *entry;

	dialect_put_key(text, key);
	step(dict);
	entry = find(dict, key, text);
	return entry ? entry->object : NULL;
}
