// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "common/distance.h"

static void known_distances(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} rows[] = {
		{"", "", 0},
		{"gups", "gups", 0},
		{"GUPS", "gups", 0},
		{"gusp", "gups", 2},
		{"", "abc", 3},
		{"kitten", "sitting", 3},
		{"saturday", "sunday", 3},
		{"restor", "restore", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(distance_between(rows[i].a, rows[i].b), rows[i].distance);
		assert_int_equal(distance_between(rows[i].b, rows[i].a), rows[i].distance);
	}
}

static void long_names_are_far(void **state)
{
	char name[DISTANCE_LENGTH_MAX + 2];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(distance_between(name, "x"), DISTANCE_FAR);
	name[DISTANCE_LENGTH_MAX] = '\0';
	assert_int_equal(distance_between(name, "x"), DISTANCE_LENGTH_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_distances),
		cmocka_unit_test(long_names_are_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
