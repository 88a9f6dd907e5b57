/* SPDX-License-Identifier: MIT */
/*
 * Offsets of members in the running kernel's structures, from its BTF.
 *
 * mm_struct.pgd and others sit in nested anonymous structs (their place changes with the kernel's
 * version and its structure randomisation), so members are searched through those.
 */
#ifndef HARNESS_BTF_LAYOUT_H
#define HARNESS_BTF_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/fs.h"

struct btf;

/* What finding the root table of a process needs; offsets in bytes. */
struct btf_layout {
	uint32_t task_tasks;        /* struct list_head of all processes */
	uint32_t task_tgid;         /* the PID that users see */
	uint32_t task_mm;           /* NULL: kernel thread, or the process has exited */
	uint32_t task_group_leader; /* from the current thread to its process */
	uint32_t mm_pgd;            /* kernel virtual address of the root table */
};

/* Offset in bytes of `type.member`. ERR_MACHINE when the kernel has no such type or member. */
int btf_layout_offset(const struct btf *btf, const char *type, const char *member, uint32_t *offset,
		      struct err *err);

int btf_layout_fill(struct btf_layout *layout, const struct btf *btf, struct err *err);

/* Of the running kernel: /sys/kernel/btf/vmlinux below the root. */
int btf_layout_read(struct btf_layout *layout, const struct fs *fs, struct err *err);

#endif
