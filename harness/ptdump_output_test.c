// SPDX-License-Identifier: MIT
#include "harness/ptdump_output.h"

#include <math.h>

#include "harness/ptdump_testing.h"

/* 2 nodes: 300 entries in tables of node 0, 100 of node 1; one huge page; see the asserts. */
static struct ptdump_result make_result(void)
{
	struct ptdump_result result = {
		.pid = 42,
		.levels = 4,
		.nr_nodes = 2,
		.root_address = UINT64_C(0x123456000),
		.not_present = 7,
		.prot_none = 3,
		.unresolved = 2,
		.entries_read = 3072,
		.duration_ns = 1000,
		.reader = "fake",
	};

	result.table_pages[3][0] = 1;
	result.table_pages[2][0] = 1;
	result.table_pages[1][1] = 1;
	result.table_pages[0][0] = 2;
	result.table_pages[0][1] = 1;
	result.leaves[0][0][0] = 100;
	result.leaves[0][0][1] = 200;
	result.leaves[0][1][0] = 99;
	result.leaves[1][1][1] = 1;
	return result;
}

static void test_sums(void **state)
{
	struct ptdump_result result = make_result();
	struct ptdump_result sum = {0};

	(void)state;
	assert_int_equal(ptdump_table_pages(&result, -1), 6);
	assert_int_equal(ptdump_table_pages(&result, 0), 4);
	assert_int_equal(ptdump_table_pages(&result, 1), 2);
	assert_int_equal(ptdump_table_pages(&result, 2), 0);
	assert_int_equal(ptdump_table_bytes(&result), 6 * 4096);
	ptdump_add(&sum, &result);
	result.torn = true;
	result.nr_nodes = 4;
	ptdump_add(&sum, &result);
	assert_int_equal(sum.pid, 0);
	assert_int_equal(sum.levels, 4);
	assert_int_equal(sum.nr_nodes, 4);
	assert_int_equal(ptdump_table_pages(&sum, -1), 12);
	assert_int_equal(sum.leaves[0][0][1], 400);
	assert_int_equal(sum.leaves[1][1][1], 2);
	assert_int_equal(sum.not_present, 14);
	assert_int_equal(sum.prot_none, 6);
	assert_int_equal(sum.unresolved, 4);
	assert_int_equal(sum.entries_read, 6144);
	assert_int_equal(sum.duration_ns, 2000);
	assert_true(sum.torn);
	assert_string_equal(sum.reader, "fake");
}

static void test_fractions(void **state)
{
	const struct ptdump_result result = make_result(), nothing = {.nr_nodes = 1};
	/* Data weighs by size: 199 x 4 KiB on node 0; 200 x 4 KiB and 512 x 4 KiB on node 1. */
	const double data_0 = 199.0 / (199 + 200 + 512);

	(void)state;
	assert_true(fabs(ptdump_local_leaf_fraction(&result, 0) - 0.75) < 1e-12);
	assert_true(fabs(ptdump_local_leaf_fraction(&result, 1) - 0.25) < 1e-12);
	assert_true(ptdump_local_leaf_fraction(&result, 5) == 0);
	assert_true(fabs(ptdump_local_data_fraction(&result, 0) - data_0) < 1e-12);
	assert_true(fabs(ptdump_local_data_fraction(&result, 1) - (1 - data_0)) < 1e-12);
	assert_true(isnan(ptdump_local_leaf_fraction(&nothing, 0)));
	assert_true(isnan(ptdump_local_data_fraction(&nothing, 0)));
}

static void assert_json(json_t *object, const char *expected)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(3));

	assert_string_equal(text, expected);
	free(text);
	json_decref(object);
}

/* The record embeds this: its names may not change. */
static void test_json(void **state)
{
	const struct ptdump_result result = make_result();

	(void)state;
	assert_json(ptdump_to_json(&result),
		    "{\"pid\":42,\"reader\":\"fake\",\"levels\":4,\"root_address\":4886716416,"
		    "\"nr_nodes\":2,\"table_pages\":{\"pml4\":[1,0],\"pdpt\":[1,0],\"pd\":[0,1],"
		    "\"pt\":[2,1]},\"table_bytes\":24576,\"leaves\":["
		    "{\"page_size_bytes\":4096,\"table_node\":0,\"data_node\":0,\"count\":100},"
		    "{\"page_size_bytes\":4096,\"table_node\":0,\"data_node\":1,\"count\":200},"
		    "{\"page_size_bytes\":4096,\"table_node\":1,\"data_node\":0,\"count\":99},"
		    "{\"page_size_bytes\":2097152,\"table_node\":1,\"data_node\":1,\"count\":1}],"
		    "\"not_present\":7,\"prot_none\":3,\"unresolved\":2,\"seen_from\":["
		    "{\"node\":0,\"local_leaf_fraction\":0.75,\"local_data_fraction\":0.218},"
		    "{\"node\":1,\"local_leaf_fraction\":0.25,\"local_data_fraction\":0.782}],"
		    "\"entries_read\":3072,\"duration_ns\":1000,\"torn\":false}");
}

