// SPDX-License-Identifier: MIT
/*
 * Graph500, kernels 1 and 2 (specification 2.1): a Kronecker graph is generated as a list of edges
 * and built into compressed sparse rows (kernel 1, in the setup, timed by laps of the driver's
 * clock); the region of interest is kernel 2, breadth-first searches from distinct roots of degree
 * above 0. Every tree is kept, so that all can be validated after the region.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/graph/graph.h"
#include "bench/graph/plan.h"
#include "bench/graph500/search.h"
#include "bench/graph500/statistics.h"
#include "bench/graph500/validate.h"
#include "bench/workload.h"

#define ROOTS_MAX 1024

enum { SIZE, GRAPH_SCALE, EDGE_FACTOR, ROOTS, SEARCH, EDGE_LIST, IDS };
enum { LIST_STORED, LIST_GENERATED };
enum { IDS_AUTO, IDS_32, IDS_64 };

static const struct option options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = options_quarter_of_memory,
		  .emulated = "128M",
		  .min = 65536,
		  .max = UINT64_C(1) << 60,
		  .scales = true,
		  .help = "bytes of everything, the largest graph that fits; default: a quarter of "
			  "memory"},
	[GRAPH_SCALE] = {.name = "graph-scale",
			 .type = OPTION_INT,
			 .native = "0",
			 .max = GRAPH_SCALE_MAX,
			 .scales_log2 = true,
			 .help = "logarithm of the number of vertices to base 2; 0: by --size"},
	[EDGE_FACTOR] = {.name = "edge-factor",
			 .type = OPTION_INT,
			 .native = "16",
			 .min = 1,
			 .max = 65536,
			 .help = "edges per vertex"},
	[ROOTS] = {.name = "roots",
		   .type = OPTION_INT,
		   .native = "64",
		   .emulated = "4",
		   .min = 1,
		   .max = ROOTS_MAX,
		   .help = "searches, each from a root of its own; their trees are kept"},
	[SEARCH] = {.name = "search",
		    .type = OPTION_CHOICE,
		    .native = "direction-optimising",
		    .choices = "direction-optimising|top-down",
		    .help = "how to search; top-down is the plain search of the reference"},
	[EDGE_LIST] = {.name = "edge-list",
		       .type = OPTION_CHOICE,
		       .native = "stored",
		       .choices = "stored|generated",
		       .help = "keep the list in memory, as specified, or generate it whenever it "
			       "is read: less memory, slower construction and validation"},
	[IDS] = {.name = "ids",
		 .type = OPTION_CHOICE,
		 .native = "auto",
		 .choices = "auto|32|64",
		 .help = "bits of a vertex number; auto: 32 while the graph scale is below 32"},
	{.name = NULL},
};

static const struct option_preset presets[] = {
	{"mitosis-thin", "one socket, not plotted", "graph-scale=28 edge-factor=46"},
	{"mitosis-wide", "all sockets in Mitosis", "graph-scale=29 edge-factor=21"},
	{"vmitosis-thin", "one socket, not plotted", "graph-scale=28 edge-factor=46"},
	{"vmitosis-wide", "all sockets in vMitosis", "graph-scale=30 edge-factor=52"},
	{"reference", "the default of the reference implementation",
	 "graph-scale=14 edge-factor=16"},
	{.name = NULL},
};

struct state {
	struct graph_edges edges;
	struct graph graph;
	struct search search;
	void *scratch;
	char *trees;
	uint64_t tree_bytes;
	uint64_t roots[ROOTS_MAX];
	uint64_t laps_ns[ROOTS_MAX + 1];
	uint64_t component_edges[ROOTS_MAX]; /* of the list; after the validation */
	int nr_roots;
	uint64_t generation_ns, construction_ns;
};

/* --- how large ------------------------------------------------------------------------------- */

/*
 * A vertex: offset, queue, four bitmaps and a parent per tree. An edge: two entries of rows, two
 * rows in the scratch memory (which serves for the validation as well), two ends in the list.
 */
#define VERTEX_BITS(id_bytes, roots) (64 + 8 * (id_bytes) * (1 + (uint64_t)(roots)) + 4)
#define EDGE_BYTES(id_bytes, stored) (2 * (id_bytes) + 4 + ((stored) ? 2 * (id_bytes) : 0))
#define FOOTPRINT_BYTES(scale, factor, id_bytes, roots, stored)        \
	((UINT64_C(1) << (scale)) / 8 * VERTEX_BITS(id_bytes, roots) + \
	 ((uint64_t)(factor) << (scale)) * EDGE_BYTES(id_bytes, stored) + 8)

