// SPDX-License-Identifier: MIT
#include "harness/ready_when.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
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

struct ready_when {
	const struct kind *kind;
	uint64_t delay_ns, started_ns;
	const char *path;
	int port;
	regex_t regex;
	int pipe[2], sink;
	char line[LINE_BYTES];
	size_t used;
	bool matched;
};

struct kind {
	const char *prefix;
	int (*parse)(struct ready_when *, const char *value, struct err *);
	int (*check)(struct ready_when *);
};

static int parse_delay(struct ready_when *ready_when, const char *value, struct err *err)
{
	return units_parse_duration(value, "--ready-when", &ready_when->delay_ns, err);
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

static int check_port(struct ready_when *ready_when)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)ready_when->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const bool open =
		fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

	if (fd >= 0)
		close(fd);
	return open;
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
	if (pipe2(ready_when->pipe, O_CLOEXEC) == 0)
		return 0;
	regfree(&ready_when->regex);
	return err_set_errno(err, ERR_INTERNAL, errno, "cannot make a pipe");
}

static int check_output(struct ready_when *ready_when)
{
	return ready_when->matched;
}

static const struct kind kinds[] = {
	{"file:", parse_file, check_file},
	{"tcp:", parse_port, check_port},
	{"output:", parse_output, check_output},
	{"", parse_delay, check_delay},
};

#define OUTPUT_KIND (&kinds[2])

int ready_when_open(struct ready_when **result, const char *text, struct err *err)
{
	struct ready_when *ready_when = calloc(1, sizeof(*ready_when));
	const struct kind *kind = kinds;

	if (!ready_when)
		return err_set(err, ERR_INTERNAL, "out of memory");
	while (strncmp(text, kind->prefix, strlen(kind->prefix)) != 0)
		kind++;
	ready_when->pipe[0] = ready_when->pipe[1] = ready_when->sink = -1;
	if (kind->parse(ready_when, text + strlen(kind->prefix), err) != 0) {
		free(ready_when);
		return -1;
	}
	ready_when->kind = kind;
	*result = ready_when;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void ready_when_close(struct ready_when *ready_when)
{
	if (!ready_when)
		return;
	ready_when_pump(ready_when, NULL);
	if (ready_when->kind == OUTPUT_KIND)
		regfree(&ready_when->regex);
	close_fd(&ready_when->pipe[0]);
	close_fd(&ready_when->pipe[1]);
	close_fd(&ready_when->sink);
	free(ready_when);
}

int ready_when_output(struct ready_when *ready_when, int sink)
{
	if (ready_when->kind != OUTPUT_KIND)
		return -1;
	ready_when->sink = fcntl(sink, F_DUPFD_CLOEXEC, 3);
	return ready_when->pipe[1];
}

void ready_when_started(struct ready_when *ready_when)
{
	ready_when->started_ns = deadline_now_ns();
	close_fd(&ready_when->pipe[1]);
	if (ready_when->pipe[0] >= 0)
		fcntl(ready_when->pipe[0], F_SETFL, O_NONBLOCK);
}

int ready_when_fd(const struct ready_when *ready_when)
{
	return ready_when->pipe[0];
}

int ready_when_check(struct ready_when *ready_when, struct err *err)
{
	if (ready_when_pump(ready_when, err) != 0)
		return -1;
	return ready_when->kind->check(ready_when);
}

/* A line that is longer than the buffer is searched in pieces. */
static void search(struct ready_when *ready_when, const char *data, size_t length)
{
	for (size_t i = 0; i < length && !ready_when->matched; i++) {
		if (data[i] != '\n' && ready_when->used < LINE_BYTES - 1) {
			ready_when->line[ready_when->used++] = data[i] ? data[i] : ' ';
			continue;
		}
		ready_when->line[ready_when->used] = '\0';
		ready_when->matched =
			regexec(&ready_when->regex, ready_when->line, 0, NULL, 0) == 0;
		ready_when->used = 0;
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

int ready_when_pump(struct ready_when *ready_when, struct err *err)
{
	char data[65536];

	while (ready_when->pipe[0] >= 0 && ready_when->pipe[1] < 0) {
		const ssize_t n = read(ready_when->pipe[0], data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 0; /* nothing now */
		if (n == 0)
			close_fd(&ready_when->pipe[0]);
		search(ready_when, data, (size_t)n);
		if (pass_on(ready_when->sink, data, (size_t)n, err) != 0)
			return -1;
	}
	return 0;
}
