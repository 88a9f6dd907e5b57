// SPDX-License-Identifier: MIT
#include "emulator/plugin/walk.h"

#define ENTRY_PRESENT UINT64_C(1)
#define ENTRY_HUGE    (UINT64_C(1) << 7)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)
#define TABLE_ENTRIES 512

int walk_caches_init(struct walk_caches *caches, const struct profile *profile, double scale)
{
	*caches = (struct walk_caches){0};
	for (unsigned level = 1; level < ROI_LEVELS_MAX; level++) {
		const struct profile_tlb *pwc = &profile->pwc[level - 1];

		if (tlb_init(&caches->by_level[level],
			     geometry_scale(pwc->entries, pwc->ways, scale, 1)) != 0)
			return -1;
	}
	return 0;
}

void walk_caches_fini(struct walk_caches *caches)
{
	for (unsigned level = 1; level < ROI_LEVELS_MAX; level++)
		tlb_fini(&caches->by_level[level]);
}

void walk_caches_clear(struct walk_caches *caches)
{
	for (unsigned level = 1; level < ROI_LEVELS_MAX; level++)
		tlb_clear(&caches->by_level[level]);
}

/* The lowest level whose table the caches know, and that table. */
static unsigned first_level(struct walk_caches *caches, uint64_t root, unsigned levels,
			    uint64_t address, uint64_t *table)
{
	for (unsigned level = 1; level < levels; level++) {
		const struct tlb_entry *entry =
			tlb_find(&caches->by_level[level], address >> walk_shift(level));

		if (entry) {
			*table = entry->value;
			return level - 1;
		}
	}
	*table = root;
	return levels - 1;
}

static bool is_leaf(uint64_t entry, unsigned level)
{
	return level == 0 || (level <= 2 && (entry & ENTRY_HUGE));
}

void walk_run(struct walk *walk, const struct memory *memory, struct walk_caches *caches,
	      uint64_t root, unsigned levels, uint64_t address)
{
	uint64_t table;
	unsigned level = first_level(caches, root, levels, address, &table);

	walk->present = false;
	walk->nr_steps = 0;
	for (;; level--) {
		const uint64_t index = address >> walk_shift(level) & (TABLE_ENTRIES - 1);
		struct walk_step *step = &walk->steps[walk->nr_steps];
		const uint64_t *host;
		uint64_t entry;

		step->entry = (table & ENTRY_ADDRESS) + index * sizeof(entry);
		step->level = level;
		host = memory_host(memory, step->entry, &step->node);
		if (!host)
			return;
		walk->nr_steps++;
		entry = __atomic_load_n(host, __ATOMIC_RELAXED);
		if (!(entry & ENTRY_PRESENT))
			return;
		if (is_leaf(entry, level)) {
			const uint64_t offset_mask = (UINT64_C(1) << walk_shift(level)) - 1;

			walk->page_shift = walk_shift(level);
			walk->page = entry & ENTRY_ADDRESS & ~offset_mask;
			walk->page_node = memory_node_of(memory, walk->page, &walk->page_offset);
			walk->present = true;
			return;
		}
		table = entry & ENTRY_ADDRESS;
		tlb_insert(&caches->by_level[level], address >> walk_shift(level), table, 0);
	}
}
