// SPDX-License-Identifier: MIT
#include "bench/loadgen/service.h"

#include <inttypes.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/loadgen/random.h"
#include "bench/loadgen/service_state.h"
#include "common/fs.h"

#define NATIVE_STALL_NS   (UINT64_C(60) * 1000000000)
#define MODELLED_STALL_NS (UINT64_C(600) * 1000000000)
#define LOAD_BATCH_BYTES  (UINT64_C(1) << 20)

/* --- threads ---------------------------------------------------------------------------------- */

int service_first_error(struct service_state *state, struct err *err)
{
	struct err ended = {0};

	for (int i = 0; i < state->nr_clients; i++) {
		if (state->errs[i].kind == ERR_NONE)
			continue;
		/* A connection may close a moment before its process is gone. */
		for (int tries = 0; tries < 50 && ended.kind == ERR_NONE; tries++) {
			const struct timespec moment = {.tv_nsec = 10000000};

			if (server_check(&state->server, &ended) == 0)
				nanosleep(&moment, NULL);
		}
		*err = ended.kind ? ended : state->errs[i];
		return -1;
	}
	return 0;
}

/*
 * The driver's memory policy is the server's: bound to the node of its page tables. Clients have
 * what a program has by default: memory where they run.
 */
static void open_thread(void *context, int thread)
{
	struct service_state *state = context;
	const int all = (int)option_u64(state->run->options, SERVICE_CONNECTIONS);
	const int nr_clients = state->nr_clients;

	set_mempolicy(MPOL_DEFAULT, NULL, 0);
	client_thread_open(&state->threads[thread], &state->mix, &state->server.address,
			   all / nr_clients + (thread < all % nr_clients), &state->errs[thread]);
}

static void run_phase_thread(void *context, int thread)
{
	struct service_state *state = context;

	client_thread_run(state->threads[thread], &state->phase, thread, state->nr_clients,
			  &state->errs[thread]);
}

int service_run_phase(struct service_state *state, struct err *err)
{
	atomic_store(&state->mix.completed, 0);
	team_run(state->run->team, run_phase_thread, state);
	return service_first_error(state, err);
}

static void sum_counts(struct service_state *state)
{
	state->counts = (struct client_counts){0};
	for (int i = 0; i < state->nr_clients; i++)
		client_counts_add(&state->counts, client_thread_counts(state->threads[i]));
}

/* --- the server --------------------------------------------------------------------------------
 */

static int start_server(struct service_state *state, struct err *err)
{
	const struct service *service = state->service;
	struct workload_run *run = state->run;
	const struct server_place place = {run->cpus, run->nr_cpus, &run->arena->policy};
	struct server_command command = {0};
	int failed;

	state->server.name = service->program;
	if (server_prepare(&state->server,
			   (enum server_transport)option_choice(run->options, SERVICE_TRANSPORT),
			   (int)option_u64(run->options, SERVICE_PORT), err) != 0)
		return -1;
	if (strlen(run->server->program) >= SERVER_WORD_MAX)
		return err_set(err, ERR_USAGE, "--server: the path '%.40s...' is too long",
			       run->server->program);
	server_command_add(&command, "%s", run->server->program);
	service->command(&command, &state->server.address, state->server.directory, &state->plan);
	failed = server_start(&state->server, &command, &place, err);
	run->server_pid = state->server.pid;
	return failed;
}

/* Somebody else may have got the port between our look at it and the server's start. */
static int meet_server(struct service_state *state, struct err *err)
{
	struct service_numbers numbers;

	if (state->service->admin_open(&state->admin, &state->server.address, err) != 0 ||
	    state->service->admin_numbers(state->admin, &numbers, err) != 0)
		return -1;
	if (numbers.pid == state->server.pid && numbers.items == 0)
		return 0;
	return err_set(err, ERR_RUN,
		       "who answers at port %d is process %d with %" PRIu64
		       " keys, not the server that was started",
		       state->server.address.port, (int)numbers.pid, numbers.items);
}

/* --- loading -----------------------------------------------------------------------------------
 */

