// SPDX-License-Identifier: MIT
//
// Sources, by vendor:
//   Intel: "Intel 64 and IA-32 Architectures Software Developer's Manual", volume 3B, chapter
//     "Performance Monitoring Events", section of the model; perfmon event lists of the model.
//   AMD: "Processor Programming Reference" (PPR) of the family and model, section "Core
//     Performance Monitor Counters"; PMCxNNN is the event's number there.
//   Arm: "Arm Architecture Reference Manual", D13.12 common event numbers; Technical Reference
//     Manual of the core, chapter "Performance Monitoring Unit".
//
// Walk cycles. Haswell has one page walker: WALK_DURATION counts the cycles it is busy. Broadwell
// and later have two, and the plain event adds one per busy walker and cycle; a counter mask of 1
// (c=1, Intel's WALK_ACTIVE) counts the cycles with at least one busy. walk_cycles is the latter
// everywhere, so that walk_cycles / cycles is a share of time; walk_pending is the former.
#include "harness/counters_cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END                  \
	{                    \
		.name = NULL \
	}

static const struct counter_row core_rows[] = {
	{"walk", "cycles", "perf::CYCLES", "cycles", "core cycles, not halted"},
	{"walk", "instructions", "perf::INSTRUCTIONS", "instructions", "instructions retired"},
	END};

static const struct counter_row hsw_walk_rows[] = {
	{"walk", "dtlb_load_walk_cycles", "DTLB_LOAD_MISSES:WALK_DURATION", "cycles",
	 "the page walker is busy for a load (SDM 3B, 08H/10H)"},
	{"walk", "dtlb_store_walk_cycles", "DTLB_STORE_MISSES:WALK_DURATION", "cycles",
	 "the page walker is busy for a store (SDM 3B, 49H/10H)"},
	{"walk", "walk_cycles", "=dtlb_load_walk_cycles+dtlb_store_walk_cycles", "cycles",
	 "the page walker is busy for data"},
	END};

static const struct counter_row bdw_walk_rows[] = {
	{"walk", "dtlb_load_walk_cycles", "DTLB_LOAD_MISSES:WALK_DURATION:c=1", "cycles",
	 "a page walker is busy for a load (SDM 3B, 08H/10H, counter mask 1; erratum BDM69 may "
	 "falsify it)"},
	{"walk", "dtlb_store_walk_cycles", "DTLB_STORE_MISSES:WALK_DURATION:c=1", "cycles",
	 "a page walker is busy for a store (SDM 3B, 49H/10H, counter mask 1; erratum BDM69)"},
	{"walk", "walk_cycles", "=dtlb_load_walk_cycles+dtlb_store_walk_cycles", "cycles",
	 "a page walker is busy for data; a cycle with a load's and a store's walk counts twice"},
	{"pending", "pending_reference_cycles", "perf::CYCLES", "cycles",
	 "core cycles while this group counted"},
	{"pending", "dtlb_load_walk_pending", "DTLB_LOAD_MISSES:WALK_DURATION", "walker cycles",
	 "busy page walkers, summed over cycles, for loads (SDM 3B, 08H/10H)"},
	{"pending", "dtlb_store_walk_pending", "DTLB_STORE_MISSES:WALK_DURATION", "walker cycles",
	 "busy page walkers, summed over cycles, for stores (SDM 3B, 49H/10H)"},
	END};

static const struct counter_row skl_walk_rows[] = {
	{"walk", "dtlb_load_walk_cycles", "DTLB_LOAD_MISSES:WALK_ACTIVE", "cycles",
	 "a page walker is busy for a load (SDM 3B, DTLB_LOAD_MISSES.WALK_ACTIVE)"},
	{"walk", "dtlb_store_walk_cycles", "DTLB_STORE_MISSES:WALK_ACTIVE", "cycles",
	 "a page walker is busy for a store (SDM 3B, DTLB_STORE_MISSES.WALK_ACTIVE)"},
	{"walk", "walk_cycles", "=dtlb_load_walk_cycles+dtlb_store_walk_cycles", "cycles",
	 "a page walker is busy for data; a cycle with a load's and a store's walk counts twice"},
	{"pending", "pending_reference_cycles", "perf::CYCLES", "cycles",
	 "core cycles while this group counted"},
	{"pending", "dtlb_load_walk_pending", "DTLB_LOAD_MISSES:WALK_PENDING", "walker cycles",
	 "walks under way, summed over cycles, for loads (SDM 3B, .WALK_PENDING)"},
	{"pending", "dtlb_store_walk_pending", "DTLB_STORE_MISSES:WALK_PENDING", "walker cycles",
	 "walks under way, summed over cycles, for stores (SDM 3B, .WALK_PENDING)"},
	END};

