// SPDX-License-Identifier: MIT
#include "emulator/count/regions.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emulator/count/marker.h"

#define KERNEL_HALF(address) ((address) >> 63)

enum regions_event regions_recognise(const uint8_t *bytes, size_t size)
{
	static const uint8_t begin[] = COUNT_BEGIN_BYTES, end[] = COUNT_END_BYTES;

	if (size != COUNT_MARKER_SIZE)
		return REGIONS_NONE;
	if (memcmp(bytes, begin, size) == 0)
		return REGIONS_BEGIN;
	return memcmp(bytes, end, size) == 0 ? REGIONS_END : REGIONS_NONE;
}

uint64_t *regions_counter(struct regions *regions, uint64_t address)
{
	return KERNEL_HALF(address) ? &regions->kernel : &regions->user;
}

bool regions_mark(struct regions *regions, enum regions_event event, char line[REGIONS_LINE_MAX])
{
	if (event == REGIONS_BEGIN) {
		const bool nested = regions->open;

		regions->open = true;
		regions->kernel_before = regions->kernel;
		regions->user_before = regions->user;
		if (nested)
			snprintf(line, REGIONS_LINE_MAX, "error: a region begins in a region\n");
		return nested;
	}
	if (!regions->open) {
		snprintf(line, REGIONS_LINE_MAX, "error: a region ends that did not begin\n");
		return true;
	}
	regions->open = false;
	snprintf(line, REGIONS_LINE_MAX, "count %" PRIu64 " kernel %" PRIu64 " user %" PRIu64 "\n",
		 regions->nr_ended++, regions->kernel - regions->kernel_before,
		 regions->user - regions->user_before);
	return true;
}
