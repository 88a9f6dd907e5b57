// SPDX-License-Identifier: MIT
#include "harness/interpreter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void first_lines(void **state)
{
	static const struct {
		const char *line, *path, *program;
	} cases[] = {
		{"#!/bin/sh", "/bin/sh", ""},
		{"#! /bin/bash -eu", "/bin/bash", ""},
		{"#!/usr/bin/env python3", "/usr/bin/env", "python3"},
		{"#!/usr/bin/env -S perl -w", "/usr/bin/env", "perl"},
		{"#!\t/usr/bin/awk -f", "/usr/bin/awk", ""},
		{"\177ELF\2\1\1", "", ""},
		{"# !/bin/sh", "", ""},
		{"", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct interpreter interpreter;

		interpreter_parse(cases[i].line, &interpreter);
		assert_string_equal(interpreter.path, cases[i].path);
		assert_string_equal(interpreter.program, cases[i].program);
	}
}

static void files(void **state)
{
	char path[] = "/tmp/interpreter_test.XXXXXX";
	const int fd = mkstemp(path);
	struct interpreter interpreter;
	struct err err = {.kind = ERR_NONE};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(dprintf(fd, "#!/bin/sh\necho hello\n"), 21);
	close(fd);
	assert_int_equal(interpreter_read(path, &interpreter, &err), 0);
	assert_string_equal(interpreter.path, "/bin/sh");
	unlink(path);
	assert_int_equal(interpreter_read(path, &interpreter, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_lines),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