static bool is_wide(const struct option_set *set, unsigned scale)
{
	const int ids = option_choice(set, IDS);

	return ids == IDS_64 || (ids == IDS_AUTO && scale > GRAPH_SCALE_NARROW_MAX);
}

static uint64_t bytes_at_scale(const struct option_set *set, unsigned scale)
{
	const uint64_t id_bytes = graph_id_bytes(is_wide(set, scale));

	return FOOTPRINT_BYTES(scale, option_u64(set, EDGE_FACTOR), id_bytes,
			       option_u64(set, ROOTS),
			       option_choice(set, EDGE_LIST) == LIST_STORED);
}

/* --graph-scale, or the largest that fits into --size. */
static unsigned planned_scale(const struct option_set *set)
{
	return graph_plan_scale(set, option_u64(set, GRAPH_SCALE), option_u64(set, SIZE),
				bytes_at_scale);
}

static uint64_t footprint_bytes(const struct option_set *set, int nr_threads)
{
	(void)nr_threads;
	return bytes_at_scale(set, planned_scale(set));
}

static int check(const struct option_set *set, int nr_threads, struct err *err)
{
	(void)nr_threads;
	return graph_check_scale(planned_scale(set), option_choice(set, IDS) == IDS_32, err);
}

/* --- setup ----------------------------------------------------------------------------------- */

static int map_search(struct workload_run *run, struct state *state, struct err *err)
{
	const uint64_t nr_vertices = state->edges.nr_vertices;
	const uint64_t bitmap_bytes = search_bitmap_bytes(nr_vertices);
	struct search *search = &state->search;
	char *bitmaps;

	state->tree_bytes = nr_vertices * graph_id_bytes(state->edges.wide);
	state->trees = graph_map_touched(run, "trees",
					 state->tree_bytes * option_u64(run->options, ROOTS), err);
	if (!state->trees)
		return -1;
	search->queue = graph_map_touched(run, "queue", state->tree_bytes, err);
	bitmaps = search->queue ? graph_map_touched(run, "bitmaps", 4 * bitmap_bytes, err) : NULL;
	if (!bitmaps)
		return -1;
	search->lonely = (uint64_t *)bitmaps;
	search->visited = (uint64_t *)(bitmaps + bitmap_bytes);
	search->fronts[0] = (uint64_t *)(bitmaps + 2 * bitmap_bytes);
	search->fronts[1] = (uint64_t *)(bitmaps + 3 * bitmap_bytes);
	search->graph = &state->graph;
	search->team = run->team;
	search->how =
		option_choice(run->options, SEARCH) == 0 ? SEARCH_BOTH_DIRECTIONS : SEARCH_TOP_DOWN;
	return 0;
}

static int store_list(struct workload_run *run, struct state *state, struct err *err)
{
	const uint64_t begin_ns = roi_lap_ns(run->roi);
	void *memory;

	if (option_choice(run->options, EDGE_LIST) == LIST_GENERATED)
		return 0;
	memory = arena_map(run->arena, "edges", graph_edges_bytes(&state->edges), err);
	if (!memory)
		return -1;
	graph_edges_store(&state->edges, memory, run->team);
	state->generation_ns = roi_lap_ns(run->roi) - begin_ns;
	return 0;
}

/* Kernel 1: from the list to everything that a search needs of the graph. */
static int construct(struct workload_run *run, struct state *state, struct err *err)
{
	const uint64_t begin_ns = roi_lap_ns(run->roi);
	const struct graph_edges *edges = &state->edges;

	state->graph.offsets =
		graph_map_touched(run, "offsets", graph_offsets_bytes(edges->nr_vertices), err);
	if (!state->graph.offsets)
		return -1;
	state->graph.neighbours = graph_map_touched(
		run, "neighbours", graph_neighbours_bytes(edges->nr_edges, edges->wide), err);
	if (!state->graph.neighbours)
		return -1;
	state->scratch =
		graph_map_touched(run, "scratch", graph_scratch_bytes(edges->nr_edges), err);
	if (!state->scratch ||
	    graph_build(&state->graph, edges, state->scratch, run->team, err) != 0)
		return -1;
	search_prepare(&state->search);
	state->construction_ns = roi_lap_ns(run->roi) - begin_ns;
	return 0;
}

