/* SPDX-License-Identifier: MIT */
/*
 * The published bars (analysis/reference/, see its README.md) and which of them a run of ours may
 * be put beside.
 */
#ifndef ANALYSIS_REFERENCE_H
#define ANALYSIS_REFERENCE_H

#include <stdbool.h>

#include "common/err.h"

struct reference_figure {
	const char *file, *key; /* the CSV file and its value of column `figure` */
	const char *name;       /* "Mitosis figure 6" */
	const char *machine;    /* where it was measured */
	const char *baseline;   /* NULL: the file names it */
	bool virtual_machine;
	bool fragmented; /* the file leaves out the F of its T configs */
};

struct published {
	const struct reference_figure *figure;
	char *workload; /* the name in the paper */
	char *config;
	char *baseline;       /* what normalised is relative to */
	double normalised;    /* runtime / runtime of the baseline */
	double walk_fraction; /* NAN where the paper has none */
	double value;         /* seconds or cycles */
	const char *unit;
};

struct reference {
	struct published *bars; /* in the order of the figures */
	int nr;
};

/* Reads the files in `directory`. ERR_INTERNAL with file and line when one is damaged. */
int reference_load(struct reference *reference, const char *directory, struct err *err);
void reference_free(struct reference *reference);

struct reference_query {
	const char *workload, *config, *baseline; /* of the record */
	bool virtual_machine;
};

/*
 * The next bar after `after` (NULL: the first) with the same workload, config and baseline. A run
 * that is not in a virtual machine is never put beside a virtual one of the same name: 'F' is a
 * config in both papers.
 */
const struct published *reference_next(const struct reference *reference,
				       const struct reference_query *query,
				       const struct published *after);

/* Position of a config in the papers' figures, for ordering; INT_MAX for one of our own. */
int reference_order(const struct reference *reference, const char *config);

#endif
