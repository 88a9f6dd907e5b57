// SPDX-License-Identifier: MIT
#include "pgtablectl/proc_fixture.h"

#include <unistd.h>

#include "pgtablectl/sample.h"

static const char tables[] = "nodes -\nfailed 0\nroot N0 master N0\nroot N1 master N0\n"
			     "L1 N0 master 300 replica 0\nL1 N1 master 100 replica 0\n"
			     "L2 N0 master 2 replica 0\nL4 N0 master 1 replica 0\n";

static void a_command_may_look_like_a_stat_line(void **state)
{
	struct proc_fixture fixture;
	struct sample_stat stat;
	char text[512];

	(void)state;
	proc_open(&fixture);
	proc_put_stat(&fixture, "/x", "a) R (1 2", 10, 20, 30, 3);
	assert_true(fs_read(&fixture.fs, "/x", text, sizeof(text)) > 0);
	assert_int_equal(sample_parse_stat(&stat, text), 0);
	assert_string_equal(stat.command, "a) R (1 2");
	assert_int_equal(stat.faults, 12);
	assert_int_equal(stat.ticks, 20);
	assert_int_equal(stat.start_ticks, 30);
	assert_int_equal(stat.cpu, 3);
	proc_close(&fixture);
}

static void a_short_line_is_refused(void **state)
{
	struct sample_stat stat;

	(void)state;
	assert_int_equal(sample_parse_stat(&stat, ""), -1);
	assert_int_equal(sample_parse_stat(&stat, "12 (x) R 1 2 3"), -1);
	assert_int_equal(sample_parse_stat(&stat, ")12("), -1);
}

static void time_goes_to_the_node_of_the_cpu(void **state)
{
	const double tick = (double)sysconf(_SC_CLK_TCK);
	struct sample sample = {0};
	struct proc_fixture fixture;
	struct sample_nodes nodes;
	struct policy_view view;
	struct err err = {0};

	(void)state;
	proc_open(&fixture);
	assert_int_equal(sample_nodes_read(&nodes, &fixture.fs, &err), 0);
	assert_int_equal(nodes.with_memory, 3);
	proc_put_process(&fixture, 50, "gups", 1000, (uint64_t[]){100, 100}, (int[]){0, 2});
	proc_put(&fixture, "/proc/50/pgtable_numa", "%s", tables);
	assert_int_equal(sample_take(&sample, &view, &fixture.fs, 50, &nodes, &err), 1);
	assert_true(view.node_share[0] == 0.5 && view.node_share[1] == 0.5);
	assert_int_equal(view.last_level_pages[0], 300);
	assert_int_equal(view.last_level_pages[1], 100);
	assert_int_equal(view.table_bytes, 403 * 4096);
	assert_true(view.walk_fraction < 0);

	/* 30 ticks on node 1 alone, and 500 pages. */
	proc_put_process(&fixture, 50, "gups", 1500, (uint64_t[]){100, 130}, (int[]){0, 3});
	assert_int_equal(sample_take(&sample, &view, &fixture.fs, 50, &nodes, &err), 1);
	assert_true(view.node_share[1] == 1 && view.node_share[0] == 0);
	assert_true(view.cpu_seconds == 30 / tick);
	assert_true(view.faults == 500);
	sample_free(&sample);
	proc_close(&fixture);
}

static void a_number_given_again_is_another_process(void **state)
{
	struct sample sample = {0};
	struct proc_fixture fixture;
	struct sample_nodes nodes;
	struct policy_view view;
	struct err err = {0};

	(void)state;
	proc_open(&fixture);
	assert_int_equal(sample_nodes_read(&nodes, &fixture.fs, &err), 0);
	proc_put_process(&fixture, 50, "old", 5000, (uint64_t[]){500, 500}, (int[]){0, 0});
	proc_put(&fixture, "/proc/50/pgtable_numa", "%s", tables);
	assert_int_equal(sample_take(&sample, &view, &fixture.fs, 50, &nodes, &err), 1);
	proc_put_process(&fixture, 50, "new", 70, (uint64_t[]){10, 10}, (int[]){0, 0});
	proc_put_stat(&fixture, "/proc/50/stat", "new", 70, 20, 999, 0);
	assert_int_equal(sample_take(&sample, &view, &fixture.fs, 50, &nodes, &err), 1);
	assert_true(view.faults == 72);
	sample_free(&sample);
	proc_close(&fixture);
}

static void a_process_that_is_gone_is_no_error(void **state)
{
	struct sample sample = {0};
	struct proc_fixture fixture;
	struct sample_nodes nodes;
	struct policy_view view;
	struct err err = {0};

	(void)state;
	proc_open(&fixture);
	assert_int_equal(sample_nodes_read(&nodes, &fixture.fs, &err), 0);
	assert_int_equal(sample_take(&sample, &view, &fixture.fs, 51, &nodes, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	proc_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_may_look_like_a_stat_line),
		cmocka_unit_test(a_short_line_is_refused),
		cmocka_unit_test(time_goes_to_the_node_of_the_cpu),
		cmocka_unit_test(a_number_given_again_is_another_process),
		cmocka_unit_test(a_process_that_is_gone_is_no_error),
	};

	return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
