// SPDX-License-Identifier: MIT
//
// Writers: the record's "counters" object, and the list of what a CPU has.
#include <stdio.h>
#include <string.h>

#include "harness/counters_set.h"

void counters_ratio_formula(const struct counter_ratio *ratio, char *text, size_t size)
{
	const bool several = strchr(ratio->denominator, '+');
	char scale[32] = "";

	if (ratio->scale != 1)
		snprintf(scale, sizeof(scale), " * %g", ratio->scale);
	snprintf(text, size, strchr(ratio->numerator, '+') ? "(%s) / %s%s%s%s" : "%s / %s%s%s%s",
		 ratio->numerator, several ? "(" : "", ratio->denominator, several ? ")" : "",
		 scale);
}

static const struct counter *find(const struct counters *counters, const char *name)
{
	for (int i = 0; i < counters->nr; i++)
		if (strcmp(counters->list[i].name, name) == 0)
			return &counters->list[i];
	return NULL;
}

static const char *scope(const struct counter *counter)
{
	return counter->attr.exclude_user     ? "kernel"
	       : counter->attr.exclude_kernel ? "user"
					      : "user+kernel";
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *count_or_null(bool known, uint64_t value)
{
	return known ? json_integer((json_int_t)value) : json_null();
}

static json_t *counter_to_json(const struct counter *counter)
{
	const bool times = counter->has_times;

	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:o}", "name",
			 counter->name, "event", text_or_null(counter->event), "value",
			 count_or_null(counter->counted, counter->value), "unit", counter->unit,
			 "scope", scope(counter), "time_enabled_ns",
			 count_or_null(times, counter->time_enabled_ns), "time_running_ns",
			 count_or_null(times, counter->time_running_ns), "raw_value",
			 count_or_null(counter->counted, counter->raw), "group", counter->group,
			 "reason", text_or_null(counter->reason));
}

static bool all_exist(const struct counters *counters, const char *terms)
{
	char term[64];

	while (counters_next_term(&terms, term, sizeof(term)))
		if (!find(counters, term))
			return false;
	return true;
}

/* Adds up the terms; 0, or -1 with the reason when one was not counted. */
static int add_terms(const struct counters *counters, const char *terms, double *sum,
		     char reason[COUNTER_REASON_MAX])
{
	char term[64];

	*sum = 0;
	while (counters_next_term(&terms, term, sizeof(term))) {
		const struct counter *counter = find(counters, term);

		if (!counter || !counter->counted) {
			snprintf(reason, COUNTER_REASON_MAX, "%.60s was not counted%s%.150s", term,
				 counter && counter->reason[0] ? ": " : "",
				 counter ? counter->reason : "");
			return -1;
		}
		*sum += (double)counter->value;
	}
	return 0;
}

/* NULL when the ratio has no meaning for this list of counters. */
static json_t *ratio_to_json(const struct counters *counters, const struct counter_ratio *ratio)
{
	char formula[256], reason[COUNTER_REASON_MAX] = "";
	double numerator = 0, denominator = 0;
	json_t *value;

	if (!(ratio->always && !counters->explicit_events) &&
	    !(all_exist(counters, ratio->numerator) && all_exist(counters, ratio->denominator)))
		return NULL;
	if (add_terms(counters, ratio->numerator, &numerator, reason) == 0 &&
	    add_terms(counters, ratio->denominator, &denominator, reason) == 0 && denominator == 0)
		snprintf(reason, sizeof(reason), "%s is 0", ratio->denominator);
	value = reason[0] ? json_null() : json_real(numerator / denominator * ratio->scale);
	counters_ratio_formula(ratio, formula, sizeof(formula));
	return json_pack("{s:s, s:o, s:s, s:s, s:o}", "name", ratio->name, "value", value, "unit",
			 ratio->unit, "formula", formula, "reason", text_or_null(reason));
}

json_t *counters_to_json(const struct counters *counters)
{
	static const char *const sources[] = {
		[COUNTERS_AUTO] = "perf_event",
		[COUNTERS_PERF_EVENT] = "perf_event",
		[COUNTERS_PAPI] = "papi",
		[COUNTERS_NONE] = "none",
	};
	json_t *events = json_array(), *derived = json_array();
	const struct counter_ratio *ratio;

	for (int i = 0; i < counters->nr; i++)
		json_array_append_new(events, counter_to_json(&counters->list[i]));
	for (int i = 0; (ratio = counters_ratio_at(i)); i++) {
		json_t *object = ratio_to_json(counters, ratio);

		if (object)
			json_array_append_new(derived, object);
	}
	return json_pack("{s:s, s:o, s:s, s:o, s:o}", "source", sources[counters->backend], "note",
			 text_or_null(counters->note), "cpu", counters->cpu->label, "events",
			 events, "derived", derived);
}

static void list_row(FILE *out, const struct counter_cpu *cpu, const struct counter_row *row)
{
	char event[COUNTER_EVENT_MAX];

	if (!row->event) {
		fprintf(out, "  %-30s absent: %s\n", row->name, row->detail);
		return;
	}
	if (row->event[0] == '=')
		snprintf(event, sizeof(event), "%s", row->event + 1);
	else
		counters_event_text(cpu, row->event, event, sizeof(event));
	fprintf(out, "  %-30s %s\n%33s  %s\n", row->name, event, "", row->detail);
}

static bool has_terms(const struct counter_cpu *cpu, const char *terms)
{
	char term[64];

	while (counters_next_term(&terms, term, sizeof(term))) {
		const struct counter_row *row = counters_cpu_row_named(cpu, term);

		if (!row || !row->event)
			return false;
	}
	return true;
}

void counters_list_cpu(FILE *out, const struct counter_cpu *cpu)
{
	const struct counter_ratio *ratio;
	const struct counter_row *row;
	const char *group = "";
	char formula[256];

	fprintf(out, "Events of %s", cpu->label);
	if (cpu->walkers)
		fprintf(out, " (page walkers: %d)", cpu->walkers);
	fprintf(out, "; counted in user mode, software events in the kernel too\n");
	for (int i = 0; (row = counters_cpu_row(cpu, i)); i++) {
		if (strcmp(row->group, group) != 0)
			fprintf(out, "%s\n", row->group);
		group = row->group;
		list_row(out, cpu, row);
	}
	fprintf(out, "derived\n");
	for (int i = 0; (ratio = counters_ratio_at(i)); i++) {
		if (!has_terms(cpu, ratio->numerator) || !has_terms(cpu, ratio->denominator))
			continue;
		counters_ratio_formula(ratio, formula, sizeof(formula));
		fprintf(out, "  %-30s %s [%s]\n", ratio->name, formula, ratio->unit);
	}
}

int counters_list(FILE *out, const struct topology *topology, struct err *err)
{
	const struct counter_cpu *cpu = counters_cpu_of(topology);
	char reason[COUNTER_REASON_MAX];

	counters_list_cpu(out, cpu);
	if (!counters_hardware_available(reason))
		fprintf(out, "none of the hardware events can be counted here: %s\n", reason);
	if (ferror(out))
		return err_set(err, ERR_INTERNAL, "cannot print the list of counters");
	return 0;
}
