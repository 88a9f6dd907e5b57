// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/pgtable_numa.h"

/* Two nodes, replicated: each node's CPUs read tables of their own, data is on node 0. */
static const char replicated[] = "nodes 0-1\n"
				 "failed 3\n"
				 "root N0 master N0\n"
				 "root N1 replica N1\n"
				 "L1 N0 master 7 replica 0\n"
				 "L1 N1 master 0 replica 7\n"
				 "L4 N0 master 1 replica 0\n"
				 "L4 N1 master 0 replica 1\n"
				 "edge N0 L1 N0 N0 3000\n"
				 "edge N0 L1 N0 N1 1000\n"
				 "edge N1 L1 N1 N0 3000\n"
				 "edge N1 L1 N1 N1 1000\n"
				 "edge N1 L2 N1 N1 7\n";

static void the_text_is_understood(void **state)
{
	struct pgtable_numa numa;
	struct err err = {0};

	(void)state;
	assert_int_equal(pgtable_numa_parse(&numa, replicated, &err), 0);
	assert_int_equal(numa.nodes, 3);
	assert_int_equal(numa.online, 3);
	assert_int_equal(numa.failed, 3);
	assert_false(numa.empty);
	assert_int_equal(numa.root_node[1], 1);
	assert_true(numa.root_is_replica[1]);
	assert_false(numa.root_is_replica[0]);
	assert_int_equal(pgtable_numa_pages(numa.masters), 8);
	assert_int_equal(pgtable_numa_pages(numa.replicas), 8);
	assert_int_equal(numa.nr_edges, 5);
	assert_true(pgtable_numa_remote_tables(&numa, 1, 1) == 0);
	assert_true(pgtable_numa_remote_data(&numa, 0) == 0.25);
	assert_true(pgtable_numa_remote_data(&numa, 1) == 0.75);
	assert_true(pgtable_numa_remote_tables(&numa, 0, 3) < 0);
	pgtable_numa_free(&numa);
}

static void one_tree_is_remote_to_the_other_node(void **state)
{
	struct pgtable_numa numa;
	struct err err = {0};

	(void)state;
	assert_int_equal(pgtable_numa_parse(&numa,
					    "nodes -\nfailed 0\nroot N0 master N0\n"
					    "root N1 master N0\nedge N1 L1 N0 N1 30\n"
					    "edge N1 L1 N1 N1 10\n",
					    &err),
			 0);
	assert_int_equal(numa.nodes, 0);
	assert_true(pgtable_numa_remote_tables(&numa, 1, 1) == 0.75);
	pgtable_numa_free(&numa);
}

static void a_kernel_thread_is_empty(void **state)
{
	struct pgtable_numa numa;
	struct err err = {0};

	(void)state;
	assert_int_equal(pgtable_numa_parse(&numa, "", &err), 0);
	assert_true(numa.empty);
	pgtable_numa_free(&numa);
}

static void words_of_a_later_kernel_are_skipped(void **state)
{
	struct pgtable_numa numa;
	struct err err = {0};

	(void)state;
	assert_int_equal(pgtable_numa_parse(&numa, "huge N0 12\nnodes 2,5-6\n\n", &err), 0);
	assert_int_equal(numa.nodes, 0x64);
	pgtable_numa_free(&numa);
}

static void damaged_lines_are_named(void **state)
{
	static const char *const bad[] = {
		"nodes",
		"nodes 3-1",
		"nodes 64",
		"failed x",
		"failed 1 2",
		"root N0 slave N0",
		"root N64 master N0",
		"root N0 master",
		"L0 N0 master 1 replica 1",
		"L6 N0 master 1 replica 1",
		"L1 N0 master 1",
		"L1 N0 master -1 replica 0",
		"L1 N0 master 99999999999999999999 replica 0",
		"edge N0 L1 N0 N1",
		"edge N0 L1 N0 N1 2 3",
		"edge N0 L1 N0 1 2",
		"edge N0 L1 N0 N1 2x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pgtable_numa numa;
		struct err err = {0};
		char text[128];

		snprintf(text, sizeof(text), "failed 0\n%s\n", bad[i]);
		assert_int_equal(pgtable_numa_parse(&numa, text, &err), -1);
		assert_int_equal(err.kind, ERR_INTERNAL);
		assert_non_null(strstr(err.text, "line 2"));
		pgtable_numa_free(&numa);
	}
}

