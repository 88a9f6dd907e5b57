/* SPDX-License-Identifier: MIT */
/*
 * The region of interest of somebody else's program in the emulated machine: the harness itself
 * gives the markers, from a CPU that is not the program's, with the root of the program's tables.
 */
#ifndef HARNESS_EXEC_MODEL_H
#define HARNESS_EXEC_MODEL_H

#include <jansson.h>
#include <sys/types.h>

#include "common/err.h"
#include "emulator/roi.h"
#include "harness/scene.h"

struct exec_model {
	struct roi_descriptor *descriptor; /* NULL: not open */
};

/*
 * Takes a CPU for the harness itself: one that is not the program's, or the last of them when all
 * are. ERR_MACHINE when the program would be left without one.
 */
int exec_model_open(struct exec_model *model, struct scene *scene, struct err *err);

int exec_model_begin(struct exec_model *model, struct scene *scene, pid_t pid, struct err *err);

/* Ends the region: counters into the record, *runtime_ns by the model's clock. */
int exec_model_end(struct exec_model *model, json_t *record, uint64_t *runtime_ns, struct err *err);

void exec_model_close(struct exec_model *model);

#endif
