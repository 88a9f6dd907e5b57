// SPDX-License-Identifier: MIT
#include "emulator/plugin/memory.h"

#include <errno.h>
#include <sys/mman.h>

#define FOUR_GIB (UINT64_C(4) << 30)

void memory_add_node(struct memory *memory, void *host, uint64_t bytes)
{
	memory->nodes[memory->nr_nodes++] = (struct memory_node){
		.host = host,
		.start = memory->total_bytes,
		.bytes = bytes,
	};
	memory->total_bytes += bytes;
}

int memory_map_node(struct memory *memory, int fd, uint64_t bytes, struct err *err)
{
	void *host = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (host == MAP_FAILED)
		return err_set_errno(err, ERR_INTERNAL, errno,
				     "cannot map the %llu bytes of node %u (descriptor %d)",
				     (unsigned long long)bytes, memory->nr_nodes, fd);
	memory_add_node(memory, host, bytes);
	return 0;
}

void memory_set_latencies(struct memory *memory, const struct profile *profile,
			  uint64_t contended_nodes, uint64_t ticks_per_cycle)
{
	for (unsigned from = 0; from < memory->nr_nodes; from++) {
		for (unsigned to = 0; to < memory->nr_nodes; to++) {
			const int contended = (int)(contended_nodes >> to & 1);
			const double cycles = profile_latency_cycles(profile, from, to, contended);

			memory->latency_ticks[from][to] =
				(uint64_t)(cycles * (double)ticks_per_cycle + 0.5);
		}
	}
}

static const struct memory_node *find(const struct memory *memory, uint64_t address,
				      uint64_t *offset)
{
	uint64_t linear = address;

	if (address >= FOUR_GIB)
		linear = address - FOUR_GIB + memory->below_4g_bytes;
	else if (address >= memory->below_4g_bytes)
		return NULL;
	for (unsigned i = 0; i < memory->nr_nodes; i++) {
		const struct memory_node *node = &memory->nodes[i];

		*offset = linear - node->start;
		if (*offset < node->bytes)
			return node;
	}
	return NULL;
}

void *memory_host(const struct memory *memory, uint64_t address, unsigned *node)
{
	uint64_t offset;
	const struct memory_node *found = find(memory, address, &offset);

	if (!found)
		return NULL;
	*node = (unsigned)(found - memory->nodes);
	return found->host + offset;
}

unsigned memory_node_of(const struct memory *memory, uint64_t address, uint64_t *offset)
{
	const struct memory_node *found = find(memory, address, offset);

	if (!found)
		return MEMORY_NO_NODE;
	*offset += found->start;
	return (unsigned)(found - memory->nodes);
}
