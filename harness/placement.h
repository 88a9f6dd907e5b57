/* SPDX-License-Identifier: MIT */
/*
 * A configuration name and what it means on a machine.
 *
 * config.c is the only place that knows the grammar (families, letters, spellings). A name becomes
 * a `struct config`, which knows no node numbers; with a topology it becomes a `struct placement`,
 * which knows nothing of letters. Everything else in the suite reads only the placement.
 *
 * Sources of the meanings: Mitosis (ASPLOS'20) sections 8.1 to 8.4 and vMitosis (ASPLOS'21)
 * sections 4.1 to 4.4 with their public artifacts.
 */
#ifndef HARNESS_PLACEMENT_H
#define HARNESS_PLACEMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "harness/topology.h"

enum config_family {
	CONFIG_NATIVE,       /* LP-LD, RPI-LDM: one socket, no virtualisation (Mitosis 6, 10, 11) */
	CONFIG_VIRTUAL,      /* LL, RRI, TRRIM: one socket of a virtual machine (vMitosis 1, 3) */
	CONFIG_WIDE,         /* F, TIM, OFMP: all sockets (Mitosis 9, vMitosis 4, 5) */
	CONFIG_MIGRATING_VM, /* RI, RIE, V-IR, O-IR (vMitosis 6) */
};

enum place_policy {
	PLACE_FIRST_TOUCH, /* no policy: where the thread that touches runs */
	PLACE_BIND,
	PLACE_INTERLEAVE,
};

enum place_migration { MIGRATION_NONE, MIGRATION_MREMAP, MIGRATION_KERNEL };
enum place_discovery { DISCOVERY_NONE, DISCOVERY_PARAVIRT, DISCOVERY_PROBED };
enum place_vm { VM_NONE, VM_NUMA_VISIBLE, VM_NUMA_OBLIVIOUS, VM_THIN };

/* What a name says, before a machine is known. */
struct config {
	char name[16]; /* the papers' spelling: "RPI-LDM", "TRRIM" */
	enum config_family family;
	bool remote_data, remote_page_tables, remote_ept;
	bool interfere_page_tables, interfere_data; /* load on the node(s) that hold them */
	bool interleave;                            /* wide: interleave instead of first touch */
	bool thp, fragment, autonuma;
	bool replicate_page_tables, replicate_ept; /* wide M, IR */
	bool migrate_page_tables, migrate_ept;     /* LP/RP M, E, G, M */
	enum place_discovery discovery;
	enum place_vm vm;
	const char *baseline;  /* the config that the papers divide by: "LP-LD", "LL", "F", ... */
	const char *published; /* "Mitosis fig. 6, 10a" or NULL */
};

/*
 * Parses a name: case-insensitive, hyphens and '+' optional between the parts. ERR_USAGE with the
 * nearest names when it is none.
 *
 * What is contradictory is refused with a reason although its letters fit: E, G or M without
 * anything remote to move, interference in a virtual name without remote page tables, fragmented
 * memory without huge pages, MP or MF outside a NUMA-oblivious VM and a plain M inside one.
 */
int config_parse(const char *name, struct config *config, struct err *err);

/* Iterates over every published name, in the order of `harness list configs`; NULL after the last.
 */
const struct config *config_published(int index);

/* The meaning in a few words, without node numbers; returns `text`. */
const char *config_describe(const struct config *config, char *text, size_t size);

/* "native", "virtual", "wide", "migrating-vm" */
const char *config_family_name(enum config_family family);

/* What the nodes of the run are for. Masks have bit N set for node N. */
struct placement {
	struct config config;
	uint64_t cpu_nodes;
	enum place_policy data_policy;
	uint64_t data_nodes;            /* BIND, INTERLEAVE */
	bool page_table_bound;          /* false: they follow the policy of the data */
	int page_table_node;            /* while the workload is built */
	enum place_migration migration; /* of page tables, after ready, before the ROI */
	int migration_node;             /* where they go: the node of the CPUs */
	uint64_t interference_nodes;
	bool interference_modelled; /* emulator: contended latency, no load runs */
	bool thp, autonuma, fragment;
	bool replicate_page_tables;
	int local_node, remote_node;        /* remote: -1 when the config has nothing remote */
	int ept_node;                       /* -1: no VM, or its ePT follows first touch */
	enum place_migration ept_migration; /* to migration_node as well */
	bool replicate_ept;
};

struct placement_options {
	int local_node;  /* -1: the lowest node with CPUs and memory */
	int remote_node; /* -1: the farthest from the local node */
};

/* What a machine offers beyond a stock kernel and one process. */
struct placement_means {
	bool mremap;                /* the workload is ours: its arena can move its page tables */
	bool kernel_replication;    /* the kernel has the replication interface of kernel/ */
	bool interference_modelled; /* emulator: contended latency instead of a running load */
	bool virtual_machine;
	bool fragmenter;
};

/*
 * Resolves a config on a machine. ERR_USAGE for a node that does not exist; ERR_MACHINE with the
 * name of what is missing when the machine cannot do it. Changes nothing.
 */
int placement_resolve(const struct config *config, const struct topology *topology,
		      const struct placement_options *options, const struct placement_means *means,
		      struct placement *placement, struct err *err);

/* The placement as the record's "placement_plan" object; a new reference. */
json_t *placement_to_json(const struct placement *placement);

/* The same in sentences, for --explain; malloc'd text with newlines. */
char *placement_explain(const struct placement *placement, const struct topology *topology);

#endif
