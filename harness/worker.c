// SPDX-License-Identifier: MIT
#include "harness/worker.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/child.h"
#include "harness/deadline.h"

#define PROGRESS_INTERVAL_NS UINT64_C(200000000)
#define LINE_MS              5000

struct reporter {
	struct wire wire;
	uint64_t sent_ns;
	char phase[32];
};

static void report(void *context, const char *phase, double done)
{
	struct reporter *reporter = context;
	const uint64_t now_ns = deadline_now_ns();
	json_t *message;

	if (strcmp(phase, reporter->phase) == 0 &&
	    now_ns - reporter->sent_ns < PROGRESS_INTERVAL_NS)
		return;
	reporter->sent_ns = now_ns;
	snprintf(reporter->phase, sizeof(reporter->phase), "%s", phase);
	message = json_pack("{s:s, s:f}", "phase", phase, "done", done);
	wire_send(&reporter->wire, message, NULL);
	json_decref(message);
}

_Noreturn static void work(struct worker *worker, int fd)
{
	struct reporter reporter = {0};
	struct err err = {0};
	json_t *message;

	/* Its own group: Ctrl-C reaches the parent alone, which asks each worker once. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	wire_init(&reporter.wire, fd);
	worker->execution.progress = report;
	worker->execution.context = &reporter;
	execution_run(&worker->execution, &err);
	message = json_pack("{s:i, s:s}", "kind", (int)err.kind, "text", err.text);
	wire_send(&reporter.wire, message, NULL);
	json_decref(message);
	_exit((int)err.kind);
}

int worker_start(struct worker *worker, struct err *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot make a channel");
	fflush(NULL);
	worker->pid = fork();
	if (worker->pid == 0) {
		close(fds[0]);
		work(worker, fds[1]);
	}
	close(fds[1]);
	if (worker->pid < 0) {
		worker->pid = 0;
		close(fds[0]);
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot start a process");
	}
	setpgid(worker->pid, worker->pid);
	wire_init(&worker->wire, fds[0]);
	/* Until it says otherwise. */
	worker->err.kind = ERR_INTERNAL;
	snprintf(worker->err.text, sizeof(worker->err.text), "the run's process died");
	return 0;
}

static void understand(struct worker *worker, const json_t *message,
		       local_session_progress_fn *progress, void *context)
{
	const json_t *kind = json_object_get(message, "kind");
	const char *text = json_string_value(json_object_get(message, kind ? "text" : "phase"));

	if (!text)
		return;
	if (!kind) {
		progress(context, text, json_number_value(json_object_get(message, "done")));
		return;
	}
	worker->err.kind = (enum err_kind)json_integer_value(kind);
	snprintf(worker->err.text, sizeof(worker->err.text), "%s", text);
}

bool worker_listen(struct worker *worker, local_session_progress_fn *progress, void *context)
{
	for (;;) {
		struct pollfd pfd = {.fd = worker->wire.fd, .events = POLLIN};
		const bool buffered =
			worker->wire.used > 0 && memchr(worker->wire.data, '\n', worker->wire.used);
		json_t *message;

		if (!buffered && poll(&pfd, 1, 0) <= 0)
			return true;
		if (wire_receive(&worker->wire, LINE_MS, &message, NULL) <= 0)
			return false;
		understand(worker, message, progress, context);
		json_decref(message);
	}
}

void worker_stop(const struct worker *worker, bool force)
{
	kill(force ? -worker->pid : worker->pid, force ? SIGKILL : SIGTERM);
}

void worker_reap(struct worker *worker)
{
	char how[CHILD_TEXT_MAX];
	int status = 0;

	while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
		;
	wire_close(&worker->wire);
	worker->pid = 0;
	if (WIFSIGNALED(status)) {
		worker->err.kind = ERR_INTERNAL;
		snprintf(worker->err.text, sizeof(worker->err.text), "the run's process was %s",
			 child_describe(status, how));
	}
}
