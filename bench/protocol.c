// SPDX-License-Identifier: MIT
#include "bench/protocol.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/output.h"

#define PROGRESS_INTERVAL_NS UINT64_C(250000000)

int protocol_open(struct protocol *protocol, struct err *err)
{
	const char *text = getenv(WIRE_ENV);
	socklen_t length = sizeof(int);
	long fd;
	char *end;
	int type;

	*protocol = (struct protocol){.wire.fd = -1, .watcher_fd = -1};
	if (!text)
		return 0;
	fd = strtol(text, &end, 10);
	if (end == text || *end != '\0' || fd < 0 || fd > 1 << 20 ||
	    getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0)
		return err_set(err, ERR_USAGE, "%s is '%s', which is no open socket", WIRE_ENV,
			       text);
	wire_init(&protocol->wire, (int)fd);
	protocol->connected = true;
	return 0;
}

/* --- the harness may die ---------------------------------------------------------------------- */

static void *watch(void *argument)
{
	static const char text[] = "bench: the harness is gone; giving up\n";
	const struct protocol *protocol = argument;
	struct pollfd fds[2] = {{.fd = protocol->wire.fd, .events = POLLRDHUP},
				{.fd = protocol->watcher_fd, .events = POLLIN}};

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (fds[1].revents)
		return NULL;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(ERR_RUN);
	_exit(ERR_RUN);
}

int protocol_watch(struct protocol *protocol, struct err *err)
{
	int failed;

	if (!protocol->connected)
		return 0;
	protocol->watcher_fd = eventfd(0, EFD_CLOEXEC);
	if (protocol->watcher_fd < 0)
		return err_set_errno(err, ERR_INTERNAL, errno, "cannot create an eventfd");
	failed = pthread_create(&protocol->watcher, NULL, watch, protocol);
	if (!failed)
		return 0;
	close(protocol->watcher_fd);
	protocol->watcher_fd = -1;
	return err_set_errno(err, ERR_INTERNAL, failed, "cannot start a thread");
}

void protocol_unwatch(struct protocol *protocol)
{
	const uint64_t one = 1;

	if (protocol->watcher_fd < 0)
		return;
	if (write(protocol->watcher_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(protocol->watcher, NULL);
	close(protocol->watcher_fd);
	protocol->watcher_fd = -1;
}

void protocol_close(struct protocol *protocol)
{
	protocol_unwatch(protocol);
	if (protocol->connected)
		wire_close(&protocol->wire);
	protocol->connected = false;
}

/* Sends and drops the message. */
static int send_message(struct protocol *protocol, json_t *message, struct err *err)
{
	int failed = 0;

	if (!message)
		return err_set(err, ERR_INTERNAL, "a message could not be built");
	if (protocol->connected)
		failed = wire_send(&protocol->wire, message, err);
	json_decref(message);
	if (failed)
		err_prefix(err, "the harness is gone");
	return failed;
}

static int receive(struct protocol *protocol, int timeout_ms, json_t **message, struct err *err)
{
	const int status = wire_receive(&protocol->wire, timeout_ms, message, err);

	if (status == 1)
		return 0;
	if (status == 0)
		return err_set(err, ERR_RUN, "the harness is gone");
	return err_prefix(err, "from the harness");
}

static const char *kind_of(const json_t *message)
{
	const char *kind = json_string_value(json_object_get(message, "msg"));

	return kind ? kind : "(none)";
}

static int unexpected(json_t *message, const char *instead_of, struct err *err)
{
	err_set(err, ERR_RUN, "the harness sent '%s' where '%s' was due", kind_of(message),
		instead_of);
	json_decref(message);
	return -1;
}

int protocol_hello(struct protocol *protocol, const struct workload *workload,
		   uint64_t footprint_bytes, const struct option_set *options, struct err *err)
{
	return send_message(protocol,
			    json_pack("{s:s, s:i, s:s, s:I, s:o}", "msg", "hello", "schema", 1,
				      "workload", workload->name, "footprint_bytes",
				      (json_int_t)footprint_bytes, "options",
				      options_to_json(options)),
			    err);
}

void protocol_progress(struct protocol *protocol, const char *phase, double done)
{
	const uint64_t now_ns = roi_now_ns();

	if (!protocol->connected || now_ns - protocol->last_progress_ns < PROGRESS_INTERVAL_NS)
		return;
	protocol->last_progress_ns = now_ns;
	send_message(protocol,
		     json_pack("{s:s, s:s, s:f}", "msg", "progress", "phase", phase, "done", done),
		     NULL);
}

static json_t *regions_to_json(const struct arena *arena)
{
	json_t *array = json_array();

	for (int i = 0; i < arena->nr_regions; i++) {
		const struct arena_region *region = &arena->regions[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:I, s:I}", "name", region->name, "address",
						(json_int_t)(uintptr_t)region->address, "bytes",
						(json_int_t)region->bytes));
	}
	return array;
}

static json_t *ints_to_json(const int *values, int count)
{
	json_t *array = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(array, json_integer(values[i]));
	return array;
}

static json_t *tids_to_json(const struct team *team)
{
	json_t *array = json_array();

	for (int i = 0; i < team_size(team); i++)
		json_array_append_new(array, json_integer(team_tid(team, i)));
	return array;
}

