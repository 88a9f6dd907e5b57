// SPDX-License-Identifier: MIT
#include "emulator/plugin/machine.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_BYTES   4096
#define MIN_LLC_LINES 512

int machine_start(struct machine *machine, struct err *err)
{
	const struct profile *profile = &machine->profile;
	const struct geometry llc_geometry =
		geometry_scale_any(profile->llc.bytes / CACHE_LINE_BYTES, profile->llc.ways,
				   machine->scale, MIN_LLC_LINES);

	machine->cores = calloc(machine->nr_vcpus, sizeof(*machine->cores));
	if (!machine->cores)
		return err_set(err, ERR_INTERNAL, "no memory for %u vCPUs", machine->nr_vcpus);
	if (frames_init(&machine->frames, &machine->memory) != 0)
		return err_set(err, ERR_INTERNAL, "no memory for the names of frames");
	for (unsigned i = 0; i < machine->memory.nr_nodes; i++)
		if (llc_init(&machine->llcs[i], llc_geometry, profile->llc_adaptive != 0) != 0)
			return err_set(err, ERR_INTERNAL, "no memory for the caches");
	for (unsigned i = 0; i < machine->nr_vcpus; i++) {
		const unsigned node = machine->vcpu_nodes[i];

		if (core_init(&machine->cores[i], profile, machine->scale, &machine->memory,
			      &machine->frames, &machine->llcs[node], node) != 0)
			return err_set(err, ERR_INTERNAL, "no memory for the caches");
	}
	return 0;
}

void machine_stop(struct machine *machine)
{
	for (unsigned i = 0; machine->cores && i < machine->nr_vcpus; i++)
		core_fini(&machine->cores[i]);
	for (unsigned i = 0; i < machine->memory.nr_nodes; i++)
		llc_fini(&machine->llcs[i]);
	frames_fini(&machine->frames);
	free(machine->cores);
	machine->cores = NULL;
}

static uint64_t mask_of(unsigned count)
{
	return count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1;
}

static int check_masks(const struct machine *machine, const struct roi_descriptor *request,
		       struct err *err)
{
	if (request->vcpu_mask == 0)
		return err_set(err, ERR_USAGE, "vcpu_mask is empty");
	if (request->vcpu_mask & ~mask_of(machine->nr_vcpus))
		return err_set(err, ERR_USAGE, "vcpu_mask 0x%llx names a vCPU of %u",
			       (unsigned long long)request->vcpu_mask, machine->nr_vcpus);
	if (request->contended_nodes & ~mask_of(machine->memory.nr_nodes))
		return err_set(err, ERR_USAGE, "contended_nodes 0x%llx names a node of %u",
			       (unsigned long long)request->contended_nodes,
			       machine->memory.nr_nodes);
	return 0;
}

static int check_roots(const struct machine *machine, const struct roi_descriptor *request,
		       struct err *err)
{
	if (request->levels != 4 && request->levels != 5)
		return err_set(err, ERR_USAGE, "levels is %u; page tables have 4 or 5",
			       request->levels);
	for (unsigned vcpu = 0; vcpu < machine->nr_vcpus; vcpu++) {
		const unsigned node = machine->vcpu_nodes[vcpu];
		const uint64_t root = request->roots[node];
		uint64_t offset;

		if (!(request->vcpu_mask >> vcpu & 1))
			continue;
		if (root == 0 || root % TABLE_BYTES != 0 ||
		    memory_node_of(&machine->memory, root, &offset) == MEMORY_NO_NODE)
			return err_set(err, ERR_USAGE,
				       "roots[%u] is 0x%llx, which is no page-table root", node,
				       (unsigned long long)root);
	}
	return 0;
}

static unsigned vcpus_of(const struct machine *machine, unsigned node, uint64_t vcpu_mask)
{
	unsigned count = 0;

	for (unsigned i = 0; i < machine->nr_vcpus; i++)
		count += machine->vcpu_nodes[i] == node && (vcpu_mask >> i & 1);
	return count;
}

int machine_begin(struct machine *machine, const struct roi_descriptor *request, struct err *err)
{
	if (machine->active)
		return err_set(err, ERR_USAGE, "BEGIN within a region of interest");
	if (check_masks(machine, request, err) != 0 || check_roots(machine, request, err) != 0)
		return -1;
	memory_set_latencies(&machine->memory, &machine->profile, request->contended_nodes,
			     machine->profile.issue_width);
	frames_clear(&machine->frames);
	for (unsigned i = 0; i < machine->memory.nr_nodes; i++)
		llc_clear(&machine->llcs[i], vcpus_of(machine, i, request->vcpu_mask));
	for (unsigned i = 0; i < machine->nr_vcpus; i++) {
		struct core *core = &machine->cores[i];

		core_begin(core, request->roots[core->node], request->levels);
		core->active = request->vcpu_mask >> i & 1;
	}
	machine->active = true;
	return 0;
}

/* struct roi_counters is nothing but 64-bit counts. */
static void add_counters(struct roi_counters *sum, const struct roi_counters *part)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)part;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

int machine_end(struct machine *machine, struct roi_descriptor *reply, struct err *err)
{
	struct roi_counters sum = {0};

	if (!machine->active)
		return err_set(err, ERR_USAGE, "END without BEGIN");
	machine->active = false;
	reply->elapsed_cycles = reply->total_cycles = 0;
	reply->nr_vcpus = 0;
	for (unsigned i = 0; i < machine->nr_vcpus; i++) {
		struct core *core = &machine->cores[i];
		uint64_t cycles;

		if (!core->active)
			continue;
		core->active = false;
		cycles = core_finish(core);
		reply->nr_vcpus++;
		reply->total_cycles += cycles;
		if (cycles > reply->elapsed_cycles)
			reply->elapsed_cycles = cycles;
		add_counters(&sum, &core->counters);
	}
	memcpy(&reply->counters, &sum, sizeof(sum));
	return 0;
}

int machine_lap(const struct machine *machine, struct roi_descriptor *reply, struct err *err)
{
	if (!machine->active)
		return err_set(err, ERR_USAGE, "LAP without BEGIN");
	reply->elapsed_cycles = reply->total_cycles = 0;
	for (unsigned i = 0; i < machine->nr_vcpus; i++) {
		uint64_t cycles;

		if (!machine->cores[i].active)
			continue;
		cycles = core_cycles(&machine->cores[i]);
		reply->total_cycles += cycles;
		if (cycles > reply->elapsed_cycles)
			reply->elapsed_cycles = cycles;
	}
	return 0;
}
