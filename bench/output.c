// SPDX-License-Identifier: MIT
#include "bench/output.h"

#include <string.h>

#include "common/units.h"

static const char *const statuses[] = {"pass", "fail", "skipped"};
static const char *const betters[] = {"higher", "lower"};

json_t *output_metrics(const struct metrics *metrics)
{
	json_t *array = json_array();

	for (int i = 0; i < metrics->nr_metrics; i++) {
		const struct metric *metric = &metrics->items[i];

		json_array_append_new(
			array, json_pack("{s:s, s:s, s:f, s:s, s:b}", "name", metric->name, "unit",
					 metric->unit, "value", metric->value, "better",
					 betters[metric->better], "primary", metric->primary));
	}
	return array;
}

json_t *output_verification(const struct verification *verification)
{
	return json_pack("{s:s, s:s, s:I, s:I}", "status", statuses[verification->status], "detail",
			 verification->detail, "checked", (json_int_t)verification->checked,
			 "errors", (json_int_t)verification->errors);
}

json_t *output_work(const struct metrics *metrics)
{
	return json_pack("{s:I, s:s}", "amount", (json_int_t)metrics->work_amount, "unit",
			 metrics->work_unit);
}

static json_t *arguments_to_json(int argc, char *const *argv)
{
	json_t *array = json_array();

	for (int i = 0; i < argc; i++)
		json_array_append_new(array, json_string(argv[i]));
	return array;
}

json_t *output_workload(const struct outcome *outcome)
{
	return json_pack("{s:s, s:o, s:o, s:I, s:i, s:I, s:s?}", "name", outcome->workload->name,
			 "arguments", arguments_to_json(outcome->argc, outcome->argv), "options",
			 options_to_json(outcome->options), "seed", (json_int_t)outcome->seed,
			 "threads", outcome->nr_threads, "footprint_bytes",
			 (json_int_t)outcome->footprint_bytes, "preset", outcome->preset);
}

static json_t *published_footprint(const struct workload *workload)
{
	if (workload->published_footprint_bytes == 0)
		return json_null();
	return json_integer((json_int_t)workload->published_footprint_bytes);
}

json_t *output_plan(const struct outcome *outcome)
{
	json_t *cpus = json_array(), *plan;

	for (int i = 0; i < outcome->nr_cpus; i++)
		json_array_append_new(cpus, json_integer(outcome->cpus[i]));
	plan = json_pack("{s:s, s:I, s:o, s:i, s:o, s:o, s:I, s:s?, s:I, s:b}", "workload",
			 outcome->workload->name, "footprint_bytes",
			 (json_int_t)outcome->footprint_bytes, "published_footprint_bytes",
			 published_footprint(outcome->workload), "threads", outcome->nr_threads,
			 "cpus", cpus, "options", options_to_json(outcome->options), "seed",
			 (json_int_t)outcome->seed, "preset", outcome->preset, "memory_bytes",
			 (json_int_t)outcome->planned_memory_bytes, "emulated_defaults",
			 outcome->emulated_defaults);
	if (outcome->server_program)
		json_object_set_new(plan, "server", json_string(outcome->server_program));
	return plan;
}

static json_t *phases_to_json(const struct outcome *outcome)
{
	return json_pack("[{s:s, s:I}, {s:s, s:I}, {s:s, s:I}]", "name", "setup", "duration_ns",
			 (json_int_t)outcome->setup_ns, "name", "roi", "duration_ns",
			 (json_int_t)outcome->roi->duration_ns, "name", "verify", "duration_ns",
			 (json_int_t)outcome->verify_ns);
}

json_t *output_record(const struct outcome *outcome)
{
	json_t *record = json_pack(
		"{s:i, s:o, s:s, s:o, s:I, s:s, s:o, s:o, s:o}", "schema_version", 1, "workload",
		output_workload(outcome), "provenance",
		outcome->roi->modelled ? "modelled" : "measured", "phases", phases_to_json(outcome),
		"runtime_ns", (json_int_t)outcome->roi->duration_ns, "clock",
		roi_clock(outcome->roi), "metrics", output_metrics(&outcome->metrics), "work",
		output_work(&outcome->metrics), "verification",
		output_verification(&outcome->verification));

	if (record && outcome->series)
		json_object_set(record, "series", outcome->series);
	if (record && outcome->roi->modelled)
		json_object_set_new(record, "model", roi_model_to_json(outcome->roi));
	return record;
}

void output_print_json(FILE *file, json_t *object)
{
	json_dumpf(object, file, JSON_INDENT(2));
	fputc('\n', file);
	json_decref(object);
}

static const char *value_text(const struct option_set *options, int index, char *text, size_t size)
{
	const struct option_value *value = &options->values[index];

	switch (options->rows[index].type) {
	case OPTION_SIZE:
		return units_format_size(value->number, text);
	case OPTION_COUNT:
	case OPTION_INT:
		return units_format_count((double)value->number, text);
	default:
		snprintf(text, size, "%g", value->real);
		return text;
	}
}

/* "--size 4 GiB and --updates 268.4 M follow this machine's memory (15.2 GiB)". */
static void print_adapted(FILE *file, const struct outcome *outcome)
{
	const struct option_set *options = outcome->options;
	char text[UNITS_TEXT_MAX];
	int count = 0;

	for (int i = 0; i < options->nr_rows; i++) {
		if (options->values[i].source != OPTION_ADAPTED)
			continue;
		fprintf(file, "%s--%s %s", count++ ? ", " : "  adapted    ", options->rows[i].name,
			value_text(options, i, text, sizeof(text)));
	}
	if (count)
		fprintf(file, " (memory to plan with: %s)\n",
			units_format_size(outcome->planned_memory_bytes, text));
}

static void print_metrics(FILE *file, const struct metrics *metrics)
{
	for (int i = 0; i < metrics->nr_metrics; i++)
		fprintf(file, "  %-26s %12.5g %s%s\n", metrics->items[i].name,
			metrics->items[i].value, metrics->items[i].unit,
			metrics->items[i].primary ? "   <- primary" : "");
}

void output_print_summary(FILE *file, const struct outcome *outcome)
{
	const struct verification *verification = &outcome->verification;
	char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX];

	fprintf(file, "%s: %s, %d thread%s, seed %llu\n", outcome->workload->name,
		units_format_size(outcome->footprint_bytes, a), outcome->nr_threads,
		outcome->nr_threads == 1 ? "" : "s", (unsigned long long)outcome->seed);
	print_adapted(file, outcome);
	fprintf(file, "  work       %s %s\n",
		units_format_count((double)outcome->metrics.work_amount, a),
		outcome->metrics.work_unit);
	fprintf(file, "  time       %s%s (setup %s, verification %s)\n",
		units_format_duration(outcome->roi->duration_ns, a),
		outcome->roi->modelled ? " MODELLED" : "",
		units_format_duration(outcome->setup_ns, b),
		units_format_duration(outcome->verify_ns, c));
	print_metrics(file, &outcome->metrics);
	fprintf(file, "  verified   %s: %s\n", statuses[verification->status],
		verification->detail);
}
