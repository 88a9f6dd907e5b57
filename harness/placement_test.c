// SPDX-License-Identifier: MIT
#include "harness/placement.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/machine.h"

static const struct placement_options any_node = {.local_node = -1, .remote_node = -1};
static const struct placement_means stock = {.mremap = true, .fragmenter = true};
static const struct placement_means foreign = {0};
static const struct placement_means replicating = {.kernel_replication = true};
static const struct placement_means both = {.mremap = true, .kernel_replication = true};
static const struct placement_means emulated = {.mremap = true, .interference_modelled = true};
static const struct placement_means in_vm = {
	.kernel_replication = true, .virtual_machine = true, .fragmenter = true};

static int resolve(const char *machine_name, const char *name,
		   const struct placement_options *options, const struct placement_means *means,
		   struct placement *placement, struct err *err)
{
	struct topology topology;
	struct machine machine;
	struct config config;
	int result;

	assert_int_equal(config_parse(name, &config, NULL), 0);
	machine_open(&machine, machine_name);
	assert_int_equal(topology_read(&topology, &machine.fs, NULL), 0);
	result = placement_resolve(&config, &topology, options, means, placement, err);
	topology_free(&topology);
	machine_close(&machine);
	return result;
}

static struct placement must_resolve(const char *machine, const char *name,
				     const struct placement_options *options,
				     const struct placement_means *means)
{
	struct placement placement;
	struct err err = {0};

	if (resolve(machine, name, options, means, &placement, &err) != 0)
		fail_msg("%s on %s: %s", name, machine, err.text);
	return placement;
}

static void must_refuse(const char *machine, const char *name,
			const struct placement_options *options,
			const struct placement_means *means, enum err_kind kind, const char *says)
{
	struct placement placement;
	struct err err = {0};

	if (resolve(machine, name, options, means, &placement, &err) == 0)
		fail_msg("%s on %s was resolved", name, machine);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.text, says))
		fail_msg("%s on %s: '%s' does not say '%s'", name, machine, err.text, says);
}

