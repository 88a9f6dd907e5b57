// SPDX-License-Identifier: MIT
/* Walks of tables that are written by hand into two small nodes of guest memory. */
#include "emulator/plugin/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define NODE_BYTES UINT64_C(0x10000)
#define PRESENT    UINT64_C(1)
#define HUGE       UINT64_C(0x80)
#define NX         (UINT64_C(1) << 63)

/* Node 0: 0 to 0x10000; node 1: 0x10000 to 0x18000 and its second half at 4 GiB. */
struct guest {
	struct memory memory;
	struct walk_caches caches;
	char *node[2];
};

static const struct profile with_caches = {.pwc = {{4, 4}, {2, 2}, {1, 1}, {1, 1}}};
static const struct profile without_caches = {.pwc = {{0, 1}, {0, 1}, {0, 1}, {0, 1}}};

static void set_up(struct guest *guest, const struct profile *profile)
{
	*guest = (struct guest){.memory = {.below_4g_bytes = NODE_BYTES + NODE_BYTES / 2}};
	for (int i = 0; i < 2; i++) {
		guest->node[i] = calloc(1, NODE_BYTES);
		assert_non_null(guest->node[i]);
		memory_add_node(&guest->memory, guest->node[i], NODE_BYTES);
	}
	assert_int_equal(walk_caches_init(&guest->caches, profile, 1.0), 0);
}

static void tear_down(struct guest *guest)
{
	walk_caches_fini(&guest->caches);
	free(guest->node[0]);
	free(guest->node[1]);
}

static void set_entry(struct guest *guest, uint64_t table, unsigned index, uint64_t entry)
{
	unsigned node;
	uint64_t *at = memory_host(&guest->memory, table + index * 8, &node);

	assert_non_null(at);
	*at = entry;
}

/* Address with these indices, from PML4E to PTE, and an offset. */
static uint64_t address_of(uint64_t pml4, uint64_t pdpt, uint64_t pd, uint64_t pt, uint64_t offset)
{
	return pml4 << 39 | pdpt << 30 | pd << 21 | pt << 12 | offset;
}

static void map_4k(struct guest *guest)
{
	set_entry(guest, 0x1000, 1, 0x2000 | PRESENT);
	set_entry(guest, 0x2000, 2, 0x3000 | PRESENT);
	set_entry(guest, 0x3000, 3, 0x10000 | PRESENT); /* this table is on node 1 */
	set_entry(guest, 0x10000, 4, 0xabc000 | PRESENT | NX);
	set_entry(guest, 0x10000, 5, 0xdef000 | PRESENT);
}

static void four_levels(void **state)
{
	const uint64_t entries[] = {0x1008, 0x2010, 0x3018, 0x10020};
	struct guest guest;
	struct walk walk;

	(void)state;
	set_up(&guest, &without_caches);
	map_4k(&guest);
	walk_run(&walk, &guest.memory, &guest.caches, 0x1000, 4, address_of(1, 2, 3, 4, 0x567));
	assert_true(walk.present);
	assert_int_equal(walk.page, 0xabc000);
	assert_int_equal(walk.page_shift, 12);
	assert_int_equal(walk.nr_steps, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(walk.steps[i].entry, entries[i]);
		assert_int_equal(walk.steps[i].level, 3 - i);
		assert_int_equal(walk.steps[i].node, i == 3);
	}
	tear_down(&guest);
}

static void five_levels(void **state)
{
	struct guest guest;
	struct walk walk;

	(void)state;
	set_up(&guest, &without_caches);
	map_4k(&guest);
	set_entry(&guest, 0x5000, 6, 0x1000 | PRESENT);
	walk_run(&walk, &guest.memory, &guest.caches, 0x5000, 5,
		 UINT64_C(6) << 48 | address_of(1, 2, 3, 4, 0));
	assert_true(walk.present);
	assert_int_equal(walk.nr_steps, 5);
	assert_int_equal(walk.steps[0].entry, 0x5030);
	assert_int_equal(walk.steps[0].level, 4);
	assert_int_equal(walk.page, 0xabc000);
	tear_down(&guest);
}

static void huge_pages_end_early(void **state)
{
	struct guest guest;
	struct walk walk;

	(void)state;
	set_up(&guest, &without_caches);
	map_4k(&guest);
	set_entry(&guest, 0x3000, 7, 0x40000000 | PRESENT | HUGE | 0x1000); /* bit 12 is PAT */
	set_entry(&guest, 0x2000, 8, 0x80000000 | PRESENT | HUGE);
	walk_run(&walk, &guest.memory, &guest.caches, 0x1000, 4, address_of(1, 2, 7, 9, 9));
	assert_true(walk.present);
	assert_int_equal(walk.nr_steps, 3);
	assert_int_equal(walk.page_shift, 21);
	assert_int_equal(walk.page, 0x40000000);
	walk_run(&walk, &guest.memory, &guest.caches, 0x1000, 4, address_of(1, 8, 7, 9, 9));
	assert_true(walk.present);
	assert_int_equal(walk.nr_steps, 2);
	assert_int_equal(walk.page_shift, 30);
	assert_int_equal(walk.page, 0x80000000);
	tear_down(&guest);
}

