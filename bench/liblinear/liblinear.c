// SPDX-License-Identifier: MIT
/*
 * LibLinear: training of an L1-regularised logistic regression with the system's library, as
 * Mitosis did on kdd12. What is timed is the library's train(), which is single-threaded. The
 * samples, and the memory that train() allocates for itself, come from the arena: both are placed
 * and touched before the run.
 */
#include "bench/liblinear/liblinear.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/workload.h"

enum { SIZE, SAMPLES, FEATURES, NONZEROS, NOISE, DATA, COST, EPSILON };

/* Of kdd12: 149,639,105 samples of 54,686,452 features. */
#define FEATURES_PER_SAMPLE 0.365456
#define FRESH_SAMPLES       20000
#define NEWTON_STEPS_MAX    100 /* the library's own limit */

static uint64_t default_size(const struct option_context *context)
{
	return context->memory_bytes / 16;
}

static const struct option options[] = {
	[SIZE] =
		{.name = "size",
		 .type = OPTION_SIZE,
		 .adapt = default_size,
		 .emulated = "32M",
		 .min = 1 << 20,
		 .max = UINT64_C(1) << 50,
		 .scales = true,
		 .help = "bytes of samples and library, as many samples as fit; default: a 16th of "
			 "memory"},
	[SAMPLES] = {.name = "samples",
		     .type = OPTION_COUNT,
		     .native = "0",
		     .max = LIBLINEAR_MAX,
		     .scales = true,
		     .help = "generated samples; 0: by --size"},
	[FEATURES] = {.name = "features",
		      .type = OPTION_COUNT,
		      .native = "0",
		      .max = LIBLINEAR_MAX,
		      .scales = true,
		      .help = "their features; 0: 0.365 a sample, as in kdd12"},
	[NONZEROS] = {.name = "nonzeros",
		      .type = OPTION_INT,
		      .native = "11",
		      .min = 1,
		      .max = LIBLINEAR_NONZEROS,
		      .help = "features of a sample that are not 0"},
	[NOISE] = {.name = "noise",
		   .type = OPTION_DOUBLE,
		   .native = "0.05",
		   .help = "share of labels that are wrong: no model can do better"},
	[DATA] = {.name = "data",
		  .type = OPTION_TEXT,
		  .help = "a file in svmlight's format instead, with two labels"},
	[COST] = {.name = "cost",
		  .type = OPTION_DOUBLE,
		  .native = "1",
		  .help = "weight of the loss against the regularisation (liblinear's -c)"},
	[EPSILON] = {.name = "epsilon",
		     .type = OPTION_DOUBLE,
		     .native = "0.01",
		     .help = "when to stop (liblinear's -e)"},
	{.name = NULL},
};

static const struct option_preset presets[] = {
	{"kdd12-shape", "the dimensions of kdd12, as in Mitosis",
	 "samples=149639105 features=54686452 nonzeros=11"},
	{.name = NULL},
};

struct state {
	struct samples_size size;
	struct samples_plan plan;
	bool has_plan;
	struct problem problem;
	struct feature_node *nodes;
	unsigned char *library;
	struct model *model;
	uint64_t library_used;
	struct training_verdict verdict;
	double accuracy; /* of the planted model on fresh samples */
	int failed;
	struct err err;
};

/* --- how large ------------------------------------------------------------------------------- */

static struct samples_size size_of(const struct option_set *set, uint64_t samples)
{
	struct samples_size size = {.samples = samples, .features = option_u64(set, FEATURES)};

	size.nonzeros = samples * option_u64(set, NONZEROS);
	if (size.features == 0)
		size.features = (uint64_t)((double)samples * FEATURES_PER_SAMPLE);
	if (size.features < 4 * option_u64(set, NONZEROS))
		size.features = 4 * option_u64(set, NONZEROS);
	return size;
}

static struct samples_size planned_size(const struct option_set *set)
{
	uint64_t low = 1, high = option_u64(set, SIZE) / 64;

	if (option_u64(set, SAMPLES) > 0)
		return size_of(set, option_u64(set, SAMPLES));
	if (high > LIBLINEAR_MAX)
		high = LIBLINEAR_MAX;
	while (low < high) {
		const uint64_t middle = low + (high - low + 1) / 2;
		const struct samples_size size = size_of(set, middle);

		if (samples_bytes(&size) <= option_u64(set, SIZE))
			low = middle;
		else
			high = middle - 1;
	}
	return size_of(set, low);
}

static uint64_t footprint_bytes(const struct option_set *set, int nr_threads)
{
	struct samples_size size;

	(void)nr_threads;
	if (!option_text(set, DATA))
		size = planned_size(set);
	else if (svmlight_estimate(option_text(set, DATA), &size, NULL) != 0)
		return UINT64_MAX;
	return samples_bytes(&size);
}

