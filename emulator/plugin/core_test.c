// SPDX-License-Identifier: MIT
/* Memory accesses through a whole core, against times and counts worked out by hand. */
#include "emulator/plugin/core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulator/plugin/guest_fake.h"

/* mov (%rdi),%rdi: each load needs the one before it. mov (%rsi),%rax: none does. */
static struct insn chained = {
	.address_registers = 1 << 7, .results = 1 << 7, .reads_memory = true, .micro_ops = 1};
static struct insn free_load = {
	.address_registers = 1 << 6, .results = 1 << 0, .reads_memory = true, .micro_ops = 1};
static struct insn store = {
	.address_registers = 1 << 6, .sources = 1, .writes_memory = true, .micro_ops = 1};
static struct insn update = {.address_registers = 1 << 6,
			     .sources = 1,
			     .latency_cycles = 1,
			     .reads_memory = true,
			     .writes_memory = true,
			     .micro_ops = 2};

struct run {
	struct fake_guest guest;
	struct roi_descriptor descriptor;
	struct block blocks[16];
	unsigned nr_blocks;
};

static void begin(struct run *run, const struct profile *profile, unsigned tables, unsigned data,
		  uint64_t contended_nodes)
{
	run->nr_blocks = 0;
	assert_int_equal(fake_start(&run->guest, profile), 0);
	fake_map(&run->guest, tables, data);
	run->descriptor = fake_request(&run->guest);
	run->descriptor.contended_nodes = contended_nodes;
	assert_int_equal(machine_begin(&run->guest.machine, &run->descriptor, NULL), 0);
}

/* One execution of a block with nothing but `insn`. */
static void access_at(struct run *run, struct insn *insn, uint64_t offset, bool is_store)
{
	struct core *core = &run->guest.machine.cores[0];
	struct block *block = &run->blocks[run->nr_blocks++];

	insn_pack(insn);
	*block = (struct block){.insns = insn, .nr_insns = 1};
	core_enter(core, block);
	core_access(core, insn, FAKE_VIRTUAL + offset, is_store);
}

static const struct roi_descriptor *end(struct run *run)
{
	assert_int_equal(machine_end(&run->guest.machine, &run->descriptor, NULL), 0);
	fake_stop(&run->guest);
	return &run->descriptor;
}

/* First touch: four entries and the word from memory. Then a neighbour in the same line, L1D. Then
 * the next line of the page: TLB hit, memory. */
static void latencies_of_a_chain(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	access_at(&run, &chained, 0, false);
	access_at(&run, &chained, 8, false);
	access_at(&run, &chained, 64, false);
	result = end(&run);
	assert_int_equal(result->total_cycles, 4 * 100 + 100 + 4 + 100);
	assert_int_equal(result->elapsed_cycles, result->total_cycles);
	assert_int_equal(result->counters.walk_cycles, 400);
	assert_int_equal(result->counters.walks, 1);
	assert_int_equal(result->counters.tlb_l1_hits, 2);
	assert_int_equal(result->counters.accesses, 3);
	assert_int_equal(result->counters.loads, 3);
	assert_int_equal(result->counters.instructions, 3);
	assert_int_equal(result->counters.data_l1_hits, 1);
	assert_int_equal(result->counters.data_memory_local, 2);
	assert_int_equal(result->counters.table_memory_local, 4);
	for (int level = 0; level < 4; level++)
		assert_int_equal(result->counters.table_accesses_local[level], 1);
	assert_int_equal(result->counters.memory_accesses[0][0], 6);
}

/* The next page: its PDE is in the walk cache, its PTE in the line of the first one's. */
static void the_second_walk_is_short(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	access_at(&run, &chained, 0, false);
	access_at(&run, &chained, 4096, false);
	result = end(&run);
	assert_int_equal(result->total_cycles, 500 + 4 + 100);
	assert_int_equal(result->counters.walks, 2);
	assert_int_equal(result->counters.table_l1_hits, 1);
	assert_int_equal(result->counters.table_accesses_local[0], 2);
	assert_int_equal(result->counters.table_accesses_local[1], 1);
}

