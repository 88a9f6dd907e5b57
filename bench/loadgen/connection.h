/* SPDX-License-Identifier: MIT */
/* One connection of the load generator: requests under way, and the two buffers of its socket. */
#ifndef BENCH_LOADGEN_CONNECTION_H
#define BENCH_LOADGEN_CONNECTION_H

#include <stddef.h>

#include "bench/loadgen/client.h"

struct request {
	uint64_t due_ns; /* when it was, or should have been, sent */
	bool update, tracked;
	unsigned nr_keys, nr_seen; /* keys, and those that replies have dealt with */
};

struct connection {
	struct client_mix *mix;
	struct client_counts *counts;
	int fd;
	struct request *requests; /* a ring of mix->pipeline_max */
	uint64_t *keys;           /* mix->multiget of each */
	uint32_t *floors;
	unsigned head, under_way;
	char *out, *in;
	size_t out_begin, out_end, out_size;
	size_t in_used, in_size;
	void (*completed)(void *context, const struct request *request);
	void *context;
};

/* Takes the descriptor and makes it non-blocking. ERR_INTERNAL when out of memory. */
int connection_open(struct connection *connection, struct client_mix *mix, int fd, struct err *err);
void connection_close(struct connection *connection);

/* Puts request `n` into the buffer; there must be room (under_way < mix->pipeline). */
void connection_put(struct connection *connection, enum client_phase_kind kind, uint64_t n,
		    uint64_t due_ns);

/* Sends what the socket takes: 1 when something is left, 0, or -1 when the server is gone. */
int connection_flush(struct connection *connection);

/* One read from the socket: 0, or -1 when the server is gone. */
int connection_receive(struct connection *connection);

/* Deals with the whole replies that are there; `completed` is called for each request. ERR_RUN for
 * what is no reply. */
int connection_digest(struct connection *connection, struct err *err);

#endif
