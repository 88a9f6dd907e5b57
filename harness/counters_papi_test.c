// SPDX-License-Identifier: MIT
//
// The PAPI back end against a PAPI of our own: these definitions come before the library's.
#include <papi.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/counters_set.h"

#define SETS_MAX   8
#define EVENTS_MAX 16

static struct {
	int init_answer, attach_answer, counters;
	int nr_sets, nr_running, nr_destroyed;
	struct {
		char events[EVENTS_MAX][COUNTER_EVENT_MAX];
		int nr;
		unsigned long tid;
		bool inherit, running;
	} sets[SETS_MAX];
} papi;

int PAPI_library_init(int version)
{
	return papi.init_answer ? papi.init_answer : version;
}

char *PAPI_strerror(int code)
{
	static char text[] = "as the test wants it";

	(void)code;
	return text;
}

int PAPI_create_eventset(int *set)
{
	*set = papi.nr_sets++;
	return PAPI_OK;
}

int PAPI_assign_eventset_component(int set, int component)
{
	(void)set;
	return component == 0 ? PAPI_OK : PAPI_ENOCMP;
}

int PAPI_set_opt(int option, PAPI_option_t *value)
{
	assert_int_equal(option, PAPI_INHERIT);
	papi.sets[value->inherit.eventset].inherit = value->inherit.inherit == PAPI_INHERIT_ALL;
	return PAPI_OK;
}

int PAPI_attach(int set, unsigned long tid)
{
	papi.sets[set].tid = tid;
	return papi.attach_answer;
}

int PAPI_add_named_event(int set, const char *name)
{
	const bool software = strstr(name, ":k=1") != NULL;
	int hardware = 0;

	for (int i = 0; i < papi.sets[set].nr; i++)
		hardware += strstr(papi.sets[set].events[i], ":k=1") == NULL;
	if (!software && hardware >= papi.counters)
		return PAPI_ECNFLCT;
	snprintf(papi.sets[set].events[papi.sets[set].nr++], COUNTER_EVENT_MAX, "%s", name);
	return PAPI_OK;
}

int PAPI_start(int set)
{
	papi.sets[set].running = true;
	papi.nr_running++;
	return PAPI_OK;
}

/* The n-th event of a set counts n + 1. */
int PAPI_stop(int set, long long *values)
{
	assert_true(papi.sets[set].running);
	papi.sets[set].running = false;
	papi.nr_running--;
	for (int i = 0; values && i < papi.sets[set].nr; i++)
		values[i] = i + 1;
	return PAPI_OK;
}

int PAPI_cleanup_eventset(int set)
{
	assert_false(papi.sets[set].running);
	return PAPI_OK;
}

int PAPI_destroy_eventset(int *set)
{
	papi.nr_destroyed++;
	*set = PAPI_NULL;
	return PAPI_OK;
}

static int three_threads(void *context, pid_t pid, pid_t **tids, int nr_tids)
{
	(void)context;
	*tids = realloc(*tids, (size_t)(nr_tids + 3) * sizeof(pid_t));
	for (int i = 0; i < 3; i++)
		(*tids)[nr_tids + i] = pid + i;
	return 3;
}

static const struct perf_kernel kernel = {.threads = three_threads};

static int setup(void **state)
{
	(void)state;
	memset(&papi, 0, sizeof(papi));
	papi.counters = 6;
	return 0;
}

static int open_papi(struct counters **counters, const char *events, struct err *err)
{
	const struct counters_options options = {.backend = COUNTERS_PAPI, .events = events};
	const struct counter_cpu_id zen3 = {"AuthenticAMD", 25, 1, 1, -1};
	const pid_t pid = 500;

	return counters_open_with(counters, &options, counters_cpu_find(&zen3), &kernel, &pid, 1,
				  err);
}

static const struct counter *named(const struct counters *counters, const char *name)
{
	for (int i = 0; i < counters->nr; i++)
		if (strcmp(counters->list[i].name, name) == 0)
			return &counters->list[i];
	fail_msg("no counter '%s'", name);
	return NULL;
}

