// SPDX-License-Identifier: MIT
/*
 * The reference for PageRank: serial, in long double, by pushing along the edges where the run
 * pulls by floats, and with a division for every edge instead of prepared shares.
 */
#include <math.h>
#include <string.h>

#include "bench/pagerank/rank.h"

static const long double damping = 0.85L;

/* What every vertex has next, if it now has what `now` says. */
static void push_all(const struct graph *graph, const long double *now, long double *next)
{
	const long double base = (1 - damping) / (long double)graph->nr_vertices;

	for (uint64_t vertex = 0; vertex < graph->nr_vertices; vertex++)
		next[vertex] = base;
	for (uint64_t vertex = 0; vertex < graph->nr_vertices; vertex++) {
		const uint64_t begin = graph->offsets[vertex], end = graph->offsets[vertex + 1];

		for (uint64_t at = begin; at < end; at++)
			next[graph_id(graph->neighbours, at, graph->wide)] +=
				damping * now[vertex] / (long double)(end - begin);
	}
}

static long double distance(const long double *a, const long double *b, uint64_t count)
{
	long double sum = 0;

	for (uint64_t i = 0; i < count; i++)
		sum += fabsl(a[i] - b[i]);
	return sum;
}

void reference_compare(const struct rank *rank, double allowed, void *memory,
		       struct reference *reference)
{
	const uint64_t n = rank->graph->nr_vertices;
	long double *now = memory, *next = now + n;

	*reference = (struct reference){0};
	for (uint64_t i = 0; i < n; i++)
		now[i] = 1 / (long double)n;
	while (reference->iterations < rank->done) {
		long double *last = now;

		push_all(rank->graph, now, next);
		reference->change = (double)distance(now, next, n);
		reference->iterations++;
		now = next;
		next = last;
	}
	for (uint64_t i = 0; i < n; i++) {
		const double difference =
			(double)fabsl((long double)rank->ranks[i] - now[i]) / (double)now[i];

		/* Not a number is wrong, too. */
		reference->wrong += !(difference <= allowed);
		if (!(difference <= reference->worst)) {
			reference->worst = difference;
			reference->worst_vertex = i;
		}
	}
}

double reference_residual(const struct rank *rank, void *memory)
{
	const uint64_t n = rank->graph->nr_vertices;
	long double *now = memory, *next = now + n;

	for (uint64_t i = 0; i < n; i++)
		now[i] = (long double)rank->ranks[i];
	push_all(rank->graph, now, next);
	return (double)distance(now, next, n);
}
