# SPDX-License-Identifier: MIT
# Two sockets of the machine of the Mitosis paper (Intel Xeon E7-4850 v3, Haswell-EX, 14 cores each).
# The figures of one socket and one remote socket need no more, and two nodes boot faster.
#
# Sources, by the short names used below:
#   Mitosis  Achermann et al., "Mitosis: Transparently Self-Replicating Page-Tables for
#            Large-Memory Machines", ASPLOS 2020, section 8 (the machine that was measured)
#   OptMan   Intel 64 and IA-32 Architectures Optimization Reference Manual, chapter on the
#            Haswell microarchitecture (tables of caches, TLBs and buffers)
#   ARK      Intel's product page of the Xeon E7-4850 v3
#   Molka    Molka et al., "Cache Coherence Protocol and Memory Performance of the Intel
#            Haswell-EP Architecture", ICPP 2015
#   Walks    Margaritov et al., "Prefetched Address Translation", MICRO 2019, table of simulation
#            parameters; Intel documents that the caches exist (SDM volume 3, 4.10.3), not their sizes

[machine]
summary = 2 x Intel Xeon E7-4850 v3 (Haswell-EX), two sockets of the machine of the Mitosis paper
nodes = 2
# What the emulated machine has; a TCG guest gets no faster with more CPUs than its host has.
cpus_per_node = 2
# ARK: base frequency; Mitosis: turbo was off.
frequency_hz = 2.2G
# Haswell has four-level paging only (SDM: 5-level paging came with Ice Lake).
la57 = 0
# Mitosis: GUPS with 64 GB, the workload whose table size is published exactly.
reference_footprint_bytes = 64G

[memory]
# What Linux shows on fully connected four-socket Haswell-EX machines. Only its order matters: the
# model's time comes from latency_cycles.
distance_0 = 10 21
distance_1 = 21 10
# Mitosis: 280 cycles to the local node, 580 to a remote one.
latency_cycles_0 = 280 580
latency_cycles_1 = 580 280
# ARK: 14 cores.
cores_per_node = 14
# OptMan: 16 entries in the queue from the L2 to the uncore, which a streaming core keeps full.
outstanding_per_core = 16
# Mitosis: 28 GB/s from the local node.
bandwidth_bytes_per_s = 28G

[tlb]
# OptMan, table of TLB parameters: 64 entries of 4 ways for 4 KiB, 32 of 4 for 2 MiB, 4 for 1 GiB.
l1_4k_entries = 64
l1_4k_ways = 4
l1_2m_entries = 32
l1_2m_ways = 4
l1_1g_entries = 4
l1_1g_ways = 4
# OptMan, same table: 1024 entries of 8 ways, shared by 4 KiB and 2 MiB pages.
l2_entries = 1024
l2_ways = 8
l2_holds_2m = 1
# OptMan: the penalty of a first-level miss that hits the second level is 7 cycles.
l2_hit_cycles = 7

[walker]
# Haswell has one page-miss handler; Broadwell brought the second (OptMan, Broadwell chapter).
walkers = 1
# 7-cpu.com (Westmere): a walk that finds everything in the L1 adds 23 cycles to a load; 4 of them
# are the L1's.
start_cycles = 19
# Not documented by Intel; taken from the published counters: GUPS spends 73 to 74 cycles an update
# outside of walks (Mitosis, figure 6: LP-LD, RP-LD and RPI-LD alike, however long the walks are),
# in two walks, one of the load and one of the store.
restart_cycles = 37
# Walks: 32 entries of 4 ways for PDEs, 4 for PDPTEs, 2 for PML4Es.
pwc_pde_entries = 32
pwc_pde_ways = 4
pwc_pdpte_entries = 4
pwc_pdpte_ways = 4
pwc_pml4e_entries = 2
pwc_pml4e_ways = 2
pwc_pml5e_entries = 0
pwc_pml5e_ways = 1

[l1d]
# OptMan, table of cache parameters: 32 KiB, 8 ways, 4 cycles (5 with an index register).
bytes = 32K
ways = 8
latency_cycles = 4

[l2]
# OptMan, same table: 256 KiB, 8 ways; 11 cycles from the L1, measured as 12 from the load.
bytes = 256K
ways = 8
latency_cycles = 12

[llc]
# ARK: 35 MB for 14 cores, slices of 2.5 MiB with 20 ways.
bytes = 35M
ways = 20
# Molka: 21.2 ns at 2.5 GHz.
latency_cycles = 53
# Wong, "Intel Ivy Bridge Cache Replacement Policy" (2013): adaptive since Ivy Bridge.
adaptive = 1

[core]
# OptMan: four micro-operations a cycle, 192 in the window, 10 outstanding L1 misses, 42 stores.
issue_width = 4
rob_entries = 192
line_fill_buffers = 10
store_buffer_entries = 42
# OptMan: a load that is forwarded from a store takes about as long as an L1 hit.
store_forward_cycles = 5
# Fog, "The microarchitecture of Intel, AMD and VIA CPUs", Haswell: 15 to 20 cycles.
mispredict_cycles = 16
