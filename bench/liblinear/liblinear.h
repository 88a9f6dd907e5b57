/* SPDX-License-Identifier: MIT */
/*
 * The workload liblinear: training with the system's liblinear (Fan et al., JMLR 9, 2008), solver
 * 6, L1-regularised logistic regression. Here: the samples, where the library's own memory comes
 * from, and the check.
 */
#ifndef BENCH_LIBLINEAR_LIBLINEAR_H
#define BENCH_LIBLINEAR_LIBLINEAR_H

#include <linear.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/arena.h"
#include "bench/team.h"
#include "common/err.h"

/* The library counts samples and features in int. */
#define LIBLINEAR_MAX      (INT32_MAX - 1)
#define LIBLINEAR_NONZEROS 256 /* of a generated sample, at most */

/* --- samples ---------------------------------------------------------------------------------- */

/*
 * Generated samples, each a function of its number: a few values of features that decide the label
 * by a planted linear model, the rest of features that do not, which are drawn by a power law as in
 * click logs. `noise` is the probability that a label is turned round, so that no model can be
 * right more often than 1 - noise.
 */
struct samples_plan {
	uint64_t samples, features, nonzeros; /* the latter of each sample */
	uint64_t informative;                 /* features of the planted model, the first ones */
	double noise;
	uint64_t seed;
};

void samples_plan_make(struct samples_plan *plan, uint64_t samples, uint64_t features,
		       uint64_t nonzeros, double noise, uint64_t seed);

/* Fills plan->nonzeros + 1 nodes, ascending and ended as the library wants it; returns the label,
 * 1 or -1. Samples from number plan->samples on are fresh ones, for testing. */
int samples_make(const struct samples_plan *plan, uint64_t number, struct feature_node *nodes);

/* Numbers of a problem and of the memory that goes with it. */
struct samples_size {
	uint64_t samples, features, nonzeros; /* the latter of all samples together */
};

/* What the library takes for training: two copies of the labels and of the row pointers, the
 * samples by column, and vectors over samples and features. */
uint64_t samples_library_bytes(const struct samples_size *size);
uint64_t samples_bytes(const struct samples_size *size);

/* --- svmlight files (svmlight.c) -------------------------------------------------------------- */

/*
 * Two labels, ascending indices from 1: "LABEL INDEX:VALUE ... [# comment]". ERR_USAGE names the
 * file and the line.
 */
int svmlight_measure(const char *path, struct samples_size *size, struct err *err);

/* The same from the file's first lines; `features` is a guess. */
int svmlight_estimate(const char *path, struct samples_size *size, struct err *err);

/* Fills a problem whose arrays are as large as svmlight_measure said. */
int svmlight_load(const char *path, const struct samples_size *size, struct problem *problem,
		  struct feature_node *nodes, struct err *err);

/* --- the library's memory (memory.c) ---------------------------------------------------------- */

/*
 * Between enter and leave, what the calling thread allocates with malloc or new comes from the
 * given memory, so that the library's arrays lie where the config wants them and exist before the
 * run. Allocations that do not fit go to the heap and are counted as spilled. Freed memory is not
 * used again. In builds with a sanitizer, which has an allocator of its own, nothing is redirected.
 */
bool library_memory_works(void);
void library_memory_give(void *memory, uint64_t bytes); /* NULL takes it back */
void library_memory_enter(void);
void library_memory_leave(void);
uint64_t library_memory_used(void);
uint64_t library_memory_spilled(void);

/* --- the check (check.c) ---------------------------------------------------------------------- */

struct training_verdict {
	uint64_t checked, errors;
	uint64_t right;    /* training samples whose label the model finds */
	uint64_t nonzeros; /* weights that are not 0 */
	double violation; /* of the conditions of the optimum, as a fraction of that at the start */
	double objective_fraction; /* of that at the start */
	char first[160];           /* the first error in words */
};

/*
 * Whether the samples are sound (and the plan's, where there is one), and how far the model is from
 * the optimum: sum of |subgradients| of least norm of sum|w| + cost * sum log(1 + exp(-y w x)).
 */
int training_check(const struct problem *problem, const struct model *model,
		   const struct samples_plan *plan, double cost, struct training_verdict *verdict,
		   struct err *err);

/* Share of `count` fresh samples whose label the model finds. */
double training_accuracy(const struct model *model, const struct samples_plan *plan,
			 uint64_t count);

#endif
