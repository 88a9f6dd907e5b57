// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "harness/summary.h"

static const struct {
	const char *config;
	json_int_t runtime_ns;
} runs[] = {
	{"LP-LD", 200000000}, {"LP-LD", 100000000},  {"LP-LD", 300000000},
	{"RP-LD", 300000000}, {"RPI-LD", 640000000},
};

static json_t *records_new(void)
{
	json_t *records = json_array();

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		json_array_append_new(records,
				      json_pack("{s:{s:s}, s:s, s:{s:s}, s:I}", "workload", "name",
						"gups", "config", runs[i].config, "exit", "status",
						"ok", "runtime_ns", runs[i].runtime_ns));
	json_array_append_new(records,
			      json_pack("{s:{s:s}, s:s, s:{s:s}}", "workload", "name", "gups",
					"config", "RP-LD", "exit", "status", "failed"));
	return records;
}

/* Every row divides by the baseline's median, also rows after the baseline's own. */
static void rows_are_relative_to_the_baseline(void **state)
{
	struct cell_config *configs = calloc(3, sizeof(*configs));
	struct cell items[3] = {0};
	struct cells cells = {.items = items, .nr_items = 3};
	const char *const names[] = {"LP-LD", "RP-LD", "RPI-LD"};
	json_t *records = records_new();
	struct err err = {0};
	char text[2048] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(configs);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(config_parse(names[i], &configs[i].config, &err), 0);
		items[i] = (struct cell){.config = &configs[i], .workload = "gups"};
	}
	summary_table(out, &cells, records);
	fclose(out);
	assert_non_null(strstr(text, "0.2000      1.00"));
	assert_non_null(strstr(text, "0.3000      1.50"));
	assert_non_null(strstr(text, "0.6400      3.20"));
	assert_non_null(strstr(text, "1 failed"));
	json_decref(records);
	free(configs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_relative_to_the_baseline)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