static void test_json_empty(void **state)
{
	const struct ptdump_result nothing = {.pid = 1, .levels = 5, .nr_nodes = 1};

	(void)state;
	assert_json(
		ptdump_to_json(&nothing),
		"{\"pid\":1,\"reader\":null,\"levels\":5,\"root_address\":0,\"nr_nodes\":1,"
		"\"table_pages\":{\"pml5\":[0],\"pml4\":[0],\"pdpt\":[0],\"pd\":[0],\"pt\":[0]},"
		"\"table_bytes\":0,\"leaves\":[],\"not_present\":0,\"prot_none\":0,"
		"\"unresolved\":0,\"seen_from\":[{\"node\":0,\"local_leaf_fraction\":null,"
		"\"local_data_fraction\":null}],\"entries_read\":0,\"duration_ns\":0,"
		"\"torn\":false}");
}

static void test_json_change(void **state)
{
	const struct ptdump_result before = make_result();
	struct ptdump_result now = before;

	(void)state;
	now.table_pages[0][0] -= 2;
	now.table_pages[0][1] += 5;
	now.leaves[0][0][0] -= 100;
	now.not_present = 0;
	assert_json(ptdump_change_to_json(&now, &before),
		    "{\"table_pages\":{\"pml4\":[0,0],\"pdpt\":[0,0],\"pd\":[0,0],\"pt\":[-2,5]},"
		    "\"table_bytes\":12288,\"leaves\":[{\"page_size_bytes\":4096,\"table_node\":0,"
		    "\"data_node\":0,\"count\":-100}],\"not_present\":-7,\"prot_none\":0,"
		    "\"unresolved\":0}");
}

static char *text_of(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	print(out);
	fclose(out);
	return text;
}

static void print_csv(FILE *out)
{
	const struct ptdump_result result = make_result();

	ptdump_print_csv(out, &result, true, 5);
	ptdump_print_csv(out, &result, false, 6);
}

/* Every line has the header's number of fields, and the header comes once. */
static void test_csv(void **state)
{
	char *text = text_of(print_csv), *rest = text, *line;
	unsigned int lines = 0;

	(void)state;
	assert_non_null(strstr(text, "\n5,42,table_pages,pt,,0,,2\n"));
	assert_non_null(strstr(text, "\n5,42,leaves,,4096,0,1,200\n"));
	assert_non_null(strstr(text, "\n6,42,leaves,,2097152,1,1,1\n"));
	assert_non_null(strstr(text, "\n6,42,not_present,,,,,7\n"));
	while ((line = strsep(&rest, "\n")) && *line) {
		unsigned int commas = 0;

		for (const char *c = line; *c; c++)
			commas += *c == ',';
		assert_int_equal(commas, 7);
		assert_int_equal(strncmp(line, "time_ns,", 8) == 0, lines == 0);
		lines++;
	}
	assert_int_equal(lines, 1 + 2 * (8 + 12 + 6));
	free(text);
}

static void print_table(FILE *out)
{
	const struct ptdump_result result = make_result();

	ptdump_print(out, &result);
}

static void print_change(FILE *out)
{
	const struct ptdump_result before = make_result();
	struct ptdump_result now = before;

	now.table_pages[0][1] = 4;
	now.table_pages[0][0] = 0;
	ptdump_print_change(out, &now, &before);
}

static void test_table(void **state)
{
	char *text = text_of(print_table);

	(void)state;
	assert_non_null(strstr(text, "process 42: 4-level page tables, 24 KiB"));
	assert_non_null(
		strstr(text, "  PT (leaf)                     2            1            3\n"));
	assert_non_null(
		strstr(text, "  bytes                     16384         8192        24576\n"));
	assert_non_null(strstr(text, "as seen from node 0: leaf entries 75.00% local, 25.00% "
				     "remote; data 21.84% local, 78.16% remote\n"));
	assert_null(strstr(text, "torn"));
	assert_null(strstr(text, "(+"));
	free(text);
	text = text_of(print_change);
	assert_non_null(strstr(text, "0 (-2)"));
	assert_non_null(strstr(text, "4 (+3)"));
	assert_non_null(strstr(text, "28672 (+4096)"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),        cmocka_unit_test(test_fractions),
		cmocka_unit_test(test_json),        cmocka_unit_test(test_json_empty),
		cmocka_unit_test(test_json_change), cmocka_unit_test(test_csv),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
