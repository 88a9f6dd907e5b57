// SPDX-License-Identifier: MIT
#include "emulator/plugin/roi.h"

#include <stdio.h>
#include <string.h>

bool roi_is_marker(const void *bytes, size_t size)
{
	static const uint8_t nop[] = {0x0f, 0x1f, 0x80, 0x4f, 0x54, 0x49, 0x4d};

	return size == sizeof(nop) && memcmp(bytes, nop, sizeof(nop)) == 0;
}

static struct roi_descriptor *descriptor_at(const struct memory *memory, uint64_t address)
{
	unsigned node;
	struct roi_descriptor *descriptor = memory_host(memory, address, &node);

	if (address % 8 != 0 || address % ROI_PAGE_BYTES > ROI_PAGE_BYTES - sizeof(*descriptor))
		return NULL;
	return descriptor && descriptor->magic == ROI_MAGIC ? descriptor : NULL;
}

/* From an offset in the nodes' memories laid end to end to a guest-physical address. */
static uint64_t physical(const struct memory *memory, uint64_t linear)
{
	if (linear < memory->below_4g_bytes)
		return linear;
	return linear - memory->below_4g_bytes + (UINT64_C(4) << 30);
}

/*
 * QEMU adds the offset of the node's memory in its list of RAM blocks and the one in the machine's
 * RAM, which are the same number: a byte of the second node is reported that much too high. Hence
 * the magic word in the descriptor, and a look at each place that can be meant.
 */
struct roi_descriptor *roi_find(const struct memory *memory, uint64_t reported)
{
	struct roi_descriptor *found;

	for (unsigned i = 0; i < memory->nr_nodes; i++) {
		const struct memory_node *node = &memory->nodes[i];
		const uint64_t offset = reported - 2 * node->start;

		if (offset >= node->bytes)
			continue;
		found = descriptor_at(memory, physical(memory, node->start + offset));
		if (found)
			return found;
	}
	found = descriptor_at(memory, physical(memory, reported));
	return found ? found : descriptor_at(memory, reported);
}

static int run_command(struct machine *machine, struct roi_descriptor *descriptor, struct err *err)
{
	switch (descriptor->command) {
	case ROI_PROBE:
		return 0;
	case ROI_BEGIN:
		return machine_begin(machine, descriptor, err);
	case ROI_END:
		return machine_end(machine, descriptor, err);
	case ROI_LAP:
		return machine_lap(machine, descriptor, err);
	default:
		return err_set(err, ERR_USAGE, "unknown command %u", descriptor->command);
	}
}

static void describe(const struct roi_descriptor *descriptor, const char *reason,
		     char line[ROI_LINE_MAX])
{
	static const char *const names[] = {"?", "probe", "begin", "end", "lap"};
	const char *name = descriptor->command <= ROI_LAP ? names[descriptor->command] : names[0];

	if (reason)
		snprintf(line, ROI_LINE_MAX, "roi %s refused: %.256s", name, reason);
	else if (descriptor->command == ROI_END)
		snprintf(line, ROI_LINE_MAX, "roi end '%.*s': %llu cycles, %llu accesses",
			 (int)sizeof(descriptor->label) - 1, descriptor->label,
			 (unsigned long long)descriptor->total_cycles,
			 (unsigned long long)descriptor->counters.accesses);
	else
		snprintf(line, ROI_LINE_MAX, "roi %s '%.*s'", name,
			 (int)sizeof(descriptor->label) - 1, descriptor->label);
}

void roi_answer(struct machine *machine, struct roi_descriptor *descriptor, char line[ROI_LINE_MAX])
{
	struct err err = {.kind = ERR_NONE};
	const int status = run_command(machine, descriptor, &err);

	if (descriptor->command != ROI_END || status != 0)
		descriptor->nr_vcpus = machine->nr_vcpus;
	descriptor->frequency_hz = machine->profile.frequency_hz;
	memset(descriptor->profile, 0, sizeof(descriptor->profile));
	memset(descriptor->reason, 0, sizeof(descriptor->reason));
	memcpy(descriptor->profile, machine->profile.name, strlen(machine->profile.name));
	if (status != 0)
		snprintf(descriptor->reason, sizeof(descriptor->reason), "%.*s",
			 (int)sizeof(descriptor->reason) - 1, err.text);
	describe(descriptor, status != 0 ? err.text : NULL, line);
	__atomic_store_n(&descriptor->answer, status == 0 ? ROI_OK : ROI_REFUSED, __ATOMIC_RELEASE);
}
