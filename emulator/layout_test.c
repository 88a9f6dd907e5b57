// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulator/layout.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static struct layout computed(int nr_nodes, uint64_t footprint_bytes, uint64_t initramfs_bytes)
{
	struct layout layout;
	struct err err = {0};

	assert_int_equal(layout_compute(&layout, nr_nodes, footprint_bytes, initramfs_bytes, &err),
			 0);
	return layout;
}

static void test_each_node_holds_everything(void **state)
{
	static const uint64_t footprints[] = {0, 64 * MIB, GIB, 3 * GIB, 64 * GIB};

	(void)state;
	for (size_t f = 0; f < sizeof(footprints) / sizeof(footprints[0]); f++) {
		const uint64_t footprint = footprints[f];
		const struct layout layout = computed(4, footprint, 20 * MIB);
		uint64_t sum = 0;

		for (int i = 0; i < 4; i++) {
			const uint64_t bytes = layout.node_bytes[i];

			assert_int_equal(bytes % (128 * MIB), 0);
			assert_true(bytes - bytes / 64 >=
				    footprint + 2 * footprint / 512 + 64 * MIB);
			assert_true(bytes <= footprint + footprint / 32 + 512 * MIB);
			sum += bytes;
		}
		assert_int_equal(layout.total_bytes, sum);
	}
}

static void test_below_4g(void **state)
{
	struct layout layout = computed(2, 64 * MIB, 0);

	(void)state;
	assert_true(layout.total_bytes < 3 * GIB);
	assert_int_equal(layout.below_4g_bytes, layout.total_bytes);
	assert_int_equal(layout_node_of(&layout, 0), 0);
	assert_int_equal(layout_node_of(&layout, layout.node_bytes[0] - 1), 0);
	assert_int_equal(layout_node_of(&layout, layout.node_bytes[0]), 1);
	assert_int_equal(layout_node_of(&layout, layout.total_bytes - 1), 1);
	assert_int_equal(layout_node_of(&layout, layout.total_bytes), -1);
	assert_int_equal(layout_node_of(&layout, 4 * GIB), -1);
}

static void test_around_the_hole(void **state)
{
	/* Node 1 begins below the hole and ends above it. */
	struct layout layout = {.nr_nodes = 2,
				.node_bytes = {2 * GIB, 2 * GIB},
				.total_bytes = 4 * GIB,
				.below_4g_bytes = 3 * GIB};

	(void)state;
	assert_int_equal(layout_node_of(&layout, 2 * GIB - 1), 0);
	assert_int_equal(layout_node_of(&layout, 2 * GIB), 1);
	assert_int_equal(layout_node_of(&layout, 3 * GIB - 1), 1);
	assert_int_equal(layout_node_of(&layout, 3 * GIB), -1);
	assert_int_equal(layout_node_of(&layout, 4 * GIB - 1), -1);
	assert_int_equal(layout_node_of(&layout, 4 * GIB), 1);
	assert_int_equal(layout_node_of(&layout, 5 * GIB - 1), 1);
	assert_int_equal(layout_node_of(&layout, 5 * GIB), -1);
}

static void test_large_machine(void **state)
{
	const struct layout layout = computed(2, 2 * GIB, 0);

	(void)state;
	assert_int_equal(layout.below_4g_bytes, 3 * GIB);
	assert_int_equal(layout_node_of(&layout, 4 * GIB + layout.total_bytes - 3 * GIB - 1), 1);
	assert_int_equal(layout_node_of(&layout, 4 * GIB + layout.total_bytes - 3 * GIB), -1);
}

static void test_absurd_footprint(void **state)
{
	struct layout layout;
	struct err err = {0};

	(void)state;
	assert_int_equal(layout_compute(&layout, 2, UINT64_MAX, 0, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
}

/* ---- the host's memory, from a recorded machine ---- */

static void put(const char *root, const char *path, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	*strrchr(full, '/') = '\0';
	assert_int_equal(fs_mkdir_parents(full), 0);
	snprintf(full, sizeof(full), "%s%s", root, path);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void check_host(const char *root, const char *meminfo, int expected, const char *text)
{
	const struct layout layout = computed(2, GIB, 0);
	struct err err = {0};
	struct fs fs;

	put(root, "/proc/meminfo", meminfo);
	assert_int_equal(fs_open(&fs, root, &err), 0);
	assert_int_equal(layout_check_host(&layout, &fs, &err), expected);
	if (expected) {
		assert_int_equal(err.kind, ERR_MACHINE);
		assert_non_null(strstr(err.text, text));
	}
	fs_close(&fs);
}

static void test_host_memory(void **state)
{
	char root[] = "/tmp/layout_test.XXXXXX", command[64];
	static const char plenty[] = "MemTotal: 99999999 kB\nMemAvailable:   16777216 kB\n";

	(void)state;
	assert_non_null(mkdtemp(root));
	check_host(root, plenty, 0, NULL);
	check_host(root, "MemTotal: 99999999 kB\nMemAvailable:   2097152 kB\n", -1, "2 GiB");
	check_host(root, "nothing\n", -1, "MemAvailable");
	/* The group above the harness's own has 3 GiB, of which 2 GiB are used, 1 GiB by files. */
	put(root, "/proc/self/cgroup", "0::/a/b\n");
	put(root, "/sys/fs/cgroup/a/b/memory.max", "max\n");
	put(root, "/sys/fs/cgroup/a/memory.max", "3221225472\n");
	put(root, "/sys/fs/cgroup/a/memory.current", "2147483648\n");
	put(root, "/sys/fs/cgroup/a/memory.stat",
	    "anon 5\ninactive_file 1073741823\nactive_file 1\n");
	check_host(root, plenty, -1, "2 GiB available in its control group");
	put(root, "/sys/fs/cgroup/a/memory.max", "16106127360\n");
	check_host(root, plenty, 0, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_node_holds_everything),
		cmocka_unit_test(test_below_4g),
		cmocka_unit_test(test_around_the_hole),
		cmocka_unit_test(test_large_machine),
		cmocka_unit_test(test_absurd_footprint),
		cmocka_unit_test(test_host_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