static void placement_decides_latency_and_counters(void **state)
{
	const struct {
		unsigned tables, data;
		uint64_t contended_nodes, cycles;
	} cases[] = {
		{0, 0, 0, 400 + 100},  {0, 1, 0, 400 + 300},  {1, 0, 0, 1200 + 100},
		{1, 1, 0, 1200 + 300}, {0, 1, 2, 400 + 1200}, {1, 0, 2, 4 * 1200 + 100},
		{1, 1, 2, 5 * 1200},   {0, 0, 1, 5 * 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct roi_descriptor *result;
		struct run run;

		begin(&run, &fake_profile, cases[i].tables, cases[i].data,
		      cases[i].contended_nodes);
		access_at(&run, &chained, 0, false);
		result = end(&run);
		assert_int_equal(result->total_cycles, cases[i].cycles);
		assert_int_equal(result->counters.memory_accesses[0][1],
				 4 * cases[i].tables + cases[i].data);
		assert_int_equal(result->counters.table_memory_remote, 4 * cases[i].tables);
		assert_int_equal(result->counters.data_memory_remote, cases[i].data);
		assert_int_equal(result->counters.table_accesses_remote[0], cases[i].tables);
	}
}

/* Four buffers, one page: eight independent misses come in two groups. */
static void independent_misses_overlap(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	for (uint64_t i = 0; i < 8; i++)
		access_at(&run, &free_load, i * 64, false);
	result = end(&run);
	assert_int_equal(result->total_cycles, 400 + 100 + 100);
}

/* Independent loads of eight pages: their walks go one after the other all the same. */
static void walks_serialize(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	for (uint64_t i = 0; i < 8; i++)
		access_at(&run, &free_load, i * 8 * 4096, false);
	result = end(&run);
	/* 400, then a new line of PTEs each time; the last load follows its walk */
	assert_int_equal(result->counters.walk_cycles, 400 + 7 * 100);
	assert_int_equal(result->total_cycles, 400 + 7 * 100 + 100);
}

/* Two loads of one line at once: the second one waits for the line, not for four cycles. */
static void a_line_in_flight_is_waited_for(void **state)
{
	const struct roi_descriptor *result;
	struct insn user = chained;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	access_at(&run, &free_load, 0, false);
	access_at(&run, &user, 8, false); /* %rdi is ready: starts at once */
	access_at(&run, &chained, 64, false);
	result = end(&run);
	assert_int_equal(result->total_cycles, 500 + 100);
}

/* A store does not hold up the core, its walk does. */
static void a_store_hides_its_miss(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	access_at(&run, &store, 0, true);
	result = end(&run);
	assert_int_equal(result->counters.stores, 1);
	assert_int_equal(result->total_cycles, 400);
}

/* The load of an update walks for 400, its store after it for 4: entries and lines are in. */
static void an_update_walks_twice(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	access_at(&run, &update, 0, false);
	core_access(&run.guest.machine.cores[0], &update, FAKE_VIRTUAL, true);
	result = end(&run);
	assert_int_equal(result->counters.walks, 2);
	assert_int_equal(result->counters.walk_cycles, 404);
	assert_int_equal(result->counters.loads, 1);
	assert_int_equal(result->counters.stores, 1);
	assert_int_equal(result->counters.instructions, 1);
	assert_int_equal(result->total_cycles, 500 + 1);
}

/* Of many stores to a page that is being walked, one walks. */
static void further_stores_wait(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	access_at(&run, &free_load, 0, false);
	for (uint64_t i = 0; i < 4; i++)
		access_at(&run, &store, i * 64, true);
	result = end(&run);
	assert_int_equal(result->counters.walks, 2);
	assert_int_equal(result->counters.tlb_l1_hits, 3);
}

static void start_and_restart_cycles_keep_the_walker(void **state)
{
	struct profile profile = fake_profile;
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	profile.walk_start_cycles = 20;
	profile.walk_restart_cycles = 30;
	begin(&run, &profile, 0, 0, 0);
	access_at(&run, &chained, 0, false);
	result = end(&run);
	assert_int_equal(result->counters.walk_cycles, 420);
	assert_int_equal(result->total_cycles, 450 + 100);
}

/* 16 entries in 4 sets: five pages of one set, and the first is found in the second level. */
static void the_second_level_tlb_catches_it(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	for (uint64_t i = 0; i < 5; i++)
		access_at(&run, &chained, i * 4 * 4096, false);
	access_at(&run, &chained, 0, false);
	result = end(&run);
	assert_int_equal(result->counters.walks, 5);
	assert_int_equal(result->counters.tlb_l2_hits, 1);
}

/* An atomic update comes as one store and counts as both. */
static void an_atomic_update_is_both(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	access_at(&run, &update, 0, true);
	result = end(&run);
	assert_int_equal(result->counters.loads, 1);
	assert_int_equal(result->counters.stores, 1);
}

static void pieces_of_a_wide_load_are_one_access(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	access_at(&run, &free_load, 0, false);
	core_access(&run.guest.machine.cores[0], &free_load, FAKE_VIRTUAL + 8, false);
	core_access(&run.guest.machine.cores[0], &free_load, FAKE_VIRTUAL + 16, false);
	result = end(&run);
	assert_int_equal(result->counters.accesses, 1);
	assert_int_equal(result->counters.instructions, 1);
}

static void what_is_not_mapped_is_not_modelled(void **state)
{
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	begin(&run, &fake_profile, 0, 0, 0);
	access_at(&run, &free_load, UINT64_C(1) << 32, false);
	access_at(&run, &free_load, UINT64_C(0xffff888000000000) - FAKE_VIRTUAL, false);
	result = end(&run);
	assert_int_equal(result->counters.walk_failed, 1);
	assert_int_equal(result->counters.accesses, 0);
	assert_int_equal(result->counters.instructions, 2);
}

/* The elements of a repeated string instruction are one instruction. */
static void a_repeated_instruction_counts_once(void **state)
{
	struct insn repeated = store;
	const struct roi_descriptor *result;
	struct run run;

	(void)state;
	repeated.repeats = true;
	repeated.address = 0x1000;
	begin(&run, &fake_profile, 0, 0, 0);
	for (uint64_t i = 0; i < 8; i++)
		access_at(&run, &repeated, i * 8, true);
	result = end(&run);
	assert_int_equal(result->counters.instructions, 1);
	assert_int_equal(result->counters.accesses, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latencies_of_a_chain),
		cmocka_unit_test(the_second_walk_is_short),
		cmocka_unit_test(placement_decides_latency_and_counters),
		cmocka_unit_test(independent_misses_overlap),
		cmocka_unit_test(walks_serialize),
		cmocka_unit_test(a_line_in_flight_is_waited_for),
		cmocka_unit_test(a_store_hides_its_miss),
		cmocka_unit_test(an_update_walks_twice),
		cmocka_unit_test(further_stores_wait),
		cmocka_unit_test(start_and_restart_cycles_keep_the_walker),
		cmocka_unit_test(the_second_level_tlb_catches_it),
		cmocka_unit_test(an_atomic_update_is_both),
		cmocka_unit_test(pieces_of_a_wide_load_are_one_access),
		cmocka_unit_test(what_is_not_mapped_is_not_modelled),
		cmocka_unit_test(a_repeated_instruction_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
