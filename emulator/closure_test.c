// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emulator/closure.h"

static bool has(const json_t *libraries, const char *name)
{
	const char *path;
	json_t *unused;

	json_object_foreach ((json_t *)libraries, path, unused) {
		if (strstr(path, name))
			return access(path, R_OK) == 0 && path[0] == '/';
	}
	return false;
}

static void test_own_libraries(void **state)
{
	json_t *libraries = json_object();
	struct err err = {0};

	(void)state;
	assert_int_equal(closure_add(libraries, "/proc/self/exe", &err), 0);
	assert_true(has(libraries, "/libc.so"));
	assert_true(has(libraries, "/libjansson.so"));
	assert_true(has(libraries, "/libcmocka.so"));
	assert_true(has(libraries, "/ld-linux"));
	assert_false(has(libraries, "vdso"));
	json_decref(libraries);
}

static void test_what_needs_none(void **state)
{
	json_t *libraries = json_object();
	struct err err = {0};

	(void)state;
	assert_int_equal(closure_add(libraries, "/proc/self/status", &err), 0);
	assert_int_equal(closure_add(libraries, "/dev/null", &err), 0);
	if (access("/bin/busybox", R_OK) == 0) /* static in Debian's busybox-static */
		assert_int_equal(closure_add(libraries, "/bin/busybox", &err), 0);
	assert_int_equal(json_object_size(libraries), 0);
	assert_int_equal(closure_add(libraries, "/no/such/program", &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	json_decref(libraries);
}

static void parse(const char *given, int expected, const char *library)
{
	char line[128];
	const char *found = NULL;
	struct err err = {0};

	snprintf(line, sizeof(line), "%s", given);
	assert_int_equal(closure_parse_line(line, &found, &err), expected);
	if (expected > 0)
		assert_string_equal(found, library);
	if (expected < 0)
		assert_non_null(strstr(err.text, library));
}

static void test_lines(void **state)
{
	(void)state;
	parse("\tlinux-vdso.so.1 (0x00007ffd3b5e6000)\n", 0, NULL);
	parse("\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f54)\n", 1,
	      "/lib/x86_64-linux-gnu/libz.so.1");
	parse("\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n", 1, "/lib64/ld-linux-x86-64.so.2");
	parse("\tliba.so => /with space/liba.so (0x1)\n", 1, "/with space/liba.so");
	parse("\tstatically linked\n", 0, NULL);
	parse("\tlibmine.so.3 => not found\n", -1, ": libmine.so.3");
	parse("./m: error while loading shared libraries: libgone.so: cannot open it\n", -1,
	      ": libgone.so: cannot open it");
	parse("\n", 0, NULL);
}

/* A program whose library has gone: the message names the program and the library. */
static void test_missing_library(void **state)
{
	char folder[] = "/tmp/closure_test.XXXXXX", command[512], program[64];
	json_t *libraries = json_object();
	struct err err = {0};

	(void)state;
	if (system("command -v cc >/dev/null") != 0)
		skip();
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof(command),
		 "cd %s && echo 'int f(void);int f(void){return 0;}' >f.c &&"
		 "echo 'int f(void);int main(void){return f();}' >m.c &&"
		 "cc -shared -fPIC f.c -o libgone.so && cc m.c -L. -lgone -o m && rm libgone.so",
		 folder);
	assert_int_equal(system(command), 0);
	snprintf(program, sizeof(program), "%s/m", folder);
	assert_int_equal(closure_add(libraries, program, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "libgone.so"));
	assert_non_null(strstr(err.text, program));
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	json_decref(libraries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_libraries),
		cmocka_unit_test(test_what_needs_none),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_missing_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
