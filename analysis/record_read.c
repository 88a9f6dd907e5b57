// SPDX-License-Identifier: MIT
#include "analysis/record_read.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A record with dumps of 64 nodes is far below; a larger file is something else of that name. */
#define RECORD_BYTES_MAX (64 << 20)

static const json_t *member(const json_t *object, const char *path)
{
	char name[64];

	while (object && *path) {
		const size_t length = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		object = json_object_get(object, name);
		path += length + (path[length] == '.');
	}
	return object;
}

static const char *text_of(const json_t *object, const char *path)
{
	const char *text = json_string_value(member(object, path));

	return text ? text : "";
}

static double number_of(const json_t *object, const char *path)
{
	const json_t *value = member(object, path);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* --- what a person calls the run -------------------------------------------------------------- */

static void print_value(FILE *out, const json_t *value)
{
	char *text;

	if (json_is_string(value)) {
		fputs(json_string_value(value), out);
		return;
	}
	text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY |
					 JSON_REAL_PRECISION(15));
	fputs(text ? text : "?", out);
	free(text);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_options(FILE *out, json_t *options)
{
	const size_t nr = json_object_size(options);
	const char **names = reallocarray(NULL, nr + 1, sizeof(*names));
	size_t used = 0;
	const char *name;
	json_t *value;

	if (!names)
		return;
	json_object_foreach (options, name, value)
		names[used++] = name;
	qsort(names, used, sizeof(*names), compare_names);
	for (size_t i = 0; i < used; i++) {
		fprintf(out, "%s%s=", i ? " " : "", names[i]);
		print_value(out, json_object_get(options, names[i]));
	}
	free(names);
}

static void print_arguments(FILE *out, json_t *arguments)
{
	size_t i;
	json_t *value;

	json_array_foreach (arguments, i, value) {
		if (i)
			fputc(' ', out);
		print_value(out, value);
	}
}

static char *in_words(void (*print)(FILE *, json_t *), const json_t *value)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print(out, (json_t *)value);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static char *formatted(const char *format, const char *a, const char *b)
{
	char *text;

	return asprintf(&text, format, a, b) < 0 ? NULL : text;
}

/* --- the parts of a record -------------------------------------------------------------------- */

static double phase_ns(const json_t *json, const char *name)
{
	const json_t *phases = json_object_get(json, "phases");
	size_t i;
	json_t *phase;

	json_array_foreach ((json_t *)phases, i, phase) {
		if (strcmp(text_of(phase, "name"), name) == 0)
			return number_of(phase, "duration_ns");
	}
	return NAN;
}

static const json_t *named_item(const json_t *array, const char *name)
{
	size_t i;
	json_t *item;

	json_array_foreach ((json_t *)array, i, item) {
		if (strcmp(text_of(item, "name"), name) == 0)
			return item;
	}
	return NULL;
}

static void take_metric(struct record *record)
{
	const json_t *metrics = json_object_get(record->json, "metrics");
	size_t i;
	json_t *metric;

	record->metric_name = record->metric_unit = "";
	record->metric_value = NAN;
	json_array_foreach ((json_t *)metrics, i, metric) {
		if (!json_is_true(json_object_get(metric, "primary")))
			continue;
		record->metric_name = text_of(metric, "name");
		record->metric_unit = text_of(metric, "unit");
		record->metric_value = number_of(metric, "value");
	}
}

static void take_counters(struct record *record)
{
	const json_t *events = member(record->json, "counters.events");
	const json_t *derived = member(record->json, "counters.derived");

	record->counters_source = text_of(record->json, "counters.source");
	record->cycles = number_of(named_item(events, "cycles"), "value");
	record->walk_cycles = number_of(named_item(events, "walk_cycles"), "value");
	record->walk_fraction = number_of(named_item(derived, "walk_fraction"), "value");
	if (isnan(record->walk_fraction) && record->cycles > 0)
		record->walk_fraction = record->walk_cycles / record->cycles;
}

static void take_machine(struct record *record)
{
	const json_t *machine = json_object_get(record->json, "machine");

	record->machine_kind = text_of(machine, "kind");
	record->machine_name = text_of(machine, "name");
	record->profile = text_of(machine, "profile");
	record->cpu_model = text_of(machine, "cpu_model");
	record->kernel = text_of(machine, "kernel");
	record->scale = number_of(machine, "scale");
}

static int take_workload(struct record *record, struct err *err)
{
	const json_t *workload = json_object_get(record->json, "workload");
	const json_t *seed = json_object_get(workload, "seed");
	const json_t *nested = member(record->json, "placement_plan.extended_page_tables");

	record->workload = text_of(workload, "name");
	record->preset = text_of(workload, "preset");
	record->threads = number_of(workload, "threads");
	record->footprint_bytes = number_of(workload, "footprint_bytes");
	record->options = in_words(print_options, json_object_get(workload, "options"));
	record->arguments = in_words(print_arguments, json_object_get(workload, "arguments"));
	record->seed = formatted("%s%s", "", "");
	if (json_is_integer(seed)) {
		free(record->seed);
		if (asprintf(&record->seed, "%" JSON_INTEGER_FORMAT, json_integer_value(seed)) < 0)
			record->seed = NULL;
	}
	record->config = text_of(record->json, "config");
	record->baseline = text_of(record->json, "placement_plan.baseline");
	if (!*record->baseline)
		record->baseline = record->config;
	record->virtual_machine = strcmp(record->machine_kind, "vm") == 0 || json_is_object(nested);
	if (!record->options || !record->arguments || !record->seed)
		return err_set(err, ERR_INTERNAL, "out of memory");
	return 0;
}

static void take_outcome(struct record *record)
{
	const json_t *json = record->json;

	record->runtime_ns = number_of(json, "runtime_ns");
	record->setup_ns = phase_ns(json, "setup");
	record->migrate_ns = phase_ns(json, "migrate");
	record->clock = text_of(json, "clock");
	record->repeat_index = number_of(json, "repeat.index");
	record->verification = text_of(json, "verification.status");
	record->placement = text_of(json, "placement.status");
	record->placement_detail = text_of(json, "placement.detail");
	record->data_off_fraction = number_of(json, "placement.data_off_fraction");
	record->page_tables_off_fraction = number_of(json, "placement.page_tables_off_fraction");
	record->exit_status = text_of(json, "exit.status");
	record->exit_reason = text_of(json, "exit.reason");
	record->exit_code = number_of(json, "exit.code");
}

/* A run that failed early has no machine, plan or options yet: it belongs to no bar, only to the
 * list of failures. And where it failed in an emulator it would have been modelled. */
static void judge_failed(struct record *record)
{
	const json_t *workload = json_object_get(record->json, "workload");
	const bool described = json_object_size(json_object_get(workload, "options")) > 0 ||
			       json_array_size(json_object_get(workload, "arguments")) > 0;

	record->incomplete = !*record->machine_kind || !*record->cpu_model || !described ||
			     !*text_of(record->json, "placement_plan.baseline");
	if (strcmp(record->machine_kind, "emu") == 0)
		record->modelled = true;
}

/* Only a run that ended well, did the right work and was timed may be in a bar. */
static int judge(struct record *record, struct err *err)
{
	const char *detail = text_of(record->json, "verification.detail");

	if (strcmp(record->exit_status, "ok") != 0)
		record->unused = formatted("%s: %s", record->exit_status,
					   *record->exit_reason ? record->exit_reason
								: "no reason recorded");
	else if (strcmp(record->verification, "fail") == 0)
		record->unused = formatted("verification failed: %s%s", detail, "");
	else if (!(record->runtime_ns > 0))
		record->unused = formatted("%s%s", "no runtime in the record", "");
	else
		return 0;
	judge_failed(record);
	return record->unused ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

/* --- checks ----------------------------------------------------------------------------------- */

static int check_schema(const json_t *json, struct err *err)
{
	const json_t *version = json_object_get(json, "schema_version");

	if (!json_is_integer(version))
		return err_set(err, ERR_USAGE, "not a run record: no schema_version");
	if (json_integer_value(version) > RECORD_SCHEMA)
		return err_set(err, ERR_USAGE,
			       "written by a newer suite (schema_version %" JSON_INTEGER_FORMAT
			       ", this one reads up to %d); report it with that suite, or update "
			       "this one",
			       json_integer_value(version), RECORD_SCHEMA);
	if (json_integer_value(version) < 1)
		return err_set(err, ERR_USAGE,
			       "schema_version %" JSON_INTEGER_FORMAT " was never written",
			       json_integer_value(version));
	return 0;
}

static int check_members(const json_t *json, struct err *err)
{
	static const char *const texts[] = {"id", "config", "provenance", "workload.name",
					    "exit.status"};
	const char *provenance = text_of(json, "provenance");

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!*text_of(json, texts[i]))
			return err_set(err, ERR_USAGE, "incomplete record: no text '%s'", texts[i]);
	if (strcmp(text_of(json, "exit.status"), "ok") == 0 && !*text_of(json, "machine.kind"))
		return err_set(err, ERR_USAGE, "incomplete record: no text 'machine.kind'");
	if (strcmp(provenance, "measured") != 0 && strcmp(provenance, "modelled") != 0)
		return err_set(err, ERR_USAGE, "provenance '%s' is neither measured nor modelled",
			       provenance);
	return 0;
}

static json_t *load_json(const char *path, struct err *err)
{
	json_error_t why;
	struct stat st;
	json_t *json;

	if (stat(path, &st) == 0 && st.st_size > RECORD_BYTES_MAX) {
		err_set(err, ERR_USAGE, "%lld MiB are no run record", (long long)st.st_size >> 20);
		return NULL;
	}
	json = json_load_file(path, 0, &why);
	if (!json)
		err_set(err, ERR_USAGE, "not JSON, or cut off: line %d: %s", why.line, why.text);
	return json;
}

int record_read_file(struct record *record, const char *path, struct err *err)
{
	memset(record, 0, sizeof(*record));
	record->path = strdup(path);
	record->json = load_json(path, err);
	if (!record->path || !record->json || check_schema(record->json, err) != 0 ||
	    check_members(record->json, err) != 0)
		return err_set(err, ERR_INTERNAL, "out of memory");
	record->id = text_of(record->json, "id");
	record->started_at = text_of(record->json, "started_at");
	record->suite_version = text_of(record->json, "suite.version");
	record->suite_commit = text_of(record->json, "suite.commit");
	record->modelled = strcmp(text_of(record->json, "provenance"), "modelled") == 0;
	take_machine(record);
	take_metric(record);
	take_counters(record);
	take_outcome(record);
	if (take_workload(record, err) != 0)
		return -1;
	return judge(record, err);
}

void run_record_free(struct record *record)
{
	free(record->path);
	free(record->options);
	free(record->arguments);
	free(record->seed);
	free(record->unused);
	json_decref(record->json);
}

const json_t *run_record_dump(const struct record *record, const char **which)
{
	static const char *const names[] = {"done", "ready"};

	for (int i = 0; i < 2; i++) {
		const json_t *dumps = json_object_get(record->json, "page_tables");
		const json_t *dump = json_object_get(dumps, names[i]);

		if (json_is_object(dump)) {
			if (which)
				*which = names[i];
			return dump;
		}
	}
	return NULL;
}

static char next_letter(const char **name)
{
	while (**name == '-' || **name == '+')
		(*name)++;
	return (char)toupper((unsigned char)**name);
}

bool same_config(const char *a, const char *b)
{
	while (next_letter(&a) && next_letter(&a) == next_letter(&b)) {
		a++;
		b++;
	}
	return next_letter(&a) == next_letter(&b);
}
