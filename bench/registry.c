// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bench/nearest.h"
#include "bench/workload.h"

#define WORKLOAD(name) extern const struct workload workload_##name;
#include "bench/workloads.def"
#undef WORKLOAD

static const struct workload *const workloads[] = {
#define WORKLOAD(name) &workload_##name,
#include "bench/workloads.def"
#undef WORKLOAD
};

#define NR_WORKLOADS ((int)(sizeof(workloads) / sizeof(workloads[0])))

const struct workload *workload_at(int index)
{
	return index >= 0 && index < NR_WORKLOADS ? workloads[index] : NULL;
}

const struct workload *workload_find(const char *name, struct err *err)
{
	struct nearest nearest;
	char hint[160];

	nearest_init(&nearest, name);
	for (int i = 0; i < NR_WORKLOADS; i++) {
		if (strcmp(workloads[i]->name, name) == 0)
			return workloads[i];
		nearest_offer(&nearest, workloads[i]->name);
	}
	nearest_text(&nearest, "", hint, sizeof(hint));
	err_set(err, ERR_USAGE, "there is no workload '%s'%s", name,
		*hint ? hint : "; 'bench list' shows them all");
	return NULL;
}

void metrics_add(struct metrics *metrics, const struct metric *metric)
{
	assert(metrics->nr_metrics < METRICS_MAX);
	metrics->items[metrics->nr_metrics++] = *metric;
}

void *workload_state_new(size_t alignment, size_t bytes)
{
	void *state = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);

	if (state)
		memset(state, 0, bytes);
	return state;
}
