/* SPDX-License-Identifier: MIT */
/*
 * A run in the emulated machine, seen from outside: the harness inside does the run and leaves its
 * record; the harness outside adds what only it knows.
 */
#ifndef HARNESS_REMOTE_SESSION_H
#define HARNESS_REMOTE_SESSION_H

#include <jansson.h>

#include "common/err.h"
#include "harness/execution.h"
#include "harness/words.h"

#define REMOTE_ROOT   "/suite"
#define REMOTE_RESULT "/result"

/*
 * *record is replaced by the guest's, completed; where the guest left none, it stays as it was. The
 * run has failed unless the record's times are the model's.
 */
int remote_session_run(const struct execution *execution, json_t **record, struct err *err);

/* The command in the guest. */
void remote_session_argv(const struct execution *execution, struct words *argv);

/* The guest's record with the host's identity: id, command, arguments, repetition, machine. */
void remote_session_complete(json_t *record, const json_t *host_record, const json_t *machine);

#endif
