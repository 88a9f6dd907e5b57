/* SPDX-License-Identifier: MIT */
/* Lists of CPUs, as the kernel writes them ("0-3,8"; the reader is topology_parse_list()). */
#ifndef HARNESS_CPULIST_H
#define HARNESS_CPULIST_H

#include <stdint.h>

#include "harness/topology.h"

/* Ascending CPU numbers as text; malloc'd. */
char *cpulist_format(const int *cpus, int nr_cpus);

/* The CPUs of all nodes of the mask, ascending, malloc'd; *nr_cpus is 0 for none. */
int *cpulist_of_nodes(const struct topology *topology, uint64_t nodes, int *nr_cpus);

/* The nodes of a mask as text: "0-1,3"; malloc'd. */
char *cpulist_format_nodes(uint64_t nodes);

#endif
