// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>

#include "bench/btree.h"

enum how { BULK, RANDOM, SEQUENTIAL };

static struct team *new_team(void)
{
	struct err err = {0};
	struct team *team;
	int cpu = sched_getcpu();

	assert_int_equal(team_create(&team, &cpu, 1, 3, &err), 0);
	return team;
}

static struct btree new_tree(struct team *team, uint64_t order, uint64_t keys, enum how how,
			     uint64_t percent, uint64_t record_bytes)
{
	struct btree tree = {.order = order,
			     .nr_keys = keys,
			     .gap = (UINT64_MAX - 1) / keys,
			     .seed = 42,
			     .record_bytes = record_bytes};
	struct err err = {0};

	tree.leaf_fill = how == BULK ? btree_leaf_fill(order, percent) : order - 1;
	tree.inner_fill = how == BULK ? btree_inner_fill(order, percent) : order;
	tree.max_nodes = btree_bulk_nodes(keys, order / 2, order / 2, NULL, NULL) + 8;
	tree.nodes = calloc(tree.max_nodes, btree_node_bytes(order));
	if (record_bytes)
		tree.records = calloc(keys, record_bytes);
	if (how == BULK)
		assert_int_equal(btree_bulk_load(&tree, team, &err), 0);
	else
		assert_int_equal(btree_insert_all(&tree, how == RANDOM, &err), 0);
	return tree;
}

static void free_tree(struct btree *tree)
{
	free(tree->nodes);
	free(tree->records);
}

static void expect_sound(const struct btree *tree, struct team *team)
{
	struct btree_verdict verdict;
	struct err err = {0};

	assert_int_equal(btree_check(tree, team, &verdict, &err), 0);
	if (verdict.errors)
		fail_msg("order %d, %d keys: %s", (int)tree->order, (int)tree->nr_keys,
			 verdict.first);
	assert_int_equal(verdict.keys, tree->nr_keys);
	assert_int_equal(verdict.nodes, tree->nr_nodes);
}

static void expect_found(const struct btree *tree)
{
	uint64_t value;

	for (uint64_t i = 0; i < tree->nr_keys; i++) {
		const uint64_t key = btree_key(tree, i);

		assert_true(btree_lookup(tree, key, &value));
		assert_true(value == btree_value(tree, key));
		if (tree->nr_keys > 1)
			assert_false(btree_lookup(tree, key + 1, &value) &&
				     btree_key(tree, i + 1) != key + 1);
	}
	assert_false(btree_lookup(tree, UINT64_MAX - 1, &value));
}

static void trees_of_every_shape_are_sound(void **state)
{
	static const uint64_t sizes[] = {1, 2, 3, 4, 5, 7, 16, 17, 100, 1000, 20011};
	struct team *team = new_team();

	(void)state;
	for (uint64_t order = BTREE_ORDER_MIN; order <= BTREE_ORDER_MAX; order *= 2) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			for (enum how how = BULK; how <= SEQUENTIAL; how++) {
				struct btree tree = new_tree(team, order, sizes[i], how, 70,
							     how == RANDOM ? 32 : 0);

				expect_sound(&tree, team);
				expect_found(&tree);
				free_tree(&tree);
			}
		}
	}
	team_destroy(team);
}

static void fills_and_batches_work(void **state)
{
	struct team *team = new_team();

	(void)state;
	for (uint64_t percent = 50; percent <= 100; percent += 10) {
		struct btree tree = new_tree(team, 8, 30000, BULK, percent, 8);

		expect_sound(&tree, team);
		for (unsigned batch = 1; batch <= BTREE_BATCH_MAX; batch += 21)
			assert_int_equal(btree_lookup_many(&tree, 1, 100, 5203, batch), 5103);
		free_tree(&tree);
	}
	team_destroy(team);
}

/* --- the check must catch damage -------------------------------------------------------------- */

static uint64_t *leftmost_leaf(const struct btree *tree)
{
	uint64_t *node = tree->root;

	while (btree_level(node) > 0)
		node = (uint64_t *)(uintptr_t)node[tree->order];
	return node;
}

