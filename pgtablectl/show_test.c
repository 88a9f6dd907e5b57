// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "pgtablectl/show.h"

static const char recorded[] = "nodes 0-1\nfailed 2\nroot N0 master N0\nroot N1 replica N1\n"
			       "L1 N0 master 8 replica 0\nL1 N1 master 0 replica 8\n"
			       "L4 N0 master 1 replica 0\nL4 N1 master 0 replica 1\n"
			       "edge N0 L1 N0 N0 300\nedge N0 L1 N0 N1 100\n"
			       "edge N1 L1 N1 N0 300\nedge N1 L1 N0 N1 100\n";

static void parse(struct pgtable_numa *numa, const char *text)
{
	struct err err = {0};

	assert_int_equal(pgtable_numa_parse(numa, text, &err), 0);
}

static void people_get_a_table(void **state)
{
	struct pgtable_numa numa;
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	parse(&numa, recorded);
	show_text(out, 12, "gups", &numa);
	fclose(out);
	assert_non_null(strstr(text,
			       "gups (12): replicated on nodes 0-1; masters 36 KiB, replicas 36 "
			       "KiB; 2 copies could not be allocated\n"));
	assert_non_null(strstr(text, "  level 1            8         0         0         8\n"));
	assert_non_null(strstr(text, "  node 1    node 1  replica    25.0%    75.0%\n"));
	assert_null(strstr(text, "level 5"));
	free(text);
	pgtable_numa_free(&numa);
}

static void a_kernel_thread_is_said_to_be_one(void **state)
{
	struct pgtable_numa numa;
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	parse(&numa, "");
	show_text(out, 2, "kthreadd", &numa);
	fclose(out);
	assert_string_equal(text, "kthreadd (2) has no page tables of its own: a kernel thread\n");
	free(text);
	pgtable_numa_free(&numa);
}

static void programs_get_all_of_it(void **state)
{
	struct pgtable_numa numa;
	const json_t *tree;
	json_t *json;

	(void)state;
	parse(&numa, recorded);
	json = show_json(12, "bad \xff name", &numa);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "command")), "?");
	assert_int_equal(json_array_size(json_object_get(json, "nodes")), 2);
	assert_int_equal(json_array_size(json_object_get(json, "tables")), 4);
	assert_int_equal(json_array_size(json_object_get(json, "edges")), 4);
	tree = json_array_get(json_object_get(json, "trees"), 1);
	assert_true(json_real_value(json_object_get(tree, "remote_tables")) == 0.25);
	assert_true(json_real_value(json_object_get(tree, "remote_data")) == 0.75);
	json_decref(json);
	pgtable_numa_free(&numa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_get_a_table),
		cmocka_unit_test(a_kernel_thread_is_said_to_be_one),
		cmocka_unit_test(programs_get_all_of_it),
	};

	return cmocka_run_group_tests_name("show", tests, NULL, NULL);
}