static const struct counter_row intel_miss_rows[] = {
	{"misses", "misses_reference_instructions", "perf::INSTRUCTIONS", "instructions",
	 "instructions while this group counted"},
	{"misses", "dtlb_load_misses", "DTLB_LOAD_MISSES:WALK_COMPLETED", "walks",
	 "loads that missed all TLBs and whose walk completed (SDM 3B, umask 0EH)"},
	{"misses", "dtlb_store_misses", "DTLB_STORE_MISSES:WALK_COMPLETED", "walks",
	 "stores that missed all TLBs and whose walk completed (SDM 3B, umask 0EH)"},
	{"misses", "itlb_misses", "ITLB_MISSES:WALK_COMPLETED", "walks",
	 "instruction fetches that missed all TLBs and whose walk completed (umask 0EH)"},
	{"misses", "dtlb_load_stlb_hits", "DTLB_LOAD_MISSES:STLB_HIT", "loads",
	 "loads that missed the first TLB and hit the second (SDM 3B)"},
	END};

static const struct counter_row hsw_walker_rows[] = {
	{"walker_loads", "walker_loads_l1", "PAGE_WALKER_LOADS:DTLB_L1", "loads",
	 "table entries that data walks found in the L1 or a fill buffer (SDM 3B, BCH/11H)"},
	{"walker_loads", "walker_loads_l2", "PAGE_WALKER_LOADS:DTLB_L2", "loads",
	 "table entries that data walks found in the L2 (SDM 3B, BCH/12H)"},
	{"walker_loads", "walker_loads_l3", "PAGE_WALKER_LOADS:DTLB_L3", "loads",
	 "table entries that data walks found in the L3 (SDM 3B, BCH/14H)"},
	{"walker_loads", "walker_loads_memory", "PAGE_WALKER_LOADS:DTLB_MEMORY", "loads",
	 "table entries that data walks fetched from memory (SDM 3B, BCH/18H)"},
	END};

static const struct counter_row no_walker_rows[] = {
	{"walker_loads", "walker_loads_memory", NULL, "loads",
	 "this CPU documents no event for where the page walker finds table entries "
	 "(PAGE_WALKER_LOADS ended with Broadwell)"},
	END};

static const struct counter_row hsw_ept_rows[] = {
	{"ept", "ept_walk_cycles", "EPT:WALK_CYCLES", "cycles",
	 "walks of extended page tables (SDM 3B, 4FH/10H)"},
	END};
static const struct counter_row skl_ept_rows[] = {
	{"ept", "ept_walk_cycles", "EPT:WALK_PENDING", "walker cycles",
	 "walks of extended page tables under way, summed over cycles (SDM 3B, 4FH/10H)"},
	END};
static const struct counter_row no_ept_rows[] = {
	{"ept", "ept_walk_cycles", NULL, "cycles",
	 "Intel documents no event for walks of extended page tables after Cascade Lake"},
	END};

static const struct counter_row llc_rows[] = {
	{"cache", "llc_references", "LONGEST_LAT_CACHE:REFERENCE", "accesses",
	 "accesses that reached the last-level cache (SDM 3B, architectural event 2EH/4FH)"},
	{"cache", "llc_misses", "LONGEST_LAT_CACHE:MISS", "accesses",
	 "accesses that missed the last-level cache (SDM 3B, architectural event 2EH/41H)"},
	END};
