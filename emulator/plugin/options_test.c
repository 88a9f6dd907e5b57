// SPDX-License-Identifier: MIT
#include "emulator/plugin/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ARGUMENTS 10

static const char *const good[ARGUMENTS] = {
	"profile=/p/x.profile", "scale=64",  "nodes=2",          "mem0_fd=5",
	"mem0_bytes=2G",        "mem1_fd=6", "mem1_bytes=1536M", "below_4g_bytes=3G",
	"vcpu_nodes=0/0/1/1",   "log_fd=7",
};

static void good_arguments(void **state)
{
	struct options options;
	struct err err = {.kind = ERR_NONE};

	(void)state;
	assert_int_equal(options_parse(&options, ARGUMENTS, (char *const *)good, &err), 0);
	assert_string_equal(options.profile_path, "/p/x.profile");
	assert_true(options.scale == 64.0);
	assert_int_equal(options.nr_nodes, 2);
	assert_int_equal(options.memory_fds[1], 6);
	assert_int_equal(options.memory_bytes[0], UINT64_C(2) << 30);
	assert_int_equal(options.memory_bytes[1], UINT64_C(1536) << 20);
	assert_int_equal(options.below_4g_bytes, UINT64_C(3) << 30);
	assert_int_equal(options.nr_vcpus, 4);
	assert_int_equal(options.vcpu_nodes[1], 0);
	assert_int_equal(options.vcpu_nodes[2], 1);
	assert_int_equal(options.log_fd, 7);
}

/* Each row takes the place of the argument with that number; NULL leaves it out. */
static void wrong_arguments(void **state)
{
	static const struct {
		int index;
		const char *argument, *text;
	} cases[] = {
		{0, NULL, "profile"},
		{1, "scale=0.5", "scale"},
		{1, "scale=x", "scale"},
		{1, "scale=nan", "scale"},
		{2, NULL, "nodes"},
		{2, "nodes=17", "nodes"},
		{2, "nodes=3", "mem2_fd"},
		{3, NULL, "mem0_fd"},
		{3, "mem0_fd=-1", "mem0_fd"},
		{4, "mem0_bytes=0", "mem0_bytes"},
		{4, "mem0_size=1G", "mem0_size"},
		{4, "mem16_bytes=1G", "mem16_bytes"},
		{7, NULL, "below_4g_bytes"},
		{7, "below_4g_bytes=5G", "below_4g_bytes"},
		{8, NULL, "vcpu_nodes"},
		{8, "vcpu_nodes=", "vcpu_nodes"},
		{8, "vcpu_nodes=0/2", "vcpu_nodes"},
		{8, "vcpu_nodes=0,1", "vcpu_nodes"},
		{8, "vcpu_nodes=0/", "vcpu_nodes"},
		{9, "log", "log"},
		{9, "colour=red", "colour"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *arguments[ARGUMENTS];
		struct options options;
		struct err err = {.kind = ERR_NONE};
		int count = 0;

		for (int k = 0; k < ARGUMENTS; k++) {
			const char *argument = k == cases[i].index ? cases[i].argument : good[k];

			if (argument)
				arguments[count++] = argument;
		}
		if (options_parse(&options, count, (char *const *)arguments, &err) == 0)
			fail_msg("'%s' was accepted", cases[i].argument);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, cases[i].text))
			fail_msg("'%s' is not in '%s'", cases[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_arguments),
		cmocka_unit_test(wrong_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
