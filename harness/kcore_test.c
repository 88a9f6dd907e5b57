// SPDX-License-Identifier: MIT
/*
 * The kcore reader on a machine made of files: an ELF core of 64 KiB of "kernel memory" with two
 * processes and a kernel thread in it, kallsyms, BTF, cpuinfo and zoneinfo.
 */
#include <bpf/btf.h>
#include <elf.h>
#include <linux/btf.h>

#include "harness/ptdump.h"
#include "harness/ptdump_reader.h"
#include "harness/ptdump_testing.h"

#define DIRECT_MAP   UINT64_C(0xffff9a4c00000000)
#define KERNEL_IMAGE UINT64_C(0xffffffff9b000000)
#define MEMORY_BYTES 0x10000
#define FILE_OFFSET  0x3000
#define IMAGE_BYTES  0x1000
#define MEMORY_FILE  (FILE_OFFSET + IMAGE_BYTES)
#define USER         UINT64_C(0x67)

/* The members in the order of this fake kernel. */
struct fake_task {
	uint64_t state;
	uint64_t next, previous;
	int32_t pid, tgid;
	uint64_t mm;
	uint64_t group_leader;
};
struct fake_mm {
	uint64_t count;
	uint64_t pgd;
};

#define TASK(n)      (DIRECT_MAP + 0x1000 + 0x100 * (n))
#define TASK_NEXT(n) (TASK(n) + offsetof(struct fake_task, next))
#define MM           (DIRECT_MAP + 0x2000)
#define ROOT         UINT64_C(0x4000)

static void put(unsigned char *memory, uint64_t address, const void *data, size_t size)
{
	memcpy(memory + (address - DIRECT_MAP), data, size);
}

static void put_tables(unsigned char *memory)
{
	for (uint64_t level = 0; level < 3; level++) {
		const uint64_t entry = (ROOT + (level + 1) * 0x1000) | USER;

		put(memory, DIRECT_MAP + ROOT + level * 0x1000, &entry, sizeof(entry));
	}
	for (uint64_t i = 0; i < 5; i++) {
		const uint64_t entry = (0x8000 + i * 0x1000) | USER;

		put(memory, DIRECT_MAP + ROOT + 0x3000 + 8 * i, &entry, sizeof(entry));
	}
}

/* init_task (in the kernel's image) -> 77, with an address space -> 78, a kernel thread ->
 * init_task */
static void write_kcore(const struct fake_root *root)
{
	static unsigned char file[MEMORY_FILE + MEMORY_BYTES];
	unsigned char *memory = file + MEMORY_FILE;
	const uint64_t init_next = KERNEL_IMAGE + 0x100 + offsetof(struct fake_task, next);
	const struct fake_task init = {.next = TASK_NEXT(1)};
	const struct fake_task user = {.next = TASK_NEXT(2), .pid = 77, .tgid = 77, .mm = MM};
	const struct fake_task thread = {.next = init_next, .pid = 78, .tgid = 78};
	const struct fake_mm mm = {.pgd = DIRECT_MAP + ROOT};
	const Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
				   .e_phoff = sizeof(Elf64_Ehdr),
				   .e_phentsize = sizeof(Elf64_Phdr),
				   .e_phnum = 4};
	const Elf64_Phdr segments[4] = {
		{.p_type = PT_NOTE},
		{.p_type = PT_LOAD,
		 .p_vaddr = KERNEL_IMAGE,
		 .p_paddr = 0x1000000,
		 .p_memsz = IMAGE_BYTES,
		 .p_offset = FILE_OFFSET},
		{.p_type = PT_LOAD,
		 .p_vaddr = UINT64_C(0xffffb00000000000),
		 .p_paddr = UINT64_MAX,
		 .p_memsz = 4096},
		{.p_type = PT_LOAD,
		 .p_vaddr = DIRECT_MAP + 0x1000,
		 .p_paddr = 0x1000,
		 .p_memsz = MEMORY_BYTES - 0x1000,
		 .p_offset = MEMORY_FILE + 0x1000},
	};

	memset(file, 0, sizeof(file));
	memcpy(file, &header, sizeof(header));
	memcpy(file + sizeof(header), segments, sizeof(segments));
	memcpy(file + FILE_OFFSET + 0x100, &init, sizeof(init));
	put(memory, TASK(1), &user, sizeof(user));
	put(memory, TASK(2), &thread, sizeof(thread));
	put(memory, MM, &mm, sizeof(mm));
	put_tables(memory);
	fake_root_write(root, "proc/kcore", file, sizeof(file));
}

