// SPDX-License-Identifier: MIT
#include "harness/cpulist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *cpulist_format(const int *cpus, int nr_cpus)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	for (int i = 0; i < nr_cpus;) {
		int last = i;

		while (last + 1 < nr_cpus && cpus[last + 1] == cpus[last] + 1)
			last++;
		fprintf(out, "%s%d", i ? "," : "", cpus[i]);
		if (last > i)
			fprintf(out, "-%d", cpus[last]);
		i = last + 1;
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int *cpulist_of_nodes(const struct topology *topology, uint64_t nodes, int *nr_cpus)
{
	int *cpus = calloc((size_t)topology->nr_cpus + 1, sizeof(int));

	*nr_cpus = 0;
	for (int i = 0; cpus && i < topology->nr_nodes; i++) {
		const struct topology_node *node = &topology->nodes[i];

		if (!(nodes >> node->id & 1))
			continue;
		for (int j = 0; j < node->nr_cpus && *nr_cpus < topology->nr_cpus; j++)
			cpus[(*nr_cpus)++] = node->cpus[j];
	}
	if (cpus)
		qsort(cpus, (size_t)*nr_cpus, sizeof(int), ascending);
	return cpus;
}

char *cpulist_format_nodes(uint64_t nodes)
{
	int ids[TOPOLOGY_NODES_MAX], n = 0;

	for (int id = 0; id < TOPOLOGY_NODES_MAX; id++) {
		if (nodes >> id & 1)
			ids[n++] = id;
	}
	return cpulist_format(ids, n);
}
