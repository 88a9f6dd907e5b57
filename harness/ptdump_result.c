// SPDX-License-Identifier: MIT
#include <math.h>

#include "harness/ptdump_output.h"

const char *const ptdump_level_names[PTDUMP_LEVELS_MAX] = {"pt", "pd", "pdpt", "pml4", "pml5"};
const uint64_t ptdump_size_bytes[PTDUMP_SIZES] = {UINT64_C(4) << 10, UINT64_C(2) << 20,
						  UINT64_C(1) << 30};

void ptdump_add(struct ptdump_result *sum, const struct ptdump_result *b)
{
	if (b->levels > sum->levels)
		sum->levels = b->levels;
	if (b->nr_nodes > sum->nr_nodes)
		sum->nr_nodes = b->nr_nodes;
	for (int node = 0; node < PTDUMP_NODES_MAX; node++) {
		for (int level = 0; level < PTDUMP_LEVELS_MAX; level++)
			sum->table_pages[level][node] += b->table_pages[level][node];
		for (int size = 0; size < PTDUMP_SIZES; size++) {
			for (int data = 0; data < PTDUMP_NODES_MAX; data++)
				sum->leaves[size][node][data] += b->leaves[size][node][data];
		}
	}
	sum->not_present += b->not_present;
	sum->prot_none += b->prot_none;
	sum->unresolved += b->unresolved;
	sum->entries_read += b->entries_read;
	sum->duration_ns += b->duration_ns;
	sum->torn |= b->torn;
	if (!sum->reader)
		sum->reader = b->reader;
}

uint64_t ptdump_table_pages(const struct ptdump_result *result, int node)
{
	uint64_t pages = 0;

	for (int level = 0; level < PTDUMP_LEVELS_MAX; level++) {
		for (int n = 0; n < PTDUMP_NODES_MAX; n++)
			pages += node < 0 || n == node ? result->table_pages[level][n] : 0;
	}
	return pages;
}

uint64_t ptdump_table_bytes(const struct ptdump_result *result)
{
	return ptdump_table_pages(result, -1) * ptdump_size_bytes[0];
}

double ptdump_local_leaf_fraction(const struct ptdump_result *result, int node)
{
	uint64_t all = 0, local = 0;

	for (int size = 0; size < PTDUMP_SIZES; size++) {
		for (int table = 0; table < PTDUMP_NODES_MAX; table++) {
			for (int data = 0; data < PTDUMP_NODES_MAX; data++) {
				all += result->leaves[size][table][data];
				local += table == node ? result->leaves[size][table][data] : 0;
			}
		}
	}
	return all > 0 ? (double)local / (double)all : NAN;
}

double ptdump_local_data_fraction(const struct ptdump_result *result, int node)
{
	uint64_t all = 0, local = 0;

	for (int size = 0; size < PTDUMP_SIZES; size++) {
		for (int table = 0; table < PTDUMP_NODES_MAX; table++) {
			for (int data = 0; data < PTDUMP_NODES_MAX; data++) {
				const uint64_t bytes =
					result->leaves[size][table][data] * ptdump_size_bytes[size];

				all += bytes;
				local += data == node ? bytes : 0;
			}
		}
	}
	return all > 0 ? (double)local / (double)all : NAN;
}
