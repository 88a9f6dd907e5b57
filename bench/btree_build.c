// SPDX-License-Identifier: MIT
/* Building: bulk load of all levels in parallel, and insertion with splits. */
#include <string.h>

#include "bench/btree.h"

static void set_header(uint64_t *node, uint64_t entries, uint64_t level)
{
	node[0] = entries << 32 | level;
}

static uint64_t fill_of(uint64_t capacity, uint64_t percent)
{
	const uint64_t fill = (capacity * percent + 50) / 100;
	const uint64_t least = (capacity + 1) / 2;

	return fill < least ? least : fill;
}

uint64_t btree_leaf_fill(uint64_t order, uint64_t percent)
{
	return fill_of(order - 1, percent);
}

uint64_t btree_inner_fill(uint64_t order, uint64_t percent)
{
	return fill_of(order, percent);
}

uint64_t btree_bulk_nodes(uint64_t nr_keys, uint64_t leaf_fill, uint64_t inner_fill,
			  uint64_t levels[BTREE_LEVELS_MAX], int *nr_levels)
{
	uint64_t count = (nr_keys + leaf_fill - 1) / leaf_fill, sum = count;
	int level = 0;

	if (levels)
		levels[0] = count;
	while (count > 1) {
		count = (count + inner_fill - 1) / inner_fill;
		sum += count;
		level++;
		if (levels)
			levels[level] = count;
	}
	if (nr_levels)
		*nr_levels = level + 1;
	return sum;
}

/* --- bulk load ------------------------------------------------------------------------------- */

struct bulk {
	struct btree *tree;
	struct team *team;
	uint64_t counts[BTREE_LEVELS_MAX]; /* nodes of each level */
	uint64_t *first[BTREE_LEVELS_MAX]; /* the level's nodes are in a row */
};

/* Node j of a level gets the items from here to first_item(j + 1): all nodes alike, give or take
 * one. */
static uint64_t first_item(const struct bulk *bulk, int level, uint64_t j)
{
	const uint64_t items = level == 0 ? bulk->tree->nr_keys : bulk->counts[level - 1];

	return (uint64_t)((unsigned __int128)items * j / bulk->counts[level]);
}

static uint64_t *node_at(const struct bulk *bulk, int level, uint64_t j)
{
	return bulk->first[level] + j * 2 * bulk->tree->order;
}

/* The smallest key below node j of a level. */
static uint64_t smallest_key(const struct bulk *bulk, int level, uint64_t j)
{
	for (; level >= 0; level--)
		j = first_item(bulk, level, j);
	return btree_key(bulk->tree, j);
}

/* What a leaf holds for the key: its value, or the address of its record. */
static uint64_t leaf_value(const struct btree *tree, uint64_t record, uint64_t key)
{
	uint64_t *at;

	if (!tree->records)
		return btree_value(tree, key);
	at = (uint64_t *)(tree->records + record * tree->record_bytes);
	*at = btree_value(tree, key);
	return (uintptr_t)at;
}

static void fill_leaf(const struct bulk *bulk, uint64_t j)
{
	const struct btree *tree = bulk->tree;
	const uint64_t begin = first_item(bulk, 0, j), end = first_item(bulk, 0, j + 1);
	uint64_t *node = node_at(bulk, 0, j), *values = node + tree->order;
	const bool last = j + 1 == bulk->counts[0];

	set_header(node, end - begin, 0);
	for (uint64_t i = 0; i < tree->order - 1; i++) {
		const bool used = begin + i < end;
		const uint64_t key = used ? btree_key(tree, begin + i) : BTREE_NO_KEY;

		node[1 + i] = key;
		values[i] = used ? leaf_value(tree, begin + i, key) : 0;
	}
	values[tree->order - 1] = last ? 0 : (uintptr_t)node_at(bulk, 0, j + 1);
}

static void fill_inner(const struct bulk *bulk, int level, uint64_t j)
{
	const uint64_t order = bulk->tree->order;
	const uint64_t begin = first_item(bulk, level, j), end = first_item(bulk, level, j + 1);
	uint64_t *node = node_at(bulk, level, j), *children = node + order;

	set_header(node, end - begin, (uint64_t)level);
	for (uint64_t i = 0; i < order; i++)
		children[i] = begin + i < end ? (uintptr_t)node_at(bulk, level - 1, begin + i) : 0;
	for (uint64_t i = 1; i < order; i++)
		node[i] = begin + i < end ? smallest_key(bulk, level - 1, begin + i) : BTREE_NO_KEY;
}

