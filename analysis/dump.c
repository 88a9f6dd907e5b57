// SPDX-License-Identifier: MIT
#include "analysis/dump.h"

#include <math.h>

static double number(const json_t *value)
{
	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The entry of "nodes" whose "node" (or "id") is the given one. */
static const json_t *node_entry(const json_t *dump, int node)
{
	const json_t *nodes = json_object_get(dump, "nodes");
	size_t i;
	json_t *entry;

	json_array_foreach ((json_t *)nodes, i, entry) {
		if (number(json_object_get(entry, "node")) == node)
			return entry;
	}
	return NULL;
}

int dump_nodes(const json_t *dump)
{
	int highest = -1;

	for (int node = 0; node < DUMP_NODES_MAX; node++)
		if (node_entry(dump, node))
			highest = node;
	return highest + 1;
}

double dump_table_pages(const json_t *dump, int node)
{
	double sum = 0;

	if (node >= 0)
		return number(json_object_get(node_entry(dump, node), "table_pages"));
	if (dump_nodes(dump) == 0)
		return NAN;
	for (int i = 0; i < dump_nodes(dump); i++) {
		const double pages = dump_table_pages(dump, i);

		sum += isnan(pages) ? 0 : pages;
	}
	return sum;
}

double dump_local_leaf_fraction(const json_t *dump, int node)
{
	return number(json_object_get(node_entry(dump, node), "local_leaf_fraction"));
}