static void swap_words(uint64_t *a, uint64_t *b)
{
	const uint64_t word = *a;

	*a = *b;
	*b = word;
}

static void swap_keys(struct btree *tree)
{
	uint64_t *leaf = leftmost_leaf(tree);

	swap_words(&leaf[1], &leaf[2]);
}

static void shift_separator(struct btree *tree)
{
	tree->root[1] += tree->gap * 3;
}

static void wrong_value(struct btree *tree)
{
	*(uint64_t *)(uintptr_t)leftmost_leaf(tree)[tree->order] ^= 1;
}

static void wild_record(struct btree *tree)
{
	leftmost_leaf(tree)[tree->order] = 24;
}

static void lose_key(struct btree *tree)
{
	uint64_t *leaf = leftmost_leaf(tree);

	leaf[0] -= UINT64_C(1) << 32;
	leaf[btree_entries(leaf) + 1] = BTREE_NO_KEY;
}

static void foreign_key(struct btree *tree)
{
	leftmost_leaf(tree)[1] += 1;
}

static void cut_chain(struct btree *tree)
{
	leftmost_leaf(tree)[2 * tree->order - 1] = 0;
}

static void wrong_level(struct btree *tree)
{
	leftmost_leaf(tree)[0] |= 5;
}

static void too_many_entries(struct btree *tree)
{
	leftmost_leaf(tree)[0] += UINT64_C(1000) << 32;
}

static void wild_child(struct btree *tree)
{
	tree->root[tree->order + 1] = 0xdeadbeef;
}

static void crooked_child(struct btree *tree)
{
	tree->root[tree->order + 1] += 8;
}

static void swap_children(struct btree *tree)
{
	swap_words(&tree->root[tree->order], &tree->root[tree->order + 1]);
}

static void stale_slot(struct btree *tree)
{
	uint64_t *leaf = leftmost_leaf(tree);

	leaf[1 + btree_entries(leaf)] = leaf[btree_entries(leaf)] + 1;
}

static void damage_is_noticed(void **state)
{
	static void (*const damages[])(struct btree *) = {
		swap_keys,        shift_separator, wrong_value,   wild_record, lose_key,
		foreign_key,      cut_chain,       wrong_level,   stale_slot,  wild_child,
		too_many_entries, crooked_child,   swap_children,
	};
	struct team *team = new_team();

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct btree tree = new_tree(team, 8, 5000, BULK, 70, 16);
		struct btree_verdict verdict;
		struct err err = {0};

		expect_sound(&tree, team);
		damages[i](&tree);
		assert_int_equal(btree_check(&tree, team, &verdict, &err), 0);
		if (verdict.errors == 0)
			fail_msg("damage %d was not noticed", (int)i);
		assert_true(strlen(verdict.first) > 0);
		free_tree(&tree);
	}
	team_destroy(team);
}

static void wrong_lookups_are_not_counted(void **state)
{
	struct team *team = new_team();
	struct btree tree = new_tree(team, 16, 1000, BULK, 100, 0);
	const uint64_t all = btree_lookup_many(&tree, 9, 0, 20000, 1);
	uint64_t *leaf = leftmost_leaf(&tree);

	(void)state;
	assert_int_equal(all, 20000);
	leaf[tree.order]++;
	assert_in_range(btree_lookup_many(&tree, 9, 0, 20000, 1), 19900, 19999);
	assert_in_range(btree_lookup_many(&tree, 9, 0, 20000, 8), 19900, 19999);
	free_tree(&tree);
	team_destroy(team);
}

static void running_out_of_nodes_is_an_error(void **state)
{
	struct btree tree = {.order = 4, .nr_keys = 100, .gap = 1000, .max_nodes = 10};
	struct err err = {0};

	(void)state;
	tree.nodes = calloc(10, btree_node_bytes(4));
	assert_int_equal(btree_insert_all(&tree, true, &err), -1);
	assert_int_equal(err.kind, ERR_INTERNAL);
	free(tree.nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_of_every_shape_are_sound),
		cmocka_unit_test(fills_and_batches_work),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(wrong_lookups_are_not_counted),
		cmocka_unit_test(running_out_of_nodes_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
