/* SPDX-License-Identifier: MIT */
/*
 * A B+ tree of 64-bit keys and values, for the workload `btree`: the layout of its nodes and the
 * data set that it holds. Building, looking up and checking are three files that share nothing
 * else.
 *
 * A node of order M takes 16 M bytes, 2 M words:
 *
 *   word 0            header: entries << 32 | level (0 = leaf)
 *   words 1 .. M-1    keys, ascending; unused ones are UINT64_MAX
 *   words M ..        inner: M children; child i holds the keys from key[i-1] on and below key[i]
 *                     leaf: M-1 values (or addresses of records), then the address of the next leaf
 *
 * Entries are the keys of a leaf and the children of an inner node. A node of order 4 is one cache
 * line.
 */
#ifndef BENCH_BTREE_H
#define BENCH_BTREE_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/team.h"
#include "common/err.h"

#define BTREE_ORDER_MIN  4
#define BTREE_ORDER_MAX  512
#define BTREE_LEVELS_MAX 40
#define BTREE_BATCH_MAX  64
#define BTREE_NO_KEY     UINT64_MAX

struct btree {
	uint64_t order;
	uint64_t leaf_fill, inner_fill; /* entries that a node was meant to get */
	uint64_t *root;
	int levels; /* 1: the root is a leaf */

	uint64_t *nodes; /* from the arena */
	uint64_t nr_nodes, max_nodes;

	unsigned char *records; /* NULL: values are in the leaves */
	uint64_t record_bytes;

	uint64_t nr_keys, gap, seed; /* the data set */
};

/* --- the layout ----------------------------------------------------------------------------- */

static inline uint64_t btree_entries(const uint64_t *node)
{
	return node[0] >> 32;
}

static inline uint64_t btree_level(const uint64_t *node)
{
	return node[0] & UINT32_MAX;
}

static inline uint64_t btree_node_bytes(uint64_t order)
{
	return 16 * order;
}

/* --- the data set ---------------------------------------------------------------------------- */

/* A bijection that scatters (the finaliser of SplitMix64; Steele, Lea, Flood, OOPSLA 2014). */
static inline uint64_t btree_mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* A number below `limit` from a uniform one. */
static inline uint64_t btree_below(uint64_t uniform, uint64_t limit)
{
	return (uint64_t)((unsigned __int128)uniform * limit >> 64);
}

/* Keys ascend with their index; each lies somewhere in a gap of its own. */
static inline uint64_t btree_key(const struct btree *tree, uint64_t index)
{
	return index * tree->gap + btree_below(btree_mix(index + tree->seed), tree->gap);
}

static inline uint64_t btree_value(const struct btree *tree, uint64_t key)
{
	return btree_mix(key ^ tree->seed);
}

/* --- size and building (btree_build.c) ------------------------------------------------------- */

/* Entries per node at a fill in percent: at least half of a node. */
uint64_t btree_leaf_fill(uint64_t order, uint64_t percent);
uint64_t btree_inner_fill(uint64_t order, uint64_t percent);

/* Nodes of a bulk-loaded tree; the levels' sizes, leaves first, when `levels` is not NULL. */
uint64_t btree_bulk_nodes(uint64_t nr_keys, uint64_t leaf_fill, uint64_t inner_fill,
			  uint64_t levels[BTREE_LEVELS_MAX], int *nr_levels);

/*
 * Builds the tree over all keys at once, every thread its share of every level: needs nodes,
 * max_nodes and the data set. ERR_INTERNAL when the nodes do not suffice.
 */
int btree_bulk_load(struct btree *tree, struct team *team, struct err *err);

/*
 * Inserts the keys one by one on the calling thread, in random or ascending order. ERR_INTERNAL
 * when the nodes run out.
 */
int btree_insert_all(struct btree *tree, bool random, struct err *err);

/* Inserts one key that is not there yet. */
int btree_insert(struct btree *tree, uint64_t key, uint64_t value, struct err *err);

/* --- lookups (btree_lookup.c) ---------------------------------------------------------------- */

/* True when the key is there. One dependent step after the other. */
bool btree_lookup(const struct btree *tree, uint64_t key, uint64_t *value);

/*
 * Looks up keys number `begin` to `end` of the endless random sequence of `seed`, `batch` at a time
 * (1: one after the other), and returns how many were found with the right value.
 */
uint64_t btree_lookup_many(const struct btree *tree, uint64_t seed, uint64_t begin, uint64_t end,
			   unsigned batch);

/* --- the check (btree_check.c) --------------------------------------------------------------- */

struct btree_verdict {
	uint64_t nodes, keys, errors;
	char first[160]; /* the first error in words */
};

/*
 * Walks the whole tree on the team: levels, fill, order of keys, separators, chain of the leaves,
 * and that it holds exactly the data set with the right values.
 */
int btree_check(const struct btree *tree, struct team *team, struct btree_verdict *verdict,
		struct err *err);

#endif
