/* SPDX-License-Identifier: MIT */
/*
 * The part of QEMU's TCG plugin interface that the model uses, declared here because distributions
 * do not package QEMU's header. It is a stable C ABI, documented in QEMU's docs/devel/tcg-plugins.
 *
 * Versions of the interface: QEMU 4.2 to 8.2 accept version 1, what this file is written for. From
 * 9.0 on QEMU refuses plugins older than version 2 when it loads them, and says so; version 3 (9.1)
 * made qemu_plugin_insn_data() copy. Building with -DMODEL_QEMU_API=N (N = what that QEMU's
 * `-plugin` error asks for) follows these changes; it was tried with QEMU 7.2 only.
 */
#ifndef EMULATOR_PLUGIN_QEMU_API_H
#define EMULATOR_PLUGIN_QEMU_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef MODEL_QEMU_API
#define MODEL_QEMU_API 1
#endif

#define QEMU_EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;

struct qemu_info {
	const char *target_name;
	struct {
		int min, cur;
	} version;
	bool system_emulation;
	struct {
		int smp_vcpus, max_vcpus;
	} system;
};

enum qemu_inline_op { QEMU_INLINE_ADD_U64 = 0 };
enum qemu_cb_flags { QEMU_CB_NO_REGS = 0 };
/* QEMU 7.2 was seen to miss loads that were asked for alone, hence always both. */
enum qemu_mem_rw { QEMU_MEM_RW = 3 };

typedef void qemu_simple_cb(qemu_plugin_id_t id);
typedef void qemu_translate_cb(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void qemu_exec_cb(unsigned vcpu, void *context);
typedef void qemu_mem_cb(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *context);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_translate_cb *cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, qemu_exec_cb *cb, int flags,
					  void *context);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_exec_cb *cb,
					    int flags, void *context);
/* Up to QEMU 8.2; from 9.0 on it takes a scoreboard's entry. */
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
						enum qemu_inline_op op, void *counter,
						uint64_t add);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_mem_cb *cb, int flags,
				      int rw, void *context);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *address);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *address);
/* Drops every registration and all translated code, then calls `cb` while no vCPU runs. */
void qemu_plugin_reset(qemu_plugin_id_t id, qemu_simple_cb *cb);

#if MODEL_QEMU_API >= 3
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *data, size_t size);
#else
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
#endif

#endif
