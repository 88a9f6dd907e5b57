// SPDX-License-Identifier: MIT
/*
 * Formats of the entries: Intel SDM vol. 3A, 4.5 (tables 4-15 to 4-20), AMD APM vol. 2, 5.3; for
 * entries without P, what Linux puts there: arch/x86/include/asm/pgtable_64.h and pgtable-invert.h.
 *
 * The tables are read level by level, so that each read takes a whole batch. A process that runs
 * meanwhile changes them. What would change the counts of tables, and most of what would change
 * those of leaves, is seen by a second reading at the end: of every table that points to tables
 * (they are 1/512 of all), and of every 32nd leaf table. Accessed and dirty bits, which the CPU
 * sets all the time, do not count as a change.
 */
#include "harness/ptdump_walk.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY_PRESENT  UINT64_C(0x001)
#define ENTRY_ACCESSED UINT64_C(0x020)
#define ENTRY_DIRTY    UINT64_C(0x040)
#define ENTRY_PS       UINT64_C(0x080) /* maps a page, in tables that can also point to tables */
#define ENTRY_PROTNONE UINT64_C(0x100) /* without P: Linux's _PAGE_PROTNONE (the G bit) */

#define LEVEL_PT    0
#define LEVEL_PDPT  2
#define USER_HALF   (PTDUMP_ENTRIES / 2)
#define LEAF_SAMPLE 32

struct address_list {
	uint64_t *addresses;
	size_t nr, capacity;
};

/* A table to be read again, with what it held. */
struct witness {
	uint64_t address;
	uint64_t hash;
};

struct walk {
	struct ptdump_reader *reader;
	const struct ptdump_visitor *visitor;
	struct ptdump_result *result;
	struct err *err;
	int level;
	uint64_t max_tables; /* more than memory can hold: entries are garbage */
	uint64_t nr_tables;
	struct address_list tables[2]; /* of this level and of the next one below */
	struct witness *witnesses;
	size_t nr_witnesses, capacity;
};

static int add_address(struct walk *walk, struct address_list *list, uint64_t address)
{
	if (list->nr == list->capacity) {
		const size_t capacity = list->capacity ? 2 * list->capacity : PTDUMP_ENTRIES;
		uint64_t *larger = realloc(list->addresses, capacity * sizeof(*larger));

		if (!larger)
			return err_set(walk->err, ERR_INTERNAL,
				       "out of memory for a list of tables");
		list->addresses = larger;
		list->capacity = capacity;
	}
	list->addresses[list->nr++] = address;
	return 0;
}

static size_t used_entries(const struct walk *walk)
{
	return walk->level == walk->result->levels - 1 ? USER_HALF : PTDUMP_ENTRIES;
}

static uint64_t hash_table(const uint64_t *entries, size_t nr)
{
	uint64_t hash = nr;

	/* Multiplication by the 64-bit golden ratio; order matters, so moved entries show. */
	for (size_t i = 0; i < nr; i++)
		hash = (hash ^ (entries[i] & ~(ENTRY_ACCESSED | ENTRY_DIRTY))) *
			       UINT64_C(0x9e3779b97f4a7c15) +
		       (hash >> 32);
	return hash;
}

static int add_witness(struct walk *walk, uint64_t address, const uint64_t *entries)
{
	if (walk->nr_witnesses == walk->capacity) {
		const size_t capacity = walk->capacity ? 2 * walk->capacity : PTDUMP_ENTRIES;
		struct witness *larger = realloc(walk->witnesses, capacity * sizeof(*larger));

		if (!larger)
			return err_set(walk->err, ERR_INTERNAL,
				       "out of memory for a list of tables");
		walk->witnesses = larger;
		walk->capacity = capacity;
	}
	walk->witnesses[walk->nr_witnesses++] =
		(struct witness){address, hash_table(entries, used_entries(walk))};
	return 0;
}

/* The frame an entry holds. Linux inverts it in entries without P (against L1TF). */
static uint64_t frame_of(const struct walk *walk, uint64_t entry)
{
	const uint64_t value = entry & ENTRY_PRESENT ? entry : ~entry;

	return (value & walk->reader->frame_mask) >> NODEMAP_FRAME_SHIFT;
}

