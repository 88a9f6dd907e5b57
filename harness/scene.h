/* SPDX-License-Identifier: MIT */
/*
 * What a native run stands on, whether it runs our driver or somebody else's program: the machine,
 * the resolved placement, the system's settings, the readers of page tables and counters, and the
 * way back.
 */
#ifndef HARNESS_SCENE_H
#define HARNESS_SCENE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/fs.h"
#include "harness/child.h"
#include "harness/counters.h"
#include "harness/fragmentation.h"
#include "harness/interference.h"
#include "harness/knobs.h"
#include "harness/placement.h"
#include "harness/ptdump.h"
#include "harness/run_options.h"
#include "harness/topology.h"
#include "harness/verify_placement.h"

#define SCENE_PIDS_MAX 64

struct scene {
	const struct run_options *options;
	const char *directory;
	json_t *record; /* borrowed */
	struct fs root;
	struct topology topology;
	bool have_topology;
	json_t *model; /* what EMULATOR_ENV says; NULL on real hardware */
	struct placement placement;
	int *cpus; /* of the placement's nodes */
	int nr_cpus;
	struct knobs *knobs;
	struct counters *counters;
	struct interference *interference;
	struct fragmentation *fragmentation;
	char fragmentation_off[FRAGMENTATION_TEXT_MAX]; /* that it did not last; "" when it did */
	struct ptdump *ptdump;
	char no_dump[256]; /* why page tables cannot be read; "" when they can */
	struct ptdump_result dumps[VERIFY_MOMENTS];
	bool have_dump[VERIFY_MOMENTS];
};

/* Reads machine and placement into the record. `ours`: the workload can move its page tables. */
int scene_open(struct scene *scene, const struct run_options *options, const struct config *config,
	       bool ours, const char *directory, json_t *record, struct err *err);

/* Changes the settings that the placement needs, by way of the journal. */
int scene_apply_settings(struct scene *scene, struct err *err);

/* Fills in the part of a child's start that is placement. */
void scene_place_child(const struct scene *scene, struct child_spec *spec);

/* Dumps the page tables of the processes; a machine that cannot is no error. */
int scene_dump(struct scene *scene, enum verify_moment moment, const pid_t *pids, int nr_pids,
	       struct err *err);

/* The page-table root the model has to walk. ERR_RUN when it cannot be read. */
int scene_root(struct scene *scene, pid_t pid, uint64_t *root_address, int *levels,
	       struct err *err);

/*
 * Takes the harness itself off the workload's CPUs, so that a model does not count it; -1 when they
 * are all there are.
 */
int scene_step_aside(const struct scene *scene, const int *busy_cpus, int nr_busy_cpus);

/* Starts the interference that the placement wants, away from the workload's CPUs. */
int scene_start_interference(struct scene *scene, const int *busy_cpus, int nr_busy_cpus,
			     struct deadline deadline, struct err *err);

/* Ends it; its bandwidth goes into the record. ERR_RUN when it was no longer alive. */
int scene_stop_interference(struct scene *scene, struct err *err);

/*
 * Fragments the data's nodes, where the placement wants it: after the settings, before the workload
 * starts. It lasts until scene_stop_fragmentation(), which puts it into the record.
 */
int scene_fragment(struct scene *scene, struct deadline deadline, link_progress_fn *progress,
		   void *context, struct err *err);
int scene_stop_fragmentation(struct scene *scene, struct err *err);

/* Opens counters unless the model counts. */
int scene_open_counters(struct scene *scene, const pid_t *pids, int nr_pids, struct err *err);

/* The record's "counters" after counters_stop(). */
json_t *scene_counters_to_json(const struct scene *scene);

/* Puts dumps and verdict into the record. ERR_RUN when it is off and --strict was given. */
int scene_verify(struct scene *scene, uint64_t arena_bytes, struct err *err);

/* Puts everything back and releases it; accepts a half-made scene. */
int scene_close(struct scene *scene, struct err *err);

#endif
