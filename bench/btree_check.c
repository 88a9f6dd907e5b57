// SPDX-License-Identifier: MIT
/*
 * The check of a B+ tree by a walk. Knows the layout and the data set, and nothing of how the tree
 * was built or is searched. It follows no address that it has not found to be a node.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/btree.h"

/* A part of the tree: a node and the range that its keys must lie in, [low, high). */
struct part {
	const uint64_t *node;
	uint64_t level, low, high;
	bool is_root;
	/* What the walk found, from left to right. */
	const uint64_t *first_leaf, *last_leaf;
	uint64_t first_index, last_index;
	struct btree_verdict verdict;
};

struct walk {
	const struct btree *tree;
	struct team *team;
	struct part *parts;
	uint64_t nr_parts;
};

static void __attribute__((format(printf, 2, 3)))
complain(struct btree_verdict *verdict, const char *format, ...)
{
	va_list args;

	if (verdict->errors++ > 0)
		return;
	va_start(args, format);
	vsnprintf(verdict->first, sizeof(verdict->first), format, args);
	va_end(args);
}

static bool is_node(const struct btree *tree, uint64_t address)
{
	const uint64_t bytes = btree_node_bytes(tree->order);
	const uint64_t offset = address - (uintptr_t)tree->nodes;

	return address >= (uintptr_t)tree->nodes && offset < tree->nr_nodes * bytes &&
	       offset % bytes == 0;
}

/* Level, number of entries and order of the keys: what makes the rest safe to read. */
static bool check_node(const struct btree *tree, struct part *part)
{
	const uint64_t *node = part->node;
	const bool leaf = part->level == 0;
	const uint64_t entries = btree_entries(node),
		       fill = leaf ? tree->leaf_fill : tree->inner_fill;
	const uint64_t least = part->is_root ? (leaf ? 1 : 2) : (fill + 1) / 2;
	const uint64_t most = leaf ? tree->order - 1 : tree->order;
	uint64_t before = part->low;

	part->verdict.nodes++;
	if (btree_level(node) != part->level) {
		complain(&part->verdict,
			 "a node of level %" PRIu64 " where level %" PRIu64 " belongs",
			 btree_level(node), part->level);
		return false;
	}
	if (entries < least || entries > most) {
		complain(&part->verdict,
			 "a node of level %" PRIu64 " has %" PRIu64 " entries, not %" PRIu64
			 " to %" PRIu64,
			 part->level, entries, least, most);
		return false;
	}
	for (uint64_t i = 1; i < tree->order; i++) {
		const bool used = i <= (leaf ? entries : entries - 1);
		const bool ordered =
			used ? node[i] >= before && node[i] < part->high : node[i] == BTREE_NO_KEY;

		if (!ordered)
			complain(&part->verdict,
				 "key %" PRIu64 " of a node of level %" PRIu64 " is out of order",
				 i - 1, part->level);
		before = used ? node[i] + 1 : before;
	}
	return true;
}

static struct part child_part(const struct btree *tree, const struct part *part, uint64_t i)
{
	const uint64_t *node = part->node;

	return (struct part){
		.node = (const uint64_t *)(uintptr_t)node[tree->order + i],
		.level = part->level - 1,
		.low = i == 0 ? part->low : node[i],
		.high = i + 1 == btree_entries(node) ? part->high : node[i + 1],
	};
}

static void check_value(const struct btree *tree, uint64_t key, uint64_t stored,
			struct btree_verdict *verdict)
{
	if (tree->records) {
		const uint64_t offset = stored - (uintptr_t)tree->records;

		if (stored < (uintptr_t)tree->records ||
		    offset >= tree->nr_keys * tree->record_bytes ||
		    offset % tree->record_bytes != 0) {
			complain(verdict, "key %" PRIu64 " leads to no record", key);
			return;
		}
		stored = *(const uint64_t *)(uintptr_t)stored;
	}
	if (stored != btree_value(tree, key))
		complain(verdict, "key %" PRIu64 " has a wrong value", key);
}

static void check_leaf(const struct btree *tree, struct part *whole, struct part *leaf)
{
	const uint64_t *node = leaf->node;
	struct btree_verdict *verdict = &leaf->verdict;

	if (whole->last_leaf && whole->last_leaf[2 * tree->order - 1] != (uintptr_t)node)
		complain(verdict, "the chain of the leaves is broken");
	for (uint64_t i = 0; i < btree_entries(node); i++) {
		const uint64_t key = node[1 + i], index = key / tree->gap;

		if (index >= tree->nr_keys || btree_key(tree, index) != key)
			complain(verdict, "key %" PRIu64 " was never inserted", key);
		else if (whole->last_leaf || i > 0) {
			if (index != whole->last_index + 1)
				complain(verdict, "a key is missing before %" PRIu64, key);
		} else {
			whole->first_index = index;
		}
		whole->last_index = index;
		check_value(tree, key, node[tree->order + i], verdict);
		verdict->keys++;
	}
	if (!whole->first_leaf)
		whole->first_leaf = node;
	whole->last_leaf = node;
}

