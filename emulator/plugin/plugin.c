// SPDX-License-Identifier: MIT
/*
 * The glue between QEMU and the model.
 *
 * Outside a region of interest nothing but the markers is instrumented, so a guest that sets up its
 * data runs at QEMU's own speed. A BEGIN has all translated code dropped, and from then on
 * user-mode blocks are translated with a call per block and one per memory access. After an END the
 * calls return at once, and new code is translated without them; the old code is not dropped, since
 * QEMU before 8.0 may still point to its callbacks (may_watch()). Kernel code (upper half of the
 * address space) is never instrumented.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emulator/plugin/decode.h"
#include "emulator/plugin/machine.h"
#include "emulator/plugin/options.h"
#include "emulator/plugin/qemu_api.h"
#include "emulator/plugin/roi.h"

#define INSN_BYTES_MAX       16
#define KERNEL_HALF(address) ((address) >> 63)

/* QEMU's callbacks carry no context from installation to translation, hence the one static. */
static struct {
	struct machine machine;
	struct decoder decoder;
	pthread_mutex_t translating; /* vCPU threads translate at the same time */
	pthread_mutex_t answering;
	struct block *blocks; /* of this region of interest */
	uint64_t marker_ends; /* a marker at the end of a block: where its load is */
	bool instrumented;    /* whether code is translated with calls */
	bool reset_pending;
	qemu_plugin_id_t id;
	int log_fd;
} model = {.translating = PTHREAD_MUTEX_INITIALIZER,
	   .answering = PTHREAD_MUTEX_INITIALIZER,
	   .log_fd = -1};

QEMU_EXPORT int qemu_plugin_version = MODEL_QEMU_API;
QEMU_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
				    char **argv);

static void log_line(const char *line)
{
	if (model.log_fd >= 0)
		dprintf(model.log_fd, "%s\n", line);
}

/* --- while the guest runs
 * ------------------------------------------------------------------------- */

static void on_block(unsigned vcpu, void *context)
{
	struct core *core = &model.machine.cores[vcpu];

	if (core->active)
		core_enter(core, context);
}

static void on_access(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *context)
{
	struct core *core = &model.machine.cores[vcpu];

	if (core->block)
		core_access(core, context, address, qemu_plugin_mem_is_store(info));
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);

static void free_blocks(void)
{
	while (model.blocks) {
		struct block *next = model.blocks->next;

		free(model.blocks->insns);
		free(model.blocks);
		model.blocks = next;
	}
}

/* No vCPU runs and no translated code is left: what is translated from now on fits the state. */
static void on_reset(qemu_plugin_id_t id)
{
	model.reset_pending = false;
	model.instrumented = model.machine.active;
	for (unsigned i = 0; i < model.machine.nr_vcpus; i++)
		model.machine.cores[i].block = NULL;
	free_blocks();
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
}

static void answer(struct roi_descriptor *descriptor)
{
	char line[ROI_LINE_MAX];

	pthread_mutex_lock(&model.answering);
	roi_answer(&model.machine, descriptor, line);
	log_line(line);
	if (!model.machine.active) {
		__atomic_store_n(&model.instrumented, false, __ATOMIC_RELAXED);
	} else if (!model.instrumented && !model.reset_pending) {
		model.reset_pending = true;
		qemu_plugin_reset(model.id, on_reset);
	}
	pthread_mutex_unlock(&model.answering);
}

static void on_marker(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *context)
{
	struct qemu_plugin_hwaddr *where = qemu_plugin_get_hwaddr(info, address);
	struct roi_descriptor *descriptor;

	(void)vcpu;
	(void)context;
	if (!where || qemu_plugin_hwaddr_is_io(where))
		return;
	descriptor = roi_find(&model.machine.memory, qemu_plugin_hwaddr_phys_addr(where));
	if (descriptor)
		answer(descriptor);
	else
		log_line("roi marker without a descriptor");
}

/* --- while QEMU translates
 * ------------------------------------------------------------------------ */

static size_t insn_bytes(const struct qemu_plugin_insn *insn, uint8_t bytes[INSN_BYTES_MAX])
{
	const size_t size = qemu_plugin_insn_size(insn);
	const size_t taken = size < INSN_BYTES_MAX ? size : INSN_BYTES_MAX;

#if MODEL_QEMU_API >= 3
	return qemu_plugin_insn_data(insn, bytes, taken);
#else
	memcpy(bytes, qemu_plugin_insn_data(insn), taken);
	return taken;
#endif
}

