/* SPDX-License-Identifier: MIT */
/*
 * The runs of one command: every workload under every config, repeated, in the order in which they
 * are made; all of them checked before the first begins.
 */
#ifndef HARNESS_CELLS_H
#define HARNESS_CELLS_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"
#include "common/fs.h"
#include "harness/driver_plan.h"
#include "harness/placement.h"
#include "harness/run_options.h"
#include "harness/target.h"

#define CELL_NAME_MAX 128

/* One config of the command, with the machine it runs on and what it means there. */
struct cell_config {
	struct config config;
	struct target target;
	struct placement placement;
	char *explanation; /* malloc'd */
};

struct cell {
	char name[CELL_NAME_MAX]; /* "gups RPI-LD 2/5" */
	const struct cell_config *config;
	const struct driver_plan *plan; /* NULL for harness exec */
	const char *workload;           /* its name, or that of the program */
	int64_t repeat_index, repeat_of;
	double scale; /* emulated: of its caches; 0: the profile's own */
	uint64_t footprint_bytes;
	uint64_t estimate_ns; /* 0: not known */
	char *done_by;        /* --resume: id of the record that stands for it; malloc'd */
};

struct cells {
	struct cell_config *configs;
	int nr_configs;
	struct driver_plan *plans;
	int nr_plans;
	struct cell *items;
	int nr_items;
};

/* ERR_USAGE and ERR_MACHINE as the parts give them; changes nothing on the machine. */
int cells_plan(struct cells *cells, const struct run_options *options, enum run_command command,
	       const struct fs *root, struct err *err);

/* Looks for records of the same runs: time estimates, and what --resume can leave out. */
void cells_look_up(struct cells *cells, const struct run_options *options);

void cells_free(struct cells *cells);

/* Cells that are still to be run, and their estimated time; 0 when one is unknown. */
int cells_left(const struct cells *cells, uint64_t *estimate_ns);

/* The order of n items: 0..n-1, or shuffled by the seed. */
void cells_order(int *order, int n, bool shuffle, uint64_t seed);

#endif
