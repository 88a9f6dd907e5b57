/* SPDX-License-Identifier: MIT */
/*
 * The language of a server as the load generator needs it: writes requests into a buffer, and reads
 * replies from one that may end anywhere. Keys are numbers, 16 hexadecimal digits on the wire.
 *
 * Sources: the Redis serialization protocol specification (RESP 2); memcached's doc/protocol.txt.
 */
#ifndef BENCH_LOADGEN_DIALECT_H
#define BENCH_LOADGEN_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIALECT_KEY_BYTES 16
#define DIALECT_KEYS_MAX  64 /* of one read */

enum reply_kind {
	REPLY_PARTIAL, /* more has to come; nothing is consumed */
	REPLY_STORED,
	REPLY_VALUE,   /* bytes at `data` */
	REPLY_MISS,    /* no such key: the next of the request */
	REPLY_LIST,    /* `count` values or misses follow */
	REPLY_END,     /* of a read: keys that were not mentioned are misses */
	REPLY_ERROR,   /* the server's own words at `data` */
	REPLY_GARBAGE, /* no reply in this language */
};

struct reply {
	enum reply_kind kind;
	const char *data; /* into the buffer */
	uint64_t bytes, count;
	bool has_key; /* the value says whose it is */
	uint64_t key;
	size_t consumed;
};

struct dialect {
	const char *name;
	bool reads_end; /* a read is over at REPLY_END; otherwise after its last key */
	/* Bytes that a request can take beyond its value. */
	size_t overhead_bytes;
	/* Writes what precedes a value of that size; the value and CR LF complete the request. */
	char *(*put_set)(char *to, uint64_t key, uint64_t value_bytes);
	/* Writes a read of 1 to DIALECT_KEYS_MAX keys. */
	char *(*put_get)(char *to, const uint64_t *keys, unsigned nr_keys);
	/* Reads the reply at the start of a buffer. `value_max`: a longer value is garbage. */
	void (*read)(const char *from, size_t bytes, uint64_t value_max, struct reply *reply);
};

extern const struct dialect dialect_resp, dialect_memcached;

/* For the implementations. */
char *dialect_put_text(char *to, const char *text);
char *dialect_put_number(char *to, uint64_t number);
char *dialect_put_key(char *to, uint64_t key);
bool dialect_read_key(const char *from, uint64_t *key);
/* Decimal digits from *from up to `end`, at least one and not above 2^62; moves *from on. */
bool dialect_read_number(const char **from, const char *end, uint64_t *number);
/* The end of the line (its CR), or NULL when CR LF is not there yet. */
const char *dialect_line_end(const char *from, size_t bytes);

#endif
