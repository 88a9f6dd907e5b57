/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of the counting plugin, apart from QEMU. All vCPUs run on one thread (-icount), so
 * one counter serves: a region may begin on one vCPU or process and end on another.
 */
#ifndef EMULATOR_COUNT_REGIONS_H
#define EMULATOR_COUNT_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGIONS_LINE_MAX 96

enum regions_event { REGIONS_NONE, REGIONS_BEGIN, REGIONS_END };

struct regions {
	/* Instructions since the start of the guest; translated code adds to them directly. */
	uint64_t kernel, user;
	uint64_t kernel_before, user_before; /* at BEGIN */
	uint64_t nr_ended;
	bool open;
};

/* Which marker these bytes of one instruction are. */
enum regions_event regions_recognise(const uint8_t *bytes, size_t size);

/* The counter for instructions at this address. */
uint64_t *regions_counter(struct regions *regions, uint64_t address);

/*
 * A marker was executed. True when a region has ended: then `line` is "count N kernel K user U\n",
 * numbered from 0. An END without a BEGIN and a second BEGIN give a line that begins with "error".
 */
bool regions_mark(struct regions *regions, enum regions_event event, char line[REGIONS_LINE_MAX]);

#endif
