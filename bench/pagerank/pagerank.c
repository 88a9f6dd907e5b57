// SPDX-License-Identifier: MIT
/*
 * PageRank by pulling over a Kronecker or a uniform graph. Each sweep reads every entry of the rows
 * in order and a share of rank at random.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/graph/graph.h"
#include "bench/graph/plan.h"
#include "bench/pagerank/rank.h"
#include "bench/workload.h"

/*
 * Relative; ranks and shares are floats, whose roundings, 6e-8 each, add up over the sweeps but
 * damp away.
 */
#define ALLOWED 1e-5

enum { SIZE, GRAPH, GRAPH_SCALE, EDGE_FACTOR, ITERATIONS, TOLERANCE, UPDATE, EDGE_LIST, IDS };
enum { LIST_GENERATED, LIST_STORED };
enum { IDS_AUTO, IDS_32, IDS_64 };
enum { UPDATE_SWEEP, UPDATE_IN_PLACE };

static const struct option options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = options_quarter_of_memory,
		  .emulated = "64M",
		  .min = 65536,
		  .max = UINT64_C(1) << 60,
		  .scales = true,
		  .help = "bytes of everything, the largest graph that fits; default: a quarter of "
			  "memory"},
	[GRAPH] = {.name = "graph",
		   .type = OPTION_CHOICE,
		   .native = "kronecker",
		   .choices = "kronecker|uniform",
		   .help = "the graph: Graph500's, or all edges equally likely"},
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
	[ITERATIONS] = {.name = "iterations",
			.type = OPTION_COUNT,
			.native = "20",
			.emulated = "1",
			.min = 1,
			.max = 1000000,
			.help = "sweeps over all edges, at most"},
	[TOLERANCE] = {.name = "tolerance",
		       .type = OPTION_DOUBLE,
		       .native = "1e-4",
		       .help = "end when the ranks, of sum 1, change by less than this in sum; 0: "
			       "never"},
	[UPDATE] = {.name = "update",
		    .type = OPTION_CHOICE,
		    .native = "sweep",
		    .choices = "sweep|in-place",
		    .help = "new ranks count from the next sweep on (the result does not depend on "
			    "threads) or at once (fewer sweeps)"},
	[EDGE_LIST] = {.name = "edge-list",
		       .type = OPTION_CHOICE,
		       .native = "generated",
		       .choices = "generated|stored",
		       .help = "generate the list of edges whenever construction reads it, or keep "
			       "it in memory: faster setup"},
	[IDS] = {.name = "ids",
		 .type = OPTION_CHOICE,
		 .native = "auto",
		 .choices = "auto|32|64",
		 .help = "bits of a vertex number; auto: 32 while the graph scale is below 32"},
	{.name = NULL},
};

static const struct option_preset presets[] = {
	/* No arguments were published, the footprint was: 69 GB. */
	{"mitosis-thin", "one socket in Mitosis, by its footprint",
	 "size=69G graph=kronecker tolerance=1e-4 iterations=20"},
	{"gap-kron", "Kronecker graph of the GAP benchmark suite",
	 "graph-scale=27 edge-factor=16 graph=kronecker tolerance=1e-4 iterations=20"},
	{"gap-urand", "uniform graph of the GAP benchmark suite",
	 "graph-scale=27 edge-factor=16 graph=uniform tolerance=1e-4 iterations=20"},
	{.name = NULL},
};

struct state {
	struct graph_edges edges;
	struct graph graph;
	struct rank rank;
	void *scratch;
};

/* --- how large ------------------------------------------------------------------------------- */

static bool is_wide(const struct option_set *set, unsigned scale)
{
	const int ids = option_choice(set, IDS);

	return ids == IDS_64 || (ids == IDS_AUTO && scale > GRAPH_SCALE_NARROW_MAX);
}