/* The load that follows a marker's NOP is where the guest talks to us. */
static void watch_markers(const struct qemu_plugin_tb *tb)
{
	const size_t count = qemu_plugin_tb_n_insns(tb);
	uint64_t expected = __atomic_load_n(&model.marker_ends, __ATOMIC_RELAXED);

	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint64_t address = qemu_plugin_insn_vaddr(insn);
		uint8_t bytes[INSN_BYTES_MAX];
		size_t size;

		if (expected != 0 && address == expected)
			qemu_plugin_register_vcpu_mem_cb(insn, on_marker, QEMU_CB_NO_REGS,
							 QEMU_MEM_RW, NULL);
		size = insn_bytes(insn, bytes);
		if (!roi_is_marker(bytes, size))
			continue;
		expected = address + size;
		if (i == count - 1)
			__atomic_store_n(&model.marker_ends, expected, __ATOMIC_RELAXED);
	}
}

static struct block *new_block(const struct qemu_plugin_tb *tb, size_t count)
{
	struct block *block = calloc(1, sizeof(*block));

	if (!block)
		return NULL;
	block->insns = calloc(count, sizeof(*block->insns));
	if (!block->insns) {
		free(block);
		return NULL;
	}
	block->start = qemu_plugin_tb_vaddr(tb);
	block->nr_insns = (uint32_t)count;
	return block;
}

static void keep_block(struct block *block)
{
	block->next = model.blocks;
	model.blocks = block;
}

/*
 * When an instruction calls one of QEMU's helper functions, QEMU before 8.0 has the CPU point to
 * its memory callbacks while it runs. For the last instruction of a block (the last on a page, say)
 * it does not take that pointer back, and the next helper follows it, also after the block was
 * dropped ("code should not be reached" in qemu_plugin_vcpu_mem_cb), and so it does when a helper
 * leaves by a fault. So code is dropped at a BEGIN only, and of last instructions only those are
 * watched that are translated without helpers; the others count as if they touched no memory.
 */
static bool may_watch(const struct insn *insn, bool last)
{
	return !last || insn->plain || insn->repeats;
}

static void instrument(struct qemu_plugin_tb *tb)
{
	const size_t count = qemu_plugin_tb_n_insns(tb);
	struct block *block;

	pthread_mutex_lock(&model.translating);
	block = new_block(tb, count);
	for (size_t i = 0; block && i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint64_t address = qemu_plugin_insn_vaddr(insn);
		struct insn *decoded = &block->insns[i];
		uint8_t bytes[INSN_BYTES_MAX];
		const size_t size = insn_bytes(insn, bytes);

		decoder_decode(&model.decoder, bytes, size, address, decoded);
		block->end = address + size;
		if ((decoded->reads_memory || decoded->writes_memory) &&
		    may_watch(decoded, i == count - 1))
			qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_CB_NO_REGS,
							 QEMU_MEM_RW, decoded);
	}
	if (block) {
		keep_block(block);
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_CB_NO_REGS, block);
	}
	pthread_mutex_unlock(&model.translating);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	if (KERNEL_HALF(qemu_plugin_tb_vaddr(tb)))
		return;
	if (__atomic_load_n(&model.instrumented, __ATOMIC_RELAXED))
		instrument(tb);
	watch_markers(tb);
}

/* --- installation
 * --------------------------------------------------------------------------------- */

static int set_up(int argc, char **argv, struct err *err)
{
	struct machine *machine = &model.machine;
	struct options options;

	if (options_parse(&options, argc, argv, err) != 0 ||
	    profile_load(&machine->profile, options.profile_path, err) != 0)
		return -1;
	if (options.nr_nodes > machine->profile.nr_nodes)
		return err_set(err, ERR_USAGE, "nodes=%u, but profile %s has %llu",
			       options.nr_nodes, machine->profile.name,
			       (unsigned long long)machine->profile.nr_nodes);
	model.log_fd = options.log_fd;
	machine->scale = options.scale;
	machine->nr_vcpus = options.nr_vcpus;
	memcpy(machine->vcpu_nodes, options.vcpu_nodes, sizeof(machine->vcpu_nodes));
	machine->memory.below_4g_bytes = options.below_4g_bytes;
	for (unsigned i = 0; i < options.nr_nodes; i++)
		if (memory_map_node(&machine->memory, options.memory_fds[i],
				    options.memory_bytes[i], err) != 0)
			return -1;
	if (decoder_init(&model.decoder, err) != 0)
		return -1;
	return machine_start(machine, err);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	struct err err = {.kind = ERR_NONE};

	if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
		err_set(&err, ERR_USAGE, "the model is for qemu-system-x86_64, not %s",
			info->target_name);
	if (err.kind != ERR_NONE || set_up(argc, argv, &err) != 0) {
		err_report("emu_model", &err);
		return -1;
	}
	model.id = id;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
