// SPDX-License-Identifier: MIT
/* The verdict on a run with a server, and what it amounts to. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/loadgen/random.h"
#include "bench/loadgen/service_state.h"

#define SAMPLES_MAX 2000

/* --- verification ------------------------------------------------------------------------------
 */

/* With nothing under way, what is stored must be whole and no older than the last updates. */
static int check_key(struct service_state *state, uint64_t key, char *value, uint64_t value_max,
		     struct verification *verification, struct err *err)
{
	const uint32_t floor = versions_floor(&state->mix.versions, key);
	uint32_t version;
	const int64_t bytes = state->service->admin_fetch(state->admin, key, value, value_max, err);

	if (bytes < 0)
		return -1;
	verification->checked++;
	if ((uint64_t)bytes == values_bytes(&state->mix.values, key) &&
	    value_read(value, (uint64_t)bytes, key, &version) && floor != VERSIONS_NO_FLOOR &&
	    versions_may_see(&state->mix.versions, key, floor, version))
		return 0;
	verification->errors++;
	return 0;
}

/* By another connection and, for Redis, another client library than the load's. */
static int check_samples(struct service_state *state, struct verification *verification,
			 struct err *err)
{
	const uint64_t keys = state->plan.keys;
	const uint64_t samples = keys < SAMPLES_MAX ? keys : SAMPLES_MAX;
	const uint64_t value_max = state->mix.values.bytes;
	char *value = malloc(value_max);
	int failed = value ? 0 : err_set(err, ERR_INTERNAL, "out of memory");

	for (uint64_t i = 0; i < samples && !failed; i++) {
		const uint64_t key =
			keys <= SAMPLES_MAX
				? i
				: random_below(random_at(state->run->seed ^ 0x766679, i), keys);

		failed = check_key(state, key, value, value_max, verification, err);
	}
	free(value);
	return failed;
}

int service_verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	struct service_state *state = run->state;
	const struct client_counts *counts = &state->counts;
	const uint64_t keys = state->plan.keys;
	struct service_numbers *numbers = &state->numbers;
	uint64_t sample_errors;

	if (check_samples(state, verification, err) != 0 ||
	    state->service->admin_numbers(state->admin, numbers, err) != 0)
		return -1;
	sample_errors = verification->errors;
	verification->checked += counts->read_keys + counts->updates;
	verification->errors += counts->misses + counts->errors + counts->wrong + counts->stale +
				numbers->evictions + (numbers->items != keys);
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	snprintf(verification->detail, sizeof(verification->detail),
		 "%" PRIu64 " reads: %" PRIu64 " missing, %" PRIu64 " wrong, %" PRIu64
		 " stale; %" PRIu64 " error replies; %" PRIu64 " of %" PRIu64 " keys held; %" PRIu64
		 " wrong in samples%s%.64s",
		 counts->read_keys, counts->misses, counts->wrong, counts->stale, counts->errors,
		 numbers->items, keys, sample_errors, counts->first_problem[0] ? "; first: " : "",
		 counts->first_problem);
	return 0;
}

/* --- metrics -----------------------------------------------------------------------------------
 */

static void add(struct metrics *metrics, const char *name, const char *unit, double value,
		enum metric_better better)
{
	metrics_add(metrics,
		    &(struct metric){.name = name, .unit = unit, .value = value, .better = better});
}

static const char *const latency_names[2][7] = {
	{"read_latency_mean", "read_latency_p50", "read_latency_p90", "read_latency_p99",
	 "read_latency_p99.9", "read_latency_p99.99", "read_latency_max"},
	{"update_latency_mean", "update_latency_p50", "update_latency_p90", "update_latency_p99",
	 "update_latency_p99.9", "update_latency_p99.99", "update_latency_max"},
};

