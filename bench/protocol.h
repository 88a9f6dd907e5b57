/* SPDX-License-Identifier: MIT */
/*
 * The driver's side of docs/PROTOCOL.md. Without WIRE_ENV in the environment nothing is connected
 * and every function succeeds at once.
 */
#ifndef BENCH_PROTOCOL_H
#define BENCH_PROTOCOL_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/workload.h"
#include "common/err.h"
#include "common/wire.h"

struct protocol {
	bool connected;
	struct wire wire;
	uint64_t last_progress_ns;
	pthread_t watcher; /* ends the process when the harness is gone, whatever it does then */
	int watcher_fd;    /* written to end the watcher; -1: there is none */
};

/* ERR_USAGE when WIRE_ENV is no descriptor of a socket. */
int protocol_open(struct protocol *protocol, struct err *err);

/* From here on the process exits with ERR_RUN's status as soon as the harness closes its end. */
int protocol_watch(struct protocol *protocol, struct err *err);
void protocol_unwatch(struct protocol *protocol);

void protocol_close(struct protocol *protocol);

int protocol_hello(struct protocol *protocol, const struct workload *workload,
		   uint64_t footprint_bytes, const struct option_set *options, struct err *err);

/* At most four a second go out; a peer that is gone is noticed elsewhere. */
void protocol_progress(struct protocol *protocol, const char *phase, double done);

struct protocol_ready {
	const struct arena *arena;
	const struct team *team;
	const struct workload_run *run;
	const int *client_cpus; /* of a server's clients */
	int nr_client_cpus;
	uint64_t setup_ns;
};
int protocol_ready(struct protocol *protocol, const struct protocol_ready *ready, struct err *err);

/*
 * Serves the harness until it says `go`, whose "model" member is returned in *model (a new
 * reference, or NULL). ERR_RUN when it is gone or says what has no place here.
 */
int protocol_await_go(struct protocol *protocol, struct arena *arena, json_t **model,
		      struct err *err);

int protocol_roi_end(struct protocol *protocol, const struct roi *roi, struct err *err);
int protocol_await_continue(struct protocol *protocol, struct err *err);
int protocol_done(struct protocol *protocol, const struct metrics *metrics,
		  const struct verification *verification, json_t *series, struct err *err);
void protocol_error(struct protocol *protocol, const struct err *error);

/* The interference load: its rate, and a wait for `stop`: 1 when it came, 0 when `timeout_ms`
 * passed without it. */
int protocol_alive(struct protocol *protocol, double gb_per_s, struct err *err);
int protocol_await_stop(struct protocol *protocol, int timeout_ms, struct err *err);

#endif
