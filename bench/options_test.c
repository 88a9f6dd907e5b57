// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bench/options.h"

enum { SIZE, COUNT, LEVEL, FACTOR, MODE, FAST, NAME, POWER };

static uint64_t half_of_memory(const struct option_context *context)
{
	return context->memory_bytes / 2;
}

static const struct option rows[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = half_of_memory,
		  .emulated = "1M",
		  .min = 4096,
		  .power_of_two = true,
		  .scales = true},
	[COUNT] =
		{.name = "count", .type = OPTION_COUNT, .native = "2M", .emulated = "10", .min = 1},
	[LEVEL] = {.name = "level", .type = OPTION_INT, .native = "3", .min = 1, .max = 9},
	[FACTOR] = {.name = "factor", .type = OPTION_DOUBLE, .native = "0.5"},
	[MODE] = {.name = "mode",
		  .type = OPTION_CHOICE,
		  .native = "shared",
		  .choices = "shared|star|exit=N"},
	[FAST] = {.name = "fast", .type = OPTION_FLAG},
	[NAME] = {.name = "name", .type = OPTION_TEXT},
	[POWER] = {.name = "power",
		   .type = OPTION_INT,
		   .native = "20",
		   .min = 6,
		   .max = 42,
		   .scales_log2 = true},
	{.name = NULL},
};

static const struct option_preset preset = {"big", "", "size=4G count=9 mode=star power=30"};

static int parse(struct option_set *set, int argc, char **argv, struct err *err)
{
	struct option_set *const sets[] = {set};

	*err = (struct err){0};
	options_init(set, rows);
	return options_parse(sets, 1, argc, argv, err);
}

#define PARSE(set, err, ...) \
	parse(set, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), (char *[]){__VA_ARGS__}, err)

static void every_type_is_parsed(void **state)
{
	struct option_set set;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&set, &err, "--size", "1G", "--count=5k", "--level", "9", "--factor",
			       "2.5", "--mode", "exit=7", "--fast", "--name", "x y"),
			 0);
	assert_int_equal(option_u64(&set, SIZE), 1 << 30);
	assert_int_equal(option_u64(&set, COUNT), 5000);
	assert_int_equal(option_u64(&set, LEVEL), 9);
	assert_true(option_f64(&set, FACTOR) == 2.5);
	assert_int_equal(option_choice(&set, MODE), 2);
	assert_int_equal(set.values[MODE].extra, 7);
	assert_true(option_flag(&set, FAST));
	assert_string_equal(option_text(&set, NAME), "x y");
	assert_int_equal(PARSE(&set, &err, "--fast", "--no-fast"), 0);
	assert_false(option_flag(&set, FAST));
}

static void bad_input_is_a_usage_error(void **state)
{
	static const struct {
		const char *argv[2], *expected;
	} cases[] = {
		{{"--sise", "1G"}, "did you mean --size"},
		{{"--xyzzy", "1"}, "there is no option --xyzzy"},
		{{"--size", "1Q"}, "not a size"},
		{{"--size", "5000"}, "no power of two"},
		{{"--size", "2048"}, "below the least"},
		{{"--size", "-4096"}, "not a size"},
		{{"--count", "99999999999999999999"}, "not a count"},
		{{"--level", "10"}, "above the most"},
		{{"--factor", "nan"}, "not a number"},
		{{"--mode", "stars"}, "none of shared|star|exit=N"},
		{{"--mode", "exit=x"}, "none of"},
		{{"--mode", "exit="}, "none of"},
		{{"--fast=maybe", "--fast"}, "neither on nor off"},
		{{"--no-size", "--fast"}, "there is no option --no-size"},
		{{"size", "1G"}, "is no option"},
		{{"--", "1G"}, "is no option"},
		{{"--fast", "--size"}, "needs a value"},
	};
	struct option_set set;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *argv[] = {(char *)cases[i].argv[0], (char *)cases[i].argv[1]};

		assert_int_equal(parse(&set, 2, argv, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, cases[i].expected))
			fail_msg("'%s' lacks '%s'", err.text, cases[i].expected);
	}
}

