// SPDX-License-Identifier: MIT
#include "analysis/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_S 120

/* What flows: 0 the input, 1 the output, 2 what the program says about it. */
struct flow {
	int fd[3];
	const char *input;
	size_t input_left;
	char *output, *errors;
	size_t output_length, errors_length;
	FILE *output_stream, *errors_stream;
};

bool tool_exists(const char *program)
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];

	for (path = path ? path : "/usr/bin:/bin"; *path; path += *path == ':') {
		const size_t length = strcspn(path, ":");

		snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)length, path, program);
		if (access(candidate, X_OK) == 0)
			return true;
		path += length;
	}
	return false;
}

static _Noreturn void become(char *const *argv, const int *child_ends)
{
	sigset_t none;

	/* Nothing that was started for a report may outlive it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 3; i++)
		if (dup2(child_ends[i], i) < 0)
			_exit(127);
	execvp(argv[0], argv);
	_exit(127);
}

/* Socket pairs, because a write to one whose reader is gone can be asked not to raise SIGPIPE. */
static pid_t start(char *const *argv, struct flow *flow)
{
	int child_ends[3] = {-1, -1, -1};
	pid_t pid = -1;
	int made = 0;

	for (; made < 3; made++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
			break;
		flow->fd[made] = pair[0];
		child_ends[made] = pair[1];
	}
	if (made == 3)
		pid = fork();
	if (pid == 0)
		become(argv, child_ends);
	for (int i = 0; i < made; i++)
		close(child_ends[i]);
	return pid;
}

static void close_flow(struct flow *flow, int which)
{
	if (flow->fd[which] >= 0)
		close(flow->fd[which]);
	flow->fd[which] = -1;
}

static void feed(struct flow *flow)
{
	const ssize_t n =
		send(flow->fd[0], flow->input, flow->input_left, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0) {
		flow->input += n;
		flow->input_left -= (size_t)n;
	}
	if (flow->input_left == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_flow(flow, 0);
}

static void drain(struct flow *flow, int which)
{
	FILE *to = which == 1 ? flow->output_stream : flow->errors_stream;
	char buffer[16384];
	const ssize_t n = read(flow->fd[which], buffer, sizeof(buffer));

	if (n > 0)
		fwrite(buffer, 1, (size_t)n, to);
	else if (n == 0 || errno != EINTR)
		close_flow(flow, which);
}

static time_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Until the program has closed both of its ends; -1 when that takes too long. */
static int pump(struct flow *flow)
{
	const time_t deadline = seconds_now() + TIMEOUT_S;

	while (flow->fd[1] >= 0 || flow->fd[2] >= 0) {
		struct pollfd poll_fds[3] = {
			{.fd = flow->fd[0], .events = POLLOUT},
			{.fd = flow->fd[1], .events = POLLIN},
			{.fd = flow->fd[2], .events = POLLIN},
		};
		const time_t left = deadline - seconds_now();

		if (left <= 0)
			return -1;
		if (poll(poll_fds, 3, (int)left * 1000) < 0)
			continue;
		if (poll_fds[0].revents)
			feed(flow);
		for (int i = 1; i < 3; i++)
			if (poll_fds[i].revents)
				drain(flow, i);
	}
	return 0;
}

/* The last line it wrote says most. */
static const char *last_line(char *text)
{
	size_t length = strlen(text);
	char *line;

	while (length > 0 && strchr("\n ", text[length - 1]))
		text[--length] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	return line + strspn(line, " ");
}

static int run(char *const *argv, struct flow *flow, struct err *err)
{
	const pid_t pid = start(argv, flow);
	int status, late;

	if (pid < 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot start '%s'", argv[0]);
	late = pump(flow) != 0;
	if (late)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	fflush(flow->output_stream);
	fflush(flow->errors_stream);
	if (late)
		return err_set(err, ERR_RUN, "%s did not finish within %d s", argv[0], TIMEOUT_S);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || flow->output_length == 0)
		return err_set(err, ERR_RUN, "%s failed (%s %d): %s", argv[0],
			       WIFEXITED(status) ? "exit status" : "signal",
			       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
			       last_line(flow->errors));
	return 0;
}

char *tool_filter(char *const *argv, const char *package, const char *input, size_t *length,
		  struct err *err)
{
	struct flow flow = {.fd = {-1, -1, -1}, .input = input, .input_left = strlen(input)};
	int result = -1;

	if (!tool_exists(argv[0])) {
		err_set(err, ERR_MACHINE, "%s is not installed; install the package '%s'", argv[0],
			package);
		return NULL;
	}
	flow.output_stream = open_memstream(&flow.output, &flow.output_length);
	flow.errors_stream = open_memstream(&flow.errors, &flow.errors_length);
	if (flow.output_stream && flow.errors_stream)
		result = run(argv, &flow, err);
	else
		err_set(err, ERR_INTERNAL, "out of memory");
	for (int i = 0; i < 3; i++)
		close_flow(&flow, i);
	if (flow.output_stream)
		fclose(flow.output_stream);
	if (flow.errors_stream)
		fclose(flow.errors_stream);
	free(flow.errors);
	if (result == 0) {
		*length = flow.output_length;
		return flow.output;
	}
	free(flow.output);
	return NULL;
}
