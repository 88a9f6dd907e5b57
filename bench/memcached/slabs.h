/* SPDX-License-Identifier: MIT */
/*
 * A store of the shape of memcached's (slabs.c, items.c, assoc.c): pages of 1 MiB that belong to
 * classes of chunks, each 1.25 times as large as the one before; an item is a chunk with a header,
 * the key and the value; a list of each class' items from the one used last to the one used longest
 * ago, which has to go when there is no memory left; a table of chains over all. For many threads:
 * locks on stripes of the table and one on each class.
 */
#ifndef BENCH_MEMCACHED_SLABS_H
#define BENCH_MEMCACHED_SLABS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/loadgen/table.h"
#include "common/err.h"

#define SLABS_PAGE_BYTES  (UINT64_C(1) << 20)
#define SLABS_CHUNK_MIN   96
#define SLABS_CLASSES_MAX 64
#define SLABS_STRIPES     1024

struct slabs_item {
	struct table_node node;
	struct slabs_item *newer, *older; /* of its class */
	uint32_t used_at;                 /* an age: see slabs_get() */
	uint32_t bytes;                   /* of the value */
	uint8_t class, linked;
	uint8_t unused[14]; /* as large as the header of the original, 48 bytes */
	char text[];        /* 16 digits, NUL, value */
};
#define SLABS_KEY_BYTES 17

struct slabs_class {
	pthread_mutex_t lock;
	uint64_t chunk_bytes;
	struct slabs_item *newest, *oldest;
	struct slabs_item *free; /* linked by node.next */
	char *fresh;             /* chunks of the last page that were never used */
	uint64_t nr_fresh;
	uint64_t nr_items, nr_evicted;
};

struct slabs {
	struct table table;
	pthread_mutex_t stripes[SLABS_STRIPES], growing;
	struct slabs_class classes[SLABS_CLASSES_MAX];
	int nr_classes;
	char *memory;
	uint64_t nr_pages;
	_Atomic uint64_t next_page;
	/* An item counts as used again after so many operations: moving it to the front each time
	 * would be a write to its neighbours at every read (memcached: 60 s). */
	uint64_t bump_interval;
	_Atomic uint64_t operations;
};

/* The chunk of a value of that size; 0: there is none so large. */
uint64_t slabs_chunk_bytes(uint64_t value_bytes);

/* An empty store in zeroed memory of whole pages, with a table for so many keys in memory of
 * slabs_table_bytes(). */
uint64_t slabs_table_bytes(uint64_t nr_keys);
int slabs_open(struct slabs *slabs, void *memory, uint64_t bytes, void *table, uint64_t nr_keys,
	       struct err *err);
void slabs_close(struct slabs *slabs);

/* Sets a key, at the cost of the oldest of its class if need be: false when there is none. */
bool slabs_set(struct slabs *slabs, uint64_t key, uint64_t bytes, uint32_t version);

/* Copies a value; its size, or 0 when there is no such key. */
uint64_t slabs_get(struct slabs *slabs, uint64_t key, char *value);

uint64_t slabs_evicted(const struct slabs *slabs);

#endif