static void bulk_thread(void *context, int thread)
{
	const struct bulk *bulk = context;

	for (int level = 0; level < bulk->tree->levels; level++) {
		const struct team_slice slice =
			team_slice(bulk->counts[level], 64, thread, team_size(bulk->team));

		for (uint64_t j = slice.begin; j < slice.end; j++) {
			if (level == 0)
				fill_leaf(bulk, j);
			else
				fill_inner(bulk, level, j);
		}
	}
}

int btree_bulk_load(struct btree *tree, struct team *team, struct err *err)
{
	struct bulk bulk = {.tree = tree, .team = team};
	uint64_t *next = tree->nodes;

	tree->nr_nodes = btree_bulk_nodes(tree->nr_keys, tree->leaf_fill, tree->inner_fill,
					  bulk.counts, &tree->levels);
	if (tree->nr_nodes > tree->max_nodes)
		return err_set(err, ERR_INTERNAL, "the tree needs more nodes than were planned");
	for (int level = 0; level < tree->levels; level++) {
		bulk.first[level] = next;
		next += bulk.counts[level] * 2 * tree->order;
	}
	tree->root = bulk.first[tree->levels - 1];
	team_run(team, bulk_thread, &bulk);
	return 0;
}

/* --- insertion ------------------------------------------------------------------------------- */

static uint64_t *new_node(struct btree *tree, uint64_t level, struct err *err)
{
	uint64_t *node;

	if (tree->nr_nodes == tree->max_nodes) {
		err_set(err, ERR_INTERNAL, "the tree needs more nodes than were planned");
		return NULL;
	}
	node = tree->nodes + tree->nr_nodes++ * 2 * tree->order;
	set_header(node, 0, level);
	memset(node + 1, 0xff, (tree->order - 1) * sizeof(uint64_t));
	return node;
}

