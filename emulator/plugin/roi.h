/* SPDX-License-Identifier: MIT */
/* The model's side of emulator/roi.h: answers the markers of the guest. */
#ifndef EMULATOR_PLUGIN_ROI_H
#define EMULATOR_PLUGIN_ROI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emulator/plugin/machine.h"
#include "emulator/roi.h"

/* Whether the bytes of an instruction are the NOP of the marker. */
bool roi_is_marker(const void *bytes, size_t size);

/*
 * The descriptor that QEMU reports at `reported`: its guest-physical address is taken for the first
 * of the ways to read that number at which there is a descriptor. NULL when there is none.
 */
struct roi_descriptor *roi_find(const struct memory *memory, uint64_t reported);

/* Does what the descriptor asks for and writes the answer. `line` gets a sentence for the log. */
#define ROI_LINE_MAX 320
void roi_answer(struct machine *machine, struct roi_descriptor *descriptor,
		char line[ROI_LINE_MAX]);

#endif
