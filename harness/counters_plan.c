// SPDX-License-Identifier: MIT
//
// Which counters a run opens: the table of its CPU, or the user's list.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/counters_set.h"

struct counter *counters_add(struct counters *counters, const char *group, const char *name,
			     const char *unit)
{
	struct counter *larger =
		realloc(counters->list, (size_t)(counters->nr + 1) * sizeof(struct counter));
	struct counter *counter;

	if (!larger)
		return NULL;
	counters->list = larger;
	counter = &larger[counters->nr++];
	memset(counter, 0, sizeof(*counter));
	snprintf(counter->group, sizeof(counter->group), "%s", group);
	snprintf(counter->name, sizeof(counter->name), "%s", name);
	counter->unit = unit;
	return counter;
}

void counter_absent(struct counter *counter, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(counter->reason, sizeof(counter->reason), format, args);
	va_end(args);
	counter->counted = false;
}

static struct counter *find(struct counters *counters, const char *name)
{
	for (int i = 0; i < counters->nr; i++)
		if (strcmp(counters->list[i].name, name) == 0)
			return &counters->list[i];
	return NULL;
}

/* The event column of a sum: the events of its terms. */
static void describe_sum(const struct counter_cpu *cpu, struct counter *counter)
{
	const char *rest = counter->sum;
	size_t used = 0;
	char term[64];

	while (counters_next_term(&rest, term, sizeof(term))) {
		const struct counter_row *row = counters_cpu_row_named(cpu, term);

		used += (size_t)snprintf(counter->event + used, sizeof(counter->event) - used,
					 "%s%s", used ? " + " : "", row ? row->event : term);
		if (used >= sizeof(counter->event))
			return;
	}
}

static int add_row(struct counters *counters, const struct counter_row *row, struct err *err);

/* A sum that was asked for by itself brings its terms along. */
static int add_terms(struct counters *counters, const struct counter_row *row, struct err *err)
{
	const char *rest = row->event;
	char term[64];

	while (counters_next_term(&rest, term, sizeof(term))) {
		const struct counter_row *part = counters_cpu_row_named(counters->cpu, term);

		if (part && !find(counters, term) && add_row(counters, part, err) != 0)
			return -1;
	}
	return 0;
}

static int add_row(struct counters *counters, const struct counter_row *row, struct err *err)
{
	const bool sum = row->event && row->event[0] == '=';
	struct counter *counter;

	if (sum && add_terms(counters, row, err) != 0)
		return -1;
	counter = counters_add(counters, row->group, row->name, row->unit);
	if (!counter)
		return err_set(err, ERR_INTERNAL, "out of memory for counters");
	counter->attr.exclude_kernel = 1; /* the scope of what is missing */
	if (!row->event) {
		counter_absent(counter, "%s", row->detail);
		return 0;
	}
	if (sum) {
		counter->sum = row->event;
		counter->hardware = true;
		describe_sum(counters->cpu, counter);
		return 0;
	}
	counters_event_text(counters->cpu, row->event, counter->event, sizeof(counter->event));
	if (counters_encode(counter->event, &counter->attr, err) != 0)
		return -1;
	counter->hardware = !counters_is_software(&counter->attr);
	counter->attr.exclude_kernel = counter->hardware;
	return 0;
}

int counters_plan_cpu(struct counters *counters, struct err *err)
{
	const struct counter_row *row;

	for (int i = 0; (row = counters_cpu_row(counters->cpu, i)); i++)
		if (!find(counters, row->name) && add_row(counters, row, err) != 0)
			return -1;
	return 0;
}

static int add_software(struct counters *counters, struct err *err)
{
	const struct counter_row *row;

	for (int i = 0; (row = counters_cpu_row(counters->cpu, i)); i++)
		if ((strcmp(row->group, COUNTERS_SOFTWARE_GROUP) == 0 ||
		     strcmp(row->group, COUNTERS_KERNEL_GROUP) == 0) &&
		    !find(counters, row->name) && add_row(counters, row, err) != 0)
			return -1;
	return 0;
}

/* One word of --counters: a name of ours, or an event. */
static int add_word(struct counters *counters, const char *word, struct err *err)
{
	const struct counter_row *row = counters_cpu_row_named(counters->cpu, word);
	struct counter *counter;

	if (find(counters, word))
		return 0;
	if (row)
		return add_row(counters, row, err);
	counter = counters_add(counters, "events", word, "events");
	if (!counter)
		return err_set(err, ERR_INTERNAL, "out of memory for counters");
	if (counters_encode_user(counters->cpu, word, counter->event, sizeof(counter->event),
				 &counter->attr, err) != 0)
		return -1;
	counter->hardware = !counters_is_software(&counter->attr);
	return 0;
}

static int add_words(struct counters *counters, char *rest, struct err *err)
{
	for (char *word; (word = strsep(&rest, ","));) {
		word += strspn(word, " ");
		word[strcspn(word, " ")] = '\0';
		if (*word && add_word(counters, word, err) != 0)
			return -1;
	}
	return 0;
}

/* What the user wrote is grouped in the order written, as many to a group as the CPU can count. */
static void regroup(struct counters *counters)
{
	int nr_hardware = 0;

	for (int i = 0; i < counters->nr; i++) {
		struct counter *counter = &counters->list[i];

		if (!counter->hardware)
			continue;
		snprintf(counter->group, sizeof(counter->group), "events%d",
			 nr_hardware / counters->cpu->counters + 1);
		nr_hardware += !counter->sum;
	}
}

/* Neighbours of the list are opened together: software events must not part a group. */
static void software_last(struct counters *counters)
{
	for (int i = 1; i < counters->nr; i++)
		for (int j = i; j > 0 && counters->list[j].hardware; j--) {
			const struct counter moved = counters->list[j];

			if (counters->list[j - 1].hardware)
				break;
			counters->list[j] = counters->list[j - 1];
			counters->list[j - 1] = moved;
		}
}

int counters_plan_events(struct counters *counters, const char *events, struct err *err)
{
	char *words = strdup(events);
	int status;

	if (!words)
		return err_set(err, ERR_INTERNAL, "out of memory for '%s'", events);
	status = add_words(counters, words, err);
	free(words);
	if (status != 0)
		return -1;
	if (counters->nr == 0)
		return err_set(
			err, ERR_USAGE,
			"--counters: '%s' names no event; '--counters list' shows what there "
			"is",
			events);
	counters->explicit_events = true;
	regroup(counters);
	software_last(counters);
	return add_software(counters, err);
}
