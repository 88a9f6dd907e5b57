// SPDX-License-Identifier: MIT
#include "common/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void wire_init(struct wire *wire, int fd)
{
	*wire = (struct wire){.fd = fd};
}

void wire_close(struct wire *wire)
{
	if (wire->fd >= 0)
		close(wire->fd);
	free(wire->data);
	wire_init(wire, -1);
}

int wire_send(struct wire *wire, const json_t *message, struct err *err)
{
	char *text = json_dumps(message, JSON_COMPACT);
	size_t length, sent = 0;

	if (!text)
		return err_set(err, ERR_INTERNAL, "out of memory for a message");
	length = strlen(text);
	text[length++] = '\n'; /* takes the place of the NUL */
	while (sent < length) {
		const ssize_t n = send(wire->fd, text + sent, length - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(text);
			return err_set_errno(err, ERR_RUN, errno, "the peer does not listen");
		}
		sent += (size_t)n;
	}
	free(text);
	return 0;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int parse_line(struct wire *wire, size_t length, json_t **message, struct err *err)
{
	json_error_t error;

	*message = json_loadb(wire->data, length, JSON_REJECT_DUPLICATES, &error);
	if (*message && !json_is_object(*message)) {
		json_decref(*message);
		*message = NULL;
	}
	if (!*message)
		return err_set(err, ERR_RUN, "the peer sent '%.*s', which is no JSON object",
			       (int)(length < 60 ? length : 60), wire->data);
	wire->used -= length + 1;
	memmove(wire->data, wire->data + length + 1, wire->used);
	return 1;
}

static int make_room(struct wire *wire, struct err *err)
{
	char *larger;

	if (wire->used < wire->size)
		return 0;
	if (wire->size >= WIRE_LINE_MAX)
		return err_set(err, ERR_RUN, "the peer sent a line of over %u bytes",
			       WIRE_LINE_MAX);
	larger = realloc(wire->data, wire->size ? wire->size * 2 : 4096);
	if (!larger)
		return err_set(err, ERR_INTERNAL, "out of memory for a message");
	wire->data = larger;
	wire->size = wire->size ? wire->size * 2 : 4096;
	return 0;
}

int wire_receive(struct wire *wire, int timeout_ms, json_t **message, struct err *err)
{
	const long long deadline_ms = now_ms() + timeout_ms;

	for (;;) {
		char *newline = wire->used ? memchr(wire->data, '\n', wire->used) : NULL;
		struct pollfd pfd = {.fd = wire->fd, .events = POLLIN};
		long long left_ms = timeout_ms < 0 ? -1 : deadline_ms - now_ms();
		ssize_t n;
		int ready;

		if (newline)
			return parse_line(wire, (size_t)(newline - wire->data), message, err);
		if (make_room(wire, err) != 0)
			return -1;
		if (timeout_ms >= 0 && left_ms < 0)
			left_ms = 0;
		ready = poll(&pfd, 1, (int)left_ms);
		if (ready == 0)
			return err_set(err, ERR_RUN, "no message within %d ms", timeout_ms);
		if (ready < 0 && errno == EINTR)
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		n = read(wire->fd, wire->data + wire->used, wire->size - wire->used);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return 0;
		if (n < 0 && errno != EINTR)
			return err_set_errno(err, ERR_RUN, errno, "cannot read from the peer");
		if (n > 0)
			wire->used += (size_t)n;
	}
}
