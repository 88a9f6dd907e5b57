/* SPDX-License-Identifier: MIT */
/*
 * A set-associative table from a key to a physical address with least-recently-used replacement:
 * TLBs (key: page number, value: page) and page-walk caches (key: the address bits an entry
 * translates, value: the table it points to).
 */
#ifndef EMULATOR_PLUGIN_TLB_H
#define EMULATOR_PLUGIN_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emulator/plugin/cache.h"

struct tlb_entry {
	uint64_t key; /* + 1; 0: empty */
	uint64_t value;
	uint64_t ready;        /* tick at which the walk that found it ends */
	bool walked_for_store; /* a store has walked for it as well meanwhile */
};

struct tlb {
	struct tlb_entry *entries; /* sets x ways, the most recently used first */
	uint32_t sets, ways;       /* sets 0: the machine has no such table */
	uint32_t used;             /* 0: nothing was ever inserted */
};

int tlb_init(struct tlb *tlb, struct geometry geometry);
void tlb_fini(struct tlb *tlb);
void tlb_clear(struct tlb *tlb);

static inline struct tlb_entry *tlb_set(const struct tlb *tlb, uint64_t key)
{
	return tlb->entries + (size_t)((uint32_t)key & (tlb->sets - 1)) * tlb->ways;
}

/* The entry, now the most recently used of its set, or NULL. */
static inline struct tlb_entry *tlb_find(struct tlb *tlb, uint64_t key)
{
	struct tlb_entry *set, found;
	uint32_t way = 0;

	if (tlb->used == 0)
		return NULL;
	set = tlb_set(tlb, key);
	while (set[way].key != key + 1)
		if (++way == tlb->ways)
			return NULL;
	if (way == 0)
		return set;
	found = set[way];
	for (; way > 0; way--)
		set[way] = set[way - 1];
	set[0] = found;
	return set;
}

/* Puts an entry that is not in, in place of the least recently used one of its set. */
static inline void tlb_insert(struct tlb *tlb, uint64_t key, uint64_t value, uint64_t ready)
{
	struct tlb_entry *set;

	if (tlb->sets == 0)
		return;
	set = tlb_set(tlb, key);
	for (uint32_t way = tlb->ways - 1; way > 0; way--)
		set[way] = set[way - 1];
	set[0] = (struct tlb_entry){.key = key + 1, .value = value, .ready = ready};
	tlb->used = 1;
}

#endif
