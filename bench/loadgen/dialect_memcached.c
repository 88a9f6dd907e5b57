// SPDX-License-Identifier: MIT
/* Memcached: the text protocol, whose reads take several keys. */
#include <string.h>

#include "bench/loadgen/dialect.h"

#define LINE_MAX_BYTES 2048

static char *put_set(char *to, uint64_t key, uint64_t value_bytes)
{
	to = dialect_put_text(to, "set ");
	to = dialect_put_key(to, key);
	to = dialect_put_text(to, " 0 0 ");
	to = dialect_put_number(to, value_bytes);
	return dialect_put_text(to, "\r\n");
}

static char *put_get(char *to, const uint64_t *keys, unsigned nr_keys)
{
	to = dialect_put_text(to, "get");
	for (unsigned i = 0; i < nr_keys; i++) {
		*to++ = ' ';
		to = dialect_put_key(to, keys[i]);
	}
	return dialect_put_text(to, "\r\n");
}

static bool starts(const char *line, const char *end, const char *word)
{
	const size_t length = strlen(word);

	return (size_t)(end - line) >= length && memcmp(line, word, length) == 0;
}

static bool is(const char *line, const char *end, const char *word)
{
	return (size_t)(end - line) == strlen(word) && starts(line, end, word);
}

/* "VALUE key flags bytes\r\n", the bytes, "\r\n". */
static void read_value(const char *from, const char *end, size_t bytes, uint64_t value_max,
		       struct reply *reply)
{
	const char *at = from + strlen("VALUE "), *data = end + 2;
	uint64_t flags, length;

	if (end - at < DIALECT_KEY_BYTES + 4 || !dialect_read_key(at, &reply->key))
		return;
	at += DIALECT_KEY_BYTES;
	if (*at++ != ' ' || !dialect_read_number(&at, end, &flags) || at == end || *at++ != ' ' ||
	    !dialect_read_number(&at, end, &length) || at != end || length > value_max)
		return;
	if ((size_t)(data - from) + length + 2 > bytes) {
		reply->kind = REPLY_PARTIAL;
		return;
	}
	if (data[length] != '\r' || data[length + 1] != '\n')
		return;
	reply->kind = REPLY_VALUE;
	reply->has_key = true;
	reply->data = data;
	reply->bytes = length;
	reply->consumed = (size_t)(data - from) + length + 2;
}

static enum reply_kind kind_of(const char *line, const char *end)
{
	if (is(line, end, "STORED"))
		return REPLY_STORED;
	if (is(line, end, "END"))
		return REPLY_END;
	if (is(line, end, "ERROR") || is(line, end, "NOT_STORED") ||
	    starts(line, end, "CLIENT_ERROR") || starts(line, end, "SERVER_ERROR"))
		return REPLY_ERROR;
	return REPLY_GARBAGE;
}

static void read_reply(const char *from, size_t bytes, uint64_t value_max, struct reply *reply)
{
	const char *end = dialect_line_end(from, bytes < LINE_MAX_BYTES ? bytes : LINE_MAX_BYTES);

	*reply = (struct reply){.kind = REPLY_PARTIAL};
	/* Every reply begins with a capital letter. */
	if (!end && bytes < LINE_MAX_BYTES && (bytes == 0 || (from[0] >= 'A' && from[0] <= 'Z')))
		return;
	reply->kind = REPLY_GARBAGE;
	if (!end)
		return;
	if (starts(from, end, "VALUE ")) {
		read_value(from, end, bytes, value_max, reply);
		return;
	}
	reply->kind = kind_of(from, end);
	reply->data = from;
	reply->bytes = (uint64_t)(end - from);
	reply->consumed = (size_t)(end + 2 - from);
}

const struct dialect dialect_memcached = {
	.name = "memcached text",
	.reads_end = true,
	.overhead_bytes = 64,
	.put_set = put_set,
	.put_get = put_get,
	.read = read_reply,
};
