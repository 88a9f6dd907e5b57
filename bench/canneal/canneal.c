// SPDX-License-Identifier: MIT
/*
 * Canneal: places the elements of a netlist on a grid by simulated annealing, after PARSEC's
 * program of that name, which both Mitosis papers ran. Two random elements a swap, and about forty
 * dependent random accesses to price it.
 */
#include "bench/canneal/canneal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	SIZE,
	ELEMENTS,
	FAN_IN,
	ASPECT,
	NETLIST,
	SWAPS,
	STEPS,
	START_TEMPERATURE,
	ELEMENT_BYTES,
	LOOKAHEAD,
};

static const struct option options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = options_quarter_of_memory,
		  .emulated = "256M",
		  .min = 16384,
		  .max = UINT64_C(1) << 50,
		  .scales = true,
		  .help = "bytes of the netlist, as many elements as fit; default: a quarter of "
			  "memory"},
	[ELEMENTS] = {.name = "elements",
		      .type = OPTION_COUNT,
		      .native = "0",
		      .max = NETLIST_ELEMENTS_MAX,
		      .scales = true,
		      .help = "elements of the synthetic netlist; 0: by --size"},
	[FAN_IN] = {.name = "fan-in",
		    .type = OPTION_INT,
		    .native = "5",
		    .min = 1,
		    .max = NETLIST_FAN_IN_MAX,
		    .help = "elements that feed an element of the synthetic netlist"},
	[ASPECT] = {.name = "aspect",
		    .type = OPTION_DOUBLE,
		    .native = "0.909091",
		    .help = "width of its grid divided by its height"},
	[NETLIST] = {.name = "netlist",
		     .type = OPTION_TEXT,
		     .help = "a netlist file instead, in PARSEC's format (see bin/netlist --help)"},
	[SWAPS] = {.name = "swaps",
		   .type = OPTION_COUNT,
		   .native = "150k",
		   .emulated = "20k",
		   .min = 1,
		   .max = UINT64_C(1) << 50,
		   .help = "swaps that are tried at each temperature, by all threads together"},
	[STEPS] = {.name = "steps",
		   .type = OPTION_COUNT,
		   .native = "100",
		   .emulated = "4",
		   .min = 1,
		   .max = 1000000000,
		   .help = "temperatures"},
	[START_TEMPERATURE] = {.name = "start-temperature",
			       .type = OPTION_DOUBLE,
			       .native = "2000",
			       .help = "divided by 1.5 before each step"},
	[ELEMENT_BYTES] = {.name = "element-bytes",
			   .type = OPTION_SIZE,
			   .native = "128",
			   .min = CANNEAL_ELEMENT_MIN,
			   .max = 4096,
			   .help = "record of an element, a multiple of 64; 128 makes the memory "
				   "in use as large as the published program's"},
	[LOOKAHEAD] = {.name = "lookahead",
		       .type = OPTION_INT,
		       .native = "0",
		       .max = 64,
		       .help = "elements drawn in advance and fetched, a power of two; 0: as "
			       "published"},
	{.name = NULL},
};

static const struct option_preset presets[] = {
	{"mitosis-thin", "one socket in Mitosis",
	 "elements=100M aspect=0.909091 swaps=150k steps=500 start-temperature=2000"},
	{"vmitosis-thin", "one socket in vMitosis",
	 "elements=100M aspect=0.909091 swaps=150k steps=600 start-temperature=2000"},
	{"vmitosis-wide", "all sockets in vMitosis, 192 threads",
	 "elements=1200M aspect=10.909091 swaps=150k steps=400k start-temperature=2000"},
	{.name = NULL},
};

struct state {
	struct canneal_net net;
	struct netlist_plan plan;
	bool has_plan;
	uint64_t start_cost;
	struct canneal_moves *moves; /* by thread */
	struct canneal_moves all;
	struct canneal_verdict verdict;
};

/* --- how large ------------------------------------------------------------------------------- */

static uint64_t plan_bytes(const struct option_set *set, uint64_t elements,
			   struct netlist_plan *plan, struct err *err)
{
	if (netlist_plan_make(plan, elements, option_u64(set, FAN_IN), option_f64(set, ASPECT), 0,
			      err) != 0)
		return UINT64_MAX;
	return canneal_bytes(plan->width * plan->height, option_u64(set, ELEMENT_BYTES),
			     plan->elements * plan->fan_in);
}