static int check_generated(const struct option_set *set, struct err *err)
{
	const uint64_t features = option_u64(set, FEATURES);

	if (features > 0 && features < 4 * option_u64(set, NONZEROS))
		return err_set(err, ERR_USAGE,
			       "--features: %" PRIu64 " is below 4 times --nonzeros", features);
	if (planned_size(set).samples < 100)
		return err_set(err, ERR_USAGE, "%" PRIu64 " samples; a model needs 100 or more",
			       planned_size(set).samples);
	return 0;
}

static int check(const struct option_set *set, int nr_threads, struct err *err)
{
	const double noise = option_f64(set, NOISE), cost = option_f64(set, COST);
	const double epsilon = option_f64(set, EPSILON);
	struct samples_size size;

	if (nr_threads > 1)
		return err_set(err, ERR_USAGE,
			       "--threads: %d, but training with this library is single-threaded; "
			       "choose 1",
			       nr_threads);
	if (!(noise >= 0 && noise <= 0.4))
		return err_set(err, ERR_USAGE, "--noise: %g is not between 0 and 0.4", noise);
	if (!(cost > 0 && cost <= 1e6))
		return err_set(err, ERR_USAGE, "--cost: %g is not between 0 and 1e6", cost);
	if (!(epsilon > 0 && epsilon <= 1))
		return err_set(err, ERR_USAGE, "--epsilon: %g is not between 0 and 1", epsilon);
	if (!option_text(set, DATA))
		return check_generated(set, err);
	for (int i = SIZE; i <= NOISE; i++)
		if (set->values[i].source == OPTION_USER)
			return err_set(err, ERR_USAGE,
				       "--%s is for generated samples; --data has its own",
				       options[i].name);
	return svmlight_estimate(option_text(set, DATA), &size, err);
}

/* --- setup ----------------------------------------------------------------------------------- */

static int map_problem(struct workload_run *run, struct state *state, struct err *err)
{
	const struct samples_size *size = &state->size;
	struct problem *problem = &state->problem;

	problem->l = (int)size->samples;
	problem->n = (int)size->features;
	problem->bias = -1;
	state->nodes = arena_map(run->arena, "samples",
				 (size->nonzeros + size->samples) * sizeof(state->nodes[0]), err);
	if (!state->nodes)
		return -1;
	problem->x = arena_map(run->arena, "rows", size->samples * sizeof(problem->x[0]), err);
	if (!problem->x)
		return -1;
	problem->y = arena_map(run->arena, "labels", size->samples * sizeof(problem->y[0]), err);
	if (!problem->y)
		return -1;
	state->library = arena_map(run->arena, "library", samples_library_bytes(size), err);
	return state->library ? 0 : -1;
}

static void generate_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	struct state *state = run->state;
	const struct samples_plan *plan = &state->plan;
	const struct team_slice slice = team_slice(plan->samples, 1, thread, run->nr_threads);

	for (uint64_t i = slice.begin; i < slice.end; i++) {
		state->problem.x[i] = state->nodes + i * (plan->nonzeros + 1);
		state->problem.y[i] = samples_make(plan, i, state->problem.x[i]);
	}
}

/* On a member of the team, so that a pinned thread touches the memory first. */
static void load_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	struct state *state = run->state;

	if (thread == 0)
		state->failed = svmlight_load(option_text(run->options, DATA), &state->size,
					      &state->problem, state->nodes, &state->err);
}

static void touch_thread(void *context, int thread)
{
	const struct workload_run *run = context;
	const struct state *state = run->state;

	/* Where the training thread would have put it. */
	if (thread == 0)
		memset(state->library, 0, samples_library_bytes(&state->size));
}

static void print_nothing(const char *text)
{
	(void)text;
}

static int fill(struct workload_run *run, struct state *state, struct err *err)
{
	team_run(run->team, state->has_plan ? generate_thread : load_thread, run);
	if (state->failed)
		return err_set(err, state->err.kind, "%s", state->err.text);
	run->progress(run, 0.8);
	team_run(run->team, touch_thread, run);
	library_memory_give(state->library, samples_library_bytes(&state->size));
	set_print_string_function(print_nothing);
	run->progress(run, 1);
	return 0;
}

static int setup(struct workload_run *run, struct err *err)
{
	const char *data = option_text(run->options, DATA);
	struct state *state = calloc(1, sizeof(*state));

	run->state = state;
	if (!state)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (data) {
		if (svmlight_measure(data, &state->size, err) != 0)
			return -1;
	} else {
		state->size = planned_size(run->options);
		state->has_plan = true;
		samples_plan_make(&state->plan, state->size.samples, state->size.features,
				  option_u64(run->options, NONZEROS),
				  option_f64(run->options, NOISE), run->seed);
	}
	if (map_problem(run, state, err) != 0)
		return -1;
	return fill(run, state, err);
}

/* --- the run and its check ------------------------------------------------------------------- */

