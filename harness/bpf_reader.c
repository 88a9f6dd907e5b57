// SPDX-License-Identifier: MIT
/*
 * Page tables through BPF: for kernels without /proc/kcore, or with it closed.
 *
 * One program of type "syscall" (Linux 5.14), run by BPF_PROG_TEST_RUN, copies up to PTDUMP_BATCH
 * pieces of kernel memory with bpf_probe_read_kernel() into an array map that is mapped here. It is
 * assembled below from 24 instructions instead of compiled with clang: neither a compiler for BPF
 * at build time nor CO-RE relocations are needed, as all offsets come from BTF when it runs.
 *
 * The base of the direct map is no symbol in every kernel's kallsyms (CONFIG_KALLSYMS_ALL), so it
 * is found by trial: a page of ours with a random content has a frame number that
 * /proc/self/pagemap tells. The base is a multiple of 1 GiB (also with CONFIG_RANDOMIZE_MEMORY,
 * which shuffles PUDs), and lies at most the size of memory below the root table of this process.
 * Each candidate is tried with one read of that frame; the one that shows our content, twice with
 * different content, is it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "harness/ptdump_reader.h"
#include "harness/ptdump_task.h"

/* What program and reader share: the value of the array map's only element. */
struct shared {
	uint64_t nr;   /* pieces to read */
	uint64_t size; /* bytes of each, at most 4096 */
	uint64_t task; /* out: the task_struct of the thread that ran the program */
	uint64_t unused;
	uint64_t address[PTDUMP_BATCH]; /* in: kernel virtual address; out: 0 or a negative errno */
	uint64_t data[PTDUMP_BATCH][PTDUMP_ENTRIES] __attribute__((aligned(4096)));
};

struct bpf_reader {
	struct ptdump_reader base;
	struct fs fs;
	struct ptdump_memory memory;
	struct shared *shared;
	int map_fd;
	int program_fd;
};

#define INSN(c, d, s, o, i)                                                                  \
	{                                                                                    \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (int32_t)(i) \
	}
#define MOV_REG(d, s)      INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i)      INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_REG(d, s)      INSN(BPF_ALU64 | BPF_ADD | BPF_X, d, s, 0, 0)
#define ALU_IMM(op, d, i)  INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define LOAD(d, s, o)      INSN(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)
#define STORE(d, o, s)     INSN(BPF_STX | BPF_MEM | BPF_DW, d, s, o, 0)
#define JUMP_GE(d, s, o)   INSN(BPF_JMP | BPF_JGE | BPF_X, d, s, o, 0)
#define JUMP_GT_K(d, i, o) INSN(BPF_JMP | BPF_JGT | BPF_K, d, 0, o, i)
#define JUMP_LT_K(d, i, o) INSN(BPF_JMP | BPF_JLT | BPF_K, d, 0, o, i)
#define CALL(f)            INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define EXIT()             INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int refused(const struct bpf_reader *reader, int errnum, struct err *err)
{
	char remedy[256];

	if (errnum == ENOSYS)
		return err_set(err, ERR_MACHINE, "the kernel has no BPF (CONFIG_BPF_SYSCALL)");
	return err_set_errno(err, ERR_MACHINE, errnum, "BPF is refused (%s)",
			     ptdump_refusal(&reader->fs, remedy, sizeof(remedy)));
}

/*
 * r6 = shared, r7 = index, r8 = size, r9 = &shared->address[index] (the verifier unrolls the loop,
 * so every address is a constant to it). The comments give what C would say.
 */
