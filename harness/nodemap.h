/* SPDX-License-Identifier: MIT */
/*
 * The NUMA node of a page frame, from user space.
 *
 * Sources below a root directory: /sys/devices/system/node/nodeN/memoryXX (blocks of
 * block_size_bytes; exact where nodes interleave) and /proc/zoneinfo (start_pfn and spanned of each
 * zone; coarser: the spans of two nodes may overlap). Blocks win; spans serve kernels without
 * memory hotplug and blocks that two nodes share.
 */
#ifndef HARNESS_NODEMAP_H
#define HARNESS_NODEMAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/fs.h"

#define NODEMAP_FRAME_SHIFT 12
#define NODEMAP_NONE        (-1)

struct nodemap_range {
	uint64_t first_frame;
	uint64_t end_frame; /* exclusive */
	int node;
};

struct nodemap {
	/* The fast path: node of granule (frame >> shift), or one of the two marks below. */
	uint8_t *granules;
	size_t nr_granules;
	int shift;
	struct nodemap_range *ranges; /* sorted by first_frame */
	size_t nr_ranges;
	int nr_nodes; /* highest node id + 1 */
};

#define NODEMAP_GRANULE_NONE  0xff
#define NODEMAP_GRANULE_MIXED 0xfe

/* ERR_MACHINE if neither source can be read or a node id is above 63. */
int nodemap_read(struct nodemap **map, const struct fs *fs, struct err *err);

/* From known ranges, as a recorded image has them. Of overlapping ranges the one that starts last
 * wins. */
int nodemap_from_ranges(struct nodemap **map, const struct nodemap_range *ranges, size_t nr,
			struct err *err);
void nodemap_free(struct nodemap *map);

/* The map as ranges, to be freed by the caller; granules of several nodes in steps of 2 MiB. */
int nodemap_to_ranges(const struct nodemap *map, struct nodemap_range **ranges, size_t *nr,
		      struct err *err);

int nodemap_search(const struct nodemap *map, uint64_t frame);

/* NODEMAP_NONE for frames that are on no node: device memory, holes. */
static inline int nodemap_node(const struct nodemap *map, uint64_t frame)
{
	const uint64_t granule = frame >> map->shift;

	if (granule >= map->nr_granules)
		return NODEMAP_NONE;
	if (map->granules[granule] < NODEMAP_GRANULE_MIXED)
		return map->granules[granule];
	return map->granules[granule] == NODEMAP_GRANULE_NONE ? NODEMAP_NONE
							      : nodemap_search(map, frame);
}

#endif
