// SPDX-License-Identifier: MIT
#include "harness/model_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/emulator.h"

int model_link_environment(json_t **environment, struct err *err)
{
	const char *text = getenv(EMULATOR_ENV);
	json_error_t error;

	*environment = NULL;
	if (!text || !*text)
		return 0;
	*environment = json_loads(text, 0, &error);
	if (json_is_object(*environment))
		return 0;
	json_decref(*environment);
	*environment = NULL;
	return err_set(err, ERR_INTERNAL, "%s is no JSON object: %.60s", EMULATOR_ENV, text);
}

void model_link_progress(const json_t *environment, const char *phase, double done)
{
	const json_t *fd = json_object_get(environment, "progress_fd");

	if (json_is_integer(fd))
		dprintf((int)json_integer_value(fd),
			"{\"msg\":\"progress\",\"phase\":\"%s\",\"done\":%.3f}\n", phase, done);
}

static json_t *mask_to_array(uint64_t mask)
{
	json_t *array = json_array();

	for (int bit = 0; bit < 64; bit++) {
		if (mask >> bit & 1)
			json_array_append_new(array, json_integer(bit));
	}
	return array;
}

json_t *model_link_request(const struct placement *placement, const struct topology *topology,
			   uint64_t root_address, int levels, const json_t *cpus)
{
	json_t *roots = json_object();

	/* A stock kernel has one table for all nodes. */
	for (int i = 0; i < topology->nr_nodes; i++) {
		char node[8];

		snprintf(node, sizeof(node), "%d", topology->nodes[i].id);
		json_object_set_new(roots, node, json_integer((json_int_t)root_address));
	}
	return json_pack("{s:o, s:i, s:o, s:O}", "roots", roots, "levels", levels,
			 "contended_nodes", mask_to_array(placement->interference_nodes), "cpus",
			 cpus);
}

static void add_event(json_t *events, const char *name, const char *source, const json_t *value)
{
	const bool cycles = strstr(name, "cycles") != NULL;

	json_array_append_new(events,
			      json_pack("{s:s, s:s, s:O, s:s, s:s, s:n, s:n, s:n}", "name", name,
					"event", source, "value", value, "unit",
					cycles ? "cycles" : "events", "scope", "modelled CPUs",
					"time_enabled_ns", "time_running_ns", "reason"));
}

/* Arrays become one event per element, matrices one per row and column. */
static void add_member(json_t *events, const char *name, const json_t *value)
{
	json_t *element;
	char longer[96], source[96];
	size_t i;

	if (json_is_integer(value)) {
		snprintf(source, sizeof(source), "model:%.80s", name);
		add_event(events, name, source, value);
	}
	json_array_foreach (value, i, element) {
		snprintf(longer, sizeof(longer), "%.60s_%zu", name, i);
		add_member(events, longer, element);
	}
}

struct ratio {
	const char *name, *above, *below, *unit, *formula;
};

static const struct ratio ratios[] = {
	{"walk_fraction", "walk_cycles", "total_cycles", "1", "walk_cycles / cycles"},
	{"cycles_per_walk", "walk_cycles", "walks", "cycles", "walk_cycles / walks"},
	{"tlb_miss_rate", "walks", "accesses", "1", "walks / accesses"},
	{"cycles_per_instruction", "total_cycles", "instructions", "cycles",
	 "cycles / instructions"},
};

static json_t *derive(const json_t *model)
{
	json_t *derived = json_array();

	for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
		const double above = json_number_value(json_object_get(model, ratios[i].above));
		const double below = json_number_value(json_object_get(model, ratios[i].below));

		json_array_append_new(
			derived, json_pack("{s:s, s:o, s:s, s:s}", "name", ratios[i].name, "value",
					   below > 0 ? json_real(above / below) : json_null(),
					   "unit", ratios[i].unit, "formula", ratios[i].formula));
	}
	return derived;
}

json_t *model_link_counters(const json_t *model)
{
	json_t *events = json_array(), *value;
	const char *name;

	add_event(events, "cycles", "model:total_cycles", json_object_get(model, "total_cycles"));
	json_object_foreach ((json_t *)model, name, value) {
		if (strcmp(name, "total_cycles") != 0 && strcmp(name, "frequency_hz") != 0 &&
		    strcmp(name, "nr_vcpus") != 0)
			add_member(events, name, value);
	}
	return json_pack("{s:s, s:s, s:o, s:o}", "source", "model", "note",
			 "modelled by the emulator, not counted by a processor", "events", events,
			 "derived", derive(model));
}
