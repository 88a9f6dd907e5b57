// SPDX-License-Identifier: MIT
#include "harness/nodemap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODES_MAX 64
/* 128 MiB, the smallest memory block on x86-64: the granule where there are zone spans only. */
#define DEFAULT_SHIFT (27 - NODEMAP_FRAME_SHIFT)
/* 52 physical address bits in granules of 128 MiB would be 32 M bytes; no machine is near. */
#define MAX_GRANULES (UINT64_C(1) << 25)

struct range_list {
	struct nodemap_range *ranges;
	size_t nr;
};

static int append(struct range_list *list, struct nodemap_range range, struct err *err)
{
	struct nodemap_range *larger;

	if (range.node < 0 || range.node >= NODES_MAX)
		return err_set(err, ERR_MACHINE, "node %d: only nodes 0 to %d are supported",
			       range.node, NODES_MAX - 1);
	if (range.end_frame <= range.first_frame)
		return 0;
	/* Doubles whenever the count is a power of two. */
	if ((list->nr & (list->nr - 1)) == 0) {
		larger = realloc(list->ranges, (list->nr ? 2 * list->nr : 1) * sizeof(*larger));
		if (!larger)
			return err_set(err, ERR_INTERNAL, "out of memory for the node map");
		list->ranges = larger;
	}
	list->ranges[list->nr++] = range;
	return 0;
}

/* A zone is a "Node N, zone NAME" line, later "spanned FRAMES", at its end "start_pfn: FRAME". */
static int read_zones(struct range_list *list, const struct fs *fs, struct err *err)
{
	char *text = fs_read_all(fs, "/proc/zoneinfo", NULL);
	unsigned long long spanned = 0, start;
	char *rest = text, *line;
	int node = -1, status = 0;

	if (!text)
		return 0;
	while (status == 0 && (line = strsep(&rest, "\n"))) {
		if (sscanf(line, "Node %d, zone", &node) == 1)
			spanned = 0;
		else if (sscanf(line, " spanned %llu", &spanned) == 1)
			continue;
		else if (sscanf(line, " start_pfn: %llu", &start) == 1 && spanned > 0)
			status = append(list, (struct nodemap_range){start, start + spanned, node},
					err);
	}
	free(text);
	return status;
}

static int read_node_blocks(struct range_list *list, int node, DIR *directory, uint64_t frames,
			    struct err *err)
{
	struct dirent *entry;
	unsigned long long block;
	char end;

	while ((entry = readdir(directory))) {
		if (sscanf(entry->d_name, "memory%llu%c", &block, &end) != 1)
			continue;
		if (append(list, (struct nodemap_range){block * frames, (block + 1) * frames, node},
			   err))
			return -1;
	}
	return 0;
}

static uint64_t block_frames(const struct fs *fs)
{
	char text[64];

	if (fs_read(fs, "/sys/devices/system/memory/block_size_bytes", text, sizeof(text)) < 0)
		return 0;
	return strtoull(text, NULL, 16) >> NODEMAP_FRAME_SHIFT;
}

static int read_blocks(struct range_list *list, const struct fs *fs, uint64_t frames,
		       struct err *err)
{
	int status = 0;

