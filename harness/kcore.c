// SPDX-License-Identifier: MIT
/*
 * Page tables through /proc/kcore.
 *
 * The kernel gives its memory as an ELF core file. Every segment of the direct map carries both
 * addresses (p_vaddr = base + p_paddr; kernels since 4.18), so neither page_offset_base from
 * kallsyms nor the VMCOREINFO note is needed to find the base, randomised or not. The note has no
 * init_task either: that comes from /proc/kallsyms, where the kernel must list data symbols
 * (CONFIG_KALLSYMS_ALL, which distributions set).
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/ptdump_reader.h"
#include "harness/ptdump_task.h"

/* __START_KERNEL_map: from here on up the kernel's own image is mapped (x86 mm.rst). */
#define KERNEL_IMAGE UINT64_C(0xffffffff80000000)

struct kcore {
	struct ptdump_reader base;
	struct fs fs;
	struct ptdump_memory memory;
	int fd;
	Elf64_Phdr *segments;
	size_t nr_segments;
	size_t last; /* the segment of the last read: most often also of the next */
	uint64_t (*tables)[PTDUMP_ENTRIES];
};

static const Elf64_Phdr *segment_of(struct kcore *kcore, uint64_t address)
{
	for (size_t i = 0; i < kcore->nr_segments; i++) {
		const size_t at = (kcore->last + i) % kcore->nr_segments;
		const Elf64_Phdr *segment = &kcore->segments[at];

		if (segment->p_type != PT_LOAD || address < segment->p_vaddr ||
		    address - segment->p_vaddr >= segment->p_memsz)
			continue;
		kcore->last = at;
		return segment;
	}
	return NULL;
}

static int read_memory(void *context, uint64_t address, void *data, size_t size)
{
	struct kcore *kcore = context;
	const Elf64_Phdr *segment = segment_of(kcore, address);

	if (!segment || segment->p_memsz - (address - segment->p_vaddr) < size)
		return -1;
	return pread(kcore->fd, data, size,
		     (off_t)(segment->p_offset + address - segment->p_vaddr)) == (ssize_t)size
		       ? 0
		       : -1;
}

static int read_headers(struct kcore *kcore, struct err *err)
{
	Elf64_Ehdr header;
	size_t bytes;

	if (pread(kcore->fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr) ||
	    header.e_phnum == 0)
		return err_set(err, ERR_MACHINE, "/proc/kcore is no 64-bit ELF core file");
	bytes = (size_t)header.e_phnum * sizeof(Elf64_Phdr);
	kcore->segments = malloc(bytes);
	if (!kcore->segments)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (pread(kcore->fd, kcore->segments, bytes, (off_t)header.e_phoff) != (ssize_t)bytes)
		return err_set(err, ERR_MACHINE, "cannot read the segments of /proc/kcore");
	kcore->nr_segments = header.e_phnum;
	return 0;
}

static int find_direct_map(struct kcore *kcore, struct err *err)
{
	for (size_t i = 0; i < kcore->nr_segments; i++) {
		const Elf64_Phdr *segment = &kcore->segments[i];

		/* Segments without a physical address, vmalloc and vmemmap, say -1. */
		if (segment->p_type != PT_LOAD || segment->p_vaddr >= KERNEL_IMAGE ||
		    segment->p_paddr == UINT64_MAX)
			continue;
		kcore->memory.direct_map = segment->p_vaddr - segment->p_paddr;
		return 0;
	}
	return err_set(err, ERR_MACHINE,
		       "/proc/kcore has no segment of the direct map with its physical address");
}

/* The lines are "ADDRESS TYPE NAME"; the address is 0 for whom the kernel does not trust. */
static int find_init_task(struct kcore *kcore, struct err *err)
{
	const int fd = openat(kcore->fs.root_fd, "proc/kallsyms", O_RDONLY | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	char line[1024];
	bool found = false;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return err_set(err, ERR_MACHINE, "there is no /proc/kallsyms (CONFIG_KALLSYMS)");
	}
	while (!found && fgets(line, sizeof(line), file)) {
		const char *type = strchr(line, ' ');

		found = type && strcmp(type + 2, " init_task\n") == 0;
	}
	fclose(file);
	if (!found)
		return err_set(err, ERR_MACHINE,
			       "/proc/kallsyms does not list init_task (CONFIG_KALLSYMS_ALL)");
	kcore->memory.first_task = strtoull(line, NULL, 16);
	if (kcore->memory.first_task == 0)
		return err_set(err, ERR_MACHINE,
			       "/proc/kallsyms hides its addresses: run as root with 'sysctl "
			       "kernel.kptr_restrict=1' or 0");
	return 0;
}