/* libpfm4 spells it with an S for Ice Lake. */
static const struct counter_row icl_llc_rows[] = {
	{"cache", "llc_references", "LONGEST_LAT_CACHE:REFERENCES", "accesses",
	 "accesses that reached the last-level cache (SDM 3B, architectural event 2EH/4FH)"},
	{"cache", "llc_misses", "LONGEST_LAT_CACHE:MISS", "accesses",
	 "accesses that missed the last-level cache (SDM 3B, architectural event 2EH/41H)"},
	END};

static const struct counter_row hsw_dram_rows[] = {
	{"memory", "local_dram_loads", "MEM_LOAD_UOPS_L3_MISS_RETIRED:LOCAL_DRAM", "loads",
	 "retired loads of data (not of table entries) served by local memory (SDM 3B, D3H)"},
	{"memory", "remote_dram_loads", "MEM_LOAD_UOPS_L3_MISS_RETIRED:REMOTE_DRAM", "loads",
	 "retired loads of data (not of table entries) served by remote memory (SDM 3B, D3H)"},
	END};
static const struct counter_row skx_dram_rows[] = {
	{"memory", "local_dram_loads", "MEM_LOAD_L3_MISS_RETIRED:LOCAL_DRAM", "loads",
	 "retired loads of data (not of table entries) served by local memory (SDM 3B, D3H)"},
	{"memory", "remote_dram_loads", "MEM_LOAD_L3_MISS_RETIRED:REMOTE_DRAM", "loads",
	 "retired loads of data (not of table entries) served by remote memory (SDM 3B, D3H)"},
	END};

static const struct counter_row no_walk_rows[] = {
	{"walk", "walk_cycles", NULL, "cycles",
	 "this CPU documents no event for the duration of page walks"},
	END};

#define ZEN_DTLB_MISS                                               \
	"L1_DTLB_MISS:TLB_RELOAD_1G_L2_MISS:TLB_RELOAD_2M_L2_MISS:" \
	"TLB_RELOAD_COALESCED_PAGE_MISS:TLB_RELOAD_4K_L2_MISS"
#define ZEN_DTLB_HIT                                              \
	"L1_DTLB_MISS:TLB_RELOAD_1G_L2_HIT:TLB_RELOAD_2M_L2_HIT:" \
	"TLB_RELOAD_COALESCED_PAGE_HIT:TLB_RELOAD_4K_L2_HIT"

static const struct counter_row zen2_miss_rows[] = {
	{"walk", "dtlb_misses", ZEN_DTLB_MISS, "walks",
	 "loads and stores that missed both TLBs (PPR, PMCx045 umask F0H)"},
	{"walk", "dtlb_stlb_hits", ZEN_DTLB_HIT, "accesses",
	 "loads and stores that missed the first TLB and hit the second (PPR, PMCx045 umask 0FH)"},
	{"walk", "itlb_misses", "L1_ITLB_MISS_L2_ITLB_MISS:IF1G:IF2M:IF4K", "walks",
	 "instruction fetches that missed both TLBs (PPR, PMCx085 umask 07H)"},
	END};

static const struct counter_row zen3_miss_rows[] = {
	{"walk", "dtlb_misses", ZEN_DTLB_MISS, "walks",
	 "loads and stores that missed both TLBs (PPR, PMCx045 umask F0H)"},
	{"walk", "dtlb_stlb_hits", ZEN_DTLB_HIT, "accesses",
	 "loads and stores that missed the first TLB and hit the second (PPR, PMCx045 umask 0FH)"},
	{"walk", "itlb_misses", "L1_ITLB_MISS_L2_ITLB_MISS:IF1G:IF2M:IF4K:COALESCED4K", "walks",
	 "instruction fetches that missed both TLBs (PPR, PMCx085 umask 0FH)"},
	END};

static const struct counter_row zen5_rows[] = {
	{"walk", "dtlb_misses", "rf045", "walks",
	 "loads and stores that missed both TLBs (PPR, PMCx045 umask F0H)"},
	{"walk", "dtlb_stlb_hits", "r0f45", "accesses",
	 "loads and stores that missed the first TLB and hit the second (PPR, PMCx045 umask 0FH)"},
	{"walk", "itlb_misses", "r0f85", "walks",
	 "instruction fetches that missed both TLBs (PPR, PMCx085 umask 0FH)"},
	{"memory", "local_dram_fills", "r0843", "lines",
	 "demand fills of the L1 from memory of the same node (PPR, PMCx043 umask 08H)"},
	{"memory", "remote_dram_fills", "r4043", "lines",
	 "demand fills of the L1 from memory of another node (PPR, PMCx043 umask 40H)"},
	END};

