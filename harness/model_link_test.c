// SPDX-License-Identifier: MIT
#include "harness/model_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emulator/roi_client.h"

#include "emulator/emulator.h"

static void environment_is_read(void **state)
{
	json_t *environment;
	struct err err = {0};

	(void)state;
	unsetenv(EMULATOR_ENV);
	assert_int_equal(model_link_environment(&environment, NULL), 0);
	assert_null(environment);
	setenv(EMULATOR_ENV, "{\"scale\": 64}", 1);
	assert_int_equal(model_link_environment(&environment, NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(environment, "scale")), 64);
	json_decref(environment);
	setenv(EMULATOR_ENV, "yes", 1);
	assert_int_equal(model_link_environment(&environment, &err), -1);
	assert_int_equal(err.kind, ERR_INTERNAL);
	unsetenv(EMULATOR_ENV);
}

static void request_names_roots_nodes_and_cpus(void **state)
{
	const struct placement placement = {.interference_nodes = 0x5};
	const struct topology topology = {.nr_nodes = 2, .nodes = {{.id = 0}, {.id = 2}}};
	json_t *cpus = json_pack("[i]", 3);
	json_t *request = model_link_request(&placement, &topology, 0x1234000, 4, cpus);
	char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);

	(void)state;
	assert_string_equal(text, "{\"contended_nodes\":[0,2],\"cpus\":[3],\"levels\":4,"
				  "\"roots\":{\"0\":19087360,\"2\":19087360}}");
	free(text);
	json_decref(request);
	json_decref(cpus);
}

static const json_t *find(const json_t *list, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0)
			return json_object_get(item, "value");
	}
	return NULL;
}

static void counters_have_the_records_names(void **state)
{
	struct roi_descriptor descriptor = {
		.elapsed_cycles = 600,
		.total_cycles = 1000,
		.frequency_hz = 2200000000,
		.counters = {.walks = 10, .walk_cycles = 750, .accesses = 40},
	};
	json_t *reply, *counters;
	const json_t *events, *derived;

	(void)state;
	descriptor.counters.table_accesses_remote[1] = 77;
	reply = roi_client_reply(&descriptor);
	counters = model_link_counters(reply);
	events = json_object_get(counters, "events");
	derived = json_object_get(counters, "derived");
	assert_string_equal(json_string_value(json_object_get(counters, "source")), "model");
	assert_int_equal(json_integer_value(find(events, "cycles")), 1000);
	assert_int_equal(json_integer_value(find(events, "walk_cycles")), 750);
	assert_int_equal(json_integer_value(find(events, "table_accesses_remote_1")), 77);
	assert_true(json_real_value(find(derived, "walk_fraction")) == 0.75);
	assert_true(json_real_value(find(derived, "tlb_miss_rate")) == 0.25);
	/* No instructions were counted: no ratio, rather than a wrong one. */
	assert_true(json_is_null(find(derived, "cycles_per_instruction")));
	assert_null(find(events, "frequency_hz"));
	json_decref(counters);
	json_decref(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(environment_is_read),
		cmocka_unit_test(request_names_roots_nodes_and_cpus),
		cmocka_unit_test(counters_have_the_records_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
