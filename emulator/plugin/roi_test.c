// SPDX-License-Identifier: MIT
#include "emulator/plugin/roi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "emulator/plugin/guest_fake.h"

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

static struct roi_descriptor ask(struct roi_descriptor request, uint32_t command)
{
	char line[ROI_LINE_MAX];

	request.command = command;
	request.answer = ROI_UNANSWERED;
	roi_answer(&guest.machine, &request, line);
	assert_non_null(strstr(line, "roi"));
	return request;
}

static __attribute__((noinline)) void roi_marker_code(volatile struct roi_descriptor *descriptor)
{
	roi_marker(descriptor);
}

static void the_marker_is_recognised(void **state)
{
	/* The bytes that the guest's side of the header really assembles to. */
	const void *code = (const void *)(uintptr_t)roi_marker_code;
	const uint8_t *marker = memmem(code, 64, "\x0f\x1f\x80", 3);

	(void)state;
	assert_non_null(marker);
	assert_true(roi_is_marker(marker, 7));
	assert_false(roi_is_marker("\x0f\x1f\x80\x00\x00\x00\x00", 7));
	assert_false(roi_is_marker(marker, 6));
}

static void a_probe_says_who_answers(void **state)
{
	const struct roi_descriptor reply = ask(fake_request(&guest), ROI_PROBE);

	(void)state;
	assert_int_equal(reply.answer, ROI_OK);
	assert_string_equal(reply.profile, "fake");
	assert_int_equal(reply.frequency_hz, 1000000000);
	assert_int_equal(reply.nr_vcpus, 2);
	assert_false(guest.machine.active);
}

static void begin_and_end(void **state)
{
	struct roi_descriptor reply = ask(fake_request(&guest), ROI_BEGIN);

	(void)state;
	assert_int_equal(reply.answer, ROI_OK);
	assert_true(guest.machine.active);
	assert_true(guest.machine.cores[0].active);
	assert_false(guest.machine.cores[1].active);
	reply = ask(fake_request(&guest), ROI_END);
	assert_int_equal(reply.answer, ROI_OK);
	assert_int_equal(reply.nr_vcpus, 1);
	assert_int_equal(reply.total_cycles, 0);
	assert_false(guest.machine.active);
	assert_false(guest.machine.cores[0].active);
}

static void a_lap_tells_the_cycles_and_goes_on(void **state)
{
	struct core *core = &guest.machine.cores[0];
	struct roi_descriptor reply = ask(fake_request(&guest), ROI_LAP);

	(void)state;
	assert_int_equal(reply.answer, ROI_REFUSED);
	assert_non_null(strstr(reply.reason, "LAP without BEGIN"));
	ask(fake_request(&guest), ROI_BEGIN);
	core->board.front.retired = 70 * core->board.ticks_per_cycle;
	guest.machine.cores[1].board.front.retired =
		90 * core->board.ticks_per_cycle; /* not modelled */
	reply = ask(fake_request(&guest), ROI_LAP);
	assert_int_equal(reply.answer, ROI_OK);
	assert_int_equal(reply.elapsed_cycles, 70);
	assert_int_equal(reply.total_cycles, 70);
	assert_true(guest.machine.active);
	core->board.front.retired += 5 * core->board.ticks_per_cycle;
	reply = ask(fake_request(&guest), ROI_END);
	assert_int_equal(reply.elapsed_cycles, 75);
}

static void wrong_requests_are_refused(void **state)
{
	const struct roi_descriptor good = fake_request(&guest);
	struct roi_descriptor bad[8];
	const char *const texts[8] = {"levels",   "vcpu_mask", "vcpu_mask", "contended_nodes",
				      "roots[0]", "roots[0]",  "roots[1]",  "roots[0]"};

	(void)state;
	for (int i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].levels = 3;
	bad[1].vcpu_mask = 0;
	bad[2].vcpu_mask = 4;
	bad[3].contended_nodes = 4;
	bad[4].roots[0] = 0;
	bad[5].roots[0] += 8;
	bad[6].vcpu_mask = 3;
	bad[6].roots[1] = 0;
	bad[7].roots[0] = UINT64_C(1) << 40;
	for (int i = 0; i < 8; i++) {
		const struct roi_descriptor reply = ask(bad[i], ROI_BEGIN);

		assert_int_equal(reply.answer, ROI_REFUSED);
		if (!strstr(reply.reason, texts[i]))
			fail_msg("'%s' is not in '%s'", texts[i], reply.reason);
		assert_false(guest.machine.active);
	}
	assert_int_equal(ask(good, ROI_END).answer, ROI_REFUSED);
	assert_int_equal(ask(good, 99).answer, ROI_REFUSED);
	assert_int_equal(ask(good, ROI_BEGIN).answer, ROI_OK);
	assert_int_equal(ask(good, ROI_BEGIN).answer, ROI_REFUSED);
	assert_true(guest.machine.active);
}

/* QEMU's number for a byte of node i is the start of the node too high. */
static void the_descriptor_is_found_on_each_node(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const uint64_t start = i * FAKE_NODE_BYTES;
		struct roi_descriptor *descriptor = (void *)(guest.nodes[i] + 0x700000);

		descriptor->magic = ROI_MAGIC;
		assert_ptr_equal(roi_find(&guest.machine.memory, 2 * start + 0x700000), descriptor);
		assert_ptr_equal(roi_find(&guest.machine.memory, start + 0x700000), descriptor);
		descriptor->magic = 0;
		assert_null(roi_find(&guest.machine.memory, 2 * start + 0x700000));
	}
	assert_null(roi_find(&guest.machine.memory, UINT64_C(1) << 40));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_marker_is_recognised),
		TEST(a_probe_says_who_answers),
		TEST(begin_and_end),
		TEST(a_lap_tells_the_cycles_and_goes_on),
		TEST(wrong_requests_are_refused),
		TEST(the_descriptor_is_found_on_each_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
