/* SPDX-License-Identifier: MIT */
/*
 * The memory of a workload: every byte that counts comes from here, placed by the driver.
 *
 * Data pages follow the policy of their mapping (mbind), page tables the policy of the task that
 * touches first (set_mempolicy, inherited over exec), so the two are placed independently. The
 * arena's mappings lie in address ranges of 512 GiB of their own: all their tables but the root
 * belong to the arena alone, and moving them leaves none behind.
 */
#ifndef BENCH_ARENA_H
#define BENCH_ARENA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/fs.h"

#define ARENA_REGIONS_MAX 32
#define ARENA_HUGE_BYTES  (UINT64_C(2) << 20)

enum arena_placement { ARENA_FIRST_TOUCH, ARENA_BIND, ARENA_INTERLEAVE };
enum arena_thp { ARENA_THP_DEFAULT, ARENA_THP_ALWAYS, ARENA_THP_NEVER };

struct arena_policy {
	enum arena_placement placement;
	uint64_t nodes; /* mask, for BIND and INTERLEAVE */
	enum arena_thp thp;
};

struct arena_region {
	char name[32];
	void *address;
	uint64_t bytes; /* mapped, a multiple of the page size */
};

struct arena {
	struct arena_policy policy;
	struct arena_region regions[ARENA_REGIONS_MAX];
	int nr_regions;
	uint64_t next_address; /* where the next region is tried */
};

/* Parses "first-touch", "bind:N[,M...]" or "interleave:N,M..." (ERR_USAGE). */
int arena_parse_policy(const char *text, struct arena_policy *policy, struct err *err);

void arena_init(struct arena *arena, const struct arena_policy *policy);
void arena_fini(struct arena *arena);

/*
 * Maps a region of zero pages, untouched, aligned to 2 MiB. ERR_MACHINE when the kernel refuses the
 * mapping or the policy. The pointer is NULL on an error.
 */
void *arena_map(struct arena *arena, const char *name, uint64_t bytes, struct err *err);

/* All mapped bytes. */
uint64_t arena_bytes(const struct arena *arena);

/* Page-table bytes of `bytes` of memory mapped by 4 KiB pages (or 2 MiB pages), upper levels
 * included. */
uint64_t arena_table_bytes(uint64_t bytes, bool huge);

/*
 * What may be used under the policy: MemAvailable, or what is free or holds clean file pages on the
 * policy's nodes (the emptiest node times their number when interleaved). ERR_MACHINE when it
 * cannot be read or a node does not exist.
 */
int arena_memory(const struct fs *fs, const struct arena_policy *policy, uint64_t *bytes,
		 struct err *err);

/* ERR_MACHINE with both numbers when `footprint_bytes` and its page tables do not fit. */
int arena_check_memory(const struct fs *fs, const struct arena_policy *policy,
		       uint64_t footprint_bytes, struct err *err);

/*
 * Moves the arena's page tables to a node by mremap(2) under set_mempolicy(2), without a kernel
 * patch: entries that move to an address which is not congruent modulo the reach of a table need
 * new tables there. 4 KiB pages leave to an address that differs modulo 2 MiB; huge pages to one
 * that is congruent modulo 2 MiB (so that they stay huge) and differs modulo 1 GiB (so that the
 * tables that hold them are new); then everything comes home. Nobody may touch the arena
 * meanwhile. The caller's policy is put back.
 *
 * ERR_MACHINE: nothing was changed. ERR_INTERNAL: regions may be away from home and the process
 * must end.
 */
struct arena_migration {
	uint64_t tables_bytes; /* of the tables that were made anew, by the shape of the arena */
	uint64_t duration_ns;
};
int arena_migrate_tables(struct arena *arena, int node, struct arena_migration *migration,
			 struct err *err);

#endif
