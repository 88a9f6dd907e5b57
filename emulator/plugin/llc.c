// SPDX-License-Identifier: MIT
#include "emulator/plugin/llc.h"

#include <stdlib.h>
#include <string.h>

#define DISTANT     3
#define LONG        2
#define NEAR        0
#define DUEL_STRIDE 32 /* one set in so many leads for each of the two insertions */
#define DUEL_LIMIT  512
#define BIMODAL     32 /* bimodal insertion: one in so many is long, the others distant */

int llc_init(struct llc *llc, struct geometry geometry, bool adaptive)
{
	const size_t lines = (size_t)geometry.sets * geometry.ways;

	*llc = (struct llc){.sets = geometry.sets, .ways = geometry.ways, .adaptive = adaptive};
	atomic_flag_clear(&llc->busy);
	llc->lines = calloc(lines, sizeof(*llc->lines));
	llc->interval = calloc(lines, sizeof(*llc->interval));
	return llc->lines && llc->interval ? 0 : -1;
}

void llc_fini(struct llc *llc)
{
	free(llc->lines);
	free(llc->interval);
	llc->lines = NULL;
	llc->interval = NULL;
}

void llc_clear(struct llc *llc, unsigned nr_users)
{
	const size_t lines = (size_t)llc->sets * llc->ways;

	memset(llc->lines, 0, lines * sizeof(*llc->lines));
	memset(llc->interval, DISTANT, lines * sizeof(*llc->interval));
	llc->preference = 0;
	llc->inserted = 0;
	llc->alone = nr_users <= 1;
}

/* Leader sets always insert their way and vote with each miss; the others follow the vote. */
static bool is_bimodal(struct llc *llc, uint32_t set)
{
	switch (set % DUEL_STRIDE) {
	case 0:
		if (llc->preference < DUEL_LIMIT)
			llc->preference++;
		return false;
	case 1:
		if (llc->preference > -DUEL_LIMIT)
			llc->preference--;
		return true;
	default:
		return llc->preference > 0;
	}
}

/* The first distant line of the set, after all were aged until there is one. */
static uint32_t find_victim(const struct llc *llc, uint8_t *interval)
{
	for (;;) {
		const uint8_t *distant = memchr(interval, DISTANT, llc->ways);

		if (distant)
			return (uint32_t)(distant - interval);
		for (uint32_t way = 0; way < llc->ways; way++)
			interval[way]++;
	}
}

static bool access_adaptive(struct llc *llc, uint32_t set, uint64_t line)
{
	uint64_t *lines = llc->lines + (size_t)set * llc->ways;
	uint8_t *interval = llc->interval + (size_t)set * llc->ways;
	uint32_t victim;

	for (uint32_t way = 0; way < llc->ways; way++) {
		if (lines[way] == line + 1) {
			interval[way] = NEAR;
			return true;
		}
	}
	victim = find_victim(llc, interval);
	lines[victim] = line + 1;
	interval[victim] = is_bimodal(llc, set) && llc->inserted++ % BIMODAL != 0 ? DISTANT : LONG;
	return false;
}

static inline bool access_unlocked(struct llc *llc, uint64_t line)
{
	const uint32_t set = cache_hash(line, llc->sets);

	if (llc->adaptive)
		return access_adaptive(llc, set, line);
	return cache_access_set(llc->lines + (size_t)set * llc->ways, llc->ways, line);
}

bool llc_access(struct llc *llc, uint64_t line)
{
	bool hit;

	if (llc->alone)
		return access_unlocked(llc, line);
	while (atomic_flag_test_and_set_explicit(&llc->busy, memory_order_acquire))
		__builtin_ia32_pause();
	hit = access_unlocked(llc, line);
	atomic_flag_clear_explicit(&llc->busy, memory_order_release);
	return hit;
}
