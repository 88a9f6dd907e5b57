// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <inttypes.h>
#include <numaif.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/arena.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static const struct arena_policy small_pages = {.thp = ARENA_THP_NEVER};

static void policies_are_parsed(void **state)
{
	static const char *const bad[] = {"",        "bind",           "bind:",      "bind:x",
					  "bind:64", "interleave:1,0", "First-touch"};
	struct arena_policy policy = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(arena_parse_policy("bind:1", &policy, &err), 0);
	assert_int_equal(policy.placement, ARENA_BIND);
	assert_int_equal(policy.nodes, 2);
	assert_int_equal(arena_parse_policy("interleave:0,2-3", &policy, &err), 0);
	assert_int_equal(policy.placement, ARENA_INTERLEAVE);
	assert_int_equal(policy.nodes, 13);
	assert_int_equal(arena_parse_policy("first-touch", &policy, &err), 0);
	assert_int_equal(policy.placement, ARENA_FIRST_TOUCH);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err wrong = {0};

		assert_int_equal(arena_parse_policy(bad[i], &policy, &wrong), -1);
		assert_int_equal(wrong.kind, ERR_USAGE);
	}
}

static void regions_are_zero_aligned_and_apart(void **state)
{
	struct arena arena;
	struct err err = {0};
	char *a, *b;

	(void)state;
	arena_init(&arena, &small_pages);
	a = arena_map(&arena, "a", 3 * MIB + 5, &err);
	b = arena_map(&arena, "b", 1, &err);
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal((uintptr_t)a % ARENA_HUGE_BYTES, 0);
	assert_int_equal((uintptr_t)b % ARENA_HUGE_BYTES, 0);
	assert_true(b > a + 3 * MIB + 5 || a > b);
	for (uint64_t i = 0; i < 3 * MIB; i += 997)
		assert_int_equal(a[i], 0);
	assert_int_equal(arena_bytes(&arena), 3 * MIB + 2 * 4096);
	assert_string_equal(arena.regions[1].name, "b");
	arena_fini(&arena);
}

static void the_bookkeeping_of_tables_adds_up(void **state)
{
	(void)state;
	/* One table each of 2 MiB, 1 GiB and 512 GiB reach. */
	assert_int_equal(arena_table_bytes(1, false), 3 * 4096);
	assert_int_equal(arena_table_bytes(GIB, false), (512 + 1 + 1) * 4096);
	assert_int_equal(arena_table_bytes(GIB + 1, false), (513 + 2 + 1) * 4096);
	assert_int_equal(arena_table_bytes(4 * GIB, true), (4 + 1) * 4096);
}

/* --- memory of a recorded machine ------------------------------------------------------------- */

static void write_file(const char *root, const char *path, const char *text)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	*strrchr(full, '/') = '\0';
	assert_int_equal(fs_mkdir_parents(full), 0);
	snprintf(full, sizeof(full), "%s/%s", root, path);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void memory_is_read_by_policy(void **state)
{
	struct arena_policy policy = {.placement = ARENA_FIRST_TOUCH};
	char root[] = "/tmp/arena_test.XXXXXX", command[64];
	struct err err = {0};
	uint64_t bytes;
	struct fs fs;

	(void)state;
	assert_non_null(mkdtemp(root));
	write_file(root, "proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    4096 kB\n");
	write_file(root, "sys/devices/system/node/node0/meminfo",
		   "Node 0 MemFree:  1000 kB\nNode 0 Inactive(file):  24 kB\n");
	write_file(root, "sys/devices/system/node/node2/meminfo", "Node 2 MemFree:  500 kB\n");
	assert_int_equal(fs_open(&fs, root, &err), 0);
	assert_int_equal(arena_memory(&fs, &policy, &bytes, &err), 0);
	assert_int_equal(bytes, 4096 * 1024);
	policy = (struct arena_policy){.placement = ARENA_BIND, .nodes = 1};
	assert_int_equal(arena_memory(&fs, &policy, &bytes, &err), 0);
	assert_int_equal(bytes, 1024 * 1024);
	policy = (struct arena_policy){.placement = ARENA_INTERLEAVE, .nodes = 5};
	assert_int_equal(arena_memory(&fs, &policy, &bytes, &err), 0);
	assert_int_equal(bytes, 2 * 500 * 1024);
	assert_int_equal(arena_check_memory(&fs, &policy, 900 * 1024, &err), 0);
	assert_int_equal(arena_check_memory(&fs, &policy, 1000 * 1024, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "--size"));
	err_clear(&err);
	policy.nodes = 2;
	assert_int_equal(arena_memory(&fs, &policy, &bytes, &err), -1);
	assert_non_null(strstr(err.text, "no memory node 1"));
	fs_close(&fs);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

/* --- migration of page tables ----------------------------------------------------------------- */

static bool policies_work(void)
{
	const unsigned long node0 = 1;
	const bool works = set_mempolicy(MPOL_BIND, &node0, 65) == 0;

	set_mempolicy(MPOL_DEFAULT, NULL, 0);
	return works;
}

/* A value of /proc/self/status or of the smaps entry of an address, in KiB. */
static uint64_t huge_kib(const void *address)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	uint64_t begin, end, kib, sum = 0;
	bool inside = false;
	char line[512];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &begin, &end) == 2)
			inside = begin <= (uintptr_t)address && (uintptr_t)address < end;
		else if (inside && sscanf(line, "AnonHugePages: %" SCNu64, &kib) == 1)
			sum = kib;
	}
	fclose(file);
	return sum;
}