static void merge(struct btree_verdict *into, const struct btree_verdict *from)
{
	if (into->errors == 0 && from->errors > 0)
		memcpy(into->first, from->first, sizeof(into->first));
	into->nodes += from->nodes;
	into->keys += from->keys;
	into->errors += from->errors;
}

/* Walks a part from left to right; `whole` gathers what is found. */
static void check_part(const struct btree *tree, struct part *whole, struct part part)
{
	if (check_node(tree, &part)) {
		if (part.level == 0)
			check_leaf(tree, whole, &part);
		for (uint64_t i = 0; part.level > 0 && i < btree_entries(part.node); i++) {
			if (is_node(tree, part.node[tree->order + i]))
				check_part(tree, whole, child_part(tree, &part, i));
			else
				complain(&part.verdict, "child %" PRIu64 " of a node is no node",
					 i);
		}
	}
	merge(&whole->verdict, &part.verdict);
}

static void check_thread(void *context, int thread)
{
	struct walk *walk = context;
	const struct team_slice slice =
		team_slice(walk->nr_parts, 1, thread, team_size(walk->team));

	for (uint64_t i = slice.begin; i < slice.end; i++) {
		struct part *part = &walk->parts[i];
		const struct part start = {.node = part->node,
					   .level = part->level,
					   .low = part->low,
					   .high = part->high,
					   .is_root = part->is_root};

		check_part(walk->tree, part, start);
	}
}

/* Replaces the parts by their children, checking them on the way; false when one is damaged. */
static int split_parts(struct walk *walk, struct btree_verdict *verdict, struct err *err)
{
	const struct btree *tree = walk->tree;
	struct part *children = calloc(walk->nr_parts * tree->order, sizeof(*children));
	uint64_t count = 0;

	if (!children)
		return err_set(err, ERR_INTERNAL, "out of memory for the tree's check");
	for (uint64_t p = 0; p < walk->nr_parts; p++) {
		struct part *part = &walk->parts[p];

		if (check_node(tree, part)) {
			for (uint64_t i = 0; i < btree_entries(part->node); i++) {
				if (is_node(tree, part->node[tree->order + i]))
					children[count++] = child_part(tree, part, i);
				else
					complain(&part->verdict,
						 "child %" PRIu64 " of a node is no node", i);
			}
		}
		merge(verdict, &part->verdict);
	}
	free(walk->parts);
	walk->parts = children;
	walk->nr_parts = count;
	return 0;
}

/* The seams between the parts, and both ends. */
static void join_parts(const struct walk *walk, struct btree_verdict *verdict)
{
	const struct btree *tree = walk->tree;
	const struct part *before = NULL;

	for (uint64_t i = 0; i < walk->nr_parts; i++) {
		const struct part *part = &walk->parts[i];
		const uint64_t due = before ? before->last_index + 1 : 0;

		merge(verdict, &part->verdict);
		if (!part->first_leaf)
			continue;
		if (part->first_index != due)
			complain(verdict, "keys are missing before number %" PRIu64,
				 part->first_index);
		if (before && before->last_leaf[2 * tree->order - 1] != (uintptr_t)part->first_leaf)
			complain(verdict, "the chain of the leaves is broken");
		before = part;
	}
	if (before && before->last_leaf[2 * tree->order - 1] != 0)
		complain(verdict, "the chain of the leaves does not end");
	if (!before || before->last_index != tree->nr_keys - 1 || verdict->keys != tree->nr_keys)
		complain(verdict, "the leaves hold %" PRIu64 " keys, not %" PRIu64, verdict->keys,
			 tree->nr_keys);
}

int btree_check(const struct btree *tree, struct team *team, struct btree_verdict *verdict,
		struct err *err)
{
	const uint64_t enough = 16 * (uint64_t)team_size(team);
	struct walk walk = {.tree = tree, .team = team};
	uint64_t level = (uint64_t)tree->levels - 1;

	*verdict = (struct btree_verdict){0};
	walk.parts = calloc(1, sizeof(*walk.parts));
	if (!walk.parts)
		return err_set(err, ERR_INTERNAL, "out of memory for the tree's check");
	walk.parts[0] = (struct part){
		.node = tree->root, .level = level, .high = BTREE_NO_KEY, .is_root = true};
	walk.nr_parts = 1;
	for (; level > 0 && walk.nr_parts < enough && walk.nr_parts > 0; level--) {
		if (split_parts(&walk, verdict, err) != 0) {
			free(walk.parts);
			return -1;
		}
	}
	team_run(team, check_thread, &walk);
	join_parts(&walk, verdict);
	free(walk.parts);
	return 0;
}