static int open_kcore(struct kcore *kcore, struct err *err)
{
	char remedy[256];

	kcore->fd = openat(kcore->fs.root_fd, "proc/kcore", O_RDONLY | O_CLOEXEC);
	if (kcore->fd >= 0)
		return 0;
	if (errno == ENOENT)
		return err_set(err, ERR_MACHINE, "there is no /proc/kcore (CONFIG_PROC_KCORE)");
	return err_set_errno(err, ERR_MACHINE, errno, "/proc/kcore is refused (%s)",
			     ptdump_refusal(&kcore->fs, remedy, sizeof(remedy)));
}

static int start(struct kcore *kcore, const struct fs *fs, struct err *err)
{
	struct ptdump_cpu cpu;

	kcore->memory.read = read_memory;
	kcore->memory.context = kcore;
	if (open_kcore(kcore, err) || read_headers(kcore, err) || find_direct_map(kcore, err) ||
	    find_init_task(kcore, err) || btf_layout_read(&kcore->memory.layout, fs, err) ||
	    ptdump_reader_init(&kcore->base, &ptdump_kcore_ops, fs, &cpu, err))
		return -1;
	kcore->memory.levels = cpu.levels;
	kcore->tables =
		aligned_alloc(PTDUMP_TABLE_BYTES, (size_t)PTDUMP_BATCH * PTDUMP_TABLE_BYTES);
	return kcore->tables ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

static void kcore_close(struct ptdump_reader *base)
{
	struct kcore *kcore = (struct kcore *)base;

	if (kcore->fd >= 0)
		close(kcore->fd);
	nodemap_free(kcore->base.nodes);
	free(kcore->segments);
	free(kcore->tables);
	free(kcore);
}

static struct ptdump_reader *kcore_open(const char *argument, const struct fs *fs, struct err *err)
{
	struct kcore *kcore = calloc(1, sizeof(*kcore));

	(void)argument;
	if (!kcore) {
		err_set(err, ERR_INTERNAL, "out of memory");
		return NULL;
	}
	kcore->fs = *fs;
	kcore->fd = -1;
	if (start(kcore, fs, err) == 0)
		return &kcore->base;
	kcore_close(&kcore->base);
	return NULL;
}

static int kcore_find(struct ptdump_reader *base, pid_t pid, struct ptdump_space *space,
		      struct err *err)
{
	struct kcore *kcore = (struct kcore *)base;

	return ptdump_task_find(&kcore->memory, &kcore->fs, pid, space, err);
}

/*
 * Tables that were allocated one after the other are often neighbours in memory: each ascending run
 * is one pread(2). A run that cannot be read as a whole is read table by table.
 */
static int kcore_read(struct ptdump_reader *base, const uint64_t *addresses, size_t nr,
		      struct ptdump_batch *batch, struct err *err)
{
	struct kcore *kcore = (struct kcore *)base;
	const uint64_t direct_map = kcore->memory.direct_map;

	(void)err;
	for (size_t i = 0, run; i < nr; i += run) {
		for (run = 1; i + run < nr; run++) {
			if (addresses[i + run] != addresses[i] + run * PTDUMP_TABLE_BYTES)
				break;
		}
		memset(&batch->failed[i], 0, run);
		if (read_memory(kcore, direct_map + addresses[i], kcore->tables[i],
				run * PTDUMP_TABLE_BYTES) == 0)
			continue;
		for (size_t j = i; j < i + run; j++)
			batch->failed[j] = read_memory(kcore, direct_map + addresses[j],
						       kcore->tables[j], PTDUMP_TABLE_BYTES) != 0;
	}
	batch->tables = (const uint64_t(*)[PTDUMP_ENTRIES])kcore->tables;
	return 0;
}

const struct ptdump_reader_ops ptdump_kcore_ops = {
	.name = "kcore",
	.open = kcore_open,
	.close = kcore_close,
	.find = kcore_find,
	.read = kcore_read,
};
