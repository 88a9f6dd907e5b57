// SPDX-License-Identifier: MIT
#include "harness/btf_layout.h"

#include <bpf/btf.h>

#include "harness/ptdump_testing.h"

/*
 * struct mm_struct {                        // 64 bytes
 *	struct { u64 count; union { u64 pgd_or; const typedef struct { u64 x; u64 pgd; } } };
 *	struct named { u64 hidden; } inner;   // a named member: not searched
 *	u32 flag:1;
 * };
 */
static struct btf *make_btf(void)
{
	struct btf *btf = btf__new_empty();
	const int u64 = btf__add_int(btf, "u64", 8, 0);
	const int u32 = btf__add_int(btf, "u32", 4, 0);
	int deepest, typedefed, constant, joined, outer, named;

	deepest = btf__add_struct(btf, NULL, 16);
	btf__add_field(btf, "x", u64, 0, 0);
	btf__add_field(btf, "pgd", u64, 64, 0);
	typedefed = btf__add_typedef(btf, "deepest_t", deepest);
	constant = btf__add_const(btf, typedefed);
	joined = btf__add_union(btf, NULL, 16);
	btf__add_field(btf, "pgd_or", u64, 0, 0);
	btf__add_field(btf, NULL, constant, 0, 0);
	outer = btf__add_struct(btf, NULL, 24);
	btf__add_field(btf, "count", u64, 0, 0);
	btf__add_field(btf, NULL, joined, 64, 0);
	named = btf__add_struct(btf, "named", 8);
	btf__add_field(btf, "hidden", u64, 0, 0);
	btf__add_struct(btf, "mm_struct", 64);
	btf__add_field(btf, NULL, outer, 64, 0);
	btf__add_field(btf, "inner", named, 256, 0);
	btf__add_field(btf, "flag", u32, 321, 1);
	return btf;
}

static void add_task_struct(struct btf *btf)
{
	const int u64 = btf__find_by_name(btf, "u64");
	const int u32 = btf__find_by_name(btf, "u32");

	btf__add_struct(btf, "task_struct", 128);
	btf__add_field(btf, "tasks", u64, 8 * 16, 0);
	btf__add_field(btf, "mm", u64, 8 * 40, 0);
	btf__add_field(btf, "tgid", u32, 8 * 52, 0);
	btf__add_field(btf, "group_leader", u64, 8 * 64, 0);
}

static void test_nested_anonymous(void **state)
{
	struct btf *btf = make_btf();
	struct err err = {0};
	uint32_t offset;

	(void)state;
	/* mm_struct + 8, outer + 8, union + 0, deepest + 8 */
	assert_int_equal(btf_layout_offset(btf, "mm_struct", "pgd", &offset, &err), 0);
	assert_int_equal(offset, 24);
	assert_int_equal(btf_layout_offset(btf, "mm_struct", "pgd_or", &offset, &err), 0);
	assert_int_equal(offset, 16);
	assert_int_equal(btf_layout_offset(btf, "mm_struct", "inner", &offset, &err), 0);
	assert_int_equal(offset, 32);
	btf__free(btf);
}

static void assert_refused(const struct btf *btf, const char *type, const char *member,
			   const char *text)
{
	struct err err = {0};
	uint32_t offset;

	assert_int_equal(btf_layout_offset(btf, type, member, &offset, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, text));
}

static void test_refusals(void **state)
{
	struct btf *btf = make_btf();

	(void)state;
	assert_refused(btf, "mm_struct", "hidden", "no member mm_struct.hidden");
	assert_refused(btf, "mm_struct", "flag", "bit field");
	assert_refused(btf, "task_struct", "mm", "no struct task_struct");
	/* There is an int of that name, but no struct. */
	assert_refused(btf, "u64", "mm", "no struct u64");
	btf__free(btf);
}

static void test_fill(void **state)
{
	struct btf *btf = make_btf();
	struct btf_layout layout;
	struct err err = {0};

	(void)state;
	assert_int_equal(btf_layout_fill(&layout, btf, &err), -1);
	err_clear(&err);
	add_task_struct(btf);
	assert_int_equal(btf_layout_fill(&layout, btf, &err), 0);
	assert_int_equal(layout.task_tasks, 16);
	assert_int_equal(layout.task_mm, 40);
	assert_int_equal(layout.task_tgid, 52);
	assert_int_equal(layout.task_group_leader, 64);
	assert_int_equal(layout.mm_pgd, 24);
	btf__free(btf);
}

static void test_read(void **state)
{
	struct btf *btf = make_btf();
	struct btf_layout layout;
	struct err err = {0};
	struct fake_root root;
	const void *data;
	uint32_t size;

	(void)state;
	fake_root_make(&root);
	assert_int_equal(btf_layout_read(&layout, &root.fs, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "CONFIG_DEBUG_INFO_BTF"));
	err_clear(&err);
	add_task_struct(btf);
	data = btf__raw_data(btf, &size);
	fake_root_write(&root, "sys/kernel/btf/vmlinux", data, size);
	assert_int_equal(btf_layout_read(&layout, &root.fs, &err), 0);
	assert_int_equal(layout.mm_pgd, 24);
	fake_root_text(&root, "sys/kernel/btf/vmlinux", "no BTF at all");
	assert_int_equal(btf_layout_read(&layout, &root.fs, &err), -1);
	fake_root_remove(&root);
	btf__free(btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested_anonymous),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
