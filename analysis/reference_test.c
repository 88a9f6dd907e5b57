// SPDX-License-Identifier: MIT
/* The published bars; expected values are read off the papers' data by eye. */
#include "analysis/reference.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/fixture.h"

static struct reference reference;

static int setup(void **state)
{
	struct err err = {0};

	(void)state;
	return reference_load(&reference, "analysis/reference", &err);
}

static int teardown(void **state)
{
	(void)state;
	reference_free(&reference);
	return 0;
}

static void test_join(void **state)
{
	static const struct {
		struct reference_query query;
		const char *figure; /* NULL: nothing may match */
		double normalised, walk_fraction;
	} cases[] = {
		{{"gups", "LP-LD", "LP-LD", false}, "Mitosis figure 6", 1, 0.8257},
		{{"gups", "RP-LD", "LP-LD", false}, "Mitosis figure 6", 1.5315, 0.8874},
		{{"GUPS", "rpild", "lp-ld", false}, "Mitosis figure 6", 3.2247, 0.9462},
		{{"btree", "RPI-LDM", "LP-LD", false}, "Mitosis figure 10a", 0.9843, 0.4282},
		{{"gups", "TLP-LD", "LP-LD", false},
		 "Mitosis figure 6 (2 MiB pages)",
		 0.3888,
		 0.4708},
		{{"gups", "TLP-RD", "TLP-LD", false},
		 "Mitosis figure 6 (2 MiB pages)",
		 1.3065,
		 0.3683},
		{{"gups", "TRPI-LDM", "LP-LD", false}, "Mitosis figure 10b", 0.3929, 0.4744},
		{{"gups", "FTRPI-LD", "LP-LD", false}, "Mitosis figure 11", 2.1550, 0.9150},
		{{"gups", "FTRPI-LD", "FTLP-LD", false}, "Mitosis figure 11", 2.7457, 0.9150},
		{{"xsbench", "FM", "F", false}, "Mitosis figure 9a", 0.8915, 0.3870},
		{{"xsbench", "TF", "F", false}, "Mitosis figure 9b", 0.8027, 0.3543},
		{{"xsbench", "FM", "F", true}, "vMitosis figure 4a", 482 / 777.5, NAN},
		{{"xsbench", "TFM", "TF", true}, "vMitosis figure 4b", 630 / 616.5, NAN},
		{{"gups", "RRI", "LL", false}, "vMitosis figure 1", 792.0 / 260, NAN},
		{{"gups", "TRRI", "TLL", true}, "vMitosis figure 3b", 81.0 / 79, NAN},
		{{"canneal", "OFMP", "OF", true}, "vMitosis figure 5a", 3586.0 / 4269, NAN},
		{{"memcached-inproc", "RR", "LL", true}, "vMitosis figure 1", 568 / 368.5, NAN},
		/* Not the same thing, however alike the names are. */
		{{"memcached", "RR", "LL", true}, NULL, 0, 0},
		{{"randomaccess", "RP-LD", "LP-LD", false}, NULL, 0, 0},
		{{"gups", "RP-LD", "F", false}, NULL, 0, 0},
		{{"gups", "TRRI", "LL", true}, NULL, 0, 0},
		{{"gups", "XX-YY", "LP-LD", false}, NULL, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct published *bar = reference_next(&reference, &cases[i].query, NULL);

		if (!cases[i].figure) {
			assert_null(bar);
			continue;
		}
		if (!bar)
			fail_msg("%s %s: no bar", cases[i].query.workload, cases[i].query.config);
		assert_string_equal(bar->figure->name, cases[i].figure);
		assert_true(fabs(bar->normalised - cases[i].normalised) < 6e-5);
		assert_int_equal(isnan(bar->walk_fraction), isnan(cases[i].walk_fraction));
		if (!isnan(bar->walk_fraction))
			assert_true(fabs(bar->walk_fraction - cases[i].walk_fraction) < 6e-5);
	}
}

/* RPI-LD is a bar of figures 6 and 10a. */
static void test_several_figures(void **state)
{
	const struct reference_query query = {"gups", "RPI-LD", "LP-LD", false};
	const struct published *first = reference_next(&reference, &query, NULL);
	const struct published *second = reference_next(&reference, &query, first);

	(void)state;
	assert_string_equal(first->figure->key, "6");
	assert_string_equal(second->figure->key, "10a");
	assert_null(reference_next(&reference, &query, second));
}

/* What the file calls normalised must be the ratio of its own values. */
static void test_normalised_is_a_ratio(void **state)
{
	int checked = 0;

	(void)state;
	for (int i = 0; i < reference.nr; i++) {
		const struct published *bar = &reference.bars[i];

		for (int k = 0; k < reference.nr; k++) {
			const struct published *base = &reference.bars[k];

			if (base->figure != bar->figure ||
			    strcmp(base->workload, bar->workload) != 0 ||
			    strcmp(base->config, bar->baseline) != 0 || !(base->value > 0))
				continue;
			assert_true(fabs(bar->value / base->value - bar->normalised) < 1e-3);
			checked++;
		}
	}
	assert_true(checked > 300);
}

static void test_order(void **state)
{
	(void)state;
	assert_true(reference_order(&reference, "LP-LD") < reference_order(&reference, "LP-RD"));
	assert_true(reference_order(&reference, "RPI-RDI") <
		    reference_order(&reference, "RPI-LDM"));
	assert_true(reference_order(&reference, "RPI-LDM") < reference_order(&reference, "TLP-LD"));
	assert_int_equal(reference_order(&reference, "NONE"), INT_MAX);
}

static void test_damaged(void **state)
{
	static const char *const damaged[] = {
		"figure,workload,config,runtime_cycles\n6,GUPS,LP-LD\n",
		"figure,workload,config,baseline,normalized\n6,GUPS,LP-LD,LP-LD,\n",
		"workload,config\nGUPS,LP-LD\n",
		"figure,\"workload\n",
	};
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		struct reference broken;
		struct err err = {0};

		fixture_open(&fixture);
		fixture_text(&fixture, "mitosis_runtimes.csv", damaged[i]);
		assert_int_equal(reference_load(&broken, fixture.directory, &err), -1);
		assert_int_equal(err.kind, ERR_INTERNAL);
		assert_ptr_equal(strstr(err.text, "mitosis_runtimes.csv:"), err.text);
		fixture_close(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_several_figures),
		cmocka_unit_test(test_normalised_is_a_ratio),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