static void fill(uint64_t *words, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes / 8; i += 64)
		words[i] = i * 3 + 1;
}

static void expect_filled(const uint64_t *words, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes / 8; i += 64)
		assert_true(words[i] == i * 3 + 1);
}

static void expect_default_policy(void)
{
	int mode = -1;

	assert_int_equal(get_mempolicy(&mode, NULL, 0, NULL, 0), 0);
	assert_int_equal(mode, MPOL_DEFAULT);
}

static void migration_keeps_address_and_content(void **state)
{
	struct arena_migration migration;
	struct arena arena;
	struct err err = {0};
	uint64_t *a, *b;

	(void)state;
	if (!policies_work())
		skip();
	arena_init(&arena, &small_pages);
	a = arena_map(&arena, "a", 67 * MIB, &err);
	b = arena_map(&arena, "b", 9 * MIB + 4096, &err);
	fill(a, 67 * MIB);
	fill(b, 9 * MIB);
	for (int repeat = 0; repeat < 3; repeat++) {
		assert_int_equal(arena_migrate_tables(&arena, 0, &migration, &err), 0);
		expect_filled(a, 67 * MIB);
		expect_filled(b, 9 * MIB);
		/* 34 and 5 leaf tables, and one of each level above. */
		assert_int_equal(migration.tables_bytes, (34 + 5 + 1 + 1) * 4096);
		assert_true(migration.duration_ns > 0);
	}
	expect_default_policy();
	arena_fini(&arena);
}

static void huge_pages_stay_huge(void **state)
{
	const struct arena_policy policy = {.thp = ARENA_THP_ALWAYS};
	struct arena_migration migration;
	struct arena arena;
	struct err err = {0};
	uint64_t *a, before;

	(void)state;
	arena_init(&arena, &policy);
	a = arena_map(&arena, "a", 64 * MIB, &err);
	if (!a || !policies_work())
		skip();
	fill(a, 64 * MIB);
	before = huge_kib(a);
	if (before != 64 * 1024)
		skip(); /* this kernel gave none, or not all */
	assert_int_equal(arena_migrate_tables(&arena, 0, &migration, &err), 0);
	expect_filled(a, 64 * MIB);
	assert_int_equal(huge_kib(a), before);
	arena_fini(&arena);
}

static void mixed_pages_move_or_are_refused(void **state)
{
	const struct arena_policy policy = {.thp = ARENA_THP_DEFAULT};
	struct arena_migration migration;
	struct arena arena;
	struct err err = {0};
	uint64_t *a, before;

	(void)state;
	arena_init(&arena, &policy);
	a = arena_map(&arena, "a", 32 * MIB, &err);
	madvise(a, 32 * MIB, MADV_NOHUGEPAGE);
	for (uint64_t chunk = 0; chunk < 32 * MIB; chunk += 8 * MIB)
		((volatile char *)a)[chunk + 5 * MIB] =
			0; /* a small page where a huge one could be */
	madvise(a, 32 * MIB, MADV_HUGEPAGE);
	fill(a, 32 * MIB);
	before = huge_kib(a);
	if (before == 0 || before == 32 * 1024 || !policies_work())
		skip();
	if (arena_migrate_tables(&arena, 0, &migration, &err) != 0)
		assert_int_equal(err.kind, ERR_MACHINE); /* before Linux 6.7 */
	expect_filled(a, 32 * MIB);
	assert_int_equal(huge_kib(a), before);
	arena_fini(&arena);
}

static void a_missing_node_changes_nothing(void **state)
{
	struct arena_migration migration;
	struct arena arena;
	struct err err = {0};
	uint64_t *a;

	(void)state;
	arena_init(&arena, &small_pages);
	a = arena_map(&arena, "a", 4 * MIB, &err);
	fill(a, 4 * MIB);
	assert_int_equal(arena_migrate_tables(&arena, 63, &migration, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	err_clear(&err);
	assert_int_equal(arena_migrate_tables(&arena, 64, &migration, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	expect_filled(a, 4 * MIB);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_are_parsed),
		cmocka_unit_test(regions_are_zero_aligned_and_apart),
		cmocka_unit_test(the_bookkeeping_of_tables_adds_up),
		cmocka_unit_test(memory_is_read_by_policy),
		cmocka_unit_test(migration_keeps_address_and_content),
		cmocka_unit_test(huge_pages_stay_huge),
		cmocka_unit_test(mixed_pages_move_or_are_refused),
		cmocka_unit_test(a_missing_node_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
