// SPDX-License-Identifier: MIT
/*
 * Lookups. Every order has its own copy of the code, made by the compiler from one inline function
 * with the order as a constant.
 */
#include "bench/btree.h"

#define CACHE_LINE 64

/*
 * How many keys are at most `key`, without a branch that could be mispredicted: unused keys count
 * as larger than any. Short nodes are counted through, long ones halved (order - 1 = 2^n - 1 keys).
 */
static inline __attribute__((always_inline)) uint64_t rank(const uint64_t *keys, uint64_t order,
							   uint64_t key)
{
	uint64_t result = 0;

	if (order <= 8) {
		for (uint64_t i = 0; i < order - 1; i++)
			result += keys[i] <= key;
		return result;
	}
	for (uint64_t step = order / 2; step > 0; step /= 2)
		result += -(uint64_t)(keys[result + step - 1] <= key) & step;
	return result;
}

/* All lines of a node at once: they cost one trip to memory instead of one each. */
static inline __attribute__((always_inline)) void prefetch_node(const uint64_t *node,
								uint64_t order)
{
	if (order <= 4)
		return;
	for (uint64_t line = 0; line < btree_node_bytes(order); line += CACHE_LINE)
		__builtin_prefetch((const char *)node + line, 0, 3);
}

static inline __attribute__((always_inline)) const uint64_t *child(const uint64_t *node,
								   uint64_t order, uint64_t key)
{
	return (const uint64_t *)(uintptr_t)node[order + rank(node + 1, order, key)];
}

static inline __attribute__((always_inline)) bool leaf_find(const struct btree *tree,
							    const uint64_t *leaf, uint64_t order,
							    uint64_t key, uint64_t *value)
{
	const uint64_t at = rank(leaf + 1, order, key);

	/* leaf[at] is the key before: for at = 0 it is the header, so ask for that too. */
	if (at == 0 || leaf[at] != key)
		return false;
	*value = leaf[order + at - 1];
	if (tree->records)
		*value = *(const uint64_t *)(uintptr_t)*value;
	return true;
}

static inline __attribute__((always_inline)) bool lookup(const struct btree *tree, uint64_t order,
							 uint64_t key, uint64_t *value)
{
	const uint64_t *node = tree->root;

	for (int level = tree->levels - 1; level > 0; level--) {
		node = child(node, order, key);
		prefetch_node(node, order);
	}
	return leaf_find(tree, node, order, key, value);
}

/* Key number `number` of the random sequence. */
static inline uint64_t random_key(const struct btree *tree, uint64_t seed, uint64_t number)
{
	const uint64_t uniform = btree_mix(seed + number * UINT64_C(0x9e3779b97f4a7c15));

	return btree_key(tree, btree_below(uniform, tree->nr_keys));
}

static inline __attribute__((always_inline)) uint64_t
lookup_range(const struct btree *tree, uint64_t order, uint64_t seed, uint64_t begin, uint64_t end)
{
	uint64_t matches = 0;

	for (uint64_t number = begin; number < end; number++) {
		const uint64_t key = random_key(tree, seed, number);
		uint64_t value;

		if (lookup(tree, order, key, &value))
			matches += value == btree_value(tree, key);
	}
	return matches;
}

/* `count` lookups that go down the tree side by side, so that their misses overlap. */
static inline __attribute__((always_inline)) uint64_t lookup_batch(const struct btree *tree,
								   uint64_t order, uint64_t seed,
								   uint64_t begin, unsigned count)
{
	const uint64_t *nodes[BTREE_BATCH_MAX];
	uint64_t keys[BTREE_BATCH_MAX], matches = 0, value;

	for (unsigned i = 0; i < count; i++) {
		keys[i] = random_key(tree, seed, begin + i);
		nodes[i] = tree->root;
	}
	for (int level = tree->levels - 1; level > 0; level--) {
		for (unsigned i = 0; i < count; i++) {
			nodes[i] = child(nodes[i], order, keys[i]);
			__builtin_prefetch(nodes[i], 0, 3);
			prefetch_node(nodes[i], order);
		}
	}
	for (unsigned i = 0; i < count; i++)
		if (leaf_find(tree, nodes[i], order, keys[i], &value))
			matches += value == btree_value(tree, keys[i]);
	return matches;
}

static inline __attribute__((always_inline)) uint64_t lookup_many(const struct btree *tree,
								  uint64_t order, uint64_t seed,
								  uint64_t begin, uint64_t end,
								  unsigned batch)
{
	uint64_t matches = 0;

	if (batch <= 1)
		return lookup_range(tree, order, seed, begin, end);
	for (; begin + batch <= end; begin += batch)
		matches += lookup_batch(tree, order, seed, begin, batch);
	return matches + lookup_range(tree, order, seed, begin, end);
}

#define LOOKUP_OF_ORDER(order)                                                                \
	static bool lookup_##order(const struct btree *tree, uint64_t key, uint64_t *value)   \
	{                                                                                     \
		return lookup(tree, order, key, value);                                       \
	}                                                                                     \
	static uint64_t many_##order(const struct btree *tree, uint64_t seed, uint64_t begin, \
				     uint64_t end, unsigned batch)                            \
	{                                                                                     \
		return lookup_many(tree, order, seed, begin, end, batch);                     \
	}

LOOKUP_OF_ORDER(4)
LOOKUP_OF_ORDER(8)
LOOKUP_OF_ORDER(16)
LOOKUP_OF_ORDER(32)
LOOKUP_OF_ORDER(64)
LOOKUP_OF_ORDER(128)
LOOKUP_OF_ORDER(256)
LOOKUP_OF_ORDER(512)

struct lookups {
	bool (*one)(const struct btree *tree, uint64_t key, uint64_t *value);
	uint64_t (*many)(const struct btree *tree, uint64_t seed, uint64_t begin, uint64_t end,
			 unsigned batch);
};

/* By log2(order) - 2. */
static const struct lookups by_order[] = {
	{lookup_4, many_4},     {lookup_8, many_8},     {lookup_16, many_16},
	{lookup_32, many_32},   {lookup_64, many_64},   {lookup_128, many_128},
	{lookup_256, many_256}, {lookup_512, many_512},
};

static const struct lookups *lookups_of(const struct btree *tree)
{
	return &by_order[__builtin_ctzll(tree->order) - 2];
}

bool btree_lookup(const struct btree *tree, uint64_t key, uint64_t *value)
{
	return lookups_of(tree)->one(tree, key, value);
}

uint64_t btree_lookup_many(const struct btree *tree, uint64_t seed, uint64_t begin, uint64_t end,
			   unsigned batch)
{
	return lookups_of(tree)->many(tree, seed, begin, end, batch);
}
