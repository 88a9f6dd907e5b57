// SPDX-License-Identifier: MIT
#include "bench/loadgen/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/loadgen/random.h"

#define IN_BYTES_MIN (256 << 10)
#define REPLY_LINE   4096 /* beside the value */
#define MIX_SEED     UINT64_C(0x6d6978)

static size_t request_bytes_max(const struct client_mix *mix)
{
	const size_t set = mix->dialect->overhead_bytes + mix->values.bytes + 2;
	/* RESP frames each key by "\r\n$16\r\n". */
	const size_t get = mix->dialect->overhead_bytes + mix->multiget * (DIALECT_KEY_BYTES + 8);

	return set > get ? set : get;
}

int connection_open(struct connection *connection, struct client_mix *mix, int fd, struct err *err)
{
	const size_t least = mix->values.bytes + REPLY_LINE;

	*connection = (struct connection){.mix = mix, .fd = fd};
	connection->out_size = request_bytes_max(mix) * mix->pipeline_max;
	connection->in_size = least * 2 > IN_BYTES_MIN ? least * 2 : IN_BYTES_MIN;
	connection->requests = calloc(mix->pipeline_max, sizeof(connection->requests[0]));
	connection->keys = calloc((size_t)mix->pipeline_max * mix->multiget, sizeof(uint64_t));
	connection->floors = calloc((size_t)mix->pipeline_max * mix->multiget, sizeof(uint32_t));
	connection->out = malloc(connection->out_size);
	connection->in = malloc(connection->in_size);
	if (!connection->requests || !connection->keys || !connection->floors || !connection->out ||
	    !connection->in)
		return err_set(err, ERR_INTERNAL, "out of memory for a connection");
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot use a socket");
	return 0;
}

void connection_close(struct connection *connection)
{
	if (connection->fd >= 0)
		close(connection->fd);
	free(connection->requests);
	free(connection->keys);
	free(connection->floors);
	free(connection->out);
	free(connection->in);
	*connection = (struct connection){.fd = -1};
}

/* --- requests -------------------------------------------------------------------------------- */

static void put_update(struct connection *connection, uint64_t key, uint32_t version)
{
	const struct client_mix *mix = connection->mix;
	const uint64_t bytes = values_bytes(&mix->values, key);
	char *to = connection->out + connection->out_end;

	to = mix->dialect->put_set(to, key, bytes);
	value_write(to, bytes, key, version);
	to += bytes;
	*to++ = '\r';
	*to++ = '\n';
	connection->out_end = (size_t)(to - connection->out);
}

static uint64_t next_written(struct client_mix *mix, uint64_t n)
{
	if (mix->keys.kind != KEYS_LATEST)
		return keys_choose(&mix->keys, n, 0);
	return (atomic_fetch_add(&mix->newest, 1) + 1) % mix->keys.nr_keys;
}

static void put_read(struct connection *connection, struct request *request, uint64_t *keys,
		     uint32_t *floors, uint64_t n)
{
	struct client_mix *mix = connection->mix;
	const uint64_t newest =
		mix->keys.kind == KEYS_LATEST ? atomic_load(&mix->newest) % mix->keys.nr_keys : 0;
	char *to = connection->out + connection->out_end;

	request->nr_keys = mix->multiget;
	for (unsigned i = 0; i < mix->multiget; i++) {
		keys[i] = keys_choose(&mix->keys, n * mix->multiget + i, newest);
		floors[i] = versions_floor(&mix->versions, keys[i]);
	}
	to = mix->dialect->put_get(to, keys, mix->multiget);
	connection->out_end = (size_t)(to - connection->out);
}

void connection_put(struct connection *connection, enum client_phase_kind kind, uint64_t n,
		    uint64_t due_ns)
{
	struct client_mix *mix = connection->mix;
	const unsigned slot = (connection->head + connection->under_way) % mix->pipeline_max;
	struct request *request = &connection->requests[slot];
	uint64_t *keys = &connection->keys[(size_t)slot * mix->multiget];

	if (connection->out_begin > 0) {
		memmove(connection->out, connection->out + connection->out_begin,
			connection->out_end - connection->out_begin);
		connection->out_end -= connection->out_begin;
		connection->out_begin = 0;
	}
	*request = (struct request){.due_ns = due_ns, .nr_keys = 1};
	connection->under_way++;
	if (kind == PHASE_LOAD) {
		request->update = true;
		keys[0] = n;
		put_update(connection, n, 0);
	} else if (random_unit(random_at(mix->seed ^ MIX_SEED, n)) < mix->read_fraction) {
		put_read(connection, request, keys,
			 &connection->floors[(size_t)slot * mix->multiget], n);
	} else {
		request->update = request->tracked = true;
		keys[0] = next_written(mix, n * mix->multiget);
		put_update(connection, keys[0], versions_send(&mix->versions, keys[0]));
	}
}

