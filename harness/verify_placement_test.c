// SPDX-License-Identifier: MIT
#include "harness/verify_placement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KIB_4       0
#define MIB_2       1
#define ARENA_PAGES UINT64_C(100000)
#define ARENA_BYTES (ARENA_PAGES * 4096)

/* A process of ARENA_PAGES pages with data on node `data` and tables on node `tables`, and 200
 * pages of libraries that lie on node 0 whatever is asked for. */
static struct ptdump_result *dump_of(int tables, int data)
{
	struct ptdump_result *dump = calloc(1, sizeof(*dump));

	dump->levels = 4;
	dump->nr_nodes = 4;
	dump->leaves[KIB_4][tables][data] = ARENA_PAGES;
	dump->leaves[KIB_4][tables][0] += 200;
	dump->table_pages[0][tables] = ARENA_PAGES / 512 + 4;
	dump->table_pages[1][tables] = 3;
	dump->table_pages[2][tables] = 2;
	dump->table_pages[3][tables] = 1;
	return dump;
}

static struct placement bound(int tables, int data)
{
	return (struct placement){
		.config = {.name = "RP-LD"},
		.data_policy = PLACE_BIND,
		.data_nodes = UINT64_C(1) << data,
		.page_table_bound = true,
		.page_table_node = tables,
	};
}

struct outcome {
	json_t *json;
	struct err err;
};

static struct outcome judge(const struct placement *placement, struct ptdump_result *built,
			    struct ptdump_result *ready, struct ptdump_result *done)
{
	const struct verify_input input = {
		.placement = placement,
		.arena_bytes = ARENA_BYTES,
		.dumps = {built, ready, done},
		.reason = "no reader",
	};
	struct outcome outcome = {0};

	outcome.json = verify_placement(&input, &outcome.err);
	free(built);
	free(ready);
	free(done);
	return outcome;
}

static void expect_status(struct outcome *outcome, const char *status)
{
	assert_string_equal(json_string_value(json_object_get(outcome->json, "status")), status);
	assert_int_equal(outcome->err.kind, strcmp(status, "off") == 0 ? ERR_RUN : ERR_NONE);
	json_decref(outcome->json);
}

static double off(const struct outcome *outcome, const char *what)
{
	return json_real_value(json_object_get(outcome->json, what));
}

static void right_placement_is_ok(void **state)
{
	const struct placement placement = bound(1, 2);
	struct outcome outcome = judge(&placement, NULL, dump_of(1, 2), dump_of(1, 2));

	(void)state;
	assert_true(off(&outcome, "data_off_fraction") == 0);
	assert_true(off(&outcome, "page_tables_off_fraction") == 0);
	expect_status(&outcome, "ok");
}

static void data_elsewhere_are_off_by_their_share(void **state)
{
	const struct placement placement = bound(1, 2);
	struct ptdump_result *dump = dump_of(1, 2);
	struct outcome outcome;

	(void)state;
	dump->leaves[KIB_4][1][2] -= 3000;
	dump->leaves[KIB_4][1][3] += 3000;
	outcome = judge(&placement, NULL, dump, NULL);
	assert_true(off(&outcome, "data_off_fraction") > 0.0299);
	assert_true(off(&outcome, "data_off_fraction") < 0.0301);
	assert_non_null(strstr(outcome.err.text, "3.0% of the data pages"));
	expect_status(&outcome, "off");
}

static void one_percent_is_tolerated(void **state)
{
	const struct placement placement = bound(1, 2);
	struct ptdump_result *dump = dump_of(1, 2);
	struct outcome outcome;

	(void)state;
	dump->leaves[KIB_4][1][2] -= 990;
	dump->leaves[KIB_4][1][3] += 990;
	outcome = judge(&placement, NULL, dump, NULL);
	expect_status(&outcome, "ok");
}

static void one_upper_table_elsewhere_counts(void **state)
{
	const struct placement placement = bound(1, 1);
	struct ptdump_result *dump = dump_of(1, 1);
	struct outcome outcome;

	(void)state;
	dump->table_pages[0][1] = 20;
	dump->table_pages[1][1] -= 1;
	dump->table_pages[1][0] += 1;
	outcome = judge(&placement, NULL, dump, NULL);
	assert_true(off(&outcome, "page_tables_off_fraction") > 0.035);
	expect_status(&outcome, "off");
}

static void what_moves_away_during_the_run_is_off(void **state)
{
	const struct placement placement = bound(1, 2);
	struct outcome outcome = judge(&placement, NULL, dump_of(1, 2), dump_of(1, 0));

	(void)state;
	assert_non_null(strstr(outcome.err.text, "at the end"));
	expect_status(&outcome, "off");
}

