// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "common/units.h"

struct row {
	const char *text;
	uint64_t value;
};

typedef int parse_fn(const char *text, const char *what, uint64_t *value, struct err *err);

static void check_rows(parse_fn *parse, const struct row *rows)
{
	for (; rows->text; rows++) {
		struct err err = {0};
		uint64_t value = 0;

		if (parse(rows->text, "--x", &value, &err) != 0)
			fail_msg("'%s' was refused: %s", rows->text, err.text);
		if (value != rows->value)
			fail_msg("'%s' became %llu", rows->text, (unsigned long long)value);
	}
}

static void check_refused(parse_fn *parse, const char *const *texts)
{
	for (; *texts; texts++) {
		struct err err = {0};
		uint64_t value = 0;

		if (parse(*texts, "--x", &value, &err) == 0)
			fail_msg("'%s' was taken as %llu", *texts, (unsigned long long)value);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "--x"));
		assert_non_null(strstr(err.text, *texts));
	}
}

static void sizes_are_binary(void **state)
{
	static const struct row rows[] = {
		{"0", 0},
		{"4096", 4096},
		{"64K", 65536},
		{"64KiB", 65536},
		{"1g", 1ull << 30},
		{"1.5G", 3ull << 29},
		{"2^30", 1ull << 30},
		{"16T", 16ull << 40},
		{"18446744073709551615", UINT64_MAX},
		{"9007199254740993", 9007199254740993ull}, /* 2^53 + 1: no detour over double */
		{NULL, 0},
	};

	(void)state;
	check_rows(units_parse_size, rows);
}

static void counts_are_decimal(void **state)
{
	static const struct row rows[] = {
		{"50M", 50000000},    {"2k", 2000},  {"1Gi", 1ull << 30},
		{"2^63", 1ull << 63}, {"0.5k", 500}, {NULL, 0},
	};

	(void)state;
	check_rows(units_parse_count, rows);
}

static void durations_default_to_seconds(void **state)
{
	static const struct row rows[] = {
		{"10", 10000000000ull},  {"500ms", 500000000},     {"1.5s", 1500000000},
		{"5m", 300000000000ull}, {"2h", 7200000000000ull}, {NULL, 0},
	};

	(void)state;
	check_rows(units_parse_duration, rows);
}

static void nonsense_is_refused(void **state)
{
	static const char *const sizes[] = {
		"",    "-1",   "+1", "1Q",   "K",   "1.5", "0x10", "1e3",
		"1 G", "2^64", "2^", "2^-1", "inf", "nan", "1GG",  "17592186044416T",
		NULL};
	static const char *const durations[] = {"", "s", "-5s", "5 s", "2^3", "1d", NULL};

	(void)state;
	check_refused(units_parse_size, sizes);
	check_refused(units_parse_count, sizes);
	check_refused(units_parse_duration, durations);
}

static void doubles_are_finite(void **state)
{
	struct err err = {0};
	double value;

	(void)state;
	assert_int_equal(units_parse_double("1.25", "--x", &value, &err), 0);
	assert_true(value == 1.25);
	assert_int_equal(units_parse_double("nan", "--x", &value, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
}

static void formats_read_well(void **state)
{
	char text[UNITS_TEXT_MAX];

	(void)state;
	assert_string_equal(units_format_size(0, text), "0 B");
	assert_string_equal(units_format_size(3ull << 29, text), "1.50 GiB");
	assert_string_equal(units_format_size(UINT64_MAX, text), "16 EiB");
	assert_string_equal(units_format_count(50e6, text), "50 M");
	assert_string_equal(units_format_duration(1500, text), "1.5 us");
	assert_string_equal(units_format_duration(61000000000ull, text), "61.00 s");
	assert_string_equal(units_format_duration(600000000000ull, text), "10 min 00 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_binary),
		cmocka_unit_test(counts_are_decimal),
		cmocka_unit_test(durations_default_to_seconds),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(doubles_are_finite),
		cmocka_unit_test(formats_read_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
