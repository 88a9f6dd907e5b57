// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "pgtablectl/policy.h"

/* Four nodes, CPU time everywhere, all last-level tables on node 0. */
static struct policy_view big_reader(void)
{
	struct policy_view view = {
		.walk_fraction = 0.4,
		.cpu_seconds = 10,
		.faults = 1000,
		.node_share = {0.25, 0.25, 0.25, 0.25},
		.last_level_pages = {10000},
		.table_bytes = 10000 * 4096,
		.wanted = 0xf,
	};

	return view;
}

static struct policy_verdict judge(const struct policy_view *view)
{
	const struct policy policy = POLICY_DEFAULT;
	struct policy_verdict verdict;

	policy_judge(&policy, view, &verdict);
	return verdict;
}

static void a_reader_with_remote_tables_gains(void **state)
{
	struct policy_view view = big_reader();
	struct policy_verdict verdict = judge(&view);

	(void)state;
	assert_int_equal(verdict.act, POLICY_REPLICATE);
	/* 40% of the cycles, three quarters remote, 580 cycles become 280. */
	assert_true(verdict.gain > 0.155 && verdict.gain < 0.1553);
	assert_non_null(strstr(verdict.reason, "40% of cycles, 75% of them remote"));
}

static void it_keeps_what_it_has(void **state)
{
	struct policy_view view = big_reader();

	(void)state;
	view.replicated = 0xf;
	assert_int_equal(judge(&view).act, POLICY_KEEP);
	/* What remote walks would cost again is more than what local ones save. */
	assert_true(judge(&view).gain > 0.32);
}

static void few_walks_are_no_reason(void **state)
{
	struct policy_view view = big_reader();

	(void)state;
	view.walk_fraction = 0.01;
	assert_int_equal(judge(&view).act, POLICY_KEEP);
	view.replicated = 0xf;
	view.walk_fraction = 0.002;
	assert_int_equal(judge(&view).act, POLICY_OFF);
	assert_non_null(strstr(judge(&view).reason, "too little"));
}

static void between_the_two_limits_nothing_changes(void **state)
{
	struct policy_view view = big_reader();

	(void)state;
	view.walk_fraction = 0.02;
	assert_int_equal(judge(&view).act, POLICY_KEEP);
	view.replicated = 0xf;
	assert_int_equal(judge(&view).act, POLICY_KEEP);
}

static void a_writer_pays_more_than_it_gains(void **state)
{
	struct policy_view view = big_reader();

	(void)state;
	view.walk_fraction = 0.1;
	view.faults = 10 * 400000.0;
	assert_int_equal(judge(&view).act, POLICY_KEEP);
	view.faults = 10 * 1000000.0;
	view.replicated = 0xf;
	assert_int_equal(judge(&view).act, POLICY_OFF);
	assert_non_null(strstr(judge(&view).reason, "write-heavy, 1000000 pages"));
}

static void a_small_process_is_left_alone(void **state)
{
	struct policy_view view = big_reader();

	(void)state;
	view.table_bytes = 64 * 4096;
	assert_int_equal(judge(&view).act, POLICY_KEEP);
	view.replicated = 0xf;
	assert_int_equal(judge(&view).act, POLICY_OFF);
	assert_non_null(strstr(judge(&view).reason, "small: 256 KiB"));
}

static void an_idle_process_tells_nothing(void **state)
{
	struct policy_view view = big_reader();

	(void)state;
	view.cpu_seconds = 0;
	view.replicated = 0xf;
	assert_int_equal(judge(&view).act, POLICY_KEEP);
}

static void one_node_is_moved_to_not_copied_to(void **state)
{
	struct policy_view view = big_reader();

	(void)state;
	memset(view.node_share, 0, sizeof(view.node_share));
	view.node_share[2] = 0.98;
	view.node_share[0] = 0.02;
	assert_int_equal(judge(&view).act, POLICY_MIGRATE);
	assert_int_equal(judge(&view).node, 2);
	/* Where the tables are already. */
	view.node_share[0] = 0.98;
	view.node_share[2] = 0.02;
	assert_int_equal(judge(&view).act, POLICY_KEEP);
}

static void without_counters_a_share_is_assumed(void **state)
{
	struct policy_view view = big_reader();

	(void)state;
	view.walk_fraction = -1;
	assert_int_equal(judge(&view).act, POLICY_REPLICATE);
	assert_non_null(strstr(judge(&view).reason, "assumed at 10%"));
}

static void a_process_without_last_level_tables(void **state)
{
	struct policy_view view = big_reader();

	(void)state;
	memset(view.last_level_pages, 0, sizeof(view.last_level_pages));
	assert_int_equal(judge(&view).act, POLICY_KEEP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_with_remote_tables_gains),
		cmocka_unit_test(it_keeps_what_it_has),
		cmocka_unit_test(few_walks_are_no_reason),
		cmocka_unit_test(between_the_two_limits_nothing_changes),
		cmocka_unit_test(a_writer_pays_more_than_it_gains),
		cmocka_unit_test(a_small_process_is_left_alone),
		cmocka_unit_test(an_idle_process_tells_nothing),
		cmocka_unit_test(one_node_is_moved_to_not_copied_to),
		cmocka_unit_test(without_counters_a_share_is_assumed),
		cmocka_unit_test(a_process_without_last_level_tables),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
