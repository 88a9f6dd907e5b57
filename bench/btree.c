// SPDX-License-Identifier: MIT
/*
 * BTree: random lookups in a B+ tree. As published (Mitosis, vMitosis: order 4, one thread) the
 * nodes are small, values are records of their own, and a lookup is a chain of dependent misses; a
 * larger order and values in the leaves make it a fast index.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/btree.h"
#include "bench/workload.h"

enum { SIZE, KEYS, LOOKUPS, ORDER, FILL, RECORD_BYTES, BUILD, BATCH };
enum { BUILD_BULK, BUILD_RANDOM, BUILD_SEQUENTIAL };

static const struct option options[] = {
	[SIZE] = {.name = "size",
		  .type = OPTION_SIZE,
		  .adapt = options_quarter_of_memory,
		  .emulated = "512M",
		  .min = 16384,
		  .max = UINT64_C(1) << 50,
		  .scales = true,
		  .help = "bytes of the tree, as many keys as fit; default: a quarter of memory"},
	[KEYS] = {.name = "keys",
		  .type = OPTION_COUNT,
		  .native = "0",
		  .max = UINT64_C(1) << 48,
		  .scales = true,
		  .help = "number of keys; 0: by --size"},
	[LOOKUPS] = {.name = "lookups",
		     .type = OPTION_COUNT,
		     .native = "10M",
		     .emulated = "100k",
		     .min = 1,
		     .max = UINT64_C(1) << 60,
		     .help = "lookups by all threads together"},
	[ORDER] = {.name = "order",
		   .type = OPTION_INT,
		   .native = "4",
		   .min = BTREE_ORDER_MIN,
		   .max = BTREE_ORDER_MAX,
		   .power_of_two = true,
		   .help = "children of a node, which takes 16 bytes times that"},
	[FILL] = {.name = "fill",
		  .type = OPTION_INT,
		  .native = "70",
		  .min = 50,
		  .max = 100,
		  .help = "percent of a node that a bulk load fills"},
	[RECORD_BYTES] =
		{.name = "record-bytes",
		 .type = OPTION_SIZE,
		 .native = "32",
		 .max = 4096,
		 .help = "size of the record that a key leads to; 0: values in the leaves"},
	[BUILD] = {.name = "build",
		   .type = OPTION_CHOICE,
		   .native = "bulk",
		   .choices = "bulk|random|sequential",
		   .help = "bulk load by all threads, or insertion by one"},
	[BATCH] = {.name = "batch",
		   .type = OPTION_INT,
		   .native = "1",
		   .min = 1,
		   .max = BTREE_BATCH_MAX,
		   .help = "lookups that a thread keeps under way at once"},
	{.name = NULL},
};

static const struct option_preset presets[] = {
	{"vmitosis", "one socket in vMitosis", "keys=3400Mi lookups=50M order=4"},
	{"vmitosis-wide", "all sockets in vMitosis", "keys=3400Mi lookups=2G order=4"},
	{"throughput", "a node of 8 cache lines, values in it", "order=32 record-bytes=0 fill=100"},
	{.name = NULL},
};

struct state {
	struct btree tree;
	struct btree_verdict verdict;
	_Atomic uint64_t matches;
	int failed;
	struct err err;
};

/* --- how large ------------------------------------------------------------------------------- */

struct shape {
	uint64_t keys, nodes, bytes;
};

/*
 * Nodes for a number of keys. Insertion leaves nodes half full at worst; ascending insertion does
 * just that, random insertion fills larger nodes to ln 2 on average (Yao, Acta Informatica 1978).
 */
static struct shape shape_of(const struct option_set *set, uint64_t keys)
{
	const uint64_t order = option_u64(set, ORDER);
	uint64_t percent = option_u64(set, FILL);
	struct shape shape = {.keys = keys};

	if (option_choice(set, BUILD) == BUILD_SEQUENTIAL)
		percent = 50;
	if (option_choice(set, BUILD) == BUILD_RANDOM)
		percent = order >= 16 && keys > 1000000 ? 65 : 50;
	shape.nodes = btree_bulk_nodes(keys, btree_leaf_fill(order, percent),
				       btree_inner_fill(order, percent), NULL, NULL) +
		      BTREE_LEVELS_MAX;
	shape.bytes = shape.nodes * btree_node_bytes(order) + keys * option_u64(set, RECORD_BYTES);
	return shape;
}

/* --keys, or the most keys that fit into --size. */
static struct shape planned_shape(const struct option_set *set)
{
	const uint64_t size = option_u64(set, SIZE);
	uint64_t low = 1, high = size / 8;

	if (option_u64(set, KEYS) > 0)
		return shape_of(set, option_u64(set, KEYS));
	while (low < high) {
		const uint64_t middle = low + (high - low + 1) / 2;

		if (shape_of(set, middle).bytes <= size)
			low = middle;
		else
			high = middle - 1;
	}
	return shape_of(set, low);
}

static uint64_t footprint_bytes(const struct option_set *set, int nr_threads)
{
	(void)nr_threads;
	return planned_shape(set).bytes;
}

