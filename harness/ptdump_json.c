// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <math.h>

#include "harness/ptdump_output.h"

/* Every number is written as a difference to `before`, which is all zeros for the dump itself. */
static json_t *difference(uint64_t now, uint64_t before)
{
	return json_integer((json_int_t)(now - before));
}

static json_t *table_pages(const struct ptdump_result *result, const struct ptdump_result *before)
{
	json_t *object = json_object();

	for (int level = result->levels - 1; level >= 0; level--) {
		json_t *nodes = json_array();

		for (int node = 0; node < result->nr_nodes; node++)
			json_array_append_new(nodes, difference(result->table_pages[level][node],
								before->table_pages[level][node]));
		json_object_set_new(object, ptdump_level_names[level], nodes);
	}
	return object;
}

/* Combinations that do not occur are left out. */
static json_t *leaves(const struct ptdump_result *result, const struct ptdump_result *before)
{
	json_t *array = json_array();

	for (int size = 0; size < PTDUMP_SIZES; size++) {
		for (int table = 0; table < result->nr_nodes; table++) {
			for (int data = 0; data < result->nr_nodes; data++) {
				const uint64_t now = result->leaves[size][table][data];
				const uint64_t old = before->leaves[size][table][data];

				if (now == old)
					continue;
				json_array_append_new(
					array, json_pack("{s:I, s:i, s:i, s:o}", "page_size_bytes",
							 (json_int_t)ptdump_size_bytes[size],
							 "table_node", table, "data_node", data,
							 "count", difference(now, old)));
			}
		}
	}
	return array;
}

static json_t *fraction(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static json_t *seen_from(const struct ptdump_result *result)
{
	json_t *array = json_array();

	for (int node = 0; node < result->nr_nodes; node++)
		json_array_append_new(
			array, json_pack("{s:i, s:o, s:o}", "node", node, "local_leaf_fraction",
					 fraction(ptdump_local_leaf_fraction(result, node)),
					 "local_data_fraction",
					 fraction(ptdump_local_data_fraction(result, node))));
	return array;
}

static void add_counts(json_t *object, const struct ptdump_result *result,
		       const struct ptdump_result *before)
{
	json_object_set_new(object, "table_pages", table_pages(result, before));
	json_object_set_new(object, "table_bytes",
			    difference(ptdump_table_bytes(result), ptdump_table_bytes(before)));
	json_object_set_new(object, "leaves", leaves(result, before));
	json_object_set_new(object, "not_present",
			    difference(result->not_present, before->not_present));
	json_object_set_new(object, "prot_none", difference(result->prot_none, before->prot_none));
	json_object_set_new(object, "unresolved",
			    difference(result->unresolved, before->unresolved));
}

json_t *ptdump_to_json(const struct ptdump_result *result)
{
	static const struct ptdump_result nothing;
	json_t *object = json_pack("{s:i, s:s?, s:i, s:I, s:i}", "pid", (int)result->pid, "reader",
				   result->reader, "levels", result->levels, "root_address",
				   (json_int_t)result->root_address, "nr_nodes", result->nr_nodes);

	add_counts(object, result, &nothing);
	json_object_set_new(object, "seen_from", seen_from(result));
	json_object_set_new(object, "entries_read", json_integer((json_int_t)result->entries_read));
	json_object_set_new(object, "duration_ns", json_integer((json_int_t)result->duration_ns));
	json_object_set_new(object, "torn", json_boolean(result->torn));
	return object;
}

json_t *ptdump_change_to_json(const struct ptdump_result *result,
			      const struct ptdump_result *before)
{
	json_t *object = json_object();

	add_counts(object, result, before);
	return object;
}
