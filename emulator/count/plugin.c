// SPDX-License-Identifier: MIT
/*
 * Counts the instructions that a guest executes between markers, kernel and user mode apart, and
 * writes one line for each region. For guests whose vCPUs take turns on one thread (-icount).
 *
 * Each instruction counts when it is executed, by an addition in the translated code: a block that
 * a fault leaves in the middle is not counted whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emulator/count/regions.h"
#include "emulator/plugin/qemu_api.h"

#define INSN_BYTES_MAX 16

/* QEMU's callbacks carry no context from installation to translation, hence the one static. */
static struct {
	struct regions regions;
	int log_fd;
} count = {.log_fd = STDERR_FILENO};

QEMU_EXPORT int qemu_plugin_version = MODEL_QEMU_API;
QEMU_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
				    char **argv);

static void on_marker(unsigned vcpu, void *context)
{
	char line[REGIONS_LINE_MAX];

	(void)vcpu;
	if (regions_mark(&count.regions, (enum regions_event)(uintptr_t)context, line) &&
	    write(count.log_fd, line, strlen(line)) < 0)
		abort();
}

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

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	const size_t nr = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < nr; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint64_t address = qemu_plugin_insn_vaddr(insn);
		uint8_t bytes[INSN_BYTES_MAX];
		const size_t size = insn_bytes(insn, bytes);
		const enum regions_event event = regions_recognise(bytes, size);

		if (event != REGIONS_NONE)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, QEMU_CB_NO_REGS,
							       (void *)(uintptr_t)event);
		else
			qemu_plugin_register_vcpu_insn_exec_inline(
				insn, QEMU_INLINE_ADD_U64, regions_counter(&count.regions, address),
				1);
	}
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0) {
		fprintf(stderr, "emu_count: for qemu-system-x86_64 only\n");
		return -1;
	}
	for (int i = 0; i < argc; i++)
		if (sscanf(argv[i], "log_fd=%d", &count.log_fd) != 1) {
			fprintf(stderr, "emu_count: unknown option '%s'\n", argv[i]);
			return -1;
		}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