static void lists_of_nodes_come_back_as_they_went(void **state)
{
	static const char *const good[] = {"0", "0-3", "1,3", "0-1,3,5-63", "63"};
	static const char *const bad[] = {"",    "-",   "1-", "a",  "0,,1",
					  "0 1", "2-1", "64", "-1", "0,"};
	char text[PGTABLE_NUMA_TEXT_MAX];
	uint64_t nodes = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(pgtable_numa_parse_nodes(good[i], &nodes), 0);
		assert_string_equal(pgtable_numa_format_nodes(nodes, text), good[i]);
	}
	nodes = 77;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pgtable_numa_parse_nodes(bad[i], &nodes), -1);
	assert_int_equal(nodes, 77);
	assert_string_equal(pgtable_numa_format_nodes(0, text), "-");
	/* The longest list there is: every other node. */
	assert_true(strlen(pgtable_numa_format_nodes(UINT64_C(0xaaaaaaaaaaaaaaaa), text)) <
		    PGTABLE_NUMA_TEXT_MAX - 1);
}

/* A recorded /proc below a folder of its own. */
struct machine {
	char root[64];
	struct fs fs;
};

static void put(const struct machine *machine, const char *path, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", machine->root, path);
	*strrchr(full, '/') = '\0';
	assert_int_equal(fs_mkdir_parents(full), 0);
	full[strlen(full)] = '/';
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void open_machine(struct machine *machine)
{
	struct err err = {0};

	strcpy(machine->root, "/tmp/pgtable_numa.XXXXXX");
	assert_non_null(mkdtemp(machine->root));
	assert_int_equal(fs_open(&machine->fs, machine->root, &err), 0);
}

static void close_machine(struct machine *machine)
{
	char command[128];

	fs_close(&machine->fs);
	snprintf(command, sizeof(command), "rm -rf '%s'", machine->root);
	assert_int_equal(system(command), 0);
}

static void a_stock_kernel_is_not_a_missing_process(void **state)
{
	struct machine machine;
	struct pgtable_numa numa;
	struct err err = {0};

	(void)state;
	open_machine(&machine);
	put(&machine, "/proc/12/stat", "12 (x) S");
	assert_int_equal(pgtable_numa_read(&numa, &machine.fs, 12, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "make kernel-deb"));

	err_clear(&err);
	put(&machine, "/proc/self/pgtable_numa", replicated);
	assert_int_equal(pgtable_numa_read(&numa, &machine.fs, 12, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.text, "there is no process 12");

	err_clear(&err);
	put(&machine, "/proc/12/pgtable_numa", replicated);
	assert_int_equal(pgtable_numa_read(&numa, &machine.fs, 12, &err), 0);
	assert_int_equal(numa.nodes, 3);
	pgtable_numa_free(&numa);
	close_machine(&machine);
}

static void a_command_is_one_write(void **state)
{
	struct machine machine;
	struct err err = {0};
	char text[64];

	(void)state;
	open_machine(&machine);
	put(&machine, "/proc/self/pgtable_numa", "");
	put(&machine, "/proc/12/pgtable_numa", "");
	assert_int_equal(pgtable_numa_command(&machine.fs, 12, "replicate 0-1", &err), 0);
	assert_true(fs_read(&machine.fs, "/proc/12/pgtable_numa", text, sizeof(text)) > 0);
	assert_string_equal(text, "replicate 0-1");
	assert_int_equal(pgtable_numa_command(&machine.fs, 13, "off", &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	close_machine(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_understood),
		cmocka_unit_test(one_tree_is_remote_to_the_other_node),
		cmocka_unit_test(a_kernel_thread_is_empty),
		cmocka_unit_test(words_of_a_later_kernel_are_skipped),
		cmocka_unit_test(damaged_lines_are_named),
		cmocka_unit_test(lists_of_nodes_come_back_as_they_went),
		cmocka_unit_test(a_stock_kernel_is_not_a_missing_process),
		cmocka_unit_test(a_command_is_one_write),
	};

	return cmocka_run_group_tests_name("pgtable_numa", tests, NULL, NULL);
}