static int load_program(struct bpf_reader *reader, struct err *err)
{
	const struct bpf_insn program[] = {
		/* r6 = shared */
		INSN(BPF_LD | BPF_IMM | BPF_DW, 6, BPF_PSEUDO_MAP_VALUE, 0, reader->map_fd),
		INSN(0, 0, 0, 0, 0),
		/* shared->task = current */
		CALL(BPF_FUNC_get_current_task),
		STORE(6, offsetof(struct shared, task), 0),
		/* size > 4096 ends it: the bound the verifier wants to see */
		LOAD(8, 6, offsetof(struct shared, size)),
		JUMP_GT_K(8, PTDUMP_TABLE_BYTES, 16),
		MOV_IMM(7, 0),
		/* loop: if (index >= shared->nr) end */
		LOAD(1, 6, offsetof(struct shared, nr)),
		JUMP_GE(7, 1, 13),
		/* r9 = &shared->address[index] */
		MOV_REG(9, 7),
		ALU_IMM(BPF_LSH, 9, 3),
		ADD_REG(9, 6),
		/* address[index] = bpf_probe_read_kernel(data[index], size, address[index]) */
		MOV_REG(1, 7),
		ALU_IMM(BPF_LSH, 1, 12),
		ADD_REG(1, 6),
		ALU_IMM(BPF_ADD, 1, offsetof(struct shared, data)),
		MOV_REG(2, 8),
		LOAD(3, 9, offsetof(struct shared, address)),
		CALL(BPF_FUNC_probe_read_kernel),
		STORE(9, offsetof(struct shared, address), 0),
		/* if (++index < PTDUMP_BATCH) goto loop */
		ALU_IMM(BPF_ADD, 7, 1),
		JUMP_LT_K(7, PTDUMP_BATCH, -15),
		MOV_IMM(0, 0),
		EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);

	/* bpf_probe_read_kernel() may be called by GPL-compatible programs only. */
	reader->program_fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "ptdump", "Dual MIT/GPL", program,
					   sizeof(program) / sizeof(program[0]), &options);
	if (reader->program_fd >= 0)
		return 0;
	/* A helper that is locked away is the same to the verifier as one that does not exist. */
	if (errno == EINVAL && !ptdump_locked_down(&reader->fs))
		return err_set(err, ERR_MACHINE,
			       "the kernel does not know this BPF program: Linux 5.14 or later is "
			       "needed");
	return refused(reader, errno, err);
}

static int create_map(struct bpf_reader *reader, struct err *err)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	void *mapped;

	reader->map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ptdump", sizeof(uint32_t),
					sizeof(struct shared), 1, &options);
	if (reader->map_fd < 0)
		return refused(reader, errno, err);
	mapped = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      reader->map_fd, 0);
	if (mapped == MAP_FAILED)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot map a BPF array");
	reader->shared = mapped;
	return 0;
}

static int run(struct bpf_reader *reader, size_t nr, size_t size, struct err *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);

	reader->shared->nr = nr;
	reader->shared->size = size;
	if (bpf_prog_test_run_opts(reader->program_fd, &options))
		return err_set_errno(err, ERR_MACHINE, errno, "cannot run a BPF program");
	return 0;
}

static int read_memory(void *context, uint64_t address, void *data, size_t size)
{
	struct bpf_reader *reader = context;

	if (size > PTDUMP_TABLE_BYTES)
		return -1;
	reader->shared->address[0] = address;
	if (run(reader, 1, size, NULL) || reader->shared->address[0] != 0)
		return -1;
	memcpy(data, reader->shared->data[0], size);
	return 0;
}

