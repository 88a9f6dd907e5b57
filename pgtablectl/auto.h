/* SPDX-License-Identifier: MIT */
/* The daemon's state: processes under watch, from round to round. */
#ifndef PGTABLECTL_AUTO_H
#define PGTABLECTL_AUTO_H

#include <stdio.h>

#include "common/fs.h"
#include "pgtablectl/auto_options.h"
#include "pgtablectl/sample.h"

struct watched;
struct counters;

struct auto_daemon {
	const struct auto_options *options;
	const struct fs *fs;
	FILE *log;
	struct sample_nodes nodes;
	struct watched *watched; /* a list */
	/*
	 * Share of a process's cycles that went into page walks since the last call; negative where
	 * nothing tells. May be NULL.
	 */
	double (*walk_fraction)(void *context, pid_t pid, struct counters **counters);
	void *context;
};

/* One look at every selected process. ERR_MACHINE: this kernel cannot, or the group is gone. */
int auto_round(struct auto_daemon *daemon, struct err *err);

/* Takes back what was turned on (but for --keep) and frees everything. */
void auto_end(struct auto_daemon *daemon);

#endif
