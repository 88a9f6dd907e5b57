// SPDX-License-Identifier: MIT
#include "bench/loadgen/table.h"

#include <string.h>

uint64_t table_buckets(uint64_t nr_nodes, const struct table_shape *shape)
{
	uint64_t buckets = shape->first_buckets;

	while (buckets * shape->load_percent / 100 < nr_nodes)
		buckets *= 2;
	return buckets;
}

uint64_t table_bytes(uint64_t nr_nodes, const struct table_shape *shape)
{
	const uint64_t buckets = table_buckets(nr_nodes, shape);

	return (buckets + buckets / 2) * sizeof(struct table_node *);
}

void table_init(struct table *table, void *memory, uint64_t nr_nodes,
		const struct table_shape *shape, uint64_t (*hash)(const struct table_node *node))
{
	const uint64_t most = table_buckets(nr_nodes, shape);
	int doublings = 0;

	*table = (struct table){
		.nr_buckets = shape->first_buckets,
		.load_percent = shape->load_percent,
		.nr_buckets_max = most,
		.hash = hash,
	};
	while (shape->first_buckets << doublings < most)
		doublings++;
	/* The last one lies in the larger place, so the first depends on how many there will be. */
	table->places[doublings % 2] = memory;
	table->places[(doublings + 1) % 2] = (struct table_node **)memory + most;
	table->buckets = table->places[0];
}

struct table_node **table_chain(const struct table *table, uint64_t hash)
{
	const uint64_t bucket = hash & (table->nr_buckets - 1);
	const uint64_t before = bucket & (table->nr_buckets / 2 - 1);
	struct table_node **old = atomic_load_explicit(&table->old, memory_order_acquire);

	if (old && before >= atomic_load_explicit(&table->moved, memory_order_acquire))
		return &old[before];
	return &table->buckets[bucket];
}

void table_insert(struct table *table, struct table_node *node)
{
	struct table_node **chain = table_chain(table, table->hash(node));

	node->next = *chain;
	*chain = node;
	table->nr_nodes++;
}

void table_remove(struct table *table, struct table_node *node)
{
	struct table_node **at = table_chain(table, table->hash(node));

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	table->nr_nodes--;
}

bool table_is_full(const struct table *table)
{
	return !table->old && table->nr_buckets < table->nr_buckets_max &&
	       table->nr_nodes >= table->nr_buckets * table->load_percent / 100;
}

void table_grow(struct table *table)
{
	struct table_node **next = table->places[table->buckets == table->places[0] ? 1 : 0];

	/* The table before the last lay there; the memory behind it is still zero. */
	memset(next, 0, table->nr_buckets / 2 * sizeof(next[0]));
	table->moved = 0;
	table->old = table->buckets;
	table->buckets = next;
	table->nr_buckets *= 2;
}

int64_t table_next_move(const struct table *table)
{
	return table->old ? (int64_t)table->moved : -1;
}

void table_move(struct table *table)
{
	struct table_node **old = table->old, *node, *next;

	if (!old)
		return;
	for (node = old[table->moved]; node; node = next) {
		struct table_node **chain =
			&table->buckets[table->hash(node) & (table->nr_buckets - 1)];

		next = node->next;
		node->next = *chain;
		*chain = node;
	}
	if (atomic_fetch_add_explicit(&table->moved, 1, memory_order_acq_rel) + 1 ==
	    table->nr_buckets / 2)
		table->old = NULL;
}
