// SPDX-License-Identifier: MIT
/* Page-table migration in user space; bench/arena.h explains how and why. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/arena.h"
#include "common/units.h"

#define SLOT_BYTES   (UINT64_C(1) << 39)
#define LOWEST_AWAY  (UINT64_C(64) * SLOT_BYTES)
#define HIGHEST_HOME (UINT64_C(200) * SLOT_BYTES)

/* A piece of a region whose pages have one size. */
struct run {
	uint64_t home, away, bytes;
	bool huge;
};

struct runs {
	struct run *items;
	size_t used, size;
};

/* Each run becomes a mapping of its own for a moment; vm.max_map_count is 65530 by default. */
#define RUNS_MAX 20000

static int runs_add(struct runs *runs, uint64_t begin, uint64_t end, bool huge, struct err *err)
{
	if (begin == end)
		return 0;
	if (runs->used == RUNS_MAX)
		return err_set(err, ERR_MACHINE,
			       "small and huge pages alternate more than %d times; use --thp "
			       "always or never",
			       RUNS_MAX);
	if (runs->used == runs->size) {
		const size_t size = runs->size ? runs->size * 2 : 64;
		struct run *larger = realloc(runs->items, size * sizeof(*larger));

		if (!larger)
			return err_set(err, ERR_INTERNAL, "out of memory for the page map");
		runs->items = larger;
		runs->size = size;
	}
	runs->items[runs->used++] = (struct run){.home = begin, .bytes = end - begin, .huge = huge};
	return 0;
}

/* --- where the huge pages are --------------------------------------------------------------- */

/* AnonHugePages of the mapping that holds the address; 0 when there are none. */
static uint64_t huge_bytes_at(uint64_t address)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	char line[512];
	bool inside = false;
	uint64_t kib, begin, end, result = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &begin, &end) == 2)
			inside = begin <= address && address < end;
		else if (inside && sscanf(line, "AnonHugePages: %" SCNu64, &kib) == 1)
			result = kib * 1024;
	}
	fclose(file);
	return result;
}

/*
 * ioctl(PAGEMAP_SCAN) of /proc/PID/pagemap, Linux 6.7 (Documentation/admin-guide/mm/pagemap.rst);
 * declared here because Debian 12's headers are older.
 */
struct scan_range {
	uint64_t begin, end, categories;
};
struct scan_request {
	uint64_t size, flags, begin, end, walk_end, ranges, nr_ranges, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL    _IOWR('f', 16, struct scan_request)
#define SCAN_HUGE     (UINT64_C(1) << 6)
#define SCAN_PER_CALL 256

/* Splits [begin, end) into runs by the kernel's list of the ranges that huge pages map. */
static int scan_mixed(int fd, uint64_t begin, uint64_t end, struct runs *runs, struct err *err)
{
	struct scan_range ranges[SCAN_PER_CALL];
	uint64_t small_begin = begin;

	while (begin < end) {
		struct scan_request request = {
			.size = sizeof(request),
			.begin = begin,
			.end = end,
			.ranges = (uintptr_t)ranges,
			.nr_ranges = SCAN_PER_CALL,
			.category_mask = SCAN_HUGE,
			.return_mask = SCAN_HUGE,
		};
		const int count = ioctl(fd, SCAN_IOCTL, &request);

		if (count < 0)
			return err_set_errno(err, ERR_MACHINE, errno,
					     "small and huge pages are mixed, and this kernel "
					     "cannot say where (Linux 6.7 can); use --thp always "
					     "or never");
		for (int i = 0; i < count; i++) {
			if (runs_add(runs, small_begin, ranges[i].begin, false, err) != 0 ||
			    runs_add(runs, ranges[i].begin, ranges[i].end, true, err) != 0)
				return -1;
			small_begin = ranges[i].end;
		}
		begin = request.walk_end;
	}
	return runs_add(runs, small_begin, end, false, err);
}

static int split_region(const struct arena *arena, const struct arena_region *region,
			struct runs *runs, struct err *err)
{
	const uint64_t begin = (uintptr_t)region->address, end = begin + region->bytes;
	const uint64_t huge = arena->policy.thp == ARENA_THP_NEVER ? 0 : huge_bytes_at(begin);
	int fd, failed;

