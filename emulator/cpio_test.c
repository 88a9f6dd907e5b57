// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emulator/cpio.h"

static int new_file(void)
{
	const int fd = memfd_create("archive", 0);

	assert_true(fd >= 0);
	return fd;
}

/* What the system's cpio makes of the archive. */
static void list_archive(int fd, const char *options, char *text, size_t size)
{
	char command[128];
	FILE *pipe;

	snprintf(command, sizeof(command), "cpio --quiet %s < /proc/%d/fd/%d", options, getpid(),
		 fd);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	text[fread(text, 1, size - 1, pipe)] = '\0';
	assert_int_equal(pclose(pipe), 0);
}

static void write_sample(int fd, const char *source)
{
	struct err err = {0};
	struct cpio cpio;

	assert_int_equal(cpio_open(&cpio, fd, &err), 0);
	assert_int_equal(cpio_directory(&cpio, "/bin", 0755, &err), 0);
	assert_int_equal(cpio_file(&cpio, "/bin/x", 0640, "abcde", 5, &err), 0);
	assert_int_equal(cpio_file(&cpio, "/empty", 0644, "", 0, &err), 0);
	assert_int_equal(cpio_symlink(&cpio, "/init", "bin/x", &err), 0);
	assert_int_equal(cpio_character_device(&cpio, "/console", 0600, 5, 1, &err), 0);
	if (source)
		assert_int_equal(cpio_copy(&cpio, "/copy", 0600, source, &err), 0);
	assert_int_equal(cpio_finish(&cpio, &err), 0);
	assert_int_equal(cpio.bytes, lseek(fd, 0, SEEK_END));
	assert_int_equal(cpio.bytes % 4, 0);
}

static void test_cpio_lists_it(void **state)
{
	char text[2048];
	const int fd = new_file();

	(void)state;
	if (system("command -v cpio >/dev/null") != 0)
		skip();
	write_sample(fd, "/proc/self/exe");
	list_archive(fd, "-t", text, sizeof(text));
	assert_string_equal(text, "bin\nbin/x\nempty\ninit\nconsole\ncopy\n");
	list_archive(fd, "-tvn", text, sizeof(text));
	assert_non_null(strstr(text, "drwxr-xr-x   2 0        0"));
	assert_non_null(strstr(text, "-rw-r-----   1 0        0               5"));
	assert_non_null(strstr(text, "init -> bin/x"));
	assert_non_null(strstr(text, "5,   1"));
	list_archive(fd, "-i --to-stdout bin/x", text, sizeof(text));
	assert_string_equal(text, "abcde");
	close(fd);
}

/* The same input gives the same bytes: a run can be repeated. */
static void test_same_bytes(void **state)
{
	const int one = new_file(), two = new_file();
	char a[4096], b[4096];
	ssize_t n;

	(void)state;
	write_sample(one, NULL);
	write_sample(two, NULL);
	n = pread(one, a, sizeof(a), 0);
	assert_true(n > 110);
	assert_int_equal(pread(two, b, sizeof(b), 0), n);
	assert_memory_equal(a, b, (size_t)n);
	assert_memory_equal(a, "070701", 6);
	close(one);
	close(two);
}

static void test_refuses_what_is_no_file(void **state)
{
	const int fd = new_file();
	struct err err = {0};
	struct cpio cpio;

	(void)state;
	assert_int_equal(cpio_open(&cpio, fd, &err), 0);
	assert_int_equal(cpio_copy(&cpio, "/x", 0600, "/no/such/file", &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	err_clear(&err);
	assert_int_equal(cpio_copy(&cpio, "/x", 0600, "/tmp", &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "'/tmp' is not a regular file"));
	cpio_abandon(&cpio);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpio_lists_it),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_refuses_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
