// SPDX-License-Identifier: MIT
#include "analysis/csv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const awkward[] = {
	"plain",    "",         "with, comma", "with \"quotes\"",      "\"", "two\nlines",
	"cr\r\nlf", " spaces ", ",",           "\xc3\xa9\xe2\x82\xac",
};
#define NR_AWKWARD ((int)(sizeof(awkward) / sizeof(awkward[0])))

static void test_round_trip(void **state)
{
	char *text = NULL, *fields[32];
	size_t size = 0;
	struct csv csv = {.out = open_memstream(&text, &size)};
	struct csv_reader reader = {0};

	(void)state;
	for (int line = 0; line < 2; line++) {
		for (int i = 0; i < NR_AWKWARD; i++)
			csv_text(&csv, awkward[i]);
		csv_end(&csv);
	}
	fclose(csv.out);
	reader.next = text;
	for (int line = 0; line < 2; line++) {
		assert_int_equal(csv_read(&reader, fields, 32), NR_AWKWARD);
		for (int i = 0; i < NR_AWKWARD; i++)
			assert_string_equal(fields[i], awkward[i]);
	}
	assert_int_equal(csv_read(&reader, fields, 32), 0);
	free(text);
}

static void test_exact_bytes(void **state)
{
	char *text = NULL;
	size_t size = 0;
	struct csv csv = {.out = open_memstream(&text, &size)};

	(void)state;
	csv_text(&csv, "a\"b");
	csv_text(&csv, NULL);
	csv_count(&csv, 454078473314.0);
	csv_real(&csv, 1.25);
	csv_real(&csv, NAN);
	csv_count(&csv, NAN);
	csv_end(&csv);
	fclose(csv.out);
	assert_string_equal(text, "\"a\"\"b\",,454078473314,1.25,,\r\n");
	free(text);
}

static int read_one(const char *given)
{
	char copy[64], *fields[4];
	struct csv_reader reader = {.next = copy};

	strcpy(copy, given);
	return csv_read(&reader, fields, 4);
}

static void test_malformed(void **state)
{
	(void)state;
	assert_int_equal(read_one("\"open"), -1);
	assert_int_equal(read_one("\"closed\"text,b"), -1);
	assert_int_equal(read_one("1,2,3,4,5"), -1);
	assert_int_equal(read_one("1,2,3,4"), 4);
	assert_int_equal(read_one(",\n"), 2);
	assert_int_equal(read_one("last line without end"), 1);
	assert_int_equal(read_one("\"\"\r\n"), 1);
}

static void test_line_numbers(void **state)
{
	char text[] = "a\n\"b\nc\"\r\nd\n", *fields[4];
	struct csv_reader reader = {.next = text};

	(void)state;
	csv_read(&reader, fields, 4);
	assert_int_equal(reader.line, 1);
	csv_read(&reader, fields, 4);
	assert_string_equal(fields[0], "b\nc");
	csv_read(&reader, fields, 4);
	assert_string_equal(fields[0], "d");
	assert_int_equal(reader.line, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_exact_bytes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_line_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
