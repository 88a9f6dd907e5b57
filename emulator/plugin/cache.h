/* SPDX-License-Identifier: MIT */
/*
 * A set-associative cache of line numbers with least-recently-used replacement. It knows what is
 * in, not what it costs.
 */
#ifndef EMULATOR_PLUGIN_CACHE_H
#define EMULATOR_PLUGIN_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_LINE_SHIFT 6
#define CACHE_LINE_BYTES (1u << CACHE_LINE_SHIFT)

/* How many sets and ways are left of a structure when it is divided by a scale. */
struct geometry {
	uint32_t sets, ways;
};

/*
 * items / scale, at least min_items, in as many of the ways as fit; sets are a power of two. 0
 * items stay 0: a structure that the machine does not have.
 */
struct geometry geometry_scale(uint64_t items, uint64_t ways, double scale, uint64_t min_items);

/* The same without rounding to a power of two, for caches with a hash. */
struct geometry geometry_scale_any(uint64_t items, uint64_t ways, double scale, uint64_t min_items);

struct cache {
	uint64_t *lines; /* line + 1, sets x ways, the most recently used first; 0: empty */
	uint32_t sets, ways;
};

/* -1 with errno when there is no memory. */
int cache_init(struct cache *cache, struct geometry geometry);
void cache_fini(struct cache *cache);
void cache_clear(struct cache *cache);

/* Spreads lines over any number of sets, as the slices of an LLC do. */
static inline uint32_t cache_hash(uint64_t line, uint32_t sets)
{
	return (uint32_t)((((line * UINT64_C(0x9e3779b97f4a7c15)) >> 32) * sets) >> 32);
}

/* Whether the line was in the set; it is afterwards, as the most recently used. */
static inline bool cache_access_set(uint64_t *set, uint32_t ways, uint64_t line)
{
	const uint64_t wanted = line + 1;
	uint32_t way = 0;
	bool hit;

	if (set[0] == wanted)
		return true;
	while (way < ways - 1 && set[way] != wanted)
		way++;
	hit = set[way] == wanted;
	for (; way > 0; way--)
		set[way] = set[way - 1];
	set[0] = wanted;
	return hit;
}

/* Sets, of which there must be a power of two, are found by the lowest bits. */
static inline bool cache_access(struct cache *cache, uint64_t line)
{
	const uint32_t set = (uint32_t)line & (cache->sets - 1);

	return cache_access_set(cache->lines + (size_t)set * cache->ways, cache->ways, line);
}

/* The same for a cache whose sets are found by a hash, and of which there may be any number. */
static inline bool cache_access_hashed(struct cache *cache, uint64_t line)
{
	const uint32_t set = cache_hash(line, cache->sets);

	return cache_access_set(cache->lines + (size_t)set * cache->ways, cache->ways, line);
}

#endif
