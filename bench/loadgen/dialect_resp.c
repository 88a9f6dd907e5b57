// SPDX-License-Identifier: MIT
/* Redis: RESP 2. */
#include "bench/loadgen/dialect.h"

#define LINE_MAX_BYTES 4096 /* an error's text; anything longer is no reply */

static char *put_set(char *to, uint64_t key, uint64_t value_bytes)
{
	to = dialect_put_text(to, "*3\r\n$3\r\nSET\r\n$16\r\n");
	to = dialect_put_key(to, key);
	to = dialect_put_text(to, "\r\n$");
	to = dialect_put_number(to, value_bytes);
	return dialect_put_text(to, "\r\n");
}

static char *put_get(char *to, const uint64_t *keys, unsigned nr_keys)
{
	if (nr_keys == 1) {
		to = dialect_put_text(to, "*2\r\n$3\r\nGET");
	} else {
		to = dialect_put_text(to, "*");
		to = dialect_put_number(to, nr_keys + 1);
		to = dialect_put_text(to, "\r\n$4\r\nMGET");
	}
	for (unsigned i = 0; i < nr_keys; i++) {
		to = dialect_put_text(to, "\r\n$16\r\n");
		to = dialect_put_key(to, keys[i]);
	}
	return dialect_put_text(to, "\r\n");
}

/* "$N\r\n", N bytes, "\r\n"; "$-1\r\n" is a miss. */
static void read_bulk(const char *from, const char *line_end, size_t bytes, uint64_t value_max,
		      struct reply *reply)
{
	const char *at = from + 1, *data = line_end + 2;
	uint64_t length;

	if (line_end - at == 2 && at[0] == '-' && at[1] == '1') {
		reply->kind = REPLY_MISS;
		reply->consumed = (size_t)(data - from);
		return;
	}
	if (!dialect_read_number(&at, line_end, &length) || at != line_end || length > value_max)
		return;
	if ((size_t)(data - from) + length + 2 > bytes) {
		reply->kind = REPLY_PARTIAL;
		return;
	}
	if (data[length] != '\r' || data[length + 1] != '\n')
		return;
	reply->kind = REPLY_VALUE;
	reply->data = data;
	reply->bytes = length;
	reply->consumed = (size_t)(data - from) + length + 2;
}

static void read_list(const char *from, const char *line_end, struct reply *reply)
{
	const char *at = from + 1;

	if (!dialect_read_number(&at, line_end, &reply->count) || at != line_end)
		return;
	reply->kind = REPLY_LIST;
	reply->consumed = (size_t)(line_end + 2 - from);
}

static void read_reply(const char *from, size_t bytes, uint64_t value_max, struct reply *reply)
{
	const char *end;

	*reply = (struct reply){.kind = REPLY_PARTIAL};
	if (bytes == 0)
		return;
	end = dialect_line_end(from, bytes < LINE_MAX_BYTES ? bytes : LINE_MAX_BYTES);
	if (!end && bytes < LINE_MAX_BYTES && from[0] != '\0')
		return;
	reply->kind = REPLY_GARBAGE;
	if (!end)
		return;
	switch (from[0]) {
	case '$':
		read_bulk(from, end, bytes, value_max, reply);
		return;
	case '*':
		read_list(from, end, reply);
		return;
	case '+':
	case '-':
		reply->kind = from[0] == '+' ? REPLY_STORED : REPLY_ERROR;
		reply->data = from + 1;
		reply->bytes = (uint64_t)(end - from - 1);
		reply->consumed = (size_t)(end + 2 - from);
		return;
	default:
		return;
	}
}

const struct dialect dialect_resp = {
	.name = "RESP",
	.overhead_bytes = 96,
	.put_set = put_set,
	.put_get = put_get,
	.read = read_reply,
};
