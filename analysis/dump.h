/* SPDX-License-Identifier: MIT */
/* The few numbers of a recorded page-table dump (`harness dump --json`) that a report shows. */
#ifndef ANALYSIS_DUMP_H
#define ANALYSIS_DUMP_H

#include <jansson.h>

#define DUMP_NODES_MAX 64

/* Highest node id of the dump + 1; 0 for NULL. */
int dump_nodes(const json_t *dump);
/* Table pages of all levels on a node; node -1: on all. NAN when the dump does not say. */
double dump_table_pages(const json_t *dump, int node);
/* Of all leaf entries, the fraction that a walker on the node finds in its own node's memory. */
double dump_local_leaf_fraction(const json_t *dump, int node);

#endif
