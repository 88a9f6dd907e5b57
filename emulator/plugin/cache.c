// SPDX-License-Identifier: MIT
#include "emulator/plugin/cache.h"

#include <stdlib.h>
#include <string.h>

static uint64_t scaled(uint64_t items, double scale, uint64_t min_items)
{
	const uint64_t left = (uint64_t)((double)items / scale + 0.5);
	const uint64_t most = left > min_items ? left : min_items;

	return most < items ? most : items;
}

struct geometry geometry_scale_any(uint64_t items, uint64_t ways, double scale, uint64_t min_items)
{
	struct geometry geometry = {0, 0};
	const uint64_t left = scaled(items, scale, min_items);

	if (left == 0)
		return geometry;
	geometry.ways = (uint32_t)(left < ways ? left : ways);
	geometry.sets = (uint32_t)(left / geometry.ways);
	return geometry;
}

struct geometry geometry_scale(uint64_t items, uint64_t ways, double scale, uint64_t min_items)
{
	struct geometry geometry = geometry_scale_any(items, ways, scale, min_items);

	while (geometry.sets & (geometry.sets - 1))
		geometry.sets &= geometry.sets - 1;
	return geometry;
}

int cache_init(struct cache *cache, struct geometry geometry)
{
	cache->sets = geometry.sets;
	cache->ways = geometry.ways;
	cache->lines = calloc((size_t)geometry.sets * geometry.ways, sizeof(*cache->lines));
	return cache->lines ? 0 : -1;
}

void cache_fini(struct cache *cache)
{
	free(cache->lines);
	cache->lines = NULL;
}

void cache_clear(struct cache *cache)
{
	memset(cache->lines, 0, (size_t)cache->sets * cache->ways * sizeof(*cache->lines));
}
