// SPDX-License-Identifier: MIT
#include "bench/arena.h"

#include <errno.h>
#include <inttypes.h>
#include <numaif.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/numbers.h"
#include "common/units.h"

/*
 * One entry of the top-level table reaches 512 GiB. The search for ranges that nobody uses starts
 * at 32 TiB: above what programs, heaps and the shadow of the sanitizers take, below libraries and
 * stacks.
 */
#define SLOT_BYTES    (UINT64_C(1) << 39)
#define FIRST_ADDRESS (UINT64_C(64) * SLOT_BYTES)
#define LAST_ADDRESS  (UINT64_C(160) * SLOT_BYTES)

static uint64_t round_up(uint64_t value, uint64_t granule)
{
	return (value + granule - 1) / granule * granule;
}

/* --- policy --------------------------------------------------------------------------------- */

int arena_parse_policy(const char *text, struct arena_policy *policy, struct err *err)
{
	static const struct {
		const char *prefix;
		enum arena_placement placement;
	} kinds[] = {{"bind:", ARENA_BIND}, {"interleave:", ARENA_INTERLEAVE}};

	if (strcmp(text, "first-touch") == 0) {
		policy->placement = ARENA_FIRST_TOUCH;
		policy->nodes = 0;
		return 0;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const size_t length = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, length) != 0)
			continue;
		policy->placement = kinds[i].placement;
		return numbers_parse_mask(text + length, "--data-policy", &policy->nodes, err);
	}
	return err_set(err, ERR_USAGE,
		       "--data-policy: '%s' is none of first-touch, bind:N, interleave:N,M", text);
}

void arena_init(struct arena *arena, const struct arena_policy *policy)
{
	*arena = (struct arena){.policy = *policy, .next_address = FIRST_ADDRESS};
}

void arena_fini(struct arena *arena)
{
	for (int i = 0; i < arena->nr_regions; i++)
		munmap(arena->regions[i].address, arena->regions[i].bytes);
	arena->nr_regions = 0;
}

/* --- mapping -------------------------------------------------------------------------------- */

