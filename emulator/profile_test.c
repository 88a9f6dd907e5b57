// SPDX-License-Identifier: MIT
#include "emulator/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SHIPPED "emulator/profiles/xeon-e7-4850v3-2s.profile"

static char *read_shipped(void)
{
	static char text[65536];
	FILE *file = fopen(SHIPPED, "re");
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	return text;
}

/* Loads the shipped profile with its first `old` replaced. */
static int load_changed(const char *old, const char *new, struct profile *profile, struct err *err)
{
	char path[] = "/tmp/profile-test-XXXXXX";
	const char *text = read_shipped();
	const char *at = strstr(text, old);
	const int fd = mkstemp(path);
	int status;

	assert_non_null(at);
	assert_true(fd >= 0);
	dprintf(fd, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
	close(fd);
	status = profile_load(profile, path, err);
	unlink(path);
	return status;
}

static void shipped_profiles_load(void **state)
{
	static const char *const names[] = {"xeon-e7-4850v3-2s", "xeon-e7-4850v3-4s"};
	struct profile profile;
	struct err err = {.kind = ERR_NONE};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "emulator/profiles/%s.profile", names[i]);
		if (profile_load(&profile, path, &err) != 0)
			fail_msg("%s", err.text);
		assert_string_equal(profile.name, names[i]);
	}
}

static void values_arrive(void **state)
{
	struct profile profile;
	struct err err = {.kind = ERR_NONE};

	(void)state;
	assert_int_equal(profile_load(&profile, SHIPPED, &err), 0);
	assert_int_equal(profile.nr_nodes, 2);
	assert_int_equal(profile.frequency_hz, 2200000000);
	assert_int_equal(profile.latency_cycles[0][0], 280);
	assert_int_equal(profile.latency_cycles[1][0], 580);
	assert_int_equal(profile.distance[0][1], 21);
	assert_int_equal(profile.llc.bytes, 35 << 20);
	assert_int_equal(profile.pwc[0].entries, 32);
	assert_int_equal(profile.l2.entries, 1024);
	assert_int_equal(profile.rob_entries, 192);
	assert_non_null(strstr(profile.summary, "E7-4850"));
}

static void scale_is_the_ratio_of_footprints(void **state)
{
	const struct profile profile = {.reference_footprint_bytes = UINT64_C(64) << 30};

	(void)state;
	assert_true(profile_scale(&profile, UINT64_C(1) << 30) == 64.0);
	assert_true(profile_scale(&profile, UINT64_C(64) << 30) == 1.0);
	assert_true(profile_scale(&profile, UINT64_C(128) << 30) == 1.0);
	assert_true(profile_scale(&profile, 0) == 1.0);
}

/* 10 cores x 10 lines x 64 bytes at 6.4 GB/s wait 1 us: 2000 cycles at 2 GHz. */
static void contention_follows_littles_law(void **state)
{
	struct profile profile = {
		.cores_per_node = 10,
		.outstanding_per_core = 10,
		.bandwidth_bytes_per_s = 6400000000,
		.frequency_hz = 2000000000,
		.latency_cycles = {{100, 300}, {300, 100}},
	};

	(void)state;
	assert_true(profile_latency_cycles(&profile, 0, 0, 0) == 100.0);
	assert_true(profile_latency_cycles(&profile, 0, 1, 0) == 300.0);
	assert_true(profile_latency_cycles(&profile, 0, 0, 1) == 2000.0);
	assert_true(profile_latency_cycles(&profile, 0, 1, 1) == 2200.0);
	profile.cores_per_node = 1;
	profile.outstanding_per_core = 1; /* 20 cycles of queue: the idle time decides */
	assert_true(profile_latency_cycles(&profile, 0, 1, 1) == 300.0);
}

static void wrong_profiles_are_refused(void **state)
{
	static const struct {
		const char *old, *new, *text;
	} cases[] = {
		{"nodes = 2", "nodes = 0", "nodes"},
		{"nodes = 2", "nodes = 17", "nodes"},
		{"nodes = 2", "nodes = 3", "distance_0"},
		{"nodes = 2", "nodes = two", "nodes"},
		{"nodes = 2", "", "no 'nodes' in [machine]"},
		{"summary = ", "title = ", "title"},
		{"frequency_hz = 2.2G", "frequency_hz = 2.2", "frequency_hz"},
		{"la57 = 0", "la57 = 2", "la57"},
		{"la57 = 0", "la57 = 0\nla57 = 0", "a second 'la57'"},
		{"la57 = 0", "la75 = 0", "unknown key 'la75' in [machine]"},
		{"[walker]", "[walkers]", "walkers"},
		{"ways = 20", "ways = 19", "ways do not divide"},
		{"l2_entries = 1024", "l2_entries = 1023", "l2_entries"},
		{"latency_cycles_0 = 280 580", "latency_cycles_0 = 280", "latency_cycles_0"},
		{"latency_cycles_0 = 280 580", "latency_cycles_0 = 280 580 580",
		 "latency_cycles_0"},
		{"latency_cycles_0 = 280 580", "latency_cycles_0 = 580 280", "nearer"},
		{"latency_cycles_0 = 280 580", "latency_cycles_0 = 280 -1", "latency_cycles_0"},
		{"latency_cycles_0 =", "latency_cycles_x =", "latency_cycles_x"},
		{"latency_cycles_1 =", "latency_cycles_0 =", "a second"},
		{"latency_cycles_0 =", "latency_cycles_99 =", "latency_cycles_99"},
		{"latency_cycles = 12", "latency_cycles = 2", "outer cache"},
		{"bytes = 35M", "bytes = 35X", "bytes in [llc]"},
		{"cpus_per_node = 2", "cpus_per_node = 64", "cpus_per_node"},
		{"[machine]", "[machine", "in []"},
		{"la57 = 0", "la57", "neither"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct profile profile;
		struct err err = {.kind = ERR_NONE};

		if (load_changed(cases[i].old, cases[i].new, &profile, &err) == 0)
			fail_msg("'%s' was accepted", cases[i].new);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "/tmp/profile-test-"));
		if (!strstr(err.text, cases[i].text))
			fail_msg("'%s' is not in '%s'", cases[i].text, err.text);
	}
}

static void the_line_is_named(void **state)
{
	struct profile profile;
	struct err err = {.kind = ERR_NONE};
	const char *text = read_shipped();
	const char *at = strstr(text, "la57 = 0");
	char expected[32];
	int line = 1;

	(void)state;
	for (const char *c = text; c < at; c++)
		line += *c == '\n';
	assert_int_not_equal(load_changed("la57 = 0", "la57 = x", &profile, &err), 0);
	snprintf(expected, sizeof(expected), ":%d: la57", line);
	if (!strstr(err.text, expected))
		fail_msg("'%s' is not in '%s'", expected, err.text);
}

static void a_missing_profile_is_an_error(void **state)
{
	struct profile profile;
	struct err err = {.kind = ERR_NONE};

	(void)state;
	assert_int_not_equal(profile_load(&profile, "no-such-machine", &err), 0);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "no-such-machine"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_profiles_load),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(scale_is_the_ratio_of_footprints),
		cmocka_unit_test(contention_follows_littles_law),
		cmocka_unit_test(wrong_profiles_are_refused),
		cmocka_unit_test(the_line_is_named),
		cmocka_unit_test(a_missing_profile_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