/* Where each thing must be on each machine; -1: no page-table node. */
static const struct expectation {
	const char *machine, *name;
	const struct placement_means *means;
	uint64_t cpus;
	enum place_policy policy;
	uint64_t data;
	int page_tables;
	uint64_t interference;
	enum place_migration migration;
} expectations[] = {
	{"one-socket", "LP-LD", &stock, 1, PLACE_BIND, 1, 0, 0, MIGRATION_NONE},
	{"one-socket", "F", &stock, 1, PLACE_FIRST_TOUCH, 0, -1, 0, MIGRATION_NONE},
	{"two-socket", "LP-LD", &stock, 1, PLACE_BIND, 1, 0, 0, MIGRATION_NONE},
	{"two-socket", "LP-RD", &stock, 1, PLACE_BIND, 2, 0, 0, MIGRATION_NONE},
	{"two-socket", "LP-RDI", &stock, 1, PLACE_BIND, 2, 0, 2, MIGRATION_NONE},
	{"two-socket", "RP-LD", &stock, 1, PLACE_BIND, 1, 1, 0, MIGRATION_NONE},
	{"two-socket", "RPI-LD", &stock, 1, PLACE_BIND, 1, 1, 2, MIGRATION_NONE},
	{"two-socket", "RP-RD", &stock, 1, PLACE_BIND, 2, 1, 0, MIGRATION_NONE},
	{"two-socket", "RPI-RDI", &stock, 1, PLACE_BIND, 2, 1, 2, MIGRATION_NONE},
	{"two-socket", "RPI-LDM", &stock, 1, PLACE_BIND, 1, 1, 2, MIGRATION_MREMAP},
	{"two-socket", "RPI-LDM", &replicating, 1, PLACE_BIND, 1, 1, 2, MIGRATION_KERNEL},
	{"two-socket", "RP-RDM", &both, 1, PLACE_BIND, 2, 1, 0, MIGRATION_KERNEL},
	{"two-socket", "LPI-LD", &stock, 1, PLACE_BIND, 1, 0, 1, MIGRATION_NONE},
	{"two-socket", "FTRPI-LD", &stock, 1, PLACE_BIND, 1, 1, 2, MIGRATION_NONE},
	{"two-socket", "I", &stock, 3, PLACE_INTERLEAVE, 3, -1, 0, MIGRATION_NONE},
	{"two-socket", "FAM", &replicating, 3, PLACE_FIRST_TOUCH, 0, -1, 0, MIGRATION_NONE},
	{"two-socket", "RRI", &in_vm, 1, PLACE_BIND, 1, 1, 2, MIGRATION_NONE},
	{"two-socket", "LRI", &in_vm, 1, PLACE_BIND, 1, 0, 2, MIGRATION_NONE},
	{"two-socket", "TFRRIM", &in_vm, 1, PLACE_BIND, 1, 1, 2, MIGRATION_KERNEL},
	{"two-socket", "RI", &in_vm, 1, PLACE_FIRST_TOUCH, 0, -1, 2, MIGRATION_NONE},
	{"two-socket", "V-IR", &in_vm, 1, PLACE_FIRST_TOUCH, 0, 1, 2, MIGRATION_NONE},
	{"xeon-e7-4850v3-4s", "RPI-LD", &stock, 1, PLACE_BIND, 1, 2, 4, MIGRATION_NONE},
	{"xeon-e7-4850v3-4s", "RP-RD", &stock, 1, PLACE_BIND, 4, 2, 0, MIGRATION_NONE},
	{"xeon-e7-4850v3-4s", "TI", &stock, 15, PLACE_INTERLEAVE, 15, -1, 0, MIGRATION_NONE},
	{"sub-numa-holes", "RP-LD", &stock, 1, PLACE_BIND, 1, 8, 0, MIGRATION_NONE},
	{"sub-numa-holes", "I", &stock, 0xf0f, PLACE_INTERLEAVE, 0xf0f, -1, 0, MIGRATION_NONE},
	{"cxl-memory", "RP-LD", &stock, 1, PLACE_BIND, 1, 2, 0, MIGRATION_NONE},
	{"cxl-memory", "RPI-LD", &emulated, 1, PLACE_BIND, 1, 2, 4, MIGRATION_NONE},
	{"cxl-memory", "I", &stock, 3, PLACE_INTERLEAVE, 7, -1, 0, MIGRATION_NONE},
	{"node-without-memory", "RPI-LD", &stock, 2, PLACE_BIND, 2, 2, 4, MIGRATION_NONE},
	{"node-without-memory", "I", &stock, 7, PLACE_INTERLEAVE, 6, -1, 0, MIGRATION_NONE},
};

static void resolves_on_recorded_machines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
		const struct expectation *want = &expectations[i];
		const struct placement got =
			must_resolve(want->machine, want->name, &any_node, want->means);

		assert_int_equal(got.cpu_nodes, want->cpus);
		assert_int_equal(got.data_policy, want->policy);
		assert_int_equal(got.data_nodes, want->data);
		assert_int_equal(got.page_table_bound, want->page_tables >= 0);
		assert_int_equal(got.page_table_node, want->page_tables);
		assert_int_equal(got.interference_nodes, want->interference);
		assert_int_equal(got.migration, want->migration);
		if (want->migration != MIGRATION_NONE)
			assert_int_equal(got.migration_node, got.local_node);
	}
}

static void carries_the_rest(void **state)
{
	struct placement placement;

	(void)state;
	placement = must_resolve("two-socket", "FTRPI-LDM", &any_node, &stock);
	assert_true(placement.thp && placement.fragment && !placement.autonuma);
	placement = must_resolve("two-socket", "TFAM", &any_node, &replicating);
	assert_true(placement.thp && placement.autonuma && placement.replicate_page_tables);
	assert_false(placement.replicate_ept);
	placement = must_resolve("two-socket", "LRI", &any_node, &in_vm);
	assert_int_equal(placement.ept_node, 1);
	placement = must_resolve("two-socket", "RL", &any_node, &in_vm);
	assert_int_equal(placement.ept_node, 0);
	placement = must_resolve("two-socket", "RRIE", &any_node, &in_vm);
	assert_int_equal(placement.migration, MIGRATION_NONE);
	assert_int_equal(placement.ept_migration, MIGRATION_KERNEL);
	assert_int_equal(placement.migration_node, 0);
	placement = must_resolve("two-socket", "OFMP", &any_node, &in_vm);
	assert_true(placement.replicate_ept && placement.replicate_page_tables);
}

