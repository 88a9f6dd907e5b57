/* SPDX-License-Identifier: MIT */
/*
 * What version of a key a read may see. Updates of a key are numbered in the order in which they
 * are sent. While none is under way, the server holds one of those that were under way together
 * last; a read that is sent then and sees anything older has seen a lost update.
 *
 * One word per key: the number sent last, the first one of the updates that were under way
 * together, and how many are under way. Numbers are kept modulo 2^24.
 */
#ifndef BENCH_LOADGEN_VERSIONS_H
#define BENCH_LOADGEN_VERSIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define VERSIONS_NO_FLOOR     UINT32_MAX
#define VERSIONS_BYTES_OF_KEY 8

struct versions {
	_Atomic uint64_t *words;
	uint64_t nr_keys;
};

/* All keys at version 0. ERR_MACHINE when there is no memory for them. */
int versions_open(struct versions *versions, uint64_t nr_keys, struct err *err);
void versions_close(struct versions *versions);

/* An update is about to be sent: its version. */
uint32_t versions_send(struct versions *versions, uint64_t key);
/* The server has confirmed it. */
void versions_confirm(struct versions *versions, uint64_t key);

/* A read is about to be sent: the oldest version that it may see, or VERSIONS_NO_FLOOR while
 * updates are under way. */
uint32_t versions_floor(const struct versions *versions, uint64_t key);
/* Whether the read may have seen `version`, which has been sent and is not older than its floor. */
bool versions_may_see(const struct versions *versions, uint64_t key, uint32_t floor,
		      uint32_t version);

#endif
