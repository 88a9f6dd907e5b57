// SPDX-License-Identifier: MIT
#include "analysis/records.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/fixture.h"

static const struct fixture_run good = {
	.workload = "gups", .config = "RP-LD", .runtime_ns = 2e9, .walk_fraction = 0.5};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture_open(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

static int load(struct fixture *fixture, struct records *records, struct err *err)
{
	const char *const paths[] = {fixture->directory};

	*err = (struct err){0};
	return records_load(paths, 1, records, err);
}

static void test_good(void **state)
{
	struct records records;
	struct err err;

	fixture_runs(*state, good, 1);
	assert_int_equal(load(*state, &records, &err), 0);
	assert_int_equal(records.nr, 1);
	assert_string_equal(records.items[0].workload, "gups");
	assert_string_equal(records.items[0].config, "RP-LD");
	assert_string_equal(records.items[0].baseline, "LP-LD");
	assert_string_equal(records.items[0].options, "size=0");
	assert_string_equal(records.items[0].seed, "7");
	assert_true(records.items[0].runtime_ns == 2e9);
	assert_true(records.items[0].cycles == 4e9);
	assert_true(fabs(records.items[0].walk_fraction - 0.5) < 1e-12);
	assert_true(isnan(records.items[0].scale));
	assert_null(records.items[0].unused);
	assert_false(records.items[0].modelled);
	records_free(&records);
}

static void refused_with(struct fixture *fixture, const char *words)
{
	struct records records;
	struct err err;

	assert_int_equal(load(fixture, &records, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(records.nr_refused, 1);
	if (!strstr(records.refused[0].reason, words))
		fail_msg("'%s' does not say '%s'", records.refused[0].reason, words);
	assert_non_null(strstr(err.text, words));
	records_free(&records);
}

static void test_newer_schema(void **state)
{
	json_t *record = fixture_record(&good, 0);

	json_object_set_new(record, "schema_version", json_integer(2));
	fixture_write(*state, record);
	refused_with(*state, "newer suite (schema_version 2");
}

static void test_cut_file(void **state)
{
	fixture_text(*state, "a/run.json", "{\"schema_version\": 1, \"id\": \"x");
	refused_with(*state, "cut off");
}

static void test_garbage(void **state)
{
	fixture_text(*state, "a/run.json", "[1, 2]");
	refused_with(*state, "no schema_version");
}

static void test_incomplete(void **state)
{
	json_t *record = fixture_record(&good, 0);

	json_object_del(record, "config");
	fixture_write(*state, record);
	refused_with(*state, "'config'");
}

static void test_unknown_provenance(void **state)
{
	json_t *record = fixture_record(&good, 0);

	json_object_set_new(record, "provenance", json_string("guessed"));
	fixture_write(*state, record);
	refused_with(*state, "guessed");
}

static void test_bad_beside_good(void **state)
{
	struct records records;
	struct err err;

	fixture_runs(*state, good, 2);
	fixture_text(*state, "bad/run.json", "");
	assert_int_equal(load(*state, &records, &err), 0);
	assert_int_equal(records.nr, 2);
	assert_int_equal(records.nr_refused, 1);
	assert_non_null(strstr(records.refused[0].path, "bad/run.json"));
	records_free(&records);
}

static void assert_unused(struct fixture *fixture, struct fixture_run run, const char *words)
{
	struct records records;
	struct err err;

	fixture_runs(fixture, run, 1);
	assert_int_equal(load(fixture, &records, &err), 0);
	assert_int_equal(records.nr, 1);
	assert_non_null(records.items[0].unused);
	assert_non_null(strstr(records.items[0].unused, words));
	records_free(&records);
}

static void test_failed(void **state)
{
	struct fixture_run run = good;

	run.exit = "failed";
	run.reason = "the driver hung";
	assert_unused(*state, run, "failed: the driver hung");
}

static void test_interrupted(void **state)
{
	struct fixture_run run = good;

	run.exit = "interrupted";
	assert_unused(*state, run, "interrupted");
}

static void test_wrong_result(void **state)
{
	struct fixture_run run = good;

	run.verification = "fail";
	assert_unused(*state, run, "3 of 9 words");
}

static void test_no_runtime(void **state)
{
	struct fixture_run run = good;

	run.runtime_ns = 0;
	assert_unused(*state, run, "no runtime");
}

/* It failed before the machine was looked at: a record of nulls. */
static void test_failed_early(void **state)
{
	struct records records;
	struct err err;

	fixture_text(
		*state, "a/run.json",
		"{\"schema_version\":1,\"id\":\"x\",\"config\":\"RP-LD\",\"provenance\":"
		"\"measured\",\"workload\":{\"name\":\"gups\",\"options\":{}},\"machine\":null,"
		"\"exit\":{\"status\":\"failed\",\"code\":3,\"reason\":\"one node\"}}");
	assert_int_equal(load(*state, &records, &err), 0);
	assert_true(records.items[0].incomplete);
	assert_string_equal(records.items[0].unused, "failed: one node");
	records_free(&records);
}

static void test_search(void **state)
{
	struct fixture *fixture = *state;
	char nested[128];
	const char *const twice[] = {fixture->directory, nested};
	struct records records;
	struct err err = {0};

	fixture_runs(fixture, good, 3);
	fixture_text(fixture, "campaign/other.json", "not a record");
	fixture_text(fixture, "1/2/3/4/5/6/7/8/9/run.json", "too deep to be looked at");
	snprintf(nested, sizeof(nested), "%s/campaign", fixture->directory);
	assert_int_equal(records_load(twice, 2, &records, &err), 0);
	assert_int_equal(records.nr, 3);
	assert_int_equal(records.nr_refused, 0);
	records_free(&records);
}

static void test_nothing(void **state)
{
	const char *const absent[] = {"/nonexistent/results"};
	struct records records;
	struct err err;

	assert_int_equal(load(*state, &records, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "harness run"));
	records_free(&records);
	err = (struct err){0};
	assert_int_equal(records_load(absent, 1, &records, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "/nonexistent/results"));
	records_free(&records);
}

/* Every way of breaking one byte or the end of a good record is survived. */
static void test_damage(void **state)
{
	struct fixture *fixture = *state;
	json_t *record = fixture_record(&good, 0);
	char *text = json_dumps(record, 0);
	const size_t length = strlen(text);

	for (size_t at = 1; at < length; at += 7) {
		struct records records;
		struct err err;
		char *damaged = strdup(text);

		damaged[at] = at % 2 ? '\0' : (char)('0' + at % 10);
		fixture_text(fixture, "d/run.json", damaged);
		if (load(fixture, &records, &err) != 0)
			assert_int_equal(err.kind, ERR_USAGE);
		records_free(&records);
		free(damaged);
	}
	free(text);
	json_decref(record);
}

static void test_same_config(void **state)
{
	(void)state;
	assert_true(same_config("RPI-LD+M", "rpildm"));
	assert_true(same_config("LP-LD", "LPLD"));
	assert_true(same_config("", "-"));
	assert_false(same_config("RP-LD", "RP-LDM"));
	assert_false(same_config("RP-LDM", "RP-LD"));
	assert_false(same_config("LP-RD", "RP-LD"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_good),
		TEST(test_newer_schema),
		TEST(test_cut_file),
		TEST(test_garbage),
		TEST(test_incomplete),
		TEST(test_unknown_provenance),
		TEST(test_bad_beside_good),
		TEST(test_failed),
		TEST(test_interrupted),
		TEST(test_wrong_result),
		TEST(test_no_runtime),
		TEST(test_failed_early),
		TEST(test_search),
		TEST(test_nothing),
		TEST(test_damage),
		TEST(test_same_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
