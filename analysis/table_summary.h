/* SPDX-License-Identifier: MIT */
/* From the runs of a group to its bars: medians, intervals, ratios, placement, published bars. */
#ifndef ANALYSIS_TABLE_SUMMARY_H
#define ANALYSIS_TABLE_SUMMARY_H

#include "analysis/table.h"

/* Fills the rows of the group, and its baseline_row; -1 without memory. */
int table_summarise_group(struct table *table, struct table_group *group);

#endif
