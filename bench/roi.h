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
	uint64_t host_ns;      /* time that really passed */
	uint64_t duration_ns;  /* by the clock that counts */
	bool modelled;         /* the model answered the end marker */
	bool running;          /* between begin and end */
	char lap_refused[160]; /* why the model refused a lap; roi_end() reports it */
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

/*
 * A time by the clock that counts, for workloads that report parts of setup or run: differences of
 * two calls mean something, within the same phase. While the region runs in the emulated machine it
 * is the model's (cycles of its slowest vCPU), else CLOCK_MONOTONIC_RAW. One thread at a time; in
 * run, the others should wait at a barrier.
 */
uint64_t roi_lap_ns(struct roi *roi);

/* The clock's name in messages and records. */
const char *roi_clock(const struct roi *roi);

/* What the model counted, by the field names of emulator/roi.h; a new reference, or NULL. */
json_t *roi_model_to_json(const struct roi *roi);

#endif