static void migration_is_judged_before_and_after(void **state)
{
	struct placement placement = bound(1, 2);
	struct outcome outcome;

	(void)state;
	placement.migration = MIGRATION_MREMAP;
	placement.migration_node = 2;
	outcome = judge(&placement, dump_of(1, 2), dump_of(2, 2), dump_of(2, 2));
	expect_status(&outcome, "ok");
	outcome = judge(&placement, dump_of(1, 2), dump_of(1, 2), dump_of(1, 2));
	assert_non_null(strstr(outcome.err.text, "100.0% of the page tables"));
	expect_status(&outcome, "off");
	outcome = judge(&placement, dump_of(2, 2), dump_of(2, 2), dump_of(2, 2));
	assert_non_null(strstr(outcome.err.text, "before the migration"));
	expect_status(&outcome, "off");
}

static void migration_leaves_tables_outside_the_arena(void **state)
{
	struct placement placement = bound(1, 2);
	struct ptdump_result *after = dump_of(2, 2);
	struct outcome outcome;

	(void)state;
	placement.migration = MIGRATION_MREMAP;
	placement.migration_node = 2;
	after->leaves[KIB_4][1][2] = 500; /* stack and libraries */
	after->table_pages[0][1] = 12;
	outcome = judge(&placement, NULL, after, NULL);
	expect_status(&outcome, "ok");
}

static void huge_pages_weigh_by_their_size(void **state)
{
	const struct placement placement = bound(1, 2);
	struct ptdump_result *dump = dump_of(1, 2);
	struct outcome outcome;

	(void)state;
	dump->leaves[KIB_4][1][2] = 0;
	dump->leaves[MIB_2][1][2] = 95; /* of the 195 that fill the arena */
	dump->leaves[MIB_2][1][3] = 100;
	outcome = judge(&placement, NULL, dump, NULL);
	assert_true(off(&outcome, "data_off_fraction") > 0.5);
	expect_status(&outcome, "off");
}

static void interleaving_wants_equal_shares(void **state)
{
	struct placement placement = {
		.config = {.name = "I"},
		.data_policy = PLACE_INTERLEAVE,
		.data_nodes = 0xf,
	};
	struct ptdump_result *dump = dump_of(0, 0);
	struct outcome outcome;

	(void)state;
	for (int node = 0; node < 4; node++)
		dump->leaves[KIB_4][0][node] = ARENA_PAGES / 4;
	outcome = judge(&placement, NULL, dump, NULL);
	assert_true(json_is_null(json_object_get(outcome.json, "page_tables_off_fraction")));
	expect_status(&outcome, "ok");

	dump = dump_of(0, 0);
	for (int node = 0; node < 3; node++)
		dump->leaves[KIB_4][0][node] = ARENA_PAGES / 3;
	outcome = judge(&placement, NULL, dump, NULL);
	assert_true(off(&outcome, "data_off_fraction") > 0.24);
	expect_status(&outcome, "off");
}

static void first_touch_is_ok_and_says_so(void **state)
{
	const struct placement placement = {.config = {.name = "F"}};
	struct outcome outcome = judge(&placement, NULL, dump_of(3, 1), dump_of(3, 1));

	(void)state;
	assert_non_null(
		strstr(json_string_value(json_object_get(outcome.json, "detail")), "first touch"));
	assert_true(json_is_null(json_object_get(outcome.json, "data_off_fraction")));
	expect_status(&outcome, "ok");
}

static void no_dump_is_unverified(void **state)
{
	const struct placement placement = bound(0, 0);
	struct outcome outcome = judge(&placement, NULL, NULL, NULL);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(outcome.json, "detail")),
			    "no reader");
	expect_status(&outcome, "unverified");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_placement_is_ok),
		cmocka_unit_test(data_elsewhere_are_off_by_their_share),
		cmocka_unit_test(one_percent_is_tolerated),
		cmocka_unit_test(one_upper_table_elsewhere_counts),
		cmocka_unit_test(what_moves_away_during_the_run_is_off),
		cmocka_unit_test(migration_is_judged_before_and_after),
		cmocka_unit_test(migration_leaves_tables_outside_the_arena),
		cmocka_unit_test(huge_pages_weigh_by_their_size),
		cmocka_unit_test(interleaving_wants_equal_shares),
		cmocka_unit_test(first_touch_is_ok_and_says_so),
		cmocka_unit_test(no_dump_is_unverified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