static bool is_chosen(const struct state *state, uint64_t vertex)
{
	for (int i = 0; i < state->nr_roots; i++)
		if (state->roots[i] == vertex)
			return true;
	return false;
}

/* The finaliser of SplitMix64. */
static uint64_t scatter(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Fewer than asked for when there are not that many vertices with neighbours, as specified. */
static int choose_roots(struct workload_run *run, struct state *state, struct err *err)
{
	const uint64_t nr_vertices = state->graph.nr_vertices;
	const uint64_t wanted = option_u64(run->options, ROOTS);
	const uint64_t start = scatter(run->seed ^ UINT64_C(0x726f6f7473));

	/* A place at random, and from there the next vertex that will do. */
	for (uint64_t i = 0; i < wanted; i++) {
		uint64_t vertex = scatter(start + i) & (nr_vertices - 1), tried = 0;

		while (tried < nr_vertices &&
		       (graph_degree(&state->graph, vertex) == 0 || is_chosen(state, vertex))) {
			vertex = (vertex + 1) & (nr_vertices - 1);
			tried++;
		}
		if (tried == nr_vertices)
			break;
		state->roots[state->nr_roots++] = vertex;
	}
	if (state->nr_roots > 0)
		return 0;
	return err_set(err, ERR_RUN,
		       "the graph has no vertex with a neighbour; use another --seed");
}

static int setup(struct workload_run *run, struct err *err)
{
	struct state *state = workload_state_new(_Alignof(struct state), sizeof(*state));
	unsigned scale;

	run->state = state;
	if (!state)
		return err_set(err, ERR_INTERNAL, "out of memory");
	scale = planned_scale(run->options);
	graph_edges_init(&state->edges, GRAPH_KRONECKER, scale,
			 option_u64(run->options, EDGE_FACTOR), is_wide(run->options, scale),
			 run->seed);
	if (map_search(run, state, err) != 0)
		return -1;
	run->progress(run, 0.1);
	if (store_list(run, state, err) != 0)
		return -1;
	run->progress(run, 0.4);
	if (construct(run, state, err) != 0)
		return -1;
	return choose_roots(run, state, err);
}

/* --- the run --------------------------------------------------------------------------------- */

static void run_thread(struct workload_run *run, int thread)
{
	struct state *state = run->state;

	if (thread == 0)
		state->laps_ns[0] = roi_lap_ns(run->roi);
	for (int i = 0; i < state->nr_roots; i++) {
		team_barrier(run->team);
		search_run(&state->search, state->roots[i],
			   state->trees + (uint64_t)i * state->tree_bytes, thread);
		if (thread == 0)
			state->laps_ns[i + 1] = roi_lap_ns(run->roi);
	}
}

/* --- the check ------------------------------------------------------------------------------- */

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	struct state *state = run->state;
	char first[160] = "";
	uint64_t deepest = 0;

	(void)err;
	for (int i = 0; i < state->nr_roots; i++) {
		struct validation tree;

		validate_tree(&state->graph, &state->edges,
			      state->trees + (uint64_t)i * state->tree_bytes, state->roots[i],
			      state->scratch, run->team, &tree);
		verification->checked += tree.checked;
		for (int rule = 0; rule < NR_RULES; rule++)
			verification->errors += tree.errors[rule];
		if (!first[0])
			snprintf(first, sizeof(first), "%s", tree.first);
		if (tree.depth > deepest)
			deepest = tree.depth;
		state->component_edges[i] = tree.component_edges;
	}
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	snprintf(verification->detail, sizeof(verification->detail),
		 "%d %s searches, %d-bit ids, at most %" PRIu64 " levels: %s", state->nr_roots,
		 state->search.how == SEARCH_TOP_DOWN ? "top-down" : "direction-optimising",
		 state->edges.wide ? 64 : 32, deepest + 1,
		 first[0] ? first : "the five rules hold for every tree");
	return 0;
}

/* --- metrics --------------------------------------------------------------------------------- */

static void add(struct metrics *out, const char *name, const char *unit, double value,
		enum metric_better better)
{
	metrics_add(out,
		    &(struct metric){.name = name, .unit = unit, .value = value, .better = better});
}

