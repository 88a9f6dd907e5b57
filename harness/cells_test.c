// SPDX-License-Identifier: MIT
#include "harness/cells.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emulator/emulator.h"

static struct topology machine(int nr_nodes)
{
	struct topology topology = {.nr_nodes = nr_nodes};

	for (int i = 0; i < nr_nodes; i++)
		topology.nodes[i] = (struct topology_node){.id = i, .memory_bytes = 1 << 30};
	return topology;
}

static const char *choose(const char *machine_option, const char *name, int nr_nodes,
			  struct err *err)
{
	static struct target target;
	const struct topology here = machine(nr_nodes);
	struct config config;

	assert_int_equal(config_parse(name, &config, NULL), 0);
	if (target_choose(&target, machine_option, &config, &here, err) != 0)
		return "refused";
	assert_true(target.why[0] != '\0');
	return target.name;
}

static void machine_follows_the_rule(void **state)
{
	static const char emulated[] = "emu:" EMULATOR_DEFAULT_PROFILE;
	struct err err = {0};

	(void)state;
	assert_string_equal(choose(NULL, "LP-LD", 1, &err), emulated);
	assert_string_equal(choose(NULL, "LP-LD", 2, &err), "native");
	assert_string_equal(choose(NULL, "FM", 4, &err), "native");
	assert_string_equal(choose(NULL, "RRI", 4, &err), emulated);
	assert_string_equal(choose("emu", "LP-LD", 4, &err), emulated);
	assert_string_equal(choose("native", "LP-LD", 1, &err), "native");
	assert_int_equal(err.kind, ERR_NONE);
}

static void unknown_machines_are_usage_errors(void **state)
{
	static const char *const names[] = {"pdp11", "emu:", "emu:nosuch", "Native", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct err err = {0};

		assert_string_equal(choose(names[i], "LP-LD", 2, &err), "refused");
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

/* Only exec cells: they need no driver. */
static void repetitions_go_round_the_configs(void **state)
{
	static char *program[] = {"/bin/prog", "x", NULL};
	struct run_options options = {
		.configs = {"LP-LD", "F"},
		.machine = "native",
		.repeat = 2,
		.local_node = -1,
		.remote_node = -1,
		.rest = program,
		.nr_rest = 2,
	};
	static const char *const names[] = {"prog LP-LD 1/2", "prog F 1/2", "prog LP-LD 2/2",
					    "prog F 2/2"};
	struct cells cells;
	struct err err = {0};
	struct fs root;
	uint64_t estimate_ns;

	(void)state;
	assert_int_equal(fs_open(&root, "/", NULL), 0);
	if (cells_plan(&cells, &options, RUN_COMMAND_EXEC, &root, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(cells.nr_items, 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(cells.items[i].name, names[i]);
	assert_int_equal(cells_left(&cells, &estimate_ns), 4);
	assert_int_equal(estimate_ns, 0);
	cells.items[1].done_by = strdup("an earlier run");
	assert_int_equal(cells_left(&cells, &estimate_ns), 3);
	cells_free(&cells);
	fs_close(&root);
}

static void shuffled_order_is_a_permutation(void **state)
{
	int first[50], again[50], other[50], plain[50];
	bool seen[50] = {false};

	(void)state;
	cells_order(first, 50, true, 1);
	cells_order(again, 50, true, 1);
	cells_order(other, 50, true, 2);
	cells_order(plain, 50, false, 1);
	assert_memory_equal(first, again, sizeof(first));
	assert_memory_not_equal(first, other, sizeof(first));
	assert_memory_not_equal(first, plain, sizeof(first));
	for (int i = 0; i < 50; i++) {
		assert_false(seen[first[i]]);
		seen[first[i]] = true;
		assert_int_equal(plain[i], i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machine_follows_the_rule),
		cmocka_unit_test(unknown_machines_are_usage_errors),
		cmocka_unit_test(repetitions_go_round_the_configs),
		cmocka_unit_test(shuffled_order_is_a_permutation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