/* libpfm4 4.13 names PMCx046 for Zen 1 only; the PPRs of Zen 2 and 3 document it. */
static const struct counter_row zen_walker_rows[] = {
	{"walker", "table_walks_data", "r0346", "walks",
	 "page-table walks for data (PPR, PMCx046 umask 03H)"},
	{"walker", "table_walks_instructions", "r0c46", "walks",
	 "page-table walks for instructions (PPR, PMCx046 umask 0CH)"},
	END};

static const struct counter_row zen2_dram_rows[] = {
	{"memory", "local_dram_fills", "DATA_CACHE_REFILLS_FROM_SYSTEM:LS_MABRESP_LCL_DRAM",
	 "lines", "demand fills of the L1 from memory of the same die (PPR, PMCx043 umask 08H)"},
	{"memory", "remote_dram_fills", "DATA_CACHE_REFILLS_FROM_SYSTEM:LS_MABRESP_RMT_DRAM",
	 "lines", "demand fills of the L1 from memory of another die (PPR, PMCx043 umask 40H)"},
	END};
static const struct counter_row zen3_dram_rows[] = {
	{"memory", "local_dram_fills", "DEMAND_DATA_CACHE_FILLS_FROM_SYSTEM:MEM_IO_LCL", "lines",
	 "demand fills of the L1 from memory of the same node (PPR, PMCx043 umask 08H)"},
	{"memory", "remote_dram_fills", "DEMAND_DATA_CACHE_FILLS_FROM_SYSTEM:MEM_IO_RMT", "lines",
	 "demand fills of the L1 from memory of another node (PPR, PMCx043 umask 40H)"},
	END};
static const struct counter_row zen4_dram_rows[] = {
	{"memory", "local_dram_fills", "DEMAND_DATA_CACHE_FILLS_FROM_SYSTEM:DRAM_IO_NEAR", "lines",
	 "demand fills of the L1 from memory of the same node (PPR, PMCx043 umask 08H)"},
	{"memory", "remote_dram_fills", "DEMAND_DATA_CACHE_FILLS_FROM_SYSTEM:DRAM_IO_FAR", "lines",
	 "demand fills of the L1 from memory of another node (PPR, PMCx043 umask 40H)"},
	END};

/* Common event numbers of the architecture: the same on every core that implements them. */
static const struct counter_row neoverse_rows[] = {
	{"walk", "dtlb_misses", "r34", "walks",
	 "table walks for data, DTLB_WALK (Arm ARM, event 0x0034)"},
	{"walk", "itlb_misses", "r35", "walks",
	 "table walks for instructions, ITLB_WALK (Arm ARM, event 0x0035)"},
	{"walk", "l1d_tlb_refills", "r05", "refills",
	 "L1D_TLB_REFILL: misses of the first data TLB (Arm ARM, event 0x0005)"},
	{"walk", "l2d_tlb_refills", "r2d", "refills",
	 "L2D_TLB_REFILL: misses of the second TLB (Arm ARM, event 0x002D)"},
	{"memory", "remote_accesses", "r31", "accesses",
	 "REMOTE_ACCESS: data came from another chip (Arm ARM, event 0x0031)"},
	{"memory", "llc_references", "r36", "accesses",
	 "LL_CACHE_RD: reads of the last-level cache (Arm ARM, event 0x0036)"},
	{"memory", "llc_misses", "r37", "accesses",
	 "LL_CACHE_MISS_RD: reads that missed it (Arm ARM, event 0x0037)"},
	END};

