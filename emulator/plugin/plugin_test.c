// SPDX-License-Identifier: MIT
/*
 * The whole plugin against a fake of QEMU: translation blocks are arrays here, and the test is what
 * executes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "emulator/plugin/guest_fake.h"
#include "emulator/plugin/qemu_api.h"

#define PROFILE "emulator/profiles/xeon-e7-4850v3-2s.profile"

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv);

/* --- the fake
 * ------------------------------------------------------------------------------------- */

struct qemu_plugin_insn {
	const char *bytes;
	size_t size;
	uint64_t address;
	struct {
		qemu_mem_cb *cb;
		void *context;
	} mem[2];
	int nr_mem;
};

struct qemu_plugin_tb {
	struct qemu_plugin_insn insns[4];
	size_t nr_insns;
	qemu_exec_cb *exec;
	void *exec_context;
};

struct qemu_plugin_hwaddr {
	uint64_t physical;
};

static struct {
	qemu_translate_cb *translate;
	qemu_simple_cb *reset;
	struct qemu_plugin_hwaddr hwaddr;
} fake;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_translate_cb *cb)
{
	(void)id;
	fake.translate = cb;
}

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, qemu_exec_cb *cb, int flags,
					  void *context)
{
	(void)flags;
	tb->exec = cb;
	tb->exec_context = context;
}

void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_mem_cb *cb, int flags,
				      int rw, void *context)
{
	(void)flags;
	assert_int_equal(rw, QEMU_MEM_RW);
	insn->mem[insn->nr_mem].cb = cb;
	insn->mem[insn->nr_mem++].context = context;
}

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb)
{
	return tb->nr_insns;
}

uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb)
{
	return tb->insns[0].address;
}

struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index)
{
	return (struct qemu_plugin_insn *)&tb->insns[index];
}

size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn)
{
	return insn->size;
}

uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn)
{
	return insn->address;
}

const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn)
{
	return insn->bytes;
}

/* meminfo: bit 0 is set for a store. */
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info)
{
	return info & 1;
}

struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t vaddr)
{
	(void)info;
	(void)vaddr;
	return &fake.hwaddr;
}

bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *address)
{
	(void)address;
	return false;
}

uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *address)
{
	return address->physical;
}

void qemu_plugin_reset(qemu_plugin_id_t id, qemu_simple_cb *cb)
{
	(void)id;
	fake.translate = NULL;
	fake.reset = cb;
}

/* --- the guest
 * ------------------------------------------------------------------------------------ */

#define DESCRIPTOR UINT64_C(0x200000) /* guest-physical */

static struct fake_guest guest; /* only its memory and tables are used */
static int memory_fds[2];

static struct roi_descriptor *descriptor(void)
{
	return (struct roi_descriptor *)(guest.nodes[0] + DESCRIPTOR);
}

/* nopl marker; mov (%rax),%rcx */
static struct qemu_plugin_tb marker_block(void)
{
	return (struct qemu_plugin_tb){
		.insns = {{"\x0f\x1f\x80\x4f\x54\x49\x4d", 7, 0x1000, {{0}}, 0},
			  {"\x48\x8b\x08", 3, 0x1007, {{0}}, 0}},
		.nr_insns = 2,
	};
}

/* mov (%rdi),%rdi */
static struct qemu_plugin_tb load_block(uint64_t address)
{
	return (struct qemu_plugin_tb){
		.insns = {{"\x48\x8b\x3f", 3, address, {{0}}, 0}},
		.nr_insns = 1,
	};
}

static void execute(struct qemu_plugin_tb *tb, size_t insn, uint64_t address)
{
	if (tb->exec)
		tb->exec(0, tb->exec_context);
	for (int i = 0; i < tb->insns[insn].nr_mem; i++)
		tb->insns[insn].mem[i].cb(0, 0, address, tb->insns[insn].mem[i].context);
}

static void finish_reset(void)
{
	assert_non_null(fake.reset);
	fake.reset(1);
	fake.reset = NULL;
	assert_non_null(fake.translate);
}

static uint32_t command(uint32_t number)
{
	struct qemu_plugin_tb tb = marker_block();

	descriptor()->magic = ROI_MAGIC;
	descriptor()->command = number;
	descriptor()->answer = ROI_UNANSWERED;
	fake.hwaddr.physical = DESCRIPTOR;
	fake.translate(1, &tb);
	execute(&tb, 1, 0x7000);
	return descriptor()->answer;
}

static char *map_node(int node)
{
	memory_fds[node] = memfd_create("node", 0);
	assert_true(memory_fds[node] >= 0);
	assert_int_equal(ftruncate(memory_fds[node], FAKE_NODE_BYTES), 0);
	return mmap(NULL, FAKE_NODE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fds[node], 0);
}

static int install(const char *target, char **argv, int argc)
{
	const struct qemu_info info = {.target_name = target, .system_emulation = true};

	return qemu_plugin_install(1, &info, argc, argv);
}

static int start(void **state)
{
	char fds[2][32];
	char *argv[] = {"profile=" PROFILE,
			"scale=64",
			"nodes=2",
			"mem0_bytes=8M",
			fds[0],
			"mem1_bytes=8M",
			fds[1],
			"below_4g_bytes=16M",
			"vcpu_nodes=0/1"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		guest.nodes[i] = map_node(i);
		memory_add_node(&guest.machine.memory, guest.nodes[i], FAKE_NODE_BYTES);
		snprintf(fds[i], sizeof(fds[i]), "mem%d_fd=%d", i, memory_fds[i]);
	}
	guest.machine.memory.below_4g_bytes = 2 * FAKE_NODE_BYTES;
	fake_map(&guest, 0, 0);
	return install("x86_64", argv, 9);
}

