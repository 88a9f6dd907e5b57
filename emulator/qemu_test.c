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
#include <sys/stat.h>
#include <unistd.h>

#include "emulator/qemu.h"

static const struct profile profile = {
	.name = "test",
	.nr_nodes = 2,
	.cpus_per_node = 2,
	.la57 = 1,
	.distance = {{10, 21}, {22, 10}},
};

static const struct layout layout = {.nr_nodes = 2,
				     .node_bytes = {2147483648, 1073741824},
				     .total_bytes = 3221225472,
				     .below_4g_bytes = 3221225472};

static const struct qemu_spec spec = {
	.program = "qemu",
	.kernel = "/k,1",
	.plugin = "/a,b/model.so",
	.profile_path = "/p,q.profile",
	.profile = &profile,
	.layout = &layout,
	.scale = 64,
	.node_fds = {11, 12},
	.initramfs_fd = 13,
	.console_fd = 14,
	.result_fd = 15,
	.talk_fd = 16,
};

/* Whether `value` follows `option` somewhere. */
static bool has(char **arguments, const char *option, const char *value)
{
	for (; arguments[0] && arguments[1]; arguments++)
		if (strcmp(arguments[0], option) == 0 && strcmp(arguments[1], value) == 0)
			return true;
	return false;
}

static void test_arguments(void **state)
{
	struct err err = {0};
	char **arguments = qemu_arguments(&spec, &err);

	(void)state;
	assert_non_null(arguments);
	assert_string_equal(arguments[0], "qemu");
	assert_true(has(arguments, "-accel", "tcg,thread=single"));
	assert_true(has(arguments, "-machine", "pc,max-ram-below-4g=3221225472"));
	assert_true(has(arguments, "-cpu", "max,-erms,la57=on"));
	assert_true(has(arguments, "-smp", "4,sockets=2,cores=2,threads=1"));
	assert_true(has(arguments, "-m", "3221225472B"));
	assert_true(has(arguments, "-object",
			"memory-backend-file,id=mem1,size=1073741824,mem-path=/proc/self/fd/12,"
			"share=on"));
	assert_true(has(arguments, "-numa", "node,nodeid=1,memdev=mem1"));
	assert_true(has(arguments, "-numa", "cpu,node-id=1,socket-id=1"));
	assert_true(has(arguments, "-numa", "dist,src=0,dst=1,val=21"));
	assert_true(has(arguments, "-numa", "dist,src=1,dst=0,val=22"));
	assert_true(has(arguments, "-kernel", "/k,1"));
	assert_true(has(arguments, "-initrd", "/proc/self/fd/13"));
	assert_true(has(arguments, "-chardev", "socket,id=console,fd=14"));
	assert_true(has(arguments, "-chardev", "socket,id=result,fd=15"));
	assert_true(has(arguments, "-plugin",
			"/a,,b/model.so,profile=/p,,q.profile,scale=64,nodes=2,mem0_fd=11,"
			"mem0_bytes=2147483648,mem1_fd=12,mem1_bytes=1073741824,"
			"below_4g_bytes=3221225472,vcpu_nodes=0/0/1/1,log_fd=2"));
	qemu_free_arguments(arguments);
}

static void test_without_plugin(void **state)
{
	struct qemu_spec plain = spec;
	struct err err = {0};
	char **arguments;

	(void)state;
	plain.plugin = NULL;
	arguments = qemu_arguments(&plain, &err);
	assert_non_null(arguments);
	for (char **argument = arguments; *argument; argument++)
		assert_string_not_equal(*argument, "-plugin");
	qemu_free_arguments(arguments);
}

/* Whether the kernel is told `word`. */
static bool kernel_is_told(const struct qemu_spec *wanted, const char *word)
{
	struct err err = {0};
	char **arguments = qemu_arguments(wanted, &err);
	bool told = false;

	assert_non_null(arguments);
	for (char **argument = arguments; argument[0] && argument[1]; argument++)
		if (strcmp(argument[0], "-append") == 0)
			told = strstr(argument[1], word) != NULL;
	qemu_free_arguments(arguments);
	return told;
}

static void test_cpus(void **state)
{
	struct qemu_spec few = spec;

	(void)state;
	assert_false(kernel_is_told(&spec, "maxcpus="));
	few.cpus = 3;
	assert_true(kernel_is_told(&few, " maxcpus=3"));
	/* Without ACPI's interrupt tables the kernel finds one CPU, whatever is asked for. */
	assert_false(kernel_is_told(&spec, "noacpi"));
}

