/* SPDX-License-Identifier: MIT */
/*
 * Canneal: the netlist in memory and what is done with it. Building, annealing and checking share
 * this layout and nothing else.
 *
 * An element is a record of `element_bytes` (its head is below; the rest stands for the name and
 * the bookkeeping that the published program keeps in an element), found by its number. A location
 * is a place of the grid; every element is at one, and every place holds one element: those beyond
 * the netlist's have no pins and are the empty places. As published, an element leads to its
 * neighbours by pointers and to its coordinates by one more.
 */
#ifndef BENCH_CANNEAL_CANNEAL_H
#define BENCH_CANNEAL_CANNEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/team.h"
#include "bench/workload.h"
#include "common/err.h"
#include "datasets/netlist.h"

#define CANNEAL_ELEMENT_MIN UINT64_C(64)

struct canneal_location {
	int32_t x, y;
};

/*
 * `location` is the address of a canneal_location; its lowest bit is set while a thread is about to
 * exchange it. The address without the bit is always a location that the element is or was at.
 */
struct canneal_element {
	_Atomic uintptr_t location;
	struct canneal_element **pins; /* those that feed it, then those that it feeds */
	uint64_t fan_in, fan_out;
	uint64_t linked; /* while it is built: pins of the second kind that are there */
};

struct canneal_net {
	uint64_t elements;      /* with pins */
	uint64_t places;        /* width x height; also the number of records */
	uint64_t width, height; /* of the grid; place number p is at (p / height, p % height) */
	uint64_t element_bytes;
	uint64_t connections; /* from one element to another; each is a pin at both */

	unsigned char *records; /* from the arena, as the next two */
	struct canneal_location *locations;
	struct canneal_element **pins;
};

static inline struct canneal_element *canneal_element(const struct canneal_net *net,
						      uint64_t number)
{
	return (struct canneal_element *)(net->records + number * net->element_bytes);
}

static inline uint64_t canneal_bytes(uint64_t places, uint64_t element_bytes, uint64_t connections)
{
	return places * (element_bytes + sizeof(struct canneal_location)) +
	       2 * connections * sizeof(struct canneal_element *);
}

/* --- building (build.c, load.c) -------------------------------------------------------------- */

/* Number `k` of the connections that lead to `element` comes from `fan_in`. */
struct canneal_connection {
	uint64_t element, k, fan_in;
};

#define CANNEAL_BATCH 64

/* Takes up to CANNEAL_BATCH connections at once, so that their memory can be fetched together. */
typedef void canneal_visit_fn(struct canneal_net *net, const struct canneal_connection *connections,
			      int count);

/*
 * Where connections come from: `for_each` visits all those that lead to the thread's share of the
 * elements, which is the same at each call. -1 with an error.
 */
struct canneal_source {
	int (*for_each)(struct canneal_source *source, struct canneal_net *net, int thread,
			canneal_visit_fn *visit, struct err *err);
};

/* Gathers connections for a visitor; canneal_flush visits what is left. */
struct canneal_batch {
	struct canneal_net *net;
	canneal_visit_fn *visit;
	int count;
	struct canneal_connection items[CANNEAL_BATCH];
};

static inline void canneal_flush(struct canneal_batch *batch)
{
	batch->visit(batch->net, batch->items, batch->count);
	batch->count = 0;
}

static inline void canneal_connect(struct canneal_batch *batch, uint64_t element, uint64_t k,
				   uint64_t fan_in)
{
	batch->items[batch->count++] = (struct canneal_connection){element, k, fan_in};
	if (batch->count == CANNEAL_BATCH)
		canneal_flush(batch);
}

/*
 * Maps the memory and builds the netlist; elements begin at places in the order of their numbers,
 * with the empty ones spread among them. The net's numbers are set; progress goes from `done` to 1.
 */
int canneal_build(struct canneal_net *net, struct canneal_source *source, struct workload_run *run,
		  double done, struct err *err);

/* The synthetic netlist of a plan, and that of a file (untimed, by all threads). */
int canneal_generate(struct canneal_net *net, const struct netlist_plan *plan,
		     struct workload_run *run, struct err *err);
int canneal_load(struct canneal_net *net, const char *path, struct workload_run *run,
		 struct err *err);

/* Elements, places and connections of a file, the last estimated where it has no checksums. */
int canneal_measure(struct canneal_net *net, const char *path, struct err *err);

/* --- annealing (anneal.c) -------------------------------------------------------------------- */

struct canneal_anneal {
	uint64_t steps, swaps; /* of one temperature, by all threads together */
	double start_temperature;
	uint64_t seed;
	uint64_t lookahead; /* elements that are drawn in advance and fetched; 0: none */
	struct team *team;
	int nr_threads;
};

struct canneal_moves {
	uint64_t tried, lowered, raised; /* the latter two were accepted */
	int64_t cost;                    /* the sum of the accepted changes */
};

/* Called by every member of the team. */
struct canneal_moves canneal_anneal(struct canneal_net *net, const struct canneal_anneal *anneal,
				    int thread);

/* The length of all connections, by the annealer's own reckoning. */
uint64_t canneal_cost(const struct canneal_net *net, struct team *team);

/* --- the check (check.c) --------------------------------------------------------------------- */

struct canneal_verdict {
	uint64_t cost; /* recomputed from the netlist alone */
	uint64_t checked, errors;
	char first[160]; /* the first error in words */
};

/*
 * Every place has one element and every element one place, the table of locations is what it
 * should be, both ends of every connection know of it, and, where there is a plan, the connections
 * are the plan's.
 */
int canneal_check(const struct canneal_net *net, const struct netlist_plan *plan, struct team *team,
		  struct canneal_verdict *verdict, struct err *err);

#endif
