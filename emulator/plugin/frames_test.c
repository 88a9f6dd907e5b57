// SPDX-License-Identifier: MIT
/* The same program in guests whose kernels handed out other frames. */
#include "emulator/plugin/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulator/plugin/guest_fake.h"

static struct insn load = {
	.address_registers = 1 << 6, .results = 1 << 0, .reads_memory = true, .micro_ops = 1};

static struct fake_guest guest;

static int start(void **state)
{
	(void)state;
	if (fake_start(&guest, &fake_profile) != 0)
		return -1;
	fake_map(&guest, 0, 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fake_stop(&guest);
	return 0;
}

/* Maps virtual page `number` of the fake guest to the frame at `page`. */
static void map(uint64_t number, uint64_t page)
{
	fake_set(&guest, 0x1000 + 0x3000 + number * 8, page | FAKE_PRESENT);
}

static uint64_t name_of(uint64_t number)
{
	const uint64_t address = FAKE_VIRTUAL + number * 4096;
	const struct memory *memory = &guest.machine.memory;
	struct walk_caches none = {0};
	struct walk walk;

	walk_run(&walk, memory, &none, guest.root, 4, address);
	assert_true(walk.present);
	return frames_page(&guest.machine.frames, memory, guest.root, 4, &walk, address);
}

static void a_name_says_page_and_node(void **state)
{
	(void)state;
	map(1, FAKE_NODE_BYTES + 0x5000);
	assert_int_equal(name_of(0), (FAKE_VIRTUAL >> 12) << 6);
	assert_int_equal(name_of(1), UINT64_C(1) << FRAMES_NODE_SHIFT | ((FAKE_VIRTUAL >> 12) + 1)
										<< 6);
	assert_int_equal(frames_node(name_of(1)), 1);
}

/* As the zero page is. */
static void two_pages_that_are_one_frame_share_lines(void **state)
{
	(void)state;
	map(7, 0x200000);
	map(8, 0x200000);
	assert_int_equal(name_of(7), ((FAKE_VIRTUAL >> 12) + 7) << 6);
	assert_int_equal(name_of(8), name_of(7));
}

static void a_frame_that_is_used_again_gets_a_new_name(void **state)
{
	uint64_t first;

	(void)state;
	map(7, 0x200000);
	first = name_of(7);
	map(7, 0x300000);
	map(8, 0x200000);
	assert_int_equal(name_of(8), ((FAKE_VIRTUAL >> 12) + 8) << 6);
	assert_int_equal(name_of(7), first);
}

static void names_are_forgotten(void **state)
{
	(void)state;
	map(7, 0x200000);
	map(8, 0x200000);
	name_of(7);
	frames_clear(&guest.machine.frames);
	assert_int_equal(name_of(8), ((FAKE_VIRTUAL >> 12) + 8) << 6);
}

/* Entries of one line of a table share its name; levels, nodes and lines do not. */
static void entries_have_names_too(void **state)
{
	const struct walk_step leaf = {.level = 0, .node = 0}, remote = {.level = 0, .node = 1};
	const struct walk_step upper = {.level = 1, .node = 0};

	(void)state;
	assert_int_equal(frames_entry(&leaf, 0x10000000), frames_entry(&leaf, 0x10007fff));
	assert_int_not_equal(frames_entry(&leaf, 0x10000000), frames_entry(&leaf, 0x10008000));
	assert_int_not_equal(frames_entry(&leaf, 0), frames_entry(&remote, 0));
	assert_int_not_equal(frames_entry(&leaf, 0), frames_entry(&upper, 0));
	assert_int_not_equal(frames_entry(&leaf, 0), name_of(0));
}

/* Random loads of all pages, when page i is in frame i * stride % FAKE_PAGES; what they cost. */
static struct roi_descriptor cost_of(uint64_t stride)
{
	struct roi_descriptor descriptor = fake_request(&guest);
	struct core *core = &guest.machine.cores[0];
	struct block block = {.insns = &load, .nr_insns = 1};
	uint64_t random = 1;

	for (uint64_t i = 0; i < FAKE_PAGES; i++)
		map(i, 0x100000 + i * stride % FAKE_PAGES * 4096);
	insn_pack(&load);
	assert_int_equal(machine_begin(&guest.machine, &descriptor, NULL), 0);
	for (int i = 0; i < 20000; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		core_enter(core, &block);
		core_access(core, &load, FAKE_VIRTUAL + (random >> 33) % (FAKE_PAGES * 4096),
			    false);
	}
	assert_int_equal(machine_end(&guest.machine, &descriptor, NULL), 0);
	return descriptor;
}

static void other_frames_change_nothing(void **state)
{
	const struct roi_descriptor straight = cost_of(1), shuffled = cost_of(173);

	(void)state;
	assert_true(straight.counters.data_llc_hits > 100);
	assert_int_equal(straight.total_cycles, shuffled.total_cycles);
	assert_memory_equal(&straight.counters, &shuffled.counters, sizeof(straight.counters));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_says_page_and_node, start, stop),
		cmocka_unit_test_setup_teardown(two_pages_that_are_one_frame_share_lines, start,
						stop),
		cmocka_unit_test_setup_teardown(a_frame_that_is_used_again_gets_a_new_name, start,
						stop),
		cmocka_unit_test_setup_teardown(names_are_forgotten, start, stop),
		cmocka_unit_test_setup_teardown(entries_have_names_too, start, stop),
		cmocka_unit_test_setup_teardown(other_frames_change_nothing, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