static int check(const struct option_set *set, int nr_threads, struct err *err)
{
	const uint64_t bytes = option_u64(set, RECORD_BYTES);

	(void)nr_threads;
	if (bytes % 8 == 0)
		return 0;
	return err_set(err, ERR_USAGE, "--record-bytes: %" PRIu64 " is no multiple of 8", bytes);
}

/* --- setup ----------------------------------------------------------------------------------- */

/* On a member of the team, so that a pinned thread touches the memory first. */
static void insert_thread(void *context, int thread)
{
	struct workload_run *run = context;
	struct state *state = run->state;

	if (thread == 0)
		state->failed = btree_insert_all(&state->tree,
						 option_choice(run->options, BUILD) == BUILD_RANDOM,
						 &state->err);
}

static int map_tree(struct workload_run *run, struct btree *tree, const struct shape *shape,
		    struct err *err)
{
	tree->max_nodes = shape->nodes;
	tree->nodes =
		arena_map(run->arena, "nodes", shape->nodes * btree_node_bytes(tree->order), err);
	if (!tree->nodes)
		return -1;
	tree->record_bytes = option_u64(run->options, RECORD_BYTES);
	if (tree->record_bytes == 0)
		return 0;
	tree->records = arena_map(run->arena, "records", shape->keys * tree->record_bytes, err);
	return tree->records ? 0 : -1;
}

static int build(struct workload_run *run, struct state *state, struct err *err)
{
	struct btree *tree = &state->tree;

	if (option_choice(run->options, BUILD) == BUILD_BULK) {
		tree->leaf_fill = btree_leaf_fill(tree->order, option_u64(run->options, FILL));
		tree->inner_fill = btree_inner_fill(tree->order, option_u64(run->options, FILL));
		return btree_bulk_load(tree, run->team, err);
	}
	tree->leaf_fill = tree->order - 1;
	tree->inner_fill = tree->order;
	team_run(run->team, insert_thread, run);
	if (state->failed)
		*err = state->err;
	return state->failed;
}

static int setup(struct workload_run *run, struct err *err)
{
	struct state *state = calloc(1, sizeof(*state));
	const struct shape shape = planned_shape(run->options);

	run->state = state;
	if (!state)
		return err_set(err, ERR_INTERNAL, "out of memory");
	state->tree.order = option_u64(run->options, ORDER);
	state->tree.nr_keys = shape.keys;
	state->tree.gap = (UINT64_MAX - 1) / shape.keys;
	state->tree.seed = run->seed;
	if (map_tree(run, &state->tree, &shape, err) != 0)
		return -1;
	return build(run, state, err);
}

/* --- the run and its check ------------------------------------------------------------------- */

static void run_thread(struct workload_run *run, int thread)
{
	struct state *state = run->state;
	const struct team_slice slice =
		team_slice(option_u64(run->options, LOOKUPS), 1, thread, run->nr_threads);

	state->matches += btree_lookup_many(&state->tree, run->seed, slice.begin, slice.end,
					    (unsigned)option_u64(run->options, BATCH));
}

static int verify(struct workload_run *run, struct verification *verification, struct err *err)
{
	struct state *state = run->state;
	const uint64_t lookups = option_u64(run->options, LOOKUPS);
	const uint64_t wrong = lookups - state->matches;

	if (btree_check(&state->tree, run->team, &state->verdict, err) != 0)
		return -1;
	verification->checked = lookups + state->verdict.keys;
	verification->errors = wrong + state->verdict.errors;
	verification->status = verification->errors ? VERIFICATION_FAIL : VERIFICATION_PASS;
	snprintf(verification->detail, sizeof(verification->detail),
		 "%" PRIu64 " of %" PRIu64 " lookups right; tree of %" PRIu64
		 " keys, %d levels: %s",
		 state->matches, lookups, state->verdict.keys, state->tree.levels,
		 state->verdict.errors ? state->verdict.first : "sound");
	return 0;
}

static void metrics(struct workload_run *run, struct metrics *out)
{
	const struct state *state = run->state;
	const double ns = (double)run->roi->duration_ns;
	const uint64_t lookups = option_u64(run->options, LOOKUPS);

	out->work_amount = lookups;
	out->work_unit = "lookups";
	metrics_add(out, &(struct metric){.name = "lookups_per_second",
					  .unit = "M/s",
					  .value = (double)lookups * 1e3 / ns,
					  .primary = true});
	metrics_add(out, &(struct metric){.name = "thread_ns_per_lookup",
					  .unit = "ns",
					  .value = ns * run->nr_threads / (double)lookups,
					  .better = METRIC_LOWER});
	metrics_add(out, &(struct metric){.name = "tree_levels",
					  .unit = "levels",
					  .value = state->tree.levels,
					  .better = METRIC_LOWER});
}

static void teardown(struct workload_run *run)
{
	free(run->state);
}

const struct workload workload_btree = {
	.name = "btree",
	.summary = "random lookups in a B+ tree (Mitosis, vMitosis)",
	.options = options,
	.presets = presets,
	/* Mitosis, table of workloads, one-socket runs. */
	.published_footprint_bytes = UINT64_C(35) << 30,
	.published_threads = 1,
	.check = check,
	.footprint_bytes = footprint_bytes,
	.setup = setup,
	.run = run_thread,
	.verify = verify,
	.metrics = metrics,
	.teardown = teardown,
};
