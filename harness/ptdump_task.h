/* SPDX-License-Identifier: MIT */
/*
 * From a PID to its root table: the kernel's list of processes, read through its memory.
 */
#ifndef HARNESS_PTDUMP_TASK_H
#define HARNESS_PTDUMP_TASK_H

#include "harness/btf_layout.h"
#include "harness/ptdump_reader.h"

/* The kernel's memory, as a live reader gives it. */
struct ptdump_memory {
	/* By virtual address, at most 4096 bytes; -1 if the address is not readable. */
	int (*read)(void *context, uint64_t address, void *data, size_t size);
	void *context;
	uint64_t first_task;      /* any process: the list is circular; new ones come before it */
	uint64_t direct_map;      /* virtual address of physical address 0 */
	struct btf_layout layout; /* of the running kernel */
	int levels;
	/* The last process found. Its task_struct is looked at first: a search reads those of all
	 * processes, in an emulated machine for longer than the dump itself. */
	pid_t last_pid;
	uint64_t last_task;
};

/* ERR_USAGE: no such process, a thread's id, or no address space. */
int ptdump_task_find(struct ptdump_memory *memory, const struct fs *fs, pid_t pid,
		     struct ptdump_space *space, struct err *err);

#endif
