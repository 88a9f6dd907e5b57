/* SPDX-License-Identifier: MIT */
/*
 * Where page tables are read from: one row of operations per way.
 *
 *   kcore  /proc/kcore, the kernel's memory as an ELF core file (CONFIG_PROC_KCORE)
 *   bpf    a BPF program that copies kernel memory into an array shared with us
 * (CONFIG_BPF_SYSCALL) image  a file recorded by ptdump_image_record(), for tests and for bug
 * reports
 *
 * All of them hand out whole tables by physical address, many at a time. The two live readers also
 * read kernel memory by virtual address, from which ptdump_task.c finds a process's root table.
 */
#ifndef HARNESS_PTDUMP_READER_H
#define HARNESS_PTDUMP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/fs.h"
#include "harness/nodemap.h"

#define PTDUMP_ENTRIES     512
#define PTDUMP_TABLE_BYTES 4096
/* Tables per read: 128 KiB, so that they are still in the second-level cache when counted. */
#define PTDUMP_BATCH 32

struct ptdump_space {
	uint64_t root_address; /* physical, of the root table */
	int levels;            /* 4 or 5 */
};

/* What a batch read returns; valid until the next read. */
struct ptdump_batch {
	const uint64_t (*tables)[PTDUMP_ENTRIES];
	bool failed[PTDUMP_BATCH]; /* that table could not be read: no memory at the address */
};

struct ptdump_reader;

struct ptdump_reader_ops {
	const char *name;
	/* `argument` is what follows "NAME:"; NULL without. ERR_MACHINE tells what is missing. */
	struct ptdump_reader *(*open)(const char *argument, const struct fs *fs, struct err *err);
	void (*close)(struct ptdump_reader *reader);
	/* The root table of a process; ERR_USAGE if it has none. */
	int (*find)(struct ptdump_reader *reader, pid_t pid, struct ptdump_space *space,
		    struct err *err);
	/* Reads nr <= PTDUMP_BATCH tables. Fails as a whole only if the reader broke. */
	int (*read)(struct ptdump_reader *reader, const uint64_t *addresses, size_t nr,
		    struct ptdump_batch *batch, struct err *err);
};

struct ptdump_reader {
	const struct ptdump_reader_ops *ops;
	uint64_t frame_mask; /* the address bits of an entry: 12 to MAXPHYADDR - 1 */
	struct nodemap *nodes;
};

extern const struct ptdump_reader_ops ptdump_kcore_ops;
extern const struct ptdump_reader_ops ptdump_bpf_ops;
extern const struct ptdump_reader_ops ptdump_image_ops;

/* What /proc/cpuinfo says about paging; ERR_MACHINE when the CPU is not x86-64. */
struct ptdump_cpu {
	int levels;
	uint64_t frame_mask;
};
int ptdump_cpu_read(struct ptdump_cpu *cpu, const struct fs *fs, struct err *err);

/* What both live readers need besides memory: PID namespace checked, node map and frame mask. */
int ptdump_reader_init(struct ptdump_reader *reader, const struct ptdump_reader_ops *ops,
		       const struct fs *fs, struct ptdump_cpu *cpu, struct err *err);

/* Whether lockdown keeps kernel memory from everybody: kcore and BPF alike. */
bool ptdump_locked_down(const struct fs *fs);

/* Why kernel memory may be refused, as the end of a sentence: user, lockdown, container. */
const char *ptdump_refusal(const struct fs *fs, char *text, size_t size);

#endif