static const struct counter_row generic_rows[] = {
	{"walk", "walk_cycles", NULL, "cycles",
	 "the suite has no table of events for this CPU; --counters takes raw codes"},
	{"misses", "misses_reference_instructions", "perf::INSTRUCTIONS", "instructions",
	 "instructions while this group counted"},
	{"misses", "dtlb_load_misses", "perf::DTLB-LOAD-MISSES", "misses",
	 "the kernel's generic event: what it means depends on the CPU"},
	{"misses", "dtlb_store_misses", "perf::DTLB-STORE-MISSES", "misses",
	 "the kernel's generic event: what it means depends on the CPU"},
	END};

/* perf_event_open(2), PERF_TYPE_SOFTWARE. */
static const struct counter_row software_rows[] = {
	{COUNTERS_SOFTWARE_GROUP, "task_clock", "perf::TASK-CLOCK", "ns", "time the threads ran"},
	{COUNTERS_SOFTWARE_GROUP, "minor_faults", "perf::MINOR-FAULTS", "faults",
	 "page faults without I/O"},
	{COUNTERS_SOFTWARE_GROUP, "major_faults", "perf::MAJOR-FAULTS", "faults",
	 "page faults with I/O"},
	{COUNTERS_KERNEL_GROUP, "context_switches", "perf::CONTEXT-SWITCHES", "switches",
	 "the kernel switched from or to another thread"},
	{COUNTERS_KERNEL_GROUP, "cpu_migrations", "perf::CPU-MIGRATIONS", "migrations",
	 "a thread was moved to another CPU"},
	END};

static const struct counter_ratio ratios[] = {
	{"walk_fraction", "of cycles", "walk_cycles", "cycles", 1, true},
	{"ipc", "instructions/cycle", "instructions", "cycles", 1, true},
	{"walks_pending", "busy walkers", "dtlb_load_walk_pending+dtlb_store_walk_pending",
	 "pending_reference_cycles", 1, false},
	{"dtlb_mpki", "misses/1000 instructions", "dtlb_load_misses+dtlb_store_misses",
	 "misses_reference_instructions", 1000, false},
	{"dtlb_mpki", "misses/1000 instructions", "dtlb_misses", "instructions", 1000, false},
	{"cycles_per_walk", "cycles/walk", "walk_cycles", "dtlb_load_misses+dtlb_store_misses", 1,
	 false},
	{"walker_memory_fraction", "of walker loads", "walker_loads_memory",
	 "walker_loads_l1+walker_loads_l2+walker_loads_l3+walker_loads_memory", 1, false},
	{"llc_miss_fraction", "of accesses", "llc_misses", "llc_references", 1, false},
	{"remote_data_fraction", "of loads from memory", "remote_dram_loads",
	 "local_dram_loads+remote_dram_loads", 1, false},
	{"remote_data_fraction", "of fills from memory", "remote_dram_fills",
	 "local_dram_fills+remote_dram_fills", 1, false},
};

#define HSW_CLIENT \
	core_rows, hsw_walk_rows, intel_miss_rows, hsw_walker_rows, hsw_ept_rows, llc_rows
#define BDW_CLIENT \
	core_rows, bdw_walk_rows, intel_miss_rows, hsw_walker_rows, hsw_ept_rows, llc_rows
#define SKL_CLIENT core_rows, skl_walk_rows, intel_miss_rows, no_walker_rows, skl_ept_rows, llc_rows
#define ICL_CLIENT \
	core_rows, skl_walk_rows, intel_miss_rows, no_walker_rows, no_ept_rows, icl_llc_rows
#define SPR_SERVER                                                                        \
	core_rows, skl_walk_rows, intel_miss_rows, no_walker_rows, no_ept_rows, llc_rows, \
		skx_dram_rows
#define ZEN(miss, dram) core_rows, no_walk_rows, miss, dram

enum cpu_index {
	HSW,
	HSW_EP,
	BDW,
	BDW_EP,
	SKL,
	SKX,
	CLX,
	ICL,
	ICX,
	SPR,
	ZEN2,
	ZEN3,
	ZEN4,
	ZEN5,
	NEOVERSE_N1,
	NEOVERSE_V1,
	NEOVERSE_N2,
	NEOVERSE_V2,
	UNKNOWN,
	NR_CPUS
};