static void obeys_given_nodes(void **state)
{
	const struct placement_options given = {.local_node = 3, .remote_node = 0};
	const struct placement_options local_only = {.local_node = 3, .remote_node = -1};
	struct placement placement;

	(void)state;
	placement = must_resolve("xeon-e7-4850v3-4s", "RPI-LD", &given, &stock);
	assert_int_equal(placement.cpu_nodes, 8);
	assert_int_equal(placement.data_nodes, 8);
	assert_int_equal(placement.page_table_node, 0);
	assert_int_equal(placement.interference_nodes, 1);
	/* The farthest of a ring of four is the opposite one. */
	placement = must_resolve("xeon-e7-4850v3-4s", "LP-RD", &local_only, &stock);
	assert_int_equal(placement.data_nodes, 2);
}

static void refuses_bad_nodes(void **state)
{
	static const struct {
		const char *machine, *name;
		struct placement_options options;
		enum err_kind kind;
		const char *says;
	} bad[] = {
		{"two-socket", "RP-LD", {0, 2}, ERR_USAGE, "nodes are 0, 1"},
		{"two-socket", "LP-LD", {-1, 9}, ERR_USAGE, "--remote-node 9"},
		{"two-socket", "RP-LD", {5, -1}, ERR_USAGE, "--local-node 5"},
		{"two-socket", "RP-LD", {64, -1}, ERR_USAGE, "--local-node 64"},
		{"two-socket", "RP-LD", {1, 1}, ERR_USAGE, "local node"},
		{"two-socket", "RP-LD", {-1, 0}, ERR_USAGE, "local node"},
		{"sub-numa-holes", "RP-LD", {4, -1}, ERR_USAGE, "0, 1, 2, 3, 8, 9, 10, 11"},
		{"cxl-memory", "LP-LD", {2, -1}, ERR_MACHINE, "no CPUs"},
		{"node-without-memory", "LP-LD", {0, -1}, ERR_MACHINE, "no memory"},
		{"node-without-memory", "RP-LD", {-1, 0}, ERR_MACHINE, "no memory"},
		{"cxl-memory", "RPI-LD", {-1, -1}, ERR_MACHINE, "no CPUs to run the load on"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		must_refuse(bad[i].machine, bad[i].name, &bad[i].options, &stock, bad[i].kind,
			    bad[i].says);
}

static void names_what_is_missing(void **state)
{
	static const struct {
		const char *machine, *name;
		const struct placement_means *means;
		const char *says;
	} missing[] = {
		{"one-socket", "RP-LD", &stock, "--machine emu"},
		{"one-socket", "LP-RDI", &stock, "--machine emu"},
		{"no-numa-kernel", "RPI-LDM", &stock, "--machine emu"},
		{"one-socket", "TI", &stock, "--machine emu"},
		{"two-socket", "LL", &stock, "virtual machine"},
		{"two-socket", "RRIM", &replicating, "virtual machine"},
		{"two-socket", "OF", &stock, "virtual machine"},
		{"two-socket", "RIE", &stock, "virtual machine"},
		{"two-socket", "FM", &stock, "kernel that replicates"},
		{"two-socket", "RPI-LDM", &foreign, "mremap"},
		{"two-socket", "FTLP-LD", &foreign, "fragment"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		must_refuse(missing[i].machine, missing[i].name, &any_node, missing[i].means,
			    ERR_MACHINE, missing[i].says);
}

/* Every published config on every machine: resolved sanely, or refused with a sentence. */
static void published_everywhere(void **state)
{
	static const char *const machines[] = {
		"one-socket", "two-socket",          "xeon-e7-4850v3-4s", "sub-numa-holes",
		"cxl-memory", "node-without-memory", "no-numa-kernel",
	};
	static const struct placement_means all = {
		.mremap = true,
		.kernel_replication = true,
		.interference_modelled = true,
		.virtual_machine = true,
		.fragmenter = true,
	};

	(void)state;
	for (size_t m = 0; m < sizeof(machines) / sizeof(machines[0]); m++)
		for (int i = 0; config_published(i); i++) {
			const struct config *config = config_published(i);
			struct placement got;
			struct err err = {0};

			if (resolve(machines[m], config->name, &any_node, &all, &got, &err) != 0) {
				assert_int_equal(err.kind, ERR_MACHINE);
				assert_true(strstr(machines[m], "-s") ||
					    strstr(machines[m], "no-"));
				continue;
			}
			assert_true(got.cpu_nodes != 0);
			assert_true((got.data_policy == PLACE_FIRST_TOUCH) ==
				    (got.data_nodes == 0));
			assert_true(got.page_table_bound == (got.page_table_node >= 0));
			assert_true((config->interfere_data || config->interfere_page_tables) ==
				    (got.interference_nodes != 0));
		}
}

static void writes_json(void **state)
{
	const struct placement placement =
		must_resolve("xeon-e7-4850v3-4s", "RPI-LDM", &any_node, &stock);
	const struct placement wide = must_resolve("two-socket", "I", &any_node, &stock);
	json_t *got = placement_to_json(&placement);
	json_t *want = json_pack(
		"{s:[i], s:{s:s, s:[i]}, s:{s:s, s:i, s:b}, s:{s:s, s:i}, s:{s:[i], s:s}, s:n, s:b, "
		"s:b, s:b, s:i, s:i, s:s}",
		"cpu_nodes", 0, "data", "policy", "bind", "nodes", 0, "page_tables", "policy",
		"bind", "node", 2, "replicated", 0, "migration", "how", "mremap", "node", 0,
		"interference", "nodes", 2, "how", "load", "extended_page_tables", "thp", 0,
		"autonuma", 0, "fragment", 0, "local_node", 0, "remote_node", 2, "baseline",
		"LP-LD");

	(void)state;
	assert_non_null(got);
	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);
	got = placement_to_json(&wide);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(got, "page_tables"), "policy")),
		"interleave");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(got, "interference"), "how")),
		"none");
	assert_true(json_is_null(json_object_get(json_object_get(got, "migration"), "node")));
	json_decref(got);
}

