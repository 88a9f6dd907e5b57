// SPDX-License-Identifier: MIT
#include "harness/ready_when.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/units.h"
#include "harness/deadline.h"

#define LINE_BYTES 4096
#define CONNECT_MS 100

/* One of the program's outputs, on its way to where it would have gone. */
struct stream {
	int pipe[2], sink;
	char line[LINE_BYTES];
	size_t used;
};

struct ready_when {
	const struct kind *kind;
	uint64_t delay_ns, started_ns;
	const char *path;
	int port;
	regex_t regex;
	struct stream streams[READY_WHEN_STREAMS];
	bool matched;
};

struct kind {
	const char *prefix;
	int (*parse)(struct ready_when *, const char *value, struct err *);
	int (*check)(struct ready_when *);
};

static int parse_delay(struct ready_when *ready_when, const char *value, struct err *err)
{
	if (*value >= '0' && *value <= '9')
		return units_parse_duration(value, "--ready-when", &ready_when->delay_ns, err);
	return err_set(err, ERR_USAGE, "--ready-when: '%s' is none of %s", value, READY_WHEN_FORMS);
}

static int check_delay(struct ready_when *ready_when)
{
	return deadline_now_ns() - ready_when->started_ns >= ready_when->delay_ns;
}

static int check_file(struct ready_when *ready_when)
{
	return access(ready_when->path, F_OK) == 0;
}

static int parse_file(struct ready_when *ready_when, const char *value, struct err *err)
{
	ready_when->path = value;
	if (*value && !check_file(ready_when))
		return 0;
	return err_set(err, ERR_USAGE,
		       *value ? "--ready-when: '%s' is there already; remove it first"
			      : "--ready-when: file:%s names no file",
		       value);
}

/* A server whose queue is full does not answer: that is no reason to wait for minutes. */
static bool accepts(int family, const struct sockaddr *address, socklen_t length)
{
	const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(int);
	int failed = -1;

	if (fd < 0)
		return false;
	if (connect(fd, address, length) == 0)
		failed = 0;
	else if (errno == EINPROGRESS && poll(&pfd, 1, CONNECT_MS) == 1 &&
		 getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0)
		failed = -1;
	close(fd);
	return failed == 0;
}

static int check_port(struct ready_when *ready_when)
{
	const struct sockaddr_in v4 = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)ready_when->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)ready_when->port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};

	return accepts(AF_INET, (const struct sockaddr *)&v4, sizeof(v4)) ||
	       accepts(AF_INET6, (const struct sockaddr *)&v6, sizeof(v6));
}

static int parse_port(struct ready_when *ready_when, const char *value, struct err *err)
{
	char *end;
	const long port = strtol(value, &end, 10);

	if (end == value || *end || port < 1 || port > 65535)
		return err_set(err, ERR_USAGE, "--ready-when: '%s' is no TCP port", value);
	ready_when->port = (int)port;
	if (check_port(ready_when))
		return err_set(err, ERR_USAGE, "--ready-when: somebody listens on port %ld already",
			       port);
	return 0;
}

static int parse_output(struct ready_when *ready_when, const char *value, struct err *err)
{
	char why[128] = "it is empty";
	int status = REG_BADPAT;

	if (*value) {
		status = regcomp(&ready_when->regex, value, REG_EXTENDED | REG_NOSUB);
		regerror(status, &ready_when->regex, why, sizeof(why));
	}
	if (status != 0)
		return err_set(err, ERR_USAGE, "--ready-when: '%s' is no regular expression: %s",
			       value, why);
	for (int i = 0; i < READY_WHEN_STREAMS && status == 0; i++)
		status = pipe2(ready_when->streams[i].pipe, O_CLOEXEC);
	if (status == 0)
		return 0;
	regfree(&ready_when->regex);
	return err_set_errno(err, ERR_INTERNAL, errno, "cannot make a pipe");
}

static int check_output(struct ready_when *ready_when)
{
	return ready_when->matched;
}

/* The program's own markers, which the session hears. */
static int parse_roi(struct ready_when *ready_when, const char *value, struct err *err)
{
	(void)ready_when;
	if (*value == '\0')
		return 0;
	return err_set(err, ERR_USAGE, "--ready-when: 'roi%s' is none of %s", value,
		       READY_WHEN_FORMS);
}

static int check_roi(struct ready_when *ready_when)
{
	return ready_when->matched;
}

static const struct kind kinds[] = {
	{"file:", parse_file, check_file},       {"tcp:", parse_port, check_port},
	{"output:", parse_output, check_output}, {"roi", parse_roi, check_roi},
	{"", parse_delay, check_delay},
};

