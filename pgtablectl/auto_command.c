// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/pgtable_numa.h"
#include "harness/counters.h"
#include "harness/interrupt.h"
#include "pgtablectl/auto.h"
#include "pgtablectl/commands.h"

#define SLICE_NS (UINT64_C(1000000) * INTERRUPT_SLICE_MS)

/* Value of a ratio of the counters' JSON; negative when it could not be counted. */
static double derived(const json_t *json, const char *name)
{
	const json_t *ratio;
	size_t i;

	json_array_foreach (json_object_get(json, "derived"), i, ratio) {
		const char *its_name = json_string_value(json_object_get(ratio, "name"));
		const json_t *value = json_object_get(ratio, "value");

		if (its_name && strcmp(its_name, name) == 0 && json_is_number(value))
			return json_number_value(value);
	}
	return -1;
}

/* Ends the interval that is under way and begins the next, with threads that have come since. */
static double count_walks(void *context, pid_t pid, struct counters **counters)
{
	const struct counters_options options = {.backend = COUNTERS_PERF_EVENT};
	const struct topology *topology = context;
	struct err ignored = {0};
	double fraction = -1;

	if (*counters) {
		if (counters_stop(*counters, &ignored) == 0) {
			json_t *json = counters_to_json(*counters);

			fraction = derived(json, "walk_fraction");
			json_decref(json);
		}
		counters_close(*counters);
		*counters = NULL;
	}
	if (counters_open(counters, &options, topology, &pid, 1, &ignored) != 0)
		*counters = NULL;
	else if (counters_start(*counters, &ignored) != 0) {
		counters_close(*counters);
		*counters = NULL;
	}
	return fraction;
}

static void pause_for(uint64_t ns)
{
	while (ns > 0 && !interrupt_signal) {
		const uint64_t slice = ns < SLICE_NS ? ns : SLICE_NS;
		const struct timespec time = {.tv_sec = (time_t)(slice / 1000000000),
					      .tv_nsec = (long)(slice % 1000000000)};

		nanosleep(&time, NULL);
		ns -= slice;
	}
}

static int watch(struct auto_daemon *daemon, struct err *err)
{
	const struct auto_options *options = daemon->options;
	int failed = 0;

	for (int round = 0; !failed && !interrupt_signal; round++) {
		failed = auto_round(daemon, err);
		if (options->rounds && round + 1 >= options->rounds)
			break;
		if (!failed)
			pause_for(options->interval_ns);
	}
	auto_end(daemon);
	return failed;
}

static int run(const struct auto_options *options, struct err *err)
{
	struct auto_daemon daemon = {.options = options, .log = stdout};
	struct topology topology = {0};
	struct fs fs;
	int failed;

	if (fs_open(&fs, "/", err) != 0)
		return -1;
	failed = pgtable_numa_available(&fs, err) != 0 ||
		 sample_nodes_read(&daemon.nodes, &fs, err) != 0 ||
		 topology_read(&topology, &fs, err) != 0;
	if (!failed && options->nodes & ~daemon.nodes.with_memory)
		failed = err_set(err, ERR_USAGE, "--nodes: a node is not there or has no memory");
	if (!failed) {
		daemon.fs = &fs;
		daemon.walk_fraction = count_walks;
		daemon.context = &topology;
		interrupt_install();
		failed = watch(&daemon, err);
	}
	topology_free(&topology);
	fs_close(&fs);
	return failed ? -1 : 0;
}

int auto_command(int argc, char **argv)
{
	struct auto_options options;
	struct err err = {0};
	const int parsed = auto_parse_options(&options, argc, argv, &err);

	if (parsed > 0)
		return 0;
	if (parsed < 0 || run(&options, &err) != 0)
		return err_report("pgtablectl", &err);
	return interrupt_signal ? ERR_INTERRUPTED : 0;
}