static void test_tests_of_a_kernel(void **state)
{
	struct qemu_spec other = spec;
	struct err err = {0};
	char **arguments;

	(void)state;
	other.kernel_arguments = "pgtable_repl=all,check";
	assert_true(kernel_is_told(&other, " pgtable_repl=all,check"));
	other.plugin = "/a,b/count.so";
	other.plugin_is_foreign = true;
	other.clock_by_instructions = true;
	arguments = qemu_arguments(&other, &err);
	assert_non_null(arguments);
	assert_true(has(arguments, "-plugin", "/a,,b/count.so,log_fd=2"));
	assert_true(has(arguments, "-accel", "tcg,thread=single"));
	assert_true(has(arguments, "-icount", "shift=2,sleep=on"));
	qemu_free_arguments(arguments);
}

static bool vcpus_take_turns(int cpus)
{
	struct qemu_spec of = spec;
	struct err err = {0};
	char **arguments;
	bool turns;

	of.cpus = cpus;
	arguments = qemu_arguments(&of, &err);
	assert_non_null(arguments);
	turns = has(arguments, "-accel", "tcg,thread=single");
	qemu_free_arguments(arguments);
	return turns;
}

/* Code that one vCPU patches must not be run stale by another. */
static void test_few_cpus_take_turns(void **state)
{
	(void)state;
	assert_true(vcpus_take_turns(1));
	assert_true(vcpus_take_turns(2));
	assert_true(vcpus_take_turns(4));
	assert_false(vcpus_take_turns(5));
	assert_true(vcpus_take_turns(0)); /* all: two nodes of two */
}

static void test_version_text(void **state)
{
	int major = 0, minor = 0;

	(void)state;
	assert_int_equal(qemu_parse_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)",
					    &major, &minor),
			 0);
	assert_int_equal(major, 7);
	assert_int_equal(minor, 2);
	assert_int_equal(qemu_parse_version("", &major, &minor), -1);
	assert_int_equal(qemu_parse_version("version unknown", &major, &minor), -1);
}

/* Stand-ins for QEMU: scripts that print a version. */
static int version_of(const char *script, struct err *err)
{
	char path[] = "/tmp/qemu_test.XXXXXX", text[128];
	const int fd = mkstemp(path);
	int result;

	assert_true(fd >= 0);
	dprintf(fd, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fchmod(fd, 0700), 0);
	close(fd);
	result = qemu_version(path, text, sizeof(text), err);
	unlink(path);
	return result;
}

static void test_version_check(void **state)
{
	static const struct {
		const char *script;
		int result;
		const char *text;
	} cases[] = {
		{"echo 'QEMU emulator version 7.2.0'", 0, ""},
		{"echo 'QEMU emulator version 10.0.2 (Debian 1:10)'; echo more", 0, ""},
		{"echo 'QEMU emulator version 7.1.9'", -1, "at least 7.2"},
		{"echo 'QEMU emulator version 6.2.0'", -1, "version 6.2"},
		{"echo hello", -1, "qemu-system-x86"},
		{"exit 1", -1, "MITOSIS_SUITE_QEMU"},
	};
	struct err err = {0};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err_clear(&err);
		assert_int_equal(version_of(cases[i].script, &err), cases[i].result);
		assert_int_equal(err.kind, cases[i].result ? ERR_MACHINE : ERR_NONE);
		assert_non_null(strstr(err.text, cases[i].text));
	}
	err_clear(&err);
	assert_int_equal(qemu_version("/no/such/qemu", text, sizeof(text), &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
}

static void test_start_of_nothing(void **state)
{
	struct qemu_spec missing = spec;
	struct err err = {0};
	struct qemu qemu;

	(void)state;
	missing.program = "/no/such/qemu";
	missing.initramfs_fd = missing.console_fd = missing.result_fd = STDERR_FILENO;
	missing.talk_fd = missing.node_fds[0] = missing.node_fds[1] = STDERR_FILENO;
	assert_int_equal(qemu_start(&qemu, &missing, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "No such file"));
	assert_int_equal(qemu.pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_without_plugin),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_tests_of_a_kernel),
		cmocka_unit_test(test_few_cpus_take_turns),
		cmocka_unit_test(test_version_text),
		cmocka_unit_test(test_version_check),
		cmocka_unit_test(test_start_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
