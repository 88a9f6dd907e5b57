// SPDX-License-Identifier: MIT
#include "analysis/dump.h"

#include <math.h>

static double number(const json_t *value)
{
	return json_is_number(value) ? json_number_value(value) : NAN;
}

int dump_nodes(const json_t *dump)
{
	const json_int_t nodes = json_integer_value(json_object_get(dump, "nr_nodes"));

	return nodes > 0 && nodes <= DUMP_NODES_MAX ? (int)nodes : 0;
}

/* "table_pages" has one array per level, indexed by node. */
double dump_table_pages(const json_t *dump, int node)
{
	const json_t *levels = json_object_get(dump, "table_pages");
	const char *level;
	json_t *pages;
	double sum = 0;

	if (!json_is_object(levels) || node >= dump_nodes(dump))
		return NAN;
	json_object_foreach ((json_t *)levels, level, pages) {
		for (int i = 0; i < (int)json_array_size(pages); i++)
			if (node < 0 || i == node)
				sum += number(json_array_get(pages, (size_t)i));
	}
	return sum;
}

double dump_local_leaf_fraction(const json_t *dump, int node)
{
	const json_t *views = json_object_get(dump, "seen_from");
	size_t i;
	json_t *view;

	json_array_foreach ((json_t *)views, i, view) {
		if (number(json_object_get(view, "node")) == node)
			return number(json_object_get(view, "local_leaf_fraction"));
	}
	return NAN;
}