/* How many of the keys are at most `key`. */
static uint64_t position(const uint64_t *node, uint64_t nr_keys, uint64_t key)
{
	uint64_t low = 0, high = nr_keys;

	while (low < high) {
		const uint64_t middle = (low + high) / 2;

		if (node[1 + middle] <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert_word(uint64_t *words, uint64_t count, uint64_t at, uint64_t word)
{
	memmove(words + at + 1, words + at, (count - at) * sizeof(uint64_t));
	words[at] = word;
}

/* Copies words [from, from + count) into a node's array and clears what is left of `capacity`. */
static void place_words(uint64_t *to, const uint64_t *words, uint64_t count, uint64_t capacity,
			int clear)
{
	memcpy(to, words, count * sizeof(uint64_t));
	memset(to + count, clear, (capacity - count) * sizeof(uint64_t));
}

/* A split that the level above must take in. */
struct promotion {
	uint64_t key, *right; /* right NULL: nothing to do */
};

static int leaf_insert(struct btree *tree, uint64_t *node, uint64_t key, uint64_t value,
		       struct promotion *promotion, struct err *err)
{
	const uint64_t order = tree->order, count = btree_entries(node);
	const uint64_t at = position(node, count, key), left = order / 2;
	uint64_t keys[BTREE_ORDER_MAX], values[BTREE_ORDER_MAX];
	uint64_t *right;

	if (count < order - 1) {
		insert_word(node + 1, count, at, key);
		insert_word(node + order, count, at, value);
		set_header(node, count + 1, 0);
		return 0;
	}
	right = new_node(tree, 0, err);
	if (!right)
		return -1;
	memcpy(keys, node + 1, count * sizeof(uint64_t));
	memcpy(values, node + order, count * sizeof(uint64_t));
	insert_word(keys, count, at, key);
	insert_word(values, count, at, value);
	right[2 * order - 1] = node[2 * order - 1];
	node[2 * order - 1] = (uintptr_t)right;
	place_words(node + 1, keys, left, order - 1, 0xff);
	place_words(node + order, values, left, order - 1, 0);
	place_words(right + 1, keys + left, order - left, order - 1, 0xff);
	place_words(right + order, values + left, order - left, order - 1, 0);
	set_header(node, left, 0);
	set_header(right, order - left, 0);
	*promotion = (struct promotion){right[1], right};
	return 0;
}

/* Takes the promotion in at child `at`; a node that splits leaves a new promotion. */
static int inner_insert(struct btree *tree, uint64_t *node, uint64_t at,
			struct promotion *promotion, struct err *err)
{
	const uint64_t order = tree->order, count = btree_entries(node), left = order / 2 + 1;
	uint64_t keys[BTREE_ORDER_MAX], children[BTREE_ORDER_MAX + 1];
	uint64_t *right;

	if (count < order) {
		insert_word(node + 1, count - 1, at, promotion->key);
		insert_word(node + order, count, at + 1, (uintptr_t)promotion->right);
		set_header(node, count + 1, btree_level(node));
		promotion->right = NULL;
		return 0;
	}
	right = new_node(tree, btree_level(node), err);
	if (!right)
		return -1;
	memcpy(keys, node + 1, (count - 1) * sizeof(uint64_t));
	memcpy(children, node + order, count * sizeof(uint64_t));
	insert_word(keys, count - 1, at, promotion->key);
	insert_word(children, count, at + 1, (uintptr_t)promotion->right);
	place_words(node + 1, keys, left - 1, order - 1, 0xff);
	place_words(node + order, children, left, order, 0);
	place_words(right + 1, keys + left, order - left, order - 1, 0xff);
	place_words(right + order, children + left, order + 1 - left, order, 0);
	set_header(node, left, btree_level(node));
	set_header(right, order + 1 - left, btree_level(node));
	*promotion = (struct promotion){keys[left - 1], right};
	return 0;
}

static int grow_root(struct btree *tree, const struct promotion *promotion, struct err *err)
{
	uint64_t *root;

	if (tree->levels == BTREE_LEVELS_MAX)
		return err_set(err, ERR_INTERNAL, "the tree has too many levels");
	root = new_node(tree, (uint64_t)tree->levels, err);
	if (!root)
		return -1;
	root[1] = promotion->key;
	root[tree->order] = (uintptr_t)tree->root;
	root[tree->order + 1] = (uintptr_t)promotion->right;
	set_header(root, 2, (uint64_t)tree->levels);
	tree->root = root;
	tree->levels++;
	return 0;
}

int btree_insert(struct btree *tree, uint64_t key, uint64_t value, struct err *err)
{
	uint64_t *path[BTREE_LEVELS_MAX], at[BTREE_LEVELS_MAX];
	struct promotion promotion = {0};
	uint64_t *node = tree->root;

	if (!node) {
		node = tree->root = new_node(tree, 0, err);
		if (!node)
			return -1;
		tree->levels = 1;
	}
	for (int level = tree->levels - 1; level > 0; level--) {
		path[level] = node;
		at[level] = position(node, btree_entries(node) - 1, key);
		node = (uint64_t *)(uintptr_t)node[tree->order + at[level]];
	}
	if (leaf_insert(tree, node, key, value, &promotion, err) != 0)
		return -1;
	for (int level = 1; promotion.right && level < tree->levels; level++)
		if (inner_insert(tree, path[level], at[level], &promotion, err) != 0)
			return -1;
	return promotion.right ? grow_root(tree, &promotion, err) : 0;
}

/*
 * A permutation of [0, count): a Feistel network on the next even number of bits, repeated while it
 * leads out of the range (Black and Rogaway, CT-RSA 2002).
 */
static uint64_t permute(uint64_t index, uint64_t count, uint64_t seed)
{
	int half = 1;
	uint64_t mask;

	while (half < 32 && UINT64_C(1) << 2 * half < count)
		half++;
	mask = (UINT64_C(1) << half) - 1;
	do {
		uint64_t left = index >> half, right = index & mask;

		for (uint64_t round = 0; round < 4; round++) {
			const uint64_t mixed = btree_mix(right + (seed << 2 | round) * 0x9e3779b9);
			const uint64_t old = right;

			right = left ^ (mixed & mask);
			left = old;
		}
		index = left << half | right;
	} while (index >= count);
	return index;
}

int btree_insert_all(struct btree *tree, bool random, struct err *err)
{
	for (uint64_t i = 0; i < tree->nr_keys; i++) {
		const uint64_t index = random ? permute(i, tree->nr_keys, tree->seed) : i;
		const uint64_t key = btree_key(tree, index);

		if (btree_insert(tree, key, leaf_value(tree, i, key), err) != 0)
			return -1;
	}
	return 0;
}
