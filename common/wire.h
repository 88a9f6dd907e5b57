/* SPDX-License-Identifier: MIT */
/*
 * One JSON object per line over a stream socket: the channel between harness and driver.
 *
 * The harness passes the descriptor's number in the environment variable WIRE_ENV. The messages are
 * documented in docs/PROTOCOL.md.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <jansson.h>
#include <stddef.h>

#include "common/err.h"

#define WIRE_ENV "MITOSIS_SUITE_WIRE_FD"

/* No message of the protocol comes near this; a longer line is a peer that prints garbage. */
#define WIRE_LINE_MAX (4u << 20)

struct wire {
	int fd;
	char *data;
	size_t used, size;
};

void wire_init(struct wire *wire, int fd);
void wire_close(struct wire *wire);

/* Sends one object. ERR_RUN when the peer is gone. Does not take the reference. */
int wire_send(struct wire *wire, const json_t *message, struct err *err);

/*
 * Receives one object; timeout_ms < 0 waits for ever. Returns 1 with *message owned by the caller,
 * 0 on end of file, -1 with ERR_RUN on a time-out, a line that is no JSON object, or one that is
 * too long.
 */
int wire_receive(struct wire *wire, int timeout_ms, json_t **message, struct err *err);

#endif
