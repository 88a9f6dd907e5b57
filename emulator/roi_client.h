/* SPDX-License-Identifier: MIT */
/*
 * The guest's side of emulator/roi.h, for the driver and for harness exec: the descriptor page, the
 * markers, and the model's reply as JSON.
 */
#ifndef EMULATOR_ROI_CLIENT_H
#define EMULATOR_ROI_CLIENT_H

#include <jansson.h>

#include "common/err.h"
#include "emulator/roi.h"

/* A zeroed page that stays in its frame, or NULL; ERR_MACHINE when memory cannot be locked. */
struct roi_descriptor *roi_client_open(struct err *err);
void roi_client_close(struct roi_descriptor *descriptor);

/* Sends the command; ERR_RUN when the model refuses it or there is none. */
int roi_client_send(struct roi_descriptor *descriptor, enum roi_command command, struct err *err);

/* Sends ROI_END and works out the modelled time, 0 if no CPU of the region ran the program. */
int roi_client_end(struct roi_descriptor *descriptor, uint64_t *duration_ns, struct err *err);

/* The reply to ROI_END by the field names of emulator/roi.h; a new reference. */
json_t *roi_client_reply(const struct roi_descriptor *descriptor);

#endif