	if (huge == 0 || huge == region->bytes)
		return runs_add(runs, begin, end, huge != 0, err);
	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, ERR_MACHINE, errno, "cannot open /proc/self/pagemap");
	failed = scan_mixed(fd, begin, end, runs, err);
	close(fd);
	return failed;
}

/* --- the move ------------------------------------------------------------------------------- */

static uint64_t round_up(uint64_t value, uint64_t granule)
{
	return (value + granule - 1) / granule * granule;
}

static bool runs_have(const struct runs *runs, bool huge)
{
	for (size_t i = 0; i < runs->used; i++)
		if (runs->items[i].huge == huge)
			return true;
	return false;
}

/*
 * A free address range for all runs of one kind, at the same distances as at home, plus a shift
 * that makes the kernel build new tables. Small pages: 1 MiB off. Huge pages: 2 MiB aligned, and
 * since both ranges begin at multiples of 512 GiB, half of a 1 GiB table off.
 */
static int choose_away(struct runs *runs, uint64_t from, uint64_t home_begin, uint64_t home_end,
		       bool huge, struct err *err)
{
	const uint64_t shift = huge ? UINT64_C(512) << 20 : UINT64_C(1) << 20;
	const uint64_t base_home = home_begin / SLOT_BYTES * SLOT_BYTES;
	const uint64_t length = home_end - base_home + shift;
	uint64_t base = round_up(from, SLOT_BYTES);
	void *got;

	if (!runs_have(runs, huge))
		return 0;
	for (;; base += SLOT_BYTES) {
		if (base + length > UINT64_C(250) * SLOT_BYTES)
			return err_set(err, ERR_MACHINE,
				       "no free address range for the page tables' move");
		got = mmap((void *)(uintptr_t)base, length, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
			   0);
		if (got == (void *)(uintptr_t)base)
			break;
		if (got != MAP_FAILED)
			munmap(got, length);
	}
	munmap(got, length);
	for (size_t i = 0; i < runs->used; i++)
		if (runs->items[i].huge == huge)
			runs->items[i].away = base + (runs->items[i].home - base_home) + shift;
	return 0;
}

static int move_run(uint64_t from, uint64_t to, uint64_t bytes)
{
	void *wanted = (void *)(uintptr_t)to;

	return mremap((void *)(uintptr_t)from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
		      wanted) == wanted
		       ? 0
		       : -1;
}

static int bring_home(const struct runs *runs, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct run *run = &runs->items[i];

		if (move_run(run->away, run->home, run->bytes) != 0)
			return err_set_errno(err, ERR_INTERNAL, errno,
					     "the page-table migration lost its way: memory at "
					     "0x%" PRIx64 " cannot come back",
					     run->home);
	}
	return 0;
}

/*
 * Everything leaves before anything comes home: only an empty range gives its upper tables back. A
 * move that fails has undone itself, so what left before it can come home.
 */