static void defaults_follow_machine_and_emulation(void **state)
{
	struct option_context context = {.memory_bytes = 8192};
	struct option_set set;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&set, &err, "--level", "2"), 0);
	assert_int_equal(options_default(&set, &context, &err), 0);
	assert_int_equal(option_u64(&set, SIZE), 4096);
	assert_int_equal(set.values[SIZE].source, OPTION_ADAPTED);
	assert_int_equal(option_u64(&set, COUNT), 2000000);
	assert_int_equal(option_u64(&set, LEVEL), 2);
	context.emulated = true;
	options_init(&set, rows);
	assert_int_equal(options_default(&set, &context, &err), 0);
	assert_int_equal(option_u64(&set, SIZE), 1 << 20);
	assert_int_equal(option_u64(&set, COUNT), 10);
	assert_int_equal(option_u64(&set, LEVEL), 3);
}

static void presets_scale_and_yield_to_the_user(void **state)
{
	struct option_set set;
	struct err err;

	(void)state;
	assert_int_equal(PARSE(&set, &err, "--count", "3"), 0);
	assert_int_equal(options_apply_preset(&set, &preset, 3, &err), 0);
	assert_int_equal(option_u64(&set, SIZE), 1 << 30); /* 4G / 3, a power of two again */
	assert_int_equal(option_u64(&set, COUNT), 3);
	assert_int_equal(option_choice(&set, MODE), 1);
}

/* 2^power is what shrinks: by at least the scale, as far as the least allows. */
static void a_logarithm_scales_by_that_of_the_scale(void **state)
{
	static const struct {
		double scale;
		uint64_t power;
	} cases[] = {{1, 30},  {2, 29},   {3, 28},   {64, 24},
		     {65, 23}, {1e6, 10}, {0.5, 31}, {1e15, 6}};
	struct option_set set;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(PARSE(&set, &err, "--count", "3"), 0);
		assert_int_equal(options_apply_preset(&set, &preset, cases[i].scale, &err), 0);
		assert_int_equal(option_u64(&set, POWER), cases[i].power);
	}
	/* Given by the user: as it is. */
	assert_int_equal(PARSE(&set, &err, "--power", "12"), 0);
	assert_int_equal(options_apply_preset(&set, &preset, 64, &err), 0);
	assert_int_equal(option_u64(&set, POWER), 12);
}

static void json_has_the_types(void **state)
{
	struct option_set set;
	struct err err;
	json_t *json;

	(void)state;
	assert_int_equal(PARSE(&set, &err, "--size", "1M", "--mode", "exit=3", "--fast"), 0);
	json = options_to_json(&set);
	assert_int_equal(json_integer_value(json_object_get(json, "size")), 1 << 20);
	assert_string_equal(json_string_value(json_object_get(json, "mode")), "exit=3");
	assert_true(json_is_true(json_object_get(json, "fast")));
	assert_true(json_is_null(json_object_get(json, "name")));
	json_decref(json);
	json = options_describe(rows);
	assert_int_equal(json_array_size(json), 8);
	json_decref(json);
}

static void powers_of_two(void **state)
{
	(void)state;
	assert_int_equal(options_power_of_two(1023, 1, UINT64_MAX), 512);
	assert_int_equal(options_power_of_two(1024, 1, UINT64_MAX), 1024);
	assert_int_equal(options_power_of_two(UINT64_MAX, 1, UINT64_MAX), UINT64_C(1) << 63);
	assert_int_equal(options_power_of_two(3, 64, 1024), 64);
	assert_int_equal(options_power_of_two(1 << 20, 64, 1024), 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_parsed),
		cmocka_unit_test(bad_input_is_a_usage_error),
		cmocka_unit_test(defaults_follow_machine_and_emulation),
		cmocka_unit_test(presets_scale_and_yield_to_the_user),
		cmocka_unit_test(a_logarithm_scales_by_that_of_the_scale),
		cmocka_unit_test(json_has_the_types),
		cmocka_unit_test(powers_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
