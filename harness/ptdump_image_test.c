// SPDX-License-Identifier: MIT
#include "harness/ptdump_image.h"

#include "harness/ptdump_testing.h"
#include "harness/ptdump_walk.h"

#define IMAGES "tests/page_tables/"

static int dump_image(const char *path, pid_t pid, struct ptdump_result *result, struct err *err)
{
	char reader[256];
	const struct ptdump_options options = {.reader = reader};
	struct ptdump *ptdump;
	int status;

	*err = (struct err){0};
	snprintf(reader, sizeof(reader), "image:%s", path);
	if (ptdump_open(&ptdump, &options, err))
		return -1;
	status = ptdump_process(ptdump, pid, result, err);
	ptdump_close(ptdump);
	return status;
}

/*
 * Both images are of a process that had mapped 1200 pages on node 1 (40 of them PROT_NONE) while
 * its task policy put page tables on node 0, 700 pages on node 0 with tables on node 1, and 3 huge
 * pages on node 1. The other numbers agree with what the kernel said of the same process in
 * /proc/PID/numa_maps (which leaves out the vdso: one page on node 0) and as VmPTE in its status
 * (which counts PT, PD and PDPT, and one spare table for each huge page).
 */
static void test_four_levels(void **state)
{
	struct ptdump_result result;
	struct err err;

	(void)state;
	if (dump_image(IMAGES "linux-6.1-4-level.gz", 116, &result, &err))
		fail_msg("%s", err.text);
	assert_string_equal(result.reader, "image");
	assert_int_equal(result.levels, 4);
	assert_int_equal(result.nr_nodes, 2);
	assert_int_equal(result.root_address, 1627201536);
	assert_int_equal(result.table_pages[0][0], 4);
	assert_int_equal(result.table_pages[0][1], 5);
	assert_int_equal(result.table_pages[3][1], 1);
	assert_int_equal(ptdump_table_bytes(&result) / 1024 - 4, 68 - 3 * 4);
	assert_int_equal(result.leaves[0][0][0], 505);
	assert_int_equal(result.leaves[0][0][1], 1200);
	assert_int_equal(result.leaves[0][1][0], 700 + 1);
	assert_int_equal(result.leaves[0][1][1], 173);
	assert_int_equal(result.leaves[1][0][1] + result.leaves[1][1][1], 3);
	assert_int_equal(result.prot_none, 40);
	assert_int_equal(result.not_present, 0);
	assert_int_equal(result.unresolved, 0);
	assert_int_equal(result.entries_read, 15 * 512);
	assert_false(result.torn);
}

static void test_five_levels(void **state)
{
	struct ptdump_result result;
	struct err err;

	(void)state;
	if (dump_image(IMAGES "linux-6.12-5-level.gz", 169, &result, &err))
		fail_msg("%s", err.text);
	assert_int_equal(result.levels, 5);
	assert_int_equal(result.table_pages[4][1], 1);
	assert_int_equal(ptdump_table_bytes(&result) / 1024 - 8, 76 - 3 * 4);
	assert_int_equal(result.leaves[0][0][1], 1200);
	assert_int_equal(result.leaves[0][1][0], 862 + 1);
	assert_int_equal(result.leaves[0][1][1], 11);
	assert_int_equal(result.leaves[1][1][1], 3);
	assert_int_equal(result.prot_none, 40);
	assert_false(result.torn);
}

static void test_round_trip(void **state)
{
	const struct ptdump_options options = {.reader = "image:" IMAGES "linux-6.12-5-level.gz"};
	char path[] = "/tmp/ptdump-image-XXXXXX";
	struct ptdump_result before, after;
	struct ptdump *ptdump;
	struct err err = {0};

	(void)state;
	close(mkstemp(path));
	assert_int_equal(ptdump_open(&ptdump, &options, &err), 0);
	assert_int_equal(ptdump_process(ptdump, 169, &before, &err), 0);
	assert_int_equal(ptdump_record(ptdump, 169, path, &err), 0);
	ptdump_close(ptdump);
	assert_int_equal(dump_image(path, 169, &after, &err), 0);
	before.duration_ns = after.duration_ns = 0;
	assert_memory_equal(&before, &after, sizeof(before));
	unlink(path);
}

static void assert_refused(const char *path, pid_t pid, const char *expected)
{
	struct ptdump_result result;
	struct err err;

	assert_int_equal(dump_image(path, pid, &result, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	if (!strstr(err.text, expected))
		fail_msg("'%s' does not mention '%s'", err.text, expected);
}

static void test_refusals(void **state)
{
	struct fake_root root;
	char path[128], *data;
	struct fs here;
	size_t length;

	(void)state;
	assert_refused(IMAGES "linux-6.1-4-level.gz", 1, "of process 116, not of 1");
	assert_refused("/no/such/image", 1, "No such file");
	assert_refused("LICENSE", 1, "no recorded image");
	fake_root_make(&root);
	snprintf(path, sizeof(path), "%s/image", root.path);
	fake_root_text(&root, "image",
		       "{\"format\":\"ptdump-image\",\"version\":2,\"pid\":1,\"root_address\":0,"
		       "\"levels\":4,\"frame_mask\":0,\"nodes\":[],\"tables\":1}\n");
	assert_refused(path, 1, "version 2");
	assert_int_equal(fs_open(&here, ".", NULL), 0);
	data = fs_read_all(&here, IMAGES "linux-6.1-4-level.gz", &length);
	assert_non_null(data);
	fake_root_write(&root, "image", data, length / 2);
	assert_refused(path, 116, "cut short");
	free(data);
	fs_close(&here);
	fake_root_remove(&root);
}

static void test_reader_names(void **state)
{
	static const char *const names[] = {"", "kcor", "kcore2", "devmem", "imag:x", ":"};
	struct ptdump *ptdump;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct ptdump_options options = {.reader = names[i]};
		struct err err = {0};

		assert_int_equal(ptdump_open(&ptdump, &options, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "unknown reader"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_four_levels),  cmocka_unit_test(test_five_levels),
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_reader_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
