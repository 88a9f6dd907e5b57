// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bench/roi.h"

static void without_a_model_the_clock_counts(void **state)
{
	struct err err = {0};
	struct roi roi;

	(void)state;
	assert_int_equal(roi_open(&roi, false, &err), 0);
	assert_int_equal(roi_configure(&roi, NULL, "x", NULL, 0, &err), 0);
	assert_int_equal(roi_begin(&roi, &err), 0);
	assert_int_equal(roi_end(&roi, &err), 0);
	assert_true(roi.duration_ns == roi.host_ns && roi.host_ns > 0);
	assert_string_equal(roi_clock(&roi), "monotonic_raw");
	assert_null(roi_model_to_json(&roi));
	roi_close(&roi);
}

static void laps_ascend_within_the_region(void **state)
{
	struct err err = {0};
	struct roi roi;
	uint64_t before, first, second;

	(void)state;
	assert_int_equal(roi_open(&roi, false, &err), 0);
	before = roi_lap_ns(&roi);
	assert_int_equal(roi_begin(&roi, &err), 0);
	first = roi_lap_ns(&roi);
	second = roi_lap_ns(&roi);
	assert_int_equal(roi_end(&roi, &err), 0);
	assert_true(before <= roi.begin_ns && roi.begin_ns <= first && first <= second);
	assert_true(second - first <= roi.duration_ns);
	roi_close(&roi);
}

static void a_silent_model_is_an_error(void **state)
{
	struct err err = {0};
	struct roi roi;

	(void)state;
	assert_int_equal(roi_open(&roi, true, &err), -1);
	assert_int_equal(err.kind, ERR_RUN);
	assert_non_null(strstr(err.text, "no model answers"));
	assert_int_equal(roi.descriptor->magic == ROI_MAGIC, 1);
	roi_close(&roi);
}

/* A descriptor that nobody listens to. */
static void open_deaf(struct roi *roi)
{
	struct err err = {0};

	roi_open(roi, true, &err);
	assert_non_null(roi->descriptor);
}

static void the_descriptor_says_what_go_said(void **state)
{
	const int cpus[] = {1, 2};
	struct err err = {0};
	struct roi roi;
	json_t *model =
		json_pack("{s:{s:I, s:I}, s:i, s:[i,i], s:[i]}", "roots", "0", (json_int_t)0x1000,
			  "2", (json_int_t)0x3000, "levels", 5, "contended_nodes", 1, 3, "cpus", 0);

	(void)state;
	open_deaf(&roi);
	assert_int_equal(roi_configure(&roi, model, "gups", cpus, 2, &err), 0);
	assert_int_equal(roi.descriptor->levels, 5);
	assert_int_equal(roi.descriptor->roots[0], 0x1000);
	assert_int_equal(roi.descriptor->roots[1], 0x1000);
	assert_int_equal(roi.descriptor->roots[2], 0x3000);
	assert_int_equal(roi.descriptor->contended_nodes, 10);
	assert_int_equal(roi.descriptor->vcpu_mask, 1);
	assert_string_equal(roi.descriptor->label, "gups");
	/* Without a list the team's CPUs run the workload. */
	assert_int_equal(roi_configure(&roi, NULL, "gups", cpus, 2, &err), 0);
	assert_int_equal(roi.descriptor->vcpu_mask, 6);
	json_object_set_new(model, "cpus", json_pack("[i]", 64));
	assert_int_equal(roi_configure(&roi, model, "gups", cpus, 2, &err), -1);
	assert_int_equal(err.kind, ERR_RUN);
	json_decref(model);
	roi_close(&roi);
}

/* Not a wrong time but an error, at the end at the latest. */
static void a_lap_that_nobody_answers_is_an_error(void **state)
{
	struct err err = {0};
	struct roi roi;

	(void)state;
	open_deaf(&roi);
	roi.running = true;
	assert_int_equal(roi_lap_ns(&roi), 0);
	assert_int_equal(roi.descriptor->command, ROI_LAP);
	assert_int_equal(roi_end(&roi, &err), -1);
	assert_int_equal(err.kind, ERR_RUN);
	assert_non_null(strstr(err.text, "lap"));
	roi_close(&roi);
}

static void counters_have_their_names(void **state)
{
	struct roi roi;
	json_t *json;

	(void)state;
	open_deaf(&roi);
	roi.modelled = true;
	roi.descriptor->elapsed_cycles = 11;
	roi.descriptor->counters.walks = 12;
	roi.descriptor->counters.table_llc_hits = 13;
	roi.descriptor->counters.table_accesses_remote[3] = 14;
	roi.descriptor->counters.memory_accesses[1][2] = 15;
	json = roi_model_to_json(&roi);
	assert_int_equal(json_integer_value(json_object_get(json, "elapsed_cycles")), 11);
	assert_int_equal(json_integer_value(json_object_get(json, "walks")), 12);
	assert_int_equal(json_integer_value(json_object_get(json, "table_llc_hits")), 13);
	assert_int_equal(json_integer_value(
				 json_array_get(json_object_get(json, "table_accesses_remote"), 3)),
			 14);
	assert_int_equal(json_array_size(json_object_get(json, "memory_accesses")), 3);
	assert_int_equal(json_integer_value(json_array_get(
				 json_array_get(json_object_get(json, "memory_accesses"), 1), 2)),
			 15);
	/* Every field of the structure is there: scalars, levels and the matrix. */
	assert_int_equal(json_object_size(json), 5 + 19 + 2 + 1);
	json_decref(json);
	roi_close(&roi);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_model_the_clock_counts),
		cmocka_unit_test(laps_ascend_within_the_region),
		cmocka_unit_test(a_silent_model_is_an_error),
		cmocka_unit_test(the_descriptor_says_what_go_said),
		cmocka_unit_test(a_lap_that_nobody_answers_is_an_error),
		cmocka_unit_test(counters_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
