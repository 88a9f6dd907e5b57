// SPDX-License-Identifier: MIT
//
// The table of events: every name is one that libpfm4 knows for that CPU, which needs no such CPU.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/counters_set.h"

static const struct counter_cpu *cpu_named(const char *label)
{
	const struct counter_cpu *cpu;

	for (int i = 0; (cpu = counters_cpu_at(i)); i++)
		if (strcmp(cpu->label, label) == 0)
			return cpu;
	fail_msg("no CPU '%s'", label);
	return NULL;
}

static uint64_t code_of(const char *text)
{
	struct perf_event_attr attr;
	struct err err = {0};

	if (counters_encode(text, &attr, &err) != 0)
		fail_msg("%s", err.text);
	return attr.config;
}

static uint64_t row_code(const char *label, const char *name)
{
	const struct counter_cpu *cpu = cpu_named(label);
	const struct counter_row *row = counters_cpu_row_named(cpu, name);
	char text[COUNTER_EVENT_MAX];

	if (!row)
		fail_msg("%s has no %s", label, name);
	counters_event_text(cpu, row->event, text, sizeof(text));
	return code_of(text);
}

static void test_libpfm4_knows_every_event(void **state)
{
	const struct counter_cpu *cpu;
	const struct counter_row *row;
	int checked = 0;

	(void)state;
	for (int i = 0; (cpu = counters_cpu_at(i)); i++)
		for (int j = 0; (row = counters_cpu_row(cpu, j)); j++) {
			struct perf_event_attr attr;
			char text[COUNTER_EVENT_MAX];
			struct err err = {0};

			if (!row->event || row->event[0] == '=')
				continue;
			counters_event_text(cpu, row->event, text, sizeof(text));
			if (counters_encode(text, &attr, &err) != 0)
				fail_msg("%s, %s: %s", cpu->label, row->name, err.text);
			checked++;
		}
	assert_true(checked > 200);
}

static void test_an_unknown_event_would_be_noticed(void **state)
{
	static const char *const wrong[] = {
		"skx::DTLB_LOAD_MISSES:WALK_DURATIONS",
		"skx::DTLB_LOADS_MISSES:WALK_ACTIVE",
		"icx::PAGE_WALKER_LOADS:DTLB_L1",
		"nopmu::CYCLES",
		"amd64_fam19h_zen4::TABLEWALKER_ALLOCATION:ALLOC_DSIDE0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct perf_event_attr attr;
		struct err err = {0};

		assert_int_equal(counters_encode(wrong[i], &attr, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, wrong[i]));
	}
}

/* Codes from the vendors' manuals (config = event | umask << 8 | counter mask << 24). */
static void test_codes_are_those_looked_up(void **state)
{
	static const struct {
		const char *cpu, *name;
		uint64_t code;
	} manual[] = {
		{"Intel Haswell-EP/EX", "dtlb_load_walk_cycles", 0x1008},
		{"Intel Haswell-EP/EX", "dtlb_store_walk_cycles", 0x1049},
		{"Intel Haswell-EP/EX", "walker_loads_memory", 0x18bc},
		{"Intel Broadwell-EP/EX", "dtlb_load_walk_cycles", 0x1001008},
		{"Intel Broadwell-EP/EX", "dtlb_load_walk_pending", 0x1008},
		{"Intel Skylake-SP", "dtlb_load_walk_cycles", 0x1001008},
		{"Intel Skylake-SP", "dtlb_load_walk_pending", 0x1008},
		{"Intel Cascade Lake", "dtlb_store_walk_cycles", 0x1001049},
		{"Intel Cascade Lake", "ept_walk_cycles", 0x104f},
		{"Intel Ice Lake-SP", "dtlb_load_walk_cycles", 0x1001008},
		{"Intel Sapphire Rapids", "dtlb_load_walk_cycles", 0x1001012},
		{"Intel Sapphire Rapids", "dtlb_store_walk_cycles", 0x1001013},
		{"Intel Sapphire Rapids", "remote_dram_loads", 0x02d3},
		{"AMD Zen 2", "dtlb_misses", 0xf045},
		{"AMD Zen 3", "itlb_misses", 0x0f85},
		{"AMD Zen 4", "remote_dram_fills", 0x4043},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(manual) / sizeof(manual[0]); i++)
		if (row_code(manual[i].cpu, manual[i].name) != manual[i].code)
			fail_msg("%s, %s: %#lx, not %#lx", manual[i].cpu, manual[i].name,
				 row_code(manual[i].cpu, manual[i].name), manual[i].code);
}