	for (int node = 0; node < NODES_MAX && status == 0; node++) {
		char path[64];
		DIR *directory;
		int fd;

		snprintf(path, sizeof(path), "sys/devices/system/node/node%d", node);
		fd = openat(fs->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		directory = fdopendir(fd);
		if (!directory) {
			close(fd);
			return err_set_errno(err, ERR_INTERNAL, errno, "cannot list %s", path);
		}
		status = read_node_blocks(list, node, directory, frames, err);
		closedir(directory);
	}
	return status;
}

static int by_first_frame(const void *a, const void *b)
{
	const struct nodemap_range *x = a, *y = b;

	return (x->first_frame > y->first_frame) - (x->first_frame < y->first_frame);
}

/* Marks the granules that a range covers; a granule of two nodes, or one covered in part, is mixed.
 */
static void mark(struct nodemap *map, const struct nodemap_range *range)
{
	const uint64_t size = UINT64_C(1) << map->shift;

	for (uint64_t g = range->first_frame >> map->shift; g << map->shift < range->end_frame;
	     g++) {
		const bool whole = range->first_frame <= g << map->shift &&
				   range->end_frame >= (g << map->shift) + size;
		uint8_t *granule = &map->granules[g];

		if (*granule == NODEMAP_GRANULE_NONE && whole)
			*granule = (uint8_t)range->node;
		else if (*granule != range->node)
			*granule = NODEMAP_GRANULE_MIXED;
	}
}

static int allocate(struct nodemap **map, const struct range_list *list, int shift, struct err *err)
{
	uint64_t end = 0;
	int nr_nodes = 0;

	for (size_t i = 0; i < list->nr; i++) {
		if (list->ranges[i].end_frame > end)
			end = list->ranges[i].end_frame;
		if (list->ranges[i].node >= nr_nodes)
			nr_nodes = list->ranges[i].node + 1;
	}
	end = (end + (UINT64_C(1) << shift) - 1) >> shift;
	if (end > MAX_GRANULES)
		return err_set(err, ERR_MACHINE,
			       "memory ends at granule %llu of %llu KiB: no "
			       "machine has that much",
			       (unsigned long long)end, 4ull << shift);
	*map = calloc(1, sizeof(**map));
	if (*map)
		(*map)->granules = malloc(end + 1);
	if (!*map || !(*map)->granules)
		return err_set(err, ERR_INTERNAL, "out of memory for the node map");
	memset((*map)->granules, NODEMAP_GRANULE_NONE, end + 1);
	(*map)->nr_granules = end;
	(*map)->shift = shift;
	(*map)->nr_nodes = nr_nodes;
	return 0;
}

/* `marked` go into the granules; `searched` decide within mixed ones, and are taken over. */
static int build(struct nodemap **map, const struct range_list *marked, struct range_list *searched,
		 int shift, struct err *err)
{
	*map = NULL;
	if (allocate(map, marked, shift, err)) {
		nodemap_free(*map);
		*map = NULL;
		return -1;
	}
	for (size_t i = 0; i < marked->nr; i++)
		mark(*map, &marked->ranges[i]);
	if (searched->nr > 0)
		qsort(searched->ranges, searched->nr, sizeof(*searched->ranges), by_first_frame);
	(*map)->ranges = searched->ranges;
	(*map)->nr_ranges = searched->nr;
	*searched = (struct range_list){0};
	return 0;
}

int nodemap_read(struct nodemap **map, const struct fs *fs, struct err *err)
{
	struct range_list zones = {0}, blocks = {0};
	const uint64_t frames = block_frames(fs);
	int status;

	status = read_zones(&zones, fs, err);
	if (status == 0 && frames > 0)
		status = read_blocks(&blocks, fs, frames, err);
	if (status == 0 && blocks.nr == 0 && zones.nr == 0)
		status = err_set(err, ERR_MACHINE,
				 "no node of any memory is known: neither /proc/zoneinfo nor "
				 "/sys/devices/system/node can be read");
	if (status == 0 && blocks.nr > 0)
		status = build(map, &blocks, &zones, __builtin_ctzll(frames), err);
	else if (status == 0)
		status = build(map, &zones, &zones, DEFAULT_SHIFT, err);
	free(zones.ranges);
	free(blocks.ranges);
	return status;
}

int nodemap_from_ranges(struct nodemap **map, const struct nodemap_range *ranges, size_t nr,
			struct err *err)
{
	struct range_list list = {0};
	int status = 0;

	for (size_t i = 0; i < nr && status == 0; i++)
		status = append(&list, ranges[i], err);
	if (status == 0)
		status = build(map, &list, &list, DEFAULT_SHIFT, err);
	free(list.ranges);
	return status;
}

void nodemap_free(struct nodemap *map)
{
	if (!map)
		return;
	free(map->granules);
	free(map->ranges);
	free(map);
}

/* Of overlapping spans the one that starts last wins: it is the one that lies inside the other. */
int nodemap_search(const struct nodemap *map, uint64_t frame)
{
	for (size_t i = map->nr_ranges; i-- > 0;) {
		const struct nodemap_range *range = &map->ranges[i];

		if (frame >= range->first_frame && frame < range->end_frame)
			return range->node;
	}
	return NODEMAP_NONE;
}

#define STEP_FRAMES 512

/* Appends to the last range where it goes on. */
static int extend(struct range_list *list, struct nodemap_range range, struct err *err)
{
	struct nodemap_range *last = list->nr > 0 ? &list->ranges[list->nr - 1] : NULL;

	if (!last || last->node != range.node || last->end_frame != range.first_frame)
		return append(list, range, err);
	last->end_frame = range.end_frame;
	return 0;
}

int nodemap_to_ranges(const struct nodemap *map, struct nodemap_range **ranges, size_t *nr,
		      struct err *err)
{
	struct range_list list = {0};
	const uint64_t size = UINT64_C(1) << map->shift;

	for (uint64_t g = 0; g < map->nr_granules; g++) {
		const bool mixed = map->granules[g] == NODEMAP_GRANULE_MIXED;
		const uint64_t step = mixed && size > STEP_FRAMES ? STEP_FRAMES : size;

		for (uint64_t frame = g * size; frame < (g + 1) * size; frame += step) {
			/* A span often begins in the middle of a step: ask for its last frame. */
			const int node = nodemap_node(map, frame + step - 1);

			if (node == NODEMAP_NONE)
				continue;
			if (extend(&list, (struct nodemap_range){frame, frame + step, node}, err)) {
				free(list.ranges);
				return -1;
			}
		}
	}
	*ranges = list.ranges;
	*nr = list.nr;
	return 0;
}