#define OUTPUT_KIND (&kinds[2])
#define ROI_KIND    (&kinds[3])

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_streams(struct ready_when *ready_when)
{
	for (int i = 0; i < READY_WHEN_STREAMS; i++) {
		close_fd(&ready_when->streams[i].pipe[0]);
		close_fd(&ready_when->streams[i].pipe[1]);
		close_fd(&ready_when->streams[i].sink);
	}
}

int ready_when_open(struct ready_when **result, const char *text, struct err *err)
{
	struct ready_when *ready_when = calloc(1, sizeof(*ready_when));
	const struct kind *kind = kinds;

	if (!ready_when)
		return err_set(err, ERR_INTERNAL, "out of memory");
	while (strncmp(text, kind->prefix, strlen(kind->prefix)) != 0)
		kind++;
	for (int i = 0; i < READY_WHEN_STREAMS; i++) {
		struct stream *stream = &ready_when->streams[i];

		stream->pipe[0] = stream->pipe[1] = stream->sink = -1;
	}
	if (kind->parse(ready_when, text + strlen(kind->prefix), err) != 0) {
		close_streams(ready_when);
		free(ready_when);
		return -1;
	}
	ready_when->kind = kind;
	*result = ready_when;
	return 0;
}

void ready_when_close(struct ready_when *ready_when)
{
	if (!ready_when)
		return;
	ready_when_pump(ready_when, NULL);
	if (ready_when->kind == OUTPUT_KIND)
		regfree(&ready_when->regex);
	close_streams(ready_when);
	free(ready_when);
}

int ready_when_output(struct ready_when *ready_when, int stream, int sink)
{
	if (ready_when->kind != OUTPUT_KIND)
		return -1;
	ready_when->streams[stream].sink = fcntl(sink, F_DUPFD_CLOEXEC, 3);
	return ready_when->streams[stream].pipe[1];
}

void ready_when_started(struct ready_when *ready_when)
{
	ready_when->started_ns = deadline_now_ns();
	for (int i = 0; i < READY_WHEN_STREAMS; i++) {
		struct stream *stream = &ready_when->streams[i];

		close_fd(&stream->pipe[1]);
		if (stream->pipe[0] >= 0)
			fcntl(stream->pipe[0], F_SETFL, O_NONBLOCK);
	}
}

int ready_when_fd(const struct ready_when *ready_when, int stream)
{
	return ready_when->streams[stream].pipe[0];
}

bool ready_when_by_program(const struct ready_when *ready_when)
{
	return ready_when && ready_when->kind == ROI_KIND;
}

void ready_when_program_is(struct ready_when *ready_when)
{
	ready_when->matched = true;
}

int ready_when_check(struct ready_when *ready_when, struct err *err)
{
	if (ready_when_pump(ready_when, err) != 0)
		return -1;
	return ready_when->kind->check(ready_when);
}

/* A line that is longer than the buffer is searched in pieces. */
static void search(struct ready_when *ready_when, struct stream *stream, const char *data,
		   size_t length)
{
	for (size_t i = 0; i < length && !ready_when->matched; i++) {
		if (data[i] != '\n' && stream->used < LINE_BYTES - 1) {
			stream->line[stream->used++] = data[i] ? data[i] : ' ';
			continue;
		}
		stream->line[stream->used] = '\0';
		ready_when->matched = regexec(&ready_when->regex, stream->line, 0, NULL, 0) == 0;
		stream->used = 0;
	}
}

static int pass_on(int sink, const char *data, size_t length, struct err *err)
{
	while (length > 0) {
		const ssize_t n = write(sink, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_RUN, errno,
					     "cannot pass on the program's output");
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

static int pump_stream(struct ready_when *ready_when, struct stream *stream, struct err *err)
{
	char data[65536];

	while (stream->pipe[0] >= 0 && stream->pipe[1] < 0) {
		const ssize_t n = read(stream->pipe[0], data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 0; /* nothing now */
		if (n == 0)
			close_fd(&stream->pipe[0]);
		search(ready_when, stream, data, (size_t)n);
		if (pass_on(stream->sink, data, (size_t)n, err) != 0)
			return -1;
	}
	return 0;
}

int ready_when_pump(struct ready_when *ready_when, struct err *err)
{
	for (int i = 0; i < READY_WHEN_STREAMS; i++) {
		if (pump_stream(ready_when, &ready_when->streams[i], err) != 0)
			return -1;
	}
	return 0;
}