/* Maps at the next address of our own ranges that is free; NULL when there is none. */
static void *map_own_range(struct arena *arena, uint64_t bytes)
{
	uint64_t address = arena->next_address;

	while (address < LAST_ADDRESS) {
		void *wanted = (void *)(uintptr_t)address;
		void *got = mmap(wanted, bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (got == wanted) {
			/* A hole keeps neighbours from becoming one mapping. */
			arena->next_address =
				round_up(address + bytes, ARENA_HUGE_BYTES) + ARENA_HUGE_BYTES;
			return got;
		}
		if (got != MAP_FAILED)
			munmap(got, bytes); /* a kernel that does not know NOREPLACE */
		else if (errno != EEXIST)
			return NULL;
		address = round_up(address + 1, SLOT_BYTES);
	}
	return NULL;
}

/* Anywhere, aligned to 2 MiB: for address spaces that have no such ranges. */
static void *map_anywhere(uint64_t bytes)
{
	char *whole = mmap(NULL, bytes + ARENA_HUGE_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t head, tail;

	if (whole == MAP_FAILED)
		return NULL;
	head = round_up((uintptr_t)whole, ARENA_HUGE_BYTES) - (uintptr_t)whole;
	tail = ARENA_HUGE_BYTES - head;
	if (head > 0)
		munmap(whole, head);
	if (tail > 0)
		munmap(whole + head + bytes, tail);
	return whole + head;
}

static int apply_policy(const struct arena_policy *policy, void *address, uint64_t bytes,
			struct err *err)
{
	static const int modes[] = {MPOL_DEFAULT, MPOL_BIND, MPOL_INTERLEAVE};
	const unsigned long mask = policy->nodes;

	/* EINVAL: a kernel without transparent huge pages, where `never` is what one gets. */
	if (policy->thp == ARENA_THP_NEVER && madvise(address, bytes, MADV_NOHUGEPAGE) != 0 &&
	    errno != EINVAL)
		return err_set_errno(err, ERR_INTERNAL, errno, "madvise(MADV_NOHUGEPAGE)");
	if (policy->thp == ARENA_THP_ALWAYS && madvise(address, bytes, MADV_HUGEPAGE) != 0)
		return err_set_errno(err, ERR_MACHINE, errno,
				     "this kernel has no transparent huge pages");
	if (policy->placement == ARENA_FIRST_TOUCH)
		return 0;
	if (mbind(address, bytes, modes[policy->placement], &mask, 65, 0) != 0)
		return err_set_errno(err, ERR_MACHINE, errno,
				     "the kernel refuses the data policy on node mask 0x%lx", mask);
	return 0;
}

void *arena_map(struct arena *arena, const char *name, uint64_t bytes, struct err *err)
{
	/* Where huge pages may come, the end should not be left to small ones. */
	const uint64_t granule = arena->policy.thp == ARENA_THP_NEVER
					 ? (uint64_t)sysconf(_SC_PAGESIZE)
					 : ARENA_HUGE_BYTES;
	struct arena_region *region = &arena->regions[arena->nr_regions];
	char text[UNITS_TEXT_MAX];

	if (arena->nr_regions == ARENA_REGIONS_MAX) {
		err_set(err, ERR_INTERNAL, "the arena has room for %d regions", ARENA_REGIONS_MAX);
		return NULL;
	}
	bytes = round_up(bytes > 0 ? bytes : 1, granule);
	region->address = map_own_range(arena, bytes);
	if (!region->address)
		region->address = map_anywhere(bytes);
	if (!region->address) {
		err_set_errno(err, ERR_MACHINE, errno, "cannot map %s for '%s'",
			      units_format_size(bytes, text), name);
		return NULL;
	}
	if (apply_policy(&arena->policy, region->address, bytes, err) != 0) {
		munmap(region->address, bytes);
		return NULL;
	}
	snprintf(region->name, sizeof(region->name), "%s", name);
	region->bytes = bytes;
	arena->nr_regions++;
	return region->address;
}

uint64_t arena_bytes(const struct arena *arena)
{
	uint64_t bytes = 0;

	for (int i = 0; i < arena->nr_regions; i++)
		bytes += arena->regions[i].bytes;
	return bytes;
}

uint64_t arena_table_bytes(uint64_t bytes, bool huge)
{
	uint64_t tables = 0;

	/* Reach of a table of each level: 2 MiB, 1 GiB, 512 GiB. */
	for (int shift = huge ? 30 : 21; shift <= 39; shift += 9)
		tables += (bytes >> shift) + ((bytes & ((UINT64_C(1) << shift) - 1)) != 0);
	return tables * 4096;
}

/* --- how much there is ---------------------------------------------------------------------- */

/* The value of a "Name:   123 kB" line. */
static int meminfo_value(const char *text, const char *name, uint64_t *bytes)
{
	const char *line = strstr(text, name);

	if (!line || sscanf(line + strlen(name), " %" SCNu64, bytes) != 1)
		return -1;
	*bytes *= 1024;
	return 0;
}

static int node_memory(const struct fs *fs, int node, uint64_t *bytes, struct err *err)
{
	char path[80], text[8192];
	uint64_t free_bytes = 0, file_bytes = 0;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	if (fs_read(fs, path, text, sizeof(text)) < 0)
		return err_set(err, ERR_MACHINE, "this machine has no memory node %d", node);
	if (meminfo_value(text, "MemFree:", &free_bytes) != 0)
		return err_set(err, ERR_MACHINE, "%s has no MemFree line", path);
	if (meminfo_value(text, "Inactive(file):", &file_bytes) != 0)
		file_bytes = 0;
	*bytes = free_bytes + file_bytes;
	return 0;
}

int arena_memory(const struct fs *fs, const struct arena_policy *policy, uint64_t *bytes,
		 struct err *err)
{
	char text[8192];
	uint64_t sum = 0, least = UINT64_MAX, nr_nodes = 0;

	if (policy->placement == ARENA_FIRST_TOUCH) {
		if (fs_read(fs, "/proc/meminfo", text, sizeof(text)) < 0 ||
		    meminfo_value(text, "MemAvailable:", bytes) != 0)
			return err_set(err, ERR_MACHINE,
				       "/proc/meminfo does not say how much memory is available");
		return 0;
	}
	for (int node = 0; node < 64; node++) {
		uint64_t here = 0;

		if (!(policy->nodes & UINT64_C(1) << node))
			continue;
		if (node_memory(fs, node, &here, err) != 0)
			return -1;
		sum += here;
		nr_nodes++;
		if (here < least)
			least = here;
	}
	*bytes = policy->placement == ARENA_BIND ? sum : least * nr_nodes;
	return 0;
}

int arena_check_memory(const struct fs *fs, const struct arena_policy *policy,
		       uint64_t footprint_bytes, struct err *err)
{
	const uint64_t needed = footprint_bytes + arena_table_bytes(footprint_bytes, false);
	char want[UNITS_TEXT_MAX], have[UNITS_TEXT_MAX];
	uint64_t available;

	if (arena_memory(fs, policy, &available, err) != 0)
		return -1;
	if (needed <= available)
		return 0;
	return err_set(err, ERR_MACHINE,
		       "the workload needs %s with its page tables, and %s has %s left; choose a "
		       "smaller --size",
		       units_format_size(needed, want),
		       policy->placement == ARENA_FIRST_TOUCH ? "this machine"
							      : "the node of the data policy",
		       units_format_size(available, have));
}