/* --- tests
 * ---------------------------------------------------------------------------------------- */

static void wrong_installations_fail(void **state)
{
	char *argv[] = {"profile=/nowhere"};

	(void)state;
	assert_int_not_equal(install("x86_64", argv, 1), 0);
	assert_int_not_equal(install("x86_64", argv, 0), 0);
	assert_int_not_equal(install("aarch64", argv, 1), 0);
}

static void outside_a_region_nothing_is_instrumented(void **state)
{
	struct qemu_plugin_tb tb = load_block(0x2000);

	(void)state;
	fake.translate(1, &tb);
	assert_null(tb.exec);
	assert_int_equal(tb.insns[0].nr_mem, 0);
}

static void a_region_is_modelled(void **state)
{
	struct roi_descriptor *d = descriptor();
	struct qemu_plugin_tb user = load_block(0x2000), kernel = load_block(0xffffffff81000000);

	(void)state;
	assert_int_equal(command(ROI_PROBE), ROI_OK);
	assert_null(fake.reset);
	d->levels = 4;
	d->roots[0] = guest.root;
	d->vcpu_mask = 1;
	assert_int_equal(command(ROI_BEGIN), ROI_OK);
	finish_reset();
	fake.translate(1, &user);
	fake.translate(1, &kernel);
	assert_non_null(user.exec);
	assert_null(kernel.exec);
	execute(&user, 0, FAKE_VIRTUAL);
	execute(&user, 0, FAKE_VIRTUAL + 64);
	user.exec(1, user.exec_context); /* a vCPU that is not in the mask */
	assert_int_equal(command(ROI_END), ROI_OK);
	assert_int_equal(d->counters.accesses, 2);
	assert_int_equal(d->counters.walk_failed, 1); /* the marker's own load is not mapped */
	assert_int_equal(d->counters.walks, 1);
	assert_true(d->total_cycles > 0);
	/* The old code stays and calls in vain; new code does not call. */
	assert_null(fake.reset);
	execute(&user, 0, FAKE_VIRTUAL);
	assert_int_equal(d->counters.accesses, 2);
	assert_int_equal(command(ROI_END), ROI_REFUSED);
	user = load_block(0x2000);
	fake.translate(1, &user);
	assert_null(user.exec);
}

/* pcmpeqb (%rdi),%xmm0, for which QEMU has helpers, before and after a plain mov (%rdi),%rdi. */
static void a_last_instruction_with_helpers_is_not_watched(void **state)
{
	struct qemu_plugin_tb tb = {
		.insns = {{"\x66\x0f\x74\x07", 4, 0x3000, {{0}}, 0},
			  {"\x48\x8b\x3f", 3, 0x3004, {{0}}, 0},
			  {"\x66\x0f\x74\x07", 4, 0x3007, {{0}}, 0}},
		.nr_insns = 3,
	};
	struct qemu_plugin_tb plain = load_block(0x4000);

	(void)state;
	assert_int_equal(command(ROI_BEGIN), ROI_OK);
	finish_reset();
	fake.translate(1, &tb);
	fake.translate(1, &plain);
	assert_int_equal(tb.insns[0].nr_mem, 1);
	assert_int_equal(tb.insns[1].nr_mem, 1);
	assert_int_equal(tb.insns[2].nr_mem, 0);
	assert_int_equal(plain.insns[0].nr_mem, 1);
	assert_int_equal(command(ROI_END), ROI_OK);
	assert_null(fake.reset);
}

/* Its BEGIN drops what was translated between the regions. */
static void a_region_can_follow_at_once(void **state)
{
	(void)state;
	assert_int_equal(command(ROI_BEGIN), ROI_OK);
	finish_reset();
	assert_int_equal(command(ROI_END), ROI_OK);
	assert_null(fake.reset);
	assert_int_equal(command(ROI_BEGIN), ROI_OK);
	finish_reset();
	assert_int_equal(command(ROI_END), ROI_OK);
	assert_null(fake.reset);
}

/* The NOP may be the last instruction of a block and the load the first one of the next. */
static void a_marker_may_be_cut_in_two(void **state)
{
	struct qemu_plugin_tb whole = marker_block(), nop = whole, load = whole;

	(void)state;
	nop.nr_insns = 1;
	load.insns[0] = whole.insns[1];
	load.nr_insns = 1;
	descriptor()->command = ROI_PROBE;
	descriptor()->answer = ROI_UNANSWERED;
	fake.translate(1, &nop);
	fake.translate(1, &load);
	execute(&load, 0, 0x7000);
	assert_int_equal(descriptor()->answer, ROI_OK);
}

static void a_marker_without_a_descriptor_is_left_alone(void **state)
{
	struct qemu_plugin_tb tb = marker_block();

	(void)state;
	descriptor()->magic = 0;
	descriptor()->answer = ROI_UNANSWERED;
	fake.translate(1, &tb);
	execute(&tb, 1, 0x7000);
	assert_int_equal(descriptor()->answer, ROI_UNANSWERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_installations_fail),
		cmocka_unit_test_setup(outside_a_region_nothing_is_instrumented, start),
		cmocka_unit_test(a_region_is_modelled),
		cmocka_unit_test(a_last_instruction_with_helpers_is_not_watched),
		cmocka_unit_test(a_region_can_follow_at_once),
		cmocka_unit_test(a_marker_may_be_cut_in_two),
		cmocka_unit_test(a_marker_without_a_descriptor_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
