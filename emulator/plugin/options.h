/* SPDX-License-Identifier: MIT */
/*
 * The plugin's arguments, which QEMU passes one `key=value` each:
 *   profile=PATH       the machine profile
 *   scale=S            caches are divided by it
 *   nodes=N            memory nodes of the guest
 *   mem<i>_fd=FD       inherited descriptor of the shared memory of node i
 *   mem<i>_bytes=B     its size
 *   below_4g_bytes=B   guest memory below the PCI hole
 *   vcpu_nodes=0/0/1/1 the node of each vCPU
 *   log_fd=FD          where lines about regions of interest go; optional
 */
#ifndef EMULATOR_PLUGIN_OPTIONS_H
#define EMULATOR_PLUGIN_OPTIONS_H

#include <stdint.h>

#include "common/err.h"
#include "emulator/roi.h"

struct options {
	const char *profile_path; /* points into the argument */
	double scale;
	unsigned nr_nodes, nr_vcpus;
	int memory_fds[ROI_NODES_MAX];
	uint64_t memory_bytes[ROI_NODES_MAX];
	uint64_t below_4g_bytes;
	unsigned vcpu_nodes[ROI_VCPUS_MAX];
	int log_fd; /* -1: none */
};

/* ERR_USAGE names the argument that is wrong or missing. */
int options_parse(struct options *options, int argc, char *const *argv, struct err *err);

#endif