/* Of construction, and of the reference: two long doubles a vertex. */
static uint64_t scratch_bytes(uint64_t nr_vertices, uint64_t nr_edges)
{
	const uint64_t reference = 2 * sizeof(long double) * nr_vertices;
	const uint64_t construction = graph_scratch_bytes(nr_edges);

	return construction > reference ? construction : reference;
}

static uint64_t bytes_at_scale(const struct option_set *set, unsigned scale)
{
	const bool wide = is_wide(set, scale);
	const uint64_t nr_vertices = UINT64_C(1) << scale;
	const uint64_t nr_edges = option_u64(set, EDGE_FACTOR) << scale;
	const uint64_t nr_arrays = option_choice(set, UPDATE) == UPDATE_IN_PLACE ? 2 : 3;
	uint64_t bytes = nr_arrays * nr_vertices * sizeof(float) +
			 graph_offsets_bytes(nr_vertices) + graph_neighbours_bytes(nr_edges, wide) +
			 scratch_bytes(nr_vertices, nr_edges);

	if (option_choice(set, EDGE_LIST) == LIST_STORED)
		bytes += 2 * nr_edges * graph_id_bytes(wide);
	return bytes;
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
	const double tolerance = option_f64(set, TOLERANCE);

	(void)nr_threads;
	if (graph_check_scale(planned_scale(set), option_choice(set, IDS) == IDS_32, err) != 0)
		return -1;
	if (!(tolerance >= 0 && tolerance < 2))
		return err_set(err, ERR_USAGE, "--tolerance: %g is not between 0 and 2", tolerance);
	return 0;
}

/* --- setup ----------------------------------------------------------------------------------- */

static int map_ranks(struct workload_run *run, struct state *state, struct err *err)
{
	const uint64_t bytes = state->edges.nr_vertices * sizeof(float);
	struct rank *rank = &state->rank;

	rank->graph = &state->graph;
	rank->team = run->team;
	rank->in_place = option_choice(run->options, UPDATE) == UPDATE_IN_PLACE;
	rank->iterations = option_u64(run->options, ITERATIONS);
	rank->tolerance = option_f64(run->options, TOLERANCE);
	rank->ranks = graph_map_touched(run, "ranks", bytes, err);
	if (!rank->ranks)
		return -1;
	rank->shares[0] = graph_map_touched(run, "shares", bytes, err);
	if (!rank->shares[0] || rank->in_place)
		return rank->shares[0] ? 0 : -1;
	rank->shares[1] = graph_map_touched(run, "next shares", bytes, err);
	return rank->shares[1] ? 0 : -1;
}

static int store_list(struct workload_run *run, struct state *state, struct err *err)
{
	void *memory;

	if (option_choice(run->options, EDGE_LIST) == LIST_GENERATED)
		return 0;
	memory = arena_map(run->arena, "edges", graph_edges_bytes(&state->edges), err);
	if (memory)
		graph_edges_store(&state->edges, memory, run->team);
	return memory ? 0 : -1;
}

static int build(struct workload_run *run, struct state *state, struct err *err)
{
	const struct graph_edges *edges = &state->edges;

	state->graph.offsets =
		graph_map_touched(run, "offsets", graph_offsets_bytes(edges->nr_vertices), err);
	if (!state->graph.offsets)
		return -1;
	state->graph.neighbours = graph_map_touched(
		run, "neighbours", graph_neighbours_bytes(edges->nr_edges, edges->wide), err);
	if (!state->graph.neighbours)
		return -1;
	state->scratch = graph_map_touched(run, "scratch",
					   scratch_bytes(edges->nr_vertices, edges->nr_edges), err);
	if (!state->scratch)
		return -1;
	return graph_build(&state->graph, edges, state->scratch, run->team, err);
}