static void add_time(struct metrics *out, const struct statistics *time)
{
	add(out, "min_time", "s", time->min, METRIC_LOWER);
	add(out, "firstquartile_time", "s", time->first_quartile, METRIC_LOWER);
	add(out, "median_time", "s", time->median, METRIC_LOWER);
	add(out, "thirdquartile_time", "s", time->third_quartile, METRIC_LOWER);
	add(out, "max_time", "s", time->max, METRIC_LOWER);
	add(out, "mean_time", "s", time->mean, METRIC_LOWER);
	add(out, "stddev_time", "s", time->deviation, METRIC_LOWER);
}

static void add_edges(struct metrics *out, const struct statistics *edges)
{
	add(out, "min_nedge", "edges", edges->min, METRIC_HIGHER);
	add(out, "firstquartile_nedge", "edges", edges->first_quartile, METRIC_HIGHER);
	add(out, "median_nedge", "edges", edges->median, METRIC_HIGHER);
	add(out, "thirdquartile_nedge", "edges", edges->third_quartile, METRIC_HIGHER);
	add(out, "max_nedge", "edges", edges->max, METRIC_HIGHER);
	add(out, "mean_nedge", "edges", edges->mean, METRIC_HIGHER);
	add(out, "stddev_nedge", "edges", edges->deviation, METRIC_LOWER);
}

static void add_rates(struct metrics *out, const struct statistics *rates)
{
	metrics_add(out, &(struct metric){.name = "harmonic_mean_TEPS",
					  .unit = "TEPS",
					  .value = rates->harmonic_mean,
					  .primary = true});
	add(out, "harmonic_stddev_TEPS", "TEPS", rates->harmonic_deviation, METRIC_LOWER);
	add(out, "min_TEPS", "TEPS", rates->min, METRIC_HIGHER);
	add(out, "firstquartile_TEPS", "TEPS", rates->first_quartile, METRIC_HIGHER);
	add(out, "median_TEPS", "TEPS", rates->median, METRIC_HIGHER);
	add(out, "thirdquartile_TEPS", "TEPS", rates->third_quartile, METRIC_HIGHER);
	add(out, "max_TEPS", "TEPS", rates->max, METRIC_HIGHER);
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const struct state *state = run->state;
	double times[ROOTS_MAX], edges[ROOTS_MAX], rates[ROOTS_MAX];
	struct statistics statistics;

	out->work_unit = "edges";
	for (int i = 0; i < state->nr_roots; i++) {
		const uint64_t ns = state->laps_ns[i + 1] - state->laps_ns[i];

		times[i] = (double)(ns ? ns : 1) / 1e9;
		/* A wrong tree may hold no edge at all. */
		edges[i] = (double)(state->component_edges[i] ? state->component_edges[i] : 1);
		rates[i] = edges[i] / times[i];
		out->work_amount += state->component_edges[i];
	}
	statistics_fill(&statistics, rates, state->nr_roots);
	add_rates(out, &statistics);
	statistics_fill(&statistics, times, state->nr_roots);
	add_time(out, &statistics);
	statistics_fill(&statistics, edges, state->nr_roots);
	add_edges(out, &statistics);
	add(out, "nbfs", "searches", state->nr_roots, METRIC_HIGHER);
	add(out, "scale", "log2(vertices)", state->edges.scale, METRIC_HIGHER);
	add(out, "edgefactor", "edges/vertex", (double)option_u64(run->options, EDGE_FACTOR),
	    METRIC_HIGHER);
	/* Setup is not modelled, and measured times are not mixed with modelled ones. */
	if (run->roi->modelled)
		return;
	add(out, "generation_time", "s", (double)state->generation_ns / 1e9, METRIC_LOWER);
	add(out, "construction_time", "s", (double)state->construction_ns / 1e9, METRIC_LOWER);
}

static void teardown(struct workload_run *run)
{
	free(run->state);
}

const struct workload workload_graph500 = {
	.name = "graph500",
	.summary = "breadth-first search of a Kronecker graph (Graph500, kernels 1 and 2)",
	.options = options,
	.presets = presets,
	/* No size was published; what the published arguments take here. */
	.published_footprint_bytes = FOOTPRINT_BYTES(28, 46, 4, 64, 1),
	.check = check,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