static void run_thread(struct workload_run *run, int thread)
{
	const struct parameter parameter = {.solver_type = L1R_LR,
					    .C = option_f64(run->options, COST),
					    .eps = option_f64(run->options, EPSILON),
					    .p = 0.1};
	struct state *state = run->state;

	if (thread != 0)
		return;
	/* The library orders its descent by rand(). */
	srand((unsigned)run->seed);
	library_memory_enter();
	state->model = train(&state->problem, &parameter);
	library_memory_leave();
}

/*
 * The library stops when the violation is below this share of that at the start. A little is
 * allowed for sums that were added in another order.
 */
static double allowed_violation(const struct problem *problem, double epsilon)
{
	uint64_t first = 0;
	double fewer;

	for (int i = 0; i < problem->l; i++)
		first += problem->y[i] == problem->y[0];
	fewer = fmin((double)first, (double)problem->l - (double)first);
	return 1.02 * epsilon * fmax(fewer, 1) / (double)problem->l;
}

static uint64_t judge(const struct workload_run *run, char *text, size_t size)
{
	const struct state *state = run->state;
	const struct training_verdict *verdict = &state->verdict;
	const double allowed =
		allowed_violation(&state->problem, option_f64(run->options, EPSILON));
	const double best = 1 - state->plan.noise;
	uint64_t wrong = 0;
	int used;

	used = snprintf(text, size, "violation %.2e of the start's%s", verdict->violation,
			verdict->violation <= allowed ? "" : ", NOT the optimum");
	wrong += !(verdict->violation <= allowed);
	if (state->has_plan) {
		/* Three standard deviations of the count, and what few samples cannot teach. */
		const double luck = 3 * sqrt(best * (1 - best) / FRESH_SAMPLES);
		const double least = best - luck - 0.05 - 3 / sqrt((double)state->size.samples);
		const bool good = state->accuracy >= least && state->accuracy <= best + luck;

		snprintf(text + used, size - (size_t)used,
			 "; %.4f of fresh samples right, %sof the planted model's %.4f",
			 state->accuracy, good ? "" : "NOT ", best);
		wrong += !good;
	}
	return wrong;
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	struct state *state = run->state;
	char optimum[160];
	uint64_t wrong = 0;

	if (!state->model || state->model->nr_class != 2)
		return err_set(err, ERR_RUN, "the library has trained no model of two classes");
	if (training_check(&state->problem, state->model, state->has_plan ? &state->plan : NULL,
			   option_f64(run->options, COST), &state->verdict, err) != 0)
		return -1;
	if (state->has_plan)
		state->accuracy = training_accuracy(state->model, &state->plan, FRESH_SAMPLES);
	if (state->verdict.errors == 0)
		wrong = judge(run, optimum, sizeof(optimum));
	verification->checked = state->verdict.checked;
	verification->errors = state->verdict.errors + wrong;
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	snprintf(verification->detail, sizeof(verification->detail), "%s",
		 state->verdict.errors ? state->verdict.first : optimum);
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const struct state *state = run->state;
	const double ns = (double)run->roi->duration_ns, samples = (double)state->size.samples;

	out->work_amount = state->size.samples;
	out->work_unit = "samples";
	metrics_add(out, &(struct metric){.name = "training_seconds",
					  .unit = "s",
					  .value = ns / 1e9,
					  .better = METRIC_LOWER,
					  .primary = true});
	metrics_add(out, &(struct metric){.name = "samples_per_second",
					  .unit = "M/s",
					  .value = samples * 1e3 / ns});
	metrics_add(out, &(struct metric){.name = "training_accuracy",
					  .unit = "1",
					  .value = (double)state->verdict.right / samples});
	metrics_add(out, &(struct metric){.name = "weights_not_zero",
					  .unit = "features",
					  .value = (double)state->verdict.nonzeros,
					  .better = METRIC_LOWER});
	metrics_add(out, &(struct metric){.name = "objective_fraction",
					  .unit = "1",
					  .value = state->verdict.objective_fraction,
					  .better = METRIC_LOWER});
	metrics_add(out, &(struct metric){.name = "library_bytes_placed",
					  .unit = "bytes",
					  .value = (double)library_memory_used()});
	metrics_add(out, &(struct metric){.name = "library_bytes_elsewhere",
					  .unit = "bytes",
					  .value = (double)library_memory_spilled(),
					  .better = METRIC_LOWER});
}

static void teardown(struct workload_run *run)
{
	struct state *state = run->state;

	if (state && state->model)
		free_and_destroy_model(&state->model);
	library_memory_give(NULL, 0);
	free(state);
}

const struct workload workload_liblinear = {
	.name = "liblinear",
	.summary = "L1-regularised logistic regression with liblinear (Mitosis)",
	.options = options,
	.presets = presets,
	/* Mitosis, table of workloads, one-socket runs. */
	.published_footprint_bytes = UINT64_C(67) << 30,
	.published_threads = 1,
	.check = check,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