static int setup(struct workload_run *run, struct err *err)
{
	const unsigned scale = planned_scale(run->options);
	struct state *state = workload_state_new(_Alignof(struct state), sizeof(*state));

	run->state = state;
	if (!state)
		return err_set(err, ERR_INTERNAL, "out of memory");
	graph_edges_init(&state->edges,
			 option_choice(run->options, GRAPH) == 0 ? GRAPH_KRONECKER : GRAPH_UNIFORM,
			 scale, option_u64(run->options, EDGE_FACTOR), is_wide(run->options, scale),
			 run->seed);
	if (map_ranks(run, state, err) != 0 || store_list(run, state, err) != 0)
		return -1;
	run->progress(run, 0.3);
	return build(run, state, err);
}

/* --- the run and its check ------------------------------------------------------------------- */

static void run_thread(struct workload_run *run, int thread)
{
	struct state *state = run->state;

	rank_run(&state->rank, thread);
}

/* Against the reference, rank by rank, and that both would have stopped at the same sweep. */
static void verify_sweeps(const struct state *state, struct verification *verification)
{
	const struct rank *rank = &state->rank;
	struct reference reference;
	bool same_change;

	reference_compare(rank, ALLOWED, state->scratch, &reference);
	same_change = fabs(reference.change - rank->change) <= 1e-6 + 1e-3 * reference.change;
	verification->errors = reference.wrong + !same_change;
	snprintf(verification->detail, sizeof(verification->detail),
		 "%" PRIu64 " sweeps, last change %.3g, in long double %.3g; ranks differ by at "
		 "most %.2g (vertex %" PRIu64 "), allowed %.0g",
		 rank->done, rank->change, reference.change, reference.worst,
		 reference.worst_vertex, ALLOWED);
}

/*
 * In place, results depend on who came first. But each share that a rank was made of differs from
 * the one that counts now by that vertex's last change at most, so another sweep changes ranks by
 * at most d times the last change, and roundings.
 */
static void verify_in_place(const struct state *state, struct verification *verification)
{
	const struct rank *rank = &state->rank;
	const double residual = reference_residual(rank, state->scratch);
	const double allowed = RANK_DAMPING * rank->change + 1e-6;

	verification->errors = !(residual <= allowed);
	snprintf(verification->detail, sizeof(verification->detail),
		 "%" PRIu64 " sweeps in place, last change %.3g; a sweep in long double would "
		 "change %.3g, allowed %.3g; the true ranks are within %.3g",
		 rank->done, rank->change, residual, allowed, residual / (1 - RANK_DAMPING));
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	const struct state *state = run->state;

	(void)err;
	verification->checked = state->graph.nr_vertices;
	if (state->rank.in_place)
		verify_in_place(state, verification);
	else
		verify_sweeps(state, verification);
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const struct state *state = run->state;
	const double ns = (double)run->roi->duration_ns;
	const uint64_t sweeps = state->rank.done, entries = graph_entries(&state->graph);

	out->work_amount = entries * sweeps;
	out->work_unit = "edges";
	metrics_add(out, &(struct metric){.name = "edges_per_second",
					  .unit = "M/s",
					  .value = (double)(entries * sweeps) * 1e3 / ns,
					  .primary = true});
	metrics_add(out, &(struct metric){.name = "time_per_iteration",
					  .unit = "s",
					  .value = ns / 1e9 / (double)sweeps,
					  .better = METRIC_LOWER});
	metrics_add(out, &(struct metric){.name = "iterations",
					  .unit = "sweeps",
					  .value = (double)sweeps,
					  .better = METRIC_LOWER});
	metrics_add(out, &(struct metric){.name = "last_change",
					  .unit = "sum of ranks",
					  .value = state->rank.change,
					  .better = METRIC_LOWER});
}

static void teardown(struct workload_run *run)
{
	free(run->state);
}

const struct workload workload_pagerank = {
	.name = "pagerank",
	.summary = "PageRank by pulling, Kronecker or uniform graph (Mitosis)",
	.options = options,
	.presets = presets,
	/* Mitosis, table of workloads, one-socket runs. */
	.published_footprint_bytes = UINT64_C(69) << 30,
	.check = check,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