static bool maps_something(uint64_t entry)
{
	return entry & (ENTRY_PRESENT | ENTRY_PROTNONE);
}

static void count_leaf(struct walk *walk, uint64_t entry, int table_node)
{
	struct ptdump_result *result = walk->result;
	const int node = nodemap_node(walk->reader->nodes, frame_of(walk, entry));

	if (!(entry & ENTRY_PRESENT))
		result->prot_none++;
	if (node == NODEMAP_NONE || table_node == NODEMAP_NONE)
		result->unresolved++;
	else
		result->leaves[walk->level][table_node][node]++;
}

/* Entries that map frames of one granule of the node map, not yet added to its node's count. */
struct run {
	uint64_t key; /* P and the granule's bits of the entries in it */
	uint64_t length;
	uint64_t *count; /* NULL: no run */
};

static void end_run(struct run *run)
{
	if (run->count)
		*run->count += run->length;
	*run = (struct run){0};
}

static void count_leaf_entry(struct walk *walk, uint64_t entry, uint64_t key, int table_node,
			     struct run *run)
{
	const struct nodemap *nodes = walk->reader->nodes;
	const uint64_t granule = frame_of(walk, entry) >> nodes->shift;

	if (!maps_something(entry)) {
		walk->result->not_present += entry != 0;
	} else if (!(entry & ENTRY_PRESENT) || table_node == NODEMAP_NONE ||
		   granule >= nodes->nr_granules ||
		   nodes->granules[granule] >= NODEMAP_GRANULE_MIXED) {
		count_leaf(walk, entry, table_node);
	} else {
		end_run(run);
		run->key = key;
		run->length = 1;
		run->count = &walk->result->leaves[LEVEL_PT][table_node][nodes->granules[granule]];
	}
}

#define GROUP 8 /* a cache line */

/*
 * The hot loop. Neighbouring entries mostly map frames of the same granule, or nothing at all: both
 * are seen for a whole cache line by a few instructions that the compiler turns into vector ones.
 */
static void count_leaf_table(struct walk *walk, const uint64_t *entries, int table_node)
{
	const struct nodemap *nodes = walk->reader->nodes;
	const uint64_t key_mask =
		ENTRY_PRESENT | (walk->reader->frame_mask & -(UINT64_C(1) << (nodes->shift + 12)));
	struct run run = {0};

	for (size_t i = 0; i < PTDUMP_ENTRIES; i += GROUP) {
		uint64_t differs = 0, any = 0;

		for (size_t j = i; j < i + GROUP; j++)
			differs |= entries[j] ^ run.key;
		if ((differs & key_mask) == 0 && run.count) {
			run.length += GROUP;
			continue;
		}
		for (size_t j = i; j < i + GROUP; j++)
			any |= entries[j];
		if (any == 0)
			continue;
		for (size_t j = i; j < i + GROUP; j++) {
			const uint64_t key = entries[j] & key_mask;

			if (key == run.key && run.count)
				run.length++;
			else
				count_leaf_entry(walk, entries[j], key, table_node, &run);
		}
	}
	end_run(&run);
}

static int read_upper_table(struct walk *walk, const uint64_t *entries, int table_node)
{
	struct ptdump_result *result = walk->result;
	const size_t nr = used_entries(walk);

	for (size_t i = 0; i < nr; i++) {
		const uint64_t entry = entries[i];

		if (entry == 0)
			continue;
		if (walk->level <= LEVEL_PDPT && (entry & ENTRY_PS) && maps_something(entry))
			count_leaf(walk, entry, table_node);
		else if (!(entry & ENTRY_PRESENT))
			result->not_present++;
		else if ((entry & ENTRY_PS) ||
			 nodemap_node(walk->reader->nodes, frame_of(walk, entry)) == NODEMAP_NONE)
			result->torn = true; /* no table is there: this one is one no longer */
		else if (add_address(walk, &walk->tables[1], frame_of(walk, entry) << 12))
			return -1;
	}
	return 0;
}

