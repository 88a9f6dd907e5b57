// SPDX-License-Identifier: MIT
/*
 * The run of `pagerank`: every thread takes parts of the vertices and pulls their neighbours'
 * shares. Shares are floats, as in the GAP benchmark suite, since reading them at random is what
 * takes the time; a row is summed in double, in four sums that do not wait for each other.
 */
#include "bench/pagerank/rank.h"

#include <math.h>
#include <stdatomic.h>

#define PART 4096 /* vertices that are taken at once */

static inline __attribute__((always_inline)) double
pull(const struct graph *graph, const float *shares, uint64_t begin, uint64_t end, bool wide)
{
	double a = 0, b = 0, c = 0, d = 0;
	uint64_t at = begin;

	for (; at + 4 <= end; at += 4) {
		a += (double)shares[graph_id(graph->neighbours, at, wide)];
		b += (double)shares[graph_id(graph->neighbours, at + 1, wide)];
		c += (double)shares[graph_id(graph->neighbours, at + 2, wide)];
		d += (double)shares[graph_id(graph->neighbours, at + 3, wide)];
	}
	for (; at < end; at++)
		a += (double)shares[graph_id(graph->neighbours, at, wide)];
	return (a + b) + (c + d);
}

static float share_of(float value, uint64_t degree)
{
	return degree ? value / (float)degree : 0;
}

/* A part of the vertices; returns the sum of the changes. */
static inline __attribute__((always_inline)) double sweep_part(const struct rank *rank,
							       const float *from, float *to,
							       uint64_t begin, uint64_t end,
							       bool wide)
{
	const struct graph *graph = rank->graph;
	const double base = (1 - RANK_DAMPING) / (double)graph->nr_vertices;
	double change = 0;

	for (uint64_t vertex = begin; vertex < end; vertex++) {
		const uint64_t first = graph->offsets[vertex], last = graph->offsets[vertex + 1];
		const double sum = pull(graph, from, first, last, wide);
		const float value = (float)(base + RANK_DAMPING * sum);

		change += fabs((double)value - (double)rank->ranks[vertex]);
		rank->ranks[vertex] = value;
		to[vertex] = share_of(value, last - first);
	}
	return change;
}

static inline __attribute__((always_inline)) void sweep(struct rank *rank, struct rank_sweep *sums,
							const float *from, float *to, bool wide)
{
	const uint64_t nr_vertices = rank->graph->nr_vertices;
	double change = 0, before = 0;

	for (;;) {
		const uint64_t begin =
			atomic_fetch_add_explicit(&sums->next, PART, memory_order_relaxed);
		const uint64_t end = begin + PART < nr_vertices ? begin + PART : nr_vertices;

		if (begin >= nr_vertices)
			break;
		change += sweep_part(rank, from, to, begin, end, wide);
	}
	while (!atomic_compare_exchange_weak(&sums->change, &before, before + change))
		;
}

static void start(struct rank *rank, int thread)
{
	const struct graph *graph = rank->graph;
	const struct team_slice slice =
		team_slice(graph->nr_vertices, 64, thread, team_size(rank->team));
	const float value = (float)(1 / (double)graph->nr_vertices);

	for (uint64_t vertex = slice.begin; vertex < slice.end; vertex++) {
		rank->ranks[vertex] = value;
		rank->shares[0][vertex] = share_of(value, graph_degree(graph, vertex));
	}
	for (int i = 0; thread == 0 && i < RANK_SWEEPS; i++) {
		rank->sweeps[i].next = 0;
		rank->sweeps[i].change = 0;
	}
}

/*
 * The sums of a sweep stand still from the barrier after it until the next but one; those of the
 * sweep before the last were read by everybody before the last barrier and are cleared for the
 * next.
 */
static double end_sweep(struct rank *rank, uint64_t number, int thread)
{
	struct rank_sweep *next = &rank->sweeps[(number + 1) % RANK_SWEEPS];

	if (thread == 0) {
		next->next = 0;
		next->change = 0;
	}
	team_barrier(rank->team);
	return rank->sweeps[number % RANK_SWEEPS].change;
}

void rank_run(struct rank *rank, int thread)
{
	uint64_t number = 0;
	double change = 0;

	start(rank, thread);
	team_barrier(rank->team);
	do {
		float *from = rank->in_place ? rank->shares[0] : rank->shares[number % 2];
		float *to = rank->in_place ? from : rank->shares[(number + 1) % 2];

		if (rank->graph->wide)
			sweep(rank, &rank->sweeps[number % RANK_SWEEPS], from, to, true);
		else
			sweep(rank, &rank->sweeps[number % RANK_SWEEPS], from, to, false);
		change = end_sweep(rank, number, thread);
		number++;
	} while (number < rank->iterations && !(change < rank->tolerance));
	if (thread != 0)
		return;
	rank->done = number;
	rank->change = change;
}
