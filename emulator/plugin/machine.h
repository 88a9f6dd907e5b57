/* SPDX-License-Identifier: MIT */
/*
 * The modelled machine: its nodes, LLCs and vCPUs, and the region of interest that is being
 * modelled.
 */
#ifndef EMULATOR_PLUGIN_MACHINE_H
#define EMULATOR_PLUGIN_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "emulator/plugin/core.h"
#include "emulator/plugin/frames.h"
#include "emulator/plugin/memory.h"
#include "emulator/profile.h"
#include "emulator/roi.h"

struct machine {
	struct profile profile;
	struct memory memory;
	struct frames frames;
	double scale;
	unsigned nr_vcpus;
	unsigned vcpu_nodes[ROI_VCPUS_MAX];
	struct llc llcs[ROI_NODES_MAX];
	struct core *cores; /* nr_vcpus; large, so not inside */
	bool active;        /* between BEGIN and END */
};

/* profile, memory, scale and vcpu_nodes are filled: makes LLCs and cores. */
int machine_start(struct machine *machine, struct err *err);
void machine_stop(struct machine *machine);

/* Empties all caches and starts to model the vCPUs and roots that the descriptor asks for. */
int machine_begin(struct machine *machine, const struct roi_descriptor *request, struct err *err);

/* Stops, and writes cycles and the sums of the counters into the reply. */
int machine_end(struct machine *machine, struct roi_descriptor *reply, struct err *err);

/* Writes the cycles so far; other vCPUs may run meanwhile. */
int machine_lap(const struct machine *machine, struct roi_descriptor *reply, struct err *err);

#endif