static int process_table(struct walk *walk, uint64_t address, const uint64_t *entries, size_t index)
{
	const int node = nodemap_node(walk->reader->nodes, address >> NODEMAP_FRAME_SHIFT);
	struct ptdump_result *result = walk->result;
	const struct ptdump_visitor *visitor = walk->visitor;

	if (node != NODEMAP_NONE)
		result->table_pages[walk->level][node]++;
	result->entries_read += PTDUMP_ENTRIES;
	if (++walk->nr_tables > walk->max_tables)
		return err_set(walk->err, ERR_RUN,
			       "the tables changed too much while they were read: stop the process "
			       "(kill -STOP) for the dump");
	if (visitor && visitor->visit(visitor->context, address, entries, walk->err))
		return -1;
	if ((walk->level != LEVEL_PT || index % LEAF_SAMPLE == 0) &&
	    add_witness(walk, address, entries))
		return -1;
	if (walk->level != LEVEL_PT)
		return read_upper_table(walk, entries, node);
	count_leaf_table(walk, entries, node);
	return 0;
}

static int walk_level(struct walk *walk)
{
	const struct address_list *list = &walk->tables[0];
	struct ptdump_batch batch;

	for (size_t done = 0; done < list->nr; done += PTDUMP_BATCH) {
		const size_t left = list->nr - done;
		const size_t nr = left < PTDUMP_BATCH ? left : PTDUMP_BATCH;

		if (walk->reader->ops->read(walk->reader, list->addresses + done, nr, &batch,
					    walk->err))
			return -1;
		for (size_t i = 0; i < nr; i++) {
			if (batch.failed[i])
				walk->result->torn = true;
			else if (process_table(walk, list->addresses[done + i], batch.tables[i],
					       done + i))
				return -1;
		}
	}
	return 0;
}

static int read_witnesses(struct walk *walk)
{
	/* The root comes first, and only of the root half the entries count. */
	size_t entries = USER_HALF;

	for (size_t done = 0, nr; done < walk->nr_witnesses; done += nr) {
		uint64_t addresses[PTDUMP_BATCH];
		struct ptdump_batch batch;

		nr = walk->nr_witnesses - done;
		if (nr > PTDUMP_BATCH)
			nr = PTDUMP_BATCH;
		for (size_t i = 0; i < nr; i++)
			addresses[i] = walk->witnesses[done + i].address;
		if (walk->reader->ops->read(walk->reader, addresses, nr, &batch, walk->err))
			return -1;
		for (size_t i = 0; i < nr; i++) {
			if (batch.failed[i] ||
			    hash_table(batch.tables[i], entries) != walk->witnesses[done + i].hash)
				walk->result->torn = true;
			entries = PTDUMP_ENTRIES;
		}
	}
	return 0;
}

static int walk_levels(struct walk *walk, const struct ptdump_space *space)
{
	if (add_address(walk, &walk->tables[0], space->root_address))
		return -1;
	for (walk->level = space->levels - 1; walk->level >= 0; walk->level--) {
		const struct address_list current = walk->tables[0];

		if (walk_level(walk))
			return -1;
		walk->tables[0] = walk->tables[1];
		walk->tables[1] = current;
		walk->tables[1].nr = 0;
	}
	return read_witnesses(walk);
}

int ptdump_walk(struct ptdump_reader *reader, const struct ptdump_space *space,
		const struct ptdump_visitor *visitor, struct ptdump_result *result, struct err *err)
{
	struct walk walk = {
		.reader = reader,
		.visitor = visitor,
		.result = result,
		.err = err,
		.max_tables = (uint64_t)reader->nodes->nr_granules << reader->nodes->shift,
	};
	int status;

	memset(result, 0, sizeof(*result));
	result->levels = space->levels;
	result->nr_nodes = reader->nodes->nr_nodes;
	result->root_address = space->root_address;
	result->reader = reader->ops->name;
	status = walk_levels(&walk, space);
	free(walk.tables[0].addresses);
	free(walk.tables[1].addresses);
	free(walk.witnesses);
	return status;
}