/* Raw codes stand where libpfm4 has no name; the neighbours it has names for agree. */
static void test_raw_codes_agree_with_the_neighbours(void **state)
{
	(void)state;
	assert_int_equal(row_code("AMD Zen 5", "dtlb_misses"),
			 row_code("AMD Zen 4", "dtlb_misses"));
	assert_int_equal(row_code("AMD Zen 5", "dtlb_stlb_hits"),
			 row_code("AMD Zen 4", "dtlb_stlb_hits"));
	assert_int_equal(row_code("AMD Zen 5", "itlb_misses"),
			 row_code("AMD Zen 4", "itlb_misses"));
	assert_int_equal(row_code("AMD Zen 5", "local_dram_fills"),
			 row_code("AMD Zen 4", "local_dram_fills"));
	assert_int_equal(row_code("AMD Zen 5", "remote_dram_fills"),
			 row_code("AMD Zen 4", "remote_dram_fills"));
	assert_int_equal(
		row_code("AMD Zen 3", "table_walks_data"),
		code_of("amd64_fam17h_zen1::TABLEWALKER_ALLOCATION:ALLOC_DSIDE0:ALLOC_DSIDE1"));
	assert_int_equal(
		row_code("AMD Zen 2", "table_walks_instructions"),
		code_of("amd64_fam17h_zen1::TABLEWALKER_ALLOCATION:ALLOC_ISIDE0:ALLOC_ISIDE1"));
}

static void test_every_cpu_has_walk_cycles_or_says_why_not(void **state)
{
	const struct counter_cpu *cpu;

	(void)state;
	for (int i = 0; (cpu = counters_cpu_at(i)); i++) {
		const struct counter_row *row = counters_cpu_row_named(cpu, "walk_cycles");

		assert_non_null(row);
		assert_non_null(row->detail);
		assert_true((row->event != NULL) == (strncmp(cpu->label, "Intel", 5) == 0));
		assert_non_null(counters_cpu_row_named(cpu, "cycles"));
		assert_non_null(counters_cpu_row_named(cpu, "instructions"));
		assert_non_null(counters_cpu_row_named(cpu, "task_clock"));
	}
}

/*
 * A group that needs more counters than there are is never scheduled. cycles and instructions have
 * counters of their own on Intel and Arm, but not on AMD.
 */
static void test_groups_fit_the_counters(void **state)
{
	const struct counter_cpu *cpu;

	(void)state;
	for (int i = 0; (cpu = counters_cpu_at(i)); i++) {
		const bool fixed = strncmp(cpu->label, "AMD", 3) != 0;
		const struct counter_row *row, *other;

		for (int j = 0; (row = counters_cpu_row(cpu, j)); j++) {
			int needed = 0;

			for (int k = 0; (other = counters_cpu_row(cpu, k)); k++)
				needed += other->event && other->event[0] != '=' &&
					  strcmp(other->group, row->group) == 0 &&
					  !(fixed && strncmp(other->event, "perf::", 6) == 0);
			if (needed > cpu->counters)
				fail_msg("%s: group %s needs %d counters of %d", cpu->label,
					 row->group, needed, cpu->counters);
		}
	}
}

static void test_rows_of_a_group_are_neighbours_and_names_are_unique(void **state)
{
	const struct counter_cpu *cpu;

	(void)state;
	for (int i = 0; (cpu = counters_cpu_at(i)); i++) {
		const struct counter_row *row;

		for (int j = 0; (row = counters_cpu_row(cpu, j)); j++) {
			assert_ptr_equal(counters_cpu_row_named(cpu, row->name), row);
			for (int k = 0; k + 1 < j; k++)
				if (strcmp(counters_cpu_row(cpu, k)->group, row->group) == 0)
					assert_string_equal(counters_cpu_row(cpu, k + 1)->group,
							    row->group);
		}
	}
}

static void test_terms_of_sums_and_ratios_exist(void **state)
{
	const struct counter_cpu *cpu;
	const struct counter_ratio *ratio;
	char term[64];

	(void)state;
	for (int i = 0; (cpu = counters_cpu_at(i)); i++) {
		const struct counter_row *row;

		for (int j = 0; (row = counters_cpu_row(cpu, j)); j++) {
			const char *rest = row->event;

			if (!rest || *rest != '=')
				continue;
			while (counters_next_term(&rest, term, sizeof(term)))
				assert_string_equal(counters_cpu_row_named(cpu, term)->group,
						    row->group);
		}
	}
	for (int i = 0; (ratio = counters_ratio_at(i)); i++) {
		const char *rest = ratio->numerator;
		bool somewhere = false;

		assert_true(counters_next_term(&rest, term, sizeof(term)));
		for (int j = 0; (cpu = counters_cpu_at(j)); j++)
			somewhere = somewhere || counters_cpu_row_named(cpu, term);
		assert_true(somewhere);
	}
}

