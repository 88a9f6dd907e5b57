/* SPDX-License-Identifier: MIT */
/*
 * How much memory each node of the emulated machine has and where it lies.
 *
 * QEMU puts the nodes one after the other into guest-physical memory, with a hole from
 * LAYOUT_LOW_BYTES to 4 GiB: byte i of all memory is at address i below the hole and at
 * 4 GiB + (i - below_4g_bytes) above it.
 */
#ifndef EMULATOR_LAYOUT_H
#define EMULATOR_LAYOUT_H

#include <stdint.h>

#include "common/err.h"
#include "common/fs.h"
#include "emulator/roi.h"

#define LAYOUT_LOW_BYTES (UINT64_C(3) << 30) /* QEMU's max-ram-below-4g */

struct layout {
	int nr_nodes;
	uint64_t node_bytes[ROI_NODES_MAX];
	uint64_t total_bytes, below_4g_bytes;
};

/*
 * Every node can hold the whole footprint, its page tables and what the guest itself needs, because
 * a placement may bind all data or all tables to any one of them. The first node also holds the
 * kernel and the initramfs. ERR_USAGE when the footprint is beyond any guest.
 */
int layout_compute(struct layout *layout, int nr_nodes, uint64_t footprint_bytes,
		   uint64_t initramfs_bytes, struct err *err);

/* The node of a guest-physical address, or -1 for one that is no memory. */
int layout_node_of(const struct layout *layout, uint64_t address);

/*
 * Whether the host has the guest's memory and QEMU's own: available memory of the machine and of
 * the control groups the harness is in. ERR_MACHINE with both figures if not.
 */
int layout_check_host(const struct layout *layout, const struct fs *fs, struct err *err);

#endif
