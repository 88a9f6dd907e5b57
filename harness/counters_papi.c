// SPDX-License-Identifier: MIT
//
// Counting through PAPI. Each thread has one event set, attached to it and inherited by the threads
// it creates; PAPI runs one set per thread. Events are added in the order of the table as long as
// they all fit the CPU's counters at once: PAPI hides the times of multiplexed events, so a count
// that would have to be multiplexed is left out, by name, rather than estimated.
#include <papi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/counters_set.h"

#define CPU_COMPONENT 0 /* PAPI's perf_event component is always the first */

static int library_start(struct err *err)
{
	const int version = PAPI_library_init(PAPI_VER_CURRENT);

	if (version == PAPI_VER_CURRENT)
		return 0;
	if (version > 0)
		return err_set(err, ERR_MACHINE,
			       "PAPI is version %d.%d here, not the %d.%d this was built with",
			       PAPI_VERSION_MAJOR(version), PAPI_VERSION_MINOR(version),
			       PAPI_VERSION_MAJOR(PAPI_VER_CURRENT),
			       PAPI_VERSION_MINOR(PAPI_VER_CURRENT));
	return err_set(err, ERR_MACHINE, "PAPI does not start: %s", PAPI_strerror(version));
}

/* PAPI counts user mode unless the name says otherwise; the scheduler's events need the kernel. */
static void papi_name(const struct counter *counter, char *name, size_t size)
{
	const char *raw = strstr(counter->event, "::") ? "" : "perf_raw::";
	const char *modes = counter->hardware ? "" : ":u=1:k=1";

	snprintf(name, size, "%s%s%s", raw, counter->event, modes);
}

static int attach_set(int *set, pid_t tid, struct err *err)
{
	PAPI_option_t option = {.inherit = {.inherit = PAPI_INHERIT_ALL}};
	const char *step = "create an event set";
	int status;

	*set = PAPI_NULL;
	status = PAPI_create_eventset(set);
	if (status == PAPI_OK) {
		step = "choose the CPU's counters";
		status = PAPI_assign_eventset_component(*set, CPU_COMPONENT);
	}
	if (status == PAPI_OK) {
		step = "let new threads inherit counters";
		option.inherit.eventset = *set;
		status = PAPI_set_opt(PAPI_INHERIT, &option);
	}
	if (status == PAPI_OK) {
		step = "attach";
		status = PAPI_attach(*set, (unsigned long)tid);
	}
	if (status != PAPI_OK)
		return err_set(err, ERR_MACHINE,
			       "PAPI cannot %s for thread %d: %s; it needs hardware counters and "
			       "permission, the perf_event back end does with less",
			       step, tid, PAPI_strerror(status));
	return 0;
}

/* The first thread decides what fits; the others have the same counters. */
static int add_event(struct counters *counters, struct counter *counter, struct err *err)
{
	char name[COUNTER_EVENT_MAX + 32];

	papi_name(counter, name, sizeof(name));
	for (int t = 0; t < counters->nr_tids; t++) {
		const int status = PAPI_add_named_event(counters->papi_sets[t], name);

		if (status == PAPI_OK)
			continue;
		if (t > 0)
			return err_set(err, ERR_INTERNAL,
				       "PAPI counts '%s' on one thread but not on another: %s",
				       name, PAPI_strerror(status));
		counter_absent(counter,
			       status == PAPI_ECNFLCT
				       ? "it does not fit the counters together with the "
					 "others, and PAPI would hide that it takes "
					 "turns (%s)"
				       : "PAPI refuses it: %s",
			       PAPI_strerror(status));
		return 0;
	}
	counter->opened = true;
	return 0;
}

int counters_papi_open(struct counters *counters, const pid_t *pids, int nr_pids, struct err *err)
{
	if (library_start(err) != 0 || counters_find_threads(counters, pids, nr_pids, err) != 0)
		return -1;
	counters->papi_sets = malloc((size_t)counters->nr_tids * sizeof(int));
	if (!counters->papi_sets)
		return err_set(err, ERR_INTERNAL, "out of memory for %d threads",
			       counters->nr_tids);
	for (int t = 0; t < counters->nr_tids; t++)
		counters->papi_sets[t] = PAPI_NULL;
	for (int t = 0; t < counters->nr_tids; t++)
		if (attach_set(&counters->papi_sets[t], counters->tids[t], err) != 0)
			return -1;
	for (int i = 0; i < counters->nr; i++)
		if (counters->list[i].event[0] && !counters->list[i].sum &&
		    add_event(counters, &counters->list[i], err) != 0)
			return -1;
	return 0;
}

int counters_papi_start(struct counters *counters, struct err *err)
{
	for (int t = 0; t < counters->nr_tids; t++) {
		const int status = PAPI_start(counters->papi_sets[t]);

		if (status != PAPI_OK)
			return err_set(err, ERR_MACHINE, "PAPI cannot start on thread %d: %s",
				       counters->tids[t], PAPI_strerror(status));
		counters->papi_running = t + 1;
	}
	return 0;
}

/* Values come in the order in which events were added: that of the list. */
static void collect(struct counters *counters, const long long *values)
{
	int next = 0;

	for (int i = 0; i < counters->nr; i++) {
		struct counter *counter = &counters->list[i];

		if (!counter->opened)
			continue;
		counter->raw += (uint64_t)values[next++];
		counter->value = counter->raw;
		counter->counted = true;
	}
}

int counters_papi_stop(struct counters *counters, struct err *err)
{
	long long *values = calloc((size_t)counters->nr + 1, sizeof(*values));
	int status = values ? PAPI_OK : PAPI_ENOMEM;

	for (int t = 0; status == PAPI_OK && t < counters->papi_running; t++) {
		status = PAPI_stop(counters->papi_sets[t], values);
		if (status == PAPI_OK)
			collect(counters, values);
	}
	counters->papi_running = 0;
	free(values);
	if (status != PAPI_OK)
		return err_set(err, ERR_INTERNAL, "PAPI cannot read the counters: %s",
			       PAPI_strerror(status));
	return 0;
}

void counters_papi_close(struct counters *counters)
{
	for (int t = 0; counters->papi_sets && t < counters->nr_tids; t++) {
		if (counters->papi_sets[t] == PAPI_NULL)
			continue;
		if (t < counters->papi_running)
			PAPI_stop(counters->papi_sets[t], NULL);
		PAPI_cleanup_eventset(counters->papi_sets[t]);
		PAPI_destroy_eventset(&counters->papi_sets[t]);
	}
	free(counters->papi_sets);
	counters->papi_sets = NULL;
}
