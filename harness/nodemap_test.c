// SPDX-License-Identifier: MIT
#include "harness/nodemap.h"

#include "harness/ptdump_testing.h"

/* From a machine of two nodes with 1.5 GiB each, shortened to the lines that count. */
static const char zoneinfo[] = "Node 0, zone      DMA\n"
			       "  per-node stats\n"
			       "      nr_inactive_anon 0\n"
			       "  pages free     3840\n"
			       "        spanned  4095\n"
			       "        present  3998\n"
			       "  start_pfn:           1\n"
			       "Node 0, zone    DMA32\n"
			       "        spanned  389120\n"
			       "  start_pfn:           4096\n"
			       "Node 0, zone   Normal\n"
			       "        spanned  0\n"
			       "        present  0\n"
			       "Node 1, zone    DMA32\n"
			       "        spanned  392928\n"
			       "  start_pfn:           393216\n"
			       "Node 1, zone   Normal\n"
			       "        spanned  0\n"
			       "  start_pfn:           0\n";

static struct nodemap *read_map(const struct fake_root *root)
{
	struct nodemap *map;
	struct err err = {0};

	if (nodemap_read(&map, &root->fs, &err))
		fail_msg("%s", err.text);
	return map;
}

static void test_zones_only(void **state)
{
	struct fake_root root;
	struct nodemap *map;

	(void)state;
	fake_root_make(&root);
	fake_root_text(&root, "proc/zoneinfo", zoneinfo);
	map = read_map(&root);
	assert_int_equal(map->nr_nodes, 2);
	assert_int_equal(nodemap_node(map, 0), NODEMAP_NONE);
	assert_int_equal(nodemap_node(map, 1), 0);
	assert_int_equal(nodemap_node(map, 4095), 0);
	assert_int_equal(nodemap_node(map, 4096), 0);
	assert_int_equal(nodemap_node(map, 393215), 0);
	assert_int_equal(nodemap_node(map, 393216), 1);
	assert_int_equal(nodemap_node(map, 393216 + 392927), 1);
	assert_int_equal(nodemap_node(map, 393216 + 392928), NODEMAP_NONE);
	assert_int_equal(nodemap_node(map, UINT64_MAX >> 12), NODEMAP_NONE);
	nodemap_free(map);
	fake_root_remove(&root);
}

static void add_block(const struct fake_root *root, int node, unsigned int block)
{
	char path[96];

	snprintf(path, sizeof(path), "sys/devices/system/node/node%d/memory%u", node, block);
	fake_root_directory(root, path);
}

/* Nodes that interleave by blocks: their zone spans overlap and say nothing. */
static void test_blocks_win(void **state)
{
	struct fake_root root;
	struct nodemap *map;

	(void)state;
	fake_root_make(&root);
	fake_root_text(
		&root, "proc/zoneinfo",
		"Node 0, zone DMA32\n        spanned  131072\n  start_pfn:           0\n"
		"Node 3, zone DMA32\n        spanned  98304\n  start_pfn:           32768\n");
	fake_root_text(&root, "sys/devices/system/memory/block_size_bytes", "8000000\n");
	add_block(&root, 0, 0);
	add_block(&root, 3, 1);
	add_block(&root, 0, 2);
	add_block(&root, 3, 10);
	/* Not a block, though its name begins like one. */
	fake_root_directory(&root, "sys/devices/system/node/node0/memory_failure");
	fake_root_directory(&root, "sys/devices/system/node/node0/memory3x");
	map = read_map(&root);
	assert_int_equal(map->nr_nodes, 4);
	assert_int_equal(nodemap_node(map, 0), 0);
	assert_int_equal(nodemap_node(map, 32767), 0);
	assert_int_equal(nodemap_node(map, 32768), 3);
	assert_int_equal(nodemap_node(map, 65536), 0);
	assert_int_equal(nodemap_node(map, 98304), NODEMAP_NONE);
	assert_int_equal(nodemap_node(map, 10 * 32768), 3);
	assert_int_equal(nodemap_node(map, 11 * 32768), NODEMAP_NONE);
	nodemap_free(map);
	fake_root_remove(&root);
}

/* A block that belongs to two nodes is listed under both: the zones decide inside it. */
static void test_shared_block(void **state)
{
	struct fake_root root;
	struct nodemap *map;

	(void)state;
	fake_root_make(&root);
	fake_root_text(
		&root, "proc/zoneinfo",
		"Node 0, zone DMA32\n        spanned  10000\n  start_pfn:           0\n"
		"Node 1, zone DMA32\n        spanned  22768\n  start_pfn:           10000\n");
	fake_root_text(&root, "sys/devices/system/memory/block_size_bytes", "8000000\n");
	add_block(&root, 0, 0);
	add_block(&root, 1, 0);
	map = read_map(&root);
	assert_int_equal(nodemap_node(map, 9999), 0);
	assert_int_equal(nodemap_node(map, 10000), 1);
	assert_int_equal(nodemap_node(map, 32767), 1);
	nodemap_free(map);
	fake_root_remove(&root);
}

/* The part of node 1 that lies within the span of node 0 is node 1's. */
static void test_overlapping_spans(void **state)
{
	const struct nodemap_range ranges[] = {{0, 200000, 0}, {100000, 150000, 1}};
	struct nodemap *map;

	(void)state;
	assert_int_equal(nodemap_from_ranges(&map, ranges, 2, NULL), 0);
	assert_int_equal(nodemap_node(map, 99999), 0);
	assert_int_equal(nodemap_node(map, 100000), 1);
	assert_int_equal(nodemap_node(map, 149999), 1);
	assert_int_equal(nodemap_node(map, 150000), 0);
	nodemap_free(map);
}

static void test_to_ranges(void **state)
{
	const struct nodemap_range ranges[] = {
		{0, 65536, 0}, {65536, 66048, 1}, {66048, 98304, 0}, {131072, 163840, 5}};
	struct nodemap_range *back;
	struct nodemap *map;
	size_t nr;

	(void)state;
	assert_int_equal(nodemap_from_ranges(&map, ranges, 4, NULL), 0);
	assert_int_equal(map->nr_nodes, 6);
	assert_int_equal(nodemap_to_ranges(map, &back, &nr, NULL), 0);
	assert_int_equal(nr, 4);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(back[i].first_frame, ranges[i].first_frame);
		assert_int_equal(back[i].end_frame, ranges[i].end_frame);
		assert_int_equal(back[i].node, ranges[i].node);
	}
	free(back);
	nodemap_free(map);
}

static void test_refusals(void **state)
{
	const struct nodemap_range high = {0, 512, 64}, far = {0, UINT64_C(1) << 51, 0};
	struct fake_root root;
	struct nodemap *map;
	struct err err = {0};

	(void)state;
	fake_root_make(&root);
	assert_int_equal(nodemap_read(&map, &root.fs, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "/proc/zoneinfo"));
	fake_root_remove(&root);
	err_clear(&err);
	assert_int_equal(nodemap_from_ranges(&map, &high, 1, &err), -1);
	assert_non_null(strstr(err.text, "node 64"));
	err_clear(&err);
	assert_int_equal(nodemap_from_ranges(&map, &far, 1, &err), -1);
	assert_null(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zones_only),   cmocka_unit_test(test_blocks_win),
		cmocka_unit_test(test_shared_block), cmocka_unit_test(test_overlapping_spans),
		cmocka_unit_test(test_to_ranges),    cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