static int move_all(const struct runs *runs, struct err *err)
{
	for (size_t i = 0; i < runs->used; i++) {
		const struct run *run = &runs->items[i];
		const int failed = move_run(run->home, run->away, run->bytes);
		const int saved = errno;

		if (!failed)
			continue;
		if (bring_home(runs, i, err) == 0)
			err_set_errno(err, ERR_MACHINE, saved,
				      "the kernel refuses to move the page tables; everything is "
				      "where it was");
		return -1;
	}
	return bring_home(runs, runs->used, err);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int move_under_policy(const struct runs *runs, int node, struct err *err)
{
	unsigned long old_mask[16] = {0};
	const unsigned long mask = 1ul << node;
	int old_mode, failed;

	if (get_mempolicy(&old_mode, old_mask, sizeof(old_mask) * 8, NULL, 0) != 0 ||
	    set_mempolicy(MPOL_BIND, &mask, 65) != 0)
		return err_set_errno(err, ERR_MACHINE, errno,
				     "page tables cannot be placed on node %d", node);
	failed = move_all(runs, err);
	if (set_mempolicy(old_mode, old_mask, sizeof(old_mask) * 8) != 0 && !failed)
		return err_set_errno(err, ERR_INTERNAL, errno,
				     "the memory policy cannot be put back");
	return failed;
}

/* Under MPOL_BIND a full node means the out-of-memory killer; so ask before. */
static int check_room(int node, uint64_t tables_bytes, struct err *err)
{
	const struct arena_policy policy = {.placement = ARENA_BIND, .nodes = UINT64_C(1) << node};
	char want[UNITS_TEXT_MAX], have[UNITS_TEXT_MAX];
	uint64_t available;
	struct fs fs;
	int failed;

	if (fs_open(&fs, "/", err) != 0)
		return -1;
	failed = arena_memory(&fs, &policy, &available, err);
	fs_close(&fs);
	/* Twice: the tables at home are made while those of the other place still exist. */
	if (failed || available >= 2 * tables_bytes)
		return failed;
	return err_set(err, ERR_MACHINE, "node %d has %s left, moving the page tables needs %s",
		       node, units_format_size(available, have),
		       units_format_size(2 * tables_bytes, want));
}

/* Where the range of the small pages ends, if there are any. */
static uint64_t highest_away(const struct runs *runs, uint64_t highest)
{
	for (size_t i = 0; i < runs->used; i++) {
		const struct run *run = &runs->items[i];

		if (run->away && run->away + run->bytes > highest)
			highest = run->away + run->bytes;
	}
	return highest > HIGHEST_HOME ? LOWEST_AWAY : highest;
}

static int plan_moves(const struct arena *arena, struct runs *runs, struct err *err)
{
	uint64_t begin = UINT64_MAX, end = 0;

	for (int i = 0; i < arena->nr_regions; i++) {
		const struct arena_region *region = &arena->regions[i];
		const uint64_t at = (uintptr_t)region->address;

		if (split_region(arena, region, runs, err) != 0)
			return -1;
		begin = at < begin ? at : begin;
		end = at + region->bytes > end ? at + region->bytes : end;
	}
	if (choose_away(runs, begin > HIGHEST_HOME ? LOWEST_AWAY : end, begin, end, false, err) !=
	    0)
		return -1;
	return choose_away(runs, highest_away(runs, end), begin, end, true, err);
}

/* Leaf tables under the small pages, and the two levels above over everything. */
static uint64_t tables_of(const struct runs *runs)
{
	uint64_t begin = UINT64_MAX, end = 0, tables = 0;

	for (size_t i = 0; i < runs->used; i++) {
		const struct run *run = &runs->items[i];

		begin = run->home < begin ? run->home : begin;
		end = run->home + run->bytes > end ? run->home + run->bytes : end;
		if (!run->huge)
			tables += (run->bytes + ARENA_HUGE_BYTES - 1) / ARENA_HUGE_BYTES;
	}
	if (end == 0)
		return 0;
	tables += ((end - 1) >> 30) - (begin >> 30) + 1;
	tables += ((end - 1) >> 39) - (begin >> 39) + 1;
	return tables * 4096;
}

int arena_migrate_tables(struct arena *arena, int node, struct arena_migration *migration,
			 struct err *err)
{
	const uint64_t start_ns = now_ns();
	struct runs runs = {0};
	int failed;

	*migration = (struct arena_migration){0};
	if (node < 0 || node > 63)
		return err_set(err, ERR_USAGE, "there is no node %d", node);
	failed = plan_moves(arena, &runs, err);
	migration->tables_bytes = tables_of(&runs);
	if (!failed)
		failed = check_room(node, migration->tables_bytes, err);
	if (!failed)
		failed = move_under_policy(&runs, node, err);
	free(runs.items);
	migration->duration_ns = now_ns() - start_ns;
	return failed;
}