static void test_every_thread_has_a_set_and_counts_add_up(void **state)
{
	struct counters *counters;
	struct err err = {0};

	(void)state;
	assert_int_equal(open_papi(&counters, "cycles,instructions", &err), 0);
	assert_int_equal(papi.nr_sets, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(papi.sets[i].tid, 500 + i);
		assert_true(papi.sets[i].inherit);
		assert_string_equal(papi.sets[i].events[1], "perf::INSTRUCTIONS");
	}
	assert_int_equal(counters_start(counters, &err), 0);
	assert_int_equal(papi.nr_running, 3);
	assert_int_equal(counters_stop(counters, &err), 0);
	assert_int_equal(named(counters, "cycles")->value, 3);
	assert_int_equal(named(counters, "instructions")->value, 6);
	assert_false(named(counters, "cycles")->has_times);
	counters_close(counters);
	assert_int_equal(papi.nr_destroyed, 3);
}

static void test_what_does_not_fit_is_absent_and_not_estimated(void **state)
{
	struct counters *counters;
	struct err err = {0};
	json_t *record;

	(void)state;
	papi.counters = 1;
	assert_int_equal(open_papi(&counters, NULL, &err), 0);
	assert_int_equal(counters_start(counters, &err), 0);
	assert_int_equal(counters_stop(counters, &err), 0);
	assert_true(named(counters, "cycles")->counted);
	assert_false(named(counters, "instructions")->counted);
	assert_non_null(strstr(named(counters, "instructions")->reason, "does not fit"));
	assert_true(named(counters, "context_switches")->counted);
	assert_string_equal(papi.sets[0].events[1], "perf::TASK-CLOCK:u=1:k=1");
	record = counters_to_json(counters);
	assert_string_equal(json_string_value(json_object_get(record, "source")), "papi");
	json_decref(record);
	counters_close(counters);
}

static void test_a_raw_code_is_named_as_papi_does(void **state)
{
	struct counters *counters;
	struct err err = {0};

	(void)state;
	assert_int_equal(open_papi(&counters, "r01c2", &err), 0);
	assert_string_equal(papi.sets[0].events[0], "perf_raw::r01c2");
	counters_close(counters);
}

static void test_closing_while_it_runs_stops_first(void **state)
{
	struct counters *counters;
	struct err err = {0};

	(void)state;
	assert_int_equal(open_papi(&counters, "cycles", &err), 0);
	assert_int_equal(counters_start(counters, &err), 0);
	counters_close(counters);
	assert_int_equal(papi.nr_running, 0);
	assert_int_equal(papi.nr_destroyed, 3);
}

static void test_refusals_are_clear(void **state)
{
	struct counters *counters;
	struct err err = {0};

	(void)state;
	papi.attach_answer = PAPI_EPERM;
	assert_int_equal(open_papi(&counters, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "attach for thread 500"));
	assert_int_equal(papi.nr_destroyed, 1);
	err_clear(&err);
	papi.init_answer = PAPI_ENOMEM;
	assert_int_equal(open_papi(&counters, NULL, &err), -1);
	assert_non_null(strstr(err.text, "PAPI does not start"));
	err_clear(&err);
	papi.init_answer = PAPI_VERSION_NUMBER(5, 7, 0, 0);
	assert_int_equal(open_papi(&counters, NULL, &err), -1);
	assert_non_null(strstr(err.text, "version 5.7"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_thread_has_a_set_and_counts_add_up, setup),
		cmocka_unit_test_setup(test_what_does_not_fit_is_absent_and_not_estimated, setup),
		cmocka_unit_test_setup(test_a_raw_code_is_named_as_papi_does, setup),
		cmocka_unit_test_setup(test_closing_while_it_runs_stops_first, setup),
		cmocka_unit_test_setup(test_refusals_are_clear, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