static void explains(void **state)
{
	struct topology topology;
	struct machine machine;
	struct placement placement;
	struct config config;
	char *text;

	(void)state;
	machine_open(&machine, "xeon-e7-4850v3-4s");
	assert_int_equal(topology_read(&topology, &machine.fs, NULL), 0);
	for (int i = 0; config_published(i); i++) {
		const struct placement_means means = {true, true, i % 2, true, true};

		assert_int_equal(placement_resolve(config_published(i), &topology, &any_node,
						   &means, &placement, NULL),
				 0);
		text = placement_explain(&placement, &topology);
		assert_non_null(strstr(text, "Threads:"));
		assert_non_null(strstr(text, "Compare with:"));
		free(text);
	}
	assert_int_equal(config_parse("RPILDM", &config, NULL), 0);
	assert_int_equal(placement_resolve(&config, &topology, &any_node, &stock, &placement, NULL),
			 0);
	text = placement_explain(&placement, &topology);
	assert_non_null(strstr(text, "node 0 (28 CPUs)"));
	assert_non_null(strstr(text, "built on node 2 (remote: at distance 31"));
	assert_non_null(strstr(text, "moved to node 0 by mremap(2)"));
	free(text);
	topology_free(&topology);
	machine_close(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolves_on_recorded_machines),
		cmocka_unit_test(carries_the_rest),
		cmocka_unit_test(obeys_given_nodes),
		cmocka_unit_test(refuses_bad_nodes),
		cmocka_unit_test(names_what_is_missing),
		cmocka_unit_test(published_everywhere),
		cmocka_unit_test(writes_json),
		cmocka_unit_test(explains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
