/* SPDX-License-Identifier: MIT */
/*
 * A store of the shape of Redis' (dict.c, object.c, sds.c): a table of chains whose entries point
 * to a key, a text of its own, and to an object, which points to the value; an update makes a new
 * object and value and frees the old ones. So a lookup is bucket, entry, key, object, value. Memory
 * comes from size classes like jemalloc's. For one thread.
 */
#ifndef BENCH_REDIS_DICT_H
#define BENCH_REDIS_DICT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/loadgen/table.h"

#define DICT_CLASSES 112

extern const struct table_shape dict_shape;

/* Blocks by size class: what was freed last is used first. */
struct dict_heap {
	char *begin, *next, *end;
	void *free[DICT_CLASSES];
};

struct dict_object {
	char *value;
	uint32_t bytes, references;
};

struct dict_entry {
	struct table_node node;
	char *key; /* 16 digits and a NUL */
	struct dict_object *object;
};

struct dict {
	struct table table;
	struct dict_heap values, small; /* small: entries, keys, objects */
};

/* Memory, all of it zero, for a number of keys. */
struct dict_memory {
	void *values, *small, *table;
	uint64_t values_bytes, small_bytes;
};
/* What a value takes up, and everything else of a key but its bucket. */
uint64_t dict_value_bytes(uint64_t bytes);
uint64_t dict_small_bytes(void);
/* What updates need once more than there are values, if the largest has so many bytes. */
uint64_t dict_spare_bytes(uint64_t value_bytes_max);

void dict_init(struct dict *dict, const struct dict_memory *memory, uint64_t nr_keys);

/* Sets a key: false when there is no memory left. */
bool dict_set(struct dict *dict, uint64_t key, uint64_t bytes, uint32_t version);

/* NULL: there is no such key. */
const struct dict_object *dict_get(struct dict *dict, uint64_t key);

#endif