int connection_flush(struct connection *connection)
{
	while (connection->out_begin < connection->out_end) {
		const ssize_t n = send(connection->fd, connection->out + connection->out_begin,
				       connection->out_end - connection->out_begin, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 1;
		if (n < 0)
			return -1;
		connection->out_begin += (size_t)n;
		connection->counts->bytes_sent += (uint64_t)n;
	}
	connection->out_begin = connection->out_end = 0;
	return 0;
}

/* --- replies --------------------------------------------------------------------------------- */

static void note_problem(struct connection *connection, const char *format, uint64_t key,
			 const struct reply *reply)
{
	struct client_counts *counts = connection->counts;
	char said[96] = "";

	if (counts->first_problem[0])
		return;
	if (reply)
		snprintf(said, sizeof(said), "%.*s", (int)(reply->bytes < 90 ? reply->bytes : 90),
			 reply->data);
	snprintf(counts->first_problem, sizeof(counts->first_problem), format, key, said);
}

static void miss(struct connection *connection, struct request *request, uint64_t key)
{
	connection->counts->misses++;
	request->nr_seen++;
	note_problem(connection, "key %016" PRIx64 " is missing%s", key, NULL);
}

static void check_value(struct connection *connection, const struct reply *reply, uint64_t key,
			uint32_t floor)
{
	struct client_counts *counts = connection->counts;
	uint32_t version;

	counts->hits++;
	if (!value_read(reply->data, reply->bytes, key, &version)) {
		counts->wrong++;
		note_problem(connection, "the value of key %016" PRIx64 " is not its own%s", key,
			     NULL);
	} else if (!versions_may_see(&connection->mix->versions, key, floor, version)) {
		counts->stale++;
		note_problem(connection, "key %016" PRIx64 " has lost a confirmed update%s", key,
			     NULL);
	}
}

/* A value of a read; false when it is of a key that was not asked for. */
static bool take_value(struct connection *connection, struct request *request,
		       const struct reply *reply)
{
	const size_t first = (size_t)(request - connection->requests) * connection->mix->multiget;
	const uint64_t *keys = &connection->keys[first];

	while (reply->has_key && request->nr_seen < request->nr_keys &&
	       keys[request->nr_seen] != reply->key)
		miss(connection, request, keys[request->nr_seen]);
	if (request->update || request->nr_seen == request->nr_keys)
		return false;
	check_value(connection, reply, keys[request->nr_seen],
		    connection->floors[first + request->nr_seen]);
	request->nr_seen++;
	return true;
}

static void skip_keys(struct connection *connection, struct request *request, bool missing)
{
	const size_t first = (size_t)(request - connection->requests) * connection->mix->multiget;

	while (request->nr_seen < request->nr_keys) {
		if (missing)
			miss(connection, request, connection->keys[first + request->nr_seen]);
		else
			request->nr_seen++;
	}
}

static void complete(struct connection *connection, struct request *request)
{
	const unsigned slot = connection->head;
	struct client_counts *counts = connection->counts;

	counts->requests++;
	if (request->update)
		counts->updates++;
	else
		counts->read_keys += request->nr_keys;
	if (request->tracked)
		versions_confirm(&connection->mix->versions,
				 connection->keys[(size_t)slot * connection->mix->multiget]);
	connection->head = slot + 1 == connection->mix->pipeline_max ? 0 : slot + 1;
	connection->under_way--;
	if (connection->completed)
		connection->completed(connection->context, request);
}

/* 1: the request is complete, 0: more replies belong to it, -1: this is no reply to it. */
static int take(struct connection *connection, struct request *request, const struct reply *reply)
{
	switch (reply->kind) {
	case REPLY_STORED:
		return request->update ? 1 : -1;
	case REPLY_VALUE:
		if (!take_value(connection, request, reply))
			return -1;
		break;
	case REPLY_MISS:
		if (request->update || request->nr_seen == request->nr_keys)
			return -1;
		miss(connection, request,
		     connection->keys[(size_t)(request - connection->requests) *
					      connection->mix->multiget +
				      request->nr_seen]);
		break;
	case REPLY_LIST:
		return !request->update && request->nr_seen == 0 && reply->count == request->nr_keys
			       ? 0
			       : -1;
	case REPLY_END:
		if (request->update)
			return -1;
		skip_keys(connection, request, true);
		return 1;
	case REPLY_ERROR:
		connection->counts->errors++;
		note_problem(connection, "key %016" PRIx64 ": the server says '%s'",
			     connection->keys[(size_t)(request - connection->requests) *
					      connection->mix->multiget],
			     reply);
		skip_keys(connection, request, false);
		return 1;
	case REPLY_PARTIAL:
	case REPLY_GARBAGE:
		return -1;
	}
	return !connection->mix->dialect->reads_end && request->nr_seen == request->nr_keys;
}

int connection_receive(struct connection *connection)
{
	const ssize_t n = recv(connection->fd, connection->in + connection->in_used,
			       connection->in_size - connection->in_used, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	connection->in_used += (size_t)n;
	connection->counts->bytes_received += (uint64_t)n;
	return 0;
}

static int nonsense(const struct connection *connection, const char *at, size_t bytes,
		    struct err *err)
{
	char text[48];
	size_t used = 0;

	for (; used < bytes && used + 1 < sizeof(text); used++)
		text[used] = at[used] >= ' ' && at[used] <= '~' ? at[used] : '.';
	text[used] = '\0';
	return err_set(err, ERR_RUN, "the server's reply is not %s or answers nothing: '%s'",
		       connection->mix->dialect->name, text);
}

int connection_digest(struct connection *connection, struct err *err)
{
	size_t at = 0;

	while (at < connection->in_used) {
		struct request *request = &connection->requests[connection->head];
		const char *from = connection->in + at;
		struct reply reply;
		int done = -1;

		connection->mix->dialect->read(from, connection->in_used - at,
					       connection->mix->values.bytes, &reply);
		if (reply.kind == REPLY_PARTIAL)
			break;
		if (reply.kind != REPLY_GARBAGE && connection->under_way > 0)
			done = take(connection, request, &reply);
		if (done < 0)
			return nonsense(connection, from, connection->in_used - at, err);
		if (done > 0)
			complete(connection, request);
		at += reply.consumed;
	}
	memmove(connection->in, connection->in + at, connection->in_used - at);
	connection->in_used -= at;
	return 0;
}
