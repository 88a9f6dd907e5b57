// SPDX-License-Identifier: MIT
#include "harness/counters.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/counters_set.h"

struct backend {
	int (*open)(struct counters *counters, const pid_t *pids, int nr_pids, struct err *err);
	int (*start)(struct counters *counters, struct err *err);
	int (*stop)(struct counters *counters, struct err *err);
	void (*close)(struct counters *counters);
};

static int nothing_open(struct counters *counters, const pid_t *pids, int nr_pids, struct err *err)
{
	(void)counters;
	(void)pids;
	(void)nr_pids;
	(void)err;
	return 0;
}

static int nothing(struct counters *counters, struct err *err)
{
	(void)counters;
	(void)err;
	return 0;
}

static void nothing_close(struct counters *counters)
{
	(void)counters;
}

static const struct backend perf_event = {counters_perf_open, counters_perf_start,
					  counters_perf_stop, counters_perf_close};
static const struct backend papi = {counters_papi_open, counters_papi_start, counters_papi_stop,
				    counters_papi_close};
static const struct backend none = {nothing_open, nothing, nothing, nothing_close};

static const struct backend *backend_of(const struct counters *counters)
{
	static const struct backend *const backends[] = {
		[COUNTERS_AUTO] = &perf_event,
		[COUNTERS_PERF_EVENT] = &perf_event,
		[COUNTERS_PAPI] = &papi,
		[COUNTERS_NONE] = &none,
	};

	return backends[counters->backend];
}

void counter_scale(struct counter *counter)
{
	const uint64_t enabled = counter->time_enabled_ns, running = counter->time_running_ns;

	if (running == 0) {
		if (enabled == 0)
			counter_absent(counter, "no thread ran while it was enabled");
		else
			counter_absent(counter,
				       "it was never on a counter: other events, or the NMI "
				       "watchdog (/proc/sys/kernel/nmi_watchdog), held them all");
		return;
	}
	counter->counted = true;
	counter->value = enabled == running
				 ? counter->raw
				 : (uint64_t)((long double)counter->raw * (long double)enabled /
						      (long double)running +
					      0.5L);
}

/* How many events of a kind were asked for, how many could be opened, and the first refusal. */
struct summary {
	int wanted, opened;
	const struct counter *refused;
};

static struct summary summarize(const struct counters *counters, bool hardware)
{
	struct summary summary = {0};

	for (int i = 0; i < counters->nr; i++) {
		const struct counter *counter = &counters->list[i];

		if (counter->hardware != hardware || counter->sum || !counter->event[0])
			continue;
		summary.wanted++;
		summary.opened += counter->opened;
		if (!counter->opened && !summary.refused)
			summary.refused = counter;
	}
	return summary;
}

static void note_add(struct counters *counters, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void note_add(struct counters *counters, const char *format, ...)
{
	const size_t used = strlen(counters->note);
	va_list args;

	if (used + 3 >= sizeof(counters->note))
		return;
	if (used)
		strcat(counters->note, "; ");
	va_start(args, format);
	vsnprintf(counters->note + strlen(counters->note),
		  sizeof(counters->note) - strlen(counters->note), format, args);
	va_end(args);
}

/* Absences by name, with the reason of the first; the record has the reason of each. */
static void note_absent(struct counters *counters)
{
	char names[512] = "";
	const char *reason = NULL;

	for (int i = 0; i < counters->nr; i++) {
		const struct counter *counter = &counters->list[i];
		const size_t used = strlen(names);

		if (counter->opened || counter->sum)
			continue;
		snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
			 counter->name);
		reason = reason ? reason : counter->reason;
	}
	if (reason)
		note_add(counters, "not counted: %s (%s)", names, reason);
}

static void write_note(struct counters *counters)
{
	const struct summary hardware = summarize(counters, true);

	counters->note[0] = '\0';
	if (counters->backend == COUNTERS_NONE)
		note_add(counters, "counting was switched off");
	else if (hardware.wanted && !hardware.opened && hardware.refused)
		note_add(counters, "no hardware counters, software events only: %s",
			 hardware.refused->reason);
	else
		note_absent(counters);
	if (counters->nr_late_threads)
		note_add(counters,
			 "%d threads started while the counters were attached and may be missing",
			 counters->nr_late_threads);
}