static void write_btf(const struct fake_root *root)
{
	struct btf *btf = btf__new_empty();
	const int u64 = btf__add_int(btf, "u64", 8, 0);
	const int u32 = btf__add_int(btf, "u32", 4, 0);
	const void *data;
	uint32_t size;

	btf__add_struct(btf, "task_struct", sizeof(struct fake_task));
	btf__add_field(btf, "tasks", u64, 8 * offsetof(struct fake_task, next), 0);
	btf__add_field(btf, "tgid", u32, 8 * offsetof(struct fake_task, tgid), 0);
	btf__add_field(btf, "mm", u64, 8 * offsetof(struct fake_task, mm), 0);
	btf__add_field(btf, "group_leader", u64, 8 * offsetof(struct fake_task, group_leader), 0);
	btf__add_struct(btf, "mm_struct", sizeof(struct fake_mm));
	btf__add_field(btf, "pgd", u64, 8 * offsetof(struct fake_mm, pgd), 0);
	data = btf__raw_data(btf, &size);
	fake_root_write(root, "sys/kernel/btf/vmlinux", data, size);
	btf__free(btf);
}

static void write_machine(const struct fake_root *root)
{
	write_kcore(root);
	write_btf(root);
	fake_root_text(root, "proc/kallsyms",
		       "ffffffff9b000000 T _stext\nffffffff9b000040 d init_task_x\n"
		       "ffffffff9b000100 D init_task\nffffffffc0000000 t init_task\t[module]\n");
	fake_root_text(root, "proc/cpuinfo",
		       "processor\t: 0\nflags\t\t: fpu pae lm nx\n"
		       "address sizes\t: 46 bits physical, 48 bits virtual\n");
	fake_root_text(root, "proc/zoneinfo",
		       "Node 0, zone DMA\n        spanned  15\n  start_pfn:           1\n");
}

static int open_machine(const struct fake_root *root, struct ptdump **ptdump, struct err *err)
{
	const struct ptdump_options options = {.reader = "kcore", .root = &root->fs};

	*err = (struct err){0};
	return ptdump_open(ptdump, &options, err);
}

static void test_dump(void **state)
{
	struct fake_root root;
	struct ptdump *ptdump;
	struct ptdump_result result;
	struct err err;
	uint64_t address;
	int levels;

	(void)state;
	fake_root_make(&root);
	write_machine(&root);
	if (open_machine(&root, &ptdump, &err))
		fail_msg("%s", err.text);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(ptdump_process(ptdump, 77, &result, &err), 0);
		assert_string_equal(result.reader, "kcore");
		assert_int_equal(result.pid, 77);
		assert_int_equal(result.levels, 4);
		assert_int_equal(result.root_address, ROOT);
		assert_int_equal(ptdump_table_pages(&result, 0), 4);
		assert_int_equal(result.leaves[0][0][0], 5);
		assert_false(result.torn);
	}
	assert_int_equal(ptdump_root(ptdump, 77, &address, &levels, &err), 0);
	assert_int_equal(address, ROOT);
	assert_int_equal(levels, 4);
	ptdump_close(ptdump);
	fake_root_remove(&root);
}

