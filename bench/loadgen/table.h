/* SPDX-License-Identifier: MIT */
/*
 * A hash table of chains that grows bit by bit: from the moment it has as many nodes as the load
 * allows, there are two tables, and each operation moves a bucket from the smaller to the one twice
 * as large. Both Redis (dict.c) and memcached (assoc.c) work so. Nodes are the caller's; the first
 * member of each is a struct table_node.
 *
 * Nothing here takes locks: an operation touches the buckets of its hash and those that it moves.
 */
#ifndef BENCH_LOADGEN_TABLE_H
#define BENCH_LOADGEN_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct table_node {
	struct table_node *next;
};

struct table {
	struct table_node **buckets;
	struct table_node **_Atomic old; /* NULL: nothing is being moved */
	uint64_t nr_buckets;             /* of `buckets`; a power of two */
	_Atomic uint64_t moved;          /* buckets of `old` that are empty now */
	_Atomic uint64_t nr_nodes;
	uint64_t load_percent; /* nodes to a bucket, times 100, at which it grows */
	/* Tables of one size lie in one of these and those of the next in the other. */
	struct table_node **places[2];
	uint64_t nr_buckets_max;
	uint64_t (*hash)(const struct table_node *node);
};

/* How a kind of table grows: the buckets of its first table, a power of two, and its load. */
struct table_shape {
	uint64_t first_buckets, load_percent;
};

/* Buckets that a table of so many nodes ends with. */
uint64_t table_buckets(uint64_t nr_nodes, const struct table_shape *shape);
/* Bytes for the memory given to table_init(). */
uint64_t table_bytes(uint64_t nr_nodes, const struct table_shape *shape);

/* An empty table in zeroed memory. */
void table_init(struct table *table, void *memory, uint64_t nr_nodes,
		const struct table_shape *shape, uint64_t (*hash)(const struct table_node *node));

/* Where the chain of a hash begins now. */
struct table_node **table_chain(const struct table *table, uint64_t hash);

void table_insert(struct table *table, struct table_node *node);
/* The node must be in it. */
void table_remove(struct table *table, struct table_node *node);

/* Whether it is time to grow, and nothing is being moved. */
bool table_is_full(const struct table *table);
void table_grow(struct table *table);

/* The bucket of `old` that is to be moved next; -1: none. */
int64_t table_next_move(const struct table *table);
/* Moves it. */
void table_move(struct table *table);

#endif