static void add_latencies(const struct service_state *state, bool updates, struct metrics *metrics)
{
	static const double quantiles[] = {0.5, 0.9, 0.99, 0.999, 0.9999};
	struct histogram *all = histogram_new(CLIENT_HISTOGRAM_DIGITS);
	const char *const *names = latency_names[updates];

	for (int i = 0; i < state->nr_clients && all; i++) {
		const struct histogram *one = client_thread_latencies(state->threads[i], updates);

		if (one)
			histogram_add(all, one);
	}
	if (all && all->count > 0) {
		add(metrics, names[0], "us", histogram_mean_ns(all) / 1e3, METRIC_LOWER);
		for (int i = 0; i < 5; i++)
			add(metrics, names[1 + i], "us",
			    (double)histogram_quantile_ns(all, quantiles[i]) / 1e3, METRIC_LOWER);
		add(metrics, names[6], "us", (double)all->max_ns / 1e3, METRIC_LOWER);
	}
	free(all);
}

/* How busy either side was: the server should be, the clients should not. */
static void add_shares(const struct service_state *state, double ns, struct metrics *metrics)
{
	const struct server_usage *before = &state->before, *after = &state->after;
	const double server_ns = (double)(after->cpu_ns - before->cpu_ns);
	const double client_ns = (double)(state->client_cpu_after_ns - state->client_cpu_before_ns);
	const double operations = (double)(state->counts.read_keys + state->counts.updates);

	add(metrics, "server_cpu_share", "%", 100 * server_ns / ns / state->plan.nr_threads,
	    METRIC_HIGHER);
	add(metrics, "server_system_share", "%",
	    100 * (double)(after->system_ns - before->system_ns) / ns / state->plan.nr_threads,
	    METRIC_LOWER);
	add(metrics, "client_cpu_share", "%", 100 * client_ns / ns / state->nr_clients,
	    METRIC_LOWER);
	add(metrics, "server_cpu_per_operation", "ns", server_ns / operations, METRIC_LOWER);
}

static void add_server(const struct service_state *state, struct metrics *metrics)
{
	const struct server_usage *after = &state->after;

	add(metrics, "server_rss", "B", (double)after->rss_bytes, METRIC_LOWER);
	add(metrics, "server_page_tables", "B", (double)after->page_table_bytes, METRIC_LOWER);
	add(metrics, "server_bytes_per_key", "B",
	    (double)after->anonymous_bytes / (double)state->plan.keys, METRIC_LOWER);
	add(metrics, "keys", "keys", (double)state->plan.keys, METRIC_HIGHER);
	add(metrics, "hits", "keys", (double)state->counts.hits, METRIC_HIGHER);
	add(metrics, "misses", "keys", (double)state->counts.misses, METRIC_LOWER);
	add(metrics, "error_replies", "replies", (double)state->counts.errors, METRIC_LOWER);
	add(metrics, "evictions", "keys", (double)state->numbers.evictions, METRIC_LOWER);
}

/*
 * In the emulated machine the region's time is that of the server's instructions in user mode; the
 * guest's own clock, by which latencies and shares would be taken, says how long emulation took.
 */
void service_metrics(struct workload_run *run, struct metrics *metrics)
{
	const struct service_state *state = run->state;
	const struct client_counts *counts = &state->counts;
	const double ns = (double)run->roi->duration_ns;
	const uint64_t operations = counts->read_keys + counts->updates;

	metrics->work_amount = operations;
	metrics->work_unit = "operations";
	metrics_add(metrics, &(struct metric){.name = "operations_per_second",
					      .unit = "op/s",
					      .value = (double)operations * 1e9 / ns,
					      .primary = true});
	if (!run->roi->modelled) {
		add_shares(state, ns, metrics);
		add_latencies(state, false, metrics);
		add_latencies(state, true, metrics);
		add(metrics, "load_rate", "MB/s",
		    (double)state->after.anonymous_bytes * 1e3 / (double)state->load_ns,
		    METRIC_HIGHER);
		add(metrics, "load_time", "s", (double)state->load_ns / 1e9, METRIC_LOWER);
		add(metrics, "data_move_time", "s", (double)state->move_ns / 1e9, METRIC_LOWER);
		add(metrics, "network", "MB/s",
		    (double)(counts->bytes_sent + counts->bytes_received) * 1e3 / ns,
		    METRIC_HIGHER);
	}
	add_server(state, metrics);
}

json_t *service_series(struct workload_run *run)
{
	struct service_state *state = run->state;

	return run->roi->modelled ? NULL : series_to_json(&state->series);
}
