// SPDX-License-Identifier: MIT
#include "emulator/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"

#define MIB UINT64_C(1048576)

/* Sparse-memory sections of x86-64 are 128 MiB: a node border inside one would make the kernel's
 * and the dump's idea of a frame's node a matter of rounding. */
#define SECTION_BYTES (128 * MIB)

/* Seen with Debian's 6.12 cloud kernel: 45 MiB on node 0 and 15 MiB elsewhere straight after boot
 * with 1.25 GiB a node; the rest is head room for free-memory watermarks, page cache and tmpfs. */
#define KERNEL_BYTES      (192 * MIB)
#define NODE_BYTES        (96 * MIB)
#define STRUCT_PAGE_PARTS 64 /* struct page: 64 bytes for 4096 */

/* Translation buffer, device memory and heap of QEMU, and the model's caches. */
#define QEMU_BYTES (384 * MIB)

/* No host of today; keeps the sums below far from overflow. */
#define FOOTPRINT_MAX_BYTES (UINT64_C(1) << 45)

/* One level of tables takes 1/512 of what it maps; twice, for tables that are being moved. */
static uint64_t table_bytes(uint64_t footprint_bytes)
{
	return 2 * (footprint_bytes / 512 + footprint_bytes / 512 / 512 + 8 * 4096);
}

static uint64_t round_up(uint64_t bytes, uint64_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

int layout_compute(struct layout *layout, int nr_nodes, uint64_t footprint_bytes,
		   uint64_t initramfs_bytes, struct err *err)
{
	char text[UNITS_TEXT_MAX];

	*layout = (struct layout){.nr_nodes = nr_nodes};
	if (footprint_bytes > FOOTPRINT_MAX_BYTES)
		return err_set(err, ERR_USAGE, "a footprint of %s is too much for a guest",
			       units_format_size(footprint_bytes, text));
	for (int i = 0; i < nr_nodes; i++) {
		uint64_t bytes = footprint_bytes + table_bytes(footprint_bytes) + NODE_BYTES;

		/* The archive is in memory twice while the kernel unpacks it. */
		if (i == 0)
			bytes += KERNEL_BYTES + 2 * initramfs_bytes;
		bytes += bytes / (STRUCT_PAGE_PARTS - 1);
		layout->node_bytes[i] = round_up(bytes, SECTION_BYTES);
		layout->total_bytes += layout->node_bytes[i];
	}
	layout->below_4g_bytes =
		layout->total_bytes < LAYOUT_LOW_BYTES ? layout->total_bytes : LAYOUT_LOW_BYTES;
	return 0;
}

int layout_node_of(const struct layout *layout, uint64_t address)
{
	const uint64_t high = UINT64_C(4) << 30;
	uint64_t offset = address;

	if (address >= high)
		offset = address - high + layout->below_4g_bytes;
	else if (address >= layout->below_4g_bytes)
		return -1;
	for (int i = 0; i < layout->nr_nodes; i++) {
		if (offset < layout->node_bytes[i])
			return i;
		offset -= layout->node_bytes[i];
	}
	return -1;
}

static int read_meminfo(const struct fs *fs, const char *key, uint64_t *bytes)
{
	char text[8192];
	unsigned long long kib;
	const char *line;

	if (fs_read(fs, "/proc/meminfo", text, sizeof(text)) < 0)
		return -1;
	line = strstr(text, key);
	if (!line || sscanf(line + strlen(key), " %llu", &kib) != 1)
		return -1;
	*bytes = kib * 1024;
	return 0;
}

static uint64_t page_cache_of_group(const struct fs *fs, const char *group)
{
	char path[4600], text[8192];
	unsigned long long active = 0, inactive = 0;
	const char *line;

	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.stat", group);
	if (fs_read(fs, path, text, sizeof(text)) < 0)
		return 0;
	if ((line = strstr(text, "\nactive_file ")))
		sscanf(line, " active_file %llu", &active);
	if ((line = strstr(text, "\ninactive_file ")))
		sscanf(line, " inactive_file %llu", &inactive);
	return active + inactive;
}

/* What one control group still allows; files it has cached do not count as used. */
static uint64_t left_in_group(const struct fs *fs, const char *group)
{
	char path[4600];
	uint64_t limit, used, cached;

	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", group);
	if (fs_read_u64(fs, path, &limit) != 0)
		return UINT64_MAX; /* "max", or no such controller */
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.current", group);
	if (fs_read_u64(fs, path, &used) != 0)
		return UINT64_MAX;
	cached = page_cache_of_group(fs, group);
	used -= cached < used ? cached : used;
	return used < limit ? limit - used : 0;
}

/* The least that the harness's control group and those above it still allow. */
static uint64_t left_in_groups(const struct fs *fs)
{
	char text[4200];
	uint64_t least = UINT64_MAX;
	char *group, *slash;

	if (fs_read(fs, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return least;
	group = strstr(text, "0::/");
	if (!group)
		return least;
	group += strlen("0::");
	group[strcspn(group, "\n")] = '\0';
	for (;;) {
		const uint64_t left = left_in_group(fs, strcmp(group, "/") == 0 ? "" : group);

		least = left < least ? left : least;
		slash = strrchr(group, '/');
		if (!slash || strcmp(group, "/") == 0)
			return least;
		slash[slash == group] = '\0';
	}
}

int layout_check_host(const struct layout *layout, const struct fs *fs, struct err *err)
{
	const uint64_t needed = layout->total_bytes + QEMU_BYTES;
	const uint64_t in_groups = left_in_groups(fs);
	char need_text[UNITS_TEXT_MAX], have_text[UNITS_TEXT_MAX];
	uint64_t available;

	if (read_meminfo(fs, "MemAvailable:", &available) != 0)
		return err_set(err, ERR_MACHINE, "cannot read MemAvailable in /proc/meminfo");
	if (in_groups < available)
		available = in_groups;
	if (needed <= available)
		return 0;
	return err_set(err, ERR_MACHINE,
		       "the emulated machine needs %s of memory (%d nodes) and this host has %s "
		       "available%s; take a smaller --size or a profile with fewer nodes",
		       units_format_size(needed, need_text), layout->nr_nodes,
		       units_format_size(available, have_text),
		       in_groups == available ? " in its control group" : "");
}