/* Nothing at all may be counted, or nothing of what was asked for by name. */
static int check_opened(const struct counters *counters, struct err *err)
{
	const struct summary hardware = summarize(counters, true);
	const struct summary software = summarize(counters, false);
	const struct counter *refused = hardware.refused ? hardware.refused : software.refused;

	if (counters->backend == COUNTERS_NONE || !refused || hardware.opened > 0)
		return 0;
	if (software.opened > 0 && !(counters->explicit_events && hardware.wanted > 0))
		return 0;
	return err_set(err, ERR_MACHINE, "cannot count '%s': %s", refused->name, refused->reason);
}

int counters_open_with(struct counters **result, const struct counters_options *options,
		       const struct counter_cpu *cpu, const struct perf_kernel *kernel,
		       const pid_t *pids, int nr_pids, struct err *err)
{
	struct counters *counters = calloc(1, sizeof(*counters));
	int status;

	*result = NULL;
	if (!counters)
		return err_set(err, ERR_INTERNAL, "out of memory for counters");
	counters->backend = options->backend;
	counters->cpu = cpu;
	counters->kernel = kernel;
	if (counters->backend == COUNTERS_NONE)
		status = 0;
	else if (options->events)
		status = counters_plan_events(counters, options->events, err);
	else
		status = counters_plan_cpu(counters, err);
	if (status == 0)
		status = backend_of(counters)->open(counters, pids, nr_pids, err);
	if (status == 0)
		status = check_opened(counters, err);
	if (status != 0) {
		counters_close(counters);
		return -1;
	}
	write_note(counters);
	*result = counters;
	return 0;
}

int counters_open(struct counters **counters, const struct counters_options *options,
		  const struct topology *topology, const pid_t *pids, int nr_pids, struct err *err)
{
	*counters = NULL;
	if ((int)options->backend < COUNTERS_AUTO || options->backend > COUNTERS_NONE)
		return err_set(err, ERR_USAGE, "there is no back end %d for counters",
			       options->backend);
	return counters_open_with(counters, options, counters_cpu_of(topology), &perf_kernel_linux,
				  pids, nr_pids, err);
}

int counters_start(struct counters *counters, struct err *err)
{
	return backend_of(counters)->start(counters, err);
}

/* A sum is counted when each of its terms is; its times are those of the least counted term. */
static void add_up(struct counters *counters, struct counter *sum)
{
	const char *rest = sum->sum;
	char term[64];

	sum->raw = sum->value = 0;
	sum->counted = true;
	while (counters_next_term(&rest, term, sizeof(term)))
		for (int i = 0; i < counters->nr; i++) {
			const struct counter *part = &counters->list[i];

			if (strcmp(part->name, term) != 0)
				continue;
			if (!part->counted) {
				counter_absent(sum, "%s: %s", part->name, part->reason);
				return;
			}
			if (sum->raw == 0 || part->time_running_ns < sum->time_running_ns) {
				sum->time_running_ns = part->time_running_ns;
				sum->time_enabled_ns = part->time_enabled_ns;
			}
			sum->has_times = part->has_times;
			sum->raw += part->raw;
			sum->value += part->value;
		}
}

int counters_stop(struct counters *counters, struct err *err)
{
	if (backend_of(counters)->stop(counters, err) != 0)
		return -1;
	for (int i = 0; i < counters->nr; i++)
		if (counters->list[i].sum)
			add_up(counters, &counters->list[i]);
	return 0;
}

void counters_close(struct counters *counters)
{
	if (!counters)
		return;
	backend_of(counters)->close(counters);
	free(counters->list);
	free(counters->tids);
	free(counters);
}

const char *counters_note(const struct counters *counters)
{
	return counters->note[0] ? counters->note : NULL;
}