static const struct counter_cpu cpus[NR_CPUS] = {
	[HSW] = {"Intel Haswell", "hsw", 4, 1, {HSW_CLIENT}},
	[HSW_EP] = {"Intel Haswell-EP/EX", "hsw_ep", 4, 1, {HSW_CLIENT, hsw_dram_rows}},
	[BDW] = {"Intel Broadwell", "bdw", 4, 2, {BDW_CLIENT}},
	[BDW_EP] = {"Intel Broadwell-EP/EX", "bdw_ep", 4, 2, {BDW_CLIENT, hsw_dram_rows}},
	[SKL] = {"Intel Skylake", "skl", 4, 2, {SKL_CLIENT}},
	[SKX] = {"Intel Skylake-SP", "skx", 4, 2, {SKL_CLIENT, skx_dram_rows}},
	[CLX] = {"Intel Cascade Lake", "clx", 4, 2, {SKL_CLIENT, skx_dram_rows}},
	[ICL] = {"Intel Ice Lake", "icl", 4, 2, {ICL_CLIENT}},
	[ICX] = {"Intel Ice Lake-SP", "icx", 4, 2, {ICL_CLIENT, skx_dram_rows}},
	[SPR] = {"Intel Sapphire Rapids", "spr", 4, 4, {SPR_SERVER}},
	[ZEN2] = {"AMD Zen 2",
		  "amd64_fam17h_zen2",
		  6,
		  0,
		  {ZEN(zen2_miss_rows, zen2_dram_rows), zen_walker_rows}},
	[ZEN3] = {"AMD Zen 3",
		  "amd64_fam19h_zen3",
		  6,
		  0,
		  {ZEN(zen3_miss_rows, zen3_dram_rows), zen_walker_rows}},
	[ZEN4] = {"AMD Zen 4", "amd64_fam19h_zen4", 6, 0, {ZEN(zen3_miss_rows, zen4_dram_rows)}},
	[ZEN5] = {"AMD Zen 5", NULL, 6, 0, {core_rows, no_walk_rows, zen5_rows}},
	[NEOVERSE_N1] = {"Arm Neoverse N1", NULL, 6, 0, {core_rows, no_walk_rows, neoverse_rows}},
	[NEOVERSE_V1] = {"Arm Neoverse V1", NULL, 6, 0, {core_rows, no_walk_rows, neoverse_rows}},
	[NEOVERSE_N2] = {"Arm Neoverse N2", NULL, 6, 0, {core_rows, no_walk_rows, neoverse_rows}},
	[NEOVERSE_V2] = {"Arm Neoverse V2", NULL, 6, 0, {core_rows, no_walk_rows, neoverse_rows}},
	[UNKNOWN] = {"unknown CPU", "perf", 4, 0, {core_rows, generic_rows}},
};

/* Family and model numbers: SDM volume 4, table 2-1; AMD revision guides; Arm TRMs (PartNum). */
static const struct cpu_range {
	const char *vendor;
	int family, first, last; /* Arm: first and last part number */
	int first_stepping;
	enum cpu_index cpu;
} ranges[] = {
	{"GenuineIntel", 6, 0x3c, 0x3c, 0, HSW},
	{"GenuineIntel", 6, 0x45, 0x46, 0, HSW},
	{"GenuineIntel", 6, 0x3f, 0x3f, 0, HSW_EP},
	{"GenuineIntel", 6, 0x3d, 0x3d, 0, BDW},
	{"GenuineIntel", 6, 0x47, 0x47, 0, BDW},
	{"GenuineIntel", 6, 0x4f, 0x4f, 0, BDW_EP},
	{"GenuineIntel", 6, 0x56, 0x56, 0, BDW_EP},
	{"GenuineIntel", 6, 0x4e, 0x4e, 0, SKL},
	{"GenuineIntel", 6, 0x5e, 0x5e, 0, SKL},
	{"GenuineIntel", 6, 0x8e, 0x8e, 0, SKL},
	{"GenuineIntel", 6, 0x9e, 0x9e, 0, SKL},
	{"GenuineIntel", 6, 0xa5, 0xa6, 0, SKL},
	{"GenuineIntel", 6, 0x55, 0x55, 5, CLX}, /* steppings 5 and up: Cascade, Cooper Lake */
	{"GenuineIntel", 6, 0x55, 0x55, 0, SKX},
	{"GenuineIntel", 6, 0x7d, 0x7e, 0, ICL},
	{"GenuineIntel", 6, 0x6a, 0x6a, 0, ICX},
	{"GenuineIntel", 6, 0x6c, 0x6c, 0, ICX},
	{"GenuineIntel", 6, 0x8f, 0x8f, 0, SPR},
	{"GenuineIntel", 6, 0xcf, 0xcf, 0, SPR}, /* Emerald Rapids: the same events */
	{"AuthenticAMD", 0x17, 0x30, 0xff, 0, ZEN2},
	{"AuthenticAMD", 0x19, 0x10, 0x1f, 0, ZEN4},
	{"AuthenticAMD", 0x19, 0x60, 0x7f, 0, ZEN4},
	{"AuthenticAMD", 0x19, 0xa0, 0xaf, 0, ZEN4},
	{"AuthenticAMD", 0x19, 0x00, 0x5f, 0, ZEN3},
	{"AuthenticAMD", 0x1a, 0x00, 0xff, 0, ZEN5},
	{"ARM", -1, 0xd0c, 0xd0c, 0, NEOVERSE_N1},
	{"ARM", -1, 0xd40, 0xd40, 0, NEOVERSE_V1},
	{"ARM", -1, 0xd49, 0xd49, 0, NEOVERSE_N2},
	{"ARM", -1, 0xd4f, 0xd4f, 0, NEOVERSE_V2},
};

