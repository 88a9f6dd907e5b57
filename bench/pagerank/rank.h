/* SPDX-License-Identifier: MIT */
/*
 * PageRank by pulling, for the workload `pagerank`: what the run, the reference and the check agree
 * on.
 *
 * The rank of a vertex is (1 - d) / n + d * sum of rank / degree over its neighbours, d = 0.85; all
 * start with 1 / n. The graph is undirected, so a vertex without neighbours gives to nobody, and
 * what it would give is lost, as in the GAP benchmark suite.
 */
#ifndef BENCH_PAGERANK_RANK_H
#define BENCH_PAGERANK_RANK_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/graph/graph.h"
#include "bench/team.h"

#define RANK_DAMPING 0.85

/* The sums of a sweep, alone in their cache lines. */
struct rank_sweep {
	_Alignas(128) _Atomic uint64_t next;
	_Alignas(128) _Atomic double change;
};

#define RANK_SWEEPS 3

struct rank {
	const struct graph *graph;
	struct team *team;
	bool in_place;       /* new ranks count at once, within the sweep that finds them */
	uint64_t iterations; /* at most */
	double tolerance;    /* ends when ranks change by less in sum; 0: never */
	/* Mapped by the caller: n floats each. */
	float *ranks, *shares[2]; /* rank / degree; the second one unused in place */
	struct rank_sweep sweeps[RANK_SWEEPS];
	/* What the run came to. */
	uint64_t done;
	double change; /* sum of the changes of all ranks in the last sweep */
};

/* Called by every member of the team. */
void rank_run(struct rank *rank, int thread);

/* --- the reference (reference.c) -------------------------------------------------------------- */

struct reference {
	uint64_t iterations; /* until the tolerance was reached, or as many as allowed */
	double worst;        /* largest relative difference of a rank */
	uint64_t worst_vertex, wrong;
	double change; /* of the last sweep */
};

/*
 * Computes the same ranks anew, by pushing, one vertex after the other, in long double, for as many
 * sweeps as the run took, and counts ranks that differ by more than `allowed`, relatively.
 * `memory`: two long doubles a vertex. Not for ranks found in place.
 */
void reference_compare(const struct rank *rank, double allowed, void *memory,
		       struct reference *reference);

/*
 * The sum of the differences between the ranks and what one more sweep in long double would make of
 * them; `memory` as above. The true ranks are at most 1 / (1 - d) times as far away, since a sweep
 * brings any two vectors together by the factor d.
 */
double reference_residual(const struct rank *rank, void *memory);

#endif
