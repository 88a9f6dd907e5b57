// SPDX-License-Identifier: MIT
#include "harness/driver_link.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/units.h"
#include "harness/interrupt.h"
#include "harness/log_line.h"

#define SLICES_PER_TICK 3
#define REST_OF_LINE_MS 5000 /* a peer that began a line must end it */
#define EXIT_MS         5000 /* a peer that closed its channel must exit */

static int report_end(struct driver_link *link, const char *when, struct err *err)
{
	char how[CHILD_TEXT_MAX], line[LOG_LINE_MAX];
	const bool ended = child_wait(link->child, EXIT_MS);

	log_last_line(link->stderr_path, line);
	if (ended)
		child_describe(link->child->status, how);
	else
		snprintf(how, sizeof(how), "closed its channel");
	return err_set(err, ERR_RUN, "%s %s%s %s%s%s", link->name,
		       ended && WIFSIGNALED(link->child->status) ? "crashed: " : "", how, when,
		       line[0] ? "; it said: " : "", line);
}

static bool has_line(const struct wire *wire)
{
	return wire->used > 0 && memchr(wire->data, '\n', wire->used) != NULL;
}

/* Waits until fd is readable, which is 0; ticks and looks at the deadline meanwhile. */
static int wait_for(struct driver_link *link, int fd, const char *what, struct err *err)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	for (int slices = 0;; slices++) {
		char duration[UNITS_TEXT_MAX];
		const int left_ms = deadline_left_ms(&link->deadline, INTERRUPT_SLICE_MS);

		if (deadline_check_interrupt(err) != 0)
			return -1;
		if (left_ms == 0)
			return err_set(err, ERR_RUN,
				       "time-out: %s did not %s within %s (--timeout)", link->name,
				       what,
				       units_format_duration(link->deadline.timeout_ns, duration));
		if (poll(&pfd, 1, left_ms) > 0)
			return 0;
		if (link->tick && slices % SLICES_PER_TICK == 0 &&
		    link->tick(link->context, err) != 0)
			return -1;
	}
}

static int receive(struct driver_link *link, json_t **message, struct err *err)
{
	const int got = wire_receive(&link->child->wire, REST_OF_LINE_MS, message, err);

	return got < 0 ? err_prefix(err, "%s", link->name) : got;
}

/* A driver's own error keeps its kind where that says more than "the run failed". */
static int report_error(const struct driver_link *link, const json_t *message, struct err *err)
{
	const json_int_t kind = json_integer_value(json_object_get(message, "kind"));
	const char *text = json_string_value(json_object_get(message, "text"));

	return err_set(err,
		       kind == ERR_USAGE || kind == ERR_MACHINE ? (enum err_kind)kind : ERR_RUN,
		       "%s: %s", link->name, text ? text : "it failed and did not say why");
}

static void pass_progress(const struct driver_link *link, const json_t *message)
{
	const char *phase = json_string_value(json_object_get(message, "phase"));

	if (link->progress && phase)
		link->progress(link->context, phase,
			       json_number_value(json_object_get(message, "done")));
}

/* 1: it is the message that was due; 0: it was another that may come at any time; -1: error. */
static int sort_message(const struct driver_link *link, const json_t *message, const char *type,
			struct err *err)
{
	const char *msg = json_string_value(json_object_get(message, "msg"));

	if (!msg)
		return err_set(err, ERR_RUN, "%s sent a message without \"msg\"", link->name);
	if (strcmp(msg, type) == 0)
		return 1;
	if (strcmp(msg, "error") == 0)
		return report_error(link, message, err);
	if (strcmp(msg, "progress") == 0) {
		pass_progress(link, message);
		return 0;
	}
	if (strcmp(msg, "alive") == 0)
		return 0;
	return err_set(err, ERR_RUN, "%s sent '%.40s' when '%s' was due", link->name, msg, type);
}

int driver_link_expect(struct driver_link *link, const char *type, json_t **message,
		       struct err *err)
{
	char what[64], when[64];

	snprintf(what, sizeof(what), "send '%s'", type);
	snprintf(when, sizeof(when), "before it sent '%s'", type);
	*message = NULL;
	for (;;) {
		int got;

		if (!has_line(&link->child->wire) &&
		    wait_for(link, link->child->wire.fd, what, err) != 0)
			return -1;
		got = receive(link, message, err);
		if (got <= 0)
			return got == 0 ? report_end(link, when, err) : -1;
		got = sort_message(link, *message, type, err);
		if (got > 0)
			return 0;
		json_decref(*message);
		*message = NULL;
		if (got < 0)
			return -1;
	}
}

int driver_link_send(struct driver_link *link, const char *type, json_t *body, struct err *err)
{
	struct err lost = {0};
	json_t *message = json_pack("{s:s}", "msg", type);
	int failed;

	if (!message || (body && json_object_update(message, body) != 0)) {
		json_decref(message);
		json_decref(body);
		return err_set(err, ERR_INTERNAL, "out of memory for a message");
	}
	failed = wire_send(&link->child->wire, message, &lost);
	json_decref(message);
	json_decref(body);
	if (failed && child_wait(link->child, EXIT_MS))
		return report_end(link, "while it was waiting", err);
	return failed ? err_set(err, lost.kind, "%s: %s", link->name, lost.text) : 0;
}

int driver_link_wait_end(struct driver_link *link, struct err *err)
{
	if (wait_for(link, link->child->pidfd, "exit", err) != 0)
		return -1;
	child_wait(link->child, 0);
	if (link->child->status != 0)
		return report_end(link, "after its last message", err);
	return 0;
}

int driver_link_poll(struct driver_link *link, json_t **message, struct err *err)
{
	struct pollfd pfd = {.fd = link->child->wire.fd, .events = POLLIN};
	int got;

	*message = NULL;
	if (!has_line(&link->child->wire) && poll(&pfd, 1, 0) <= 0)
		return 0;
	got = receive(link, message, err);
	if (got == 0)
		return report_end(link, "while it was needed", err);
	return got;
}