/* With a server it is the server that is placed, counted and dumped; its memory is one region. */
int protocol_ready(struct protocol *protocol, const struct protocol_ready *ready, struct err *err)
{
	const struct workload_run *run = ready->run;
	json_t *message = json_pack(
		"{s:s, s:[i], s:o, s:o, s:I, s:i, s:o}", "msg", "ready", "pids",
		(int)(run->server ? run->server_pid : getpid()), "tids", tids_to_json(ready->team),
		"regions", regions_to_json(ready->arena), "setup_ns", (json_int_t)ready->setup_ns,
		"threads", run->nr_threads, "cpus", ints_to_json(run->cpus, run->nr_cpus));

	if (message && run->server) {
		json_array_append_new(json_object_get(message, "regions"),
				      json_pack("{s:s, s:n, s:I}", "name", "server", "address",
						"bytes", (json_int_t)run->server_bytes));
		json_object_set_new(message, "client_cpus",
				    ints_to_json(ready->client_cpus, ready->nr_client_cpus));
	}
	return send_message(protocol, message, err);
}

/* ERR_INTERNAL only when the process cannot go on; a refusal is an answer. */
static int answer_migrate(struct protocol *protocol, struct arena *arena, const json_t *message,
			  struct err *err)
{
	const json_t *node = json_object_get(message, "node");
	struct arena_migration migration = {0};
	struct err refusal = {0};

	if (!json_is_integer(node))
		return err_set(err, ERR_RUN, "the harness sent migrate_tables without a node");
	if (arena->nr_regions == 0)
		err_set(&refusal, ERR_MACHINE,
			"the memory is a server's, whose page tables cannot be moved from outside");
	else if (arena_migrate_tables(arena, (int)json_integer_value(node), &migration, &refusal) !=
			 0 &&
		 refusal.kind == ERR_INTERNAL) {
		*err = refusal;
		return -1;
	}
	return send_message(protocol,
			    json_pack("{s:s, s:s, s:s?, s:I, s:I}", "msg", "migrated", "status",
				      refusal.kind ? "failed" : "ok", "reason",
				      refusal.kind ? refusal.text : NULL, "tables_bytes",
				      (json_int_t)(refusal.kind ? 0 : migration.tables_bytes),
				      "duration_ns", (json_int_t)migration.duration_ns),
			    err);
}

int protocol_await_go(struct protocol *protocol, struct arena *arena, json_t **model,
		      struct err *err)
{
	*model = NULL;
	while (protocol->connected) {
		json_t *message;
		const char *kind;
		int failed;

		if (receive(protocol, -1, &message, err) != 0)
			return -1;
		kind = kind_of(message);
		if (strcmp(kind, "go") == 0) {
			*model = json_incref(json_object_get(message, "model"));
			json_decref(message);
			return 0;
		}
		if (strcmp(kind, "migrate_tables") != 0)
			return unexpected(message, "go", err);
		failed = answer_migrate(protocol, arena, message, err);
		json_decref(message);
		if (failed)
			return -1;
	}
	return 0;
}

int protocol_roi_end(struct protocol *protocol, const struct roi *roi, struct err *err)
{
	json_t *message = json_pack("{s:s, s:I, s:s, s:I}", "msg", "roi_end", "roi_ns",
				    (json_int_t)roi->duration_ns, "clock", roi_clock(roi),
				    "host_ns", (json_int_t)roi->host_ns);

	if (message && roi->modelled)
		json_object_set_new(message, "model", roi_model_to_json(roi));
	return send_message(protocol, message, err);
}

int protocol_await_continue(struct protocol *protocol, struct err *err)
{
	json_t *message;

	if (!protocol->connected)
		return 0;
	if (receive(protocol, -1, &message, err) != 0)
		return -1;
	if (strcmp(kind_of(message), "continue") != 0)
		return unexpected(message, "continue", err);
	json_decref(message);
	return 0;
}

int protocol_done(struct protocol *protocol, const struct metrics *metrics,
		  const struct verification *verification, json_t *series, struct err *err)
{
	json_t *message = json_pack(
		"{s:s, s:o, s:o, s:o}", "msg", "done", "metrics", output_metrics(metrics),
		"verification", output_verification(verification), "work", output_work(metrics));

	if (message && series)
		json_object_set(message, "series", series);
	protocol_unwatch(protocol); /* the harness may close its end as soon as it has read this */
	return send_message(protocol, message, err);
}

void protocol_error(struct protocol *protocol, const struct err *error)
{
	protocol_unwatch(protocol);
	send_message(protocol,
		     json_pack("{s:s, s:i, s:s}", "msg", "error", "kind", (int)error->kind, "text",
			       error->text),
		     NULL);
}

int protocol_alive(struct protocol *protocol, double gb_per_s, struct err *err)
{
	return send_message(protocol, json_pack("{s:s, s:f}", "msg", "alive", "gb_per_s", gb_per_s),
			    err);
}

int protocol_await_stop(struct protocol *protocol, int timeout_ms, struct err *err)
{
	struct pollfd pfd = {.fd = protocol->wire.fd, .events = POLLIN};
	json_t *message;

	/* A message may have arrived together with the one before. */
	if (protocol->wire.used == 0 && poll(&pfd, 1, timeout_ms) <= 0)
		return 0;
	if (receive(protocol, -1, &message, err) != 0)
		return -1;
	if (strcmp(kind_of(message), "stop") != 0)
		return unexpected(message, "stop", err);
	json_decref(message);
	return 1;
}
