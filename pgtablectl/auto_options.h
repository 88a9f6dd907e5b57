/* SPDX-License-Identifier: MIT */
#ifndef PGTABLECTL_AUTO_OPTIONS_H
#define PGTABLECTL_AUTO_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/fs.h"
#include "pgtablectl/policy.h"

#define AUTO_LIST_MAX 64

struct auto_options {
	/* Who may be touched: without one of these nobody is. */
	const char *names[AUTO_LIST_MAX];
	pid_t pids[AUTO_LIST_MAX];
	int nr_names, nr_pids;
	const char *cgroup; /* path below /sys/fs/cgroup, or absolute */

	uint64_t nodes; /* replicate on these; 0: all with memory */
	uint64_t interval_ns;
	int votes;  /* looks that must agree before anything is changed */
	int rounds; /* 0: for ever */
	bool dry_run, verbose, keep;
	struct policy policy;
};

/* 0; 1: help was printed; -1: ERR_USAGE. The names are split in place. */
int auto_parse_options(struct auto_options *options, int argc, char **argv, struct err *err);

/*
 * The processes that are selected now: malloc'd, ascending, without ourselves. `nr` is 0 for none.
 * ERR_MACHINE when the control group is gone.
 */
int auto_select(const struct auto_options *options, const struct fs *fs, pid_t **pids, int *nr,
		struct err *err);

#endif
