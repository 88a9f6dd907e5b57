/* SPDX-License-Identifier: MIT */
/*
 * The harness's side of docs/PROTOCOL.md: waits for the message that is due, under a deadline, and
 * turns everything a driver can do instead (crash, hang, print garbage, leave early, report an
 * error) into an error that says so.
 */
#ifndef HARNESS_DRIVER_LINK_H
#define HARNESS_DRIVER_LINK_H

#include <jansson.h>

#include "common/err.h"
#include "harness/child.h"
#include "harness/deadline.h"

/* Called about three times a second while the link waits; -1 ends the wait with the error. */
typedef int link_tick_fn(void *context, struct err *err);
/* A driver's own report: phase and the fraction done of it. */
typedef void link_progress_fn(void *context, const char *phase, double done);

struct driver_link {
	const char *name; /* for messages: "the driver", "the interference load on node 1" */
	struct child *child;
	const char *stderr_path; /* whose last line explains an early end; may be NULL */
	struct deadline deadline;
	link_tick_fn *tick;
	link_progress_fn *progress;
	void *context;
};

/* Waits for a message of that type; *message is the caller's. */
int driver_link_expect(struct driver_link *link, const char *type, json_t **message,
		       struct err *err);

/* Sends {"msg": type} with the members of `body` (taken over; may be NULL). */
int driver_link_send(struct driver_link *link, const char *type, json_t *body, struct err *err);

/* Waits until the process has ended; the error names the signal or an exit status other than 0. */
int driver_link_wait_end(struct driver_link *link, struct err *err);

/* What has arrived without waiting: 1 with a message, 0 without, -1 when the driver has gone. */
int driver_link_poll(struct driver_link *link, json_t **message, struct err *err);

#endif
