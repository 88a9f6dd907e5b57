/* SPDX-License-Identifier: MIT */
/*
 * The load: threads with an event loop (libevent) and several connections each, which keep a number
 * of requests under way (closed loop), or send at a given rate (open loop).
 *
 * In the open loop a request has the time at which it should be sent; its latency counts from then,
 * also when it had to wait because the server was behind ("coordinated omission" is G. Tene's name
 * for leaving that wait out). What request n is follows from n and the seed, and not from the
 * number of threads or connections.
 */
#ifndef BENCH_LOADGEN_CLIENT_H
#define BENCH_LOADGEN_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/loadgen/dialect.h"
#include "bench/loadgen/histogram.h"
#include "bench/loadgen/keys.h"
#include "bench/loadgen/series.h"
#include "bench/loadgen/values.h"
#include "bench/loadgen/versions.h"
#include "common/err.h"

#define CLIENT_HISTOGRAM_DIGITS 3

/* Where the server listens. */
struct client_address {
	char path[108]; /* of a Unix socket; "" for TCP on the loopback */
	int port;
};

/* What all phases have in common. */
struct client_mix {
	const struct dialect *dialect;
	struct keys keys;
	struct values values;
	struct versions versions;
	uint64_t seed;
	double read_fraction;       /* of the requests; the others are updates */
	unsigned multiget;          /* keys of a read */
	unsigned pipeline;          /* requests under way on a connection; may change by phase */
	unsigned pipeline_max;      /* what connections are made for */
	uint64_t stall_ns;          /* a server that says nothing for so long hangs */
	_Atomic uint64_t newest;    /* the key that was written last (KEYS_LATEST) */
	atomic_bool stop;           /* a thread has failed: no use in going on */
	_Atomic uint64_t completed; /* requests of the phase, for progress; updated now and then */
};

enum client_phase_kind {
	PHASE_LOAD, /* sets every key once, in order, at version 0 */
	PHASE_MIX,
};

struct client_phase {
	enum client_phase_kind kind;
	uint64_t first, requests; /* numbers of the requests, all threads */
	uint64_t duration_ns;     /* ends it before they are all sent; 0: never */
	double rate;              /* requests a second, all threads; 0: closed loop */
	bool poisson;             /* exponential times between requests instead of equal ones */
	struct series *series;    /* NULL: latencies are not recorded */
	void (*progress)(void *context, double done); /* by thread 0, each second; may be NULL */
	void *context;
};

struct client_counts {
	uint64_t requests, read_keys, updates;
	uint64_t hits, misses, errors; /* errors: replies that are errors */
	uint64_t wrong;                /* values that are not of that key, or damaged */
	uint64_t stale;                /* values older than an update confirmed before */
	uint64_t bytes_sent, bytes_received;
	char first_problem[160];
};

struct client_thread;

/* Connects. ERR_RUN when the server does not answer. */
int client_thread_open(struct client_thread **thread, struct client_mix *mix,
		       const struct client_address *address, int nr_connections, struct err *err);
void client_thread_close(struct client_thread *thread); /* NULL is fine */

/*
 * Does this thread's part of a phase; returns when every reply is there. ERR_RUN when the server
 * ends, hangs or talks nonsense; replies that are errors and wrong values are only counted.
 */
int client_thread_run(struct client_thread *thread, const struct client_phase *phase, int number,
		      int nr_threads, struct err *err);

/* Of the last phase. */
const struct client_counts *client_thread_counts(const struct client_thread *thread);
/* Latencies of its reads or updates; NULL when they were not recorded. */
const struct histogram *client_thread_latencies(const struct client_thread *thread, bool updates);

void client_counts_add(struct client_counts *into, const struct client_counts *from);

/* A connected socket (blocking), or -1 with err. */
int client_connect(const struct client_address *address, struct err *err);

#endif