static void what_is_not_present_ends_the_walk(void **state)
{
	struct guest guest;
	struct walk walk;

	(void)state;
	set_up(&guest, &with_caches);
	map_4k(&guest);
	walk_run(&walk, &guest.memory, &guest.caches, 0x1000, 4, address_of(1, 2, 3, 6, 0));
	assert_false(walk.present);
	assert_int_equal(walk.nr_steps, 4);
	walk_run(&walk, &guest.memory, &guest.caches, 0x1000, 4, address_of(0, 2, 3, 6, 0));
	assert_false(walk.present);
	assert_int_equal(walk.nr_steps, 1);
	/* A table in the hole below 4 GiB. */
	set_entry(&guest, 0x1000, 2, 0x30000 | PRESENT);
	walk_run(&walk, &guest.memory, &guest.caches, 0x1000, 4, address_of(2, 0, 0, 0, 0));
	assert_false(walk.present);
	assert_int_equal(walk.nr_steps, 1);
	tear_down(&guest);
}

static unsigned steps_to(struct guest *guest, uint64_t address)
{
	struct walk walk;

	walk_run(&walk, &guest->memory, &guest->caches, 0x1000, 4, address);
	assert_true(walk.present);
	return walk.nr_steps;
}

/* PDE caches of 4, PDPTE caches of 2: a walk starts at the lowest table they know. */
static void walk_caches_skip_levels(void **state)
{
	struct guest guest;

	(void)state;
	set_up(&guest, &with_caches);
	map_4k(&guest);
	for (unsigned pd = 10; pd < 14; pd++)
		set_entry(&guest, 0x3000, pd, 0x10000 | PRESENT);
	set_entry(&guest, 0x2000, 3, 0x3000 | PRESENT);
	assert_int_equal(steps_to(&guest, address_of(1, 2, 3, 4, 0)), 4);
	assert_int_equal(steps_to(&guest, address_of(1, 2, 3, 5, 0)), 1);  /* PDE known */
	assert_int_equal(steps_to(&guest, address_of(1, 2, 10, 4, 0)), 2); /* PDPTE known */
	assert_int_equal(steps_to(&guest, address_of(1, 3, 10, 4, 0)), 3); /* PML4E known */
	for (unsigned pd = 11; pd < 14; pd++)
		assert_int_equal(steps_to(&guest, address_of(1, 2, pd, 4, 0)), 2);
	/* Five PDEs since: the first is forgotten. */
	assert_int_equal(steps_to(&guest, address_of(1, 2, 3, 4, 0)), 2);
	walk_caches_clear(&guest.caches);
	assert_int_equal(steps_to(&guest, address_of(1, 2, 3, 4, 0)), 4);
	tear_down(&guest);
}

static void guest_memory_has_a_hole(void **state)
{
	struct guest guest;
	unsigned node = 9;
	uint64_t offset;

	(void)state;
	set_up(&guest, &without_caches);
	assert_ptr_equal(memory_host(&guest.memory, 0xffff, &node), guest.node[0] + 0xffff);
	assert_int_equal(node, 0);
	assert_ptr_equal(memory_host(&guest.memory, 0x10000, &node), guest.node[1]);
	assert_int_equal(node, 1);
	assert_null(memory_host(&guest.memory, 0x18000, &node));
	assert_ptr_equal(memory_host(&guest.memory, UINT64_C(1) << 32, &node),
			 guest.node[1] + 0x8000);
	assert_null(memory_host(&guest.memory, (UINT64_C(1) << 32) + 0x8000, &node));
	assert_int_equal(memory_node_of(&guest.memory, 0x20000, &offset), MEMORY_NO_NODE);
	assert_int_equal(memory_node_of(&guest.memory, (UINT64_C(1) << 32) + 8, &offset), 1);
	assert_int_equal(offset, 0x18008);
	tear_down(&guest);
}

/* Local, remote, and under interference: 10 x 10 lines at 6.4 GB/s queue for 2000 cycles. */
static void latencies_per_pair_of_nodes(void **state)
{
	const struct profile profile = {
		.cores_per_node = 10,
		.outstanding_per_core = 10,
		.bandwidth_bytes_per_s = 6400000000,
		.frequency_hz = 2000000000,
		.latency_cycles = {{100, 300}, {310, 110}},
	};
	struct guest guest;

	(void)state;
	set_up(&guest, &without_caches);
	memory_set_latencies(&guest.memory, &profile, 1u << 1, 4);
	assert_int_equal(guest.memory.latency_ticks[0][0], 400);
	assert_int_equal(guest.memory.latency_ticks[1][0], 1240);
	assert_int_equal(guest.memory.latency_ticks[1][1], 8000);
	assert_int_equal(guest.memory.latency_ticks[0][1], 4 * (2000 + 190));
	memory_set_latencies(&guest.memory, &profile, 0, 1);
	assert_int_equal(guest.memory.latency_ticks[0][1], 300);
	tear_down(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_levels),
		cmocka_unit_test(five_levels),
		cmocka_unit_test(huge_pages_end_early),
		cmocka_unit_test(what_is_not_present_ends_the_walk),
		cmocka_unit_test(walk_caches_skip_levels),
		cmocka_unit_test(guest_memory_has_a_hole),
		cmocka_unit_test(latencies_per_pair_of_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