static int frame_of(const struct fs *fs, const void *page, uint64_t *frame, struct err *err)
{
	const int fd = openat(fs->root_fd, "proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;
	ssize_t n = -1;

	if (fd >= 0) {
		n = pread(fd, &entry, sizeof(entry),
			  (off_t)((uintptr_t)page / PTDUMP_TABLE_BYTES * sizeof(entry)));
		close(fd);
	}
	/* Documentation/admin-guide/mm/pagemap.rst: bits 0-54 frame (0 if not allowed), 63 present.
	 */
	*frame = entry & ((UINT64_C(1) << 55) - 1);
	if (n == sizeof(entry) && entry >> 63 && *frame != 0)
		return 0;
	return err_set(err, ERR_MACHINE,
		       "/proc/self/pagemap does not tell frame numbers (needs CAP_SYS_ADMIN and "
		       "CONFIG_PROC_PAGE_MONITOR)");
}

/* Whether memory read at `address` shows the page's content. */
static bool shows_page(struct bpf_reader *reader, uint64_t address, const void *page)
{
	char seen[PTDUMP_TABLE_BYTES];

	return read_memory(reader, address, seen, sizeof(seen)) == 0 &&
	       memcmp(seen, page, sizeof(seen)) == 0;
}

#define DIRECT_MAP_ALIGNMENT (UINT64_C(1) << 30)

/* `page` is one locked page of ours; `root` the kernel's virtual address of our root table. */
static int try_bases(struct bpf_reader *reader, void *page, uint64_t root, struct err *err)
{
	const uint64_t memory_bytes = (uint64_t)reader->base.nodes->nr_granules
				      << (reader->base.nodes->shift + NODEMAP_FRAME_SHIFT);
	const uint64_t highest = root & ~(DIRECT_MAP_ALIGNMENT - 1);
	uint64_t frame;

	if (getrandom(page, PTDUMP_TABLE_BYTES, 0) != PTDUMP_TABLE_BYTES)
		return err_set_errno(err, ERR_INTERNAL, errno, "no random numbers");
	if (frame_of(&reader->fs, page, &frame, err))
		return -1;
	for (uint64_t below = 0; below <= memory_bytes; below += DIRECT_MAP_ALIGNMENT) {
		const uint64_t address = highest - below + (frame << NODEMAP_FRAME_SHIFT);

		if (!shows_page(reader, address, page))
			continue;
		*(uint64_t *)page += 1;
		if (!shows_page(reader, address, page))
			continue;
		reader->memory.direct_map = highest - below;
		return 0;
	}
	return err_set(err, ERR_MACHINE, "the kernel's direct map of memory was not found");
}

static int find_direct_map(struct bpf_reader *reader, struct err *err)
{
	const struct btf_layout *layout = &reader->memory.layout;
	uint64_t mm, root;
	void *page;
	int status;

	if (read_memory(reader, reader->memory.first_task + layout->task_mm, &mm, sizeof(mm)) ||
	    read_memory(reader, mm + layout->mm_pgd, &root, sizeof(root)))
		return err_set(err, ERR_MACHINE,
			       "BPF cannot read kernel memory with the offsets in the BTF");
	page = mmap(NULL, PTDUMP_TABLE_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (page == MAP_FAILED)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot allocate a page");
	status = try_bases(reader, page, root, err);
	/* The kernel may have moved the page (compaction) between its frame number and the reads.
	 */
	if (status && err->kind == ERR_MACHINE) {
		err_clear(err);
		status = try_bases(reader, page, root, err);
	}
	munmap(page, PTDUMP_TABLE_BYTES);
	return status;
}

static int first_task(struct bpf_reader *reader, struct err *err)
{
	struct ptdump_memory *memory = &reader->memory;

	if (run(reader, 0, 0, err))
		return -1;
	/* Only processes are on the list, and the program may have run on any thread of ours. */
	if (read_memory(reader, reader->shared->task + memory->layout.task_group_leader,
			&memory->first_task, sizeof(memory->first_task)))
		return err_set(err, ERR_MACHINE, "BPF cannot read the current task");
	return 0;
}

static void bpf_reader_close(struct ptdump_reader *base)
{
	struct bpf_reader *reader = (struct bpf_reader *)base;

	if (reader->shared)
		munmap(reader->shared, sizeof(*reader->shared));
	if (reader->program_fd >= 0)
		close(reader->program_fd);
	if (reader->map_fd >= 0)
		close(reader->map_fd);
	nodemap_free(reader->base.nodes);
	free(reader);
}

static int start(struct bpf_reader *reader, const struct fs *fs, struct err *err)
{
	struct ptdump_cpu cpu;

	if (ptdump_reader_init(&reader->base, &ptdump_bpf_ops, fs, &cpu, err))
		return -1;
	reader->memory.read = read_memory;
	reader->memory.context = reader;
	reader->memory.levels = cpu.levels;
	if (create_map(reader, err) || load_program(reader, err) ||
	    btf_layout_read(&reader->memory.layout, fs, err) || first_task(reader, err))
		return -1;
	return find_direct_map(reader, err);
}

static struct ptdump_reader *bpf_reader_open(const char *argument, const struct fs *fs,
					     struct err *err)
{
	struct bpf_reader *reader = calloc(1, sizeof(*reader));

	(void)argument;
	if (!reader) {
		err_set(err, ERR_INTERNAL, "out of memory");
		return NULL;
	}
	reader->fs = *fs;
	reader->map_fd = -1;
	reader->program_fd = -1;
	if (start(reader, fs, err) == 0)
		return &reader->base;
	bpf_reader_close(&reader->base);
	return NULL;
}

static int bpf_reader_find(struct ptdump_reader *base, pid_t pid, struct ptdump_space *space,
			   struct err *err)
{
	struct bpf_reader *reader = (struct bpf_reader *)base;

	return ptdump_task_find(&reader->memory, &reader->fs, pid, space, err);
}

static int bpf_reader_read(struct ptdump_reader *base, const uint64_t *addresses, size_t nr,
			   struct ptdump_batch *batch, struct err *err)
{
	struct bpf_reader *reader = (struct bpf_reader *)base;

	for (size_t i = 0; i < nr; i++)
		reader->shared->address[i] = reader->memory.direct_map + addresses[i];
	if (run(reader, nr, PTDUMP_TABLE_BYTES, err))
		return -1;
	for (size_t i = 0; i < nr; i++)
		batch->failed[i] = reader->shared->address[i] != 0;
	batch->tables = (const uint64_t(*)[PTDUMP_ENTRIES])reader->shared->data;
	return 0;
}

const struct ptdump_reader_ops ptdump_bpf_ops = {
	.name = "bpf",
	.open = bpf_reader_open,
	.close = bpf_reader_close,
	.find = bpf_reader_find,
	.read = bpf_reader_read,
};
