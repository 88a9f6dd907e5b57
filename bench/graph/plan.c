// SPDX-License-Identifier: MIT
#include "bench/graph/plan.h"

#include "bench/graph/graph.h"

unsigned graph_plan_scale(const struct option_set *set, uint64_t scale, uint64_t size_bytes,
			  uint64_t (*bytes_at_scale)(const struct option_set *set, unsigned scale))
{
	unsigned largest = GRAPH_SCALE_MIN;

	if (scale > 0)
		return (unsigned)scale;
	while (largest < GRAPH_SCALE_MAX && bytes_at_scale(set, largest + 1) <= size_bytes)
		largest++;
	return largest;
}

int graph_check_scale(unsigned scale, bool narrow, struct err *err)
{
	if (scale < GRAPH_SCALE_MIN || scale > GRAPH_SCALE_MAX)
		return err_set(err, ERR_USAGE,
			       "--graph-scale: %u is not between %d and %d, nor 0 for --size",
			       scale, GRAPH_SCALE_MIN, GRAPH_SCALE_MAX);
	if (narrow && scale > GRAPH_SCALE_NARROW_MAX)
		return err_set(err, ERR_USAGE,
			       "--ids: 32 bits do not number the vertices of graph scale %u; use "
			       "--ids 64",
			       scale);
	return 0;
}

void *graph_map_touched(struct workload_run *run, const char *name, uint64_t bytes, struct err *err)
{
	void *memory = arena_map(run->arena, name, bytes, err);

	if (memory)
		graph_touch(memory, bytes, run->team);
	return memory;
}