/* --elements, or the most that fit into --size; UINT64_MAX bytes when there is no such netlist. */
static uint64_t make_plan(const struct option_set *set, struct netlist_plan *plan, struct err *err)
{
	const uint64_t size = option_u64(set, SIZE);
	uint64_t low = 2, high = size / CANNEAL_ELEMENT_MIN;

	if (option_u64(set, ELEMENTS) > 0)
		return plan_bytes(set, option_u64(set, ELEMENTS), plan, err);
	while (low < high) {
		const uint64_t middle = low + (high - low + 1) / 2;

		if (plan_bytes(set, middle, plan, NULL) <= size)
			low = middle;
		else
			high = middle - 1;
	}
	return plan_bytes(set, low, plan, err);
}

static uint64_t footprint_bytes(const struct option_set *set, int nr_threads)
{
	struct canneal_net net = {0};
	struct netlist_plan plan;

	(void)nr_threads;
	if (!option_text(set, NETLIST))
		return make_plan(set, &plan, NULL);
	if (canneal_measure(&net, option_text(set, NETLIST), NULL) != 0)
		return UINT64_MAX;
	return canneal_bytes(net.places, option_u64(set, ELEMENT_BYTES), net.connections);
}

static int check_netlist(const struct option_set *set, struct err *err)
{
	static const int unused[] = {SIZE, ELEMENTS, FAN_IN, ASPECT};
	struct canneal_net net;

	for (size_t i = 0; i < sizeof(unused) / sizeof(unused[0]); i++)
		if (set->values[unused[i]].source == OPTION_USER)
			return err_set(err, ERR_USAGE,
				       "--%s is for a synthetic netlist; --netlist has its own",
				       options[unused[i]].name);
	return canneal_measure(&net, option_text(set, NETLIST), err);
}

static int check(const struct option_set *set, int nr_threads, struct err *err)
{
	const uint64_t bytes = option_u64(set, ELEMENT_BYTES);
	const uint64_t lookahead = option_u64(set, LOOKAHEAD);
	const double temperature = option_f64(set, START_TEMPERATURE);
	struct netlist_plan plan;

	(void)nr_threads;
	if (bytes % 64 != 0)
		return err_set(err, ERR_USAGE, "--element-bytes: %" PRIu64 " is no multiple of 64",
			       bytes);
	if ((lookahead & (lookahead - 1)) != 0)
		return err_set(err, ERR_USAGE,
			       "--lookahead: %" PRIu64 " is neither 0 nor a power of two",
			       lookahead);
	if (!(temperature > 0 && temperature <= 1e15))
		return err_set(err, ERR_USAGE, "--start-temperature: %g is not between 0 and 1e15",
			       temperature);
	if (option_text(set, NETLIST))
		return check_netlist(set, err);
	if (option_u64(set, ELEMENTS) == 1)
		return err_set(err, ERR_USAGE, "--elements: a netlist has 2 or more");
	return make_plan(set, &plan, err) == UINT64_MAX ? -1 : 0;
}

/* --- setup ----------------------------------------------------------------------------------- */

static int setup(struct workload_run *run, struct err *err)
{
	const char *netlist = option_text(run->options, NETLIST);
	struct state *state = calloc(1, sizeof(*state));
	int failed;

	run->state = state;
	if (!state)
		return err_set(err, ERR_INTERNAL, "out of memory");
	state->moves = calloc((size_t)run->nr_threads, sizeof(state->moves[0]));
	if (!state->moves)
		return err_set(err, ERR_INTERNAL, "out of memory");
	state->net.element_bytes = option_u64(run->options, ELEMENT_BYTES);
	if (netlist) {
		failed = canneal_load(&state->net, netlist, run, err);
	} else {
		if (make_plan(run->options, &state->plan, err) == UINT64_MAX)
			return -1;
		state->plan.seed = run->seed;
		state->has_plan = true;
		failed = canneal_generate(&state->net, &state->plan, run, err);
	}
	if (!failed)
		state->start_cost = canneal_cost(&state->net, run->team);
	return failed;
}

/* --- the run and its check ------------------------------------------------------------------- */