const struct counter_cpu *counters_cpu_find(const struct counter_cpu_id *id)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct cpu_range *range = &ranges[i];
		const int number = range->family < 0 ? id->part : id->model;

		if (strcmp(range->vendor, id->vendor) == 0 &&
		    (range->family < 0 || range->family == id->family) && number >= range->first &&
		    number <= range->last && id->stepping >= range->first_stepping)
			return &cpus[range->cpu];
	}
	return &cpus[UNKNOWN];
}

#define ARM_IMPLEMENTER "0x41" /* "CPU implementer" of /proc/cpuinfo: MIDR_EL1 bits 31:24 */

/* On Arm the topology's vendor and model are the implementer and part numbers of /proc/cpuinfo. */
const struct counter_cpu *counters_cpu_of(const struct topology *topology)
{
	struct counter_cpu_id id = {
		.vendor = topology->cpu_vendor,
		.family = topology->cpu_family,
		.model = topology->cpu_model_number,
		.stepping = topology->cpu_stepping,
		.part = -1,
	};

	if (strcmp(topology->cpu_vendor, ARM_IMPLEMENTER) == 0) {
		id.vendor = "ARM";
		id.part = (int)strtol(topology->cpu_model, NULL, 16);
		id.stepping = 0;
	}
	return counters_cpu_find(&id);
}

const struct counter_cpu *counters_cpu_at(int index)
{
	return index >= 0 && index < NR_CPUS ? &cpus[index] : NULL;
}

const struct counter_row *counters_cpu_row(const struct counter_cpu *cpu, int index)
{
	for (int i = 0; i < COUNTERS_CPU_SETS_MAX && cpu->sets[i]; i++)
		for (const struct counter_row *row = cpu->sets[i]; row->name; row++)
			if (index-- == 0)
				return row;
	for (const struct counter_row *row = software_rows; row->name; row++)
		if (index-- == 0)
			return row;
	return NULL;
}

const struct counter_row *counters_cpu_row_named(const struct counter_cpu *cpu, const char *name)
{
	const struct counter_row *row;

	for (int i = 0; (row = counters_cpu_row(cpu, i)); i++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

const struct counter_ratio *counters_ratio_at(int index)
{
	return index >= 0 && index < (int)(sizeof(ratios) / sizeof(ratios[0])) ? &ratios[index]
									       : NULL;
}

bool counters_next_term(const char **text, char *name, size_t size)
{
	const char *start = *text + (**text == '+' || **text == '=');
	const size_t length = strcspn(start, "+");

	if (length == 0)
		return false;
	snprintf(name, size, "%.*s", (int)length, start);
	*text = start + length;
	return true;
}
