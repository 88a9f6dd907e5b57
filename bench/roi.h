/* SPDX-License-Identifier: MIT */
/*
 * The region of interest: its clock, and the markers by which a model of the machine is told where
 * it begins and ends (emulator/roi.h). On real hardware nobody listens and the clock counts.
 */
#ifndef BENCH_ROI_H
#define BENCH_ROI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "emulator/roi.h"

struct roi {
	struct roi_descriptor *descriptor; /* a locked page; NULL when no model can be there */
	uint64_t begin_ns;
	uint64_t host_ns;     /* time that really passed */
	uint64_t duration_ns; /* by the clock that counts */
	bool modelled;        /* the model answered the end marker */
};

/* CLOCK_MONOTONIC_RAW: not slewed by NTP. */
uint64_t roi_now_ns(void);

/*
 * With `emulated`, readies the descriptor and asks the model for a sign of life: ERR_RUN when none
 * answers.
 */
int roi_open(struct roi *roi, bool emulated, struct err *err);
void roi_close(struct roi *roi);

/*
 * Fills the descriptor from the "model" member of a `go` message (docs/PROTOCOL.md; NULL is fine)
 * and from the CPUs of the team. ERR_RUN when the member is malformed.
 */
int roi_configure(struct roi *roi, const json_t *model, const char *label, const int *cpus,
		  int nr_cpus, struct err *err);

/* ERR_RUN when a model should answer and does not, or refuses. */
int roi_begin(struct roi *roi, struct err *err);
int roi_end(struct roi *roi, struct err *err);

/* The clock's name in messages and records. */
const char *roi_clock(const struct roi *roi);

/* What the model counted, by the field names of emulator/roi.h; a new reference, or NULL. */
json_t *roi_model_to_json(const struct roi *roi);

#endif