static void run_thread(struct workload_run *run, int thread)
{
	struct state *state = run->state;
	const struct canneal_anneal anneal = {
		.steps = option_u64(run->options, STEPS),
		.swaps = option_u64(run->options, SWAPS),
		.start_temperature = option_f64(run->options, START_TEMPERATURE),
		.seed = run->seed,
		.lookahead = option_u64(run->options, LOOKAHEAD),
		.team = run->team,
		.nr_threads = run->nr_threads,
	};

	state->moves[thread] = canneal_anneal(&state->net, &anneal, thread);
}

static void add_moves(struct state *state, int nr_threads)
{
	for (int thread = 0; thread < nr_threads; thread++) {
		state->all.tried += state->moves[thread].tried;
		state->all.lowered += state->moves[thread].lowered;
		state->all.raised += state->moves[thread].raised;
		state->all.cost += state->moves[thread].cost;
	}
}

/*
 * A short or hot run may end longer than it began by plain luck: then the length is not judged. A
 * synthetic netlist begins as if it were infinitely hot, so that it is enough to end at a
 * temperature below the longest way over the grid; a file may begin well placed, and must be cold.
 */
static bool must_be_shorter(const struct workload_run *run)
{
	const struct state *state = run->state;
	const double way = (double)(state->net.width + state->net.height);
	double temperature = option_f64(run->options, START_TEMPERATURE);

	for (uint64_t step = option_u64(run->options, STEPS); step > 0 && temperature > 1e-3;
	     step--)
		temperature /= 1.5;
	if (state->has_plan)
		return state->all.tried >= 10000 && temperature < way;
	return state->all.tried >= state->net.places && temperature < way / 100;
}

static uint64_t judge_cost(const struct workload_run *run, const char **verdict)
{
	const struct state *state = run->state;
	const uint64_t expected = state->start_cost + (uint64_t)state->all.cost;

	if (run->nr_threads == 1 && expected != state->verdict.cost) {
		*verdict = "NOT the length that the swaps add up to";
		return 1;
	}
	if (must_be_shorter(run) && state->verdict.cost >= state->start_cost) {
		*verdict = "NOT shorter than at the start";
		return 1;
	}
	*verdict = run->nr_threads == 1 ? "as the swaps add up to" : "recomputed";
	return 0;
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	struct state *state = run->state;
	const char *verdict;
	uint64_t wrong;

	add_moves(state, run->nr_threads);
	if (canneal_check(&state->net, state->has_plan ? &state->plan : NULL, run->team,
			  &state->verdict, err) != 0)
		return -1;
	wrong = judge_cost(run, &verdict);
	verification->checked = state->verdict.checked;
	verification->errors = state->verdict.errors + wrong;
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	snprintf(verification->detail, sizeof(verification->detail),
		 "length %" PRIu64 " from %" PRIu64 ", %s; %s", state->verdict.cost,
		 state->start_cost, verdict,
		 state->verdict.errors ? state->verdict.first
				       : "every place has one element, netlist sound");
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const struct state *state = run->state;
	const double ns = (double)run->roi->duration_ns, tried = (double)state->all.tried;

	out->work_amount = state->all.tried;
	out->work_unit = "swaps";
	metrics_add(out, &(struct metric){.name = "swaps_per_second",
					  .unit = "M/s",
					  .value = tried * 1e3 / ns,
					  .primary = true});
	metrics_add(out, &(struct metric){.name = "thread_ns_per_swap",
					  .unit = "ns",
					  .value = ns * run->nr_threads / tried,
					  .better = METRIC_LOWER});
	metrics_add(out,
		    &(struct metric){.name = "accepted_fraction",
				     .unit = "1",
				     .value = (double)(state->all.lowered + state->all.raised) /
					      tried});
	metrics_add(out, &(struct metric){.name = "length_fraction",
					  .unit = "1",
					  .value = (double)state->verdict.cost /
						   (double)(state->start_cost + !state->start_cost),
					  .better = METRIC_LOWER});
	metrics_add(out, &(struct metric){.name = "elements",
					  .unit = "elements",
					  .value = (double)state->net.elements});
}

static void teardown(struct workload_run *run)
{
	struct state *state = run->state;

	if (state)
		free(state->moves);
	free(state);
}

const struct workload workload_canneal = {
	.name = "canneal",
	.summary = "simulated annealing of a netlist's placement (PARSEC, Mitosis, vMitosis)",
	.options = options,
	.presets = presets,
	/* Mitosis, table of workloads, one-socket runs. */
	.published_footprint_bytes = UINT64_C(32) << 30,
	.published_threads = 1,
	.check = check,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