static void test_cpus_are_recognised(void **state)
{
	static const struct {
		struct counter_cpu_id id;
		const char *label;
	} machines[] = {
		{{"GenuineIntel", 6, 63, 4, -1}, "Intel Haswell-EP/EX"}, /* Xeon E7-4850 v3 */
		{{"GenuineIntel", 6, 60, 3, -1}, "Intel Haswell"},
		{{"GenuineIntel", 6, 79, 1, -1}, "Intel Broadwell-EP/EX"},
		{{"GenuineIntel", 6, 94, 3, -1}, "Intel Skylake"},
		{{"GenuineIntel", 6, 85, 4, -1}, "Intel Skylake-SP"},
		{{"GenuineIntel", 6, 85, 7, -1}, "Intel Cascade Lake"}, /* Xeon Gold 6252 */
		{{"GenuineIntel", 6, 106, 6, -1}, "Intel Ice Lake-SP"},
		{{"GenuineIntel", 6, 143, 8, -1}, "Intel Sapphire Rapids"},
		{{"GenuineIntel", 6, 26, 5, -1}, "unknown CPU"}, /* Nehalem */
		{{"GenuineIntel", 15, 63, 4, -1}, "unknown CPU"},
		{{"AuthenticAMD", 23, 1, 2, -1}, "unknown CPU"}, /* Zen 1 */
		{{"AuthenticAMD", 23, 49, 0, -1}, "AMD Zen 2"},
		{{"AuthenticAMD", 25, 1, 1, -1}, "AMD Zen 3"},
		{{"AuthenticAMD", 25, 17, 1, -1}, "AMD Zen 4"},
		{{"AuthenticAMD", 25, 97, 2, -1}, "AMD Zen 4"},
		{{"AuthenticAMD", 25, 80, 0, -1}, "AMD Zen 3"},
		{{"AuthenticAMD", 26, 2, 1, -1}, "AMD Zen 5"},
		{{"ARM", -1, -1, 0, 0xd0c}, "Arm Neoverse N1"},
		{{"ARM", -1, -1, 0, 0xd40}, "Arm Neoverse V1"},
		{{"ARM", -1, -1, 0, 0xd49}, "Arm Neoverse N2"},
		{{"ARM", -1, -1, 0, 0xd4f}, "Arm Neoverse V2"},
		{{"ARM", -1, -1, 0, 0xd03}, "unknown CPU"},
		{{"", -1, -1, -1, -1}, "unknown CPU"},
	};
	const struct topology graviton = {
		.cpu_vendor = "0x41",
		.cpu_model = "0xd40",
		.cpu_family = -1,
		.cpu_model_number = -1,
		.cpu_stepping = -1,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		assert_string_equal(counters_cpu_find(&machines[i].id)->label, machines[i].label);
	assert_string_equal(counters_cpu_of(&graviton)->label, "Arm Neoverse V1");
}

static void test_the_list_shows_groups_events_and_formulas(void **state)
{
	static const char *const expected[] = {
		"Intel Skylake-SP",
		"page walkers: 2",
		"\nwalk\n",
		"skx::DTLB_LOAD_MISSES:WALK_ACTIVE",
		"walker_loads_memory            absent: ",
		"walk_cycles / cycles",
		"(dtlb_load_misses+dtlb_store_misses) / misses_reference_instructions * 1000",
		"task_clock",
	};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	counters_list_cpu(out, cpu_named("Intel Skylake-SP"));
	fclose(out);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (!strstr(text, expected[i]))
			fail_msg("'%s' is not in:\n%s", expected[i], text);
	assert_null(strstr(text, "walker_memory_fraction"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libpfm4_knows_every_event),
		cmocka_unit_test(test_an_unknown_event_would_be_noticed),
		cmocka_unit_test(test_codes_are_those_looked_up),
		cmocka_unit_test(test_raw_codes_agree_with_the_neighbours),
		cmocka_unit_test(test_every_cpu_has_walk_cycles_or_says_why_not),
		cmocka_unit_test(test_groups_fit_the_counters),
		cmocka_unit_test(test_rows_of_a_group_are_neighbours_and_names_are_unique),
		cmocka_unit_test(test_terms_of_sums_and_ratios_exist),
		cmocka_unit_test(test_cpus_are_recognised),
		cmocka_unit_test(test_the_list_shows_groups_events_and_formulas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