static void test_no_address_space(void **state)
{
	struct fake_root root;
	struct ptdump *ptdump;
	struct ptdump_result result;
	struct err err;

	(void)state;
	fake_root_make(&root);
	write_machine(&root);
	fake_root_text(&root, "proc/79/status", "Name:\tx\nTgid:\t77\nPid:\t79\n");
	assert_int_equal(open_machine(&root, &ptdump, &err), 0);
	assert_int_equal(ptdump_process(ptdump, 78, &result, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "kernel thread"));
	err_clear(&err);
	assert_int_equal(ptdump_process(ptdump, 5, &result, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.text, "there is no process 5");
	err_clear(&err);
	assert_int_equal(ptdump_process(ptdump, 79, &result, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "thread of process 77"));
	ptdump_close(ptdump);
	fake_root_remove(&root);
}

static void test_what_is_missing(void **state)
{
	static const struct {
		const char *path, *text, *expected;
	} cases[] = {
		{"proc/kallsyms", "ffffffff9b000000 T _stext\n", "CONFIG_KALLSYMS_ALL"},
		{"proc/kallsyms", "0000000000000000 D init_task\n", "kptr_restrict"},
		{"proc/kcore", "not ELF", "no 64-bit ELF"},
		{"proc/cpuinfo", "processor : 0\nFeatures : fp asimd\n", "x86-64"},
		{"proc/zoneinfo", "", "/proc/zoneinfo"},
		{"sys/kernel/btf/vmlinux", "", "CONFIG_DEBUG_INFO_BTF"},
	};
	struct ptdump *ptdump;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake_root root;

		fake_root_make(&root);
		write_machine(&root);
		fake_root_text(&root, cases[i].path, cases[i].text);
		assert_int_equal(open_machine(&root, &ptdump, &err), -1);
		assert_null(ptdump);
		assert_int_equal(err.kind, ERR_MACHINE);
		if (!strstr(err.text, cases[i].expected))
			fail_msg("'%s' does not mention %s", err.text, cases[i].expected);
		fake_root_remove(&root);
	}
}

static void test_nothing_there(void **state)
{
	struct fake_root root;
	struct ptdump *ptdump;
	struct err err;

	(void)state;
	fake_root_make(&root);
	assert_int_equal(open_machine(&root, &ptdump, &err), -1);
	assert_int_equal(err.kind, ERR_MACHINE);
	assert_non_null(strstr(err.text, "CONFIG_PROC_KCORE"));
	fake_root_remove(&root);
}

/* A PID would name another process. */
static void test_pid_namespace(void **state)
{
	struct fake_root root;
	struct ptdump *ptdump;
	struct err err;
	char path[128];

	(void)state;
	fake_root_make(&root);
	write_machine(&root);
	fake_root_directory(&root, "proc/self/ns");
	snprintf(path, sizeof(path), "%s/proc/self/ns/pid", root.path);
	assert_int_equal(symlink("pid:[4026532281]", path), 0);
	assert_int_equal(open_machine(&root, &ptdump, &err), -1);
	assert_non_null(strstr(err.text, "container"));
	fake_root_remove(&root);
}

static void test_cpu(void **state)
{
	struct fake_root root;
	struct ptdump_cpu cpu;

	(void)state;
	fake_root_make(&root);
	fake_root_text(
		&root, "proc/cpuinfo",
		"processor\t: 0\nflags\t\t: fpu la57 lm\naddress sizes\t: 52 bits physical\n");
	assert_int_equal(ptdump_cpu_read(&cpu, &root.fs, NULL), 0);
	assert_int_equal(cpu.levels, 5);
	assert_int_equal(cpu.frame_mask, UINT64_C(0x000ffffffffff000));
	/* The last flag, and a flag that only contains the name. */
	fake_root_text(
		&root, "proc/cpuinfo",
		"processor\t: 0\nflags\t\t: fpu xla57 la57\naddress sizes\t: 39 bits physical\n");
	assert_int_equal(ptdump_cpu_read(&cpu, &root.fs, NULL), 0);
	assert_int_equal(cpu.levels, 5);
	assert_int_equal(cpu.frame_mask, UINT64_C(0x7ffffff000));
	fake_root_text(
		&root, "proc/cpuinfo",
		"processor\t: 0\nflags\t\t: fpu la57x lm\naddress sizes\t: 39 bits physical\nbugs : la57\n");
	assert_int_equal(ptdump_cpu_read(&cpu, &root.fs, NULL), 0);
	assert_int_equal(cpu.levels, 4);
	fake_root_remove(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_no_address_space),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_pid_namespace),
		cmocka_unit_test(test_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