static void report_progress(void *context, double done)
{
	struct service_state *state = context;
	const double span = state->progress_to - state->progress_from;

	state->run->progress(state->run, state->progress_from + span * done);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int load(struct service_state *state, struct err *err)
{
	const uint64_t begin_ns = now_ns(CLOCK_MONOTONIC);
	struct client_mix *mix = &state->mix;
	const uint64_t request_bytes = mix->values.bytes + mix->dialect->overhead_bytes;
	const uint64_t batch = option_u64(state->run->options, SERVICE_LOAD_PIPELINE);
	const uint64_t fit = LOAD_BATCH_BYTES / request_bytes + 1;

	mix->pipeline = (unsigned)(batch < fit ? batch : fit);
	state->phase = (struct client_phase){
		.kind = PHASE_LOAD,
		.requests = state->plan.keys,
		.progress = report_progress,
		.context = state,
	};
	state->progress_to = 0.95;
	if (service_run_phase(state, err) != 0)
		return -1;
	state->load_ns = now_ns(CLOCK_MONOTONIC) - begin_ns;
	mix->newest = state->plan.keys - 1;
	mix->pipeline = (unsigned)option_u64(state->run->options, SERVICE_PIPELINE);
	sum_counts(state);
	if (state->counts.errors == 0)
		return 0;
	return err_set(err, ERR_RUN, "%" PRIu64 " of %" PRIu64 " keys could not be loaded: %s",
		       state->counts.errors, state->plan.keys, state->counts.first_problem);
}

/* A server that had to drop keys would be measured with others than it was asked for. */
static int check_loaded(struct service_state *state, struct err *err)
{
	struct service_numbers *numbers = &state->numbers;

	if (state->service->admin_numbers(state->admin, numbers, err) != 0)
		return -1;
	if (numbers->items == state->plan.keys && numbers->evictions == 0)
		return 0;
	return err_set(err, ERR_RUN,
		       "the server holds %" PRIu64 " of %" PRIu64 " keys and has evicted %" PRIu64,
		       numbers->items, state->plan.keys, numbers->evictions);
}

static struct client_phase mixed_phase(struct service_state *state)
{
	const struct option_set *options = state->run->options;

	return (struct client_phase){
		.kind = PHASE_MIX,
		.rate = (double)option_u64(options, SERVICE_RATE),
		.poisson = option_choice(options, SERVICE_ARRIVALS) == 1,
		.progress = report_progress,
		.context = state,
	};
}

/* Before the data are moved: what updates need once more (buffers, free lists) is there by then. */
static int warm_up(struct service_state *state, struct err *err)
{
	const uint64_t requests = option_u64(state->run->options, SERVICE_WARM_UP);

	if (requests == 0)
		return 0;
	state->phase = mixed_phase(state);
	state->phase.first = UINT64_C(1) << 61;
	state->phase.requests = requests;
	state->phase.rate = 0;
	state->progress_from = 0.95;
	state->progress_to = 1;
	return service_run_phase(state, err);
}

static int move(struct service_state *state, struct err *err)
{
	const uint64_t begin_ns = now_ns(CLOCK_MONOTONIC);
	struct server_usage usage;

	if (server_move_data(&state->server, &state->run->arena->policy, err) != 0 ||
	    server_usage(&state->server, &usage, err) != 0)
		return -1;
	state->move_ns = now_ns(CLOCK_MONOTONIC) - begin_ns;
	state->run->server_bytes = usage.anonymous_bytes;
	return 0;
}

static int prepare_mix(struct service_state *state, struct err *err)
{
	const struct option_set *options = state->run->options;
	struct client_mix *mix = &state->mix;
	const uint64_t pipeline = option_u64(options, SERVICE_PIPELINE);
	const uint64_t batch = option_u64(options, SERVICE_LOAD_PIPELINE);

	mix->dialect = state->service->dialect;
	mix->seed = state->run->seed;
	mix->read_fraction = option_f64(options, SERVICE_READS) / 100;
	mix->multiget = (unsigned)option_u64(options, SERVICE_MULTIGET);
	mix->pipeline = mix->pipeline_max = (unsigned)(pipeline > batch ? pipeline : batch);
	mix->stall_ns = state->run->modelled ? MODELLED_STALL_NS : NATIVE_STALL_NS;
	mix->values = (struct values){
		.kind = (enum values_kind)option_choice(options, SERVICE_VALUE_SIZES),
		.bytes = option_u64(options, SERVICE_VALUE_SIZE),
		.seed = state->run->seed,
	};
	keys_init(&mix->keys, (enum keys_kind)option_choice(options, SERVICE_KEY_ORDER),
		  state->plan.keys, option_f64(options, SERVICE_ZIPF_EXPONENT), state->run->seed);
	return versions_open(&mix->versions, state->plan.keys, err);
}

static int make_state(const struct service *service, struct workload_run *run, struct err *err)
{
	struct service_state *state = calloc(1, sizeof(*state));

	run->state = state;
	if (!state)
		return err_set(err, ERR_INTERNAL, "out of memory");
	state->service = service;
	state->run = run;
	state->server = SERVER_NONE;
	state->nr_clients = run->server->nr_clients;
	state->plan = service_make_plan(service, run->options, run->nr_threads);
	state->plan.huge_pages = run->arena->policy.thp == ARENA_THP_ALWAYS;
	state->threads = calloc((size_t)state->nr_clients, sizeof(state->threads[0]));
	state->errs = calloc((size_t)state->nr_clients, sizeof(state->errs[0]));
	if (!state->threads || !state->errs || series_open(&state->series, state->nr_clients) != 0)
		return err_set(err, ERR_INTERNAL, "out of memory");
	return prepare_mix(state, err);
}

int service_setup(const struct service *service, struct workload_run *run, struct err *err)
{
	struct service_state *state;

	if (make_state(service, run, err) != 0)
		return -1;
	state = run->state;
	if (start_server(state, err) != 0 || meet_server(state, err) != 0)
		return -1;
	team_run(run->team, open_thread, state);
	if (service_first_error(state, err) != 0)
		return -1;
	server_hide(&state->server);
	if (load(state, err) != 0 || check_loaded(state, err) != 0 || warm_up(state, err) != 0 ||
	    move(state, err) != 0)
		return -1;
	state->phase = mixed_phase(state);
	state->phase.progress = NULL;
	state->phase.requests = option_u64(run->options, SERVICE_REQUESTS);
	state->phase.duration_ns = (uint64_t)(option_f64(run->options, SERVICE_DURATION) * 1e9);
	state->phase.series = &state->series;
	atomic_store(&state->mix.completed, 0);
	return 0;
}

/* --- the run -----------------------------------------------------------------------------------
 */

static void sample(struct service_state *state, struct server_usage *usage, uint64_t *client_ns)
{
	server_usage(&state->server, usage, NULL);
	*client_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void service_run(struct workload_run *run, int thread)
{
	struct service_state *state = run->state;

	if (thread == 0)
		sample(state, &state->before, &state->client_cpu_before_ns);
	team_barrier(run->team);
	run_phase_thread(state, thread);
	team_barrier(run->team);
	if (thread == 0)
		sample(state, &state->after, &state->client_cpu_after_ns);
}

int service_check_run(struct workload_run *run, struct err *err)
{
	struct service_state *state = run->state;

	if (service_first_error(state, err) != 0)
		return -1;
	sum_counts(state);
	return server_check(&state->server, err);
}

void service_teardown(struct workload_run *run)
{
	struct service_state *state = run->state;

	if (!state)
		return;
	if (state->threads) {
		for (int i = 0; i < state->nr_clients; i++)
			client_thread_close(state->threads[i]);
	}
	if (state->service)
		state->service->admin_close(state->admin);
	server_stop(&state->server);
	versions_close(&state->mix.versions);
	series_close(&state->series);
	free(state->threads);
	free(state->errs);
	free(state);
	run->state = NULL;
}
